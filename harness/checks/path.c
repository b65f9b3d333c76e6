/* path.c - checks of sizes: TCP segments and packets against the real path (RFC 4301 §8.2, RFC 9293
 * §3.7.1, RFC 1191). */
#include "harness/checks/internal.h"
#include "vpn/base/proto.h"
#include "vpn/crypto/cipher.h"
#include "vpn/wire/packet/esp_hdr.h"
#include "vpn/wire/packet/mss.h"

#define UDP_HDR_LEN 8
#define ESP_ALIGN   4 /* RFC 4303 §2.4 */

static size_t ip_hdr_len(uint8_t version)
{
	return version == 6 ? IPV6_HDR_LEN : IPV4_HDR_LEN;
}

/* The largest inner packet whose ESP packet fits, made as this one was; 0 if that cannot be told.
 */
static size_t inner_mtu(const struct facts *f, const struct esp_fact *e, size_t outer_mtu)
{
	const struct fact_frame *frame = &f->frames[e->frame];
	struct cipher_info info;
	size_t fixed, align, room;

	if (!e->have_alg || !e->inner.len ||
	    cipher_describe(e->alg.encr, e->alg.encr_bits, e->alg.integ, &info))
		return 0;
	fixed = ip_hdr_len(frame->ip.version) + (e->encap ? UDP_HDR_LEN : 0) + ESP_HDR_LEN +
		info.iv_len + info.icv_len;
	align = info.block > ESP_ALIGN ? info.block : ESP_ALIGN;
	if (outer_mtu < fixed + align)
		return 0;
	room = (outer_mtu - fixed) / align * align - ESP_TRAILER_LEN;
	return e->wire_mode == IPSEC_TUNNEL ? room : room + e->in.hdr_len;
}

static bool is_same_connection(const struct tcp_flow *a, const struct tcp_flow *b)
{
	return endpoint_eq(&a->a, &b->a) && endpoint_eq(&a->b, &b->b);
}

/* On its way an MSS only becomes smaller: what arrives is the least that any place has seen. A
 * gateway that clamps behind the tunnel is given credit where the wire behind it was captured. */
static uint16_t arriving_mss(const struct facts *f, const struct tcp_flow *flow, int dir)
{
	uint16_t least = flow->side[dir].mss;
	size_t i;

	for (i = 0; i < f->n_tcp; i++)
		if (f->tcp[i].side[dir].have_mss && f->tcp[i].side[dir].mss < least &&
		    is_same_connection(&f->tcp[i], flow))
			least = f->tcp[i].side[dir].mss;
	return least;
}

static void judge_side(const struct facts *f, struct check_result *r, const struct tcp_flow *flow,
		       int dir, size_t limit)
{
	const char *name = dir ? "SYN/ACK" : "SYN";
	uint16_t mss = arriving_mss(f, flow, dir);
	char text[ENDPOINT_STRLEN];
	size_t i;

	endpoint_format(dir ? &flow->b : &flow->a, text, sizeof(text));
	if (mss <= limit)
		return;
	check_fault(r, flow->side[dir].syn_frame,
		    "%s of %s announces segments of %u octets; %zu fit the path", name, text, mss,
		    limit);
	for (i = 0; i < f->n_tcp; i++)
		if (&f->tcp[i] != flow && f->tcp[i].side[dir].have_mss &&
		    is_same_connection(&f->tcp[i], flow))
			check_fault_frame(r, f->tcp[i].side[dir].syn_frame);
}

/* Each wire that a connection crossed has seen it; the first one stands for it. */
static bool is_first_sight(const struct facts *f, size_t flow)
{
	size_t i;

	for (i = 0; i < flow; i++)
		if (f->tcp[i].inside && f->tcp[i].side[0].have_mss && f->tcp[i].side[1].have_mss &&
		    is_same_connection(&f->tcp[i], &f->tcp[flow]))
			return false;
	return true;
}

/* What has not been tried is not proven: a full segment each way. */
static void note_untried(struct check_result *r, const struct tcp_flow *flow)
{
	int dir;

	for (dir = 0; dir < 2; dir++) {
		const struct tcp_side *side = &flow->side[dir];
		uint16_t mss = flow->side[!dir].mss;

		/* TCP options (timestamps: 12 octets) come out of the segment. */
		if (side->max_segment + 20u < mss)
			check_note(r,
				   side->max_frame != FACT_NONE ? side->max_frame : side->syn_frame,
				   "no full segment %s was seen: the largest has %u octets, %u "
				   "were announced",
				   dir ? "back" : "forth", side->max_segment, mss);
	}
}

void check_mss(const struct facts *f, const struct check_params *p, struct check_result *r)
{
	unsigned mtu = path_mtu(f, p);
	size_t i, limit, inner;

	for (i = 0; i < f->n_tcp; i++) {
		const struct tcp_flow *flow = &f->tcp[i];
		const struct fact_frame *frame = &f->frames[flow->first_frame];

		if (!flow->inside || frame->kind != FRAME_ESP || !flow->side[0].have_mss ||
		    !flow->side[1].have_mss || !is_first_sight(f, i))
			continue;
		inner = inner_mtu(f, &f->esp[frame->index], mtu);
		limit = mss_for_mtu(inner, f->esp[frame->index].in.version);
		if (!inner)
			continue;
		r->examined++;
		judge_side(f, r, flow, 0, limit);
		judge_side(f, r, flow, 1, limit);
		note_untried(r, flow);
	}
	check_conclude(r, "no TCP connection with SYN and SYN/ACK was seen inside ESP",
		       "%zu TCP connection%s, segments that fit a path of %u octets both ways",
		       r->examined, plural(r->examined), mtu);
}

/* After a router has said what fits, nothing larger may be sent to where the refused packet went
 * (RFC 1191 §3: the next packets are smaller). What was under way already is forgiven. */
static void judge_after(const struct facts *f, struct check_result *r,
			const struct icmp_error_fact *e)
{
	const uint64_t under_way_us = 1000000;
	const struct fact_frame *told = &f->frames[e->frame];
	size_t i;

	for (i = e->frame + 1; i < f->n_frames; i++) {
		const struct fact_frame *frame = &f->frames[i];

		if (frame->place != told->place || frame->kind != FRAME_ESP ||
		    frame->ip_len <= e->mtu || frame->time_us < told->time_us + under_way_us ||
		    !ip_addr_eq(&frame->dst.addr, &e->about.dst))
			continue;
		check_fault(r, i, "%u octets, %.1f s after a router said that %u fit",
			    frame->ip_len, seconds(frame->time_us - told->time_us), e->mtu);
		check_fault_frame(r, e->frame);
		return;
	}
}

static bool is_too_big(const struct facts *f, const struct check_params *p,
		       const struct icmp_error_fact *e)
{
	return e->mtu && e->esp == FACT_NONE && place_is_outer(f, p, f->frames[e->frame].place) &&
	       (e->about.proto == IP_PROTO_ESP || e->about.proto == IP_PROTO_UDP);
}

static void judge_sizes(const struct facts *f, const struct check_params *p, struct check_result *r)
{
	unsigned mtu = path_mtu(f, p);
	size_t i;

	for (i = 0; i < f->n_frames; i++) {
		const struct fact_frame *frame = &f->frames[i];

		if (frame->kind != FRAME_ESP)
			continue;
		r->examined++;
		if (frame->n_fragments)
			check_fault(r, i, "ESP in %zu IP fragments", frame->n_fragments);
		/* Larger ones may be tried where routers tell of it. */
		else if (p->path_mtu && p->icmp != YES && frame->ip_len > mtu)
			check_fault(r, i, "ESP packet of %u octets on a path of %u", frame->ip_len,
				    mtu);
	}
}

void check_pmtu(const struct facts *f, const struct check_params *p, struct check_result *r)
{
	size_t i, told = 0, first = FACT_NONE;

	judge_sizes(f, p, r);
	for (i = 0; i < f->n_icmp_errors; i++) {
		const struct icmp_error_fact *e = &f->icmp_errors[i];

		if (!is_too_big(f, p, e))
			continue;
		told++;
		first = first == FACT_NONE ? e->frame : first;
		judge_after(f, r, e);
	}
	if (p->icmp == YES && !told && r->examined)
		check_fault(r, FACT_NONE, "no router said on an outer wire that ESP does not fit");
	if (p->icmp == NO && told)
		check_fault(r, first, "%zu message%s of routers that ESP does not fit", told,
			    plural(told));
	check_conclude(r, "no ESP packet was seen",
		       "%zu ESP packet%s, none fragmented; routers said %zu time%s what fits",
		       r->examined, plural(r->examined), told, plural(told));
}
