/* IKE messages and payloads: round trips, lengths that lie, chains that loop, legality (RFC 7296
 * §3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "vpn/base/err.h"
#include "vpn/wire/legal.h"
#include "vpn/wire/payload.h"

static uint8_t buf[8192];

static struct ike_payloads parse(const struct ike_builder *b)
{
	struct ike_payloads p;

	assert_true(wr_ok(&b->w));
	assert_int_equal(ike_payloads_decode(ike_builder_first(b),
					     (struct view){b->w.base + 1, b->w.len - 1}, &p),
			 0);
	return p;
}

static void a_message_keeps_its_header_and_order(void **state)
{
	struct ike_header hdr = {.spi_i = 0x1122334455667788,
				 .spi_r = 9,
				 .exchange = IKE_AUTH,
				 .flags = IKE_FLAG_INITIATOR,
				 .message_id = 7};
	struct ike_builder b = ike_builder_message(buf, sizeof(buf), &hdr);
	struct ike_payloads p;
	/* RFC 7296 §3.10, §2.6: no protocol, no SPI, type 16390 */
	static const uint8_t cookie[] = {0, 0, 0, 11, 0, 0, 0x40, 0x06, 'x', 'y', 'z'};
	struct ike_header back;
	size_t len;

	(void)state;
	payload_nonce_encode(&b, (struct view){(const uint8_t *)"0123456789abcdef", 16});
	payload_notify_simple(&b, N_COOKIE, (struct view){(const uint8_t *)"xyz", 3});
	len = ike_builder_finish(&b);
	assert_int_equal(len, 28 + 20 + 11);
	assert_memory_equal(buf + 28 + 20, cookie, sizeof(cookie));
	assert_int_equal(ike_header_decode((struct view){buf, len}, &back), 0);
	assert_int_equal(back.spi_i, hdr.spi_i);
	assert_int_equal(back.message_id, 7);
	assert_int_equal(
	    ike_payloads_decode(back.next_payload, (struct view){buf + 28, len - 28}, &p), 0);
	assert_int_equal(p.n, 2);
	assert_int_equal(p.v[0].type, PAYLOAD_NONCE);
	assert_int_equal(p.v[1].type, PAYLOAD_NOTIFY);
	assert_int_equal(ike_header_decode((struct view){buf, len - 1}, &back), ERR_SYNTAX);
}

static void chains_that_lie_are_refused(void **state)
{
	static const struct {
		uint8_t first;
		uint8_t octets[12];
		size_t len;
	} rows[] = {
	    {PAYLOAD_NONCE, {PAYLOAD_NONCE, 0, 0, 0}, 4},	      /* length 0 would loop */
	    {PAYLOAD_NONCE, {0, 0, 0, 3, 0, 0, 0, 0}, 8},	      /* shorter than its header */
	    {PAYLOAD_NONCE, {0, 0, 0, 9, 1, 2, 3, 4}, 8},	      /* longer than the message */
	    {PAYLOAD_NONCE, {PAYLOAD_NONCE, 0, 0, 8, 1, 2, 3, 4}, 8}, /* announces a next one */
	    {PAYLOAD_NONCE, {0, 0, 0, 4, 1, 2, 3, 4}, 8},	      /* octets behind the end */
	    {PAYLOAD_NONE, {1}, 1},
	    {PAYLOAD_NONCE, {0, 0}, 2},
	};
	struct ike_payloads p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(ike_payloads_decode(
				     rows[i].first, (struct view){rows[i].octets, rows[i].len}, &p),
				 ERR_SYNTAX);
}

static void a_chain_of_many_payloads_hits_the_limit(void **state)
{
	struct ike_builder b = ike_builder_chain(buf, sizeof(buf));
	struct ike_payloads p;
	int i;

	(void)state;
	for (i = 0; i <= IKE_PAYLOADS_MAX; i++)
		payload_notify_simple(&b, 1, (struct view){0});
	assert_int_equal(
	    ike_payloads_decode(ike_builder_first(&b), (struct view){buf + 1, b.w.len - 1}, &p),
	    ERR_LIMIT);
}

static void an_sa_payload_round_trips(void **state)
{
	struct proposal in[2] = {
	    {.number = 1,
	     .protocol = PROTOCOL_ESP,
	     .spi_len = 4,
	     .spi = {1, 2, 3, 4},
	     .n_transforms = 2,
	     .transforms = {{.type = 1, .id = 20, .key_bits = 256}, {.type = 5, .id = 1}}},
	    {.number = 2,
	     .protocol = PROTOCOL_ESP,
	     .spi_len = 4,
	     .spi = {5, 6, 7, 8},
	     .n_transforms = 1,
	     .transforms = {{.type = 1, .id = 28}}},
	};
	struct proposal out[PROPOSAL_LIST_MAX];
	struct proposal_list a = {2, in}, list = {0, out};
	struct ike_builder b = ike_builder_chain(buf, sizeof(buf));
	struct ike_payloads p;

	(void)state;
	payload_sa_encode(&b, &a);
	p = parse(&b);
	assert_int_equal(payload_sa_decode(p.v[0].body, &list), 0);
	assert_int_equal(list.n, 2);
	assert_memory_equal(&out[0], &in[0], sizeof(in[0]));
	assert_memory_equal(&out[1], &in[1], sizeof(in[1]));
}

/* Every cut and every changed length of an SA payload is refused or read within its bounds. */
static void damaged_sa_payloads_do_no_harm(void **state)
{
	struct proposal in = {
	    .number = 1,
	    .protocol = PROTOCOL_IKE,
	    .n_transforms = 2,
	    .transforms = {{.type = 1, .id = 12, .key_bits = 128}, {.type = 2, .id = 5}}};
	struct proposal out[PROPOSAL_LIST_MAX];
	struct proposal_list a = {1, &in}, list = {0, out};
	struct ike_builder b = ike_builder_chain(buf, sizeof(buf));
	size_t i;

	(void)state;
	payload_sa_encode(&b, &a);
	for (i = 0; i < b.w.len - 5; i++)
		assert_int_equal(payload_sa_decode((struct view){buf + 5, i}, &list), ERR_SYNTAX);
	buf[5 + 7]++; /* one transform more than there are */
	assert_int_equal(payload_sa_decode((struct view){buf + 5, b.w.len - 5}, &list), ERR_SYNTAX);
}

static void selectors_round_trip_and_unknown_types_are_left_out(void **state)
{
	static const char *const texts[] = {"10.1.0.0/16[tcp/80]", "fdc0:beef:1::/64",
					    "10.0.0.1/32[icmp/8(0)]", "0.0.0.0/0[udp/OPAQUE]"};
	struct ike_builder b = ike_builder_chain(buf, sizeof(buf));
	struct ts_list list = {0}, back;
	struct ike_payloads p;
	struct err_msg msg;
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		char lower[64];
		struct ts ts;

		snprintf(lower, sizeof(lower), "%s", i == 3 ? "0.0.0.0/0[udp/opaque]" : texts[i]);
		assert_int_equal(ts_parse(lower, &ts, &msg), 0);
		assert_int_equal(ts_list_add(&list, &ts), 0);
	}
	payload_ts_encode(&b, PAYLOAD_TSI, &list);
	p = parse(&b);
	assert_int_equal(payload_ts_decode(p.v[0].body, &back), 0);
	assert_true(ts_list_eq(&list, &back));
	ts_list_free(&back);
	buf[5 + 4] = 99; /* the type of the first one */
	assert_int_equal(payload_ts_decode(p.v[0].body, &back), 0);
	assert_int_equal(back.n, 3);
	ts_list_free(&back);
	ts_list_free(&list);
}

static void upside_down_selectors_are_refused(void **state)
{
	uint8_t body[] = {1, 0, 0, 0, 7, 0, 0, 16, 0, 0, 255, 255, 10, 0, 0, 9, 10, 0, 0, 1};
	struct ts_list list;

	(void)state;
	assert_int_equal(payload_ts_decode((struct view){body, sizeof(body)}, &list), ERR_SYNTAX);
	body[19] = 20;
	assert_int_equal(payload_ts_decode((struct view){body, sizeof(body)}, &list), 0);
	ts_list_free(&list);
	body[0] = 2; /* one more than there are */
	assert_int_equal(payload_ts_decode((struct view){body, sizeof(body)}, &list), ERR_SYNTAX);
}

static void nonces_have_16_to_256_octets(void **state)
{
	struct view nonce;

	(void)state;
	assert_int_equal(payload_nonce_decode((struct view){buf, 15}, &nonce), ERR_SYNTAX);
	assert_int_equal(payload_nonce_decode((struct view){buf, 16}, &nonce), 0);
	assert_int_equal(payload_nonce_decode((struct view){buf, 256}, &nonce), 0);
	assert_int_equal(payload_nonce_decode((struct view){buf, 257}, &nonce), ERR_SYNTAX);
}

static void deletes_name_spis_of_the_right_size(void **state)
{
	struct ike_builder b = ike_builder_chain(buf, sizeof(buf));
	uint32_t spis[] = {0x11223344, 0xc0000001};
	uint8_t huge[] = {3, 4, 0xff, 0xff, 1, 2, 3, 4};
	uint8_t wrong[] = {3, 8, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8};
	struct payload_delete d;
	struct ike_payloads p;

	(void)state;
	payload_delete_encode(&b, PROTOCOL_ESP, spis, 2);
	p = parse(&b);
	assert_int_equal(payload_delete_decode(p.v[0].body, &d), 0);
	assert_int_equal(d.n_spis, 2);
	assert_int_equal(payload_delete_spi(&d, 1), 0xc0000001);
	assert_int_equal(payload_delete_decode((struct view){huge, sizeof(huge)}, &d), ERR_SYNTAX);
	assert_int_equal(payload_delete_decode((struct view){wrong, sizeof(wrong)}, &d),
			 ERR_SYNTAX);
}

static struct ike_payloads of_types(const uint8_t *types, size_t n)
{
	struct ike_payloads p = {.n = n};
	size_t i;

	for (i = 0; i < n; i++)
		p.v[i] = (struct ike_payload){.type = types[i] & 0x7f, .critical = types[i] & 0x80};
	return p;
}

static void legality_follows_the_diagrams(void **state)
{
	enum {
		SA = PAYLOAD_SA,
		KE = PAYLOAD_KE,
		NO = PAYLOAD_NONCE,
		SK = PAYLOAD_SK,
		SKF = PAYLOAD_SKF,
		ID = PAYLOAD_IDI
	};
	static const struct {
		uint8_t exchange, types[6];
		size_t n;
		bool response, outside;
		enum legal_verdict want;
	} rows[] = {
	    {IKE_SA_INIT, {SA, KE, NO}, 3, false, true, LEGAL_OK},
	    {IKE_SA_INIT, {NO, SA, KE}, 3, false, true, LEGAL_OK},
	    {IKE_SA_INIT, {SA, KE}, 2, false, true, LEGAL_MISSING},
	    {IKE_SA_INIT, {SA, KE, NO, SA}, 4, false, true, LEGAL_REPEATED},
	    {IKE_SA_INIT, {SA, KE, NO, PAYLOAD_AUTH}, 4, false, true, LEGAL_ALIEN},
	    {IKE_SA_INIT, {SA, KE, NO, 100}, 4, false, true, LEGAL_OK},
	    {IKE_SA_INIT, {SA, KE, NO, 100 | 0x80}, 4, false, true, LEGAL_CRITICAL},
	    {IKE_AUTH, {SK}, 1, false, true, LEGAL_OK},
	    {IKE_AUTH, {SKF}, 1, true, true, LEGAL_OK},
	    {IKE_SA_INIT, {SKF}, 1, false, true, LEGAL_ALIEN},
	    {IKE_AUTH, {ID, SKF}, 2, false, false, LEGAL_ALIEN},
	    {IKE_AUTH, {SA}, 1, false, true, LEGAL_ALIEN},
	    {IKE_AUTH, {ID, PAYLOAD_AUTH}, 2, false, false, LEGAL_OK},
	    {IKE_AUTH, {PAYLOAD_AUTH}, 1, false, false, LEGAL_MISSING},
	    {IKE_AUTH, {ID, SK}, 2, false, false, LEGAL_ALIEN},
	    {CREATE_CHILD_SA, {SA, NO, PAYLOAD_TSI, PAYLOAD_TSR}, 4, false, false, LEGAL_OK},
	    {CREATE_CHILD_SA, {SA, PAYLOAD_TSI, PAYLOAD_TSR}, 3, false, false, LEGAL_MISSING},
	    {INFORMATIONAL, {0}, 0, false, false, LEGAL_OK},
	    {INFORMATIONAL, {KE}, 1, false, false, LEGAL_ALIEN},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ike_payloads p = of_types(rows[i].types, rows[i].n);
		uint8_t type;

		assert_int_equal(
		    legal_check(&p, rows[i].exchange, rows[i].response, rows[i].outside, &type),
		    rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_message_keeps_its_header_and_order),
	    cmocka_unit_test(chains_that_lie_are_refused),
	    cmocka_unit_test(a_chain_of_many_payloads_hits_the_limit),
	    cmocka_unit_test(an_sa_payload_round_trips),
	    cmocka_unit_test(damaged_sa_payloads_do_no_harm),
	    cmocka_unit_test(selectors_round_trip_and_unknown_types_are_left_out),
	    cmocka_unit_test(upside_down_selectors_are_refused),
	    cmocka_unit_test(nonces_have_16_to_256_octets),
	    cmocka_unit_test(deletes_name_spis_of_the_right_size),
	    cmocka_unit_test(legality_follows_the_diagrams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
