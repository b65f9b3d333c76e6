/* cmd_run.c - beetlab run: the command line, and a process for each run.
 *
 * A run has a process of its own, so that one that crashes is one failure and no more, and several
 * may go at once. This process only waits: it adopts what its runs leave behind (their guards), so
 * that after an interrupt it returns when everything is undone, and not before. */
#include "harness/command.h"
#include "harness/files.h"
#include "harness/report.h"
#include "harness/run.h"
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PEERS_MAX 16
#define PATH_CAP  4096

struct job {
	const char *path;
	struct scenario *scenario;
	uint64_t seed;
	char out[PATH_CAP];
	pid_t pid;	/* 0: not started, -1: over */
	FILE *terminal; /* what a job among several says, until it is over */
	int status;
};

struct options {
	uint64_t seed;
	unsigned seeds, jobs;
	bool dry_run, keep, has_seed, quiet, is_long;
	const char *out;
	struct plan_peer peers[PEERS_MAX];
	size_t peers_count;
};

static volatile sig_atomic_t interrupted;

static void print_help(FILE *out)
{
	fputs(
	    "usage: beetlab run FILE... [OPTION]...\n\n"
	    "Builds the network of each scenario, runs its steps, judges the captures, reports.\n\n"
	    "  --dry-run            print what would be done\n"
	    "  --seed N             of every random choice [a new one, which is printed]\n"
	    "  --seeds N            run each scenario with N seeds, from --seed on [1]\n"
	    "  --peer NODE=DAEMON   put beetd or strongswan at a node; may be repeated\n"
	    "  --jobs N             so many runs at once [1]\n"
	    "  --out DIR            the run's directory [beetlab-runs/NAME-TIME]\n"
	    "  --long               repeat what can be repeated as often as must be shown once\n"
	    "  --keep               leave the network until Return is pressed\n"
	    "  --quiet              the verdicts alone\n\n"
	    "Exit status: 0 passed, 1 failed, 77 skipped, 2 usage, a mistake in the scenario, or\n"
	    "what the bench itself could not do.\n",
	    out);
}

static bool parse_number(const char *text, uint64_t max, uint64_t *ret_value)
{
	char *end;

	errno = 0;
	*ret_value = strtoull(text, &end, 10);
	return *text && *text != '-' && !*end && errno == 0 && *ret_value <= max;
}

/* NULL, or what the option wants. */
static const char *parse_peer(char *text, struct options *o)
{
	char *sign = strchr(text, '=');

	if (!sign || sign == text || !sign[1])
		return "--peer wants NODE=DAEMON";
	if (o->peers_count == PEERS_MAX)
		return "--peer: no more than 16 of them";
	*sign = 0;
	if (!plan_is_daemon(sign + 1))
		return "--peer wants NODE=beetd or NODE=strongswan";
	o->peers[o->peers_count++] = (struct plan_peer){text, sign + 1};
	return NULL;
}

/* NULL, or what the option wants. */
static const char *parse_option(int letter, struct options *o)
{
	uint64_t value = 0;

	switch (letter) {
	case 'd':
		o->dry_run = true;
		break;
	case 's':
		o->has_seed = parse_number(optarg, UINT64_MAX, &o->seed);
		return o->has_seed ? NULL : "--seed wants a number";
	case 'n':
		if (!parse_number(optarg, 10000, &value) || value == 0)
			return "--seeds wants a number from 1 to 10000";
		o->seeds = (unsigned)value;
		break;
	case 'j':
		if (!parse_number(optarg, 256, &value) || value == 0)
			return "--jobs wants a number from 1 to 256";
		o->jobs = (unsigned)value;
		break;
	case 'p':
		return parse_peer(optarg, o);
	case 'o':
		o->out = optarg;
		break;
	case 'k':
		o->keep = true;
		break;
	case 'q':
		o->quiet = true;
		break;
	case 'l':
		o->is_long = true;
		break;
	default:
		return "see beetlab run --help";
	}
	return NULL;
}

static const struct option long_options[] = {
    {"dry-run", no_argument, NULL, 'd'},
    {"seed", required_argument, NULL, 's'},
    {"seeds", required_argument, NULL, 'n'},
    {"jobs", required_argument, NULL, 'j'},
    {"peer", required_argument, NULL, 'p'},
    {"out", required_argument, NULL, 'o'},
    {"keep", no_argument, NULL, 'k'},
    {"quiet", no_argument, NULL, 'q'},
    {"long", no_argument, NULL, 'l'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* -1: go on; else an exit status. */
static int parse_options(int argc, char **argv, struct options *o)
{
	const char *wanted;
	int letter;

	optind = 1;
	while ((letter = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (letter == 'h') {
			print_help(stdout);
			return EXIT_PASS;
		}
		wanted = parse_option(letter, o);
		if (wanted) {
			fprintf(stderr, "beetlab run: %s\n", wanted);
			return EXIT_USAGE;
		}
	}
	if (optind == argc) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (!o->has_seed && getrandom(&o->seed, 4, 0) == 4)
		o->seed &= 0xffffffff;
	return -1;
}

/* --- jobs --- */

static void choose_out(struct job *job, const struct options *o, size_t count)
{
	char name[128], stamp[32];
	time_t now = time(NULL);
	struct tm tm;
	char *at;

	snprintf(name, sizeof(name), "%s", job->scenario->name);
	for (at = name; *at; at++)
		if (*at == '/')
			*at = '-';
	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", localtime_r(&now, &tm));
	if (o->out && count == 1)
		snprintf(job->out, sizeof(job->out), "%s", o->out);
	else if (o->out)
		snprintf(job->out, sizeof(job->out), "%s/%s-seed-%" PRIu64, o->out, name,
			 job->seed);
	else
		snprintf(job->out, sizeof(job->out), "beetlab-runs/%s-%s-seed-%" PRIu64, name,
			 stamp, job->seed);
}

static int exit_status(enum run_verdict verdict)
{
	static const int statuses[] = {[RUN_PASS] = EXIT_PASS,
				       [RUN_FAIL] = EXIT_FAIL,
				       [RUN_SKIPPED] = EXIT_SKIPPED,
				       [RUN_ERROR] = EXIT_USAGE};

	return statuses[verdict];
}

static int make_plan(const struct job *job, const struct options *o, struct plan_options *options,
		     struct plan *ret_plan)
{
	struct err_msg msg = {{0}};

	*options = (struct plan_options){
	    .seed = job->seed, .peers = o->peers, .peers_count = o->peers_count};
	if (plan_make(job->scenario, options, ret_plan, &msg) == 0)
		return 0;
	fprintf(stderr, "%s\n", msg.text);
	return ERR_SYNTAX;
}

/* In the run's own process. */
static int run_job(const struct job *job, const struct options *o, FILE *terminal)
{
	struct run_options options = {.out = job->out,
				      .is_long = o->is_long,
				      .keep = o->keep,
				      .terminal = o->quiet ? NULL : terminal,
				      .is_tty = isatty(STDOUT_FILENO)};
	struct err_msg msg = {{0}};
	const char *missing;
	struct plan plan;
	json_t *result;
	int status;

	if (make_plan(job, o, &options.plan, &plan) < 0)
		return EXIT_USAGE;
	missing = run_missing(&plan);
	if (missing) {
		fprintf(terminal, "%s\nSKIP: %s\n", job->scenario->name, missing);
		fflush(terminal);
		return EXIT_SKIPPED;
	}
	if (run_plan(&plan, &options, &result, &msg) < 0) {
		fprintf(stderr, "beetlab run: %s\n", msg.text);
		return EXIT_USAGE;
	}
	if (!o->quiet)
		report_terminal(result, options.is_tty, terminal);
	report_verdict(result, job->out, options.is_tty, terminal);
	status = exit_status(result_verdict(result));
	json_decref(result);
	fflush(terminal);
	return status;
}

static void start_job(struct job *job, const struct options *o)
{
	job->terminal = o->jobs > 1 ? tmpfile() : stdout;
	fflush(NULL);
	job->pid = job->terminal ? fork() : -1;
	if (job->pid == 0) {
		/* Its guard then undoes what it has made. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGINT, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		_exit(run_job(job, o, job->terminal));
	}
	if (job->pid < 0) {
		fprintf(stderr, "beetlab run: %s\n", strerror(errno));
		job->status = EXIT_FAIL;
	}
}

static void print_output(struct job *job)
{
	char buf[4096];
	size_t len;

	if (!job->terminal || job->terminal == stdout)
		return;
	rewind(job->terminal);
	while ((len = fread(buf, 1, sizeof(buf), job->terminal)) > 0)
		fwrite(buf, 1, len, stdout);
	fclose(job->terminal);
	job->terminal = NULL;
}

static void end_job(struct job *job, int status)
{
	job->pid = -1;
	job->status = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAIL;
	print_output(job);
	if (WIFSIGNALED(status) && !interrupted)
		fprintf(stderr, "%s: the run died of signal %d (%s)\n", job->scenario->name,
			WTERMSIG(status), strsignal(WTERMSIG(status)));
}

static struct job *find_job(struct job *jobs, size_t count, pid_t pid)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (jobs[i].pid == pid)
			return &jobs[i];
	return NULL;
}

static void on_interrupt(int signal)
{
	interrupted = signal;
}

static void pass_on_interrupt(struct job *jobs, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (jobs[i].pid > 0)
			kill(jobs[i].pid, SIGTERM);
}

static void run_jobs(struct job *jobs, size_t count, const struct options *o)
{
	const struct sigaction on_signal = {.sa_handler = on_interrupt};
	size_t next = 0, running = 0;
	bool told = false;
	int status;
	pid_t pid;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigaction(SIGINT, &on_signal, NULL);
	sigaction(SIGTERM, &on_signal, NULL);
	for (;;) {
		while (!interrupted && next < count && running < o->jobs) {
			start_job(&jobs[next], o);
			running += jobs[next++].pid > 0;
		}
		if (interrupted && !told) {
			fprintf(stderr, "\nbeetlab run: interrupted; undoing\n");
			pass_on_interrupt(jobs, count);
			told = true;
		}
		pid = waitpid(-1, &status, 0);
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			break;
		if (find_job(jobs, next, pid)) {
			end_job(find_job(jobs, next, pid), status);
			running--;
		}
	}
}

static int overall(const struct job *jobs, size_t count)
{
	size_t i, skipped = 0;
	int status = EXIT_PASS;

	if (interrupted)
		return 128 + interrupted;
	for (i = 0; i < count; i++) {
		if (jobs[i].status == EXIT_USAGE)
			return EXIT_USAGE;
		if (jobs[i].status == EXIT_SKIPPED)
			skipped++;
		else if (jobs[i].status != EXIT_PASS)
			status = EXIT_FAIL;
	}
	return status == EXIT_PASS && skipped == count ? EXIT_SKIPPED : status;
}

static void print_table(const struct job *jobs, size_t count)
{
	size_t i;

	if (count < 2)
		return;
	printf("\n");
	for (i = 0; i < count; i++)
		printf("%-8s %s, seed %" PRIu64 "\n",
		       jobs[i].status == EXIT_PASS	? "pass"
		       : jobs[i].status == EXIT_SKIPPED ? "skipped"
		       : jobs[i].status == EXIT_USAGE	? "ERROR"
							: "FAIL",
		       jobs[i].scenario->name, jobs[i].seed);
}

static int dry_run(const struct job *jobs, size_t count, const struct options *o)
{
	struct plan_options options;
	struct plan plan;
	size_t i;

	for (i = 0; i < count; i++) {
		if (make_plan(&jobs[i], o, &options, &plan) < 0)
			return EXIT_USAGE;
		plan_print(&plan, stdout);
	}
	return EXIT_PASS;
}

/* Each file is read once for each of its seeds: a plan's memory is its scenario's. */
static int load_jobs(char **paths, size_t paths_count, const struct options *o, struct job *jobs)
{
	size_t i, count = paths_count * o->seeds;
	struct err_msg msg = {{0}};

	for (i = 0; i < count; i++) {
		jobs[i].path = paths[i / o->seeds];
		jobs[i].seed = o->seed + i % o->seeds;
		if (scenario_load(jobs[i].path, &jobs[i].scenario, &msg) < 0) {
			fprintf(stderr, "%s\n", msg.text);
			return EXIT_USAGE;
		}
		if (o->is_long)
			scenario_make_long(jobs[i].scenario);
		choose_out(&jobs[i], o, count);
	}
	return EXIT_PASS;
}

int cmd_run(int argc, char **argv)
{
	struct options o = {.seeds = 1, .jobs = 1};
	int status = parse_options(argc, argv, &o);
	size_t count, i;
	struct job *jobs;

	if (status >= 0)
		return status;
	count = (size_t)(argc - optind) * o.seeds;
	jobs = calloc(count, sizeof(*jobs));
	if (!jobs)
		return EXIT_FAIL;
	status = load_jobs(argv + optind, (size_t)(argc - optind), &o, jobs);
	if (status == EXIT_PASS && o.dry_run) {
		status = dry_run(jobs, count, &o);
	} else if (status == EXIT_PASS) {
		run_jobs(jobs, count, &o);
		print_table(jobs, count);
		status = overall(jobs, count);
	}
	for (i = 0; i < count; i++)
		scenario_free(jobs[i].scenario);
	free(jobs);
	return status;
}
