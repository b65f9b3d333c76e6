/* test_undo.c - nothing is left, however a run ends. */
#include "netns/tests/support.h"
#include "netns/registry.h"
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { THINGS = 8 }; /* of a run: six namespaces, the registry's file, the directory */

/* What another process built: told to the test through a pipe, then left to its fate. */
struct told {
	char run[REGISTRY_RUN_LEN + 1];
	pid_t daemon;	  /* leader of its session */
	pid_t grandchild; /* forked by the daemon, so known to nobody but its session */
};

static bool is_alive(pid_t pid)
{
	char path[64], state = 'Z';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = 'Z';
	fclose(file);
	return state != 'Z';
}

static unsigned count_named(const char *dir_path, const char *run)
{
	struct dirent *entry;
	unsigned count = 0;
	DIR *dir = opendir(dir_path);

	while (dir && (entry = readdir(dir)))
		count += strstr(entry->d_name, run) != NULL;
	if (dir)
		closedir(dir);
	return count;
}

static unsigned count_left(const char *run)
{
	return count_named("/run/netns", run) + count_named("/run/beetlab", run) +
	       count_named("/tmp", run);
}

static bool nothing_left(void *arg, char *seen, size_t cap)
{
	const struct told *told = arg;
	unsigned left = count_left(told->run);

	snprintf(seen, cap, "%u files of %s, daemon %d, its child %d", left, told->run,
		 is_alive(told->daemon), is_alive(told->grandchild));
	return left == 0 && !is_alive(told->daemon) && !is_alive(told->grandchild);
}

/* Builds the network, starts a daemon in it that forks, tells the test, and waits to be killed. */
static void build_and_wait(int out)
{
	const char *const argv[] = {
	    "sh", "-c", "sleep 600 & echo $! >$PIDFILE.new; mv $PIDFILE.new $PIDFILE; wait", NULL};
	struct process_spec spec = {.node = "vps", .argv = argv};
	struct net *net = build_seed(SEED_NAT_PRESERVE);
	struct told told = {.daemon = 0};
	struct err_msg msg = {{0}};
	struct process *process;
	char path[128], env_text[160];
	const char *const env[] = {env_text, NULL};
	FILE *file;
	int pid = 0;

	snprintf(path, sizeof(path), "%s/pid", net_dir(net));
	snprintf(env_text, sizeof(env_text), "PIDFILE=%s", path);
	spec.env = env;
	assert_ok(process_start(net, &spec, &process, &msg), &msg);
	while (!(file = fopen(path, "r")))
		;
	if (fscanf(file, "%d", &pid) != 1)
		_exit(1);
	snprintf(told.run, sizeof(told.run), "%s", net_run(net));
	told.daemon = process_pid(process);
	told.grandchild = pid;
	if (write(out, &told, sizeof(told)) != sizeof(told))
		_exit(1);
	for (;;)
		pause();
}

static pid_t start_builder(struct told *ret_told)
{
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGSEGV, SIG_DFL); /* cmocka catches it */
		close(fds[0]);
		build_and_wait(fds[1]);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], ret_told, sizeof(*ret_told)), sizeof(*ret_told));
	close(fds[0]);
	assert_true(is_alive(ret_told->daemon) && is_alive(ret_told->grandchild));
	assert_int_equal(count_left(ret_told->run), THINGS);
	return pid;
}

static void end_builder_with(int signal)
{
	struct err_msg msg = {{0}};
	struct told told;
	pid_t pid = start_builder(&told);

	kill(pid, signal);
	waitpid(pid, NULL, 0);
	assert_ok(wait_until(nothing_left, &told, 10000, "clean-up", &msg), &msg);
}

static void test_interrupt_leaves_nothing(void **state)
{
	(void)state;
	end_builder_with(SIGINT);
}

static void test_termination_leaves_nothing(void **state)
{
	(void)state;
	end_builder_with(SIGTERM);
}

static void test_kill_9_leaves_nothing(void **state)
{
	(void)state;
	end_builder_with(SIGKILL);
}

static void test_crash_leaves_nothing(void **state)
{
	(void)state;
	end_builder_with(SIGSEGV);
}

/* The run that the process owns; false if it has none yet. */
static bool run_of_owner(pid_t owner, struct told *ret_told)
{
	struct dirent *entry;
	char path[512];
	int pid = 0;
	DIR *dir = opendir("/run/beetlab");

	while (pid != owner && dir && (entry = readdir(dir))) {
		FILE *file;

		snprintf(path, sizeof(path), "/run/beetlab/%s", entry->d_name);
		file = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
		if (!file)
			continue;
		if (fscanf(file, "owner %d", &pid) != 1)
			pid = 0;
		fclose(file);
		snprintf(ret_told->run, sizeof(ret_told->run), "%.11s", entry->d_name);
	}
	if (dir)
		closedir(dir);
	return pid == owner;
}

/* The builder has made so many of its things, or more. */
static bool has_built(pid_t builder, unsigned things, struct told *ret_told)
{
	return run_of_owner(builder, ret_told) && count_left(ret_told->run) >= things;
}

/* Stops a builder as soon as it has made so many things, looks, kills it. True if it was in the
 * middle. */
static bool kill_builder_at(unsigned things)
{
	const int64_t deadline = wait_now_ms() + 10000;
	struct told told = {.daemon = 0};
	struct err_msg msg = {{0}};
	bool is_middle;
	pid_t pid = fork();

	if (pid == 0) {
		build_seed(SEED_NAT_PRESERVE);
		for (;;)
			pause();
	}
	while (!has_built(pid, things, &told) && wait_now_ms() < deadline)
		;
	kill(pid, SIGSTOP);
	waitpid(pid, NULL, WUNTRACED);
	assert_true(has_built(pid, things, &told));
	/* The rules come last of all. */
	is_middle = count_left(told.run) < THINGS;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	told.daemon = told.grandchild = pid;
	assert_ok(wait_until(nothing_left, &told, 10000, "clean-up", &msg), &msg);
	return is_middle;
}

static void test_kill_9_in_the_middle_of_building_leaves_nothing(void **state)
{
	unsigned things, middles = 0;

	(void)state;
	for (things = 1; things <= THINGS; things++)
		middles += kill_builder_at(things);
	assert_true(middles > 0);
}

static void test_free_kills_what_still_runs(void **state)
{
	const char *const argv[] = {"sleep", "600", NULL};
	const struct process_spec spec = {.node = "vps", .argv = argv};
	struct net *net = build_seed(SEED_NAT_PRESERVE);
	struct err_msg msg = {{0}};
	struct process *process;
	struct told told;

	(void)state;
	assert_ok(process_start(net, &spec, &process, &msg), &msg);
	snprintf(told.run, sizeof(told.run), "%s", net_run(net));
	told.daemon = told.grandchild = process_pid(process);
	free_net(net);
	assert_false(is_alive(told.daemon));
	assert_int_equal(count_left(told.run), 0);
	assert_int_equal(process_stop(process, 0), 128 + SIGKILL);
}

/* The guard is the builder's only child by that name. */
static pid_t guard_of(pid_t builder)
{
	char command[64];
	int guard = 0;
	FILE *pgrep;

	snprintf(command, sizeof(command), "pgrep -P %d -x bl-guard", (int)builder);
	pgrep = popen(command, "r");
	assert_int_equal(fscanf(pgrep, "%d", &guard), 1);
	pclose(pgrep);
	return guard;
}

/* Both the owner and its guard are gone: what a machine finds when everything was killed. */
static void test_leftovers_of_a_dead_owner_are_cleaned_and_of_a_live_one_not(void **state)
{
	struct net *mine = build_seed(SEED_NAT_PRESERVE);
	struct told told;
	struct err_msg msg = {{0}};
	pid_t pid = start_builder(&told);

	(void)state;
	kill(guard_of(pid), SIGKILL);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(count_left(told.run), THINGS);
	assert_true(registry_clean_leftovers(&msg) >= 1);
	assert_int_equal(count_left(told.run), 0);
	assert_false(is_alive(told.grandchild));
	assert_int_equal(ping(mine, "host28", "203.0.113.10"), 0);
	free_net(mine);
}

static void test_registry_cannot_be_talked_into_foreign_things(void **state)
{
	static const char text[] = "owner 1 0\nnetns not-ours\ndirectory /tmp/not-ours\n"
				   "directory /tmp/bl-00000000/../not-ours\nprocess 1 0\n";
	const char *path = "/run/beetlab/bl-00000000";
	struct err_msg msg = {{0}};
	FILE *file;

	(void)state;
	mkdir("/run/beetlab", 0755);
	mkdir("/tmp/not-ours", 0700);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_ok(registry_undo("bl-00000000", &msg), &msg);
	assert_int_equal(rmdir("/tmp/not-ours"), 0);
	assert_int_equal(registry_undo("../passwd", &msg), ERR_INVALID);
	assert_int_equal(registry_undo("bl-00000000", &msg), ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_interrupt_leaves_nothing),
	    cmocka_unit_test(test_termination_leaves_nothing),
	    cmocka_unit_test(test_kill_9_leaves_nothing),
	    cmocka_unit_test(test_crash_leaves_nothing),
	    cmocka_unit_test(test_kill_9_in_the_middle_of_building_leaves_nothing),
	    cmocka_unit_test(test_free_kills_what_still_runs),
	    cmocka_unit_test(test_leftovers_of_a_dead_owner_are_cleaned_and_of_a_live_one_not),
	    cmocka_unit_test(test_registry_cannot_be_talked_into_foreign_things),
	};

	skip_without_root();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
