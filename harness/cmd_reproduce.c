/* cmd_reproduce.c - beetlab reproduce: captures to a scenario that fails in the same way.
 *
 * What is written has been read back as `beetlab run --dry-run` reads it: a scenario that could not
 * be run is this program's fault and never leaves it.
 *
 * Exit status 0: written; 1: written, but what the captures show cannot be made here, and the
 * network alone is; 2: usage, or a file that cannot be read or written. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/command.h"
#include "harness/explain/text.h"
#include "harness/files.h"
#include "harness/plan.h"
#include "harness/reproduce/write.h"

struct options {
	const char *keys, *out;
	bool force;
};

static const struct option long_options[] = {
    {"keys", required_argument, NULL, 'k'},
    {"output", required_argument, NULL, 'o'},
    {"force", no_argument, NULL, 'f'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static void print_usage(FILE *out)
{
	fprintf(out,
		"usage: beetlab reproduce CAPTURE... [--keys DIR] [-o SCENARIO.yaml] [--force]\n"
		"\n"
		"Derives a network, its ends and what went wrong from captures (pcap, pcapng) of\n"
		"one network, and writes a scenario that fails in the same way: beetlab run\n"
		"carries it out, and beetlab explain finds the same first.\n"
		"\n"
		"  --keys DIR         key logs, a directory or a file: with them it derives more\n"
		"  -o, --output FILE  where to [standard output]\n"
		"  -f, --force        replace that file if it is there\n"
		"\n"
		"Exit status: 0 written; 1 written, but the failure itself cannot be made here;\n"
		"2 usage, or a file that cannot be read or written.\n");
}

static int read_back(const char *path, const char *text, size_t len, struct err_msg *msg)
{
	const struct plan_options options = {.seed = 1};
	struct scenario *scenario;
	struct plan plan;
	int err = scenario_parse(path, text, len, &scenario, msg);

	if (err)
		return err;
	err = plan_make(scenario, &options, &plan, msg);
	scenario_free(scenario);
	return err;
}

static int store(const char *path, const char *text, size_t len, struct err_msg *msg)
{
	FILE *out = path ? fopen(path, "w") : stdout;
	bool ok;

	if (!out)
		return err_set(msg, ERR_IO, "%s: %s", path, strerror(errno));
	ok = fwrite(text, 1, len, out) == len && fflush(out) == 0;
	if (path)
		ok = fclose(out) == 0 && ok;
	return ok ? 0 : err_set(msg, ERR_IO, "%s: %s", path ? path : "output", strerror(errno));
}

static int write_scenario(const struct profile *p, const struct options *o, bool *ret_is_whole,
			  struct err_msg *msg)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int err = out ? reproduce_write(p, out, ret_is_whole) : ERR_NOMEM;

	if (out)
		fclose(out);
	if (err)
		err_set(msg, err, "%s", err_text(err));
	else
		err = read_back(o->out ? o->out : "scenario", text, len, msg);
	if (!err)
		err = store(o->out, text, len, msg);
	free(text);
	return err;
}

/* To the error output: the scenario itself may go to the other one. */
static void report(const struct profile *p, bool is_whole)
{
	const struct rule *rule = p->first ? p->first->rule : NULL;

	if (!rule && p->works)
		fprintf(stderr,
			"nothing is wrong in the captures: the scenario is their network\n");
	else if (!rule)
		fprintf(stderr,
			"nothing is found in the captures, but no tunnel that works either; "
			"the scenario is the network alone\n");
	else if (is_whole)
		fprintf(stderr, "first finding: %s [%s]\n", rule->title, rule->id);
	else
		fprintf(stderr,
			"first finding: %s [%s]\n"
			"it cannot be made here: that would need %s; the scenario is the network "
			"alone\n",
			rule->title, rule->id, lever_missing(rule->id));
}

static int derive(const struct survey *s, const struct findings *f, struct profile *ret_profile,
		  struct err_msg *msg)
{
	int err;

	if (survey_state(s) == SURVEY_NOTHING && !f->n)
		return err_set(msg, ERR_NOT_FOUND, "there is neither IKE nor ESP in the captures");
	err = profile_make(s, f, ret_profile);
	return err ? err_set(msg, err, "%s", err_text(err)) : 0;
}

static int reproduce(const struct survey *s, const struct options *o, struct err_msg *msg)
{
	struct findings f = {0};
	struct profile p = {0};
	bool is_whole = false;
	int err = findings_find(s, &f);

	if (err)
		err_set(msg, err, "%s", err_text(err));
	else
		err = derive(s, &f, &p, msg);
	if (!err)
		err = write_scenario(&p, o, &is_whole, msg);
	if (!err)
		report(&p, is_whole);
	profile_free(&p);
	findings_free(&f);
	return err ? EXIT_USAGE : is_whole ? EXIT_PASS : EXIT_FAIL;
}

/* Somebody may have edited what was written before. */
static int check_output(char *const *paths, size_t n, const struct options *o, struct err_msg *msg)
{
	int err = o->out ? file_check_output(o->out, paths, n, msg) : 0;

	if (!err && o->out && !o->force && access(o->out, F_OK) == 0)
		err = err_set(msg, ERR_EXISTS, "%s is there already; --force replaces it", o->out);
	return err;
}

static int run_command(char *const *paths, size_t n, const struct options *o)
{
	struct err_msg msg = {{0}};
	struct survey s = {0};
	int status = EXIT_USAGE;

	if (!check_output(paths, n, o, &msg) && !survey_read(paths, n, o->keys, &s, &msg))
		status = reproduce(&s, o, &msg);
	if (status == EXIT_USAGE)
		fprintf(stderr, "beetlab reproduce: %s\n", msg.text);
	survey_free(&s);
	return status;
}

int cmd_reproduce(int argc, char **argv)
{
	struct options o = {0};
	int option;

	while ((option = getopt_long(argc, argv, "hfo:", long_options, NULL)) != -1) {
		if (option == 'k')
			o.keys = optarg;
		else if (option == 'o')
			o.out = optarg;
		else if (option == 'f')
			o.force = true;
		else {
			print_usage(option == 'h' ? stdout : stderr);
			return option == 'h' ? EXIT_PASS : EXIT_USAGE;
		}
	}
	if (optind == argc) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	return run_command(argv + optind, (size_t)(argc - optind), &o);
}
