/* test_link_frame.c - what a link does to the octets: too large, cut to size, damaged, set apart.
 */
#include "netns/tests/link_support.h"
#include "netns/link_rng.h"

static uint8_t out[8][2000];
static size_t out_len[8], out_count;
static bool out_back[8];

/* Sends one packet and keeps the octets of what comes out. */
static void pass(struct link_model *model, const uint8_t *data, size_t len, int64_t now)
{
	struct link_delivery delivery;

	assert_int_equal(link_model_send(model, data, len, 0, now), 0);
	for (out_count = 0; link_model_pop(model, now, &delivery); out_count++) {
		assert_true(out_count < 8 && delivery.len <= sizeof(out[0]));
		memcpy(out[out_count], delivery.data, delivery.len);
		out_len[out_count] = delivery.len;
		out_back[out_count] = delivery.back;
	}
}

static void test_df_packet_above_the_mtu_is_answered_and_dropped(void **state)
{
	const struct link_params params = {.mtu = 1400};
	struct link_model *model = new_model(&params, 1);
	uint8_t buf[1401];

	(void)state;
	pass(model, buf, make_udp4(buf, 1400, 500, IPV4_FLAG_DF), 0);
	assert_int_equal(out_len[0], 1400);
	pass(model, buf, make_udp4(buf, 1401, 500, IPV4_FLAG_DF), 0);
	assert_int_equal(results.count, 1);
	assert_int_equal(results.all[0].reason, LINK_TOO_BIG);
	assert_int_equal(out_count, 1);
	assert_true(out_back[0]);
	/* RFC 1191 §4: destination unreachable, fragmentation needed, the next hop's MTU. */
	assert_memory_equal(out[0] + 12, buf + 16, 4);
	assert_memory_equal(out[0] + 16, buf + 12, 4);
	assert_memory_equal(out[0] + 20, "\x03\x04", 2);
	assert_memory_equal(out[0] + 26, "\x05\x78", 2);
	link_model_free(model);
}

static void test_icmp_comes_from_the_router_that_was_named(void **state)
{
	const uint8_t router[4] = {10, 0, 0, 1};
	const struct link_params params = {.mtu = 1400, .icmp_source4 = ip_addr_from_v4(router)};
	struct link_model *model = new_model(&params, 1);
	uint8_t buf[1500];

	(void)state;
	pass(model, buf, make_udp4(buf, 1500, 500, IPV4_FLAG_DF), 0);
	assert_memory_equal(out[0] + 12, router, 4);
	assert_true(ipv4_checksum_ok(out[0], IPV4_HDR_LEN));
	link_model_free(model);
}

static void test_ipv6_above_the_mtu_is_answered_and_dropped(void **state)
{
	struct link_model *model = new_model(&(struct link_params){.mtu = 1400}, 1);
	struct ip_info info;
	uint8_t buf[1500];

	(void)state;
	pass(model, buf, make_udp6(buf, 1500, 500), 0);
	assert_int_equal(out_count, 1);
	assert_true(out_back[0]);
	assert_int_equal(ip_parse(out[0], out_len[0], &info), 0);
	assert_int_equal(out[0][IPV6_HDR_LEN], 2); /* RFC 4443 §3.2 */
	assert_memory_equal(out[0] + IPV6_HDR_LEN + 4, "\0\0\x05\x78", 4);
	assert_int_equal(ip_l4_checksum(out[0], &info), 0);
	link_model_free(model);
}

static void test_filtered_and_limited_icmp(void **state)
{
	const struct link_params filtered = {.mtu = 1400, .icmp = LINK_ICMP_FILTERED};
	const struct link_params limited = {
	    .mtu = 1400, .icmp = LINK_ICMP_LIMITED, .icmp_per_second = 2};
	struct link_model *model = new_model(&filtered, 1);
	uint8_t buf[1500];
	int i;

	(void)state;
	make_udp4(buf, sizeof(buf), 500, IPV4_FLAG_DF);
	pass(model, buf, sizeof(buf), 0);
	assert_int_equal(out_count, 0);
	assert_int_equal(counters_of(model).dropped[LINK_TOO_BIG], 1);
	link_model_set(model, &limited, NULL);
	for (i = 0; i < 20; i++) /* two seconds */
		pass(model, buf, sizeof(buf), i * 100 * LINK_MS);
	assert_int_equal(counters_of(model).icmp, 4);
	assert_int_equal(counters_of(model).dropped[LINK_TOO_BIG], 21);
	link_model_free(model);
}

/* 1500 octets in an MTU of 600: payload 576, 576 and 328. */
static void test_ipv4_without_df_is_fragmented(void **state)
{
	static const size_t lens[] = {596, 596, 348};
	static const uint16_t frag[] = {IPV4_FLAG_MF, IPV4_FLAG_MF | 72, 144};
	struct link_model *model = new_model(&(struct link_params){.mtu = 600}, 1);
	struct ip_info info;
	uint8_t buf[1500];
	size_t i;

	(void)state;
	pass(model, buf, make_udp4(buf, sizeof(buf), 500, 0), 0);
	assert_int_equal(out_count, 3);
	for (i = 0; i < 3; i++) {
		assert_int_equal(ip_parse(out[i], out_len[i], &info), 0);
		assert_int_equal(out_len[i], lens[i]);
		assert_int_equal(info.frag_off, frag[i]);
	}
	assert_int_equal(counters_of(model).fragments, 2);
	assert_int_equal(counters_of(model).delivered, 3);
	link_model_free(model);
}

static void test_path_that_drops_fragments(void **state)
{
	struct link_model *model = new_model(&(struct link_params){.drop_fragments = true}, 1);
	uint8_t buf[100];

	(void)state;
	pass(model, buf, make_udp4(buf, sizeof(buf), 500, IPV4_FLAG_MF), 0);
	pass(model, buf, make_udp4(buf, sizeof(buf), 500, 100), 0);
	assert_int_equal(counters_of(model).dropped[LINK_FRAGMENT], 2);
	pass(model, buf, make_udp4(buf, sizeof(buf), 500, 0), 0);
	assert_int_equal(out_count, 1);
	link_model_free(model);
}

static unsigned count_flipped(const uint8_t *a, const uint8_t *b, size_t from, size_t to)
{
	unsigned count = 0;
	size_t i;

	for (i = from; i < to; i++)
		count += (unsigned)__builtin_popcount(a[i] ^ b[i]);
	return count;
}

static void test_corruption_flips_bits_of_the_payload_only(void **state)
{
	struct link_params params = {.corrupt = 1, .corrupt_resum = true};
	struct ip_info info;
	uint8_t buf[101];
	unsigned seed;

	(void)state;
	make_udp4(buf, sizeof(buf), 500, 0);
	assert_int_equal(ip_parse(buf, sizeof(buf), &info), 0);
	for (seed = 0; seed < 200; seed++) {
		struct link_model *model = new_model(&params, seed);

		pass(model, buf, sizeof(buf), 0);
		assert_int_equal(count_flipped(buf, out[0], 0, 26), 0);
		assert_int_equal(count_flipped(buf, out[0], 28, sizeof(buf)), 1);
		assert_int_equal(ip_l4_checksum(out[0], &info), 0);
		link_model_free(model);
	}
}

static void test_corruption_without_mending_breaks_the_checksum(void **state)
{
	struct link_model *model = new_model(&(struct link_params){.corrupt = 1}, 1);
	struct ip_info info;
	uint8_t buf[100];

	(void)state;
	make_udp4(buf, sizeof(buf), 500, 0);
	assert_int_equal(ip_parse(buf, sizeof(buf), &info), 0);
	pass(model, buf, sizeof(buf), 0);
	assert_int_equal(count_flipped(buf, out[0], 0, 28), 0);
	assert_int_not_equal(ip_l4_checksum(out[0], &info), 0);
	link_model_free(model);
}

static void test_neighbour_discovery_is_not_traffic(void **state)
{
	static const uint8_t arp[42] = {[12] = 0x08, [13] = 0x06};
	const struct link_model_spec spec = {.framing = LINK_ETHERNET,
					     .params = {.loss = 1, .delay = LINK_S}};
	struct link_counters counters;
	struct link_model *model;

	(void)state;
	assert_int_equal(link_model_new(&spec, &model, NULL), 0);
	pass(model, arp, sizeof(arp), 0);
	assert_int_equal(out_count, 1);
	assert_memory_equal(out[0], arp, sizeof(arp));
	assert_int_equal(link_model_outage(model, 5, 6), 0);
	pass(model, arp, sizeof(arp), 5);
	assert_int_equal(out_count, 0);
	counters = counters_of(model);
	assert_int_equal(counters.neighbours_in, 2);
	assert_int_equal(counters.neighbours_out, 1);
	assert_int_equal(counters.in, 0);
	link_model_free(model);
}

static void test_any_octets_pass_unharmed(void **state)
{
	struct link_params params = {.mtu = 100, .corrupt = 1, .rate = 1000000};
	struct link_model *model = new_model(&params, 1);
	uint8_t buf[64] = {0x45, 0, 0xff, 0xff, [9] = IP_PROTO_TCP};
	struct link_delivery delivery;
	size_t len;

	(void)state;
	for (len = 0; len <= sizeof(buf); len++)
		assert_int_equal(link_model_send(model, buf, len, 0, 0), 0);
	buf[2] = 0, buf[3] = 21;
	for (len = 0; len <= sizeof(buf); len++)
		assert_int_equal(link_model_send(model, buf, len, 0, 0), 0);
	while (link_model_pop(model, LINK_S, &delivery))
		assert_true(delivery.len <= sizeof(buf));
	assert_int_equal(counters_of(model).delivered, 130);
	link_model_free(model);
}

/* Packets that are right but for a few octets, cut somewhere: what a fuzzer would soon find. */
static void test_damaged_packets_end_in_one_record_each(void **state)
{
	const struct link_params params = {
	    .mtu = 100, .corrupt = 0.5, .duplicate = 0.1, .loss = 0.1};
	struct link_model *model = new_model(&params, 1);
	struct link_delivery delivery;
	struct link_counters c;
	uint64_t random = 1, dropped = 0;
	uint8_t buf[200];
	unsigned i;

	(void)state;
	add_aim(model, &(struct link_aim){.filter = "udp port 500", .count = 1});
	for (i = 0; i < 10000; i++) {
		size_t len = i % 2 ? make_udp4(buf, sizeof(buf), 500, 0) : make_udp6(buf, 150, 500);

		random = link_rng_mix(random + LINK_RNG_GAMMA);
		buf[random % 48] ^= (uint8_t)(random >> 8);
		buf[random % 10] ^= (uint8_t)(random >> 16);
		len -= (random >> 24) % 4 ? 0 : (random >> 32) % len;
		assert_int_equal(link_model_send(model, buf, len, 0, i), 0);
		results.count = 0;
		while (link_model_pop(model, i, &delivery))
			assert_true(delivery.back || delivery.len <= sizeof(buf));
	}
	c = counters_of(model);
	for (i = 0; i < LINK_REASON_COUNT; i++)
		dropped += c.dropped[i];
	assert_int_equal(c.in + c.duplicates + c.fragments, c.delivered + dropped);
	link_model_free(model);
}

static void test_record_as_json(void **state)
{
	const struct link_record record = {.dir = LINK_BA,
					   .number = 7,
					   .frame_in = 9,
					   .frame_out = 12,
					   .copy = 1,
					   .time_in = 1700000000 * LINK_S + 5,
					   .time_due = 1700000001 * LINK_S,
					   .time_out = 1700000001 * LINK_S + 20,
					   .len_in = 98,
					   .len_out = 98,
					   .did = LINK_DID_DUPLICATE | LINK_DID_CORRUPT,
					   .aim = "x"};
	char text[512] = {0};
	size_t len = link_record_format(&record, text, sizeof(text));

	(void)state;
	assert_string_equal(
	    text, "{\"dir\":\"ba\",\"n\":7,\"in\":1700000000.000000005,\"len\":98,\"frame_in\":9,"
		  "\"fate\":\"delivered\",\"due\":1700000001.000000000,"
		  "\"out\":1700000001.000000020,\"len_out\":98,\"frame_out\":12,\"copy\":1,"
		  "\"did\":[\"corrupt\",\"duplicate\"],\"aim\":\"x\"}");
	assert_int_equal(len, strlen(text));
	assert_int_equal(link_record_format(&record, text, len - 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_df_packet_above_the_mtu_is_answered_and_dropped),
	    cmocka_unit_test(test_icmp_comes_from_the_router_that_was_named),
	    cmocka_unit_test(test_ipv6_above_the_mtu_is_answered_and_dropped),
	    cmocka_unit_test(test_filtered_and_limited_icmp),
	    cmocka_unit_test(test_ipv4_without_df_is_fragmented),
	    cmocka_unit_test(test_path_that_drops_fragments),
	    cmocka_unit_test(test_corruption_flips_bits_of_the_payload_only),
	    cmocka_unit_test(test_corruption_without_mending_breaks_the_checksum),
	    cmocka_unit_test(test_neighbour_discovery_is_not_traffic),
	    cmocka_unit_test(test_any_octets_pass_unharmed),
	    cmocka_unit_test(test_damaged_packets_end_in_one_record_each),
	    cmocka_unit_test(test_record_as_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
