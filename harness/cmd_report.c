/* cmd_report.c - beetlab report: a result.json's other faces, made anew beside it. */
#include "harness/command.h"
#include "harness/report.h"
#include <stdio.h>
#include <string.h>

static int report_file(const char *path)
{
	const char *slash = strrchr(path, '/');
	struct err_msg msg = {{0}};
	json_error_t error;
	json_t *result = json_load_file(path, 0, &error);
	char dir[4096];
	int err;

	if (!result) {
		if (error.line > 0)
			fprintf(stderr, "%s:%d: %s\n", path, error.line, error.text);
		else
			fprintf(stderr, "beetlab report: %s\n", error.text);
		return EXIT_USAGE;
	}
	snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
	err = report_write(result, dir, &msg);
	if (err < 0)
		fprintf(stderr, "beetlab report: %s\n", msg.text);
	json_decref(result);
	return err < 0 ? EXIT_FAIL : EXIT_PASS;
}

int cmd_report(int argc, char **argv)
{
	int i, status = EXIT_PASS;

	if (argc < 2 || argv[1][0] == '-') {
		bool asked = argc == 2 && strcmp(argv[1], "--help") == 0;

		fputs("usage: beetlab report RESULT.JSON...\n\n"
		      "Writes report.html, report.md and junit.xml beside each result.\n",
		      asked ? stdout : stderr);
		return asked ? EXIT_PASS : EXIT_USAGE;
	}
	for (i = 1; i < argc && status == EXIT_PASS; i++)
		status = report_file(argv[i]);
	return status;
}
