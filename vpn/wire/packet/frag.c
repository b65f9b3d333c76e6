/* frag.c - IPv4 fragmentation, of whole packets and of fragments. All fragments keep the header's
 * length: in the later ones, options that must not be copied (RFC 791 §3.1, copied flag) become
 * no-operations. */
#include "vpn/wire/packet/frag.h"

#include <string.h>

#include "vpn/wire/packet/octets.h"

enum { OPT_END = 0, OPT_NOP = 1, OPT_COPIED = 0x80 };

static size_t payload_len(const struct ip_info *info)
{
	return info->total_len - info->hdr_len;
}

int ipv4_frag_plan(const struct ip_info *info, size_t mtu, struct ipv4_frag_plan *ret_plan)
{
	size_t per;

	if (info->version != 4 || info->df)
		return ERR_INVALID;
	if (mtu < info->hdr_len + 8)
		return ERR_SPACE;
	per = (mtu - info->hdr_len) & ~(size_t)7;
	ret_plan->per = per;
	ret_plan->n = payload_len(info) ? (payload_len(info) + per - 1) / per : 1;
	return 0;
}

size_t ipv4_frag_len(const struct ip_info *info, const struct ipv4_frag_plan *plan, size_t i)
{
	size_t left = payload_len(info) - i * plan->per;

	return info->hdr_len + (left < plan->per ? left : plan->per);
}

static void blank_options(uint8_t *hdr, size_t hdr_len)
{
	struct reader r = rd_at(hdr, hdr_len, IPV4_HDR_LEN);
	size_t at;
	uint8_t kind, len;

	while (rd_left(&r)) {
		at = (size_t)(r.p - hdr);
		kind = rd_u8(&r);
		if (kind == OPT_END)
			return;
		if (kind == OPT_NOP)
			continue;
		len = rd_u8(&r);
		if (len < 2 || !rd_bytes(&r, len - 2U))
			return;
		if (!(kind & OPT_COPIED))
			memset(hdr + at, OPT_NOP, len);
	}
}

void ipv4_fragment(const uint8_t *data, const struct ip_info *info,
		   const struct ipv4_frag_plan *plan, size_t i, uint8_t *out)
{
	size_t len = ipv4_frag_len(info, plan, i);
	struct writer w = wr_over(out, len);
	size_t units = (info->frag_off & IPV4_OFFSET) + i * plan->per / 8;
	bool more = i + 1 < plan->n || (info->frag_off & IPV4_FLAG_MF);

	memcpy(out, data, info->hdr_len);
	memcpy(out + info->hdr_len, data + info->hdr_len + i * plan->per, len - info->hdr_len);
	if (i > 0)
		blank_options(out, info->hdr_len);
	wr_patch16(&w, 2, len);
	wr_patch16(&w, 6, (more ? IPV4_FLAG_MF : 0) | (units & IPV4_OFFSET));
	ipv4_set_checksum(out, info->hdr_len);
}
