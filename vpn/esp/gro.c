/* gro.c - putting runs of TCP segments together again (what Linux calls GRO), so that the receiving
 * stack is entered once per 64 kB.
 *
 * A segment joins a run if it is the next one of the same flow and its headers say the same,
 * options included: addresses, TTL, TOS, DF, ports, acknowledgement, window. Every segment of a run
 * but the last has the size of the first; one that is shorter, or has PSH, is the last. A checksum
 * that is wrong stays alone, so that the stack behind sees it: marking it as "to be completed"
 * would make it right.
 *
 * Runs of several flows may be open at once. A packet that cannot join closes the run of its flow,
 * hence no segment overtakes another of its flow. */
#include "vpn/esp/gso.h"

#include <string.h>

#include "vpn/base/proto.h"
#include "vpn/wire/packet/csum.h"
#include "vpn/wire/packet/octets.h"

enum { TCP_HDR_LEN = 20, TCP_CHECK = 16, TCP_ACK = 0x10, TCP_PSH = 0x08 };
enum { RUNS_OPEN_MAX = 8, SUPER_MAX = 65535 };

struct seg {
	size_t hdr_len;
	size_t payload;
	uint32_t seq;
	bool push;
};

/* False if the packet can be part of no run. */
static bool read_segment(const struct packet *p, struct seg *ret)
{
	const struct ip_info *ip = &p->inner;
	struct reader r = rd_at(p->data, p->len, ip->l4_off + 4);
	struct seg s;
	uint8_t off, flags;

	if (ip->proto != IP_PROTO_TCP || ip->fragment || p->len != ip->total_len)
		return false;
	s.seq = rd_u32(&r);
	rd_u32(&r);
	off = rd_u8(&r);
	flags = rd_u8(&r);
	s.hdr_len = ip->l4_off + (size_t)(off >> 4) * 4;
	s.push = flags & TCP_PSH;
	if (!rd_ok(&r) || s.hdr_len < ip->l4_off + TCP_HDR_LEN || s.hdr_len >= p->len ||
	    s.hdr_len > GRO_HDR_MAX || (flags & ~TCP_PSH) != TCP_ACK)
		return false;
	s.payload = p->len - s.hdr_len;
	*ret = s;
	return true;
}

static bool same_flow(const struct packet *a, const struct packet *b)
{
	return memcmp(&a->inner.sel, &b->inner.sel, sizeof(a->inner.sel)) == 0;
}

/* All header octets that must be alike; not lengths, identification, checksums, sequence number and
 * PSH. */
static bool same_headers(const struct packet *a, const struct packet *b, size_t hdr_len)
{
	size_t tcp = a->inner.l4_off;

	if (a->inner.l4_off != b->inner.l4_off || a->inner.tos != b->inner.tos ||
	    a->inner.ttl != b->inner.ttl || a->inner.frag_off != b->inner.frag_off ||
	    a->inner.flow != b->inner.flow)
		return false;
	if (a->inner.version == 4 && tcp != IPV4_HDR_LEN)
		return false;
	if (a->inner.version == 6 && tcp != IPV6_HDR_LEN)
		return false;
	return memcmp(a->data + tcp + 8, b->data + tcp + 8, 5) == 0 &&	 /* ack, data offset */
	       memcmp(a->data + tcp + 14, b->data + tcp + 14, 2) == 0 && /* window */
	       memcmp(a->data + tcp + TCP_HDR_LEN, b->data + tcp + TCP_HDR_LEN,
		      hdr_len - tcp - TCP_HDR_LEN) == 0;
}

static bool joins(const struct packet *pkts, const struct gro_run *run, const struct packet *p,
		  const struct seg *s)
{
	return run->next_seq == s->seq && run->hdr_len == s->hdr_len && s->payload <= run->size &&
	       run->hdr_len + run->payload + s->payload <= SUPER_MAX &&
	       same_headers(&pkts[run->first], p, s->hdr_len);
}

static void start_run(struct gro_run *run, size_t i, const struct seg *s)
{
	*run = (struct gro_run){.first = i, .last = i, .n = 1};
	if (!s)
		return;
	run->hdr_len = s->hdr_len;
	run->payload = run->size = s->payload;
	run->next_seq = s->seq + (uint32_t)s->payload;
	run->open = !s->push;
}

static void join_run(struct gro_run *run, size_t i, const struct seg *s, size_t *next)
{
	next[run->last] = i;
	run->last = i;
	run->n++;
	run->payload += s->payload;
	run->next_seq += (uint32_t)s->payload;
	run->open = !s->push && s->payload == run->size;
}

/* The open run of the packet's flow, among the latest runs. */
static struct gro_run *find_open(const struct packet *pkts, struct gro_run *runs, size_t n,
				 const struct packet *p)
{
	size_t i, oldest = n > RUNS_OPEN_MAX ? n - RUNS_OPEN_MAX : 0;

	for (i = n; i > oldest; i--)
		if (runs[i - 1].open && same_flow(&pkts[runs[i - 1].first], p))
			return &runs[i - 1];
	return NULL;
}

size_t gro_sort(const struct packet *pkts, size_t n, struct gro_run *ret_runs, size_t *ret_next)
{
	struct gro_run *run;
	size_t i, runs = 0;
	struct seg s;
	bool good;

	for (i = 0; i < n; i++) {
		if (pkts[i].drop)
			continue;
		good =
		    read_segment(&pkts[i], &s) && ip_l4_checksum(pkts[i].data, &pkts[i].inner) == 0;
		run = find_open(pkts, ret_runs, runs, &pkts[i]);
		if (run && good && joins(pkts, run, &pkts[i], &s)) {
			join_run(run, i, &s, ret_next);
			continue;
		}
		if (run)
			run->open = false;
		start_run(&ret_runs[runs++], i, good ? &s : NULL);
	}
	return runs;
}

void gro_header(const struct packet *pkts, const struct gro_run *run, uint8_t *hdr,
		struct gso *ret_gso)
{
	const struct packet *first = &pkts[run->first];
	const struct ip_info *ip = &first->inner;
	struct writer w = wr_over(hdr, run->hdr_len);
	size_t l4_len = run->hdr_len + run->payload - ip->l4_off;
	uint8_t flags = pkts[run->last].data[ip->l4_off + 13];

	memcpy(hdr, first->data, run->hdr_len);
	if (ip->version == 6) {
		wr_patch16(&w, 4, l4_len);
	} else {
		wr_patch16(&w, 2, ip->l4_off + l4_len);
		ipv4_set_checksum(hdr, IPV4_HDR_LEN);
	}
	wr_patch8(&w, ip->l4_off + 13, flags);
	wr_patch16(&w, ip->l4_off + TCP_CHECK,
		   csum_fold(csum_pseudo(ip->sel.src.b, ip->sel.dst.b, ip_addr_len(&ip->sel.src),
					 IP_PROTO_TCP, l4_len)));
	*ret_gso = (struct gso){.type = GSO_TCP,
				.size = (uint16_t)run->size,
				.needs_csum = true,
				.csum_start = (uint16_t)ip->l4_off,
				.csum_offset = TCP_CHECK};
}
