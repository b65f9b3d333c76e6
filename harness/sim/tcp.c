/* tcp.c - sliding window, slow start, fast retransmission with partial acknowledgments, time-out
 * with backoff, MSS, path MTU. No window scaling, no SACK, no delayed acknowledgments.
 *
 *	client: una ... nxt ... end		sent and unacknowledged, still to be sent
 *	server: next, and the ranges beyond it that have come out of order
 *
 * Offsets are of the stream's octets, 64 bits; on the wire octet n has the number ISN + 1 + n. */
#include "harness/sim/tcp.h"
#include "harness/sim/packet_make.h"
#include "harness/sim/probe.h"
#include "netns/link_params.h"
#include "vpn/base/proto.h"
#include "vpn/base/reader.h"
#include "vpn/base/writer.h"
#include "vpn/wire/packet/octets.h"
#include <stdlib.h>
#include <string.h>

#define MTU	   1500
#define MSS_MIN	   536
#define WINDOW	   65535
#define RTO_FIRST  LINK_S /* RFC 6298 §2.1 */
#define RTO_MIN	   (200 * LINK_MS)
#define RTO_MAX	   (16 * LINK_S)
#define SYNS_MAX   12
#define DUPLICATES 3
#define RANGES_MAX 64
#define CLIENT_ISN UINT32_C(0x1000)
#define SERVER_ISN UINT32_C(0x9000)
#define OPTION_END 0
#define OPTION_NOP 1
#define OPTION_MSS 2
#define FIELDS_LEN 20

enum { SYN = 0x02, PSH = 0x08, ACK = 0x10 };

struct range {
	uint64_t from, to;
};

struct tcp {
	struct tcp_spec spec;
	int64_t began;

	/* client */
	bool open;
	unsigned syns;
	uint64_t una, nxt, end, highest;
	uint64_t recover; /* RFC 6582: in fast recovery until this is acknowledged; 0: not */
	unsigned duplicates;
	size_t mss, cwnd, ssthresh;
	int64_t rto, rto_at, srtt;
	uint64_t timed; /* the octet whose round trip is measured; 0: none */
	int64_t timed_at;

	/* server */
	bool accepted;
	uint64_t next;
	struct range beyond[RANGES_MAX]; /* sorted, apart from each other */
	size_t beyond_count;
	int64_t progress, pause;
	bool damaged;
};

static size_t headers(const struct tcp *tcp)
{
	return (tcp->spec.client.addr.family == 6 ? IPV6_HDR_LEN : IPV4_HDR_LEN) + FIELDS_LEN;
}

/* --- segments --- */

static size_t put_mss(const struct tcp *tcp, uint8_t options[4])
{
	struct writer w = wr_init(options, 4);

	wr_u8(&w, OPTION_MSS);
	wr_u8(&w, 4);
	wr_u16(&w, (uint16_t)(MTU - headers(tcp)));
	return w.len;
}

/* len octets of the stream from `from` on. */
static void send_segment(struct tcp *tcp, bool by_client, uint8_t flags, uint64_t from, size_t len,
			 int64_t now)
{
	const struct endpoint *src = by_client ? &tcp->spec.client : &tcp->spec.server;
	const struct endpoint *dst = by_client ? &tcp->spec.server : &tcp->spec.client;
	uint8_t buf[SIM_PACKET_MAX], options[4], body[MTU];
	uint32_t isn = by_client ? CLIENT_ISN : SERVER_ISN;
	struct tcp_fields fields = {.flags = flags, .window = WINDOW};
	size_t i;

	fields.seq = flags & SYN ? isn : isn + 1 + (uint32_t)from;
	if (flags & ACK)
		fields.ack = by_client ? SERVER_ISN + 1 : CLIENT_ISN + 1 + (uint32_t)tcp->next;
	if (flags & SYN)
		fields.options = (struct view){options, put_mss(tcp, options)};
	for (i = 0; i < len; i++)
		body[i] = probe_octet(from + i);
	len = packet_tcp(buf, src, dst, &fields, (struct view){body, len});
	if (len)
		tcp->spec.send(tcp->spec.arg, by_client, buf, len, now);
}

struct segment {
	uint32_t seq, ack;
	uint8_t flags;
	size_t mss; /* 0: not said */
	struct view data;
};

static size_t read_mss(struct view options)
{
	struct reader r = rd_init(options.p, options.len);

	while (rd_left(&r)) {
		uint8_t kind = rd_u8(&r), len;

		if (kind == OPTION_END)
			break;
		if (kind == OPTION_NOP)
			continue;
		len = rd_u8(&r);
		if (kind == OPTION_MSS && len == 4)
			return rd_u16(&r);
		rd_bytes(&r, len > 2 ? len - 2u : 0);
	}
	return 0;
}

static bool read_segment(const uint8_t *data, const struct ip_info *ip, struct segment *ret_s)
{
	struct reader r = rd_at(data, ip->total_len, ip->l4_off + 4);
	struct segment s = {.seq = rd_u32(&r), .ack = rd_u32(&r)};
	size_t len = (size_t)(rd_u8(&r) >> 4) * 4;
	struct view options;

	s.flags = rd_u8(&r);
	rd_bytes(&r, 6); /* window, checksum, urgent pointer */
	if (!rd_ok(&r) || len < FIELDS_LEN)
		return false;
	options = (struct view){rd_bytes(&r, len - FIELDS_LEN), len - FIELDS_LEN};
	s.data = rd_rest(&r);
	if (!rd_ok(&r))
		return false;
	s.mss = read_mss(options);
	*ret_s = s;
	return true;
}

/* --- the client --- */

static uint64_t allowed(const struct tcp *tcp, int64_t now)
{
	uint64_t most = tcp->end;

	if (tcp->spec.rate) {
		double sent = (double)tcp->spec.rate * (double)(now - tcp->began) / (double)LINK_S;

		if (sent < (double)most)
			most = (uint64_t)sent;
	}
	return most;
}

static size_t room(const struct tcp *tcp)
{
	size_t window = tcp->cwnd < WINDOW ? tcp->cwnd : WINDOW;
	uint64_t out = tcp->nxt - tcp->una;

	return out < window ? window - (size_t)out : 0;
}

static void arm(struct tcp *tcp, int64_t now)
{
	bool waits = !tcp->open || tcp->nxt > tcp->una;

	tcp->rto_at = waits ? now + tcp->rto : LINK_NEVER;
}

static void send_data(struct tcp *tcp, uint64_t from, size_t len, int64_t now)
{
	bool again = from < tcp->highest;

	send_segment(tcp, true, ACK | PSH, from, len, now);
	if (from + len > tcp->highest)
		tcp->highest = from + len;
	/* RFC 6298 §3: no sample of what was sent twice. */
	if (again)
		tcp->timed = 0;
	else if (!tcp->timed) {
		tcp->timed = from + len;
		tcp->timed_at = now;
	}
}

/* A full segment, or the last of what there is: not crumbs because the rate allows no more yet. */
static size_t next_len(const struct tcp *tcp, int64_t now)
{
	uint64_t most = allowed(tcp, now), left;
	size_t len = room(tcp);

	if (most <= tcp->nxt)
		return 0;
	left = most - tcp->nxt;
	if (left < tcp->mss && most < tcp->end)
		return 0;
	len = len < left ? len : (size_t)left;
	return len < tcp->mss ? (len == left ? len : 0) : tcp->mss;
}

static void send_more(struct tcp *tcp, int64_t now)
{
	size_t len;

	while (tcp->open && (len = next_len(tcp, now)) > 0) {
		send_data(tcp, tcp->nxt, len, now);
		tcp->nxt += len;
		if (tcp->rto_at == LINK_NEVER)
			arm(tcp, now);
	}
}

static void send_first_again(struct tcp *tcp, int64_t now)
{
	uint64_t len = tcp->nxt - tcp->una;

	if (len)
		send_data(tcp, tcp->una, len < tcp->mss ? (size_t)len : tcp->mss, now);
}

static size_t half_of_flight(const struct tcp *tcp)
{
	size_t half = (size_t)(tcp->nxt - tcp->una) / 2;

	return half > 2 * tcp->mss ? half : 2 * tcp->mss;
}

static void measure(struct tcp *tcp, int64_t now)
{
	int64_t sample = now - tcp->timed_at;

	tcp->srtt = tcp->srtt ? tcp->srtt + (sample - tcp->srtt) / 8 : sample;
	tcp->timed = 0;
}

/* Progress ends the backoff, as Linux has it, even without a new sample. */
static void reset_timeout(struct tcp *tcp)
{
	tcp->rto = tcp->srtt ? 2 * tcp->srtt + RTO_MIN : RTO_FIRST;
	if (tcp->rto > RTO_MAX)
		tcp->rto = RTO_MAX;
}

static void acknowledged(struct tcp *tcp, uint64_t upto, int64_t now)
{
	size_t fresh = (size_t)(upto - tcp->una);

	if (tcp->timed && upto >= tcp->timed)
		measure(tcp, now);
	reset_timeout(tcp);
	tcp->una = upto;
	if (tcp->nxt < upto)
		tcp->nxt = upto;
	tcp->duplicates = 0;
	if (tcp->recover && upto < tcp->recover)
		send_first_again(tcp, now); /* RFC 6582 §3.2: a partial acknowledgment */
	else if (tcp->recover) {
		tcp->recover = 0;
		tcp->cwnd = tcp->ssthresh;
	} else if (tcp->cwnd < tcp->ssthresh)
		tcp->cwnd += fresh < tcp->mss ? fresh : tcp->mss;
	else
		tcp->cwnd += tcp->mss * tcp->mss / tcp->cwnd + 1;
	arm(tcp, now);
}

static void duplicate(struct tcp *tcp, int64_t now)
{
	if (tcp->nxt == tcp->una || tcp->recover || ++tcp->duplicates < DUPLICATES)
		return;
	tcp->ssthresh = tcp->cwnd = half_of_flight(tcp);
	tcp->recover = tcp->nxt;
	send_first_again(tcp, now);
	arm(tcp, now);
}

static void opened(struct tcp *tcp, const struct segment *s, int64_t now)
{
	size_t mss = s->mss ? s->mss : MSS_MIN;

	tcp->open = true;
	tcp->mss = mss < tcp->mss ? mss : tcp->mss;
	tcp->cwnd = 10 * tcp->mss; /* RFC 6928 */
	tcp->rto = RTO_FIRST;
	arm(tcp, now);
	send_segment(tcp, true, ACK, 0, 0, now);
}

static void client_takes(struct tcp *tcp, const struct segment *s, int64_t now)
{
	/* The whole offset, from the 32 bits that are near it. */
	uint64_t upto = tcp->una + (uint32_t)(s->ack - (CLIENT_ISN + 1) - (uint32_t)tcp->una);

	if (!tcp->open && (s->flags & (SYN | ACK)) == (SYN | ACK))
		opened(tcp, s, now);
	else if (tcp->open && s->flags & SYN)
		send_segment(tcp, true, ACK, tcp->nxt, 0, now);
	else if (tcp->open && upto > tcp->una && upto <= tcp->highest)
		acknowledged(tcp, upto, now);
	else if (tcp->open && upto == tcp->una)
		duplicate(tcp, now);
	send_more(tcp, now);
}

/* --- the server --- */

static void insert(struct tcp *tcp, struct range r)
{
	size_t i, k = 0;

	for (i = 0; i < tcp->beyond_count; i++) {
		struct range *old = &tcp->beyond[i];

		if (old->to < r.from || old->from > r.to) {
			tcp->beyond[k++] = *old;
			continue;
		}
		r.from = old->from < r.from ? old->from : r.from;
		r.to = old->to > r.to ? old->to : r.to;
	}
	if (k == RANGES_MAX)
		k--;
	for (i = k; i > 0 && tcp->beyond[i - 1].from > r.from; i--)
		tcp->beyond[i] = tcp->beyond[i - 1];
	tcp->beyond[i] = r;
	tcp->beyond_count = k + 1;
}

static void progress(struct tcp *tcp, int64_t now)
{
	while (tcp->beyond_count && tcp->beyond[0].from <= tcp->next) {
		if (tcp->beyond[0].to > tcp->next)
			tcp->next = tcp->beyond[0].to;
		tcp->beyond_count--;
		memmove(tcp->beyond, tcp->beyond + 1, tcp->beyond_count * sizeof(*tcp->beyond));
	}
	if (now - tcp->progress > tcp->pause)
		tcp->pause = now - tcp->progress;
	tcp->progress = now;
}

static void take_data(struct tcp *tcp, const struct segment *s, int64_t now)
{
	int32_t ahead = (int32_t)(s->seq - (CLIENT_ISN + 1) - (uint32_t)tcp->next);
	uint64_t from = tcp->next + (uint64_t)(int64_t)ahead;
	size_t i;

	if (ahead < 0 && (uint64_t) - (int64_t)ahead > tcp->next)
		return;
	for (i = 0; i < s->data.len; i++)
		tcp->damaged |= s->data.p[i] != probe_octet(from + i);
	if (from + s->data.len > tcp->next && from < tcp->next + WINDOW)
		insert(tcp, (struct range){from, from + s->data.len});
	if (tcp->beyond_count && tcp->beyond[0].from <= tcp->next)
		progress(tcp, now);
}

static void server_takes(struct tcp *tcp, const struct segment *s, int64_t now)
{
	if (s->flags & SYN) {
		if (!tcp->accepted)
			tcp->progress = now;
		tcp->accepted = true;
		send_segment(tcp, false, SYN | ACK, 0, 0, now);
		return;
	}
	if (!tcp->accepted || !s->data.len)
		return;
	take_data(tcp, s, now);
	send_segment(tcp, false, ACK, 0, 0, now);
}

/* --- all --- */

int tcp_new(const struct tcp_spec *spec, int64_t now, struct tcp **ret_tcp)
{
	struct tcp *tcp = calloc(1, sizeof(*tcp));

	if (!tcp)
		return ERR_NOMEM;
	tcp->spec = *spec;
	tcp->began = tcp->progress = now;
	tcp->end = spec->octets ? spec->octets : UINT64_MAX;
	tcp->mss = MTU - headers(tcp);
	tcp->ssthresh = WINDOW;
	tcp->rto = RTO_FIRST;
	tcp->syns = 1;
	arm(tcp, now);
	send_segment(tcp, true, SYN, 0, 0, now);
	*ret_tcp = tcp;
	return 0;
}

void tcp_free(struct tcp *tcp)
{
	free(tcp);
}

/* When the rate lets a whole segment go, if nothing else stands in its way. */
static int64_t rate_at(const struct tcp *tcp)
{
	uint64_t want = tcp->nxt + tcp->mss < tcp->end ? tcp->nxt + tcp->mss : tcp->end;

	if (!tcp->open || !tcp->spec.rate || tcp->nxt >= tcp->end || room(tcp) < tcp->mss)
		return LINK_NEVER;
	return tcp->began + 1 + (int64_t)((double)want * (double)LINK_S / (double)tcp->spec.rate);
}

int64_t tcp_next(const struct tcp *tcp)
{
	int64_t at = rate_at(tcp);

	return tcp->rto_at < at ? tcp->rto_at : at;
}

static void timed_out(struct tcp *tcp, int64_t now)
{
	tcp->rto = 2 * tcp->rto < RTO_MAX ? 2 * tcp->rto : RTO_MAX;
	tcp->timed = 0;
	if (!tcp->open) {
		if (tcp->syns++ < SYNS_MAX)
			send_segment(tcp, true, SYN, 0, 0, now);
		arm(tcp, now);
		return;
	}
	tcp->ssthresh = half_of_flight(tcp);
	tcp->cwnd = tcp->mss;
	tcp->nxt = tcp->una;
	tcp->recover = tcp->duplicates = 0;
	tcp->rto_at = LINK_NEVER;
	send_more(tcp, now);
}

void tcp_run(struct tcp *tcp, int64_t now)
{
	if (tcp->rto_at <= now)
		timed_out(tcp, now);
	send_more(tcp, now);
}

static bool is_from(const struct ip_info *ip, const struct endpoint *src,
		    const struct endpoint *dst)
{
	return ip_addr_eq(&ip->sel.src, &src->addr) && ip->sel.src_port == src->port &&
	       ip_addr_eq(&ip->sel.dst, &dst->addr) && ip->sel.dst_port == dst->port;
}

bool tcp_take(struct tcp *tcp, const uint8_t *data, const struct ip_info *ip, int64_t now)
{
	bool to_server = is_from(ip, &tcp->spec.client, &tcp->spec.server);
	struct segment s;

	if (!to_server && !is_from(ip, &tcp->spec.server, &tcp->spec.client))
		return false;
	if (!read_segment(data, ip, &s))
		return true;
	if (to_server)
		server_takes(tcp, &s, now);
	else
		client_takes(tcp, &s, now);
	return true;
}

void tcp_too_big(struct tcp *tcp, const struct ip_addr *to, unsigned mtu, int64_t now)
{
	if (!ip_addr_eq(to, &tcp->spec.server.addr) || mtu < headers(tcp) + 64 ||
	    mtu - headers(tcp) >= tcp->mss)
		return;
	tcp->mss = mtu - headers(tcp);
	tcp->nxt = tcp->una;
	send_more(tcp, now);
}

void tcp_finish(struct tcp *tcp)
{
	if (tcp->end == UINT64_MAX)
		tcp->end = tcp->highest;
}

bool tcp_is_done(const struct tcp *tcp)
{
	return tcp->open && tcp->una == tcp->end;
}

void tcp_look(const struct tcp *tcp, struct tcp_seen *ret_seen)
{
	*ret_seen =
	    (struct tcp_seen){.octets = tcp->next, .pause = tcp->pause, .damaged = tcp->damaged};
}
