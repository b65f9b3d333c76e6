/* flight.c - messages as they go out, whole or in fragments (RFC 7383 §2.4, §2.5).
 *
 *     HDR, SK {...}                  up to sa->fragment_size octets of IP datagram, or no fragments
 *     HDR, SKF(1/3) {...}            beyond; all but the last are of one length, which is `step`
 *     HDR, SKF(2/3) {...}
 *     HDR, SKF(3/3) {...}
 *
 * The size begins with the option's and falls to FRAGMENT_FLOOR if a message that is larger does
 * not come through (§2.5.2: downward, in few steps); it never rises again within an SA, and the SA
 * that replaces it inherits it. To split once more, the plain content is kept as long as that could
 * help; it is wiped with the flight. A split in smaller pieces is sealed anew, with IVs of its
 * own: no IV is ever used for two contents. */
#include "vpn/ike/flight.h"

#include <stdlib.h>
#include <string.h>

#include "vpn/ike/exchange.h"
#include "vpn/ike/sealed.h"

#define IPV4_HEADER    20
#define IPV6_HEADER    40
#define UDP_HEADER     8
#define NON_ESP_MARKER 4 /* RFC 3948 §2.2 */

/* RFC 7383 §2.5.1: 576 octets pass unharmed almost everywhere. Over IPv6 the network owes us 1280,
 * which tunnels on the way may still fail to deliver. */
#define FRAGMENT_FLOOR	     576
#define FRAGMENT_DEFAULT_IP6 1280

void flight_free(struct flight *f)
{
	octets_free(&f->octets);
	octets_free(&f->plain);
	*f = (struct flight){0};
}

int flight_set_clear(struct flight *f, struct view datagram)
{
	struct octets copy = {0};

	if (octets_set(&copy, datagram))
		return ERR_NOMEM;
	flight_free(f);
	*f = (struct flight){.octets = copy, .step = copy.len};
	return 0;
}

void flight_send(const struct ike_sa *sa, const struct flight *f, const struct endpoint *local,
		 const struct endpoint *remote)
{
	size_t at;

	for (at = 0; at < f->octets.len; at += f->step) {
		size_t left = f->octets.len - at;

		exchange_send_datagram(
		    sa->engine, sa->id, local, remote,
		    (struct view){f->octets.p + at, left < f->step ? left : f->step});
	}
}

/* What IP, UDP and the marker add to a message of this SA. */
static size_t outer_len(const struct ike_sa *sa)
{
	bool marker = sa->local.port == sa->engine->opt.port_natt;

	return (sa->remote.addr.family == 6 ? IPV6_HEADER : IPV4_HEADER) + UDP_HEADER +
	       (marker ? NON_ESP_MARKER : 0);
}

/* Octets of IKE in a datagram of that size. */
static size_t message_room(const struct ike_sa *sa, size_t datagram)
{
	size_t outer = outer_len(sa);

	return datagram > outer ? datagram - outer : 0;
}

static int seal_part(struct ike_sa *sa, const struct ike_header *hdr,
		     const struct sealed_part *part, uint8_t *out, size_t cap, size_t *ret_len)
{
	struct ike_engine *e = sa->engine;

	return sealed_build(sa->keys.seal, &sa->iv_counter, e->env.random, e->env.ctx, hdr, part,
			    out, cap, ret_len);
}

/* `total` messages with `each` octets of the chain inside, back to back. */
static int seal_parts(struct ike_sa *sa, const struct ike_header *hdr, uint8_t first,
		      struct view chain, size_t each, uint16_t total, struct octets *out)
{
	size_t at = 0, len;
	uint16_t i;

	for (i = 0; i < total; i++) {
		struct sealed_part part = {.first = i ? (uint8_t)PAYLOAD_NONE : first,
					   .number = (uint16_t)(total > 1 ? i + 1 : 0),
					   .total = (uint16_t)(total > 1 ? total : 0),
					   .chain = {chain.p + i * each, each}};
		int err;

		if (chain.len - i * each < each)
			part.chain.len = chain.len - i * each;
		err = seal_part(sa, hdr, &part, out->p + at, out->len - at, &len);
		if (err)
			return err;
		at += len;
	}
	out->len = at;
	return 0;
}

/* How a chain is to be cut for datagrams of that size (0: any). */
struct cut {
	size_t each;
	uint16_t total;
};

static int plan_cut(const struct ike_sa *sa, size_t chain, size_t datagram, struct cut *ret_cut)
{
	const struct cipher_info *info = cipher_get_info(sa->keys.seal);
	size_t room = message_room(sa, datagram), each, total;

	*ret_cut = (struct cut){chain, 1};
	if (!datagram || sealed_len(info, false, chain) <= room)
		return 0;
	each = sealed_capacity(info, true, room);
	total = each ? (chain + each - 1) / each : 0;
	if (!each || total > LIMIT_FRAGMENTS)
		return ERR_SPACE;
	*ret_cut = (struct cut){each, (uint16_t)total};
	return 0;
}

static int build(struct ike_sa *sa, const struct ike_header *hdr, uint8_t first, struct view chain,
		 const struct cut *cut, struct flight *ret_flight)
{
	const struct cipher_info *info = cipher_get_info(sa->keys.seal);
	size_t step = sealed_len(info, cut->total > 1, cut->each);
	struct octets out = {malloc(step * cut->total), step * cut->total};
	int err;

	if (!out.p)
		return ERR_NOMEM;
	err = seal_parts(sa, hdr, first, chain, cut->each, cut->total, &out);
	if (err) {
		free(out.p);
		return err;
	}
	*ret_flight =
	    (struct flight){.octets = out, .step = step, .total = cut->total, .hdr = *hdr};
	return 0;
}

/* True if a later attempt could split the chain further. */
static bool can_shrink(const struct ike_sa *sa, size_t chain, const struct cut *cut)
{
	struct cut smaller;

	return sa->fragment_size > FRAGMENT_FLOOR &&
	       !plan_cut(sa, chain, FRAGMENT_FLOOR, &smaller) && smaller.total > cut->total;
}

int flight_seal(struct ike_sa *sa, const struct ike_header *hdr, const struct ike_builder *inner,
		struct flight *f)
{
	struct view all = {inner->w.base, inner->w.len}; /* the first payload's type in front */
	struct view chain = {all.p + 1, all.len - 1};
	struct flight made;
	struct cut cut;
	int err;

	if (!wr_ok(&inner->w) ||
	    sealed_len(cipher_get_info(sa->keys.seal), false, chain.len) > IKE_MESSAGE_MAX)
		return ERR_SPACE;
	err = plan_cut(sa, chain.len, sa->fragment_size, &cut);
	if (!err)
		err = build(sa, hdr, all.p[0], chain, &cut, &made);
	if (err)
		return err;
	if (can_shrink(sa, chain.len, &cut) && octets_set(&made.plain, all)) {
		flight_free(&made);
		return ERR_NOMEM;
	}
	flight_free(f);
	*f = made;
	return 0;
}

bool flight_shrink(struct ike_sa *sa, struct flight *f)
{
	struct flight made;
	struct view chain;
	struct cut cut;

	if (!f->plain.p)
		return false;
	chain = (struct view){f->plain.p + 1, f->plain.len - 1};
	/* RFC 7383 §2.5.2: the total must grow, it is what tells the sets apart. */
	if (plan_cut(sa, chain.len, FRAGMENT_FLOOR, &cut) || cut.total <= f->total ||
	    build(sa, &f->hdr, f->plain.p[0], chain, &cut, &made))
		return false;
	sa->fragment_size = FRAGMENT_FLOOR;
	flight_free(f);
	*f = made;
	return true;
}

void flight_allow_fragments(struct ike_sa *sa)
{
	unsigned size = sa->engine->opt.fragment_size;

	if (!size)
		size = sa->remote.addr.family == 6 ? FRAGMENT_DEFAULT_IP6 : FRAGMENT_FLOOR;
	sa->fragment_size = (uint16_t)size;
}

void flight_learn_size(struct ike_sa *sa, size_t ike_len)
{
	size_t size = ike_len + outer_len(sa);

	if (size < FRAGMENT_FLOOR)
		size = FRAGMENT_FLOOR;
	if (size < sa->fragment_size)
		sa->fragment_size = (uint16_t)size;
}
