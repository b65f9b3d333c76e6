/* inner.c - from an ESP payload to the IP packet inside (RFC 4303 §2.6, RFC 4301 §5.2,
 * draft-nikander-esp-beet-mode-09 §5).
 *
 * In tunnel mode the payload is the packet, and padding for traffic flow confidentiality may follow
 * it (RFC 4303 §2.7). Otherwise the IP header was left out: its addresses are those of the SA
 * (BEET) or of the outer header (transport), and every other field is taken from the outer header.
 * The next header alone cannot tell BEET from transport; the negotiation does, or what the daemon
 * logged with the key. */
#include "harness/dissect/inner.h"

#include <string.h>

#include "harness/dissect/internal.h"
#include "vpn/base/proto.h"
#include "vpn/wire/packet/octets.h"

#define BEETPH_LEN    4
#define IPV4_OPTS_MAX 40
#define IPV4_VIHL     0x40

struct inner_addrs {
	bool known;
	enum ipsec_mode mode;
	struct ip_addr src, dst;
};

static bool one_address(const struct ts_list *list, struct ip_addr *ret_addr)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (!ip_addr_eq(&list->v[i].lo, &list->v[i].hi) ||
		    !ip_addr_eq(&list->v[i].lo, &list->v[0].lo))
			return false;
	if (list->n)
		*ret_addr = list->v[0].lo;
	return list->n > 0;
}

static struct inner_addrs addresses(const struct facts *f, const struct esp_fact *e,
				    const struct esp_key *key)
{
	const struct ts_list *src = &key->src_ts, *dst = &key->dst_ts;
	struct inner_addrs a = {.known = key->have_sa, .mode = key->mode};
	bool to_initiator;

	if (e->child != FACT_NONE) {
		const struct child_sa_fact *c = &f->children[e->child];

		to_initiator = c->spi_i == e->spi;
		child_direction(c, to_initiator, &src, &dst);
		a.known = true;
		a.mode = c->mode;
	}
	if (a.mode == IPSEC_BEET) {
		a.known = a.known && one_address(src, &a.src) && one_address(dst, &a.dst);
	} else {
		a.src = f->frames[e->frame].ip.sel.src;
		a.dst = f->frames[e->frame].ip.sel.dst;
	}
	return a;
}

/* IPv4 options behind the pseudo header (§5.3 of the draft). */
static bool take_options(struct view *payload, uint8_t *next, struct view *ret_options)
{
	struct reader r = rd_init(payload->p, payload->len);
	uint8_t inner_next = rd_u8(&r), units = rd_u8(&r), pad = rd_u8(&r);
	size_t len = (size_t)units * 8;

	rd_u8(&r);
	if (pad > len || len - pad > IPV4_OPTS_MAX || (len - pad) % 4)
		return false;
	rd_bytes(&r, pad);
	*ret_options = rd_view(&r, len - pad);
	*payload = rd_rest(&r);
	*next = inner_next;
	return rd_ok(&r);
}

static void write_v4(struct writer *w, const struct fact_frame *outer, const struct inner_addrs *a,
		     uint8_t next, struct view options, size_t total, uint16_t id)
{
	size_t hdr_len = IPV4_HDR_LEN + options.len;
	bool same_family = outer->ip.version == 4;

	wr_u8(w, (uint8_t)(IPV4_VIHL | hdr_len / 4));
	wr_u8(w, outer->ip.tos);
	wr_u16(w, (uint16_t)total);
	wr_u16(w, same_family ? outer->ip.id : id);
	wr_u16(w, same_family ? outer->ip.frag_off & IPV4_FLAG_DF : IPV4_FLAG_DF);
	wr_u8(w, outer->ip.ttl);
	wr_u8(w, next);
	wr_u16(w, 0);
	wr_bytes(w, a->src.b, 4);
	wr_bytes(w, a->dst.b, 4);
	wr_bytes(w, options.p, options.len);
	if (wr_ok(w))
		ipv4_set_checksum(w->base, hdr_len);
}

static void write_v6(struct writer *w, const struct fact_frame *outer, const struct inner_addrs *a,
		     uint8_t next, size_t payload_len)
{
	wr_u32(w, (uint32_t)6 << 28 | (uint32_t)outer->ip.tos << 20 |
		      (outer->ip.version == 6 ? outer->ip.flow & 0xfffffu : 0));
	wr_u16(w, (uint16_t)payload_len);
	wr_u8(w, next);
	wr_u8(w, outer->ip.ttl);
	wr_bytes(w, a->src.b, 16);
	wr_bytes(w, a->dst.b, 16);
}

static int take_inner(struct facts *f, struct esp_fact *e, struct view packet)
{
	if (ip_parse(packet.p, packet.len, &e->in))
		return add_problem(f, e->frame,
				   "ESP SPI %08x number %u: what is inside is no IP "
				   "packet (next header %u)",
				   e->spi, e->seq, e->next_header);
	e->inner = (struct view){packet.p, e->in.total_len};
	e->in_src = (struct endpoint){e->in.sel.src, e->in.sel.src_port};
	e->in_dst = (struct endpoint){e->in.sel.dst, e->in.sel.dst_port};
	return 0;
}

static int rebuild(struct facts *f, struct esp_fact *e, struct view payload,
		   const struct inner_addrs *a)
{
	const struct fact_frame *outer = &f->frames[e->frame];
	struct view options = {NULL, 0};
	uint8_t next = e->next_header;
	struct writer w;
	size_t total;
	uint8_t *buf;

	if (next == IP_PROTO_BEETPH && !take_options(&payload, &next, &options))
		return add_problem(f, e->frame,
				   "ESP SPI %08x number %u: malformed BEET pseudo "
				   "header",
				   e->spi, e->seq);
	total = payload.len + (a->src.family == 6 ? IPV6_HDR_LEN : IPV4_HDR_LEN + options.len);
	buf = arena_alloc(&f->arena, total);
	if (!buf)
		return ERR_NOMEM;
	w = wr_init(buf, total);
	if (a->src.family == 6)
		write_v6(&w, outer, a, next, payload.len);
	else
		write_v4(&w, outer, a, next, options, total, (uint16_t)e->seq);
	wr_bytes(&w, payload.p, payload.len);
	return wr_ok(&w) ? take_inner(f, e, (struct view){buf, w.len}) : ERR_SPACE;
}

int inner_rebuild(struct facts *f, struct esp_fact *e, struct view payload,
		  const struct esp_key *key)
{
	struct inner_addrs a = addresses(f, e, key);

	e->have_wire_mode = true;
	if (e->next_header == IP_PROTO_IPV4 || e->next_header == IP_PROTO_IPV6) {
		e->wire_mode = IPSEC_TUNNEL;
		return take_inner(f, e, payload);
	}
	/* No IP header inside, though one was negotiated: that it is not tunnel mode is all that
	 * can be said. */
	e->wire_mode = a.mode == IPSEC_TRANSPORT ? IPSEC_TRANSPORT : IPSEC_BEET;
	if (!a.known || a.mode == IPSEC_TUNNEL || a.src.family != a.dst.family)
		return add_problem(f, e->frame,
				   "ESP SPI %08x number %u: next header %u without an "
				   "IP header, and nothing says which addresses are "
				   "inside",
				   e->spi, e->seq, e->next_header);
	return rebuild(f, e, payload, &a);
}
