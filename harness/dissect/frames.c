/* frames.c - the first pass: each frame's IP packet, and what kind of packet it is.
 *
 * Ports 500 and 4500 on either side make a UDP datagram ours (RFC 7296 §2.23): behind a NAT the
 * other port may be any. What claims to be IKE and is not, is a problem with its frame and nothing
 * else. Frames that the capture cut short are not read further: one problem a place says so. */
#include <stdlib.h>

#include "harness/dissect/internal.h"
#include "harness/dissect/link.h"
#include "vpn/base/proto.h"
#include "vpn/wire/packet/natt.h"
#include "vpn/wire/packet/octets.h"

#define UDP_HDR_LEN 8

enum icmp6_local {
	ICMP6_ROUTER_SOLICIT = 133,
	ICMP6_REDIRECT = 137,
	ICMP6_MLD_FIRST = 130,
	ICMP6_MLD_LAST = 132,
	ICMP6_MLDV2 = 143
};

struct frames_state {
	struct dissector *d;
	struct reassembly *reassembly;
	uint32_t cut[CAPTURE_PLACES_MAX];
	size_t first_cut[CAPTURE_PLACES_MAX];
};

static int set_fact(struct fact_frame *frame, enum frame_kind kind, size_t index)
{
	frame->kind = kind;
	frame->index = index;
	return 0;
}

static int add_ike(struct facts *f, size_t i, struct view octets, bool marker)
{
	struct ike_msg *m;
	struct ike_header hdr;

	if (ike_header_decode(octets, &hdr))
		return add_problem(f, i,
				   "not an IKE message: no header, or a length that is not the "
				   "datagram's (RFC 7296 §3.1)");
	m = ARRAY_ADD(f->ike, f->n_ike);
	if (!m)
		return ERR_NOMEM;
	m->frame = i;
	m->marker = marker;
	m->octets = octets;
	m->hdr = hdr;
	return set_fact(&f->frames[i], FRAME_IKE, f->n_ike - 1);
}

static int add_esp(struct facts *f, size_t i, struct view octets, bool encap)
{
	struct reader r = rd_init(octets.p, octets.len);
	uint32_t spi = rd_u32(&r), seq = rd_u32(&r);
	struct esp_fact *e;

	if (!rd_ok(&r))
		return add_problem(f, i, "ESP packet of %zu octets (RFC 4303 §2)", octets.len);
	e = ARRAY_ADD(f->esp, f->n_esp);
	if (!e)
		return ERR_NOMEM;
	e->frame = i;
	e->child = FACT_NONE;
	e->spi = spi;
	e->seq = seq;
	e->seq64 = seq;
	e->encap = encap;
	e->octets = octets;
	return set_fact(&f->frames[i], FRAME_ESP, f->n_esp - 1);
}

static int add_keepalive(struct facts *f, size_t i)
{
	struct keepalive_fact *k = ARRAY_ADD(f->keepalives, f->n_keepalives);

	if (!k)
		return ERR_NOMEM;
	k->frame = i;
	return set_fact(&f->frames[i], FRAME_KEEPALIVE, f->n_keepalives - 1);
}

static int add_clear(struct facts *f, size_t i)
{
	struct clear_fact *c = ARRAY_ADD(f->clear, f->n_clear);

	if (!c)
		return ERR_NOMEM;
	c->frame = i;
	return set_fact(&f->frames[i], FRAME_CLEAR, f->n_clear - 1);
}

static int add_icmp_error(struct facts *f, size_t i)
{
	struct icmp_error_fact *e = ARRAY_ADD(f->icmp_errors, f->n_icmp_errors);

	if (!e)
		return ERR_NOMEM;
	*e = icmp_error_read(f->frames[i].packet, &f->frames[i].ip);
	e->frame = i;
	e->esp = FACT_NONE;
	return set_fact(&f->frames[i], FRAME_ICMP_ERROR, f->n_icmp_errors - 1);
}

static int on_natt_port(struct facts *f, size_t i, struct view payload)
{
	switch (natt_classify(payload.p, payload.len)) {
	case NATT_KEEP_ALIVE:
		return add_keepalive(f, i);
	case NATT_IKE:
		payload.p += NON_ESP_MARKER_LEN;
		payload.len -= NON_ESP_MARKER_LEN;
		return add_ike(f, i, payload, true);
	case NATT_ESP:
		return add_esp(f, i, payload, true);
	default:
		return add_problem(f, i,
				   "datagram of %zu octets on port %u: neither keep-alive, "
				   "IKE nor ESP (RFC 3948 §2)",
				   payload.len, IKE_NATT_PORT);
	}
}

static int on_udp(struct facts *f, size_t i)
{
	struct fact_frame *frame = &f->frames[i];
	struct reader r = rd_at(frame->packet.p, frame->packet.len, frame->ip.l4_off);
	uint16_t src = rd_u16(&r), dst = rd_u16(&r), len = rd_u16(&r);
	struct view payload;

	rd_u16(&r);
	if (src != IKE_PORT && dst != IKE_PORT && src != IKE_NATT_PORT && dst != IKE_NATT_PORT)
		return add_clear(f, i);
	payload = rd_view(&r, len < UDP_HDR_LEN ? SIZE_MAX : (size_t)len - UDP_HDR_LEN);
	if (!rd_ok(&r))
		return add_problem(f, i, "UDP length %u is not the packet's (RFC 768)", len);
	if (src == IKE_NATT_PORT || dst == IKE_NATT_PORT)
		return on_natt_port(f, i, payload);
	return add_ike(f, i, payload, false);
}

/* What a link talks about itself: neighbour discovery and multicast listeners. */
static bool is_link_local_talk(const struct fact_frame *frame)
{
	struct reader r = rd_at(frame->packet.p, frame->packet.len, frame->ip.l4_off);
	uint8_t type = rd_u8(&r);

	return frame->ip.proto == IP_PROTO_ICMP6 &&
	       ((type >= ICMP6_ROUTER_SOLICIT && type <= ICMP6_REDIRECT) ||
		(type >= ICMP6_MLD_FIRST && type <= ICMP6_MLD_LAST) || type == ICMP6_MLDV2);
}

static int classify(struct facts *f, size_t i)
{
	struct fact_frame *frame = &f->frames[i];
	struct view l4 = {frame->packet.p + frame->ip.l4_off,
			  frame->ip.total_len - frame->ip.l4_off};

	frame->src = (struct endpoint){frame->ip.sel.src, frame->ip.sel.src_port};
	frame->dst = (struct endpoint){frame->ip.sel.dst, frame->ip.sel.dst_port};
	if (ip_is_icmp_error(frame->packet.p, frame->packet.len, &frame->ip))
		return add_icmp_error(f, i);
	if (is_link_local_talk(frame))
		return 0;
	if (frame->ip.proto == IP_PROTO_ESP)
		return add_esp(f, i, l4, false);
	if (frame->ip.proto == IP_PROTO_UDP)
		return on_udp(f, i);
	return add_clear(f, i);
}

static int on_fragment(struct frames_state *s, size_t i, struct view fragment)
{
	struct facts *f = s->d->f;
	struct fact_frame *frame = &f->frames[i];
	struct view packet = {NULL, 0};
	struct ip_info info = frame->ip;
	size_t n = 0;
	int err = reassembly_add(s->reassembly, f, i, fragment, &info, &packet, &n);

	if (err)
		return err;
	frame->packet = fragment;
	frame->n_fragments = 1;
	frame->src.addr = info.sel.src;
	frame->dst.addr = info.sel.dst;
	if (!packet.len || ip_parse(packet.p, packet.len, &info))
		return set_fact(frame, FRAME_FRAGMENT, FACT_NONE);
	frame->packet = packet;
	frame->packet.len = info.total_len;
	frame->n_fragments = n;
	frame->ip = info;
	return classify(f, i);
}

static int note_cut(struct frames_state *s, size_t i)
{
	size_t place = s->d->f->frames[i].place;

	if (s->cut[place]++ == 0)
		s->first_cut[place] = i;
	return 0;
}

static int on_frame(struct frames_state *s, size_t i)
{
	struct facts *f = s->d->f;
	const struct capture_frame *raw = &f->set.frames[i];
	struct fact_frame *frame = &f->frames[i];
	struct view packet;

	*frame = (struct fact_frame){.place = raw->place,
				     .number = raw->number,
				     .time_us = raw->time_us,
				     .octets = {raw->data, raw->len},
				     .wire_len = raw->wire_len,
				     .cut = raw->wire_len > raw->len,
				     .index = FACT_NONE};
	frame->ip_off = link_ip_offset(f->set.places[raw->place].linktype, frame->octets);
	packet = (struct view){raw->data + frame->ip_off, raw->len - frame->ip_off};
	if (!packet.len)
		return 0;
	if (ip_parse(packet.p, packet.len, &frame->ip))
		return frame->cut ? note_cut(s, i)
				  : add_problem(f, i, "malformed IP header (RFC 791, RFC 8200)");
	frame->ip_len = (uint32_t)frame->ip.total_len;
	packet.len = frame->ip.total_len;
	if (frame->ip.fragment)
		return on_fragment(s, i, packet);
	frame->packet = packet;
	return classify(f, i);
}

static int report_cut(struct frames_state *s)
{
	struct facts *f = s->d->f;
	size_t place;
	int err = 0;

	for (place = 0; !err && place < f->set.n_places; place++) {
		size_t i = s->first_cut[place];

		if (s->cut[place])
			err = add_problem(
			    f, i,
			    "cut short by the capture: %zu of %u octets, and so are %u "
			    "more frames of this file; capture with a larger snapshot "
			    "length",
			    f->frames[i].octets.len, f->frames[i].wire_len, s->cut[place] - 1);
	}
	return err;
}

int frames_pass(struct dissector *d)
{
	struct frames_state s = {.d = d};
	struct facts *f = d->f;
	size_t i;
	int err;

	f->frames = calloc(f->set.n_frames ? f->set.n_frames : 1, sizeof(*f->frames));
	if (!f->frames)
		return ERR_NOMEM;
	f->n_frames = f->set.n_frames;
	err = reassembly_new(&s.reassembly);
	for (i = 0; !err && i < f->n_frames; i++)
		err = on_frame(&s, i);
	if (!err)
		err = report_cut(&s);
	reassembly_free(s.reassembly);
	return err;
}
