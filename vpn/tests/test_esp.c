/* test_esp.c - sealing and opening: modes, families, sizes, ciphers, sequence numbers, limits. */
#include "vpn/tests/esp_fixture.h"

#define A4 "10.0.0.1"
#define B4 "10.0.0.2"
#define A6 "fd00::1"
#define B6 "fd00::2"

static void check_round_trip(struct pair *pair, struct packet *p)
{
	uint8_t before[2048];
	size_t len = p->len;

	memcpy(before, p->data, len);
	assert_int_equal(fix_seal(pair, p), ESP_DROP_NONE);
	assert_int_equal(fix_open(pair, p), ESP_DROP_NONE);
	assert_int_equal(p->len, len);
	assert_memory_equal(p->data, before, len);
	assert_ptr_equal(p->sa, pair->in);
}

static void test_every_family_in_every_family_and_mode(void **state)
{
	static const struct {
		const char *src, *dst, *outer;
	} cases[] = {{A4, B4, "192.0.2.2"},
		     {A4, B4, "2001:db8::2"},
		     {A6, B6, "192.0.2.2"},
		     {A6, B6, "2001:db8::2"}};
	enum ipsec_mode mode;
	struct buffer b;
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		for (mode = IPSEC_TUNNEL; mode <= IPSEC_BEET; mode++) {
			struct ipsec_sa d = fix_desc(mode, cases[i].src, cases[i].dst);
			struct pair pair;
			struct packet p;

			ip_addr_parse(cases[i].outer, &d.remote.addr);
			pair = fix_pair(&d);
			p = fix_ping(&b, cases[i].src, cases[i].dst);
			check_round_trip(&pair, &p);
			fix_free(&pair);
		}
	}
}

/* SEED-FACTS of the document: a ping of 56 octets is 120 or 140 octets of UDP payload in tunnel
 * mode, and 100 in BEET, for both families. */
static void test_sizes_of_a_ping(void **state)
{
	static const struct {
		enum ipsec_mode mode;
		const char *src, *dst;
		size_t len;
	} cases[] = {{IPSEC_TUNNEL, A4, B4, 120},
		     {IPSEC_TUNNEL, A6, B6, 140},
		     {IPSEC_BEET, A4, B4, 100},
		     {IPSEC_BEET, A6, B6, 100}};
	struct buffer b;
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		struct pair pair = fix_simple(cases[i].mode, cases[i].src, cases[i].dst);
		struct packet p = fix_ping(&b, cases[i].src, cases[i].dst);

		assert_int_equal(esp_sealed_len(pair.out, &p.inner), cases[i].len);
		assert_int_equal(fix_seal(&pair, &p), ESP_DROP_NONE);
		assert_int_equal(p.len, cases[i].len);
		fix_free(&pair);
	}
}

static void test_every_cipher_with_and_without_esn(void **state)
{
	static const struct {
		uint16_t encr, bits, integ;
	} algs[] = {{ENCR_CHACHA20_POLY1305, 0, 0},
		    {ENCR_AES_GCM_16, 128, 0},
		    {ENCR_AES_GCM_16, 256, 0},
		    {ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_256_128},
		    {ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_512_256}};
	struct buffer b;
	size_t i, len;

	(void)state;
	for (i = 0; i < 10; i++) {
		struct ipsec_sa d = fix_desc(IPSEC_TUNNEL, A4, B4);
		struct pair pair;

		fix_set_alg(&d, algs[i / 2].encr, algs[i / 2].bits, algs[i / 2].integ, i % 2);
		pair = fix_pair(&d);
		for (len = 0; len < 40; len++) {
			struct packet p =
			    fix_inner(&b, &(struct inner_spec){A4, B4, 17, .len = len});

			check_round_trip(&pair, &p);
		}
		fix_free(&pair);
	}
}

/* An end of before RFC 4868 §2.3 cuts the tag at 96 bits: of two such each understands the other,
 * and nobody else does. */
static void test_a_tag_of_96_bits_is_understood_where_it_is_asked_for(void **state)
{
	struct ipsec_sa d = fix_desc(IPSEC_TUNNEL, A4, B4);
	struct pair full, cut;
	struct buffer a, b;
	struct packet p, q;

	(void)state;
	fix_set_alg(&d, ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_256_128, false);
	full = fix_pair(&d);
	d = fix_desc(IPSEC_TUNNEL, A4, B4);
	fix_set_alg(&d, ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_256_128, false);
	d.sha256_96 = true;
	cut = fix_pair(&d);
	p = fix_inner(&a, &(struct inner_spec){A4, B4, 17, .len = 20});
	check_round_trip(&cut, &p);
	p = fix_inner(&a, &(struct inner_spec){A4, B4, 17, .len = 20});
	q = fix_inner(&b, &(struct inner_spec){A4, B4, 17, .len = 20});
	assert_int_equal(fix_seal(&cut, &p), ESP_DROP_NONE);
	assert_int_equal(fix_seal(&full, &q), ESP_DROP_NONE);
	assert_int_equal(p.len + 4, q.len);
	assert_int_not_equal(fix_open(&full, &p), ESP_DROP_NONE);
	assert_int_not_equal(fix_open(&cut, &q), ESP_DROP_NONE);
	fix_free(&full);
	fix_free(&cut);
}

/* RFC 4303 §2.2.1: the high half is authenticated, though it does not travel. */
static void test_esn_crosses_the_32_bit_boundary(void **state)
{
	struct ipsec_sa d = fix_desc(IPSEC_TUNNEL, A4, B4);
	struct buffer b;
	struct pair pair;
	int i;

	(void)state;
	d.alg.esn = true;
	pair = fix_pair(&d);
	pair.out->seq = UINT32_MAX - 2;
	assert_int_equal(replay_commit(pair.in->replay, UINT32_MAX - 2), REPLAY_OK);
	for (i = 0; i < 5; i++) {
		struct packet p = fix_ping(&b, A4, B4);

		check_round_trip(&pair, &p);
	}
	assert_int_equal(replay_highest(pair.in->replay), (1ULL << 32) + 2);
	fix_free(&pair);
}

/* RFC 4303 §3.3.3: the counter must not cycle. */
static void test_sa_stops_before_the_sequence_number_wraps(void **state)
{
	struct pair pair = fix_simple(IPSEC_TUNNEL, A4, B4);
	struct buffer b;
	struct packet p = fix_ping(&b, A4, B4);

	(void)state;
	pair.out->seq = UINT32_MAX - 1;
	assert_int_equal(fix_seal(&pair, &p), ESP_DROP_NONE);
	assert_int_equal(pair.out->events, 0);
	p = fix_ping(&b, A4, B4);
	assert_int_equal(fix_seal(&pair, &p), ESP_DROP_SEQ);
	assert_int_equal(pair.out->events, ESP_SA_SEQ);
	pair.out->events = 0;
	p = fix_ping(&b, A4, B4);
	assert_int_equal(fix_seal(&pair, &p), ESP_DROP_SEQ);
	assert_int_equal(pair.out->events, 0);
	assert_int_equal(pair.out->seq, UINT32_MAX);
	fix_free(&pair);
}

/* RFC 4106 §3.1: an IV is used once. Ours is the 64-bit sequence number. */
static void test_aead_iv_is_the_sequence_number(void **state)
{
	struct pair pair = fix_simple(IPSEC_TUNNEL, A4, B4);
	struct buffer b;
	uint32_t i;

	(void)state;
	for (i = 1; i < 4; i++) {
		struct packet p = fix_ping(&b, A4, B4);

		assert_int_equal(fix_seal(&pair, &p), ESP_DROP_NONE);
		assert_int_equal(get_u32(p.data, p.len, 0), FIX_SPI);
		assert_int_equal(get_u32(p.data, p.len, 4), i);
		assert_int_equal(get_u32(p.data, p.len, 8), 0);
		assert_int_equal(get_u32(p.data, p.len, 12), i);
	}
	fix_free(&pair);
}

static void test_a_batch_gives_what_single_packets_give(void **state)
{
	enum { N = 150 };
	static struct buffer one, many[N];
	struct packet batch[N], p;
	struct pair a = fix_simple(IPSEC_TUNNEL, A4, B4);
	struct pair b = fix_simple(IPSEC_TUNNEL, A4, B4);
	struct inner_spec spec = {.src = A4, .dst = B4, .proto = IP_PROTO_UDP};
	size_t i;

	(void)state;
	for (i = 0; i < N; i++) {
		spec.len = i * 7 % 200;
		batch[i] = fix_inner(&many[i], &spec);
	}
	esp_seal(a.out, batch, N, 0, &fix_rng);
	for (i = 0; i < N; i++) {
		spec.len = i * 7 % 200;
		p = fix_inner(&one, &spec);
		assert_int_equal(fix_seal(&b, &p), ESP_DROP_NONE);
		assert_int_equal(p.len, batch[i].len);
		assert_memory_equal(p.data, batch[i].data, p.len);
	}
	esp_open(a.sad, batch, N, 0);
	for (i = 0; i < N; i++)
		assert_int_equal(batch[i].drop, ESP_DROP_NONE);
	assert_int_equal(a.in->stats.packets, N);
	fix_free(&a);
	fix_free(&b);
}

/* RFC 4303 §2.7 */
static void test_tfc_padding_is_added_and_cut_by_the_inner_length(void **state)
{
	struct ipsec_sa d = fix_desc(IPSEC_TUNNEL, A4, B4);
	struct buffer b;
	struct pair pair;
	struct packet p;

	(void)state;
	d.tfc_pad = 1000;
	pair = fix_pair(&d);
	p = fix_ping(&b, A4, B4);
	assert_int_equal(fix_seal(&pair, &p), ESP_DROP_NONE);
	assert_true(p.len >= 1000 + 8 + 8 + 2 + 16);
	assert_int_equal(fix_open(&pair, &p), ESP_DROP_NONE);
	assert_int_equal(p.len, 84);
	pair.out->desc.tfc_pad = UINT16_MAX;
	p = fix_ping(&b, A4, B4);
	assert_int_equal(fix_seal(&pair, &p), ESP_DROP_NONE);
	assert_int_equal(p.len, 1472);
	fix_free(&pair);
}

static void test_limits_are_told_once_and_the_hard_one_stops_the_sa(void **state)
{
	struct ipsec_sa d = fix_desc(IPSEC_TUNNEL, A4, B4);
	struct buffer b;
	struct pair pair;
	int i;
	static const struct {
		uint8_t events;
		enum esp_drop drop;
	} steps[] = {{0, 0}, {ESP_SA_SOFT, 0}, {0, 0}, {ESP_SA_HARD, 0}, {0, ESP_DROP_HARD_LIMIT}};

	(void)state;
	d.soft_packets = 2;
	d.hard_bytes = 4 * 84;
	pair = fix_pair(&d);
	for (i = 0; i < 5; i++) {
		struct packet p = fix_ping(&b, A4, B4);

		pair.out->events = 0;
		assert_int_equal(fix_seal(&pair, &p), steps[i].drop);
		assert_int_equal(pair.out->events, steps[i].events);
	}
	assert_int_equal(pair.out->stats.packets, 4);
	assert_int_equal(pair.out->stats.bytes, 4 * 84);
	fix_free(&pair);
}

/* SEED-FACTS S13: of 1500 outside, 1438 in tunnel mode and 1450 in BEET, as Linux counts it. */
static void test_inner_mtu(void **state)
{
	static const struct {
		enum ipsec_mode mode;
		uint16_t encr, bits, integ;
		bool encap;
		const char *remote;
		uint8_t inner;
		size_t mtu;
	} c[] = {
	    {IPSEC_TUNNEL, ENCR_CHACHA20_POLY1305, 0, 0, true, "192.0.2.2", 4, 1438},
	    {IPSEC_TUNNEL, ENCR_CHACHA20_POLY1305, 0, 0, true, "2001:db8::2", 4, 1418},
	    {IPSEC_TUNNEL, ENCR_CHACHA20_POLY1305, 0, 0, false, "192.0.2.2", 6, 1446},
	    {IPSEC_TUNNEL, ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_256_128, true, "192.0.2.2", 4, 1422},
	    {IPSEC_BEET, ENCR_CHACHA20_POLY1305, 0, 0, true, "192.0.2.2", 4, 1450},
	    {IPSEC_BEET, ENCR_CHACHA20_POLY1305, 0, 0, true, "192.0.2.2", 6, 1478},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		bool v6 = c[i].inner == 6;
		struct ipsec_sa d = fix_desc(c[i].mode, v6 ? A6 : A4, v6 ? B6 : B4);
		struct pair pair;

		fix_set_alg(&d, c[i].encr, c[i].bits, c[i].integ, false);
		d.encap = c[i].encap;
		ip_addr_parse(c[i].remote, &d.remote.addr);
		pair = fix_pair(&d);
		assert_int_equal(esp_inner_mtu(pair.out, c[i].inner), c[i].mtu);
		fix_free(&pair);
	}
}

/* The largest inner packet really gives an outer packet of at most the path MTU. */
static void test_inner_mtu_agrees_with_sealed_length(void **state)
{
	struct buffer b;
	uint32_t mtu;
	int mode;

	(void)state;
	for (mode = IPSEC_TUNNEL; mode <= IPSEC_BEET; mode++) {
		struct pair pair = fix_simple((enum ipsec_mode)mode, A4, B4);

		for (mtu = 600; mtu < 700; mtu++) {
			struct packet p;
			size_t inner;

			pair.out->path_mtu = mtu;
			inner = esp_inner_mtu(pair.out, 4);
			p = fix_inner(&b, &(struct inner_spec){A4, B4, 17, .len = inner - 20});
			assert_int_equal(esp_fit(pair.out, &p.inner), ESP_FITS);
			assert_true(esp_sealed_len(pair.out, &p.inner) + 28 <= mtu);
			if (mode == IPSEC_TUNNEL)
				assert_true(esp_sealed_len(pair.out, &p.inner) + 28 + 4 > mtu);
		}
		fix_free(&pair);
	}
}

/* RFC 4301 §8 */
static void test_what_happens_to_a_packet_that_does_not_fit(void **state)
{
	static const struct {
		enum ipsec_mode mode;
		bool copy_df;
		uint16_t frag_off;
		enum esp_fit fit;
	} c[] = {{IPSEC_TUNNEL, true, IPV4_FLAG_DF, ESP_TOO_BIG},
		 {IPSEC_TUNNEL, true, 0, ESP_FRAGMENT_INNER},
		 {IPSEC_TUNNEL, false, IPV4_FLAG_DF, ESP_FRAGMENT_OUTER},
		 {IPSEC_BEET, true, IPV4_FLAG_DF, ESP_TOO_BIG},
		 {IPSEC_BEET, true, 0, ESP_FRAGMENT_OUTER}};
	struct buffer b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		struct ipsec_sa d = fix_desc(c[i].mode, A4, B4);
		struct packet p = fix_inner(
		    &b, &(struct inner_spec){A4, B4, 17, .len = 1480, .frag_off = c[i].frag_off});
		struct pair pair;

		d.copy_df = c[i].copy_df;
		pair = fix_pair(&d);
		assert_int_equal(esp_fit(pair.out, &p.inner), c[i].fit);
		fix_free(&pair);
	}
}

/* RFC 4301 §5.1.2.1: in a tunnel DSCP and DF are policy and the TTL is ours; BEET carries the one
 * header. */
static void test_outer_fields(void **state)
{
	static const struct {
		enum ipsec_mode mode;
		bool copy_df, copy_ecn;
		uint8_t copy_dscp;
		struct outer_hdr outer;
	} c[] = {
	    {IPSEC_TUNNEL,
	     true,
	     true,
	     IPSEC_DSCP_OUT,
	     {.tos = 0xba, .ttl = 64, .frag_off = IPV4_FLAG_DF}},
	    {IPSEC_TUNNEL,
	     true,
	     false,
	     IPSEC_DSCP_OUT,
	     {.tos = 0xb8, .ttl = 64, .frag_off = IPV4_FLAG_DF}},
	    {IPSEC_TUNNEL, false, true, IPSEC_DSCP_IN, {.tos = 0x02, .ttl = 64, .frag_off = 0}},
	    {IPSEC_BEET,
	     true,
	     false,
	     0,
	     {.tos = 0xba, .ttl = 7, .id = 77, .frag_off = IPV4_FLAG_DF}},
	};
	struct buffer b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		struct ipsec_sa d = fix_desc(c[i].mode, A4, B4);
		struct packet p = fix_inner(
		    &b, &(struct inner_spec){A4, B4, 17, 0xba, 7, 77, IPV4_FLAG_DF, .len = 9});
		struct pair pair;

		d.copy_df = c[i].copy_df;
		d.copy_ecn = c[i].copy_ecn;
		d.copy_dscp = c[i].copy_dscp;
		pair = fix_pair(&d);
		assert_int_equal(fix_seal(&pair, &p), ESP_DROP_NONE);
		assert_int_equal(p.outer.tos, c[i].outer.tos);
		assert_int_equal(p.outer.ttl, c[i].outer.ttl);
		assert_int_equal(p.outer.id, c[i].outer.id);
		assert_int_equal(p.outer.frag_off, c[i].outer.frag_off);
		fix_free(&pair);
	}
}

static void test_congestion_mark_and_dscp_reach_the_inner_header(void **state)
{
	struct ipsec_sa d = fix_desc(IPSEC_TUNNEL, A4, B4);
	struct buffer b;
	struct pair pair;
	struct packet p;

	(void)state;
	d.copy_dscp = IPSEC_DSCP_IN;
	pair = fix_pair(&d);
	p = fix_inner(&b, &(struct inner_spec){A4, B4, 17, .tos = 0x22, .len = 9});
	assert_int_equal(fix_seal(&pair, &p), ESP_DROP_NONE);
	p.outer.tos = 0xb8 | 3;
	assert_int_equal(fix_open(&pair, &p), ESP_DROP_NONE);
	assert_int_equal(p.data[1], 0xb8 | 3);
	assert_true(ipv4_checksum_ok(p.data, 20));
	fix_free(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_family_in_every_family_and_mode),
	    cmocka_unit_test(test_sizes_of_a_ping),
	    cmocka_unit_test(test_every_cipher_with_and_without_esn),
	    cmocka_unit_test(test_a_tag_of_96_bits_is_understood_where_it_is_asked_for),
	    cmocka_unit_test(test_esn_crosses_the_32_bit_boundary),
	    cmocka_unit_test(test_sa_stops_before_the_sequence_number_wraps),
	    cmocka_unit_test(test_aead_iv_is_the_sequence_number),
	    cmocka_unit_test(test_a_batch_gives_what_single_packets_give),
	    cmocka_unit_test(test_tfc_padding_is_added_and_cut_by_the_inner_length),
	    cmocka_unit_test(test_limits_are_told_once_and_the_hard_one_stops_the_sa),
	    cmocka_unit_test(test_inner_mtu),
	    cmocka_unit_test(test_inner_mtu_agrees_with_sealed_length),
	    cmocka_unit_test(test_what_happens_to_a_packet_that_does_not_fit),
	    cmocka_unit_test(test_outer_fields),
	    cmocka_unit_test(test_congestion_mark_and_dscp_reach_the_inner_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
