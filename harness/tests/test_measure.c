/* test_measure.c - what is measured of surveys made by hand: loss, sizes, round trip. Those of the
 * captures of pcaps/ are test_reproduce's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/reproduce/measure.h"

/* An SPI at two places: 100 packets sent; what arrived. */
static double loss_of(uint64_t arrived, uint32_t top)
{
	struct esp_flow flows[2] = {
	    {.place = 0, .prev = FACT_NONE, .child = FACT_NONE, .spi = 7, .n = 100, .top = 100},
	    {.place = 1,
	     .prev = 0,
	     .child = FACT_NONE,
	     .spi = 7,
	     .n = arrived,
	     .top = top,
	     .first = {1, 1, 1}}};
	struct survey s = {.n_places = 2, .esp = flows, .n_esp = 2};
	struct profile p = {.s = &s};
	double loss;

	assert_int_equal(map_put(&s.spi_index, 7, 1), 0);
	assert_int_equal(measure_loss(&p), 0);
	loss = p.loss;
	map_free(&s.spi_index);
	profile_free(&p);
	return loss;
}

static void packets_that_arrive_at_one_place_alone_are_lost(void **state)
{
	(void)state;
	assert_float_equal(loss_of(100, 100), 0, 1e-6);
	assert_float_equal(loss_of(95, 100), 0.05, 1e-6);
	/* The capture leaves packets out. */
	assert_float_equal(loss_of(20, 100), 0, 1e-6);
	/* The other capture ended earlier. */
	assert_float_equal(loss_of(90, 90), 0, 1e-6);
}

/* Long packets that were sent and did not arrive; when the last one of the others did. */
static unsigned mtu_of(uint32_t lost, uint64_t last_us)
{
	uint32_t sent[SIZE_CLASSES] = {[150 / SIZE_STEP] = 10, [1488 / SIZE_STEP] = lost};
	uint32_t arrived[SIZE_CLASSES] = {[150 / SIZE_STEP] = 10};
	struct esp_flow flows[2] = {{.place = 0,
				     .prev = FACT_NONE,
				     .child = FACT_NONE,
				     .spi = 7,
				     .n = 10 + lost,
				     .sizes = sent,
				     .largest = {0, 9, 500}},
				    {.place = 1,
				     .prev = 0,
				     .child = FACT_NONE,
				     .spi = 7,
				     .n = 10,
				     .sizes = arrived,
				     .largest_len = 150,
				     .first = {1, 1, 1},
				     .last = {1, 10, last_us}}};
	struct capture_place places[2] = {{.name = (char *)"a"}, {.name = (char *)"b"}};
	struct survey s = {
	    .f = {.set = {.places = places}}, .n_places = 2, .esp = flows, .n_esp = 2};
	struct profile p = {.s = &s};
	unsigned mtu;

	assert_int_equal(map_put(&s.spi_index, 7, 1), 0);
	assert_int_equal(measure_size(&p), 0);
	mtu = p.path_mtu;
	map_free(&s.spi_index);
	profile_free(&p);
	return mtu;
}

static void a_size_is_lost_while_others_arrive(void **state)
{
	(void)state;
	assert_int_equal(mtu_of(3, 600), 1400);
	assert_int_equal(mtu_of(2, 600), 0); /* chance */
	assert_int_equal(mtu_of(3, 400), 0); /* the other capture may have ended before */
}

/* One exchange at one place. */
struct by_hand {
	struct fact_frame frames[2];
	struct ike_msg ike[2];
	struct exchange x;
	struct ike_sa_fact sas[2];
	struct place_sum place;
	struct survey s;
};

static unsigned rtt_of(uint64_t us, unsigned sent, size_t ike_sa)
{
	unsigned rtt_ms;
	struct by_hand h = {
	    .x = {.ike_sa = ike_sa, .sent = sent, .answered = 1, .first_response = 1}};
	struct profile p = {.s = &h.s};

	h.sas[1].addr_i.addr = (struct ip_addr){4, {10}}; /* another peer */
	h.frames[1].time_us = us;
	h.ike[1].frame = 1;
	h.s = (struct survey){.f = {.frames = h.frames,
				    .ike = h.ike,
				    .ike_sas = h.sas,
				    .n_ike_sas = 2,
				    .n_frames = 2,
				    .n_ike = 2},
			      .places = &h.place,
			      .n_places = 1,
			      .exchanges = &h.x,
			      .n_exchanges = 1};
	assert_int_equal(measure_delay(&p), 0);
	rtt_ms = p.rtt_ms;
	profile_free(&p);
	return rtt_ms;
}

static void the_round_trip_is_that_of_a_request_sent_once(void **state)
{
	(void)state;
	assert_int_equal(rtt_of(40000, 1, 0), 40);
	assert_int_equal(rtt_of(40000, 2, 0), 0);
	assert_int_equal(rtt_of(40000, 1, 1), 0);
	assert_int_equal(rtt_of(3000, 1, 0), 0); /* the ends' own work */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(packets_that_arrive_at_one_place_alone_are_lost),
	    cmocka_unit_test(a_size_is_lost_while_others_arrive),
	    cmocka_unit_test(the_round_trip_is_that_of_a_request_sent_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
