/* judge.c - as run.c does for namespaces: captures and keys to facts, facts to verdicts. */
#include "harness/sim/judge.h"
#include "harness/report.h"
#include "harness/result.h"
#include "harness/run.h"
#include <inttypes.h>
#include <stdlib.h>

int sim_judge(const char *path, uint64_t seed, const char *dir, FILE *terminal)
{
	const struct plan_options options = {.seed = seed};
	struct scenario *scenario = NULL;
	json_t *result = NULL;
	char command[4096];
	struct err_msg msg;
	struct plan plan;
	int err = scenario_load(path, &scenario, &msg);

	snprintf(command, sizeof(command), "beetlab sim %s --from %" PRIu64 " --seeds 1", path,
		 seed);
	if (err == 0)
		err = plan_make(scenario, &options, &plan, &msg);
	if (err == 0)
		err = run_judge_dir(&plan, dir, command, &result, &msg);
	if (err == 0)
		err = report_write(result, dir, &msg);
	if (err < 0)
		fprintf(stderr, "beetlab sim: %s\n", msg.text);
	if (err == 0) {
		report_terminal(result, false, terminal);
		report_verdict(result, dir, false, terminal);
	}
	if (err == 0 && result_verdict(result) != RUN_PASS)
		err = ERR_STATE;
	json_decref(result);
	scenario_free(scenario);
	return err;
}
