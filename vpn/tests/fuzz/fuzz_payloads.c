/* fuzz_payloads.c - a chain of payloads through every decoder of vpn/wire, and what decodes through
 * its encoder and back. The first octet is the type of the first payload. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vpn/wire/legal.h"
#include "vpn/wire/payload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint8_t out[70000];

/* Decodes what the encoder has made of a decoded payload; it must be there. */
static struct view reparse(const struct ike_builder *b)
{
	struct ike_payloads p;

	if (!wr_ok(&b->w))
		return (struct view){0};
	if (ike_payloads_decode(ike_builder_first(b), (struct view){b->w.base + 1, b->w.len - 1},
				&p) ||
	    p.n != 1)
		abort();
	return p.v[0].body;
}

static void try_sa(struct view body)
{
	static struct proposal v[2][PROPOSAL_LIST_MAX];
	struct proposal_list list = {0, v[0]}, again = {0, v[1]};
	struct ike_builder b = ike_builder_chain(out, sizeof(out));
	struct view back;
	uint8_t i;

	memset(v, 0, sizeof(v));
	if (payload_sa_decode(body, &list))
		return;
	for (i = 0; i < list.n; i++)
		if (!list.v[i].n_transforms)
			return; /* cannot be written */
	payload_sa_encode(&b, &list);
	back = reparse(&b);
	if (back.p && (payload_sa_decode(back, &again) || again.n != list.n))
		abort();
}

static void try_ts(struct view body)
{
	struct ike_builder b = ike_builder_chain(out, sizeof(out));
	struct ts_list list, again;
	struct view back;
	char text[TS_STRLEN];
	size_t i;

	if (payload_ts_decode(body, &list))
		return;
	for (i = 0; i < list.n; i++)
		ts_format(&list.v[i], text, sizeof(text));
	payload_ts_encode(&b, PAYLOAD_TSI, &list);
	back = reparse(&b);
	if (back.p) {
		if (payload_ts_decode(back, &again) || !ts_list_eq(&list, &again))
			abort();
		ts_list_free(&again);
	}
	ts_list_free(&list);
}

static void try_one(const struct ike_payload *p)
{
	struct payload_ke ke;
	struct payload_id id;
	struct payload_cert cert;
	struct payload_auth auth;
	struct payload_notify n;
	struct payload_delete d;
	struct view nonce;
	size_t i;

	try_sa(p->body);
	try_ts(p->body);
	payload_ke_decode(p->body, &ke);
	payload_id_decode(p->body, &id);
	payload_cert_decode(p->body, &cert);
	payload_auth_decode(p->body, &auth);
	payload_nonce_decode(p->body, &nonce);
	payload_notify_decode(p->body, &n);
	if (!payload_delete_decode(p->body, &d) && d.spi_len == 4)
		for (i = 0; i < d.n_spis; i++)
			payload_delete_spi(&d, i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t exchanges[] = {IKE_SA_INIT, IKE_AUTH, CREATE_CHILD_SA, INFORMATIONAL};
	struct ike_payloads p;
	size_t i;

	if (len < 1 || ike_payloads_decode(data[0], (struct view){data + 1, len - 1}, &p))
		return 0;
	for (i = 0; i < p.n; i++)
		try_one(&p.v[i]);
	for (i = 0; i < 16; i++) {
		uint8_t type;

		legal_check(&p, exchanges[i / 4], i & 1, i & 2, &type);
	}
	return 0;
}
