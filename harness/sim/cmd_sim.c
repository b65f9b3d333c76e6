/* cmd_sim.c - beetlab sim: the command line, and what a person reads.
 *
 * Seeds that pass are counted; one that fails is told with the command that repeats it. With
 * --shrink the first failing seed of a scenario is made smaller, and the file of what is left is
 * written beside. */
#include "harness/command.h"
#include "harness/files.h"
#include "harness/sim/jobs.h"
#include "harness/sim/judge.h"
#include "harness/sim/shrink.h"
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TOLD_MAX  20	     /* failing seeds of a scenario; the rest is counted */
#define GROWN_MAX (64 << 10) /* octets; a leak of one object a seed is more, in a hundred seeds */

struct options {
	struct sim_job job;
	bool shrink, quiet;
};

/* Of one scenario. */
struct tally {
	uint64_t passed, failed, unsupported, first_failed;
	char why_not[700];
	double seconds;
	uint64_t probes, delivered, seals, ike_messages, installs;
	uint64_t happened[FAULT_KINDS_COUNT];
};

struct telling {
	const struct options *o;
	struct tally *tallies;
	int64_t grown;
	struct timespec start;
};

static void print_help(FILE *out)
{
	fputs("usage: beetlab sim FILE... [OPTION]...\n\n"
	      "Runs scenarios in one process on a virtual clock: beetd's node, control and ESP, "
	      "with\n"
	      "models of links and NAT boxes. No root, no network, the same seed the same run.\n\n"
	      "  --seeds N       so many seeds [1]\n"
	      "  --from S        the first of them [1]\n"
	      "  --jobs J        so many processes [1]\n"
	      "  --shrink        reduce the first failing seed to the events that matter\n"
	      "  --faults FILE   repeat with these events alone (what --shrink has written)\n"
	      "  --out DIR       captures, keys, events and checks of one seed; shrunken files\n"
	      "  --quiet         the summary alone\n\n"
	      "Exit status: 0 passed, 1 failed, 77 unsupported in a simulation, 2 usage.\n",
	      out);
}

static bool parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value)
{
	char *end;

	errno = 0;
	*ret_value = strtoull(text, &end, 10);
	if (*text && *text != '-' && !*end && errno == 0 && *ret_value >= min && *ret_value <= max)
		return true;
	fprintf(stderr, "beetlab sim: '%s' cannot be understood\n", text);
	return false;
}

static bool parse_option(int letter, struct options *o)
{
	uint64_t value = 0;
	bool ok = true;

	switch (letter) {
	case 'n':
		ok = parse_number(optarg, 1, 100000000, &value);
		o->job.seeds = (unsigned)value;
		break;
	case 's':
		ok = parse_number(optarg, 0, UINT64_MAX / 2, &o->job.from);
		break;
	case 'j':
		ok = parse_number(optarg, 1, 256, &value);
		o->job.jobs = (unsigned)value;
		break;
	case 'k':
		o->shrink = true;
		break;
	case 'f':
		o->job.faults = optarg;
		break;
	case 'o':
		o->job.out = optarg;
		break;
	case 'q':
		o->quiet = true;
		break;
	default:
		return false;
	}
	return ok;
}

static const struct option long_options[] = {
    {"seeds", required_argument, NULL, 'n'},
    {"from", required_argument, NULL, 's'},
    {"jobs", required_argument, NULL, 'j'},
    {"shrink", no_argument, NULL, 'k'},
    {"faults", required_argument, NULL, 'f'},
    {"out", required_argument, NULL, 'o'},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* -1: go on; else an exit status. */
static int parse_options(int argc, char **argv, struct options *o)
{
	int letter;

	optind = 1;
	while ((letter = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (letter == 'h') {
			print_help(stdout);
			return EXIT_PASS;
		}
		if (!parse_option(letter, o)) {
			print_help(stderr);
			return EXIT_USAGE;
		}
	}
	if (optind == argc) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	o->job.paths = argv + optind;
	o->job.paths_count = (size_t)(argc - optind);
	return -1;
}

/* --- telling --- */

static void format_command(const struct options *o, size_t file, uint64_t seed, const char *faults,
			   char *text, size_t cap)
{
	snprintf(text, cap, "beetlab sim %s --from %" PRIu64 " --seeds 1%s%s", o->job.paths[file],
		 seed, faults ? " --faults " : "", faults ? faults : "");
}

static void add_up(struct tally *t, const struct sim_outcome *o)
{
	size_t i;

	t->seconds += o->seconds;
	t->probes += o->probes;
	t->delivered += o->delivered;
	t->seals += o->seals;
	t->ike_messages += o->ike_messages;
	t->installs += o->installs;
	for (i = 0; i < FAULT_KINDS_COUNT; i++)
		t->happened[i] += o->happened[i];
}

static void tell_failure(const struct telling *t, const struct sim_seed_report *r)
{
	char command[4096];

	format_command(t->o, r->file, r->seed, t->o->job.faults, command, sizeof(command));
	printf("FAIL %s, seed %" PRIu64 ": %s\n     repeat: %s\n", t->o->job.paths[r->file],
	       r->seed, r->outcome.why, command);
	fflush(stdout);
}

static void on_report(void *arg, const struct sim_seed_report *r)
{
	struct telling *t = arg;
	struct tally *tally = &t->tallies[r->file < t->o->job.paths_count ? r->file : 0];

	if (r->is_last) {
		t->grown = r->grown > t->grown ? r->grown : t->grown;
		return;
	}
	add_up(tally, &r->outcome);
	if (r->outcome.verdict == SIM_PASS) {
		tally->passed++;
	} else if (r->outcome.verdict == SIM_UNSUPPORTED) {
		tally->unsupported++;
		snprintf(tally->why_not, sizeof(tally->why_not), "%s", r->outcome.why);
	} else {
		if (tally->failed == 0 || r->seed < tally->first_failed)
			tally->first_failed = r->seed;
		if (tally->failed++ < TOLD_MAX && !t->o->quiet)
			tell_failure(t, r);
	}
}

static double seconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

static void print_faults(const struct tally *t)
{
	bool any = false;
	size_t i;

	for (i = 0; i < FAULT_KINDS_COUNT; i++) {
		if (!t->happened[i])
			continue;
		printf("%s%" PRIu64 " %s", any ? ", " : "     faults: ", t->happened[i],
		       fault_kind_name((enum fault_kind)i));
		any = true;
	}
	if (any)
		printf("\n");
}

static void print_tally(const char *path, const struct tally *t)
{
	if (t->unsupported) {
		printf("unsupported: %s: %s\n", path, t->why_not);
		return;
	}
	printf("%s %s: %" PRIu64 " of %" PRIu64 " seeds passed; %.1f h of virtual time\n",
	       t->failed ? "FAIL" : "pass", path, t->passed, t->passed + t->failed,
	       t->seconds / 3600);
	printf("     %" PRIu64 " IKE messages, %" PRIu64 " SAs, %" PRIu64
	       " inner packets sealed; %" PRIu64 " of %" PRIu64 " probes arrived\n",
	       t->ike_messages, t->installs, t->seals, t->delivered, t->probes);
	print_faults(t);
}

static int finish(const struct telling *t)
{
	size_t i, count = t->o->job.paths_count, unsupported = 0;
	int status = EXIT_PASS;

	for (i = 0; i < count; i++) {
		print_tally(t->o->job.paths[i], &t->tallies[i]);
		unsupported += t->tallies[i].unsupported > 0;
		if (t->tallies[i].failed)
			status = EXIT_FAIL;
	}
	printf("     %.1f s\n", seconds_since(&t->start));
	if (t->grown > GROWN_MAX) {
		printf("FAIL memory in use grew by %" PRId64 " octets over the seeds\n", t->grown);
		status = EXIT_FAIL;
	}
	return status == EXIT_PASS && unsupported == count ? EXIT_SKIPPED : status;
}

/* --- shrinking --- */

static int write_shrunk(const struct options *o, const struct plan *plan, size_t file,
			const struct sim_shrunk *shrunk, struct err_msg *msg)
{
	char name[128], path[4096], command[8500], *at;
	int err;

	snprintf(name, sizeof(name), "%.100s", plan->scenario->name);
	for (at = name; *at; at++)
		if (*at == '/')
			*at = '-';
	err = o->job.out ? dir_make(o->job.out, msg) : 0;
	snprintf(path, sizeof(path), "%.3900s%s%s-seed-%" PRIu64 ".faults",
		 o->job.out ? o->job.out : "", o->job.out ? "/" : "", name, plan->seed);
	format_command(o, file, plan->seed, path, command, sizeof(command));
	if (err == 0)
		err = sim_shrunk_write(shrunk, command, path, msg);
	if (err == 0)
		printf("     repeat: %s\n", command);
	return err;
}

static int shrink(const struct options *o, size_t file, uint64_t seed, struct err_msg *msg)
{
	const struct plan_options options = {.seed = seed};
	struct sim_shrunk shrunk;
	struct scenario *scenario;
	struct plan plan;
	int err = scenario_load(o->job.paths[file], &scenario, msg);

	if (err < 0)
		return err;
	err = plan_make(scenario, &options, &plan, msg);
	if (err == 0)
		err = sim_shrink(&plan, &shrunk, msg);
	if (err == 0) {
		printf("shrunk seed %" PRIu64 " in %u runs: of %zu faults and %zu fates remain\n",
		       seed, shrunk.runs, shrunk.before.faults_count, shrunk.before.fates_count);
		sim_shrunk_print(&shrunk, "     ", stdout);
		printf("     %s\n", shrunk.after.why);
		err = write_shrunk(o, &plan, file, &shrunk, msg);
		sim_shrunk_free(&shrunk);
	}
	scenario_free(scenario);
	return err;
}

static void shrink_first(const struct telling *t)
{
	struct err_msg msg;
	size_t i;

	for (i = 0; t->o->shrink && i < t->o->job.paths_count; i++)
		if (t->tallies[i].failed && shrink(t->o, i, t->tallies[i].first_failed, &msg) < 0)
			fprintf(stderr, "beetlab sim: %s\n", msg.text);
}

/* --- one seed, with everything kept --- */

static int run_kept(const struct options *o)
{
	struct telling t = {.o = o};
	struct sim_seed_report report = {.seed = o->job.from};
	struct tally tally = {.passed = 0};
	struct err_msg msg = {{0}};
	int status;

	clock_gettime(CLOCK_MONOTONIC, &t.start);
	t.tallies = &tally;
	if (sim_jobs_one(&o->job, 0, o->job.from, &report.outcome, &msg) < 0) {
		fprintf(stderr, "%s\n", msg.text);
		return EXIT_USAGE;
	}
	on_report(&t, &report);
	status = finish(&t);
	shrink_first(&t);
	if (status == EXIT_SKIPPED)
		return status;
	return sim_judge(o->job.paths[0], o->job.from, o->job.out, stdout) < 0 ? EXIT_FAIL : status;
}

int cmd_sim(int argc, char **argv)
{
	struct options o = {.job = {.from = 1, .seeds = 1, .jobs = 1}};
	struct telling t = {.o = &o};
	int status = parse_options(argc, argv, &o);
	struct err_msg msg = {{0}};

	if (status >= 0)
		return status;
	if (o.job.out && o.job.seeds == 1 && o.job.paths_count == 1)
		return run_kept(&o);
	o.job.out = NULL;
	t.tallies = calloc(o.job.paths_count, sizeof(*t.tallies));
	if (!t.tallies)
		return EXIT_FAIL;
	clock_gettime(CLOCK_MONOTONIC, &t.start);
	if (sim_jobs_run(&o.job, on_report, &t, &msg) < 0) {
		fprintf(stderr, "beetlab sim: %s\n", msg.text);
		status = EXIT_USAGE;
	} else {
		status = finish(&t);
	}
	shrink_first(&t);
	free(t.tallies);
	return status;
}
