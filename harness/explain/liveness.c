/* liveness.c - findings of tunnels that are dead while an end believes in them: nobody asks, nobody
 * starts anew, or what is asked does not get through (RFC 7296 §2.4, RFC 3948 §4). */
#include <stdio.h>

#include "harness/explain/rule.h"

#define VOID_US	 20000000 /* without a word of the peer, though it was spoken to */
#define IDLE_US	 5000000  /* firewalls that age UDP state faster are not to be lived with */
#define AFTER_US 500000

static const struct path *reverse_of(const struct survey *s, const struct path *p)
{
	return path_find(s, p->place, &p->dst, &p->src);
}

/* The first IKE request on that path after a time; 0: none until the end of the capture. */
static uint64_t next_request_us(const struct survey *s, const struct path *p, uint64_t after_us)
{
	size_t i;

	for (i = 0; i < s->f.n_ike; i++) {
		const struct fact_frame *f = msg_frame(s, i);

		if (s->f.ike[i].request && f->place == p->place && f->time_us > after_us &&
		    ip_addr_eq(&f->src.addr, &p->src.addr) &&
		    ip_addr_eq(&f->dst.addr, &p->dst.addr))
			return f->time_us;
	}
	return 0;
}

/* ESP went out after the peer's last packet, keep-alives still do, and no IKE. */
static bool is_unminded(const struct survey *s, const struct path *p, const struct path *back,
			uint64_t *ret_until)
{
	uint64_t heard = back->last.time_us, next;

	if (!p->n_keepalive || !p->n_esp || p->last_esp.time_us <= heard + AFTER_US ||
	    p->last_keepalive.time_us < heard + VOID_US)
		return false;
	next = next_request_us(s, p, heard);
	*ret_until = next ? next : s->places[p->place].end_us;
	return *ret_until > heard + VOID_US && p->first_keepalive.time_us < *ret_until;
}

static int find_unminded(const struct survey *s, struct findings *out)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->n_paths; i++) {
		const struct path *p = &s->paths[i], *back = reverse_of(s, p);
		char dst[ENDPOINT_STRLEN], span[32];
		uint64_t until;
		struct finding *f;

		if (!back || !is_unminded(s, p, back, &until))
			continue;
		endpoint_format(&p->dst, dst, sizeof(dst));
		f = finding_add(
		    out, LIKELY,
		    "%s has not said a word for %s, and the other end sends keep-alives "
		    "and packets into the void: no liveness check, no new IKE_SA_INIT.",
		    dst, span_text(back->last.time_us, until, span, sizeof(span)));
		err = finding_show(out, f, back->last, "the last packet of %s", dst);
		if (!err)
			err = finding_show(out, f, p->last_esp, "ESP to it");
		if (!err)
			err = finding_show(out, f, p->last_keepalive,
					   "a keep-alive to it, one of %llu",
					   (unsigned long long)p->n_keepalive);
	}
	return err;
}

/* Only keep-alives come from the new port as long as ESP goes to the old one. */
static bool is_unauthenticated_move(const struct path *new, const struct path *old,
				    const struct path *stale)
{
	uint64_t last = stale ? stale->last_esp.time_us : 0;

	return stale && stale->n_esp &&
	       new->n_keepalive &&last > new->first_keepalive.time_us + AFTER_US &&
	       (!new->n_esp || new->first_esp.time_us > last) &&
	       (!new->n_ike || new->first_ike.time_us > last) &&
	       old->last.time_us < new->first_keepalive.time_us;
}

static bool is_sibling(const struct path *a, const struct path *b)
{
	return a != b && a->place == b->place && endpoint_eq(&a->dst, &b->dst) &&
	       ip_addr_eq(&a->src.addr, &b->src.addr);
}

static size_t last_sibling(const struct survey *s, size_t path)
{
	return path_between(s, &s->paths[path].src.addr, &s->paths[path].dst.addr);
}

static int find_keepalive_move(const struct survey *s, struct findings *out)
{
	size_t i, k;
	int err = 0;

	for (i = 0; !err && i < s->n_paths; i++)
		for (k = s->paths[i].n_keepalive ? last_sibling(s, i) : FACT_NONE;
		     !err && k != FACT_NONE; k = s->paths[k].prev) {
			const struct path *new = &s->paths[i], *old = &s->paths[k], *stale;
			char a[ENDPOINT_STRLEN], b[ENDPOINT_STRLEN];
			struct finding *f;

			if (!is_sibling(new, old))
				continue;
			stale = reverse_of(s, old);
			if (!is_unauthenticated_move(new, old, stale))
				continue;
			endpoint_format(&new->src, a, sizeof(a));
			endpoint_format(&old->src, b, sizeof(b));
			f = finding_add(out, CERTAIN,
					"Keep-alives come from %s now, and ESP still goes to %s.",
					a, b);
			err = finding_show(out, f, new->first_keepalive, "keep-alive from %s", a);
			if (!err)
				err = finding_show(out, f, stale->last_esp, "ESP to %s", b);
		}
	return err;
}

/* RFC 7296 §2.23: hashes that all match. */
static bool is_without_nat(const struct survey *s, size_t ike_sa)
{
	bool any = false;
	size_t i;

	for (i = 0; i < s->f.n_natd; i++) {
		const struct natd_fact *n = &s->f.natd[i];

		if (s->f.ike[n->msg].ike_sa != ike_sa ||
		    s->f.ike[n->msg].hdr.exchange != IKE_SA_INIT)
			continue;
		any = true;
		if (!n->src_match || !n->dst_match)
			return false;
	}
	return any;
}

/* The SA of the request, or the one that it was rekeyed from. */
static size_t first_sa(const struct survey *s, size_t ike_sa)
{
	while (ike_sa != FACT_NONE && s->f.ike_sas[ike_sa].rekeyed_from != FACT_NONE)
		ike_sa = s->f.ike_sas[ike_sa].rekeyed_from;
	return ike_sa;
}

static uint64_t latest(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* When the other end was last heard before a frame. Of ESP only first and last are known: if the
 * frame is in between, it may have been just now. */
static uint64_t last_heard_before(const struct survey *s, const struct fact_frame *f)
{
	uint64_t last = 0;
	size_t i;

	for (i = 0; i < s->f.n_ike; i++) {
		const struct fact_frame *m = msg_frame(s, i);

		if (m->place == f->place && m->time_us < f->time_us &&
		    ip_addr_eq(&m->src.addr, &f->dst.addr))
			last = latest(last, m->time_us);
	}
	for (i = 0; i < s->n_esp; i++) {
		const struct esp_flow *e = &s->esp[i];

		if (e->place == f->place && ip_addr_eq(&e->src.addr, &f->dst.addr) &&
		    e->first.time_us < f->time_us)
			last = latest(last,
				      e->last.time_us < f->time_us ? e->last.time_us : f->time_us);
	}
	return last;
}

static int find_aged_firewall(const struct survey *s, struct findings *out)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->n_exchanges; i++) {
		const struct exchange *x = &s->exchanges[i];
		const struct fact_frame *frame;
		struct exchange_sum sum;
		uint64_t heard;
		char span[32], name[48];
		struct finding *f;

		if (x->by_initiator || x->first_request == FACT_NONE || !x->first)
			continue;
		sum = exchange_everywhere(s, x);
		frame = msg_frame(s, sum.at_sender->first_request);
		heard = last_heard_before(s, frame);
		if (sum.answered || sum.sent < TRIES_MIN || heard + IDLE_US > frame->time_us ||
		    !is_without_nat(s, first_sa(s, x->ike_sa)))
			continue;
		f = finding_add(out, is_lost_between(s, x) ? CERTAIN : POSSIBLE,
				"After %s of silence the responder starts %s, and its request does "
				"not get in; there is no NAT, so nobody kept the way open.",
				span_text(heard, frame->time_us, span, sizeof(span)),
				ike_exchange_name(x->type, name, sizeof(name)));
		err = finding_show(out, f, seen_msg(s, sum.at_sender->first_request),
				   "the request, sent %u times", sum.sent);
	}
	return err;
}

RULES(
    liveness,
    {.id = "F44",
     .names = "",
     .kind = RULE_FAULT,
     .rank = 18,
     .unless = "F01 F02 F03",
     .title = "The peer is gone, and nothing brings the tunnel back",
     .why = "Keep-alives keep a NAT mapping; they prove nothing and nobody answers them. Without a "
	    "liveness check (or with an action that only clears) the end goes on as if the peer, "
	    "which has lost its state, were there.",
     .remedy =
	 "dpd_delay, dpd_action = restart, close_action = start at the end that can reach the "
	 "other. A restart by hand, or the next rekeying, brings it back once.",
     .clause = "RFC 7296 §2.4, RFC 3948 §4",
     .find = find_unminded},
    {.id = "F03",
     .names = "",
     .kind = RULE_FAULT,
     .rank = 13,
     .unless = "F01 F02",
     .title = "The mapping has changed, and only keep-alives tell",
     .why =
	 "A keep-alive is not authenticated, so it may not move the peer's address. Until an IKE "
	 "or ESP packet comes from the new port, all goes to the old one.",
     .remedy = "Keep-alives more often than the mapping lives (20 s and less on mobile networks), "
	       "and a liveness check of the end behind the NAT (dpd_delay): that is authenticated.",
     .clause = "RFC 3948 §4, RFC 7296 §2.23",
     .find = find_keepalive_move},
    {.id = "F04",
     .names = "",
     .kind = RULE_FAULT,
     .rank = 17,
     .unless = "",
     .title = "A stateful firewall without NAT has forgotten the flow",
     .why = "Without NAT there are no keep-alives. The firewall's state ends in the silence, and "
	    "what the outer end starts then (a rekeying, a liveness check) is dropped.",
     .remedy =
	 "Let the inner end check liveness more often than the state lives (dpd_delay), or "
	 "force encapsulation (encap = yes), which brings keep-alives; or open the firewall for "
	 "IKE and ESP from that peer.",
     .clause = "RFC 7296 §2.4, §2.23",
     .find = find_aged_firewall});
