/* packet_make.c - headers in front of what is to be sent (RFC 791, 768, 792, 8200, 4443). Every
 * checksum is made, but that of UDP when it carries ESP, as RFC 3948 §2.1 wants it. */
#include "harness/sim/packet_make.h"
#include "vpn/base/proto.h"
#include "vpn/base/writer.h"
#include "vpn/wire/packet/csum.h"
#include "vpn/wire/packet/ip.h"

enum {
	TTL = 64,
	UDP_LEN = 8,
	TCP_LEN = 20,
	ECHO_REPLY4 = 0,
	ECHO4 = 8,
	ECHO6 = 128,
	ECHO_REPLY6 = 129
};

static void put_header4(struct writer *w, const struct ip_addr *src, const struct ip_addr *dst,
			uint8_t proto, const struct outer_hdr *o, size_t len)
{
	wr_u8(w, 0x45);
	wr_u8(w, o->tos);
	wr_u16(w, (uint16_t)(IPV4_HDR_LEN + len));
	wr_u16(w, o->id);
	wr_u16(w, o->frag_off);
	wr_u8(w, o->ttl);
	wr_u8(w, proto);
	wr_u16(w, 0);
	wr_bytes(w, src->b, 4);
	wr_bytes(w, dst->b, 4);
	ipv4_set_checksum(w->base, IPV4_HDR_LEN);
}

static void put_header6(struct writer *w, const struct ip_addr *src, const struct ip_addr *dst,
			uint8_t proto, const struct outer_hdr *o, size_t len)
{
	wr_u32(w, UINT32_C(6) << 28 | (uint32_t)o->tos << 20 | o->flow);
	wr_u16(w, (uint16_t)len);
	wr_u8(w, proto);
	wr_u8(w, o->ttl);
	wr_bytes(w, src->b, 16);
	wr_bytes(w, dst->b, 16);
}

static void put_header(struct writer *w, const struct ip_addr *src, const struct ip_addr *dst,
		       uint8_t proto, const struct outer_hdr *outer, size_t len)
{
	struct outer_hdr o = outer ? *outer : (struct outer_hdr){.ttl = TTL};

	if (o.ttl == 0)
		o.ttl = TTL;
	if (src->family == 6)
		put_header6(w, src, dst, proto, &o, len);
	else
		put_header4(w, src, dst, proto, &o, len);
}

size_t packet_ip(uint8_t *buf, const struct ip_addr *src, const struct ip_addr *dst, uint8_t proto,
		 const struct outer_hdr *outer, struct view payload)
{
	struct writer w = wr_init(buf, SIM_PACKET_MAX);

	put_header(&w, src, dst, proto, outer, payload.len);
	wr_bytes(&w, payload.p, payload.len);
	return wr_ok(&w) ? w.len : 0;
}

static void patch_checksum(struct writer *w, size_t l4, size_t at, const struct ip_addr *src,
			   const struct ip_addr *dst, uint8_t proto)
{
	size_t len = w->len - l4;
	uint64_t sum = 0;
	uint16_t csum;

	if (!wr_ok(w))
		return;
	if (proto != IP_PROTO_ICMP)
		sum = csum_pseudo(src->b, dst->b, ip_addr_len(src), proto, len);
	csum = csum_finish(csum_add(sum, w->base + l4, len));
	wr_patch16(w, at, csum ? csum : 0xffff);
}

size_t packet_udp(uint8_t *buf, const struct endpoint *src, const struct endpoint *dst,
		  const struct outer_hdr *outer, bool marker, struct view payload)
{
	struct writer w = wr_init(buf, SIM_PACKET_MAX);
	size_t len = UDP_LEN + (marker ? 4 : 0) + payload.len, l4;
	bool is_esp = outer != NULL;

	put_header(&w, &src->addr, &dst->addr, IP_PROTO_UDP, outer, len);
	l4 = w.len;
	wr_u16(&w, src->port);
	wr_u16(&w, dst->port);
	wr_u16(&w, (uint16_t)len);
	wr_u16(&w, 0);
	if (marker)
		wr_u32(&w, 0);
	wr_bytes(&w, payload.p, payload.len);
	if (!is_esp || src->addr.family == 6)
		patch_checksum(&w, l4, l4 + 6, &src->addr, &dst->addr, IP_PROTO_UDP);
	return wr_ok(&w) ? w.len : 0;
}

size_t packet_tcp(uint8_t *buf, const struct endpoint *src, const struct endpoint *dst,
		  const struct tcp_fields *f, struct view payload)
{
	const struct outer_hdr outer = {.ttl = TTL, .frag_off = IPV4_FLAG_DF};
	struct writer w = wr_init(buf, SIM_PACKET_MAX);
	size_t len = TCP_LEN + f->options.len, l4;

	put_header(&w, &src->addr, &dst->addr, IP_PROTO_TCP, &outer, len + payload.len);
	l4 = w.len;
	wr_u16(&w, src->port);
	wr_u16(&w, dst->port);
	wr_u32(&w, f->seq);
	wr_u32(&w, f->ack);
	wr_u8(&w, (uint8_t)(len / 4 << 4));
	wr_u8(&w, f->flags);
	wr_u16(&w, f->window);
	wr_u32(&w, 0);
	wr_bytes(&w, f->options.p, f->options.len);
	wr_bytes(&w, payload.p, payload.len);
	patch_checksum(&w, l4, l4 + 16, &src->addr, &dst->addr, IP_PROTO_TCP);
	return wr_ok(&w) ? w.len : 0;
}

size_t packet_echo(uint8_t *buf, const struct ip_addr *src, const struct ip_addr *dst, bool reply,
		   struct view body)
{
	struct writer w = wr_init(buf, SIM_PACKET_MAX);
	bool v6 = src->family == 6;
	uint8_t proto = v6 ? IP_PROTO_ICMP6 : IP_PROTO_ICMP;
	size_t l4;

	put_header(&w, src, dst, proto, NULL, 4 + body.len);
	l4 = w.len;
	wr_u8(&w, (uint8_t)(v6 ? (reply ? ECHO_REPLY6 : ECHO6) : (reply ? ECHO_REPLY4 : ECHO4)));
	wr_u8(&w, 0);
	wr_u16(&w, 0);
	wr_bytes(&w, body.p, body.len);
	patch_checksum(&w, l4, l4 + 2, src, dst, proto);
	return wr_ok(&w) ? w.len : 0;
}
