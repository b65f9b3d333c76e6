/* test_report.c - what a foreign daemon says cannot become markup in any report; the faces of a
 * result have what the result has. */
#include "harness/report.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *print_with(void (*fn)(const json_t *result, FILE *out), const json_t *result)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	fn(result, out);
	fclose(out);
	return text;
}

#define EVIL "<script>alert(\"1\" & '2')</script>|`*_"

/* A result with the same text at every place that holds text from elsewhere. */
static json_t *evil_result(void)
{
	json_t *result =
	    json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:f, s:[{s:s,s:s}], s:{}}",
		      "format", 1, "scenario", EVIL, "file", EVIL, "purpose", EVIL, "verdict",
		      "fail", "reason", EVIL, "seed", "1", "started", EVIL, "command", EVIL,
		      "seconds", 1.0, "endpoints", "node", EVIL, "daemon", EVIL, "environment");

	json_object_set_new(result, "steps",
			    json_pack("[{s:i,s:s,s:s,s:f,s:s,s:s}]", "number", 1, "text", EVIL,
				      "verdict", "fail", "seconds", 1.0, "seen", EVIL, "error",
				      EVIL));
	json_object_set_new(result, "expectations",
			    json_pack("[{s:s,s:s,s:s,s:s,s:s,s:b,s:s,s:s,s:[{s:s,s:[{s:s,s:i}]}]}]",
				      "name", EVIL, "title", EVIL, "clause", EVIL, "verdict",
				      "fail", "summary", EVIL, "met", 0, "finding", EVIL, "because",
				      EVIL, "faults", "text", EVIL, "frames", "place", EVIL,
				      "frame", 12));
	json_object_set_new(result, "ladder",
			    json_pack("{s:s,s:[{s:s,s:s}],s:[{s:f,s:i,s:i,s:i,s:s,s:s,s:[s]}]}",
				      "place", EVIL, "hosts", "address", EVIL, "node", EVIL,
				      "rungs", "time", 0.0, "frame", 1, "from", 0, "to", 0, "kind",
				      EVIL, "label", EVIL, "details", EVIL));
	return result;
}

static void test_html_holds_no_foreign_markup(void **state)
{
	json_t *result = evil_result();
	char *text = print_with(report_html, result);

	(void)state;
	assert_null(strstr(text, "<script"));
	assert_null(strstr(text, "\"1\""));
	assert_non_null(strstr(text, "&lt;script&gt;"));
	assert_null(strstr(text, "@@"));
	free(text);
	json_decref(result);
}

static void test_junit_holds_no_foreign_markup(void **state)
{
	json_t *result = evil_result();
	char *text = print_with(report_junit, result);

	(void)state;
	assert_null(strstr(text, "<script"));
	assert_non_null(strstr(text, "failures=\"2\""));
	assert_non_null(strstr(text, "message=\"&lt;script&gt;"));
	free(text);
	json_decref(result);
}

static void test_markdown_cells_stay_cells(void **state)
{
	json_t *result = evil_result();
	char *text = print_with(report_markdown, result);

	(void)state;
	assert_null(strstr(text, "| <script"));
	assert_non_null(strstr(text, "\\<script\\>"));
	assert_non_null(strstr(text, "\\|\\`\\*\\_"));
	free(text);
	json_decref(result);
}

static void test_control_characters_are_replaced(void **state)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	report_escape("a\001b\033[31m", out);
	fclose(out);
	assert_string_equal(text, "a?b?[31m");
	free(text);
}

static void test_the_page_links_what_it_names_and_folds_notes(void **state)
{
	static const char *const parts[] = {
	    "<a href=\"captures/a-b.pcap\">", "<a href=\"logs/gw.log\">",
	    "<a href=\"configs/gw.conf\">",   "<a href=\"keys/gw/\">",
	    "<summary>2 notes</summary>",     "<span class=\"mark none\">open</span>"};
	json_t *result =
	    json_pack("{s:[{s:s, s:s}], s:[{s:s, s:i}], s:[{s:s, s:s, s:b, s:[{s:s}, {s:s}]}]}",
		      "endpoints", "node", "gw", "daemon", "strongswan", "captures", "file",
		      "captures/a-b.pcap", "frames", 3, "expectations", "name", "mss", "verdict",
		      "not-judged", "met", 0, "notes", "text", "one", "text", "two");
	char *text = print_with(report_html, result);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		assert_non_null(strstr(text, parts[i]));
	/* strongSwan writes no events. */
	assert_null(strstr(text, "events/gw"));
	free(text);
	json_decref(result);
}

static void test_a_result_without_facts_still_has_a_page(void **state)
{
	json_t *result = json_pack("{s:s, s:s, s:[], s:[]}", "verdict", "error", "reason",
				   "no disk", "steps", "expectations");
	char *text = print_with(report_html, result);

	(void)state;
	assert_non_null(strstr(text, "no disk"));
	assert_non_null(strstr(text, "No IKE message was seen"));
	free(text);
	json_decref(result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_html_holds_no_foreign_markup),
	    cmocka_unit_test(test_junit_holds_no_foreign_markup),
	    cmocka_unit_test(test_markdown_cells_stay_cells),
	    cmocka_unit_test(test_control_characters_are_replaced),
	    cmocka_unit_test(test_the_page_links_what_it_names_and_folds_notes),
	    cmocka_unit_test(test_a_result_without_facts_still_has_a_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
