/* report_text.c - a result as lines: for a terminal, and as Markdown. */
#include "harness/report.h"
#include <inttypes.h>
#include <string.h>

/* "vps-inet 12, 13; inet-isp 12" */
static void print_frames(const json_t *frames, FILE *out)
{
	const char *place = "";
	json_t *frame;
	size_t i;

	json_array_foreach(frames, i, frame)
	{
		const char *here = report_text(frame, "place");

		if (strcmp(here, place) != 0)
			fprintf(out, "%s%s frame", i ? "; " : "", here);
		else
			fputc(',', out);
		fprintf(out, " %d", (int)report_number(frame, "frame"));
		place = here;
	}
}

static const char *mark(const json_t *expectation, bool color)
{
	bool met = json_is_true(json_object_get(expectation, "met"));
	const char *verdict = report_text(expectation, "verdict");

	if (report_is_not_judged(expectation))
		return color ? "\033[2m  ? \033[0m" : "  ? ";
	if (!met)
		return color ? "\033[31mFAIL\033[0m" : "FAIL";
	if (strcmp(verdict, "not-applicable") == 0)
		return color ? "\033[2m  - \033[0m" : "  - ";
	if (strcmp(verdict, "fail") == 0)
		return color ? "\033[33mfind\033[0m" : "find";
	return color ? "\033[32m ok \033[0m" : " ok ";
}

static const char *expectation_title(const json_t *e)
{
	const char *title = report_text(e, "title");

	return *title ? title : report_text(e, "name");
}

static void print_evidence(const json_t *e, FILE *out)
{
	json_t *faults = json_object_get(e, "faults"), *fault;
	size_t i;

	json_array_foreach(faults, i, fault)
	{
		if (i == 3) {
			fprintf(out, "            ... %d in all\n",
				(int)report_number(e, "fault_count"));
			break;
		}
		fprintf(out, "            %s", report_text(fault, "text"));
		if (json_array_size(json_object_get(fault, "frames")) > 0) {
			fputs(" [", out);
			print_frames(json_object_get(fault, "frames"), out);
			fputc(']', out);
		}
		fputc('\n', out);
	}
}

static void print_expectation(const json_t *e, bool color, FILE *out)
{
	bool is_fault = strcmp(report_text(e, "verdict"), "fail") == 0;
	const char *kind = report_text(e, "kind");
	bool is_check = strcmp(kind, "check") == 0;

	fprintf(out, "  %s  %s%s%s: %s: %s", mark(e, color), is_check ? "" : kind,
		is_check ? "" : " ", report_text(e, "name"), expectation_title(e),
		report_text(e, "summary"));
	if (json_array_size(json_object_get(e, "frames")) > 0) {
		fputs(" [", out);
		print_frames(json_object_get(e, "frames"), out);
		fputc(']', out);
	}
	fputc('\n', out);
	if (is_fault)
		print_evidence(e, out);
	if (*report_text(e, "finding"))
		fprintf(out, "            %s: %s\n", report_text(e, "finding"),
			report_text(e, "because"));
}

void report_terminal(const json_t *result, bool color, FILE *out)
{
	json_t *e;
	size_t i;

	if (json_array_size(json_object_get(result, "expectations")) == 0)
		return;
	fprintf(out, "\nWhat the captures say:\n");
	json_array_foreach(json_object_get(result, "expectations"), i, e)
	    print_expectation(e, color, out);
	fputc('\n', out);
}

void report_verdict(const json_t *result, const char *dir, bool color, FILE *out)
{
	const char *verdict = report_text(result, "verdict");
	bool pass = strcmp(verdict, "pass") == 0;

	fprintf(out, "%s%s%s: %s", color ? (pass ? "\033[1;32m" : "\033[1;31m") : "",
		pass			       ? "PASS"
		: strcmp(verdict, "fail") == 0 ? "FAIL"
					       : "ERROR",
		color ? "\033[0m" : "", report_text(result, "scenario"));
	if (!pass)
		fprintf(out, ": %s", report_text(result, "reason"));
	fprintf(out, "\nreport: %s/report.html\n", dir);
}

/* --- Markdown --- */

/* What would be markup is escaped; a table's cell is one line. */
static void print_cell(const char *text, FILE *out)
{
	for (; *text; text++) {
		if (*text == '\n')
			fputs("<br>", out);
		else if (strchr("\\`*_[]<>|#", *text))
			fprintf(out, "\\%c", *text);
		else
			fputc(*text, out);
	}
}

static void print_steps_markdown(const json_t *result, FILE *out)
{
	json_t *step;
	size_t i;

	fputs("\n## Steps\n\n| | step | result | seconds |\n|---|---|---|---|\n", out);
	json_array_foreach(json_object_get(result, "steps"), i, step)
	{
		fprintf(out, "| %zu | ", i + 1);
		print_cell(report_text(step, "text"), out);
		fprintf(out, " | %s ", report_text(step, "verdict"));
		print_cell(report_text(step, "error"), out);
		fprintf(out, " | %.2f |\n", report_number(step, "seconds"));
	}
}

static void print_expectations_markdown(const json_t *result, FILE *out)
{
	json_t *e;
	size_t i;

	fputs("\n## What the captures say\n\n| | what | clause | seen |\n|---|---|---|---|\n", out);
	json_array_foreach(json_object_get(result, "expectations"), i, e)
	{
		fprintf(out, "| %s | ", mark(e, false));
		print_cell(report_text(e, "name"), out);
		fputs(": ", out);
		print_cell(expectation_title(e), out);
		fputs(" | ", out);
		print_cell(report_text(e, "clause"), out);
		fputs(" | ", out);
		print_cell(report_text(e, "summary"), out);
		if (*report_text(e, "finding")) {
			fputs(" **", out);
			print_cell(report_text(e, "finding"), out);
			fputs("**: ", out);
			print_cell(report_text(e, "because"), out);
		}
		fputs(" |\n", out);
	}
}

void report_markdown(const json_t *result, FILE *out)
{
	json_t *endpoint;
	size_t i;

	fputs("# ", out);
	print_cell(report_text(result, "scenario"), out);
	fprintf(out, ": %s\n\n", report_text(result, "verdict"));
	print_cell(report_text(result, "purpose"), out);
	fputs("\n\n", out);
	if (*report_text(result, "reason")) {
		fputs("**", out);
		print_cell(report_text(result, "reason"), out);
		fputs("**\n\n", out);
	}
	json_array_foreach(json_object_get(result, "endpoints"), i, endpoint) fprintf(
	    out, "- %s: %s\n", report_text(endpoint, "node"), report_text(endpoint, "daemon"));
	fprintf(out, "- seed %s, %.1f s, %s\n", report_text(result, "seed"),
		report_number(result, "seconds"), report_text(result, "started"));
	fprintf(out, "- repeat: `%s`\n", report_text(result, "command"));
	print_steps_markdown(result, out);
	print_expectations_markdown(result, out);
}
