/* tcp.c - the last pass: TCP connections, inside ESP and in the clear, one at each place (RFC 9293
 * §3.4, §3.7.1).
 *
 * Sequence numbers are counted from the first one seen, in 64 bits. Of each direction the octets
 * seen are kept as few intervals: a segment that lies whole in one is a retransmission, and two
 * intervals at the end are a gap. */
#include <stdlib.h>
#include <string.h>

#include "harness/dissect/internal.h"
#include "vpn/base/proto.h"
#include "vpn/wire/packet/mss.h"
#include "vpn/wire/packet/octets.h"

#define INTERVALS_MAX 256 /* more holes than any sender leaves open */

enum tcp_flag { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };
enum tcp_option { TCP_OPT_END, TCP_OPT_NOP, TCP_OPT_MSS };

struct interval {
	int64_t from, to;
};

/* Beside each tcp_side. */
struct stream {
	bool started, syn;
	uint32_t last_raw;
	int64_t last; /* of the same number as last_raw, from the first one seen */
	int64_t begin, fin;
	size_t n;
	struct interval v[INTERVALS_MAX];
};

struct tcp_state {
	struct facts *f;
	struct map flows;
	struct stream (*streams)[2];
	size_t n_streams;
};

struct segment {
	size_t frame;
	bool inside;
	size_t child;
	struct endpoint src, dst;
	uint32_t seq;
	uint8_t flags;
	struct view options;
	size_t len;
};

static bool read_segment(struct view packet, const struct ip_info *info, struct segment *s)
{
	struct reader r = rd_at(packet.p, info->total_len, info->l4_off);
	size_t hdr_len;

	s->src = (struct endpoint){info->sel.src, rd_u16(&r)};
	s->dst = (struct endpoint){info->sel.dst, rd_u16(&r)};
	s->seq = rd_u32(&r);
	rd_u32(&r);
	hdr_len = (size_t)(rd_u8(&r) >> 4) * 4;
	s->flags = rd_u8(&r);
	rd_bytes(&r, 6);
	if (!rd_ok(&r) || hdr_len < TCP_HDR_LEN)
		return false;
	s->options = rd_view(&r, hdr_len - TCP_HDR_LEN);
	s->len = rd_left(&r);
	return rd_ok(&r);
}

static bool read_mss(struct view options, uint16_t *ret_mss)
{
	struct reader r = rd_init(options.p, options.len);
	uint8_t kind, len;

	while (rd_left(&r)) {
		kind = rd_u8(&r);
		if (kind == TCP_OPT_END)
			return false;
		if (kind == TCP_OPT_NOP)
			continue;
		len = rd_u8(&r);
		if (kind == TCP_OPT_MSS && len == 4) {
			*ret_mss = rd_u16(&r);
			return rd_ok(&r);
		}
		if (len < 2 || !rd_bytes(&r, len - 2u))
			return false;
	}
	return false;
}

static int64_t position(struct stream *st, uint32_t seq)
{
	if (!st->started) {
		st->started = true;
		st->last_raw = seq;
		st->last = 0;
	}
	st->last += (int32_t)(seq - st->last_raw);
	st->last_raw = seq;
	return st->last;
}

/* Joins [from, to) to what is there; true if it was there already. */
static bool add_interval(struct stream *st, int64_t from, int64_t to)
{
	size_t i, kept = 0;

	for (i = 0; i < st->n; i++)
		if (st->v[i].from <= from && to <= st->v[i].to)
			return true;
	for (i = 0; i < st->n; i++) {
		if (st->v[i].to < from || st->v[i].from > to) {
			st->v[kept++] = st->v[i];
			continue;
		}
		from = st->v[i].from < from ? st->v[i].from : from;
		to = st->v[i].to > to ? st->v[i].to : to;
	}
	st->n = kept;
	if (st->n < INTERVALS_MAX)
		st->v[st->n++] = (struct interval){from, to};
	return false;
}

static uint64_t flow_hash(size_t place, bool inside, const struct endpoint *src,
			  const struct endpoint *dst)
{
	uint64_t h = hash_number(HASH_START, place * 2 + inside);

	h = hash_octets(h, src->addr.b, sizeof(src->addr.b));
	h = hash_number(h, src->port);
	h = hash_octets(h, dst->addr.b, sizeof(dst->addr.b));
	return hash_number(h, dst->port);
}

static int add_flow(struct tcp_state *t, const struct segment *s, size_t place, size_t *ret_flow)
{
	struct facts *f = t->f;
	struct tcp_flow *flow = ARRAY_ADD(f->tcp, f->n_tcp);

	if (!flow || !ARRAY_ADD(t->streams, t->n_streams))
		return ERR_NOMEM;
	flow->place = place;
	flow->inside = s->inside;
	flow->child = s->child;
	flow->a = s->src;
	flow->b = s->dst;
	flow->first_frame = s->frame;
	flow->side[0].syn_frame = flow->side[1].syn_frame = FACT_NONE;
	flow->side[0].max_frame = flow->side[1].max_frame = FACT_NONE;
	*ret_flow = f->n_tcp - 1;
	return map_put(&t->flows, flow_hash(place, s->inside, &s->src, &s->dst), *ret_flow);
}

/* ret_side: 0 if the segment goes from a to b. A new SYN with other numbers begins a new flow. */
static int find_flow(struct tcp_state *t, const struct segment *s, size_t *ret_flow, int *ret_side)
{
	size_t place = t->f->frames[s->frame].place;
	size_t forth = map_get(&t->flows, flow_hash(place, s->inside, &s->src, &s->dst));
	size_t back = map_get(&t->flows, flow_hash(place, s->inside, &s->dst, &s->src));
	bool opens = (s->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;

	*ret_side = 0;
	if (forth != SIZE_MAX && opens && t->streams[forth][0].syn &&
	    t->streams[forth][0].last_raw != s->seq &&
	    (t->f->tcp[forth].reset || t->f->tcp[forth].side[0].fin))
		forth = back = SIZE_MAX;
	if (forth != SIZE_MAX) {
		*ret_flow = forth;
		return 0;
	}
	if (back != SIZE_MAX) {
		*ret_flow = back;
		*ret_side = 1;
		return 0;
	}
	return add_flow(t, s, place, ret_flow);
}

static void take_syn(struct tcp_side *side, struct stream *st, const struct segment *s, int64_t at)
{
	if (st->syn)
		side->retransmissions++;
	else
		side->syn_frame = s->frame;
	st->syn = true;
	st->begin = at + 1;
	side->have_mss = read_mss(s->options, &side->mss);
}

static int on_segment(struct tcp_state *t, const struct segment *s)
{
	struct tcp_side *side;
	struct tcp_flow *flow;
	struct stream *st;
	int64_t at;
	size_t i;
	int dir, err = find_flow(t, s, &i, &dir);

	if (err)
		return err;
	flow = &t->f->tcp[i];
	side = &flow->side[dir];
	st = &t->streams[i][dir];
	flow->last_frame = s->frame;
	side->segments++;
	flow->reset |= (s->flags & TCP_RST) != 0;
	at = position(st, s->seq);
	if (s->flags & TCP_SYN)
		take_syn(side, st, s, at);
	if (s->len && !(s->flags & TCP_SYN)) {
		side->retransmissions += add_interval(st, at, at + (int64_t)s->len);
		if (s->len > side->max_segment) {
			side->max_segment = (uint16_t)s->len;
			side->max_frame = s->frame;
		}
	}
	if (s->flags & TCP_FIN) {
		side->fin = true;
		st->fin = at + (int64_t)s->len;
	}
	return 0;
}

static void finish_side(struct tcp_side *side, const struct stream *st)
{
	int64_t begin = st->begin, end = begin;
	size_t i;

	/* Without the SYN the stream begins with the first octet that was seen. */
	for (i = 0; !st->syn && i < st->n; i++)
		if (i == 0 || st->v[i].from < begin)
			begin = end = st->v[i].from;
	for (i = 0; i < st->n; i++)
		if (st->v[i].from <= begin && st->v[i].to > end)
			end = st->v[i].to;
	side->octets = (uint64_t)(end - begin);
	side->gap =
	    st->n > 1 || (st->n == 1 && st->v[0].from > begin) || (side->fin && st->fin != end);
}

static int add_packet(struct tcp_state *t, struct view packet, const struct ip_info *info,
		      struct segment *s)
{
	if (info->proto != IP_PROTO_TCP || info->later_fragment || !read_segment(packet, info, s))
		return 0;
	return on_segment(t, s);
}

static int add_frame(struct tcp_state *t, size_t i)
{
	const struct facts *f = t->f;
	const struct fact_frame *frame = &f->frames[i];
	struct segment s = {.frame = i, .child = FACT_NONE};

	if (frame->kind == FRAME_CLEAR)
		return add_packet(t, frame->packet, &frame->ip, &s);
	if (frame->kind != FRAME_ESP || !f->esp[frame->index].inner.len)
		return 0;
	s.inside = true;
	s.child = f->esp[frame->index].child;
	return add_packet(t, f->esp[frame->index].inner, &f->esp[frame->index].in, &s);
}

int tcp_pass(struct dissector *d)
{
	struct tcp_state t = {.f = d->f};
	size_t i;
	int err = 0;

	for (i = 0; !err && i < d->f->n_frames; i++)
		err = add_frame(&t, i);
	for (i = 0; i < t.n_streams; i++) {
		finish_side(&d->f->tcp[i].side[0], &t.streams[i][0]);
		finish_side(&d->f->tcp[i].side[1], &t.streams[i][1]);
	}
	free(t.streams);
	map_free(&t.flows);
	return err;
}
