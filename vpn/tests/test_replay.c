/* test_replay.c - the anti-replay window: every position around its edges, jumps, all sizes, and
 * the guess of extended sequence numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vpn/base/err.h"
#include "vpn/esp/replay.h"

static struct replay *new_window(uint32_t size)
{
	struct replay *r = NULL;

	assert_int_equal(replay_new(size, &r), 0);
	return r;
}

#define OK   REPLAY_OK
#define OLD  REPLAY_OLD
#define SEEN REPLAY_SEEN

struct step {
	uint64_t seq;
	enum replay_verdict verdict;
};

static void run_steps(struct replay *r, const struct step *steps, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		assert_int_equal(replay_check(r, steps[i].seq), steps[i].verdict);
		assert_int_equal(replay_commit(r, steps[i].seq), steps[i].verdict);
	}
}

#define RUN(r, steps) run_steps(r, steps, sizeof(steps) / sizeof((steps)[0]))

/* RFC 4303 §3.3.3: numbers start at 1. */
static void test_first_packets(void **state)
{
	static const struct step steps[] = {{0, OLD},  {1, OK},	 {1, SEEN}, {9, OK},
					    {8, OK},   {7, OK},	 {7, SEEN}, {8, SEEN},
					    {9, SEEN}, {0, OLD}, {2, OK}};
	struct replay *r = new_window(64);

	(void)state;
	RUN(r, steps);
	replay_free(r);
}

/*      top - 63 ........ top        with a window of 64 */
static void test_both_edges_of_the_window(void **state)
{
	static const struct step steps[] = {{1000, OK},	 {936, OLD},   {937, OK}, {937, SEEN},
					    {1001, OK},	 {937, OLD},   {938, OK}, {1064, OK},
					    {1000, OLD}, {1001, SEEN}, {1002, OK}};
	struct replay *r = new_window(64);

	(void)state;
	RUN(r, steps);
	replay_free(r);
}

static void test_a_jump_forgets_everything_behind_it(void **state)
{
	static const struct step steps[] = {{1, OK},
					    {100000, OK},
					    {1, OLD},
					    {99999, OK},
					    {99937, OK},
					    {99936, OLD},
					    {UINT32_MAX, OK},
					    {100000, OLD},
					    {UINT32_MAX, SEEN},
					    {UINT32_MAX - 1, OK},
					    {UINT32_MAX - 63, OK},
					    {UINT32_MAX - 64, OLD}};
	struct replay *r = new_window(64);

	(void)state;
	RUN(r, steps);
	replay_free(r);
}

static void test_the_end_of_64_bits(void **state)
{
	static const struct step steps[] = {{UINT64_MAX - 1, OK},
					    {UINT64_MAX, OK},
					    {UINT64_MAX, SEEN},
					    {UINT64_MAX - 1, SEEN},
					    {UINT64_MAX - 127, OK},
					    {UINT64_MAX - 128, OLD},
					    {0, OLD}};
	struct replay *r = new_window(128);

	(void)state;
	RUN(r, steps);
	replay_free(r);
}

/* A check alone changes nothing, however often it is asked. */
static void test_check_does_not_commit(void **state)
{
	struct replay *r = new_window(64);
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_int_equal(replay_check(r, 5000), OK);
	assert_int_equal(replay_highest(r), 0);
	assert_int_equal(replay_commit(r, 1), OK);
	assert_int_equal(replay_highest(r), 1);
	replay_free(r);
}

static void test_size_zero_lets_everything_pass(void **state)
{
	static const struct step steps[] = {{7, OK}, {7, OK}, {1, OK}, {100, OK}, {1, OK}, {0, OK}};
	struct replay *r = new_window(0);

	(void)state;
	RUN(r, steps);
	replay_free(r);
}

static void test_sizes_have_a_limit(void **state)
{
	struct replay *r = new_window(REPLAY_WINDOW_MAX);

	(void)state;
	replay_free(r);
	assert_int_equal(replay_new(REPLAY_WINDOW_MAX + 1, &r), ERR_INVALID);
}

/* Forwards, each once; then each is seen or old. */
static void test_each_number_passes_once_in_order(void **state)
{
	static const uint32_t sizes[] = {1,  2,	  31,  32,  33,	  63,	64,
					 65, 127, 128, 129, 1024, 4095, 4096};
	size_t i;
	uint64_t s;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct replay *r = new_window(sizes[i]);

		for (s = 1; s <= 3 * sizes[i] + 200; s++) {
			assert_int_equal(replay_commit(r, s), OK);
			assert_int_equal(replay_commit(r, s), SEEN);
			if (s > sizes[i])
				assert_int_equal(replay_commit(r, s - sizes[i]), OLD);
			if (s >= sizes[i] && sizes[i] > 1)
				assert_int_equal(replay_commit(r, s - sizes[i] + 1), SEEN);
		}
		replay_free(r);
	}
}

/* Backwards through the whole window after a jump. */
static void test_each_number_passes_once_in_reverse(void **state)
{
	static const uint32_t sizes[] = {1, 63, 64, 65, 100, 1024, 4096};
	size_t i;
	uint64_t s, top = 1000000;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct replay *r = new_window(sizes[i]);

		for (s = top; s > top - sizes[i]; s--)
			assert_int_equal(replay_commit(r, s), OK);
		assert_int_equal(replay_commit(r, s), OLD);
		for (s = top; s > top - sizes[i]; s--)
			assert_int_equal(replay_commit(r, s), SEEN);
		replay_free(r);
	}
}

/* Against a window made in the plainest way: remember every number ever seen. */
static void test_random_order_against_a_plain_model(void **state)
{
	enum { SPAN = 20000, SIZE = 200 };
	static uint8_t seen[SPAN + 1];
	uint64_t top = 0, s;
	uint32_t lcg = 1, i;
	struct replay *r = new_window(SIZE);

	(void)state;
	memset(seen, 0, sizeof(seen));
	for (i = 0; i < 200000; i++) {
		enum replay_verdict want;

		lcg = lcg * 1664525 + 1013904223;
		s = i / 12 + (lcg >> 8) % 500 + 1;
		if (s > SPAN)
			s = SPAN;
		want = s + SIZE <= top ? OLD : seen[s] ? SEEN : OK;
		assert_int_equal(replay_commit(r, s), want);
		if (want == OK)
			seen[s] = 1;
		if (s > top)
			top = s;
		assert_int_equal(replay_highest(r), top);
	}
	replay_free(r);
}

/* RFC 4303 appendix A2.1, with a window of 64. Case A: the window lies in one cycle; case B: in
 * two. */
static void test_extended_numbers_are_inferred(void **state)
{
	static const struct {
		uint64_t top;
		uint32_t low;
		bool known;
		uint64_t seq;
	} c[] = {
	    {0, 1, true, 1},		       /* first packet */
	    {0, UINT32_MAX, false, 0},	       /* would lie before the first cycle */
	    {62, UINT32_MAX, false, 0},	       /* B, likewise */
	    {1000, 1001, true, 1001},	       /* A, ahead */
	    {1000, 937, true, 937},	       /* A, bottom of the window */
	    {1000, 936, true, 0x1000003a8ULL}, /* A, below: the next cycle */
	    {0xfffffff0ULL, 0xffffffffULL, true, 0xffffffffULL},
	    {0xfffffff0ULL, 5, true, 0x100000005ULL},		 /* A, wrapped */
	    {0x100000005ULL, 0xfffffff0U, true, 0xfffffff0ULL},	 /* B, the cycle before */
	    {0x100000005ULL, 0xffffffc5U, true, 0x1ffffffc5ULL}, /* B, just behind the window */
	    {0x100000005ULL, 0xffffffc6U, true, 0xffffffc6ULL},	 /* B, its bottom */
	    {0x100000005ULL, 6, true, 0x100000006ULL},
	    {0x7ffffffffULL, 63, true, 0x80000003fULL},
	    {0xffffffffffffff00ULL, 0, false, 0}, /* there is no next cycle */
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		struct replay *r = new_window(64);
		uint64_t seq = 0;

		if (c[i].top)
			assert_int_equal(replay_commit(r, c[i].top), OK);
		assert_int_equal(replay_infer(r, true, c[i].low, &seq), c[i].known);
		if (c[i].known)
			assert_int_equal(seq, c[i].seq);
		replay_free(r);
	}
}

static void test_numbers_without_extension_are_what_they_are(void **state)
{
	struct replay *r = new_window(64);
	uint64_t seq;

	(void)state;
	assert_int_equal(replay_commit(r, UINT32_MAX), OK);
	assert_true(replay_infer(r, false, 5, &seq));
	assert_int_equal(seq, 5);
	assert_int_equal(replay_commit(r, seq), OLD);
	replay_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_first_packets),
	    cmocka_unit_test(test_both_edges_of_the_window),
	    cmocka_unit_test(test_a_jump_forgets_everything_behind_it),
	    cmocka_unit_test(test_the_end_of_64_bits),
	    cmocka_unit_test(test_check_does_not_commit),
	    cmocka_unit_test(test_size_zero_lets_everything_pass),
	    cmocka_unit_test(test_sizes_have_a_limit),
	    cmocka_unit_test(test_each_number_passes_once_in_order),
	    cmocka_unit_test(test_each_number_passes_once_in_reverse),
	    cmocka_unit_test(test_random_order_against_a_plain_model),
	    cmocka_unit_test(test_extended_numbers_are_inferred),
	    cmocka_unit_test(test_numbers_without_extension_are_what_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
