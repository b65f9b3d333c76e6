/* report_junit.c - a result as JUnit XML: a suite for the scenario, a case for each step and each
 * expectation. */
#include "harness/report.h"
#include <string.h>

static void print_attribute(const char *name, const char *value, FILE *out)
{
	fprintf(out, " %s=\"", name);
	report_escape(value, out);
	fputc('"', out);
}

static void print_case(const json_t *result, const char *name, double seconds, const char *failure,
		       bool skipped, FILE *out)
{
	fputs("  <testcase", out);
	print_attribute("classname", report_text(result, "scenario"), out);
	print_attribute("name", name, out);
	fprintf(out, " time=\"%.3f\">", seconds);
	if (failure) {
		fputs("<failure", out);
		print_attribute("message", failure, out);
		fputs("/>", out);
	}
	if (skipped)
		fputs("<skipped/>", out);
	fputs("</testcase>\n", out);
}

static void print_steps(const json_t *result, FILE *out)
{
	json_t *step;
	size_t i;

	json_array_foreach(json_object_get(result, "steps"), i, step) print_case(
	    result, report_text(step, "text"), report_number(step, "seconds"),
	    strcmp(report_text(step, "verdict"), "pass") == 0 ? NULL : report_text(step, "error"),
	    false, out);
}

static bool is_failure(const json_t *e)
{
	return !json_is_true(json_object_get(e, "met")) && !report_is_not_judged(e);
}

static void print_expectations(const json_t *result, FILE *out)
{
	json_t *e;
	size_t i;

	json_array_foreach(json_object_get(result, "expectations"), i, e) print_case(
	    result, report_text(e, "name"), 0, is_failure(e) ? report_text(e, "summary") : NULL,
	    report_is_not_judged(e) || strcmp(report_text(e, "verdict"), "not-applicable") == 0,
	    out);
}

static int count_failures(const json_t *result)
{
	int count = 0;
	json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(result, "steps"), i, entry) count +=
	    strcmp(report_text(entry, "verdict"), "pass") != 0;
	json_array_foreach(json_object_get(result, "expectations"), i, entry) count +=
	    is_failure(entry);
	return count;
}

void report_junit(const json_t *result, FILE *out)
{
	bool is_error = strcmp(report_text(result, "verdict"), "error") == 0;
	size_t count = json_array_size(json_object_get(result, "steps")) +
		       json_array_size(json_object_get(result, "expectations")) + is_error;

	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite", out);
	print_attribute("name", report_text(result, "scenario"), out);
	print_attribute("timestamp", report_text(result, "started"), out);
	fprintf(out, " tests=\"%zu\" failures=\"%d\" errors=\"%d\" time=\"%.3f\">\n", count,
		count_failures(result), is_error, report_number(result, "seconds"));
	print_steps(result, out);
	print_expectations(result, out);
	if (is_error) {
		fputs("  <testcase name=\"bench\"><error", out);
		print_attribute("message", report_text(result, "reason"), out);
		fputs("/></testcase>\n", out);
	}
	fputs("</testsuite>\n", out);
}
