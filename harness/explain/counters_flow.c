/* counters_flow.c - IP packets, inside ESP or in the clear, summed up by flow; of TCP just what
 * tells whether it makes progress (RFC 9293 §3.4, §3.7.1): the SYN's MSS, how far each side has
 * sent and acknowledged, and the segment that is sent again and again. */
#include "harness/explain/counters.h"
#include "vpn/base/proto.h"
#include "vpn/wire/packet/mss.h"
#include "vpn/wire/packet/octets.h"

enum tcp_flag { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };
enum tcp_option { TCP_OPT_END, TCP_OPT_NOP, TCP_OPT_MSS };

uint64_t flow_hash(size_t place, bool inside, uint8_t proto, const struct endpoint *src,
		   const struct endpoint *dst)
{
	uint64_t h = hash_number(HASH_START, (place * 2 + inside) << 8 | proto);

	h = hash_octets(h, &src->addr, sizeof(src->addr));
	h = hash_octets(h, &dst->addr, sizeof(dst->addr));
	return hash_number(h, (uint64_t)src->port << 16 | dst->port);
}

static int find_flow(struct survey *s, const struct ip_flow *key, struct ip_flow **ret_flow)
{
	uint64_t h = flow_hash(key->place, key->inside, key->proto, &key->src, &key->dst);
	size_t at = map_get(&s->flow_index, h);
	struct ip_flow *f;

	if (at == SIZE_MAX) {
		f = ARRAY_ADD(s->flows, s->n_flows);
		if (!f || map_put(&s->flow_index, h, s->n_flows - 1))
			return ERR_NOMEM;
		*f = *key;
		at = s->n_flows - 1;
	}
	*ret_flow = &s->flows[at];
	return 0;
}

static bool read_mss(struct view options, uint16_t *ret_mss)
{
	struct reader r = rd_init(options.p, options.len);
	uint8_t kind, len;

	while (rd_left(&r)) {
		kind = rd_u8(&r);
		if (kind == TCP_OPT_END)
			return false;
		if (kind == TCP_OPT_NOP)
			continue;
		len = rd_u8(&r);
		if (kind == TCP_OPT_MSS && len == 4) {
			*ret_mss = rd_u16(&r);
			return rd_ok(&r);
		}
		if (len < 2 || !rd_bytes(&r, len - 2u))
			return false;
	}
	return false;
}

/* A segment that ends where the last one ended is the last one again; behind it is progress. */
static void count_data(struct ip_flow *f, uint32_t seq, uint32_t len, struct seen at)
{
	if (!f->have_data || (int32_t)(seq + len - f->top_seq) > 0) {
		f->top_seq = seq + len;
		f->have_data = true;
	}
	if (len > f->data_max)
		f->data_max = len;
	if (f->again && f->again_seq == seq && f->again_len == len) {
		f->again++;
		f->again_last = at;
		return;
	}
	f->again = 1;
	f->again_seq = seq;
	f->again_len = len;
	f->again_first = f->again_last = at;
}

static void count_tcp(struct ip_flow *f, struct view packet, const struct ip_info *info,
		      struct seen at)
{
	struct reader r = rd_at(packet.p, packet.len, info->l4_off + 4);
	uint32_t seq = rd_u32(&r), ack = rd_u32(&r);
	size_t hdr_len = (size_t)(rd_u8(&r) >> 4) * 4;
	uint8_t flags = rd_u8(&r);
	struct view options;

	rd_bytes(&r, 6);
	if (!rd_ok(&r) || hdr_len < TCP_HDR_LEN || info->l4_off + hdr_len > info->total_len)
		return;
	options = rd_view(&r, hdr_len - TCP_HDR_LEN);
	if ((flags & TCP_SYN) && !f->n_syn++) {
		f->syn = at;
		f->synack = flags & TCP_ACK;
		f->have_mss = read_mss(options, &f->mss);
	}
	f->fin |= (flags & TCP_FIN) != 0;
	f->rst |= (flags & TCP_RST) != 0;
	if ((flags & TCP_ACK) && (!f->have_ack || (int32_t)(ack - f->top_ack) > 0)) {
		f->top_ack = ack;
		f->have_ack = true;
	}
	if (!(flags & TCP_SYN) && info->total_len > info->l4_off + hdr_len)
		count_data(f, seq, (uint32_t)(info->total_len - info->l4_off - hdr_len), at);
}

int count_ip(struct survey *s, struct seen at, struct view packet, const struct ip_info *info,
	     bool inside, size_t child, uint32_t spi, size_t *ret_flow)
{
	struct ip_flow key = {.place = at.place,
			      .inside = inside,
			      .child = child,
			      .spi = spi,
			      .proto = info->proto,
			      .src = {info->sel.src, info->sel.src_port},
			      .dst = {info->sel.dst, info->sel.dst_port},
			      .first = at,
			      .ttl = info->ttl,
			      .df = info->df},
		       *f;

	if (find_flow(s, &key, &f))
		return ERR_NOMEM;
	*ret_flow = (size_t)(f - s->flows);
	f->n++;
	f->octets += info->total_len;
	f->last = at;
	if (info->total_len > f->largest_len) {
		f->largest_len = (uint32_t)info->total_len;
		f->largest = at;
	}
	if (info->proto == IP_PROTO_TCP && !info->later_fragment)
		count_tcp(f, packet, info, at);
	return 0;
}
