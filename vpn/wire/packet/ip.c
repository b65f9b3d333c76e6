/* ip.c - walking IPv4 and IPv6 headers.
 *
 * Every inner packet passes here once on its way out and once on its way in, so the walk reads each
 * field once and touches nothing behind the first octets of the transport header. IPv6 extension
 * headers are followed as far as the transport header (RFC 8200 §4.1), at most IPV6_EXT_MAX of
 * them; AH and ESP inside are transport for our purpose. Fragments but the first have no ports (RFC
 * 4301 §7). */
#include "vpn/wire/packet/ip.h"

#include "vpn/base/proto.h"
#include "vpn/wire/packet/csum.h"
#include "vpn/wire/packet/octets.h"

enum { IP_PROTO_SCTP = 132, IP_PROTO_DCCP = 33, IP_PROTO_UDPLITE = 136, IP_PROTO_MOBILITY = 135 };

/* Ports, or ICMP type and code, of the transport header (RFC 4301 §4.4.1.1). */
static void read_ports(struct reader r, struct ip_info *info)
{
	switch (info->proto) {
	case IP_PROTO_TCP:
	case IP_PROTO_UDP:
	case IP_PROTO_SCTP:
	case IP_PROTO_DCCP:
	case IP_PROTO_UDPLITE:
		info->sel.src_port = rd_u16(&r);
		info->sel.dst_port = rd_u16(&r);
		break;
	case IP_PROTO_ICMP:
	case IP_PROTO_ICMP6:
		info->sel.src_port = rd_u16(&r);
		break;
	default:
		return;
	}
	info->sel.have_ports = rd_ok(&r);
}

static int parse_v4(struct reader r, size_t len, struct ip_info *info)
{
	size_t options;
	uint8_t ihl;
	const uint8_t *addrs;

	ihl = rd_u8(&r) & 0x0f;
	info->tos = rd_u8(&r);
	info->total_len = rd_u16(&r);
	info->id = rd_u16(&r);
	info->frag_off = rd_u16(&r);
	info->ttl = rd_u8(&r);
	info->proto = info->first_proto = rd_u8(&r);
	rd_u16(&r); /* checksum */
	addrs = rd_bytes(&r, 8);
	info->hdr_len = info->l4_off = (size_t)ihl * 4;
	if (!addrs || info->hdr_len < IPV4_HDR_LEN || info->total_len < info->hdr_len ||
	    info->total_len > len)
		return ERR_SYNTAX;
	options = info->hdr_len - IPV4_HDR_LEN;
	rd_bytes(&r, options);
	info->sel.src = ip_addr_from_v4(addrs);
	info->sel.dst = ip_addr_from_v4(addrs + 4);
	info->sel.proto = info->proto;
	info->df = info->frag_off & IPV4_FLAG_DF;
	info->fragment = info->frag_off & (IPV4_FLAG_MF | IPV4_OFFSET);
	info->later_fragment = info->frag_off & IPV4_OFFSET;
	if (!info->later_fragment)
		read_ports(rd_sub(&r, info->total_len - info->hdr_len), info);
	return 0;
}

static bool is_extension(uint8_t next)
{
	return next == IP_PROTO_HOPOPT || next == IP_PROTO_ROUTING || next == IP_PROTO_FRAGMENT ||
	       next == IP_PROTO_DSTOPTS || next == IP_PROTO_MOBILITY;
}

/* One extension header; info->proto becomes its next header. */
static void skip_extension(struct reader *r, struct ip_info *info)
{
	uint8_t next = rd_u8(r);
	uint8_t len = rd_u8(r);
	uint16_t offset;

	if (info->proto ==
	    IP_PROTO_FRAGMENT) { /* RFC 8200 §4.5: eight octets, length is reserved */
		offset = rd_u16(r);
		rd_u32(r);
		info->fragment = offset & 0xfff9;
		info->later_fragment = offset & 0xfff8;
	} else {
		rd_bytes(r, (size_t)len * 8 + 6);
	}
	info->proto = next;
}

static int parse_v6(struct reader r, size_t len, struct ip_info *info)
{
	struct reader body;
	uint32_t first = rd_u32(&r);
	const uint8_t *addrs;
	size_t payload;
	int n;

	info->tos = (uint8_t)(first >> 20);
	info->flow = first & 0xfffff;
	payload = rd_u16(&r);
	info->proto = info->first_proto = rd_u8(&r);
	info->ttl = rd_u8(&r);
	addrs = rd_bytes(&r, 32);
	info->hdr_len = IPV6_HDR_LEN;
	info->total_len = IPV6_HDR_LEN + payload;
	info->df = true;
	if (!addrs || info->total_len > len)
		return ERR_SYNTAX;
	info->sel.src = ip_addr_from_v6(addrs);
	info->sel.dst = ip_addr_from_v6(addrs + 16);
	body = rd_sub(&r, payload);
	for (n = 0; is_extension(info->proto) && !info->later_fragment; n++) {
		if (n == IPV6_EXT_MAX)
			return ERR_SYNTAX;
		skip_extension(&body, info);
	}
	if (!rd_ok(&body))
		return ERR_SYNTAX;
	info->l4_off = info->total_len - rd_left(&body);
	info->sel.proto = info->proto;
	if (!info->later_fragment)
		read_ports(body, info);
	return 0;
}

int ip_parse(const uint8_t *data, size_t len, struct ip_info *ret_info)
{
	struct reader r = rd_init(data, len);
	struct ip_info info = {0};
	int err;

	info.version = len ? data[0] >> 4 : 0;
	if (info.version == 4)
		err = parse_v4(r, len, &info);
	else if (info.version == 6)
		err = parse_v6(r, len, &info);
	else
		err = ERR_SYNTAX;
	if (!err)
		*ret_info = info;
	return err;
}

void ipv4_set_checksum(uint8_t *hdr, size_t hdr_len)
{
	struct writer w = wr_over(hdr, hdr_len);

	wr_patch16(&w, 10, 0);
	wr_patch16(&w, 10, csum_finish(csum_add(0, hdr, hdr_len)));
}

bool ipv4_checksum_ok(const uint8_t *hdr, size_t hdr_len)
{
	return csum_fold(csum_add(0, hdr, hdr_len)) == 0xffff;
}

void ip_set_tos(uint8_t *hdr, size_t len, uint8_t tos)
{
	struct writer w = wr_over(hdr, len);
	uint16_t word = get_u16(hdr, len, 0);
	uint16_t changed;

	if (word >> 12 == 6) {
		wr_patch16(&w, 0, (word & 0xf00fU) | (unsigned)tos << 4);
		return;
	}
	changed = (uint16_t)((word & 0xff00) | tos);
	wr_patch16(&w, 10, csum_update16(get_u16(hdr, len, 10), word, changed));
	wr_patch16(&w, 0, changed);
}

uint16_t ip_l4_checksum(const uint8_t *data, const struct ip_info *info)
{
	size_t alen = ip_addr_len(&info->sel.src);
	size_t l4_len = info->total_len - info->l4_off;
	uint64_t sum;

	sum = csum_pseudo(info->sel.src.b, info->sel.dst.b, alen, info->proto, l4_len);
	return csum_finish(csum_add(sum, data + info->l4_off, l4_len));
}

bool ip_is_icmp_error(const uint8_t *data, size_t len, const struct ip_info *info)
{
	struct reader r = rd_at(data, len, info->l4_off);
	uint8_t type = rd_u8(&r);

	if (info->later_fragment)
		return false;
	if (info->proto == IP_PROTO_ICMP6)
		return type < 128; /* RFC 4443 §2.1 */
	if (info->proto != IP_PROTO_ICMP)
		return false;
	return type == 3 || type == 4 || type == 5 || type == 11 ||
	       type == 12; /* RFC 1122 §3.2.2 */
}
