/* test_sim.c - the same seed is the same run; what is replayed is what happened. */
#include "harness/sim/clock.h"
#include "harness/sim/shrink.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct sim_outcome run(uint64_t seed, const struct sim_replay *replay)
{
	const struct plan_options options = {.seed = seed};
	const struct sim_world_options world = {.replay = replay};
	struct sim_outcome outcome;
	struct scenario *scenario;
	struct err_msg msg;
	struct plan plan;

	assert_int_equal(scenario_load(getenv("SCENARIO"), &scenario, &msg), 0);
	assert_int_equal(plan_make(scenario, &options, &plan, &msg), 0);
	sim_run(&plan, &world, true, &outcome);
	scenario_free(scenario);
	return outcome;
}

static void assert_same(const struct sim_outcome *a, const struct sim_outcome *b)
{
	assert_int_equal(a->verdict, b->verdict);
	assert_true(a->seconds == b->seconds);
	assert_int_equal(a->probes, b->probes);
	assert_int_equal(a->delivered, b->delivered);
	assert_int_equal(a->ike_messages, b->ike_messages);
	assert_int_equal(a->fates_count, b->fates_count);
}

static void test_the_same_seed_is_the_same_run(void **state)
{
	struct sim_outcome a = run(3, NULL), b = run(3, NULL), c = run(4, NULL);

	(void)state;
	assert_int_equal(a.verdict, SIM_PASS);
	assert_true(a.fates_count > 0 && a.faults_count > 0);
	assert_same(&a, &b);
	assert_int_not_equal(a.ike_messages, c.ike_messages);
	sim_outcome_free(&a);
	sim_outcome_free(&b);
	sim_outcome_free(&c);
}

static void test_faults_that_are_left_out_do_not_happen(void **state)
{
	struct sim_replay none = {.exact = true};
	struct sim_outcome o = run(3, &none);
	size_t i;

	(void)state;
	assert_int_equal(o.verdict, SIM_PASS);
	assert_int_equal(o.delivered, o.probes);
	for (i = 0; i < FAULT_KINDS_COUNT; i++)
		assert_int_equal(o.happened[i], 0);
	sim_outcome_free(&o);
}

/* A host that is woken for a deadline sees that it has come, whichever way its clock drifts. */
static void test_a_drifting_clock_meets_its_deadlines(void **state)
{
	static const int ppm[] = {-500, -1, 0, 1, 500};
	size_t i;
	uint64_t at;

	(void)state;
	for (i = 0; i < 5; i++) {
		struct sim_clock clock = {.ppm = ppm[i]};

		for (at = 1; at < UINT64_C(100000000000); at = at * 3 + 1) {
			int64_t when = sim_clock_when(&clock, at);

			assert_true(sim_clock_read(&clock, when) >= at);
			assert_true(when == 0 || sim_clock_read(&clock, when - 3 * LINK_US) < at);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_the_same_seed_is_the_same_run),
	    cmocka_unit_test(test_faults_that_are_left_out_do_not_happen),
	    cmocka_unit_test(test_a_drifting_clock_meets_its_deadlines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
