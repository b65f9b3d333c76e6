/* test_esp_bad.c - what must not get through: each reason to drop a received packet, and that it
 * leaves the SA as it was. */
#include "vpn/tests/esp_fixture.h"

#define A4 "10.0.0.1"
#define B4 "10.0.0.2"

static void check_unchanged(const struct pair *pair, uint64_t highest)
{
	assert_int_equal(replay_highest(pair->in->replay), highest);
	assert_int_equal(pair->in->stats.packets, highest ? 1 : 0);
}

static void test_any_changed_octet_fails_and_changes_nothing(void **state)
{
	struct pair pair = fix_simple(IPSEC_TUNNEL, A4, B4);
	struct buffer b;
	size_t i;

	(void)state;
	for (i = 0; i < 120; i++) {
		struct packet p = fix_ping(&b, A4, B4);

		pair.out->seq = 0;
		assert_int_equal(fix_seal(&pair, &p), ESP_DROP_NONE);
		p.data[i] ^= 0x10;
		assert_int_equal(fix_open(&pair, &p), i < 4 ? ESP_DROP_NO_SA : ESP_DROP_ICV);
		assert_null(p.sa);
		check_unchanged(&pair, 0);
	}
	fix_free(&pair);
}

static void test_any_truncation_fails(void **state)
{
	struct pair pair = fix_simple(IPSEC_TUNNEL, A4, B4);
	struct buffer b;
	size_t len;

	(void)state;
	for (len = 0; len < 120; len++) {
		struct packet p = fix_ping(&b, A4, B4);

		assert_int_equal(fix_seal(&pair, &p), ESP_DROP_NONE);
		packet_trim(&p, len);
		assert_int_equal(fix_open(&pair, &p), len < 34 ? ESP_DROP_SHORT : ESP_DROP_ICV);
	}
	check_unchanged(&pair, 0);
	fix_free(&pair);
}

static void test_cbc_payload_must_be_whole_blocks(void **state)
{
	struct ipsec_sa d = fix_desc(IPSEC_TUNNEL, A4, B4);
	struct buffer b;
	struct pair pair;
	struct packet p;

	(void)state;
	fix_set_alg(&d, ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_256_128, false);
	pair = fix_pair(&d);
	p = fix_ping(&b, A4, B4);
	assert_int_equal(fix_seal(&pair, &p), ESP_DROP_NONE);
	packet_trim(&p, p.len - 1);
	assert_int_equal(fix_open(&pair, &p), ESP_DROP_SHORT);
	fix_free(&pair);
}

static void test_a_packet_opens_once(void **state)
{
	struct pair pair = fix_simple(IPSEC_TUNNEL, A4, B4);
	struct buffer b, copy;
	struct packet p = fix_ping(&b, A4, B4), q;

	(void)state;
	assert_int_equal(fix_seal(&pair, &p), ESP_DROP_NONE);
	copy = b;
	q = p;
	q.data = copy.octets + (p.data - b.octets);
	assert_int_equal(fix_open(&pair, &p), ESP_DROP_NONE);
	assert_int_equal(fix_open(&pair, &q), ESP_DROP_REPLAYED);
	check_unchanged(&pair, 1);
	fix_free(&pair);
}

/* Both copies pass the first check of the window; the second one must fail the second. */
static void test_a_packet_twice_in_one_batch_opens_once(void **state)
{
	struct pair pair = fix_simple(IPSEC_TUNNEL, A4, B4);
	struct buffer b, copy;
	struct packet batch[2];

	(void)state;
	batch[0] = fix_ping(&b, A4, B4);
	assert_int_equal(fix_seal(&pair, &batch[0]), ESP_DROP_NONE);
	copy = b;
	batch[1] = batch[0];
	batch[1].data = copy.octets + (batch[0].data - b.octets);
	esp_open(pair.sad, batch, 2, 0);
	assert_int_equal(batch[0].drop, ESP_DROP_NONE);
	assert_int_equal(batch[1].drop, ESP_DROP_REPLAYED);
	check_unchanged(&pair, 1);
	fix_free(&pair);
}

static void test_a_packet_behind_the_window_is_old(void **state)
{
	struct pair pair = fix_simple(IPSEC_TUNNEL, A4, B4);
	struct buffer b;
	struct packet p;

	(void)state;
	assert_int_equal(replay_commit(pair.in->replay, 65), REPLAY_OK);
	p = fix_ping(&b, A4, B4);
	assert_int_equal(fix_seal(&pair, &p), ESP_DROP_NONE);
	assert_int_equal(fix_open(&pair, &p), ESP_DROP_OLD);
	p = fix_ping(&b, A4, B4);
	assert_int_equal(fix_seal(&pair, &p), ESP_DROP_NONE);
	assert_int_equal(fix_open(&pair, &p), ESP_DROP_NONE);
	fix_free(&pair);
}

/* A packet of payload `inner`, then padding as given, then next header. */
static enum esp_drop open_forged(struct pair *pair, const void *inner, size_t len,
				 const uint8_t *trailer, size_t trailer_len)
{
	static struct buffer b;
	uint8_t plain[512];
	struct packet p;

	memcpy(plain, inner, len);
	memcpy(plain + len, trailer, trailer_len);
	p = fix_forge(pair, &b, plain, len + trailer_len);
	return fix_open(pair, &p);
}

/* RFC 4303 §2.4: 1, 2, 3, ... */
static void test_padding_is_inspected(void **state)
{
	static const struct {
		uint8_t trailer[6];
		size_t len;
		enum esp_drop drop;
	} c[] = {{{0, 4}, 2, ESP_DROP_NONE},
		 {{1, 2, 3, 3, 4}, 5, ESP_DROP_NONE},
		 {{1, 2, 4, 3, 4}, 5, ESP_DROP_PADDING},
		 {{0, 0, 0, 3, 4}, 5, ESP_DROP_PADDING},
		 {{0, 1, 2, 3, 4}, 5, ESP_DROP_PADDING},
		 {{255, 4}, 2, ESP_DROP_PADDING}};
	struct pair pair = fix_simple(IPSEC_TUNNEL, A4, B4);
	struct buffer b;
	struct packet inner = fix_ping(&b, A4, B4);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++)
		assert_int_equal(open_forged(&pair, inner.data, inner.len, c[i].trailer, c[i].len),
				 c[i].drop);
	fix_free(&pair);
}

static void test_padding_longer_than_the_payload(void **state)
{
	static const uint8_t trailer[2] = {3, 4};
	struct pair pair = fix_simple(IPSEC_TUNNEL, A4, B4);

	(void)state;
	assert_int_equal(open_forged(&pair, "\2\3", 2, trailer, 2), ESP_DROP_PADDING);
	assert_int_equal(open_forged(&pair, "\1\2\3", 3, trailer, 2), ESP_DROP_INNER);
	fix_free(&pair);
}

/* RFC 4303 §2.6: a dummy packet is discarded, and still is a sign of life. */
static void test_dummy_packet_is_discarded_and_counts_as_life(void **state)
{
	static const uint8_t trailer[2] = {0, IP_PROTO_NONE};
	struct pair pair = fix_simple(IPSEC_TUNNEL, A4, B4);

	(void)state;
	assert_int_equal(open_forged(&pair, "anything", 8, trailer, 2), ESP_DROP_DUMMY);
	assert_int_equal(pair.in->stats.packets, 0);
	assert_int_equal(pair.in->stats.last_use, 2000);
	assert_int_equal(replay_highest(pair.in->replay), 1);
	fix_free(&pair);
}

static void test_next_header_must_be_that_of_the_mode(void **state)
{
	static const struct {
		uint8_t next;
		enum esp_drop drop;
	} c[] = {{IP_PROTO_IPV4, ESP_DROP_NONE},
		 {IP_PROTO_IPV6, ESP_DROP_NEXT_HEADER},
		 {IP_PROTO_ICMP, ESP_DROP_NEXT_HEADER},
		 {0, ESP_DROP_NEXT_HEADER}};
	struct pair pair = fix_simple(IPSEC_TUNNEL, A4, B4);
	struct buffer b;
	struct packet inner = fix_ping(&b, A4, B4);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		uint8_t trailer[2] = {0, c[i].next};

		assert_int_equal(open_forged(&pair, inner.data, inner.len, trailer, 2), c[i].drop);
	}
	fix_free(&pair);
}

static void test_malformed_inner_packets(void **state)
{
	static const uint8_t trailer[2] = {0, IP_PROTO_IPV4};
	struct pair pair = fix_simple(IPSEC_TUNNEL, A4, B4);
	struct buffer b;
	struct packet inner = fix_ping(&b, A4, B4);
	size_t i;

	(void)state;
	assert_int_equal(open_forged(&pair, "", 0, trailer, 2), ESP_DROP_INNER);
	for (i = 1; i < inner.len; i++)
		assert_int_equal(open_forged(&pair, inner.data, i, trailer, 2), ESP_DROP_INNER);
	inner.data[0] = 0x44; /* header of 16 octets */
	assert_int_equal(open_forged(&pair, inner.data, inner.len, trailer, 2), ESP_DROP_INNER);
	inner.data[0] =
	    0x4f; /* of 60, then the rest is shorter than the selectors need, but sound */
	assert_int_equal(open_forged(&pair, inner.data, inner.len, trailer, 2), ESP_DROP_NONE);
	inner.data[0] = 0x75;
	assert_int_equal(open_forged(&pair, inner.data, inner.len, trailer, 2), ESP_DROP_INNER);
	fix_free(&pair);
}

/* RFC 4301 §5.2: the peer may send only what was negotiated for this SA. */
static void test_inner_packet_outside_the_selectors(void **state)
{
	static const struct {
		const char *src, *dst;
		uint8_t proto;
		uint16_t frag_off;
		enum esp_drop drop;
	} c[] = {{"10.0.0.1", "10.1.0.1", IP_PROTO_UDP, 0, ESP_DROP_NONE},
		 {"10.0.0.255", "10.1.0.255", IP_PROTO_UDP, 0, ESP_DROP_NONE},
		 {"10.0.1.0", "10.1.0.1", IP_PROTO_UDP, 0, ESP_DROP_SELECTOR},
		 {"10.0.0.1", "10.1.1.0", IP_PROTO_UDP, 0, ESP_DROP_SELECTOR},
		 {"10.1.0.1", "10.0.0.1", IP_PROTO_UDP, 0, ESP_DROP_SELECTOR},
		 {"10.0.0.1", "10.1.0.1", IP_PROTO_TCP, 0, ESP_DROP_SELECTOR},
		 {"10.0.0.1", "10.1.0.1", IP_PROTO_UDP, 100, ESP_DROP_SELECTOR}};
	struct pair pair = fix_simple(IPSEC_TUNNEL, "10.0.0.0/24", "10.1.0.0/24[udp/0-1000]");
	struct buffer b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		struct packet p = fix_inner(&b, &(struct inner_spec){.src = c[i].src,
								     .dst = c[i].dst,
								     .proto = c[i].proto,
								     .frag_off = c[i].frag_off,
								     .len = 16});

		assert_int_equal(fix_seal(&pair, &p), ESP_DROP_NONE);
		assert_int_equal(fix_open(&pair, &p), c[i].drop);
	}
	fix_free(&pair);
}

/* RFC 6040 §4.2: congestion marked, but the inner packet cannot carry the mark. */
static void test_congestion_mark_on_a_packet_that_is_not_capable(void **state)
{
	struct pair pair = fix_simple(IPSEC_TUNNEL, A4, B4);
	struct buffer b;
	struct packet p = fix_ping(&b, A4, B4);

	(void)state;
	assert_int_equal(fix_seal(&pair, &p), ESP_DROP_NONE);
	p.outer.tos = 3;
	assert_int_equal(fix_open(&pair, &p), ESP_DROP_ECN);
	fix_free(&pair);
}

static void test_no_room_is_an_error_and_no_overflow(void **state)
{
	struct pair pair = fix_simple(IPSEC_TUNNEL, A4, B4);
	struct buffer b;
	struct packet p = fix_ping(&b, A4, B4);

	(void)state;
	p.headroom = 15;
	assert_int_equal(fix_seal(&pair, &p), ESP_DROP_SPACE);
	p = fix_ping(&b, A4, B4);
	p.tailroom = 19;
	assert_int_equal(fix_seal(&pair, &p), ESP_DROP_SPACE);
	p = fix_ping(&b, A4, B4);
	p.tailroom = 20;
	assert_int_equal(fix_seal(&pair, &p), ESP_DROP_NONE);
	assert_int_equal(pair.out->seq, 1);
	fix_free(&pair);
}

static void test_an_sa_that_cannot_work_is_refused(void **state)
{
	struct ipsec_sa d = fix_desc(IPSEC_BEET, "10.0.0.0/24", B4);
	struct esp_sa *sa = NULL;

	(void)state;
	assert_int_equal(esp_sa_new(&d, &sa), ERR_INVALID);
	d.mode = IPSEC_TUNNEL;
	d.key_len--;
	assert_int_equal(esp_sa_new(&d, &sa), ERR_INVALID);
	d.key_len++;
	d.spi = 255;
	assert_int_equal(esp_sa_new(&d, &sa), ERR_INVALID);
	d.spi = 256;
	d.alg.encr = 9999;
	assert_int_equal(esp_sa_new(&d, &sa), ERR_UNSUPPORTED);
	d.alg.encr = ENCR_CHACHA20_POLY1305;
	d.inbound = true;
	d.replay_window = REPLAY_WINDOW_MAX + 1;
	assert_int_equal(esp_sa_new(&d, &sa), ERR_INVALID);
	assert_null(sa);
	ipsec_sa_clear(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_any_changed_octet_fails_and_changes_nothing),
	    cmocka_unit_test(test_any_truncation_fails),
	    cmocka_unit_test(test_cbc_payload_must_be_whole_blocks),
	    cmocka_unit_test(test_a_packet_opens_once),
	    cmocka_unit_test(test_a_packet_twice_in_one_batch_opens_once),
	    cmocka_unit_test(test_a_packet_behind_the_window_is_old),
	    cmocka_unit_test(test_padding_is_inspected),
	    cmocka_unit_test(test_padding_longer_than_the_payload),
	    cmocka_unit_test(test_dummy_packet_is_discarded_and_counts_as_life),
	    cmocka_unit_test(test_next_header_must_be_that_of_the_mode),
	    cmocka_unit_test(test_malformed_inner_packets),
	    cmocka_unit_test(test_inner_packet_outside_the_selectors),
	    cmocka_unit_test(test_congestion_mark_on_a_packet_that_is_not_capable),
	    cmocka_unit_test(test_no_room_is_an_error_and_no_overflow),
	    cmocka_unit_test(test_an_sa_that_cannot_work_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
