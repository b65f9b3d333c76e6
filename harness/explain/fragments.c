/* fragments.c - findings of IKE messages that are longer than the way is wide: they leave in IP
 * fragments, which do not arrive (RFC 791 §3.2, RFC 7383, RFC 9242 §3.3). */
#include "harness/explain/rule.h"

#define IKE_INTERMEDIATE 43 /* RFC 9242 §2 */

/* Fragments of a packet to the peer that no place has seen whole, or only its start. */
static int show_fragments(const struct survey *s, struct findings *out, struct finding *f,
			  const struct exchange *x)
{
	const struct ike_msg *m = &s->f.ike[x->first_request];
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->f.n_frames && f && f->n_evidence < 6; i++) {
		const struct fact_frame *frame = &s->f.frames[i];

		if (frame->kind == FRAME_FRAGMENT &&
		    ip_addr_eq(&frame->dst.addr, &s->f.frames[m->frame].dst.addr))
			err = finding_show(out, f, seen_frame(s, i), "IP fragment of %u octets",
					   frame->ip_len);
	}
	return err;
}

static const struct exchange *first_record(const struct survey *s, const struct exchange *x)
{
	const struct exchange *e, *at;

	for (e = s->exchanges; e < x; e++)
		for (at = e; e->first && at->next != FACT_NONE; at = &s->exchanges[at->next])
			if (&s->exchanges[at->next] == x)
				return e;
	return x;
}

static int find_fragments_dropped(const struct survey *s, struct findings *out)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->n_exchanges; i++) {
		const struct exchange *x = &s->exchanges[i];
		struct exchange_sum sum;
		struct finding *f;
		char name[48];

		if (x->first_request == FACT_NONE || x->ip_fragments < 2)
			continue;
		sum = exchange_everywhere(s, first_record(s, x));
		if (sum.answered || sum.sent < TRIES_MIN)
			continue;
		f = finding_add(out, LIKELY,
				"%s is a datagram of %zu octets, which goes out in %zu IP "
				"fragments, %u times, and is never answered.",
				ike_exchange_name(x->type, name, sizeof(name)), x->largest,
				x->ip_fragments, sum.sent);
		err = finding_show(out, f, seen_msg(s, x->first_request),
				   "the last fragment of the first transmission");
		if (!err)
			err = show_fragments(s, out, f, x);
	}
	return err;
}

static bool knows_fragmentation(const struct survey *s, size_t ike_sa)
{
	struct payload_notify n;
	size_t i;

	for (i = 0; i < s->f.n_ike; i++)
		if (s->f.ike[i].ike_sa == ike_sa && !s->f.ike[i].request && s->f.ike[i].outer &&
		    payloads_find_notify(s->f.ike[i].outer, N_IKEV2_FRAGMENTATION_SUPPORTED, &n))
			return true;
	return false;
}

static int find_intermediate(const struct survey *s, struct findings *out)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->n_exchanges; i++) {
		const struct exchange *x = &s->exchanges[i];
		struct finding *f;

		if (x->type != IKE_INTERMEDIATE || x->first_request == FACT_NONE ||
		    x->largest <= IPV6_MIN_MTU || s->f.ike[x->first_request].fragments ||
		    exchange_everywhere(s, first_record(s, x)).answered ||
		    !knows_fragmentation(s, x->ike_sa))
			continue;
		f = finding_add(
		    out, LIKELY,
		    "IKE_INTERMEDIATE is one datagram of %zu octets, though both ends know "
		    "IKE fragmentation, and is not answered.",
		    x->largest);
		err = finding_show(out, f, seen_msg(s, x->first_request),
				   "the request, sent %u times", x->sent);
	}
	return err;
}

RULES(
    fragments,
    {.id = "F11",
     .names = "",
     .kind = RULE_FAULT,
     .rank = 8,
     .unless = "",
     .title = "A box on the way drops IP fragments",
     .why =
	 "IKE_AUTH with certificates is longer than the path MTU and leaves in IP fragments. Many "
	 "CPE boxes and operators drop fragments.",
     .remedy =
	 "Switch IKE fragmentation on at both ends (fragmentation = yes): the message is then "
	 "cut at the IKE level and no IP fragment is needed. Or make it shorter: ECDSA or Ed25519 "
	 "certificates, no chain, sendcert = ifasked.",
     .clause = "RFC 7383 §1, §2.5; RFC 7296 §2",
     .find = find_fragments_dropped},
    {.id = "F13",
     .names = "",
     .kind = RULE_FAULT,
     .rank = 7,
     .unless = "",
     .title = "IKE_INTERMEDIATE is not fragmented",
     .why =
	 "A large key exchange (ML-KEM) does not fit the path, and this implementation fragments "
	 "IKE_AUTH only.",
     .remedy =
	 "Update it: fragmentation applies to IKE_INTERMEDIATE, too. Until then, a smaller key "
	 "exchange.",
     .clause = "RFC 9242 §3.3, RFC 7383 §2.5",
     .find = find_intermediate});
