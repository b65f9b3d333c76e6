/* mss.c - clamping the MSS option of SYN and SYN/ACK.
 *
 * Clamping only ever lowers: a host that announced little has a reason. The option may stand at an
 * odd offset, where its octets belong to two words of the checksum; RFC 1071 §2 (B) lets the sum be
 * taken with both words swapped. */
#include "vpn/wire/packet/mss.h"

#include "vpn/base/proto.h"
#include "vpn/wire/packet/csum.h"
#include "vpn/wire/packet/octets.h"

enum { TCP_OPT_END = 0, TCP_OPT_NOP = 1, TCP_OPT_MSS = 2, TCP_OPT_MSS_LEN = 4 };
enum { TCP_FLAG_SYN = 0x02, TCP_OFF_FLAGS = 12, TCP_OFF_CHECKSUM = 16 };

/* Where in the packet the option's value stands, or 0. */
static size_t find_mss(const uint8_t *data, const struct ip_info *info)
{
	struct reader r = rd_at(data, info->total_len, info->l4_off + TCP_OFF_FLAGS);
	size_t hdr_len = (size_t)(rd_u8(&r) >> 4) * 4;
	bool syn = rd_u8(&r) & TCP_FLAG_SYN;
	uint8_t kind, len;

	if (!rd_ok(&r) || !syn || hdr_len < TCP_HDR_LEN)
		return 0;
	r = rd_at(data, info->total_len, info->l4_off + TCP_HDR_LEN);
	r = rd_sub(&r, hdr_len - TCP_HDR_LEN);
	while (rd_left(&r)) {
		kind = rd_u8(&r);
		if (kind == TCP_OPT_END)
			return 0;
		if (kind == TCP_OPT_NOP)
			continue;
		len = rd_u8(&r);
		if (len < 2)
			return 0;
		if (kind == TCP_OPT_MSS && len == TCP_OPT_MSS_LEN)
			return rd_bytes(&r, 2) ? (size_t)(r.p - data) - 2 : 0;
		rd_bytes(&r, len - 2U);
	}
	return 0;
}

static uint16_t swap16(uint16_t v)
{
	return (uint16_t)(v << 8 | v >> 8);
}

bool mss_clamp(uint8_t *data, size_t len, const struct ip_info *info, uint16_t max)
{
	struct writer w = wr_over(data, len);
	size_t at, check_at = info->l4_off + TCP_OFF_CHECKSUM;
	uint16_t from, to = max;
	bool odd;

	if (info->proto != IP_PROTO_TCP || info->later_fragment || info->total_len > len)
		return false;
	at = find_mss(data, info);
	if (!at)
		return false;
	from = get_u16(data, len, at);
	if (from <= max)
		return false;
	wr_patch16(&w, at, to);
	odd = (at - info->l4_off) % 2;
	wr_patch16(&w, check_at,
		   csum_update16(get_u16(data, len, check_at), odd ? swap16(from) : from,
				 odd ? swap16(to) : to));
	return true;
}
