/* test_link_chance.c - what befalls packets by chance: as often as asked, the same for the same
 * seed, and each impairment without regard to the others. */
#include "netns/tests/link_support.h"
#include <math.h>

#define PACKETS 10000

static const uint64_t seeds[] = {1, 2, 3, 0x5eed, UINT64_MAX};

static void run_packets(const struct link_params *params, uint64_t seed)
{
	struct link_model *model = new_model(params, seed);
	unsigned i;

	for (i = 0; i < PACKETS; i++) {
		send_udp(model, 100, 500, i * LINK_MS);
		take_until(model, i * LINK_MS);
	}
	take_until(model, LINK_NEVER);
	link_model_free(model);
}

static unsigned count_reason(enum link_reason reason)
{
	unsigned count = 0;
	size_t i;

	for (i = 0; i < results.count; i++)
		count += results.all[i].reason == reason && results.all[i].copy == 0;
	return count;
}

static unsigned count_did(unsigned did)
{
	unsigned count = 0;
	size_t i;

	for (i = 0; i < results.count; i++)
		count += (results.all[i].did & did) != 0;
	return count;
}

/* Within five standard deviations of a binomial: one honest generator in 1.7 million is off. */
static void assert_binomial(unsigned count, double p)
{
	double sigma = sqrt(PACKETS * p * (1 - p));

	if (fabs(count - PACKETS * p) > 5 * sigma)
		fail_msg("%u of %u, expected %g +- %g", count, PACKETS, PACKETS * p, 5 * sigma);
}

static void test_loss_is_as_frequent_as_asked(void **state)
{
	static const double rates[] = {0.001, 0.02, 0.3, 0.9};
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
		for (k = 0; k < sizeof(seeds) / sizeof(seeds[0]); k++) {
			const struct link_params params = {.loss = rates[i]};

			run_packets(&params, seeds[k]);
			assert_binomial(count_reason(LINK_LOSS), rates[i]);
		}
}

static void test_certain_loss_and_none(void **state)
{
	const struct link_params all = {.loss = 1}, none = {.loss = 0};

	(void)state;
	run_packets(&all, 1);
	assert_int_equal(count_reason(LINK_LOSS), PACKETS);
	run_packets(&none, 1);
	assert_int_equal(count_reason(LINK_DELIVERED), PACKETS);
}

static void test_duplicates_and_corruption_are_as_frequent_as_asked(void **state)
{
	const struct link_params params = {.duplicate = 0.1, .corrupt = 0.05};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
		run_packets(&params, seeds[i]);
		assert_binomial(count_did(LINK_DID_DUPLICATE), 0.1);
		assert_int_equal(count_reason(LINK_DELIVERED), PACKETS);
	}
}

/* The bad state lasts 1 / to_good packets on average, and its share is to_bad / (to_bad + to_good).
 */
static void test_bursts_are_as_long_and_as_frequent_as_asked(void **state)
{
	const struct link_params params = {.burst = {.to_bad = 0.02, .to_good = 0.25}};
	bool lost[PACKETS + 1] = {false};
	unsigned bursts = 0, losses;
	size_t i;

	(void)state;
	run_packets(&params, 7);
	for (i = 0; i < results.count; i++)
		lost[results.all[i].number - 1] = results.all[i].reason == LINK_BURST;
	for (i = 0; i < PACKETS; i++)
		bursts += lost[i] && !lost[i + 1];
	losses = count_reason(LINK_BURST);
	assert_in_range(losses, 600, 900);		  /* 0.02 / 0.27 of 10,000 is 741 */
	assert_in_range(losses * 100 / bursts, 340, 460); /* 4 packets a burst */
}

static uint64_t fingerprint(void)
{
	uint64_t hash = 1469598103934665603U;
	size_t i;

	for (i = 0; i < results.count; i++) {
		const struct link_record *r = &results.all[i];

		hash = (hash ^ (r->number * 16 + r->reason)) * 1099511628211U;
		hash = (hash ^ (uint64_t)r->time_out ^ r->did) * 1099511628211U;
	}
	return hash;
}

static const struct link_params everything = {.loss = 0.1,
					      .burst = {.to_bad = 0.01, .to_good = 0.3},
					      .corrupt = 0.1,
					      .duplicate = 0.1,
					      .delay = 20 * LINK_MS,
					      .jitter = 15 * LINK_MS,
					      .jitter_reorders = true,
					      .reorder = 0.1};

static void test_seed_repeats_exactly_and_another_does_not(void **state)
{
	uint64_t first, again;

	(void)state;
	run_packets(&everything, 42);
	first = fingerprint();
	run_packets(&everything, 42);
	again = fingerprint();
	assert_true(first == again);
	run_packets(&everything, 43);
	assert_true(first != fingerprint());
}

static void note_lost(bool lost[PACKETS])
{
	size_t i;

	memset(lost, 0, PACKETS * sizeof(*lost));
	for (i = 0; i < results.count; i++)
		if (results.all[i].reason == LINK_LOSS)
			lost[results.all[i].number - 1] = true;
}

static void test_other_impairments_do_not_shift_the_loss(void **state)
{
	const struct link_params alone = {.loss = 0.1};
	static bool lost_alone[PACKETS], lost_among[PACKETS];

	(void)state;
	run_packets(&alone, 42);
	note_lost(lost_alone);
	run_packets(&everything, 42);
	note_lost(lost_among);
	assert_memory_equal(lost_alone, lost_among, sizeof(lost_alone));
}

static void test_loss_does_not_shift_the_jitter(void **state)
{
	struct link_params params = {
	    .delay = 50 * LINK_MS, .jitter = 40 * LINK_MS, .jitter_reorders = true};
	static int64_t delays[PACKETS + 1];
	size_t i;

	(void)state;
	run_packets(&params, 42);
	for (i = 0; i < results.count; i++)
		delays[results.all[i].number] = results.all[i].time_out - results.all[i].time_in;
	params.loss = 0.5;
	run_packets(&params, 42);
	for (i = 0; i < results.count; i++)
		if (results.all[i].reason == LINK_DELIVERED)
			assert_int_equal(results.all[i].time_out - results.all[i].time_in,
					 delays[results.all[i].number]);
}

static void test_impairments_hit_independently(void **state)
{
	const struct link_params params = {.duplicate = 0.1, .corrupt = 0.1};
	unsigned both = 0;
	size_t i;

	(void)state;
	run_packets(&params, 42);
	for (i = 0; i < results.count; i++)
		both += results.all[i].copy == 1 && (results.all[i].did & LINK_DID_CORRUPT);
	assert_binomial(both, 0.01);
}

static void test_directions_differ(void **state)
{
	struct link_model *models[2];
	struct link_model_spec spec = {.framing = LINK_RAW_IP, .seed = 42, .params = {.loss = 0.5}};
	struct link_counters counters[2];
	unsigned i, dir, differ = 0;

	(void)state;
	for (dir = 0; dir < 2; dir++) {
		spec.dir = dir ? LINK_BA : LINK_AB;
		assert_int_equal(link_model_new(&spec, &models[dir], NULL), 0);
	}
	for (i = 0; i < 100; i++) {
		for (dir = 0; dir < 2; dir++) {
			send_udp(models[dir], 100, 500, i);
			counters[dir] = counters_of(models[dir]);
		}
		differ += counters[0].dropped[LINK_LOSS] != counters[1].dropped[LINK_LOSS];
	}
	link_model_free(models[0]);
	link_model_free(models[1]);
	assert_true(differ > 10);
}

static void test_jitter_is_uniform_around_the_delay(void **state)
{
	const struct link_params params = {
	    .delay = 50 * LINK_MS, .jitter = 10 * LINK_MS, .jitter_reorders = true};
	unsigned tenths[10] = {0};
	size_t i;

	(void)state;
	run_packets(&params, 11);
	for (i = 0; i < results.count; i++) {
		int64_t off = results.all[i].time_out - results.all[i].time_in - 40 * LINK_MS;

		assert_in_range(off, 0, 20 * LINK_MS);
		tenths[off == 20 * LINK_MS ? 9 : off / (2 * LINK_MS)]++;
	}
	for (i = 0; i < 10; i++)
		assert_binomial(tenths[i], 0.1);
}

static void test_packets_get_out_when_due_in_order_of_time(void **state)
{
	int64_t last = 0;
	size_t i;

	(void)state;
	run_packets(&everything, 3);
	for (i = 0; i < results.count; i++) {
		if (results.all[i].reason != LINK_DELIVERED)
			continue;
		assert_true(results.all[i].time_out >= last);
		assert_true(results.all[i].time_out == results.all[i].time_due);
		last = results.all[i].time_out;
	}
}

static void test_counters_add_up(void **state)
{
	struct link_model *model = new_model(&everything, 5);
	struct link_counters c;
	uint64_t dropped = 0;
	unsigned i;

	(void)state;
	for (i = 0; i < 5000; i++)
		send_udp(model, 100, 500, i * LINK_MS);
	take_until(model, LINK_NEVER);
	c = counters_of(model);
	for (i = 0; i < LINK_REASON_COUNT; i++)
		dropped += c.dropped[i];
	assert_int_equal(c.in, 5000);
	assert_int_equal(c.pending + c.held, 0);
	assert_int_equal(c.in + c.duplicates + c.fragments, c.delivered + dropped);
	assert_int_equal(results.count, c.delivered + dropped);
	link_model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_loss_is_as_frequent_as_asked),
	    cmocka_unit_test(test_certain_loss_and_none),
	    cmocka_unit_test(test_duplicates_and_corruption_are_as_frequent_as_asked),
	    cmocka_unit_test(test_bursts_are_as_long_and_as_frequent_as_asked),
	    cmocka_unit_test(test_seed_repeats_exactly_and_another_does_not),
	    cmocka_unit_test(test_other_impairments_do_not_shift_the_loss),
	    cmocka_unit_test(test_loss_does_not_shift_the_jitter),
	    cmocka_unit_test(test_impairments_hit_independently),
	    cmocka_unit_test(test_directions_differ),
	    cmocka_unit_test(test_jitter_is_uniform_around_the_delay),
	    cmocka_unit_test(test_packets_get_out_when_due_in_order_of_time),
	    cmocka_unit_test(test_counters_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
