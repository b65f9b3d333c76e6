/* run.c - builds the world, carries out the steps, stops, keeps, dissects, judges, reports.
 *
 * A step that fails ends the steps, not the run: what was captured until then is judged and
 * reported all the same, for that is when it is looked at. What the bench itself cannot do (a full
 * disk, no memory) is an error, never a failure of the VPN.
 *
 * Ownership: one run has its world, its facts and its result; all are released here but the
 * result. */
#include "harness/run.h"
#include "harness/files.h"
#include "harness/report.h"
#include "harness/run_dir.h"
#include "harness/step.h"
#include "harness/world.h"
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct run {
	const struct plan *plan;
	const struct run_options *options;
	json_t *result;
	struct world world;
	struct wire_truth *truth;
	struct facts facts;
	bool has_facts;
	int64_t start;
};

static bool is_in_path(const char *program)
{
	const char *path = getenv("PATH");
	char copy[4096], *rest = copy, *dir, file[4352];

	snprintf(copy, sizeof(copy), "%s:/usr/sbin:/sbin", path ? path : "/usr/bin:/bin");
	while ((dir = strsep(&rest, ":"))) {
		snprintf(file, sizeof(file), "%s/%s", dir, program);
		if (access(file, X_OK) == 0)
			return true;
	}
	return false;
}

const char *run_missing(const struct plan *plan)
{
	static char why[160];
	const struct text_list *needs = &plan->scenario->needs;
	const char *missing;
	size_t i;

	if (plan_needs_sim(plan))
		return "is for 'beetlab sim'";
	if (geteuid() != 0)
		return "needs root, to make network namespaces";
	if (access("/dev/net/tun", R_OK | W_OK) < 0)
		return "no /dev/net/tun";
	for (i = 0; i < plan->endpoints_count; i++) {
		missing = peer_driver_find(plan->endpoints[i].peer)->missing();
		if (!missing && plan_shifts_clock(plan, plan->endpoints[i].sc->node))
			missing = peer_clock_missing();
		if (missing)
			return missing;
	}
	for (i = 0; i < needs->count; i++) {
		if (strcmp(needs->items[i], "root") == 0 || is_in_path(needs->items[i]))
			continue;
		snprintf(why, sizeof(why), "needs the program %s", needs->items[i]);
		return why;
	}
	return NULL;
}

/* --- the terminal --- */

static void say(const struct run *run, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(const struct run *run, const char *fmt, ...)
{
	va_list args;

	if (!run->options->terminal)
		return;
	va_start(args, fmt);
	vfprintf(run->options->terminal, fmt, args);
	va_end(args);
	fflush(run->options->terminal);
}

/* "  3/12 ping 10.254.0.2 from vps ................ " */
static void say_doing(const struct run *run, const char *place, const char *what)
{
	static const char dots[] = "............................................................";
	int used = (int)(strlen(place) + strlen(what)), room = 66 - used;

	say(run, "  %s %s %.*s ", place, what, room > 3 ? room : 3, dots);
}

/* What a program said may have several lines. */
static void say_lines(const struct run *run, const char *first, const char *text)
{
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		say(run, "      %s%.*s\n", first, (int)strcspn(text, "\n"), text);
		first = "  ";
	}
}

static void say_done(const struct run *run, bool ok, double seconds)
{
	bool color = run->options->is_tty;

	say(run, "%s%s%s %.2f s\n", color ? (ok ? "\033[32m" : "\033[31m") : "",
	    ok ? "ok" : "FAILED", color ? "\033[0m" : "", seconds);
}

static double seconds_since(int64_t start)
{
	return (double)(wait_now_ms() - start) / 1000.0;
}

/* --- steps --- */

static bool run_step(struct run *run, size_t index)
{
	const struct sc_step *step = (struct sc_step *)run->plan->scenario->steps.items + index;
	struct step_outcome outcome = {.seconds = 0};
	struct err_msg msg = {{0}};
	char text[256], place[32], reason[800];
	int err;

	snprintf(place, sizeof(place), "%2zu/%zu", index + 1, run->plan->scenario->steps.count);
	step_describe(step, text, sizeof(text));
	say_doing(run, place, text);
	err = step_run(&run->world, step, &outcome, &msg);
	if (err < 0 && !msg.text[0])
		err_set(&msg, err, "%s", err_text(err));
	result_add_step(run->result, step, err == 0, outcome.seconds, outcome.octets, outcome.seen,
			err < 0 ? msg.text : NULL);
	say_done(run, err == 0, outcome.seconds);
	if (err == 0)
		return true;
	snprintf(place, sizeof(place), "line %u: ", step->line);
	say_lines(run, place, msg.text);
	snprintf(reason, sizeof(reason), "step %zu (%s): %.*s", index + 1, text,
		 (int)strcspn(msg.text, "\n"), msg.text);
	result_set_verdict(run->result, RUN_FAIL, reason);
	return false;
}

static void run_steps(struct run *run)
{
	size_t i;

	for (i = 0; i < run->plan->scenario->steps.count; i++)
		if (!run_step(run, i))
			break;
}

/* --- evidence --- */

/* An impaired wire is captured at both ends, a cable at one. */
static int add_captures(struct run *run, struct capture_set *set, struct err_msg *msg)
{
	static const char *const plain[] = {"", NULL}, *const impaired[] = {"-a", "-b", NULL};
	char path[4096];
	size_t i;
	int err = 0;

	for (i = 0; i < run->plan->wires_count && err == 0; i++) {
		const struct plan_wire *wire = &run->plan->wires[i];
		const char *const *suffix = wire->impairment.is_set ? impaired : plain;

		for (; *suffix && err == 0; suffix++) {
			snprintf(path, sizeof(path), "%s/captures/%s%s.pcap", run->world.dir,
				 wire->name, *suffix);
			err = capture_set_add_file(set, path, msg);
		}
	}
	return err;
}

static int dissect(struct run *run, struct err_msg *msg)
{
	struct capture_set set = {.places = NULL};
	struct key_store keys = {.ike = NULL};
	char path[4096];
	int err = add_captures(run, &set, msg);

	if (err < 0) {
		capture_set_free(&set);
		return err;
	}
	capture_set_sort(&set);
	snprintf(path, sizeof(path), "%s/keys", run->options->out);
	/* Where no SA came up there are no keys. */
	if (access(path, R_OK) == 0)
		err = keys_load(&keys, path, msg);
	if (err < 0 && err != ERR_NOT_FOUND) {
		capture_set_free(&set);
		keys_free(&keys);
		return err;
	}
	err = facts_dissect(&set, &keys, &run->facts);
	run->has_facts = err == 0;
	return err < 0 ? err_set(msg, err, "dissection: %s", err_text(err)) : 0;
}

static int judge(struct run *run, struct err_msg *msg)
{
	const struct evidence evidence = {.facts = &run->facts,
					  .wires = run->truth,
					  .wires_count = run->plan->wires_count,
					  .dir = run->options->out};
	int err = dissect(run, msg);

	if (err == 0) {
		result_add_facts(run->result, run->plan, &run->facts);
		result_add_ladder(run->result, run->plan, &run->facts);
		result_add_series(run->result, &run->facts, run->options->out);
		err = result_judge(run->result, run->plan, &evidence, msg);
	}
	return err;
}

static void fail_bench(struct run *run, const char *doing, const struct err_msg *msg)
{
	char reason[640];

	snprintf(reason, sizeof(reason), "%s: %.*s", doing, (int)strcspn(msg->text, "\n"),
		 msg->text);
	result_set_verdict(run->result, RUN_ERROR, reason);
}

static int finish(struct run *run, struct err_msg *msg)
{
	int err;

	world_quiesce(&run->world);
	err = world_stop_captures(&run->world, run->truth, msg);
	result_add_wires(run->result, run->truth, run->plan->wires_count);
	return err == 0 ? world_keep(&run->world, msg) : err;
}

static void wait_for_key(struct run *run)
{
	char line[16];
	size_t i;

	if (!run->options->keep)
		return;
	printf("\nThe network stands: ip netns exec %s-NODE ...\n", net_run(run->world.net));
	for (i = 0; i < run->plan->endpoints_count; i++) {
		struct peer *peer = world_peer(&run->world, run->plan->endpoints[i].sc->node);

		if (peer && peer_is_running(peer))
			printf("%s at %s: swanctl --uri %s ..., beetctl --uri %s ...\n",
			       peer_name(peer), peer_node(peer), peer_uri(peer), peer_uri(peer));
	}
	printf("Press Return to take it down. ");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return;
}

static void run_world(struct run *run)
{
	struct err_msg msg = {{0}};
	int64_t start = wait_now_ms();
	bool is_up;
	char text[96];

	snprintf(text, sizeof(text), "network: %zu nodes, %zu wires",
		 run->plan->topology.nodes_count, run->plan->wires_count);
	say_doing(run, "     ", text);
	is_up = world_open(run->plan, run->options->out, &run->world, &msg) == 0;
	say_done(run, is_up, seconds_since(start));
	if (!is_up) {
		say_lines(run, "", msg.text);
		fail_bench(run, "building the network", &msg);
		return;
	}
	run_steps(run);
	wait_for_key(run);
	start = wait_now_ms();
	say_doing(run, "     ", "daemons, captures, keys");
	is_up = finish(run, &msg) == 0;
	say_done(run, is_up, seconds_since(start));
	if (!is_up)
		fail_bench(run, "stopping", &msg);
	if (world_close(&run->world, &msg) < 0)
		fail_bench(run, "undoing the network", &msg);
	if (!is_up)
		return;
	start = wait_now_ms();
	say_doing(run, "     ", "dissection and checks");
	run->world.dir = run->options->out;
	is_up = judge(run, &msg) == 0;
	say_done(run, is_up, seconds_since(start));
	if (!is_up)
		fail_bench(run, "judging", &msg);
}

/* The command that repeats this run. */
static void format_command(const struct run *run, char *text, size_t cap)
{
	const struct plan_options *o = &run->options->plan;
	size_t i, len;

	len = (size_t)snprintf(text, cap, "beetlab run %s --seed %" PRIu64,
			       run->plan->scenario->path, run->plan->seed);
	if (run->options->is_long && len < cap)
		len += (size_t)snprintf(text + len, cap - len, " --long");
	for (i = 0; i < o->peers_count && len < cap; i++)
		len += (size_t)snprintf(text + len, cap - len, " --peer %s=%s", o->peers[i].node,
					o->peers[i].peer);
}

static int write_inputs(const struct run *run, const char *command, struct err_msg *msg)
{
	const char *dir = run->options->out;
	char text[4096];
	int err, len;

	err = file_copy_if_there(run->plan->scenario->path, dir, "scenario.yaml", msg);
	len = snprintf(text, sizeof(text), "%.4000s\n", command);
	if (err == 0)
		err = file_write(dir, "command", text, (size_t)len, msg);
	len = snprintf(text, sizeof(text), "%" PRIu64 "\n", run->plan->seed);
	return err == 0 ? file_write(dir, "seed", text, (size_t)len, msg) : err;
}

int run_plan(const struct plan *plan, const struct run_options *options, json_t **ret_result,
	     struct err_msg *msg)
{
	struct run run = {.plan = plan, .options = options, .start = wait_now_ms()};
	struct err_msg why = {{0}};
	bool replaced = false;
	char command[4096];
	int err = run_dir_take(options->out, &replaced, msg);

	if (err < 0)
		return err;
	format_command(&run, command, sizeof(command));
	run.result = result_new(plan, command);
	run.truth = calloc(plan->wires_count + 1, sizeof(*run.truth));
	if (!run.result || !run.truth) {
		json_decref(run.result);
		free(run.truth);
		return err_set(msg, ERR_NOMEM, "out of memory");
	}
	say(&run, "%s, seed %" PRIu64 "%s\n", plan->scenario->name, plan->seed,
	    replaced ? ", in place of the earlier run in this directory" : "");
	if (write_inputs(&run, command, &why) < 0)
		fail_bench(&run, "run directory", &why);
	else
		run_world(&run);
	json_object_set_new(run.result, "seconds", json_real(seconds_since(run.start)));
	if (run.has_facts && report_evidence(&run.facts, options->out, &why) < 0)
		fail_bench(&run, "decrypted captures", &why);
	if (report_write(run.result, options->out, &why) < 0)
		fail_bench(&run, "reports", &why);
	if (run.has_facts)
		facts_free(&run.facts);
	free(run.truth);
	*ret_result = run.result;
	return 0;
}

int run_judge_dir(const struct plan *plan, const char *dir, const char *command,
		  json_t **ret_result, struct err_msg *msg)
{
	const struct run_options options = {.out = dir};
	struct run run = {.plan = plan, .options = &options, .start = wait_now_ms()};
	int err = ERR_NOMEM;

	run.world.dir = dir;
	run.result = result_new(plan, command);
	run.truth = calloc(plan->wires_count + 1, sizeof(*run.truth));
	err_set(msg, ERR_NOMEM, "out of memory");
	if (run.result && run.truth)
		err = judge(&run, msg);
	if (run.has_facts && err == 0)
		err = report_evidence(&run.facts, dir, msg);
	if (run.has_facts)
		facts_free(&run.facts);
	free(run.truth);
	if (err < 0)
		json_decref(run.result);
	else
		*ret_result = run.result;
	return err;
}
