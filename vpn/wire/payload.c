/* payload.c - codecs of the simple payloads (RFC 7296 §3.4 to §3.13). SA has a file of its own.
 *
 * RESERVED fields are sent as zero and ignored on receipt (RFC 7296 §2.5). */
#include "vpn/wire/payload.h"

#include "vpn/base/err.h"

int payload_ke_decode(struct view body, struct payload_ke *ret_ke)
{
	struct reader r = rd_init(body.p, body.len);
	struct payload_ke ke;

	ke.group = rd_u16(&r);
	rd_u16(&r);
	ke.data = rd_rest(&r);
	if (!rd_ok(&r) || !ke.data.len)
		return ERR_SYNTAX;
	*ret_ke = ke;
	return 0;
}

void payload_ke_encode(struct ike_builder *b, uint16_t group, struct view data)
{
	ike_payload_begin(b, PAYLOAD_KE);
	wr_u16(&b->w, group);
	wr_u16(&b->w, 0);
	wr_bytes(&b->w, data.p, data.len);
	ike_payload_end(b);
}

/* ID and AUTH share a form: one octet, three reserved, data. */
static int decode_typed(struct view body, uint8_t *ret_type, struct view *ret_data)
{
	struct reader r = rd_init(body.p, body.len);
	uint8_t type = rd_u8(&r);

	rd_bytes(&r, 3);
	if (!rd_ok(&r))
		return ERR_SYNTAX;
	*ret_type = type;
	*ret_data = rd_rest(&r);
	return 0;
}

static void encode_typed(struct ike_builder *b, uint8_t payload, uint8_t type, struct view data)
{
	ike_payload_begin(b, payload);
	wr_u8(&b->w, type);
	wr_zero(&b->w, 3);
	wr_bytes(&b->w, data.p, data.len);
	ike_payload_end(b);
}

int payload_id_decode(struct view body, struct payload_id *ret_id)
{
	return decode_typed(body, &ret_id->type, &ret_id->data);
}

void payload_id_encode(struct ike_builder *b, uint8_t payload, uint8_t id_type, struct view data)
{
	encode_typed(b, payload, id_type, data);
}

int payload_auth_decode(struct view body, struct payload_auth *ret_auth)
{
	return decode_typed(body, &ret_auth->method, &ret_auth->data);
}

void payload_auth_encode(struct ike_builder *b, uint8_t method, struct view data)
{
	encode_typed(b, PAYLOAD_AUTH, method, data);
}

int payload_cert_decode(struct view body, struct payload_cert *ret_cert)
{
	struct reader r = rd_init(body.p, body.len);
	uint8_t encoding = rd_u8(&r);

	if (!rd_ok(&r))
		return ERR_SYNTAX;
	ret_cert->encoding = encoding;
	ret_cert->data = rd_rest(&r);
	return 0;
}

void payload_cert_encode(struct ike_builder *b, uint8_t payload, uint8_t encoding, struct view data)
{
	ike_payload_begin(b, payload);
	wr_u8(&b->w, encoding);
	wr_bytes(&b->w, data.p, data.len);
	ike_payload_end(b);
}

int payload_nonce_decode(struct view body, struct view *ret_nonce)
{
	if (body.len < NONCE_MIN || body.len > NONCE_MAX)
		return ERR_SYNTAX;
	*ret_nonce = body;
	return 0;
}

void payload_nonce_encode(struct ike_builder *b, struct view nonce)
{
	ike_payload_begin(b, PAYLOAD_NONCE);
	wr_bytes(&b->w, nonce.p, nonce.len);
	ike_payload_end(b);
}

int payload_notify_decode(struct view body, struct payload_notify *ret_notify)
{
	struct reader r = rd_init(body.p, body.len);
	struct payload_notify n;
	uint8_t spi_len;

	n.protocol = rd_u8(&r);
	spi_len = rd_u8(&r);
	n.type = rd_u16(&r);
	n.spi = rd_view(&r, spi_len);
	n.data = rd_rest(&r);
	if (!rd_ok(&r))
		return ERR_SYNTAX;
	*ret_notify = n;
	return 0;
}

void payload_notify_encode(struct ike_builder *b, const struct payload_notify *notify)
{
	ike_payload_begin(b, PAYLOAD_NOTIFY);
	wr_u8(&b->w, notify->protocol);
	wr_u8(&b->w, (uint8_t)notify->spi.len);
	wr_u16(&b->w, notify->type);
	wr_bytes(&b->w, notify->spi.p, notify->spi.len);
	wr_bytes(&b->w, notify->data.p, notify->data.len);
	ike_payload_end(b);
}

void payload_notify_simple(struct ike_builder *b, uint16_t type, struct view data)
{
	struct payload_notify n = {.type = type, .data = data};

	payload_notify_encode(b, &n);
}

int payload_delete_decode(struct view body, struct payload_delete *ret_delete)
{
	struct reader r = rd_init(body.p, body.len);
	struct payload_delete d;

	d.protocol = rd_u8(&r);
	d.spi_len = rd_u8(&r);
	d.n_spis = rd_u16(&r);
	d.spis = rd_view(&r, (size_t)d.spi_len * d.n_spis);
	if (!rd_done(&r))
		return ERR_SYNTAX;
	/* RFC 7296 §3.11: the SPI size is 0 for IKE and 4 for AH and ESP. */
	if (d.spi_len != (d.protocol == PROTOCOL_IKE ? 0 : 4))
		return ERR_SYNTAX;
	*ret_delete = d;
	return 0;
}

int payload_skf_decode(struct view body, struct payload_skf *ret_skf)
{
	struct reader r = rd_init(body.p, body.len);
	struct payload_skf f;

	f.number = rd_u16(&r);
	f.total = rd_u16(&r);
	f.sealed = rd_rest(&r);
	if (!rd_ok(&r) || !f.number || f.number > f.total)
		return ERR_SYNTAX;
	*ret_skf = f;
	return 0;
}

uint32_t payload_delete_spi(const struct payload_delete *d, size_t i)
{
	struct reader r = rd_init(d->spis.p, d->spis.len);

	rd_bytes(&r, i * 4);
	return rd_u32(&r);
}

void payload_delete_encode(struct ike_builder *b, uint8_t protocol, const uint32_t *spis, size_t n)
{
	size_t i;

	ike_payload_begin(b, PAYLOAD_DELETE);
	wr_u8(&b->w, protocol);
	wr_u8(&b->w, n ? 4 : 0);
	wr_u16(&b->w, (uint16_t)n);
	for (i = 0; i < n; i++)
		wr_u32(&b->w, spis[i]);
	ike_payload_end(b);
}

void payload_vendor_encode(struct ike_builder *b, struct view id)
{
	ike_payload_begin(b, PAYLOAD_VENDOR);
	wr_bytes(&b->w, id.p, id.len);
	ike_payload_end(b);
}

bool payloads_find_notify(const struct ike_payloads *p, uint16_t type,
			  struct payload_notify *ret_notify)
{
	struct payload_notify n;
	size_t i;

	for (i = 0; i < p->n; i++) {
		if (p->v[i].type == PAYLOAD_NOTIFY && !payload_notify_decode(p->v[i].body, &n) &&
		    n.type == type) {
			*ret_notify = n;
			return true;
		}
	}
	return false;
}

enum ts_type { TS_IPV4_ADDR_RANGE = 7, TS_IPV6_ADDR_RANGE = 8 }; /* RFC 7296 §3.13.1 */

static int decode_selector(struct reader *r, struct ts *ret_ts, bool *ret_known)
{
	uint8_t type = rd_u8(r);
	uint8_t proto = rd_u8(r);
	uint16_t len = rd_u16(r);
	struct reader body;
	struct ts ts = {.proto = proto};
	const uint8_t *lo, *hi;
	size_t n;

	if (!rd_ok(r) || len < 4)
		return ERR_SYNTAX;
	body = rd_sub(r, len - 4u);
	*ret_known = type == TS_IPV4_ADDR_RANGE || type == TS_IPV6_ADDR_RANGE;
	if (!rd_ok(r))
		return ERR_SYNTAX;
	if (!*ret_known)
		return 0;
	n = type == TS_IPV4_ADDR_RANGE ? 4 : 16;
	ts.port_lo = rd_u16(&body);
	ts.port_hi = rd_u16(&body);
	lo = rd_bytes(&body, n);
	hi = rd_bytes(&body, n);
	if (!rd_done(&body))
		return ERR_SYNTAX;
	ts.lo = n == 4 ? ip_addr_from_v4(lo) : ip_addr_from_v6(lo);
	ts.hi = n == 4 ? ip_addr_from_v4(hi) : ip_addr_from_v6(hi);
	if (ip_addr_cmp(&ts.lo, &ts.hi) > 0)
		return ERR_SYNTAX;
	/* A range of ports that is upside down is OPAQUE if it is 65535 to 0, and nonsense
	 * otherwise. */
	if (ts.port_lo > ts.port_hi && !(ts.port_lo == UINT16_MAX && ts.port_hi == 0))
		return ERR_SYNTAX;
	*ret_ts = ts;
	return 0;
}

int payload_ts_decode(struct view body, struct ts_list *ret_list)
{
	struct reader r = rd_init(body.p, body.len);
	struct ts_list list = {0};
	uint8_t n = rd_u8(&r);
	int err = 0;

	rd_bytes(&r, 3);
	while (n-- > 0 && !err) {
		struct ts ts;
		bool known;

		err = decode_selector(&r, &ts, &known);
		if (!err && known)
			err = ts_list_add(&list, &ts);
	}
	if (!err && !rd_done(&r))
		err = ERR_SYNTAX;
	if (err) {
		ts_list_free(&list);
		return err;
	}
	*ret_list = list;
	return 0;
}

static void encode_selector(struct writer *w, const struct ts *ts)
{
	size_t len = ip_addr_len(&ts->lo);

	wr_u8(w, len == 4 ? TS_IPV4_ADDR_RANGE : TS_IPV6_ADDR_RANGE);
	wr_u8(w, ts->proto);
	wr_u16(w, (uint16_t)(8 + 2 * len));
	wr_u16(w, ts->port_lo);
	wr_u16(w, ts->port_hi);
	wr_bytes(w, ts->lo.b, len);
	wr_bytes(w, ts->hi.b, len);
}

void payload_ts_encode(struct ike_builder *b, uint8_t payload, const struct ts_list *list)
{
	size_t i;

	ike_payload_begin(b, payload);
	wr_u8(&b->w, (uint8_t)list->n);
	wr_zero(&b->w, 3);
	for (i = 0; i < list->n; i++)
		encode_selector(&b->w, &list->v[i]);
	ike_payload_end(b);
}
