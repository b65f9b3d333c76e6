/* mobility.c - MOBIKE in a capture: the address updates, and the check of what RFC 4555 asks of
 * both ends.
 *
 * Where an SA was at a time follows from the updates: before the first one where IKE_SA_INIT put
 * it, after an update where its request came from and went to, each place seeing its own side of a
 * NAT. While an update is under way both are right; SETTLE_US after its last answer only the new
 * one, until the host's network changes again, which it knows a moment later. */
#include "harness/checks/mobility.h"

#include <string.h>

#include "vpn/wire/payload.h"

#define SETTLE_US 2000000
#define NOTICE_US 1000000 /* until a host knows of a change of its own network */

size_t mobility_root(const struct facts *f, size_t sa)
{
	while (sa != FACT_NONE && f->ike_sas[sa].rekeyed_from != FACT_NONE)
		sa = f->ike_sas[sa].rekeyed_from;
	return sa;
}

static bool has_notify(const struct ike_msg *m, uint16_t type)
{
	struct payload_notify n;

	return payloads_find_notify(ike_msg_payloads(m), type, &n);
}

static bool is_update(const struct ike_msg *m)
{
	return m->request && m->ike_sa != FACT_NONE && m->hdr.exchange == INFORMATIONAL &&
	       has_notify(m, N_UPDATE_SA_ADDRESSES);
}

/* A message of the same exchange, be it a request or a response. */
static bool same_exchange(const struct ike_msg *a, const struct ike_msg *b)
{
	return a->ike_sa == b->ike_sa && a->hdr.message_id == b->hdr.message_id &&
	       a->hdr.exchange == b->hdr.exchange &&
	       (a->request == b->request) == (a->from_initiator == b->from_initiator);
}

static struct address_update *find_update(const struct facts *f, const struct address_updates *u,
					  const struct ike_msg *m)
{
	size_t i;

	for (i = u->n; i-- > 0;)
		if (same_exchange(&f->ike[u->v[i].request], m))
			return &u->v[i];
	return NULL;
}

static bool is_refusal(const struct ike_msg *m)
{
	return has_notify(m, N_UNACCEPTABLE_ADDRESSES) || has_notify(m, N_UNEXPECTED_NAT_DETECTED);
}

static void add_message(const struct facts *f, struct address_updates *u, size_t i)
{
	const struct ike_msg *m = &f->ike[i];
	uint64_t at = f->frames[m->frame].time_us;
	struct address_update *found = find_update(f, u, m);

	if (!found && is_update(m)) {
		found = &u->v[u->n++];
		*found = (struct address_update){.root = mobility_root(f, m->ike_sa),
						 .request = i,
						 .answer = FACT_NONE,
						 .begun_us = at};
	}
	if (!found)
		return;
	found->settled_us = at + SETTLE_US;
	if (!m->request && found->answer == FACT_NONE && !is_refusal(m))
		found->answer = i;
}

static void add_nat(const struct facts *f, struct address_updates *u)
{
	size_t i;

	for (i = 0; i < f->n_natd; i++) {
		const struct natd_fact *n = &f->natd[i];
		const struct ike_msg *m = &f->ike[n->msg];
		struct address_update *found = find_update(f, u, m);

		if (!found || m->retransmission_of != FACT_NONE)
			continue;
		found->says_nat = true;
		found->nat |= (n->have_src && !n->src_match) || (n->have_dst && !n->dst_match);
	}
}

struct address_updates mobility_updates(const struct facts *f, struct check_result *r)
{
	struct address_updates u = {.n = 0};
	size_t i, most = 0;

	for (i = 0; i < f->n_ike; i++)
		most += is_update(&f->ike[i]);
	u.v = arena_alloc(&r->arena, (most + 1) * sizeof(*u.v));
	if (!u.v) {
		r->err = ERR_NOMEM;
		return u;
	}
	for (i = 0; most && i < f->n_ike; i++)
		if (f->ike[i].ike_sa != FACT_NONE)
			add_message(f, &u, i);
	if (u.n)
		add_nat(f, &u);
	return u;
}

const struct address_update *mobility_last(const struct address_updates *u, size_t root,
					   uint64_t time_us)
{
	size_t i;

	for (i = u->n; i-- > 0;)
		if (u->v[i].root == root && u->v[i].begun_us <= time_us)
			return &u->v[i];
	return NULL;
}

bool mobility_seen_elsewhere(const struct facts *f, const struct ike_msg *m, uint32_t id)
{
	size_t i, place = f->frames[m->frame].place;

	for (i = 0; i < f->n_ike && &f->ike[i] < m; i++) {
		const struct ike_msg *other = &f->ike[i];

		if (other->ike_sa == m->ike_sa && other->request &&
		    other->from_initiator == m->from_initiator && other->hdr.message_id == id &&
		    f->frames[other->frame].place != place)
			return true;
	}
	return false;
}

/* --- the check --- */

/* §3.2: what both ends have said in IKE_AUTH. */
struct agreed {
	bool initiator, responder;
	size_t frame;
};

static struct agreed agreed_of(const struct facts *f, size_t root)
{
	struct agreed a = {.frame = FACT_NONE};
	size_t i;

	for (i = 0; i < f->n_ike; i++) {
		const struct ike_msg *m = &f->ike[i];

		if (m->ike_sa != root || m->hdr.exchange != IKE_AUTH ||
		    !has_notify(m, N_MOBIKE_SUPPORTED))
			continue;
		*(m->request ? &a.initiator : &a.responder) = true;
		a.frame = a.frame == FACT_NONE ? m->frame : a.frame;
	}
	return a;
}

static bool detects_nats(const struct facts *f, size_t root)
{
	size_t i;

	for (i = 0; i < f->n_natd; i++)
		if (f->ike[f->natd[i].msg].ike_sa == root && !f->ike[f->natd[i].msg].request)
			return true;
	return false;
}

/* §3.3: from the first IKE_AUTH on both are on the NAT-T port, NAT or not. */
static void judge_ports(const struct facts *f, struct check_result *r, size_t root)
{
	size_t i;

	for (i = 0; i < f->n_ike; i++) {
		const struct ike_msg *m = &f->ike[i];

		if (m->ike_sa == root && m->hdr.exchange == IKE_AUTH && !m->marker)
			check_fault(r, m->frame,
				    "IKE_AUTH on port 500, though both ends support MOBIKE and NAT "
				    "traversal (§3.3)");
	}
}

static void judge_agreement(const struct facts *f, struct check_result *r,
			    const struct address_updates *u, size_t root)
{
	struct agreed a = agreed_of(f, root);
	const struct address_update *first = NULL;
	size_t i;

	for (i = 0; i < u->n && !first; i++)
		first = u->v[i].root == root ? &u->v[i] : NULL;
	if (a.initiator && a.responder) {
		r->examined++;
		if (detects_nats(f, root))
			judge_ports(f, r, root);
	} else if (first && f->ike_sas[root].init_msg != FACT_NONE) {
		check_fault(r, f->ike[first->request].frame,
			    "UPDATE_SA_ADDRESSES, though %s did not say MOBIKE_SUPPORTED (§3.2)",
			    a.initiator ? "the responder" : "the initiator");
	}
}

/* §3.5: in an SA that was not rekeyed the initiator is the original one. */
static void judge_update(const struct facts *f, struct check_result *r,
			 const struct address_update *u)
{
	const struct ike_msg *m = &f->ike[u->request];
	struct payload_notify n;

	r->examined++;
	if (m->ike_sa == u->root && !m->from_initiator)
		check_fault(r, m->frame, "UPDATE_SA_ADDRESSES from the responder (§3.5)");
	if (payloads_find_notify(ike_msg_payloads(m), N_UPDATE_SA_ADDRESSES, &n) && n.data.len)
		check_fault(r, m->frame, "UPDATE_SA_ADDRESSES with data (§4.2.4)");
	if (u->answer == FACT_NONE)
		check_note(r, m->frame, "this update was not accepted, or not answered");
}

/* §3.7, §3.8: what a response must have since its request has it. */
static void judge_response(const struct facts *f, struct check_result *r, const struct ike_msg *m)
{
	const struct ike_msg *rq = &f->ike[m->request_of];
	struct payload_notify want, got;

	if (payloads_find_notify(ike_msg_payloads(rq), N_COOKIE2, &want)) {
		r->examined++;
		if (want.data.len < 8 || want.data.len > 64)
			check_fault(r, rq->frame, "a COOKIE2 of %zu octets (§4.2.5)",
				    want.data.len);
		if (is_refusal(m))
			return;
		if (!payloads_find_notify(ike_msg_payloads(m), N_COOKIE2, &got) ||
		    got.data.len != want.data.len ||
		    memcmp(got.data.p, want.data.p, got.data.len) != 0)
			check_fault(r, m->frame, "the request's COOKIE2 is not returned (§3.7)");
	}
	if (has_notify(rq, N_NAT_DETECTION_SOURCE_IP) && !is_refusal(m) &&
	    !has_notify(m, N_NAT_DETECTION_SOURCE_IP))
		check_fault(r, m->frame,
			    "NAT detection in the request, and not in the response "
			    "(§3.8)");
}

/* RFC 7296 §2.11: back to where a request of that number came from. */
static void judge_way_back(const struct facts *f, struct check_result *r, const struct ike_msg *m)
{
	const struct fact_frame *frame = &f->frames[m->frame];
	size_t i;

	for (i = 0; i < f->n_ike; i++) {
		const struct ike_msg *rq = &f->ike[i];
		const struct fact_frame *asked = &f->frames[rq->frame];

		if (rq->request && same_exchange(rq, m) && asked->place == frame->place &&
		    endpoint_eq(&asked->src, &frame->dst) && endpoint_eq(&asked->dst, &frame->src))
			return;
	}
	check_fault(r, m->frame,
		    "the response does not go to where its request came from (RFC 7296 §2.11)");
}

static void judge_informational(const struct facts *f, struct check_result *r)
{
	size_t i;

	for (i = 0; i < f->n_ike; i++) {
		const struct ike_msg *m = &f->ike[i];

		if (m->request || m->hdr.exchange != INFORMATIONAL || m->ike_sa == FACT_NONE ||
		    m->request_of == FACT_NONE || !m->inner)
			continue;
		judge_response(f, r, m);
		judge_way_back(f, r, m);
	}
}

/* The request of this update as that place saw it; NULL: not at all. */
static const struct fact_frame *seen_at(const struct facts *f, const struct address_update *u,
					size_t place)
{
	const struct fact_frame *found = NULL;
	size_t i;

	for (i = u->request; i < f->n_ike; i++) {
		const struct ike_msg *m = &f->ike[i];

		if (m->request && same_exchange(m, &f->ike[u->request]) &&
		    f->frames[m->frame].place == place)
			found = &f->frames[m->frame];
	}
	return found;
}

static bool on_path(const struct fact_frame *esp, const struct fact_frame *rq)
{
	return (ip_addr_eq(&esp->src.addr, &rq->src.addr) &&
		ip_addr_eq(&esp->dst.addr, &rq->dst.addr)) ||
	       (ip_addr_eq(&esp->src.addr, &rq->dst.addr) &&
		ip_addr_eq(&esp->dst.addr, &rq->src.addr));
}

/* The host's network had changed already, and it did not know yet. */
static bool is_about_to_move(const struct address_updates *u, const struct address_update *last,
			     uint64_t time_us)
{
	const struct address_update *next = last + 1;

	for (; next < u->v + u->n; next++)
		if (next->root == last->root)
			return next->begun_us < time_us + NOTICE_US;
	return false;
}

/* §3.5: after an update both ends send ESP on its path, and nowhere else. */
static void judge_esp(const struct facts *f, struct check_result *r,
		      const struct address_updates *u, const struct esp_fact *e)
{
	const struct fact_frame *frame = &f->frames[e->frame], *rq;
	const struct address_update *last;

	if (e->child == FACT_NONE)
		return;
	last = mobility_last(u, mobility_root(f, f->children[e->child].ike_sa), frame->time_us);
	if (!last || last->answer == FACT_NONE || frame->time_us < last->settled_us ||
	    is_about_to_move(u, last, frame->time_us))
		return;
	r->examined++;
	rq = seen_at(f, last, frame->place);
	if (rq && on_path(frame, rq))
		return;
	check_fault(r, e->frame, "ESP on another path than that of the last address update (§3.5)");
	check_fault_frame(r, f->ike[last->request].frame);
}

void check_mobike(const struct facts *f, const struct check_params *p, struct check_result *r)
{
	struct address_updates u = mobility_updates(f, r);
	size_t i;

	(void)p;
	for (i = 0; i < f->n_ike_sas; i++)
		if (mobility_root(f, i) == i)
			judge_agreement(f, r, &u, i);
	for (i = 0; i < u.n; i++)
		judge_update(f, r, &u.v[i]);
	judge_informational(f, r);
	for (i = 0; i < f->n_esp; i++)
		judge_esp(f, r, &u, &f->esp[i]);
	check_conclude(r, "no two ends agreed on MOBIKE",
		       "%zu address update%s; COOKIE2 returned, answers to where the requests came "
		       "from, ESP on the path of the last update",
		       u.n, plural(u.n));
}
