/* nat.c - checks of NAT traversal: the hashes, the marker and the ports, the keep-alives (RFC 7296
 * §2.23, RFC 3948).
 *
 * A hash can be judged where its sender's packets are seen as they were sent: there the destination
 * must be the one that the sender sent to. A source hash that does not match there is how an
 * endpoint enforces encapsulation, so it is told, not blamed; beetd hashes address 0.0.0.0 then,
 * others a random one. */
#include "harness/checks/internal.h"
#include "harness/checks/mobility.h"
#include "vpn/base/proto.h"
#include "vpn/wire/packet/octets.h"

#define UDP_HDR_LEN 8
/* Timers are late on a busy machine, and the NAT's are longer than this. */
#define LATE_US UINT64_C(1500000)

void check_nat_detection(const struct facts *f, const struct check_params *p,
			 struct check_result *r)
{
	size_t i, elsewhere = 0;

	(void)p;
	for (i = 0; i < f->n_natd; i++) {
		const struct natd_fact *n = &f->natd[i];
		const struct ike_msg *m = &f->ike[n->msg];

		r->examined++;
		if (n->malformed)
			check_fault(r, m->frame, "a NAT detection hash is not 20 octets long");
		if (!n->have_src || !n->have_dst)
			check_fault(r, m->frame, "NAT_DETECTION_%s_IP is missing beside the other",
				    n->have_src ? "DESTINATION" : "SOURCE");
		if (!frame_is_as_sent(&f->frames[m->frame])) {
			elsewhere++;
			continue;
		}
		if (n->have_dst && !n->dst_match)
			check_fault(r, m->frame,
				    "NAT_DETECTION_DESTINATION_IP is not the hash of the address "
				    "that it is sent to");
		if (n->have_src && !n->src_match)
			check_note(r, m->frame,
				   "NAT_DETECTION_SOURCE_IP is %s: encapsulation is "
				   "forced",
				   n->src_unspecified ? "that of 0.0.0.0[0]"
						      : "not that of its sender");
	}
	check_conclude(r, "no NAT detection notify was seen",
		       "%zu pair%s of hashes; %zu of them not as sent, so that a NAT may have "
		       "changed the addresses",
		       r->examined, plural(r->examined), elsewhere);
}

/* Either side has seen a hash in IKE_SA_INIT that does not match: both then know of a NAT. */
static bool nat_found(const struct facts *f, size_t ike_sa)
{
	size_t i;

	for (i = 0; i < f->n_natd; i++) {
		const struct natd_fact *n = &f->natd[i];

		if (f->ike[n->msg].ike_sa == ike_sa && f->ike[n->msg].hdr.exchange == IKE_SA_INIT &&
		    ((n->have_src && !n->src_match) || (n->have_dst && !n->dst_match)))
			return true;
	}
	return false;
}

static bool on_4500(const struct fact_frame *frame)
{
	return frame->src.port == IKE_NATT_PORT || frame->dst.port == IKE_NATT_PORT;
}

/* ret_floated: per SA, the first message on port 4500, or FACT_NONE. */
static void judge_port(const struct facts *f, struct check_result *r, size_t *floated,
		       const bool *nat, size_t i)
{
	const struct ike_msg *m = &f->ike[i];
	size_t sa = mobility_root(f, m->ike_sa);
	bool high = on_4500(&f->frames[m->frame]);

	r->examined++;
	if (high) {
		floated[sa] = floated[sa] == FACT_NONE ? i : floated[sa];
		return;
	}
	if (floated[sa] != FACT_NONE && m->retransmission_of == FACT_NONE) {
		check_fault(r, m->frame, "back on port 500 after port 4500");
		check_fault_frame(r, f->ike[floated[sa]].frame);
	} else if (m->hdr.exchange != IKE_SA_INIT && nat[sa]) {
		check_fault(r, m->frame, "still on port 500, though there is a NAT");
	}
}

/* A NAT on the way at that time: the last address update says so, or IKE_SA_INIT (RFC 4555 §3.5).
 * While an update is under way nobody can tell. */
static bool is_behind_nat_at(const struct address_updates *u, const bool *nat, size_t root,
			     uint64_t time_us)
{
	const struct address_update *last = mobility_last(u, root, time_us);

	if (!last)
		return nat[root];
	return last->says_nat && last->nat && time_us >= last->settled_us;
}

/* Without the marker, the SPIs of IKE look like SPI and number of ESP (RFC 3948 §2.2). */
static void judge_encapsulated(const struct facts *f, struct check_result *r,
			       const struct address_updates *u, const bool *nat,
			       const struct esp_fact *e)
{
	uint64_t spi = (uint64_t)e->spi << 32 | e->seq;
	size_t i;

	r->examined++;
	if (e->child != FACT_NONE) {
		if (!e->encap &&
		    is_behind_nat_at(u, nat, mobility_root(f, f->children[e->child].ike_sa),
				     f->frames[e->frame].time_us))
			check_fault(r, e->frame, "ESP without UDP, though there is a NAT");
		return;
	}
	for (i = 0; e->encap && i < f->n_ike_sas; i++)
		if (f->ike_sas[i].spi_i == spi)
			check_fault(r, e->frame, "IKE on port 4500 without the non-ESP marker");
}

/* A message with a marker on port 500 is no IKE message there, so it is no fact. */
static void judge_other(const struct facts *f, struct check_result *r, size_t i)
{
	const struct fact_frame *frame = &f->frames[i];
	struct ike_header hdr;
	struct reader at;
	struct view rest;

	if (frame->kind != FRAME_OTHER || !frame->packet.len || frame->ip.proto != IP_PROTO_UDP ||
	    on_4500(frame))
		return;
	at = rd_at(frame->packet.p, frame->packet.len, frame->ip.l4_off + UDP_HDR_LEN);
	if (rd_u32(&at) != 0 || !rd_ok(&at))
		return;
	rest = rd_rest(&at);
	if (ike_header_decode(rest, &hdr) == 0)
		check_fault(r, i, "non-ESP marker in front of IKE on port 500");
}

void check_port_float(const struct facts *f, const struct check_params *p, struct check_result *r)
{
	size_t *floated = arena_alloc(&r->arena, (f->n_ike_sas + 1) * sizeof(*floated));
	bool *nat = arena_alloc(&r->arena, f->n_ike_sas + 1);
	struct address_updates u = mobility_updates(f, r);
	size_t i;

	(void)p;
	if (!floated || !nat) {
		r->err = ERR_NOMEM;
		return;
	}
	for (i = 0; i < f->n_ike_sas; i++) {
		floated[i] = FACT_NONE;
		nat[i] = nat_found(f, i);
	}
	for (i = 0; i < f->n_ike; i++)
		if (f->ike[i].ike_sa != FACT_NONE)
			judge_port(f, r, floated, nat, i);
	for (i = 0; i < f->n_esp; i++)
		judge_encapsulated(f, r, &u, nat, &f->esp[i]);
	for (i = 0; i < f->n_frames; i++)
		judge_other(f, r, i);
	check_conclude(r, "neither IKE nor ESP was seen",
		       "%zu messages and packets on the ports and with the marker they must have",
		       r->examined);
}

/* One side of an IKE SA that must keep its NAT mapping alive, at one place. */
struct silence {
	uint64_t from_us; /* when it spoke last */
	size_t frame;
	bool behind_nat;
};

/* What it sends comes from another address further on. (A hash that does not match proves nothing,
 * since it may be a forced one.) */
static bool is_translated(const struct facts *f, size_t ike_sa, bool initiator)
{
	const struct endpoint *first = NULL;
	size_t i;

	for (i = 0; i < f->n_ike; i++) {
		const struct ike_msg *m = &f->ike[i];
		const struct endpoint *src = &f->frames[m->frame].src;

		if (m->ike_sa != ike_sa || m->hdr.exchange != IKE_SA_INIT ||
		    m->from_initiator != initiator)
			continue;
		if (first && !endpoint_eq(first, src))
			return true;
		first = src;
	}
	return false;
}

/* Keep-alives are sent by whoever is behind a NAT and knows it; a changed port shows the same. */
static bool is_behind_nat(const struct facts *f, const struct check_params *p,
			  const struct ike_sa_fact *sa, const struct endpoint *side, bool initiator)
{
	size_t i;

	if ((initiator ? p->initiator_behind_nat : p->responder_behind_nat) != UNSTATED)
		return (initiator ? p->initiator_behind_nat : p->responder_behind_nat) == YES;
	for (i = 0; i < f->n_keepalives; i++)
		if (ip_addr_eq(&f->frames[f->keepalives[i].frame].src.addr, &side->addr))
			return true;
	if (is_translated(f, mobility_root(f, (size_t)(sa - f->ike_sas)), initiator))
		return true;
	return initiator && sa->init_msg != FACT_NONE &&
	       !frame_is_as_sent(&f->frames[f->ike[sa->init_msg].frame]) &&
	       side->port != IKE_PORT && side->port != IKE_NATT_PORT;
}

static bool speaks(const struct fact_frame *frame, const struct endpoint *side)
{
	return (frame->kind == FRAME_IKE || frame->kind == FRAME_ESP ||
		frame->kind == FRAME_KEEPALIVE) &&
	       ip_addr_eq(&frame->src.addr, &side->addr);
}

/* An update that comes from the same address, or goes to it, tells of a new mapping only. */
static bool is_still_at(const struct facts *f, const struct address_update *u,
			const struct endpoint *side)
{
	const struct fact_frame *request = &f->frames[f->ike[u->request].frame];

	return ip_addr_eq(&request->src.addr, &side->addr) ||
	       ip_addr_eq(&request->dst.addr, &side->addr);
}

/* When the SA ended, or went elsewhere, or the capture did at this place. */
static uint64_t end_of(const struct facts *f, const struct address_updates *u,
		       const struct ike_sa_fact *sa, const struct endpoint *side, size_t place)
{
	uint64_t end = 0;
	size_t i, root = mobility_root(f, (size_t)(sa - f->ike_sas));

	for (i = 0; i < f->n_frames; i++)
		if (f->frames[i].place == place)
			end = f->frames[i].time_us;
	if (sa->delete_msg != FACT_NONE && f->frames[f->ike[sa->delete_msg].frame].time_us < end)
		end = f->frames[f->ike[sa->delete_msg].frame].time_us;
	for (i = 0; i < u->n; i++)
		if (u->v[i].root == root && u->v[i].begun_us < end &&
		    !is_still_at(f, &u->v[i], side))
			end = u->v[i].begun_us;
	return end;
}

/* Where the side's own address is seen, before a NAT box changes it: its first frame from there on.
 * FACT_NONE: nowhere. */
static size_t first_word(const struct facts *f, const struct ike_sa_fact *sa,
			 const struct endpoint *side)
{
	size_t i = sa->init_msg != FACT_NONE ? sa->init_msg : sa->established_msg;

	for (i = f->ike[i].frame; i < f->n_frames; i++)
		if (speaks(&f->frames[i], side))
			return i;
	return FACT_NONE;
}

static void judge_silence(const struct facts *f, const struct check_params *p,
			  struct check_result *r, const struct address_updates *u,
			  const struct ike_sa_fact *sa, const struct endpoint *side)
{
	uint64_t limit =
	    (p->keepalive_s ? p->keepalive_s : DEFAULT_KEEPALIVE_S) * UINT64_C(1000000);
	size_t i, start = first_word(f, sa, side), last = start, place;
	uint64_t end, gap;
	char text[IP_ADDR_STRLEN];

	if (start == FACT_NONE)
		return;
	place = f->frames[start].place;
	end = end_of(f, u, sa, side, place);
	if (end < f->frames[start].time_us + limit)
		return;
	r->examined++;
	for (i = start; i < f->n_frames && f->frames[i].time_us <= end; i++) {
		if (f->frames[i].place != place || !speaks(&f->frames[i], side))
			continue;
		gap = f->frames[i].time_us - f->frames[last].time_us;
		if (gap > limit + LATE_US) {
			check_fault(r, i, "%s was silent for %.1f s",
				    ip_addr_format(&side->addr, text, sizeof(text)), seconds(gap));
			check_fault_frame(r, last);
		}
		last = i;
	}
	gap = end > f->frames[last].time_us ? end - f->frames[last].time_us : 0;
	if (gap > limit + LATE_US)
		check_fault(r, last, "%s was silent for %.1f s, from here to the end",
			    ip_addr_format(&side->addr, text, sizeof(text)), seconds(gap));
}

void check_keepalive(const struct facts *f, const struct check_params *p, struct check_result *r)
{
	struct address_updates u = mobility_updates(f, r);
	size_t i;

	for (i = 0; i < f->n_ike_sas; i++) {
		const struct ike_sa_fact *sa = &f->ike_sas[i];

		if (sa->established_msg == FACT_NONE)
			continue;
		if (is_behind_nat(f, p, sa, &sa->addr_i, true))
			judge_silence(f, p, r, &u, sa, &sa->addr_i);
		if (is_behind_nat(f, p, sa, &sa->addr_r, false))
			judge_silence(f, p, r, &u, sa, &sa->addr_r);
	}
	check_conclude(
	    r,
	    "no peer is behind a NAT for certain (initiator_behind_nat and responder_behind_nat "
	    "say so), or no SA lived longer than the interval",
	    "%zu SA%s of peers behind a NAT, never silent for longer than %u s and %.1f s "
	    "in which timers may be late; %zu keep-alive%s",
	    r->examined, plural(r->examined), p->keepalive_s ? p->keepalive_s : DEFAULT_KEEPALIVE_S,
	    seconds(LATE_US), f->n_keepalives, plural(f->n_keepalives));
}

/* What the IKE_SA_INIT messages of one side say. */
struct nat_seen {
	bool any, behind, forced;
	bool answered; /* so the other end has seen what it says */
	size_t frame;  /* the last that says so, else the first */
};

static struct nat_seen nat_of(const struct facts *f, bool initiator)
{
	struct nat_seen seen = {.frame = FACT_NONE};
	size_t i;

	for (i = 0; i < f->n_natd; i++) {
		const struct natd_fact *n = &f->natd[i];
		const struct ike_msg *m = &f->ike[n->msg];

		seen.answered |= !m->request;
		if (m->from_initiator != initiator || !n->have_src)
			continue;
		if (!seen.any)
			seen.frame = m->frame;
		seen.any = true;
		if (n->src_match)
			continue;
		seen.forced |= n->src_unspecified || frame_is_as_sent(&f->frames[m->frame]);
		seen.behind |= !n->src_unspecified && !frame_is_as_sent(&f->frames[m->frame]);
		seen.frame = m->frame;
	}
	return seen;
}

static void expect_nat(const struct facts *f, struct check_result *r, enum tristate want,
		       bool initiator)
{
	struct nat_seen seen = nat_of(f, initiator);
	const char *who = initiator ? "initiator" : "responder";

	if (want == UNSTATED || !seen.any)
		return;
	if (want == YES && !seen.behind && !seen.answered) {
		check_note(r, seen.frame,
			   "nothing shows whether the %s is behind a NAT: IKE_SA_INIT was not "
			   "answered",
			   who);
		return;
	}
	r->examined++;
	if (want == YES && !seen.behind)
		check_fault(r, seen.frame, "the %s is not behind a NAT%s", who,
			    seen.forced ? ", only its hash says so" : "");
	else if (want == NO && seen.forced)
		check_note(r, seen.frame,
			   "the %s forces encapsulation by a hash that is wrong where it was sent: "
			   "whether it is behind a NAT cannot be told",
			   who);
	else if (want == NO && seen.behind)
		check_fault(r, seen.frame, "the %s is behind a NAT", who);
}

void check_nat_t(const struct facts *f, const struct check_params *p, struct check_result *r)
{
	size_t i, encap = 0;

	expect_nat(f, r, p->initiator_behind_nat, true);
	expect_nat(f, r, p->responder_behind_nat, false);
	for (i = 0; i < f->n_esp; i++) {
		const struct esp_fact *e = &f->esp[i];

		encap += e->encap;
		if (p->encap == UNSTATED)
			continue;
		r->examined++;
		if (e->encap != (p->encap == YES))
			check_fault(r, e->frame, "ESP %s UDP", e->encap ? "in" : "without");
	}
	if (p->encap != UNSTATED && !f->n_esp)
		check_fault(r, FACT_NONE, "no ESP packet was seen, in UDP or without");
	check_conclude(r, "nothing was expected, or neither NAT detection nor ESP was seen",
		       "as expected; %zu of %zu ESP packets in UDP", encap, f->n_esp);
}
