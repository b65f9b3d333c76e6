/* beet.c - the BEET header transformations, octet for octet as Linux does them (a test compares
 * with a capture of strongSwan 6 on a kernel's BEET SAs).
 *
 * Sender, IPv4 with 8 octets of options (O), ph is the pseudo header:
 *
 *     | IPv4 header, 20 | O 8 | L4 ... |      ->              | ph 8 | O 8 | L4 ... |
 *
 * The pseudo header is 4 octets, or 8 if the options fill whole units of 8, so that ESP sees
 * payloads in steps of 8. It overlays the end of the header that it replaces: nothing is moved.
 *
 * A UDP socket does not show identification and DF of what it receives. Then DF is left clear and
 * the caller's id, which differs from packet to packet, is used (RFC 6864 §4.1 wants it unique in a
 * packet that may be fragmented). */
#include "vpn/esp/beet.h"

#include <string.h>

#include "vpn/base/proto.h"
#include "vpn/wire/packet/octets.h"

enum { PH_LEN = 4, PH_MAX_LEN = 8, IPV4_OPTIONS_MAX = 40, IPOPT_NOP = 1 };

static void write_pseudo_header(uint8_t *at, size_t ph_len, size_t opt_len, uint8_t next)
{
	struct writer w = wr_init(at, ph_len);
	size_t i, pad = ph_len - PH_LEN;

	wr_u8(&w, next);
	wr_u8(&w, (uint8_t)(opt_len / 8));
	wr_u8(&w, (uint8_t)pad);
	wr_u8(&w, 0);
	for (i = 0; i < pad; i++)
		wr_u8(&w, IPOPT_NOP);
}

enum esp_drop beet_strip(struct packet *p, uint8_t *ret_next)
{
	const struct ip_info *ip = &p->inner;
	size_t opt_len, ph_len;

	if (ip->version == 4 && ip->fragment)
		return ESP_DROP_FRAGMENT;
	packet_trim(p, ip->total_len);
	if (ip->version == 6 ||
	    (ip->hdr_len == IPV4_HDR_LEN && ip->first_proto != IP_PROTO_BEETPH)) {
		packet_pull(p, ip->hdr_len);
		*ret_next = ip->first_proto;
		return ESP_DROP_NONE;
	}
	opt_len = ip->hdr_len - IPV4_HDR_LEN;
	ph_len = opt_len % 8 ? PH_LEN : PH_MAX_LEN;
	packet_pull(p, IPV4_HDR_LEN - ph_len);
	write_pseudo_header(p->data, ph_len, opt_len, ip->first_proto);
	*ret_next = IP_PROTO_BEETPH;
	return ESP_DROP_NONE;
}

/* Takes the pseudo header off; the options stay in front of the payload. */
static enum esp_drop read_pseudo_header(struct packet *p, uint8_t *next, size_t *ret_opt_len)
{
	struct reader r = rd_init(p->data, p->len);
	uint8_t real_next = rd_u8(&r);
	size_t units = rd_u8(&r);
	size_t pad = rd_u8(&r);
	size_t opt_len;

	rd_u8(&r);
	if (!rd_ok(&r) || pad > 4 || pad % 4)
		return ESP_DROP_BEET_OPTIONS;
	opt_len = units * 8 + 4 - pad;
	if (opt_len > IPV4_OPTIONS_MAX || p->len < PH_LEN + pad + opt_len)
		return ESP_DROP_BEET_OPTIONS;
	packet_pull(p, PH_LEN + pad);
	*next = real_next;
	*ret_opt_len = opt_len;
	return ESP_DROP_NONE;
}

/* Makes n octets free in front, if need be by moving the payload into the room behind it. */
static bool make_room(struct packet *p, size_t n)
{
	size_t missing = n > p->headroom ? n - p->headroom : 0;

	if (missing > p->tailroom)
		return false;
	if (missing) {
		memmove(p->data + missing, p->data, p->len);
		p->data += missing;
		p->headroom += missing;
		p->tailroom -= missing;
	}
	return true;
}

static void write_v4(struct packet *p, size_t opt_len, uint8_t proto, const struct ip_addr *src,
		     const struct ip_addr *dst, uint16_t id)
{
	const struct outer_hdr *o = &p->outer;
	struct writer w = wr_init(p->data, IPV4_HDR_LEN);

	wr_u8(&w, (uint8_t)(0x45 + opt_len / 4));
	wr_u8(&w, o->tos);
	wr_u16(&w, (uint16_t)p->len);
	wr_u16(&w, o->no_id ? id : o->id);
	wr_u16(&w, o->no_id ? 0 : o->frag_off & IPV4_FLAG_DF);
	wr_u8(&w, o->ttl);
	wr_u8(&w, proto);
	wr_u16(&w, 0);
	wr_bytes(&w, src->b, 4);
	wr_bytes(&w, dst->b, 4);
	ipv4_set_checksum(p->data, IPV4_HDR_LEN + opt_len);
}

static void write_v6(struct packet *p, uint8_t proto, const struct ip_addr *src,
		     const struct ip_addr *dst)
{
	const struct outer_hdr *o = &p->outer;
	struct writer w = wr_init(p->data, IPV6_HDR_LEN);

	wr_u32(&w, 6U << 28 | (uint32_t)o->tos << 20 | (o->flow & 0xfffff));
	wr_u16(&w, (uint16_t)(p->len - IPV6_HDR_LEN));
	wr_u8(&w, proto);
	wr_u8(&w, o->ttl);
	wr_bytes(&w, src->b, 16);
	wr_bytes(&w, dst->b, 16);
}

enum esp_drop beet_rebuild(struct packet *p, uint8_t next, const struct ip_addr *src,
			   const struct ip_addr *dst, uint16_t id)
{
	size_t hdr_len = src->family == 6 ? IPV6_HDR_LEN : IPV4_HDR_LEN;
	size_t opt_len = 0;
	enum esp_drop drop;

	if (next == IP_PROTO_BEETPH && src->family == 4) {
		drop = read_pseudo_header(p, &next, &opt_len);
		if (drop)
			return drop;
	}
	if (hdr_len + p->len > UINT16_MAX)
		return ESP_DROP_INNER;
	if (!make_room(p, hdr_len))
		return ESP_DROP_SPACE;
	packet_push(p, hdr_len);
	if (src->family == 6)
		write_v6(p, next, src, dst);
	else
		write_v4(p, opt_len, next, src, dst, id);
	return ESP_DROP_NONE;
}
