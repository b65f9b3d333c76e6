/* cmd_explain.c - beetlab explain: what is wrong in captures, most likely cause first.
 *
 * Exit status 0: nothing is wrong as far as the captures show; 1: findings; 2: usage, or a file
 * that cannot be read. A capture that breaks off is explained as far as it goes. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/command.h"
#include "harness/explain/text.h"

struct options {
	const char *keys, *config;
	bool json, list;
};

static const struct option long_options[] = {
    {"keys", required_argument, NULL, 'k'}, {"config", required_argument, NULL, 'c'},
    {"json", no_argument, NULL, 'j'},	    {"list", no_argument, NULL, 'l'},
    {"help", no_argument, NULL, 'h'},	    {NULL, 0, NULL, 0},
};

static void print_usage(FILE *out)
{
	fprintf(out,
		"usage: beetlab explain CAPTURE... [--keys DIR] [--config FILE] [--json]\n"
		"       beetlab explain --config FILE\n"
		"       beetlab explain --list\n"
		"\n"
		"Says what is wrong in captures (pcap, pcapng) of one network, taken at one or\n"
		"several places at the same time; most likely cause first.\n"
		"\n"
		"  --keys DIR     key logs, a directory or a file: with them it sees more\n"
		"  --config FILE  an end's swanctl.conf, to be held against the captures\n"
		"  --json         for programs (reports/explain.schema.json)\n"
		"  --list         everything that it can find\n");
}

static int list_rules(void)
{
	const struct rule *table;
	size_t i, n;

	table = rules_table(&n);
	for (i = 0; i < n; i++)
		printf("%-18s %s%s%s%s\n", table[i].id, table[i].title,
		       table[i].names[0] ? " (" : "", table[i].names, table[i].names[0] ? ")" : "");
	return EXIT_PASS;
}

static int print_findings(const struct survey *s, const struct findings *f, const struct options *o)
{
	json_t *json;
	size_t i;

	if (o->json) {
		json = findings_json(s, f);
		json_dumpf(json, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
		printf("\n");
		json_decref(json);
	} else {
		findings_print(stdout, s, f, isatty(STDOUT_FILENO));
	}
	for (i = 0; i < f->n; i++)
		if (f->v[i].rule->kind != RULE_NOTE)
			return EXIT_FAIL;
	return EXIT_PASS;
}

static int explain(char *const *paths, size_t n, const struct options *o)
{
	struct err_msg msg = {{0}};
	struct findings f = {0};
	struct survey s = {0};
	struct config config = {.connections = NULL};
	int status = EXIT_USAGE;
	int err = o->config ? config_read(o->config, &config, &msg) : 0;

	if (!err)
		err = survey_read(paths, n, o->keys, &s, &msg);
	if (!err) {
		s.config = o->config ? &config : NULL;
		err = findings_find(&s, &f);
		err_set(&msg, err, "%s", err_text(err));
	}
	if (err)
		fprintf(stderr, "beetlab explain: %s\n", msg.text);
	else
		status = print_findings(&s, &f, o);
	findings_free(&f);
	survey_free(&s);
	config_free(&config);
	return status;
}

int cmd_explain(int argc, char **argv)
{
	struct options o = {0};
	int option;

	while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		if (option == 'k')
			o.keys = optarg;
		else if (option == 'c')
			o.config = optarg;
		else if (option == 'j')
			o.json = true;
		else if (option == 'l')
			o.list = true;
		else {
			print_usage(option == 'h' ? stdout : stderr);
			return option == 'h' ? EXIT_PASS : EXIT_USAGE;
		}
	}
	if (o.list)
		return list_rules();
	if (optind == argc && !o.config) {
		if (o.keys)
			fprintf(stderr, "beetlab explain: a capture is missing, which the keys of "
					"--keys open\n");
		print_usage(stderr);
		return EXIT_USAGE;
	}
	return explain(argv + optind, (size_t)(argc - optind), &o);
}
