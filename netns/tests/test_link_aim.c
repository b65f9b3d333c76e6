/* test_link_aim.c - impairments aimed at chosen packets do what they say to these and no others. */
#include "netns/tests/link_support.h"

/* Ports of the packets that all tests send, one a millisecond: numbers 1 to 8. */
static const uint16_t ports[] = {500, 4500, 500, 4500, 500, 4500, 500, 4500};

static struct link_model *run_with(const struct link_aim *aim)
{
	struct link_model *model = new_model(&(struct link_params){0}, 1);
	size_t i;

	add_aim(model, aim);
	for (i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		send_udp(model, 100, ports[i], (int64_t)i * LINK_MS);
		take_until(model, (int64_t)i * LINK_MS);
	}
	return model;
}

static bool is_to_4500(void *arg, const uint8_t *ip, size_t len)
{
	unsigned *asked = arg;

	(*asked)++;
	return len == 100 && (ip[22] << 8 | ip[23]) == 4500;
}

static void test_aim_acts_on_the_chosen_packets(void **state)
{
	static unsigned asked;
	static const struct {
		struct link_aim aim;
		const char *out;
	} cases[] = {
	    {{.filter = "udp port 500", .first = 2, .count = 1}, "1 2 4 5 6 7 8"},
	    {{.filter = "udp port 500", .first = 2, .count = 2}, "1 2 4 6 7 8"},
	    {{.filter = "udp port 500"}, "2 4 6 8"},
	    {{.filter = "udp port 500", .first = 3}, "1 2 3 4 6 8"},
	    {{.filter = "tcp"}, "1 2 3 4 5 6 7 8"},
	    {{.match = is_to_4500, .arg = &asked, .first = 1, .count = 3}, "1 3 5 7 8"},
	    {{.from = 2 * LINK_MS, .until = 4 * LINK_MS}, "1 2 5 6 7 8"},
	    {{.from = 2 * LINK_MS, .first = 1, .count = 1}, "1 2 4 5 6 7 8"},
	    {{.act = LINK_ACT_DUPLICATE, .first = 2, .count = 1}, "1 2 2 3 4 5 6 7 8"},
	    {{.act = LINK_ACT_DUPLICATE, .gap = 2, .first = 8}, "1 2 3 4 5 6 7 8 8 8"},
	    {{.act = LINK_ACT_DELAY, .delay = 2500 * LINK_US, .first = 3, .count = 1},
	     "1 2 4 5 3 6 7 8"},
	    {{.act = LINK_ACT_REORDER, .first = 3, .count = 1}, "1 2 4 3 5 6 7 8"},
	    {{.act = LINK_ACT_REORDER, .gap = 3, .first = 3, .count = 1}, "1 2 4 5 6 3 7 8"},
	    {{.act = LINK_ACT_HOLD, .first = 3, .count = 2}, "1 2 5 6 7 8"},
	    {{.act = LINK_ACT_HOLD, .first = 3, .count = 2, .delay = 3500 * LINK_US},
	     "1 2 5 6 3 7 4 8"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct link_model *model = run_with(&cases[i].aim);

		take_until(model, LINK_NEVER);
		if (strcmp(delivered(), cases[i].out) != 0)
			fail_msg("case %zu: %s", i, delivered());
		link_model_free(model);
	}
	assert_int_equal(asked, 8);
}

static void test_drop_is_on_record_with_its_aim(void **state)
{
	const struct link_aim aim = {
	    .name = "second IKE", .filter = "udp port 500", .first = 2, .count = 1};
	struct link_model *model = run_with(&aim);
	size_t i, found = 0;

	(void)state;
	for (i = 0; i < results.count; i++)
		if (results.all[i].reason == LINK_AIMED) {
			assert_string_equal(results.all[i].aim, "second IKE");
			assert_int_equal(results.all[i].number, 3);
			found++;
		}
	assert_int_equal(found, 1);
	link_model_free(model);
}

static void test_held_packets_leave_on_release_in_order(void **state)
{
	const struct link_aim aim = {
	    .name = "gate", .act = LINK_ACT_HOLD, .filter = "udp port 500", .first = 2};
	struct link_model *model = run_with(&aim);
	unsigned released = 0;

	(void)state;
	assert_string_equal(delivered(), "1 2 4 6 8");
	assert_int_equal(counters_of(model).held, 3);
	assert_true(link_model_next(model) == LINK_NEVER);
	assert_int_equal(link_model_release(model, "other", LINK_S, &released), 0);
	assert_int_equal(released, 0);
	assert_int_equal(link_model_release(model, "gate", LINK_S, &released), 0);
	assert_int_equal(released, 3);
	send_udp(model, 100, 500, LINK_S);
	take_until(model, LINK_S);
	assert_string_equal(delivered(), "1 2 4 6 8 3 5 7 9");
	link_model_free(model);
}

static void test_aims_choose_by_fragment(void **state)
{
	static const struct {
		enum link_fragment fragment;
		const char *out;
	} cases[] = {
	    {LINK_FRAGMENT_ANY, ""},
	    {LINK_FRAGMENT_NONE, "2 3 4"},
	    {LINK_FRAGMENT_FIRST, "1 3 4"},
	    {LINK_FRAGMENT_LATER, "1 2"},
	};
	static const uint16_t frag[] = {0, IPV4_FLAG_MF, IPV4_FLAG_MF | 10, 20};
	uint8_t buf[100];
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct link_model *model = new_model(&(struct link_params){0}, 1);

		add_aim(model, &(struct link_aim){.fragment = cases[i].fragment});
		for (k = 0; k < 4; k++) {
			make_udp4(buf, sizeof(buf), 500, frag[k]);
			link_model_send(model, buf, sizeof(buf), 0, 0);
		}
		take_until(model, LINK_NEVER);
		assert_string_equal(delivered(), cases[i].out);
		link_model_free(model);
	}
}

static void test_first_of_two_aims_acts_and_both_count(void **state)
{
	struct link_model *model = new_model(&(struct link_params){0}, 1);
	int i;

	(void)state;
	add_aim(model, &(struct link_aim){.act = LINK_ACT_DUPLICATE, .first = 2, .count = 1});
	add_aim(model, &(struct link_aim){.first = 2, .count = 2});
	for (i = 0; i < 4; i++)
		send_udp(model, 100, 500, 0);
	take_until(model, LINK_NEVER);
	assert_string_equal(delivered(), "1 2 2 4");
	link_model_free(model);
}

static void test_unusable_aims_are_named(void **state)
{
	static const struct {
		struct link_aim aim;
		const char *why;
	} cases[] = {
	    {{.name = "x", .filter = "udp port nonsense here"}, "udp port nonsense here"},
	    {{.name = "a\"b"}, "name"},
	    {{.name = "late", .act = LINK_ACT_DELAY}, "late"},
	    {{.name = "never", .from = 5, .until = 5}, "never"},
	};
	struct link_model *model = new_model(&(struct link_params){0}, 1);
	struct err_msg msg = {{0}};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(link_model_aim(model, &cases[i].aim, &msg), ERR_INVALID);
		assert_non_null(strstr(msg.text, cases[i].why));
	}
	link_model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_aim_acts_on_the_chosen_packets),
	    cmocka_unit_test(test_drop_is_on_record_with_its_aim),
	    cmocka_unit_test(test_held_packets_leave_on_release_in_order),
	    cmocka_unit_test(test_aims_choose_by_fragment),
	    cmocka_unit_test(test_first_of_two_aims_acts_and_both_count),
	    cmocka_unit_test(test_unusable_aims_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
