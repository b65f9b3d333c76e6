/* jobs.c - seeds are dealt out to processes in turns; each writes a report on each of its seeds to
 * one pipe (a report is smaller than PIPE_BUF, so reports do not mix).
 *
 * A process also watches its own memory: after WARM_UP seeds, whose caches stay (libcrypto's, the
 * allocator's), the memory in use between two seeds must not grow. What it has grown by at the end
 * is told with the last report. */
#include "harness/sim/jobs.h"
#include "harness/sim/shrink.h"
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define WARM_UP 8

_Static_assert(sizeof(struct sim_seed_report) <= PIPE_BUF, "reports must not mix");

int sim_jobs_one(const struct sim_job *job, size_t file, uint64_t seed,
		 struct sim_outcome *ret_outcome, struct err_msg *msg)
{
	const struct plan_options options = {.seed = seed};
	struct sim_replay replay = {.keep = NULL};
	struct sim_world_options world = {.dir = job->out};
	struct scenario *scenario;
	struct plan plan;
	int err = scenario_load(job->paths[file], &scenario, msg);

	if (err < 0)
		return err;
	err = plan_make(scenario, &options, &plan, msg);
	if (err == 0 && job->faults) {
		err = sim_replay_read(job->faults, &plan, &replay, msg);
		world.replay = &replay;
	}
	if (err == 0)
		sim_run(&plan, &world, false, ret_outcome);
	sim_replay_free(&replay);
	scenario_free(scenario);
	return err;
}

static bool send_report(int fd, const struct sim_seed_report *report)
{
	return write(fd, report, sizeof(*report)) == (ssize_t)sizeof(*report);
}

/* In a process of its own. */
static int run_share(const struct sim_job *job, unsigned index, int fd)
{
	struct sim_seed_report report = {.file = 0};
	size_t base = 0, n = 0;
	struct err_msg msg;
	uint64_t i;

	for (report.file = 0; report.file < job->paths_count; report.file++) {
		for (i = index; i < job->seeds; i += job->jobs) {
			report.seed = job->from + i;
			if (sim_jobs_one(job, report.file, report.seed, &report.outcome, &msg) <
			    0) {
				fprintf(stderr, "%s\n", msg.text);
				return 1;
			}
			if (!send_report(fd, &report))
				return 1;
			if (++n == WARM_UP)
				base = mallinfo2().uordblks;
		}
	}
	report.is_last = true;
	report.grown = n > WARM_UP ? (int64_t)mallinfo2().uordblks - (int64_t)base : 0;
	return send_report(fd, &report) ? 0 : 1;
}

static int start_share(const struct sim_job *job, unsigned index, const int pipes[2])
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(pipes[0]);
		_exit(run_share(job, index, pipes[1]));
	}
	return pid < 0 ? ERR_IO : 0;
}

static bool read_report(int fd, struct sim_seed_report *report)
{
	size_t have = 0;
	ssize_t n;

	while (have < sizeof(*report)) {
		n = read(fd, (char *)report + have, sizeof(*report) - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		have += (size_t)n;
	}
	return true;
}

static int wait_for_shares(unsigned count, struct err_msg *msg)
{
	int status, err = 0;

	while (count-- > 0) {
		if (wait(&status) < 0)
			return err_set(msg, ERR_IO, "%s", strerror(errno));
		if (WIFSIGNALED(status))
			err = err_set(msg, ERR_STATE, "a process died of signal %d (%s)",
				      WTERMSIG(status), strsignal(WTERMSIG(status)));
		else if (WEXITSTATUS(status) != 0)
			err = err_set(msg, ERR_SYNTAX, "not all seeds could be run");
	}
	return err;
}

int sim_jobs_run(const struct sim_job *job, sim_report_fn *fn, void *arg, struct err_msg *msg)
{
	struct sim_seed_report report;
	unsigned i, started = 0;
	int pipes[2], err = 0, ended;

	if (pipe(pipes) < 0)
		return err_set(msg, ERR_IO, "%s", strerror(errno));
	for (i = 0; i < job->jobs && err == 0; i++) {
		err = start_share(job, i, pipes);
		started += err == 0;
	}
	close(pipes[1]);
	while (read_report(pipes[0], &report))
		fn(arg, &report);
	close(pipes[0]);
	ended = wait_for_shares(started, msg);
	return err < 0 ? err_set(msg, err, "not enough processes") : ended;
}
