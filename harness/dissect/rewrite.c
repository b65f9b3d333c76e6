/* rewrite.c - the readable capture: SK replaced by its content, ESP by the packet inside.
 *
 * A message without SK is still a chain of payloads: what stood in front of SK, then what stood
 * inside, with the next-payload field in front of SK naming the first of these (RFC 7296 §3.2). IP
 * and UDP headers are the frame's own with new lengths and checksums. A message that came in IKE
 * fragments is whole in the frame of the last one; an IP packet that came in fragments likewise. */
#include "harness/dissect/rewrite.h"

#include <pcap/dlt.h>
#include <stdlib.h>
#include <string.h>

#include "harness/dissect/pcapng.h"
#include "vpn/base/proto.h"
#include "vpn/wire/packet/csum.h"
#include "vpn/wire/packet/natt.h"
#include "vpn/wire/packet/octets.h"

#define UDP_HDR_LEN	8
#define UDP_LEN_AT	4
#define UDP_CSUM_AT	6
#define IKE_NEXT_AT	16
#define IKE_LENGTH_AT	24
#define IPV4_TOTAL_AT	2
#define IPV6_PAYLOAD_AT 4
#define ETHER_ADDRS_LEN 12
#define ETHER_HDR_LEN	14
#define ETHERTYPE_IPV4	0x0800
#define ETHERTYPE_IPV6	0x86dd
#define PACKET_MAX	65535
#define COMMENT_MAX	160

/* Header, payloads in front of SK, content of SK. */
static void put_ike(struct writer *w, const struct ike_msg *m)
{
	const struct ike_payloads *outer = m->outer;
	const struct ike_payload *sk = &outer->v[outer->n - 1];
	size_t start = w->len, front, next_at = start + IKE_NEXT_AT;

	front = (size_t)(sk->body.p - m->octets.p) - IKE_PAYLOAD_HEADER_LEN;
	wr_bytes(w, m->octets.p, front);
	if (outer->n > 1) /* the generic header of the payload in front of SK */
		next_at = start + (size_t)(outer->v[outer->n - 2].body.p - m->octets.p) -
			  IKE_PAYLOAD_HEADER_LEN;
	wr_patch8(w, next_at, m->inner_first);
	wr_bytes(w, m->chain.p, m->chain.len);
	wr_patch32(w, start + IKE_LENGTH_AT, (uint32_t)(w->len - start));
}

static void finish_ip(struct writer *w, const struct ip_info *ip)
{
	if (ip->version == 6) {
		wr_patch16(w, IPV6_PAYLOAD_AT, w->len - IPV6_HDR_LEN);
	} else {
		wr_patch16(w, IPV4_TOTAL_AT, w->len);
		if (wr_ok(w))
			ipv4_set_checksum(w->base, ip->hdr_len);
	}
}

/* RFC 768: a sum of zero is sent as all ones. */
static void finish_udp(struct writer *w, const struct ip_info *ip, size_t udp_at)
{
	size_t addr_len = ip->version == 6 ? 16 : 4, len = w->len - udp_at;
	uint64_t sum;
	uint16_t check;

	wr_patch16(w, udp_at + UDP_LEN_AT, len);
	wr_patch16(w, udp_at + UDP_CSUM_AT, 0);
	if (!wr_ok(w))
		return;
	sum = csum_pseudo(ip->sel.src.b, ip->sel.dst.b, addr_len, IP_PROTO_UDP, len);
	check = csum_finish(csum_add(sum, w->base + udp_at, len));
	wr_patch16(w, udp_at + UDP_CSUM_AT, check ? check : 0xffff);
}

static size_t ike_packet(const struct fact_frame *frame, const struct ike_msg *m, uint8_t *buf,
			 size_t cap)
{
	struct writer w = wr_init(buf, cap);

	if (!m->inner)
		return 0;
	wr_bytes(&w, frame->packet.p, frame->ip.l4_off + UDP_HDR_LEN);
	if (m->marker)
		wr_zero(&w, NON_ESP_MARKER_LEN);
	put_ike(&w, m);
	finish_ip(&w, &frame->ip);
	finish_udp(&w, &frame->ip, frame->ip.l4_off);
	return wr_ok(&w) ? w.len : 0;
}

size_t rewrite_packet(const struct facts *f, size_t i, uint8_t *buf, size_t cap)
{
	const struct fact_frame *frame = &f->frames[i];

	if (frame->kind == FRAME_IKE)
		return ike_packet(frame, &f->ike[frame->index], buf, cap);
	if (frame->kind == FRAME_ESP && f->esp[frame->index].inner.len &&
	    f->esp[frame->index].inner.len <= cap) {
		memcpy(buf, f->esp[frame->index].inner.p, f->esp[frame->index].inner.len);
		return f->esp[frame->index].inner.len;
	}
	return 0;
}

static bool all_ethernet(const struct facts *f)
{
	size_t i;

	for (i = 0; i < f->set.n_places; i++)
		if (f->set.places[i].linktype != DLT_EN10MB)
			return false;
	return true;
}

static void describe_frame(const struct facts *f, size_t i, char *buf, size_t cap)
{
	const struct fact_frame *frame = &f->frames[i];
	char ref[96];

	fact_frame_ref(f, i, ref, sizeof(ref));
	if (frame->kind != FRAME_ESP) {
		snprintf(buf, cap, "%s", ref);
		return;
	}
	const struct esp_fact *e = &f->esp[frame->index];

	if (e->sealed == FACT_OPEN)
		snprintf(buf, cap, "%s: ESP %08x number %llu, next header %u%s", ref, e->spi,
			 (unsigned long long)e->seq64, e->next_header, e->dummy ? " (dummy)" : "");
	else
		snprintf(buf, cap, "%s: ESP %08x number %u: %s", ref, e->spi, e->seq,
			 fact_unopened_text(e->sealed));
}

struct rewriter {
	const struct facts *f;
	struct pcapng out;
	bool ethernet;
	uint8_t *buf;
	struct rewrite_counts counts;
};

static void count(struct rewriter *rw, const struct fact_frame *frame, bool rewritten)
{
	const struct facts *f = rw->f;

	if (frame->kind == FRAME_IKE && rewritten)
		rw->counts.ike++;
	else if (frame->kind == FRAME_ESP &&
		 (rewritten || f->esp[frame->index].sealed == FACT_OPEN))
		rw->counts.esp++;
	else if (frame->kind == FRAME_ESP ||
		 (frame->kind == FRAME_IKE && f->ike[frame->index].sealed != FACT_NOT_SEALED &&
		  f->ike[frame->index].sealed != FACT_FRAGMENT))
		rw->counts.unopened++;
	else
		rw->counts.other++;
}

/* The frame's own Ethernet addresses in front, with the type of what follows. */
static size_t put_ether(struct rewriter *rw, const struct fact_frame *frame)
{
	struct writer w = wr_init(rw->buf, ETHER_HDR_LEN);
	uint8_t version = rw->buf[ETHER_HDR_LEN] >> 4;

	if (!rw->ethernet)
		return 0;
	wr_bytes(&w, frame->octets.p, ETHER_ADDRS_LEN);
	wr_u16(&w, version == 6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4);
	return w.len;
}

static int put_frame(struct rewriter *rw, size_t i)
{
	const struct facts *f = rw->f;
	const struct fact_frame *frame = &f->frames[i];
	size_t hdr, len = rewrite_packet(f, i, rw->buf + ETHER_HDR_LEN, PACKET_MAX);
	struct view whole = frame->octets;
	uint32_t wire_len = frame->wire_len;
	char comment[COMMENT_MAX];

	if (!rw->ethernet && frame->ip_off == frame->octets.len && !len) {
		rw->counts.left_out++;
		return 0;
	}
	count(rw, frame, len > 0);
	describe_frame(f, i, comment, sizeof(comment));
	if (len) {
		hdr = put_ether(rw, frame);
		whole = (struct view){rw->buf + ETHER_HDR_LEN - hdr, hdr + len};
		wire_len = (uint32_t)whole.len;
	} else if (!rw->ethernet) {
		whole.p += frame->ip_off;
		whole.len -= frame->ip_off;
		wire_len -= (uint32_t)frame->ip_off;
	}
	return pcapng_packet(&rw->out, (uint32_t)frame->place, frame->time_us, whole, wire_len,
			     comment);
}

int rewrite_capture(const struct facts *f, FILE *out, struct rewrite_counts *ret_counts)
{
	struct rewriter rw = {.f = f, .ethernet = all_ethernet(f)};
	size_t i;
	int err;

	rw.buf = malloc(ETHER_HDR_LEN + PACKET_MAX);
	if (!rw.buf)
		return ERR_NOMEM;
	err = pcapng_begin(&rw.out, out, "beetlab decrypt");
	for (i = 0; !err && i < f->set.n_places; i++)
		err = pcapng_interface(&rw.out, rw.ethernet ? DLT_EN10MB : DLT_RAW,
				       f->set.places[i].name);
	for (i = 0; !err && i < f->n_frames; i++)
		err = put_frame(&rw, i);
	if (!err && fflush(out))
		err = ERR_IO;
	free(rw.buf);
	if (!err)
		*ret_counts = rw.counts;
	return err;
}
