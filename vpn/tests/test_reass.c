/* test_reass.c - putting IPv4 fragments together: order, gaps, overlaps, time, and too many
 * packets. */
#include "vpn/tests/esp_fixture.h"

#include <stdlib.h>

#include "vpn/esp/reass.h"
#include "vpn/wire/packet/frag.h"

#define A4 "10.0.0.1"
#define B4 "10.0.0.2"

/* One fragment of packet `id`, whose payload at octet x is x. */
static int add(struct reass *r, uint16_t id, size_t at, size_t len, bool more, uint64_t now,
	       const uint8_t **whole, size_t *whole_len)
{
	static struct buffer b;
	struct packet p = fix_inner(
	    &b, &(struct inner_spec){.src = A4,
				     .dst = B4,
				     .proto = 17,
				     .id = id,
				     .frag_off = (uint16_t)((more ? IPV4_FLAG_MF : 0) | at / 8),
				     .len = len});
	size_t i;

	for (i = 0; i < len; i++)
		p.data[20 + i] = (uint8_t)(at + i);
	return reass_add(r, p.data, &p.inner, now, whole, whole_len);
}

static struct reass *new_reass(void)
{
	struct reass *r = NULL;

	assert_int_equal(reass_new(&r), 0);
	return r;
}

static void test_any_order_gives_the_whole_packet(void **state)
{
	static const size_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
					    {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	struct reass *r = new_reass();
	const uint8_t *whole;
	struct ip_info ip;
	size_t o, i, len;

	(void)state;
	for (o = 0; o < 6; o++) {
		for (i = 0; i < 3; i++) {
			size_t k = orders[o][i];

			assert_int_equal(
			    add(r, 9, k * 160, k < 2 ? 160 : 13, k < 2, 1, &whole, &len),
			    i < 2 ? ERR_AGAIN : 0);
		}
		assert_int_equal(len, 20 + 333);
		assert_int_equal(ip_parse(whole, len, &ip), 0);
		assert_false(ip.fragment);
		assert_true(ipv4_checksum_ok(whole, 20));
		for (i = 0; i < 333; i++)
			assert_int_equal(whole[20 + i], (uint8_t)i);
	}
	assert_int_equal(reass_take_lost(r), 0);
	reass_free(r);
}

static void test_fragments_that_contradict_each_other(void **state)
{
	static const struct {
		size_t at1, len1;
		bool more1;
		size_t at2, len2;
		bool more2;
	} c[] = {{0, 64, true, 0, 64, true},	/* twice */
		 {0, 64, true, 56, 64, true},	/* overlap */
		 {64, 64, false, 128, 8, true}, /* behind the end */
		 {64, 64, false, 120, 16, true}, {64, 64, false, 64, 32, false}, /* two ends */
		 {64, 64, true, 32, 8, false},	  /* an end before what has come */
		 {0, 64, true, 64, 60, true},	  /* no multiple of 8 */
		 {0, 64, true, 65528, 8, false}}; /* longer than a packet can be */
	struct reass *r = new_reass();
	const uint8_t *whole;
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		assert_int_equal(add(r, 1, c[i].at1, c[i].len1, c[i].more1, 1, &whole, &len),
				 ERR_AGAIN);
		assert_int_equal(add(r, 1, c[i].at2, c[i].len2, c[i].more2, 1, &whole, &len),
				 ERR_SYNTAX);
		assert_int_equal(reass_take_lost(r), 2);
	}
	reass_free(r);
}

static void test_packets_that_stay_incomplete_time_out(void **state)
{
	struct reass *r = new_reass();
	const uint8_t *whole;
	size_t len;

	(void)state;
	assert_int_equal(add(r, 1, 0, 64, true, 1000, &whole, &len), ERR_AGAIN);
	assert_int_equal(add(r, 1, 64, 8, false, 1001 + REASS_TIMEOUT, &whole, &len), ERR_AGAIN);
	assert_int_equal(reass_take_lost(r), 1);
	assert_int_equal(add(r, 1, 0, 64, true, 1002 + REASS_TIMEOUT, &whole, &len), 0);
	reass_free(r);
}

static void test_the_oldest_packet_gives_way(void **state)
{
	struct reass *r = new_reass();
	const uint8_t *whole;
	uint16_t id;
	size_t len;

	(void)state;
	for (id = 0; id <= REASS_SLOTS; id++)
		assert_int_equal(add(r, id, 0, 64, true, 100 + id, &whole, &len), ERR_AGAIN);
	assert_int_equal(reass_take_lost(r), 1);
	for (id = 1; id <= REASS_SLOTS; id++)
		assert_int_equal(add(r, id, 64, 8, false, 200, &whole, &len), 0);
	assert_int_equal(add(r, 0, 64, 8, false, 200, &whole, &len), ERR_AGAIN);
	reass_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_any_order_gives_the_whole_packet),
	    cmocka_unit_test(test_fragments_that_contradict_each_other),
	    cmocka_unit_test(test_packets_that_stay_incomplete_time_out),
	    cmocka_unit_test(test_the_oldest_packet_gives_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
