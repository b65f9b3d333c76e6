/* icmp.c - ICMP "fragmentation needed" and ICMPv6 "packet too big" (RFC 1191, RFC 8201). How often
 * they may go out is the caller's business. */
#include "vpn/wire/packet/icmp.h"

#include "vpn/base/proto.h"
#include "vpn/wire/packet/csum.h"
#include "vpn/wire/packet/octets.h"

enum { ICMP_HDR_LEN = 8, ICMP_UNREACHABLE = 3, ICMP_FRAG_NEEDED = 4, ICMP6_PACKET_TOO_BIG = 2 };
enum { TTL_DEFAULT = 64, TOS_INTERNET_CONTROL = 0xc0 }; /* RFC 1812 §4.3.2.5 */

static bool is_multicast(const struct ip_addr *a)
{
	return a->family == 4 ? a->b[0] >= 224 : a->b[0] == 0xff;
}

static bool may_tell(const uint8_t *data, size_t len, const struct ip_info *info)
{
	if (info->later_fragment || ip_addr_is_any(&info->sel.src) || is_multicast(&info->sel.src))
		return false;
	/* RFC 4443 §2.4 (e.3): packet too big is the exception that may answer multicast. */
	if (info->version == 4 && is_multicast(&info->sel.dst))
		return false;
	return !ip_is_icmp_error(data, len, info);
}

static void write_v4(struct writer *w, const uint8_t *data, size_t quote,
		     const struct ip_info *info, size_t mtu)
{
	size_t total, from;

	wr_u8(w, 0x45);
	wr_u8(w, TOS_INTERNET_CONTROL);
	total = wr_mark16(w);
	wr_u32(w, 0); /* RFC 6864 §4.1: no fragment, so the identification says nothing */
	wr_u8(w, TTL_DEFAULT);
	wr_u8(w, IP_PROTO_ICMP);
	wr_u16(w, 0);
	wr_bytes(w, info->sel.dst.b, 4);
	wr_bytes(w, info->sel.src.b, 4);
	from = w->len;
	wr_u8(w, ICMP_UNREACHABLE);
	wr_u8(w, ICMP_FRAG_NEEDED);
	wr_u32(w, 0); /* checksum, and two octets unused */
	wr_u16(w, (uint16_t)mtu);
	wr_bytes(w, data, quote);
	wr_close16(w, total, 0);
	if (!wr_ok(w))
		return;
	ipv4_set_checksum(w->base, IPV4_HDR_LEN);
	wr_patch16(w, from + 2, csum_finish(csum_add(0, w->base + from, w->len - from)));
}

static void write_v6(struct writer *w, const uint8_t *data, size_t quote,
		     const struct ip_info *info, size_t mtu)
{
	size_t l4_len = ICMP_HDR_LEN + quote;
	uint64_t sum;

	wr_u32(w, 6U << 28 | (uint32_t)TOS_INTERNET_CONTROL << 20);
	wr_u16(w, (uint16_t)l4_len);
	wr_u8(w, IP_PROTO_ICMP6);
	wr_u8(w, TTL_DEFAULT);
	wr_bytes(w, info->sel.dst.b, 16);
	wr_bytes(w, info->sel.src.b, 16);
	wr_u8(w, ICMP6_PACKET_TOO_BIG);
	wr_u8(w, 0);
	wr_u16(w, 0);
	wr_u32(w, (uint32_t)mtu);
	wr_bytes(w, data, quote);
	if (!wr_ok(w))
		return;
	sum = csum_pseudo(info->sel.dst.b, info->sel.src.b, 16, IP_PROTO_ICMP6, l4_len);
	wr_patch16(w, IPV6_HDR_LEN + 2, csum_finish(csum_add(sum, w->base + IPV6_HDR_LEN, l4_len)));
}

int icmp_too_big(const uint8_t *data, size_t len, const struct ip_info *info, size_t mtu,
		 uint8_t *buf, size_t cap, size_t *ret_len)
{
	bool v4 = info->version == 4;
	size_t most = v4 ? ICMP4_ERROR_MAX - IPV4_HDR_LEN - ICMP_HDR_LEN
			 : ICMP6_ERROR_MAX - IPV6_HDR_LEN - ICMP_HDR_LEN;
	size_t quote = info->total_len < len ? info->total_len : len;
	struct writer w = wr_init(buf, cap);

	if (!may_tell(data, len, info))
		return ERR_UNSUPPORTED;
	if (quote > most)
		quote = most;
	if (v4)
		write_v4(&w, data, quote, info, mtu);
	else
		write_v6(&w, data, quote, info, mtu);
	if (!wr_ok(&w))
		return ERR_SPACE;
	*ret_len = w.len;
	return 0;
}
