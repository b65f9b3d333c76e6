/* ike_message.c - the frame of an IKE message (RFC 7296 §3.1, §3.2).
 *
 *      0                   1                   2                   3
 *      | Next Payload  |C|  RESERVED   |         Payload Length        |
 *
 * A payload's length covers its own header, so a length below 4 would loop: it is refused. A
 * builder for a chain without a header keeps the first payload's type in one octet in front of the
 * chain, so that both kinds of chain patch "the last next-payload field" in the same way. */
#include "vpn/wire/ike_message.h"

#include "vpn/base/err.h"

#define NEXT_PAYLOAD_OFFSET 16
#define LENGTH_OFFSET	    24

int ike_header_decode(struct view datagram, struct ike_header *ret_hdr)
{
	struct reader r = rd_init(datagram.p, datagram.len);
	struct ike_header h;

	h.spi_i = rd_u64(&r);
	h.spi_r = rd_u64(&r);
	h.next_payload = rd_u8(&r);
	h.version = rd_u8(&r);
	h.exchange = rd_u8(&r);
	h.flags = rd_u8(&r);
	h.message_id = rd_u32(&r);
	h.length = rd_u32(&r);
	if (!rd_ok(&r) || h.length != datagram.len)
		return ERR_SYNTAX;
	*ret_hdr = h;
	return 0;
}

int ike_payloads_decode(uint8_t first, struct view chain, struct ike_payloads *ret_payloads)
{
	struct reader r = rd_init(chain.p, chain.len);
	uint8_t type = first;
	size_t n = 0;

	while (type != PAYLOAD_NONE) {
		struct ike_payload *p = &ret_payloads->v[n];
		uint8_t next;
		uint16_t len;

		if (n == IKE_PAYLOADS_MAX)
			return ERR_LIMIT;
		next = rd_u8(&r);
		p->type = type;
		p->critical = rd_u8(&r) & 0x80;
		len = rd_u16(&r);
		if (!rd_ok(&r) || len < IKE_PAYLOAD_HEADER_LEN)
			return ERR_SYNTAX;
		p->body = rd_view(&r, len - IKE_PAYLOAD_HEADER_LEN);
		p->inner_first = next;
		if (!rd_ok(&r))
			return ERR_SYNTAX;
		n++;
		/* RFC 7296 §3.14: SK is the last payload; its next-payload field is that of its
		 * content. */
		type = type == PAYLOAD_SK || type == PAYLOAD_SKF ? (uint8_t)PAYLOAD_NONE : next;
	}
	if (!rd_done(&r))
		return ERR_SYNTAX;
	ret_payloads->n = n;
	return 0;
}

const struct ike_payload *ike_payload_find(const struct ike_payloads *p, uint8_t type, size_t i)
{
	size_t k;

	for (k = 0; k < p->n; k++)
		if (p->v[k].type == type && i-- == 0)
			return &p->v[k];
	return NULL;
}

struct ike_builder ike_builder_message(void *buf, size_t cap, const struct ike_header *hdr)
{
	struct ike_builder b = {.w = wr_init(buf, cap), .next_at = NEXT_PAYLOAD_OFFSET};

	wr_u64(&b.w, hdr->spi_i);
	wr_u64(&b.w, hdr->spi_r);
	wr_u8(&b.w, PAYLOAD_NONE);
	wr_u8(&b.w, IKE_VERSION);
	wr_u8(&b.w, hdr->exchange);
	wr_u8(&b.w, hdr->flags);
	wr_u32(&b.w, hdr->message_id);
	wr_u32(&b.w, 0);
	return b;
}

struct ike_builder ike_builder_chain(void *buf, size_t cap)
{
	struct ike_builder b = {.w = wr_init(buf, cap), .next_at = 0};

	wr_u8(&b.w, PAYLOAD_NONE);
	return b;
}

uint8_t ike_builder_first(const struct ike_builder *b)
{
	return b->w.len ? b->w.base[0] : (uint8_t)PAYLOAD_NONE;
}

void ike_payload_begin(struct ike_builder *b, uint8_t type)
{
	wr_patch8(&b->w, b->next_at, type);
	b->payload_at = b->next_at = b->w.len;
	wr_u8(&b->w, PAYLOAD_NONE);
	wr_u8(&b->w, 0);
	wr_u16(&b->w, 0);
}

void ike_payload_end(struct ike_builder *b)
{
	wr_close16(&b->w, b->payload_at + 2, b->payload_at);
}

size_t ike_builder_finish(struct ike_builder *b)
{
	wr_patch32(&b->w, LENGTH_OFFSET, (uint32_t)b->w.len);
	return wr_ok(&b->w) ? b->w.len : 0;
}
