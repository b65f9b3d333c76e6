/* cmd_check.c - beetlab check: dissects captures of any IKEv2 implementation and judges them.
 *
 * Captures of one network's places at one time belong in one call: what was negotiated at one is
 * then known at the others. Exit status 0: no check failed; 1: one did; 2: usage, or a file that
 * cannot be read. A capture that is cut short is judged as far as it goes, and fails. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/captures.h"
#include "harness/checks/json.h"
#include "harness/checks/text.h"
#include "harness/command.h"

#define NAMED_MAX  16
#define PLACES_MAX 16

struct options {
	const char *keys;
	bool json, ladder;
	struct check_params params;
	struct place_param places[PLACES_MAX];
	const struct check *named[NAMED_MAX];
	size_t n_named;
};

static void print_usage(FILE *out)
{
	fprintf(
	    out,
	    "usage: beetlab check CAPTURE... [--keys DIR] [OPTION]...\n"
	    "\n"
	    "  --keys DIR            key logs: beetd's keys.jsonl, strongSwan's log (ike and chd\n"
	    "                        at level 4), Wireshark's tables; a directory or a file\n"
	    "  --json                everything that was found, as JSON\n"
	    "  --ladder              every exchange of every capture\n"
	    "  --mtu N               MTU of the links (1500)\n"
	    "  --tunnel-net PREFIX   never to be seen outside; may be repeated. Without it, what\n"
	    "                        the selectors of the children say\n"
	    "  --inner NAME          that capture is of a wire inside (its file's name without\n"
	    "                        .pcap); may be repeated\n"
	    "  --keepalive N         longest silence of a peer behind a NAT, in seconds (20)\n"
	    "  --with CHECK          a check beside the standing ones: selectors, nat-t, mss,\n"
	    "                        mode, pmtu, replay; may be repeated\n"
	    "  --list                the checks, and the clause that each one guards\n");
}

static int list_checks(void)
{
	const struct check *table;
	size_t i, n;

	table = checks_table(&n);
	for (i = 0; i < n; i++)
		printf("%-16s %s (%s)%s\n", table[i].name, table[i].title, table[i].clause,
		       table[i].standing ? "" : ", by --with");
	return EXIT_PASS;
}

static int complain(const char *what, const char *value)
{
	fprintf(stderr, "beetlab check: %s: %s\n", what, value);
	return EXIT_USAGE;
}

static int read_number(const char *option, const char *text, unsigned *ret_value)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (!*text || *end || n < 1 || n > 65535)
		return complain(option, "a number from 1 to 65535 is wanted");
	*ret_value = (unsigned)n;
	return 0;
}

static int add_net(struct options *o, const char *text)
{
	struct err_msg msg;
	struct ts ts;

	if (ts_parse(text, &ts, &msg))
		return complain("--tunnel-net", msg.text);
	return ts_list_add(&o->params.tunnel_nets, &ts) ? complain("--tunnel-net", "too many") : 0;
}

static int add_inner(struct options *o, const char *name)
{
	if (o->params.n_places == PLACES_MAX)
		return complain("--inner", "too many");
	o->places[o->params.n_places++] = (struct place_param){.name = name, .outer = NO};
	return 0;
}

static int add_named(struct options *o, const char *name)
{
	const struct check *check = check_find(name);

	if (!check)
		return complain("no such check", name);
	if (o->n_named == NAMED_MAX)
		return complain("--with", "too many");
	o->named[o->n_named++] = check;
	return 0;
}

enum {
	OPT_KEYS = 1,
	OPT_JSON,
	OPT_LADDER,
	OPT_MTU,
	OPT_NET,
	OPT_INNER,
	OPT_KEEPALIVE,
	OPT_WITH,
	OPT_LIST,
	OPT_HELP
};

static const struct option long_options[] = {
    {"keys", required_argument, NULL, OPT_KEYS},
    {"json", no_argument, NULL, OPT_JSON},
    {"ladder", no_argument, NULL, OPT_LADDER},
    {"mtu", required_argument, NULL, OPT_MTU},
    {"tunnel-net", required_argument, NULL, OPT_NET},
    {"inner", required_argument, NULL, OPT_INNER},
    {"keepalive", required_argument, NULL, OPT_KEEPALIVE},
    {"with", required_argument, NULL, OPT_WITH},
    {"list", no_argument, NULL, OPT_LIST},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

/* -1: go on; else the exit status. */
static int read_option(struct options *o, int option)
{
	int status = 0;

	switch (option) {
	case OPT_KEYS:
		o->keys = optarg;
		break;
	case OPT_JSON:
		o->json = true;
		break;
	case OPT_LADDER:
		o->ladder = true;
		break;
	case OPT_MTU:
		status = read_number("--mtu", optarg, &o->params.mtu);
		break;
	case OPT_NET:
		status = add_net(o, optarg);
		break;
	case OPT_INNER:
		status = add_inner(o, optarg);
		break;
	case OPT_KEEPALIVE:
		status = read_number("--keepalive", optarg, &o->params.keepalive_s);
		break;
	case OPT_WITH:
		status = add_named(o, optarg);
		break;
	case OPT_LIST:
		return list_checks();
	case OPT_HELP:
		print_usage(stdout);
		return EXIT_PASS;
	default:
		print_usage(stderr);
		return EXIT_USAGE;
	}
	return status ? status : -1;
}

struct verdicts {
	struct check_result *standing;
	size_t n_standing;
	struct check_result named[NAMED_MAX];
	size_t n_named;
	size_t by_verdict[3]; /* enum verdict */
};

static int judge(const struct facts *f, const struct options *o, struct verdicts *v)
{
	size_t i;
	int err = checks_run_standing(f, &o->params, &v->standing, &v->n_standing);

	if (err)
		return err;
	for (i = 0; i < o->n_named; i++)
		check_run(o->named[i], f, &o->params, &v->named[v->n_named++]);
	for (i = 0; i < v->n_standing; i++)
		v->by_verdict[v->standing[i].verdict]++;
	for (i = 0; i < v->n_named; i++)
		v->by_verdict[v->named[i].verdict]++;
	return 0;
}

static void verdicts_free(struct verdicts *v)
{
	size_t i;

	check_results_free(v->standing, v->n_standing);
	for (i = 0; i < v->n_named; i++)
		check_result_free(&v->named[i]);
}

static size_t broken_captures(const struct facts *f)
{
	size_t i, n = 0;

	for (i = 0; i < f->set.n_places; i++)
		n += f->set.places[i].problem != NULL;
	return n;
}

static void print_json(const struct facts *f, const struct verdicts *v, bool passed)
{
	json_t *o = json_object(), *checks = json_array();
	size_t i;

	for (i = 0; i < v->n_standing; i++)
		json_array_append_new(checks, check_result_json(f, &v->standing[i]));
	for (i = 0; i < v->n_named; i++)
		json_array_append_new(checks, check_result_json(f, &v->named[i]));
	json_object_set_new(o, "verdict", json_string(passed ? "pass" : "fail"));
	json_object_set_new(o, "checks", checks);
	json_object_set_new(o, "facts", facts_json(f));
	json_dumpf(o, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(16));
	printf("\n");
	json_decref(o);
}

static void print_text(const struct facts *f, const struct options *o, const struct verdicts *v,
		       bool passed)
{
	bool colour = isatty(STDOUT_FILENO);
	size_t i;

	facts_print(stdout, f);
	for (i = 0; o->ladder && i < f->set.n_places; i++) {
		printf("\n%s\n", f->set.places[i].name);
		facts_print_ladder(stdout, f, i);
	}
	printf("\nChecks\n");
	if (!o->keys)
		printf("  Without --keys DIR what is sealed stays so, and is not judged.\n");
	check_results_print(stdout, f, v->standing, v->n_standing, colour);
	check_results_print(stdout, f, v->named, v->n_named, colour);
	printf("\n%s: %zu checks: %zu passed, %zu failed, %zu n/a%s\n", passed ? "pass" : "FAIL",
	       v->n_standing + v->n_named, v->by_verdict[VERDICT_PASS], v->by_verdict[VERDICT_FAIL],
	       v->by_verdict[VERDICT_NOT_APPLICABLE],
	       broken_captures(f) ? "; a capture is broken" : "");
}

static int report(const struct facts *f, const struct options *o)
{
	struct verdicts v = {0};
	bool passed;
	int err = judge(f, o, &v);

	if (err)
		return complain("checks", err_text(err));
	passed = !v.by_verdict[VERDICT_FAIL] && !broken_captures(f);
	if (o->json)
		print_json(f, &v, passed);
	else
		print_text(f, o, &v, passed);
	verdicts_free(&v);
	return passed ? EXIT_PASS : EXIT_FAIL;
}

/* --inner names a capture; a wrong name would quietly judge by other rules. */
static int places_exist(const struct options *o, const struct facts *f)
{
	size_t i, k;

	for (i = 0; i < o->params.n_places; i++) {
		for (k = 0; k < f->set.n_places; k++)
			if (strcmp(f->set.places[k].name, o->places[i].name) == 0)
				break;
		if (k == f->set.n_places)
			return complain("--inner: no capture of that name", o->places[i].name);
	}
	return 0;
}

static int check_captures(const struct options *o, char **paths, size_t n)
{
	struct err_msg msg = {{0}};
	struct facts f;
	int status;

	if (captures_read(paths, n, o->keys, &f, &msg)) {
		fprintf(stderr, "beetlab check: %s\n", msg.text);
		return EXIT_USAGE;
	}
	status = places_exist(o, &f);
	if (!status)
		status = report(&f, o);
	facts_free(&f);
	return status;
}

int cmd_check(int argc, char **argv)
{
	struct options o = {0};
	int option, status = -1;

	o.params.places = o.places;
	while (status < 0 && (option = getopt_long(argc, argv, "h", long_options, NULL)) != -1)
		status = read_option(&o, option);
	if (status < 0 && optind == argc) {
		print_usage(stderr);
		status = EXIT_USAGE;
	}
	if (status < 0)
		status = check_captures(&o, argv + optind, (size_t)(argc - optind));
	ts_list_free(&o.params.tunnel_nets);
	return status;
}
