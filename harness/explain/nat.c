/* nat.c - findings of NAT boxes on the way: ports that are blocked, mappings that change and are
 * not followed, mappings that end in a silence (RFC 7296 §2.23, RFC 3948, RFC 4787). */
#include "harness/explain/rule.h"
#include "vpn/base/proto.h"

#define FOLLOW_US 1000000 /* what was on its way when the mapping changed is no sign */
#define ALONE_US  500000  /* they are no burst that the capture's end has cut off */

/* The INIT was answered; IKE_AUTH went to 4500 and was not, though it was small enough to pass. */
static bool is_blocked_auth(const struct survey *s, const struct exchange *x,
			    struct exchange_sum *ret_sum)
{
	const struct fact_frame *f;
	const struct exchange *init;

	if (x->type != IKE_AUTH || x->first_request == FACT_NONE || x->ip_fragments || !x->first)
		return false;
	*ret_sum = exchange_everywhere(s, x);
	init = exchange_find(s, x->ike_sa, IKE_SA_INIT);
	f = msg_frame(s, x->first_request);
	return f->dst.port == IKE_NATT_PORT && !ret_sum->answered && ret_sum->sent >= TRIES_MIN &&
	       init && init->answered && !path_seen(s, &f->dst.addr, IKE_NATT_PORT, &f->src.addr);
}

static int find_4500_blocked(const struct survey *s, struct findings *out)
{
	struct exchange_sum sum;
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->n_exchanges; i++) {
		const struct exchange *x = &s->exchanges[i], *init;
		char route[128];
		struct finding *f;

		if (!is_blocked_auth(s, x, &sum))
			continue;
		init = exchange_find(s, x->ike_sa, IKE_SA_INIT);
		f = finding_add(out, is_lost_between(s, x) ? CERTAIN : LIKELY,
				"IKE_SA_INIT on UDP 500 is answered, IKE_AUTH on UDP 4500 never, "
				"though sent %u times.",
				sum.sent);
		err = finding_show(out, f, seen_msg(s, init->first_response),
				   "IKE_SA_INIT response on port 500");
		if (!err)
			err = finding_show(
			    out, f, seen_msg(s, sum.at_sender->first_request),
			    "IKE_AUTH request, %s",
			    msg_route(s, sum.at_sender->first_request, route, sizeof(route)));
		if (!err)
			err = finding_show(out, f, seen_msg(s, sum.at_sender->last_request),
					   "the %u%s and last time", sum.at_sender->sent,
					   ordinal_suffix(sum.at_sender->sent));
	}
	return err;
}

/* Two flows of one SPI at one place, one after the other, from different endpoints. */
static bool is_moved(const struct esp_flow *old, const struct esp_flow *new)
{
	return old != new && old->place == new->place && old->spi == new->spi &&
	       old->encap &&new->encap &&endpoint_eq(&old->dst, &new->dst) &&
	       !endpoint_eq(&old->src, &new->src) && old->last.time_us <= new->first.time_us;
}

/* ESP still goes where the peer was, and none to where it is. */
static const struct path *stale_path(const struct survey *s, const struct esp_flow *old,
				     const struct esp_flow *new)
{
	const struct path *back = path_find(s, new->place, &new->dst, &new->src);
	const struct path *stale = path_find(s, new->place, &new->dst, &old->src);

	if (!stale || (back && back->n_esp))
		return NULL;
	return stale->n_esp && stale->last_esp.time_us > new->first.time_us + FOLLOW_US ? stale
											: NULL;
}

static int show_move(struct findings *out, struct finding *f, const struct esp_flow *old,
		     const struct esp_flow *new, const struct path *stale)
{
	char a[ENDPOINT_STRLEN], b[ENDPOINT_STRLEN];
	int err;

	endpoint_format(&old->src, a, sizeof(a));
	endpoint_format(&new->src, b, sizeof(b));
	err = finding_show(out, f, old->last, "SPI %08x from %s for the last time", old->spi, a);
	if (!err)
		err = finding_show(out, f, new->first, "the same SPI from %s", b);
	if (!err)
		err = finding_show(out, f, stale->last_esp, "ESP still goes to %s", a);
	return err;
}

static int find_not_followed(const struct survey *s, struct findings *out, bool other_address)
{
	size_t i, k;
	int err = 0;

	for (i = 0; !err && i < s->n_esp; i++)
		for (k = esp_of_spi(s, s->esp[i].spi); !err && k != FACT_NONE; k = s->esp[k].prev) {
			const struct esp_flow *old = &s->esp[i], *new = &s->esp[k];
			const struct path *stale;
			struct finding *f;
			char a[ENDPOINT_STRLEN], b[ENDPOINT_STRLEN];

			if (!is_moved(old, new) ||
			    ip_addr_eq(&old->src.addr, &new->src.addr) == other_address)
				continue;
			stale = stale_path(s, old, new);
			if (!stale)
				continue;
			endpoint_format(&old->src, a, sizeof(a));
			endpoint_format(&new->src, b, sizeof(b));
			f = finding_add(
			    out, CERTAIN,
			    "The peer at %s is at %s now, and its packets are taken from "
			    "nobody: answers still go to the old one.",
			    a, b);
			err = show_move(out, f, old, new, stale);
		}
	return err;
}

static int find_port_change(const struct survey *s, struct findings *out)
{
	return find_not_followed(s, out, false);
}

static int find_address_change(const struct survey *s, struct findings *out)
{
	return find_not_followed(s, out, true);
}

/* --- Mappings that end in a silence --- */

/* What that path carried after a silence of both, and nothing came back; NULL. */
static const struct alone *spoken_in_vain(const struct path *p)
{
	const struct alone *const both[] = {&p->alone, &p->alone_after_silence};
	size_t i;

	for (i = 0; i < 2; i++)
		if (both[i]->n >= ALONE_MIN && both[i]->before.number &&
		    both[i]->first.time_us >= both[i]->before.time_us + SILENCE_US &&
		    both[i]->last.time_us >= both[i]->first.time_us + ALONE_US)
			return both[i];
	return NULL;
}

/* The end that a path leads to has another port than it uses, or said so (RFC 7296 §2.23). */
static bool leads_behind_nat(const struct survey *s, const struct path *p)
{
	size_t i;

	if (p->src.port == IKE_NATT_PORT && p->dst.port != IKE_NATT_PORT && p->dst.port)
		return true;
	for (i = 0; i < s->f.n_natd; i++) {
		const struct natd_fact *n = &s->f.natd[i];
		const struct fact_frame *f = msg_frame(s, n->msg);

		if (f->place == p->place && ip_addr_eq(&f->src.addr, &p->dst.addr) &&
		    ip_addr_eq(&f->dst.addr, &p->src.addr) && n->have_src && !n->src_match &&
		    !n->src_unspecified)
			return true;
	}
	return false;
}

/* Where the peer's SA comes from after a time: the first flow that is not from its old port. */
static const struct esp_flow *moved_to(const struct survey *s, const struct path *p,
				       const struct alone *a)
{
	size_t i, k;

	for (i = 0; i < s->n_esp; i++) {
		const struct esp_flow *new = &s->esp[i];

		if (new->place != p->place || new->first.time_us < a->first.time_us)
			continue;
		for (k = esp_of_spi(s, new->spi); k != FACT_NONE; k = s->esp[k].prev)
			if (endpoint_eq(&s->esp[k].src, &p->dst) && is_moved(&s->esp[k], new))
				return new;
	}
	return NULL;
}

/* A place behind the box has seen their SA before, and none of them. */
static bool stayed_outside(const struct survey *s, const struct path *p, const struct alone *a)
{
	size_t i, k;

	for (i = 0; i < s->n_esp; i++) {
		const struct esp_flow *e = &s->esp[i];

		if (e->place != p->place || !endpoint_eq(&e->src, &p->src) ||
		    !endpoint_eq(&e->dst, &p->dst) || e->last.time_us < a->first.time_us)
			continue;
		for (k = esp_of_spi(s, e->spi); k != FACT_NONE; k = s->esp[k].prev) {
			const struct esp_flow *inside = &s->esp[k];

			if (!ip_addr_eq(&inside->dst.addr, &p->dst.addr) &&
			    inside->last.time_us < a->first.time_us &&
			    s->places[inside->place].end_us > a->last.time_us)
				return true;
		}
	}
	return false;
}

static int show_expired(struct findings *out, struct finding *f, const struct alone *a,
			const struct esp_flow *moved)
{
	int err = finding_show(out, f, a->before, "the last packet before the silence");

	if (!err)
		err = finding_show(out, f, a->first, "the first of %llu ESP packets into the void",
				   (unsigned long long)a->n);
	if (!err && moved)
		err = finding_show(out, f, moved->first, "SPI %08x from another port", moved->spi);
	else if (!err)
		err = finding_show(out, f, a->last, "the last one; none is seen behind the box");
	return err;
}

/* From one side alone, and with the old port again, it could as well be lost behind the tunnel. */
static int find_expired(const struct survey *s, struct findings *out)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->n_paths; i++) {
		const struct path *p = &s->paths[i];
		const struct alone *a = spoken_in_vain(p);
		const struct esp_flow *moved;
		char dst[ENDPOINT_STRLEN], span[32];
		struct finding *f;

		if (!a || !leads_behind_nat(s, p))
			continue;
		moved = moved_to(s, p, a);
		if (!moved && !stayed_outside(s, p, a))
			continue;
		endpoint_format(&p->dst, dst, sizeof(dst));
		f = finding_add(
		    out, CERTAIN,
		    "After %s in which nobody spoke, %llu ESP packets to %s came to nothing: it is "
		    "behind a NAT, and its mapping was gone.",
		    span_text(a->before.time_us, a->first.time_us, span, sizeof(span)),
		    (unsigned long long)a->n, dst);
		err = show_expired(out, f, a, moved);
	}
	return err;
}

RULES(
    nat,
    {.id = "F06",
     .names = "negotiation failure map 1; troubleshooting flow 1",
     .kind = RULE_FAULT,
     .rank = 12,
     .unless = "F11",
     .title = "UDP port 4500 is blocked",
     .why = "Behind a NAT (or with forced encapsulation) IKE moves to port 4500 with IKE_AUTH. "
	    "Some mobile operators and firewalls let 500 through and drop 4500.",
     .remedy = "Open UDP 4500 in both directions, at the peer's firewall and on the way. Where "
	       "that is not possible, another network, or IKE over TCP (RFC 9329), is the way out.",
     .clause = "RFC 7296 §2.23, RFC 3948 §2",
     .find = find_4500_blocked},
    {.id = "F01",
     .names = "S7",
     .kind = RULE_FAULT,
     .rank = 13,
     .unless = "",
     .title = "A NAT box gave the peer another port, and the other end does not follow",
     .why =
	 "The mapping has changed (time-out, reboot of the box). The receiver takes packets from "
	 "the new port but does not send its own there.",
     .remedy =
	 "The end without NAT must follow the last valid, authenticated packet. Use MOBIKE, or a "
	 "daemon and data plane that follow ESP as well as IKE; shorten keep-alives so that the "
	 "mapping stays.",
     .clause = "RFC 7296 §2.23, RFC 4555 §3.8",
     .find = find_port_change},
    {.id = "F02",
     .names = "",
     .kind = RULE_FAULT,
     .rank = 13,
     .unless = "",
     .title = "The peer's address has changed, and the other end does not follow",
     .why =
	 "The peer has moved to another network, or its NAT box has another address. Its packets "
	 "arrive; what is sent back goes to where it was.",
     .remedy = "Use MOBIKE at both ends; or let the peer start the IKE SA anew when its address "
	       "changes.",
     .clause = "RFC 7296 §2.23, RFC 4555 §3.5",
     .find = find_address_change},
    {.id = "MAP-expired",
     .names = "troubleshooting flow 5",
     .kind = RULE_FAULT,
     .rank = 14,
     .unless = "F01 F02 F03 F44",
     .title = "A NAT mapping was gone after a silence",
     .why = "A NAT box forgets a mapping that nobody uses: after two minutes at the earliest, says "
	    "RFC 4787, and after 30 to 60 s on many networks. From then on the way in is closed, "
	    "until the end behind the box speaks.",
     .remedy = "Keep-alives of the end behind the NAT more often than the mapping lives "
	       "(charon.keep_alive in strongswan.conf, beetd --keepalive), or its liveness check "
	       "(dpd_delay). The end without NAT cannot open the way.",
     .clause = "RFC 3948 §4, RFC 4787 §4.3",
     .find = find_expired});
