/* payload_sa.c - codec of the SA payload: proposals, transforms, attributes (RFC 7296 §3.3).
 *
 *     SA -> Proposal #1 -> Transform, Transform, ...
 *        -> Proposal #2 -> ...
 *
 * Each level carries "more follows" and its length, and a count of its children; all must agree. A
 * transform with an attribute that we do not know is kept but marked unusable (RFC 7296 §3.3.6). */
#include "vpn/base/err.h"
#include "vpn/wire/payload.h"

#define MORE_PROPOSALS	     2
#define MORE_TRANSFORMS	     3
#define ATTRIBUTE_TV	     0x8000
#define ATTRIBUTE_KEY_LENGTH 14

static void decode_attributes(struct reader *r, struct transform *t)
{
	while (rd_ok(r) && !rd_done(r)) {
		uint16_t type = rd_u16(r);
		uint16_t value = rd_u16(r);

		if (type == (ATTRIBUTE_TV | ATTRIBUTE_KEY_LENGTH)) {
			t->key_bits = value;
			continue;
		}
		t->unusable = true;
		if (!(type & ATTRIBUTE_TV))
			rd_bytes(r, value);
	}
}

static int decode_transform(struct reader *r, bool last, struct transform *ret_t)
{
	struct transform t = {0};
	struct reader body;
	uint8_t more = rd_u8(r);
	uint16_t len;

	rd_u8(r);
	len = rd_u16(r);
	if (!rd_ok(r) || len < 8 || more != (last ? 0 : MORE_TRANSFORMS))
		return ERR_SYNTAX;
	body = rd_sub(r, len - 4u);
	t.type = rd_u8(&body);
	rd_u8(&body);
	t.id = rd_u16(&body);
	decode_attributes(&body, &t);
	if (!rd_done(&body))
		return ERR_SYNTAX;
	*ret_t = t;
	return 0;
}

static int decode_proposal(struct reader *r, struct proposal *p, bool *ret_more)
{
	struct reader body;
	uint8_t more = rd_u8(r);
	uint8_t n, i;
	uint16_t len;
	const uint8_t *spi;

	rd_u8(r);
	len = rd_u16(r);
	if (!rd_ok(r) || len < 8 || (more != 0 && more != MORE_PROPOSALS))
		return ERR_SYNTAX;
	body = rd_sub(r, len - 4u);
	*p = (struct proposal){.number = rd_u8(&body), .protocol = rd_u8(&body)};
	p->spi_len = rd_u8(&body);
	n = rd_u8(&body);
	spi = rd_bytes(&body, p->spi_len);
	if (!rd_ok(&body) || p->spi_len > sizeof(p->spi))
		return ERR_SYNTAX;
	memcpy(p->spi, spi, p->spi_len);
	for (i = 0; i < n; i++) {
		struct transform t;

		if (decode_transform(&body, i + 1 == n, &t))
			return ERR_SYNTAX;
		if (p->n_transforms < PROPOSAL_TRANSFORMS_MAX)
			p->transforms[p->n_transforms++] = t;
	}
	*ret_more = more == MORE_PROPOSALS;
	return rd_done(&body) ? 0 : ERR_SYNTAX;
}

int payload_sa_decode(struct view body, struct proposal_list *list)
{
	struct reader r = rd_init(body.p, body.len);
	struct proposal spare;
	bool more = true;
	uint8_t n = 0;

	while (more) {
		if (decode_proposal(&r, n < PROPOSAL_LIST_MAX ? &list->v[n] : &spare, &more))
			return ERR_SYNTAX;
		if (n < PROPOSAL_LIST_MAX)
			n++;
	}
	if (!rd_done(&r))
		return ERR_SYNTAX;
	list->n = n;
	return 0;
}

static void encode_transform(struct writer *w, const struct transform *t, bool last)
{
	size_t start = w->len;
	size_t len_at;

	wr_u8(w, last ? 0 : MORE_TRANSFORMS);
	wr_u8(w, 0);
	len_at = wr_mark16(w);
	wr_u8(w, t->type);
	wr_u8(w, 0);
	wr_u16(w, t->id);
	if (t->key_bits) {
		wr_u16(w, ATTRIBUTE_TV | ATTRIBUTE_KEY_LENGTH);
		wr_u16(w, t->key_bits);
	}
	wr_close16(w, len_at, start);
}

static void encode_proposal(struct writer *w, const struct proposal *p, bool last)
{
	size_t start = w->len;
	size_t len_at;
	uint8_t i;

	wr_u8(w, last ? 0 : MORE_PROPOSALS);
	wr_u8(w, 0);
	len_at = wr_mark16(w);
	wr_u8(w, p->number);
	wr_u8(w, p->protocol);
	wr_u8(w, p->spi_len);
	wr_u8(w, p->n_transforms);
	wr_bytes(w, p->spi, p->spi_len);
	for (i = 0; i < p->n_transforms; i++)
		encode_transform(w, &p->transforms[i], i + 1 == p->n_transforms);
	wr_close16(w, len_at, start);
}

void payload_sa_encode(struct ike_builder *b, const struct proposal_list *list)
{
	uint8_t i;

	ike_payload_begin(b, PAYLOAD_SA);
	for (i = 0; i < list->n; i++)
		encode_proposal(&b->w, &list->v[i], i + 1 == list->n);
	ike_payload_end(b);
}
