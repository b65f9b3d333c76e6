/* test_link_shape.c - delay, rate, queue, order and outages, as computed by hand. */
#include "netns/tests/link_support.h"

static void assert_out(size_t i, uint64_t number, int64_t time)
{
	assert_true(i < results.count);
	assert_int_equal(results.all[i].number, number);
	assert_int_equal(results.all[i].reason, LINK_DELIVERED);
	assert_int_equal(results.all[i].time_out, time);
}

static void test_perfect_link_delivers_at_once(void **state)
{
	struct link_model *model = new_model(&(struct link_params){0}, 1);

	(void)state;
	send_udp(model, 100, 500, 7);
	assert_int_equal(link_model_next(model), 7);
	take_until(model, 7);
	assert_out(0, 1, 7);
	assert_true(link_model_next(model) == LINK_NEVER);
	link_model_free(model);
}

/* 1000 octets at 8 Mbit/s take 1 ms.
 *	1: 0..1 ms	2: waits, 1..2	3: waits, 2..3	4: after a pause, 10..11 */
static void test_rate_serializes(void **state)
{
	const struct link_params params = {.rate = 8000000, .delay = 5 * LINK_MS};
	struct link_model *model = new_model(&params, 1);
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		send_udp(model, 1000, 500, 0);
	take_until(model, 10 * LINK_MS);
	send_udp(model, 1000, 500, 10 * LINK_MS);
	take_until(model, LINK_NEVER);
	assert_out(0, 1, 6 * LINK_MS);
	assert_out(1, 2, 7 * LINK_MS);
	assert_out(2, 3, 8 * LINK_MS);
	assert_out(3, 4, 16 * LINK_MS);
	link_model_free(model);
}

/* One is being sent, two wait, the fourth finds no room; 1 ms later there is room for one. */
static void test_queue_drops_at_its_tail_by_packets(void **state)
{
	const struct link_params params = {.rate = 8000000, .queue_packets = 2};
	struct link_model *model = new_model(&params, 1);
	int i;

	(void)state;
	for (i = 0; i < 4; i++)
		send_udp(model, 1000, 500, 0);
	assert_int_equal(results.count, 1);
	assert_int_equal(results.all[0].number, 4);
	assert_int_equal(results.all[0].reason, LINK_QUEUE);
	send_udp(model, 1000, 500, LINK_MS);
	send_udp(model, 1000, 500, LINK_MS);
	assert_int_equal(results.count, 2);
	take_until(model, LINK_NEVER);
	assert_string_equal(delivered(), "1 2 3 5");
	link_model_free(model);
}

static void test_queue_drops_at_its_tail_by_octets(void **state)
{
	const struct link_params params = {.rate = 8000000, .queue_octets = 1500};
	struct link_model *model = new_model(&params, 1);

	(void)state;
	send_udp(model, 1000, 500, 0);
	send_udp(model, 1000, 500, 0);
	send_udp(model, 501, 500, 0);
	send_udp(model, 500, 500, 0);
	take_until(model, LINK_NEVER);
	assert_string_equal(delivered(), "1 2 4");
	assert_int_equal(counters_of(model).dropped[LINK_QUEUE], 1);
	link_model_free(model);
}

static void test_lost_packet_uses_its_share_of_the_rate(void **state)
{
	struct link_params params = {.rate = 8000000, .loss = 1};
	struct link_model *model = new_model(&params, 1);

	(void)state;
	send_udp(model, 1000, 500, 0);
	params.loss = 0;
	assert_int_equal(link_model_set(model, &params, NULL), 0);
	send_udp(model, 1000, 500, 0);
	take_until(model, LINK_NEVER);
	assert_out(1, 2, 2 * LINK_MS);
	link_model_free(model);
}

static bool is_in_order(void)
{
	size_t i;

	for (i = 1; i < results.count; i++)
		if (results.all[i].number < results.all[i - 1].number)
			return false;
	return true;
}

static void test_jitter_keeps_order_unless_asked(void **state)
{
	struct link_params params = {.delay = 20 * LINK_MS, .jitter = 20 * LINK_MS};
	unsigned reorders, i;

	(void)state;
	for (reorders = 0; reorders < 2; reorders++) {
		struct link_model *model;

		params.jitter_reorders = reorders;
		model = new_model(&params, 9);
		for (i = 0; i < 1000; i++)
			send_udp(model, 100, 500, i * LINK_MS);
		take_until(model, LINK_NEVER);
		assert_int_equal(results.count, 1000);
		assert_int_equal(is_in_order(), !reorders);
		link_model_free(model);
	}
}

static void test_shorter_delay_does_not_overtake(void **state)
{
	struct link_params params = {.delay = 20 * LINK_MS};
	struct link_model *model = new_model(&params, 1);

	(void)state;
	send_udp(model, 100, 500, 0);
	params.delay = 1 * LINK_MS;
	assert_int_equal(link_model_set(model, &params, NULL), 0);
	send_udp(model, 100, 500, LINK_MS);
	take_until(model, LINK_NEVER);
	assert_out(0, 1, 20 * LINK_MS);
	assert_out(1, 2, 20 * LINK_MS);
	link_model_free(model);
}

/* 1 is held back; 2 and 3 pass, and it leaves with 3. 4 is held back in vain. */
static void test_reordered_packet_leaves_behind_later_ones(void **state)
{
	struct link_params params = {.reorder = 1, .reorder_gap = 2, .reorder_wait = 50 * LINK_MS};
	struct link_model *model = new_model(&params, 1);

	(void)state;
	send_udp(model, 100, 500, 0);
	params.reorder = 0;
	link_model_set(model, &params, NULL);
	send_udp(model, 100, 500, 1 * LINK_MS);
	send_udp(model, 100, 500, 2 * LINK_MS);
	take_until(model, 2 * LINK_MS);
	params.reorder = 1;
	link_model_set(model, &params, NULL);
	send_udp(model, 100, 500, 3 * LINK_MS);
	take_until(model, LINK_NEVER);
	assert_string_equal(delivered(), "2 3 1 4");
	assert_int_equal(results.all[2].did, LINK_DID_REORDER);
	assert_out(3, 4, 53 * LINK_MS);
	assert_int_equal(results.all[3].did, 0);
	assert_int_equal(counters_of(model).reordered, 1);
	link_model_free(model);
}

static void test_outage_takes_all_from_begin_to_end(void **state)
{
	struct link_model *model = new_model(&(struct link_params){0}, 1);
	int i;

	(void)state;
	assert_int_equal(link_model_outage(model, 3, 6), 0);
	for (i = 1; i <= 8; i++)
		send_udp(model, 100, 500, i);
	take_until(model, LINK_NEVER);
	assert_string_equal(delivered(), "1 2 6 7 8");
	assert_int_equal(counters_of(model).dropped[LINK_DOWN], 3);
	link_model_free(model);
}

static void test_schedule_changes_parameters_at_their_time(void **state)
{
	const struct link_params down = {.down = true}, up = {0};
	struct link_model *model = new_model(&up, 1);
	int i;

	(void)state;
	assert_int_equal(link_model_schedule(model, 5, &up, NULL), 0);
	assert_int_equal(link_model_schedule(model, 3, &down, NULL), 0);
	for (i = 1; i <= 6; i++)
		send_udp(model, 100, 500, i);
	take_until(model, LINK_NEVER);
	assert_string_equal(delivered(), "1 2 5 6");
	link_model_free(model);
}

static void test_stop_drops_what_is_on_the_way(void **state)
{
	struct link_model *model = new_model(&(struct link_params){.delay = LINK_S}, 1);

	(void)state;
	send_udp(model, 100, 500, 0);
	send_udp(model, 100, 500, 0);
	assert_int_equal(counters_of(model).pending, 2);
	link_model_stop(model, 1);
	assert_int_equal(results.count, 2);
	assert_int_equal(results.all[0].reason, LINK_STOP);
	assert_int_equal(counters_of(model).pending, 0);
	link_model_free(model);
}

static void test_parameters_that_cannot_be_are_named(void **state)
{
	static const struct {
		struct link_params params;
		const char *why;
	} cases[] = {
	    {{.loss = 30}, "loss"},	     {{.duplicate = -0.1}, "duplicate"},
	    {{.delay = -1}, "delay"},	     {{.mtu = 67}, "mtu"},
	    {{.queue_packets = 5}, "queue"}, {{.icmp = LINK_ICMP_LIMITED}, "icmp_per_second"},
	};
	struct err_msg msg = {{0}};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(link_params_check(&cases[i].params, &msg), ERR_INVALID);
		assert_non_null(strstr(msg.text, cases[i].why));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_perfect_link_delivers_at_once),
	    cmocka_unit_test(test_rate_serializes),
	    cmocka_unit_test(test_queue_drops_at_its_tail_by_packets),
	    cmocka_unit_test(test_queue_drops_at_its_tail_by_octets),
	    cmocka_unit_test(test_lost_packet_uses_its_share_of_the_rate),
	    cmocka_unit_test(test_jitter_keeps_order_unless_asked),
	    cmocka_unit_test(test_shorter_delay_does_not_overtake),
	    cmocka_unit_test(test_reordered_packet_leaves_behind_later_ones),
	    cmocka_unit_test(test_outage_takes_all_from_begin_to_end),
	    cmocka_unit_test(test_schedule_changes_parameters_at_their_time),
	    cmocka_unit_test(test_stop_drops_what_is_on_the_way),
	    cmocka_unit_test(test_parameters_that_cannot_be_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
