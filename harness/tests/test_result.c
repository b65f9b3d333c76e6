/* test_result.c - a result made from a reference capture is what reports/result.schema.json says,
 * and its verdict follows from its expectations. */
#include "harness/captures.h"
#include "harness/report.h"
#include "harness/result.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char explain_text[] =
    "name: t\npurpose: t\nsteps:\n- idle: 1s\ntopology: {base: seed}\nexpect:\n"
    "- {explain: %s}\n- {check: mode, with: {asked: beet, mode: beet}, verdict: %s}\n";

static const char scenario_text[] =
    "name: t\npurpose: >\n  One\n  line.\nsteps:\n- idle: 1s\ntopology: {base: seed}\nexpect:\n"
    "- {check: mode, with: {asked: beet, mode: %s}, finding: S1, because: of networks}\n"
    "- {occurred: child, with: {min: %s}}\n"
    "- {occurred: message, with: {exchange: IKE_AUTH, kind: request, from: initiator}}\n";

struct fixture {
	struct scenario *scenario;
	struct plan plan;
	struct facts facts;
};

static const char *pcaps_path(const char *name, char buf[4096])
{
	snprintf(buf, 4096, "%s/%s", getenv("PCAPS"), name);
	return buf;
}

static void open_text(struct fixture *x, const char *text)
{
	const struct plan_options options = {.seed = UINT64_MAX};
	char capture[4096], keys[4096];
	char *paths[] = {capture};
	struct err_msg msg = {{0}};

	pcaps_path("seed-beetd/outer-vps.pcap", capture);
	pcaps_path("seed-beetd/keys-vps.jsonl", keys);
	if (scenario_parse("t.yaml", text, strlen(text), &x->scenario, &msg) < 0 ||
	    plan_make(x->scenario, &options, &x->plan, &msg) < 0 ||
	    captures_read(paths, 1, keys, &x->facts, &msg) < 0)
		fail_msg("%s", msg.text);
}

static void open_fixture(struct fixture *x, const char *mode, const char *children)
{
	char text[1024];

	snprintf(text, sizeof(text), scenario_text, mode, children);
	open_text(x, text);
}

static void close_fixture(struct fixture *x)
{
	facts_free(&x->facts);
	scenario_free(x->scenario);
}

static json_t *make_result_of(struct fixture *x, bool step_ok)
{
	const struct wire_truth wire = {.name = "vps-inet", .in = 3, .delivered = 3};
	const struct evidence evidence = {.facts = &x->facts, .wires = &wire, .wires_count = 1};
	json_t *result = result_new(&x->plan, "beetlab run t.yaml");
	struct err_msg msg = {{0}};

	result_add_step(result, x->scenario->steps.items, step_ok, 1.0, 10, "seen \xff", NULL);
	result_add_wires(result, &wire, 1);
	result_add_facts(result, &x->plan, &x->facts);
	result_add_ladder(result, &x->plan, &x->facts);
	result_add_series(result, &x->facts, "/nonexistent");
	if (result_judge(result, &x->plan, &evidence, &msg) < 0)
		fail_msg("%s", msg.text);
	return result;
}

static json_t *make_result(struct fixture *x)
{
	return make_result_of(x, true);
}

static void test_a_result_is_what_its_schema_says(void **state)
{
	char dir[] = "/tmp/test-result-XXXXXX", command[12400], validate[4096], schema[4096];
	struct err_msg msg = {{0}};
	struct fixture x;
	json_t *result;

	(void)state;
	open_fixture(&x, "tunnel", "4");
	result = make_result_of(&x, false);
	assert_non_null(mkdtemp(dir));
	assert_int_equal(report_write(result, dir, &msg), 0);
	snprintf(command, sizeof(command), "%s %s %s/result.json",
		 pcaps_path("../reports/validate", validate),
		 pcaps_path("../reports/result.schema.json", schema), dir);
	assert_int_equal(system(command), 0);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
	json_decref(result);
	close_fixture(&x);
}

static void test_met_expectations_pass(void **state)
{
	struct fixture x;
	json_t *result;

	(void)state;
	open_fixture(&x, "tunnel", "3");
	result = make_result(&x);
	assert_string_equal(report_text(result, "verdict"), "pass");
	assert_string_equal(report_text(result, "purpose"), "One line.");
	assert_string_equal(report_text(result, "seed"), "18446744073709551615");
	assert_true(json_array_size(json_object_get(json_object_get(result, "ladder"), "rungs")) >
		    4);
	assert_string_equal(
	    report_text(json_array_get(json_object_get(result, "expectations"), 2), "title"),
	    "IKE messages of IKE_AUTH, request from initiator");
	json_decref(result);
	close_fixture(&x);
}

static void test_a_check_that_fails_is_the_reason(void **state)
{
	struct fixture x;
	json_t *result;

	(void)state;
	open_fixture(&x, "beet", "3");
	result = make_result(&x);
	assert_string_equal(report_text(result, "verdict"), "fail");
	assert_int_equal(strncmp(report_text(result, "reason"), "mode: ", 6), 0);
	json_decref(result);
	close_fixture(&x);
}

static void test_what_did_not_occur_fails(void **state)
{
	struct fixture x;
	json_t *result;

	(void)state;
	open_fixture(&x, "tunnel", "4");
	result = make_result(&x);
	assert_string_equal(report_text(result, "verdict"), "fail");
	assert_string_equal(report_text(result, "reason"),
			    "Child SAs negotiated: 3 seen, at least 4");
	json_decref(result);
	close_fixture(&x);
}

static const char *verdict_of(const json_t *result, size_t expectation)
{
	return report_text(json_array_get(json_object_get(result, "expectations"), expectation),
			   "verdict");
}

static void test_after_a_failed_step_an_absence_is_not_judged(void **state)
{
	struct fixture x;
	char *junit = NULL;
	size_t len;
	FILE *out = open_memstream(&junit, &len);
	json_t *result;

	(void)state;
	open_fixture(&x, "beet", "4");
	result = make_result_of(&x, false);
	/* Packets show a mode that is not the one expected; that children are missing shows
	 * nothing. */
	assert_string_equal(verdict_of(result, 0), "fail");
	assert_string_equal(verdict_of(result, 1), "not-judged");
	assert_string_equal(verdict_of(result, 2), "pass");
	report_junit(result, out);
	fclose(out);
	assert_non_null(strstr(junit, "failures=\"2\""));
	free(junit);
	json_decref(result);
	close_fixture(&x);
}

/* The capture is of a working tunnel that was to be BEET and is not. */
static void test_what_explain_must_find_is_the_first_finding(void **state)
{
	static const struct {
		const char *explain, *mode, *verdict, *reason;
	} cases[] = {
	    {"nothing", "any", "pass", ""},
	    {"nothing", "fail", "pass", ""},
	    {"F06", "any", "fail", "F06: nothing is found"},
	};
	struct fixture x;
	char text[512];
	json_t *result;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), explain_text, cases[i].explain, cases[i].mode);
		open_text(&x, text);
		result = make_result(&x);
		assert_string_equal(report_text(result, "verdict"), cases[i].verdict);
		assert_string_equal(report_text(result, "reason"), cases[i].reason);
		assert_string_equal(
		    report_text(json_array_get(json_object_get(result, "expectations"), 1),
				"wanted"),
		    cases[i].mode);
		json_decref(result);
		close_fixture(&x);
	}
}

static void test_the_worst_verdict_stays(void **state)
{
	json_t *result = json_pack("{s:s, s:s}", "verdict", "pass", "reason", "");

	(void)state;
	result_set_verdict(result, RUN_FAIL, "first");
	result_set_verdict(result, RUN_FAIL, "second");
	assert_string_equal(report_text(result, "reason"), "first");
	result_set_verdict(result, RUN_ERROR, "disk");
	result_set_verdict(result, RUN_FAIL, "third");
	assert_string_equal(report_text(result, "reason"), "disk");
	assert_int_equal(result_verdict(result), RUN_ERROR);
	json_decref(result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_result_is_what_its_schema_says),
	    cmocka_unit_test(test_met_expectations_pass),
	    cmocka_unit_test(test_a_check_that_fails_is_the_reason),
	    cmocka_unit_test(test_what_did_not_occur_fails),
	    cmocka_unit_test(test_after_a_failed_step_an_absence_is_not_judged),
	    cmocka_unit_test(test_what_explain_must_find_is_the_first_finding),
	    cmocka_unit_test(test_the_worst_verdict_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
