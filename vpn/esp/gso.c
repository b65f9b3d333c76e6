/* gso.c - cutting a super-packet into segments (what Linux calls GSO).
 *
 * Segment i carries payload [i * size, ...) behind a copy of the headers. IPv4 identification
 * counts up, the TCP sequence number moves on, FIN and PSH stand on the last segment only and CWR
 * on the first (RFC 3168 §6.1.2). The transport checksum is computed afresh. */
#include "vpn/esp/gso.h"

#include <string.h>

#include "vpn/base/proto.h"
#include "vpn/wire/packet/csum.h"
#include "vpn/wire/packet/octets.h"

enum { UDP_HDR_LEN = 8, TCP_HDR_LEN = 20, UDP_CHECK = 6, TCP_CHECK = 16 };
enum { TCP_SEQ = 4, TCP_DATA_OFFSET = 12, TCP_FLAGS = 13 };
enum { TCP_FIN = 0x01, TCP_PSH = 0x08, TCP_CWR = 0x80 };

int gso_complete_checksum(uint8_t *data, size_t len, const struct gso *gso)
{
	struct writer w = wr_over(data, len);
	size_t at = (size_t)gso->csum_start + gso->csum_offset;
	uint16_t sum;

	if (at + 2 > len)
		return ERR_SYNTAX;
	sum = csum_finish(csum_add(0, data + gso->csum_start, len - gso->csum_start));
	wr_patch16(&w, at, sum ? sum : 0xffff); /* RFC 768: zero would mean none */
	return 0;
}

static size_t transport_len(const uint8_t *data, const struct ip_info *info, enum gso_type type)
{
	struct reader r = rd_at(data, info->total_len, info->l4_off + TCP_DATA_OFFSET);
	size_t len = (size_t)(rd_u8(&r) >> 4) * 4;

	if (type == GSO_UDP)
		return info->proto == IP_PROTO_UDP ? UDP_HDR_LEN : 0;
	return info->proto == IP_PROTO_TCP && len >= TCP_HDR_LEN ? len : 0;
}

int gso_plan(const uint8_t *data, const struct ip_info *info, const struct gso *gso,
	     struct gso_plan *ret_plan)
{
	struct gso_plan p = {.n = 1};
	size_t l4;

	if (gso->type == GSO_NONE) {
		p.payload = p.size = info->total_len;
		*ret_plan = p;
		return 0;
	}
	l4 = transport_len(data, info, gso->type);
	p.hdr_len = info->l4_off + l4;
	if (!l4 || !gso->size || info->fragment || p.hdr_len >= info->total_len)
		return ERR_SYNTAX;
	p.payload = info->total_len - p.hdr_len;
	p.size = gso->size;
	p.n = (p.payload + p.size - 1) / p.size;
	*ret_plan = p;
	return 0;
}

size_t gso_segment_len(const struct gso_plan *plan, size_t i)
{
	size_t at = i * plan->size;

	return plan->hdr_len + (plan->payload - at < plan->size ? plan->payload - at : plan->size);
}

static void fix_ip(struct writer *w, const struct ip_info *info, size_t i)
{
	if (info->version == 6) {
		wr_patch16(w, 4, w->len - IPV6_HDR_LEN);
		return;
	}
	wr_patch16(w, 2, w->len);
	wr_patch16(w, 4, (uint16_t)(info->id + i));
	ipv4_set_checksum(w->base, info->hdr_len);
}

static void fix_tcp(struct writer *w, const struct ip_info *info, const struct gso_plan *plan,
		    size_t i)
{
	size_t at = info->l4_off;
	struct reader r = rd_at(w->base, w->len, at + TCP_SEQ);
	uint32_t seq = rd_u32(&r);
	uint8_t flags;

	rd_u32(&r);
	rd_u8(&r);
	flags = rd_u8(&r);
	if (i + 1 < plan->n)
		flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	if (i > 0)
		flags &= (uint8_t)~TCP_CWR;
	wr_patch32(w, at + TCP_SEQ, seq + (uint32_t)(i * plan->size));
	wr_patch8(w, at + TCP_FLAGS, flags);
}

static void fix_transport_checksum(struct writer *w, const struct ip_info *info, size_t check_off)
{
	size_t at = info->l4_off + check_off;
	size_t l4_len = w->len - info->l4_off;
	uint64_t sum;
	uint16_t check;

	wr_patch16(w, at, 0);
	sum = csum_pseudo(info->sel.src.b, info->sel.dst.b, ip_addr_len(&info->sel.src),
			  info->proto, l4_len);
	check = csum_finish(csum_add(sum, w->base + info->l4_off, l4_len));
	wr_patch16(w, at, check ? check : 0xffff);
}

void gso_segment(const uint8_t *data, const struct ip_info *info, const struct gso *gso,
		 const struct gso_plan *plan, size_t i, uint8_t *out)
{
	size_t len = gso_segment_len(plan, i);
	struct writer w = wr_over(out, len);

	memcpy(out, data, plan->hdr_len);
	memcpy(out + plan->hdr_len, data + plan->hdr_len + i * plan->size, len - plan->hdr_len);
	fix_ip(&w, info, i);
	if (gso->type == GSO_TCP)
		fix_tcp(&w, info, plan, i);
	else
		wr_patch16(&w, info->l4_off + 4, len - info->l4_off);
	fix_transport_checksum(&w, info, gso->type == GSO_TCP ? TCP_CHECK : UDP_CHECK);
}
