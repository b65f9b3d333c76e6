/* icmp.c - reading ICMP errors: the type, the MTU, and what the quoted packet tells of itself (RFC
 * 792, RFC 1191 §4, RFC 4443 §3). The quote is cut short by whoever sent the error, so its headers
 * are read here as far as they go, and not with ip_parse, which wants whole packets. */
#include "harness/dissect/internal.h"
#include "vpn/base/proto.h"
#include "vpn/wire/packet/octets.h"

enum { ICMP_UNREACHABLE = 3, ICMP_FRAG_NEEDED = 4, ICMP6_TOO_BIG = 2 };

static void quoted_ports(struct reader *r, struct ts_packet *p)
{
	if (p->proto != IP_PROTO_TCP && p->proto != IP_PROTO_UDP)
		return;
	p->src_port = rd_u16(r);
	p->dst_port = rd_u16(r);
	p->have_ports = rd_ok(r);
}

static struct ts_packet quoted_v4(struct view q)
{
	struct reader r = rd_init(q.p, q.len);
	size_t hdr_len = (rd_u8(&r) & 15u) * 4u;
	struct ts_packet p = {0};
	const uint8_t *src, *dst;

	rd_bytes(&r, 8);
	p.proto = rd_u8(&r);
	rd_bytes(&r, 2);
	src = rd_bytes(&r, 4);
	dst = rd_bytes(&r, 4);
	if (!rd_ok(&r) || hdr_len < IPV4_HDR_LEN)
		return (struct ts_packet){0};
	p.src = ip_addr_from_v4(src);
	p.dst = ip_addr_from_v4(dst);
	rd_bytes(&r, hdr_len - IPV4_HDR_LEN);
	quoted_ports(&r, &p);
	return p;
}

static struct ts_packet quoted_v6(struct view q)
{
	struct reader r = rd_init(q.p, q.len);
	struct ts_packet p = {0};
	const uint8_t *src, *dst;

	rd_bytes(&r, 6);
	p.proto = rd_u8(&r);
	rd_u8(&r);
	src = rd_bytes(&r, 16);
	dst = rd_bytes(&r, 16);
	if (!rd_ok(&r))
		return (struct ts_packet){0};
	p.src = ip_addr_from_v6(src);
	p.dst = ip_addr_from_v6(dst);
	quoted_ports(&r, &p);
	return p;
}

struct ts_packet quoted_packet(struct view quoted)
{
	unsigned version = quoted.len ? quoted.p[0] >> 4 : 0;

	return version == 4   ? quoted_v4(quoted)
	       : version == 6 ? quoted_v6(quoted)
			      : (struct ts_packet){0};
}

struct icmp_error_fact icmp_error_read(struct view packet, const struct ip_info *info)
{
	struct reader r = rd_at(packet.p, packet.len, info->l4_off);
	struct icmp_error_fact e = {.type = rd_u8(&r), .code = rd_u8(&r)};
	uint32_t value;

	rd_u16(&r);
	value = rd_u32(&r);
	if (info->version == 4 && e.type == ICMP_UNREACHABLE && e.code == ICMP_FRAG_NEEDED)
		e.mtu = value & 0xffff; /* RFC 1191 §4: the lower half */
	else if (info->version == 6 && e.type == ICMP6_TOO_BIG)
		e.mtu = value;
	e.about = quoted_packet(rd_rest(&r));
	return e;
}
