/* test_results.c - medians and ratios, on numbers that can be checked by eye. */
#include "vpn/tests/bench/results.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static void test_a_median_is_the_middle_or_between_the_two_in_the_middle(void **state)
{
	struct results_cell odd = {.value = {9, 1, 5}, .n = 3};
	struct results_cell even = {.value = {9, 1, 5, 7}, .n = 4};
	struct results_cell none = {.n = 0};

	(void)state;
	assert_float_equal(results_median(&odd), 5, 1e-9);
	assert_float_equal(results_median(&even), 6, 1e-9);
	assert_float_equal(results_median(&none), 0, 1e-9);
}

static void test_a_ratio_pairs_rounds_and_says_how_many_times_better(void **state)
{
	/* Ratio by round: 2, 2, 0.5. That of the medians would be 1. */
	struct results_cell a = {.value = {2, 20, 10}, .n = 3};
	struct results_cell b = {.value = {1, 10, 20, 30}, .n = 4};
	struct results_cell more = results_ratio(&a, &b, false);
	struct results_cell less = results_ratio(&a, &b, true);

	(void)state;
	assert_int_equal(more.n, 3);
	assert_float_equal(results_median(&more), 2, 1e-9);
	assert_float_equal(results_median(&less), 0.5, 1e-9);
}

static void test_one_that_is_missing_is_not_compared(void **state)
{
	static struct results r;
	size_t a = results_add_row(&r, "a"), b = results_add_row(&r, "b");

	(void)state;
	assert_false(results_is_missing(&r, b));
	results_miss(&r, b, "not\ninstalled");
	assert_string_equal(r.row[b].missing, "not installed");
	assert_true(results_is_missing(&r, b));
	assert_false(results_print_ratio(&r, a, b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_median_is_the_middle_or_between_the_two_in_the_middle),
	    cmocka_unit_test(test_a_ratio_pairs_rounds_and_says_how_many_times_better),
	    cmocka_unit_test(test_one_that_is_missing_is_not_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
