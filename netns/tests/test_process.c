/* test_process.c - programs in nodes: where they run, what they see, how they end. */
#include "netns/tests/support.h"
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>

static int set_up(void **state)
{
	*state = build_seed(SEED_NAT_PRESERVE);
	return 0;
}

static int tear_down(void **state)
{
	free_net(*state);
	return 0;
}

#define SHELL(text) ((const char *const[]){"sh", "-c", text, NULL})

static int run_spec(struct net *net, const struct process_spec *spec, char *ret_text, size_t cap)
{
	struct process_output output = {0};
	struct err_msg msg = {{0}};
	int status = -1;

	assert_ok(process_run(net, spec, 20000, &status, &output, &msg), &msg);
	snprintf(ret_text, cap, "%s", output.text);
	process_output_free(&output);
	return status;
}

static void test_program_runs_in_its_node_and_reports_its_status(void **state)
{
	const struct process_spec spec = {.node = "vps",
					  .argv = SHELL("ip -o -4 addr show eth0; exit 3")};
	char text[512];

	assert_int_equal(run_spec(*state, &spec, text, sizeof(text)), 3);
	assert_non_null(strstr(text, "203.0.113.10/24"));
}

static void test_program_gets_its_input_and_environment(void **state)
{
	const char *const env[] = {"BEET=root", NULL};
	const struct process_spec spec = {
	    .node = "vps", .argv = SHELL("cat; echo $BEET"), .env = env, .input = "red "};
	char text[64];

	assert_int_equal(run_spec(*state, &spec, text, sizeof(text)), 0);
	assert_string_equal(text, "red root\n");
}

static void test_program_sees_files_of_its_own(void **state)
{
	struct process_bind bind = {.to = "/etc/hostname"};
	const struct process_spec spec = {.node = "vps",
					  .argv = SHELL("cat /etc/hostname; ls -A /run | wc -l"),
					  .binds = &bind,
					  .binds_count = 1,
					  .private_run = true};
	char text[64], path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/hostname", net_dir(*state));
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("mine\n", file);
	fclose(file);
	bind.from = path;
	assert_int_equal(run_spec(*state, &spec, text, sizeof(text)), 0);
	assert_string_equal(text, "mine\n0\n");
}

static void test_what_cannot_start_is_named(void **state)
{
	const char *const argv[] = {"no-such-program", NULL};
	struct process_spec spec = {.node = "vps", .argv = argv};
	struct process *process = NULL;
	struct err_msg msg = {{0}};

	assert_int_equal(process_start(*state, &spec, &process, &msg), ERR_NOT_FOUND);
	assert_non_null(strstr(msg.text, "no-such-program"));
	spec.node = "nobody";
	assert_int_equal(process_start(*state, &spec, &process, &msg), ERR_NOT_FOUND);
	assert_null(process);
}

static bool never(void *arg, char *seen, size_t cap)
{
	(void)arg;
	snprintf(seen, cap, "the same as before");
	return false;
}

static void test_waiting_ends_at_once_when_the_program_dies(void **state)
{
	const struct process_spec spec = {.node = "vps", .argv = SHELL("exit 9")};
	struct process *process;
	struct err_msg msg = {{0}};

	assert_ok(process_start(*state, &spec, &process, &msg), &msg);
	assert_int_equal(process_wait_until(process, never, NULL, 60000, "the end of time", &msg),
			 ERR_STATE);
	assert_non_null(strstr(msg.text, "ended early with status 9"));
	assert_int_equal(process_stop(process, 1000), 9);
}

static void test_waiting_in_vain_tells_what_was_last_seen(void **state)
{
	struct err_msg msg = {{0}};

	(void)state;
	assert_int_equal(wait_until(never, NULL, 20, "a change", &msg), ERR_AGAIN);
	assert_string_equal(msg.text, "a change: not within 20 ms; last seen: the same as before");
}

static void test_stop_is_gentle_first_and_hard_then(void **state)
{
	const struct process_spec polite = {.node = "vps", .argv = SHELL("exec sleep 600")};
	const struct process_spec deaf = {
	    .node = "vps", .argv = SHELL("trap '' TERM; : >$FLAG; while :; do sleep 600; done")};
	struct process_spec flagged = deaf;
	struct process *process;
	struct err_msg msg = {{0}};
	char path[128], env_text[160];
	const char *const env[] = {env_text, NULL};

	assert_ok(process_start(*state, &polite, &process, &msg), &msg);
	assert_int_equal(process_stop(process, 5000), 128 + SIGTERM);

	snprintf(path, sizeof(path), "%s/deaf", net_dir(*state));
	snprintf(env_text, sizeof(env_text), "FLAG=%s", path);
	flagged.env = env;
	assert_ok(process_start(*state, &flagged, &process, &msg), &msg);
	while (access(path, F_OK) != 0)
		assert_int_equal(kill(process_pid(process), 0), 0);
	assert_int_equal(process_stop(process, 50), 128 + SIGKILL);
}

static void test_program_that_takes_too_long_is_ended(void **state)
{
	const struct process_spec spec = {.argv = SHELL("echo started; exec sleep 600")};
	struct process_output output = {0};
	struct err_msg msg = {{0}};
	int status;

	assert_int_equal(process_run(*state, &spec, 300, &status, &output, &msg), ERR_AGAIN);
	assert_string_equal(output.text, "started\n");
	process_output_free(&output);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_program_runs_in_its_node_and_reports_its_status),
	    cmocka_unit_test(test_program_gets_its_input_and_environment),
	    cmocka_unit_test(test_program_sees_files_of_its_own),
	    cmocka_unit_test(test_what_cannot_start_is_named),
	    cmocka_unit_test(test_waiting_ends_at_once_when_the_program_dies),
	    cmocka_unit_test(test_waiting_in_vain_tells_what_was_last_seen),
	    cmocka_unit_test(test_stop_is_gentle_first_and_hard_then),
	    cmocka_unit_test(test_program_that_takes_too_long_is_ended),
	};

	skip_without_root();
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
