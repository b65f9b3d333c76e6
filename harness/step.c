/* step.c - which function carries out which step; what it means for a step to fail as it must. */
#include "harness/step.h"
#include "netns/wait.h"
#include <stdio.h>

static step_fn *const functions[STEP_KINDS_COUNT] = {
    [STEP_START] = step_start,
    [STEP_STOP] = step_stop,
    [STEP_KILL] = step_kill,
    [STEP_PAUSE] = step_pause,
    [STEP_RESUME] = step_resume,
    [STEP_CLOCK] = step_clock,
    [STEP_DISK] = step_disk,
    [STEP_RESTART] = step_restart,
    [STEP_LOAD] = step_load,
    [STEP_INITIATE] = step_initiate,
    [STEP_TERMINATE] = step_terminate,
    [STEP_REKEY] = step_rekey,
    [STEP_PING] = step_ping,
    [STEP_TCP] = step_tcp,
    [STEP_UDP] = step_udp,
    [STEP_TRAFFIC] = step_traffic,
    [STEP_FINISH] = step_finish,
    [STEP_WAIT] = step_wait,
    [STEP_LISTED] = step_listed,
    [STEP_NAT_REBOOT] = step_nat_reboot,
    [STEP_NETWORK] = step_network,
    [STEP_IMPAIR] = step_impair,
    [STEP_RELEASE] = step_release,
    [STEP_SHELL] = step_shell,
    [STEP_BACKGROUND] = step_background,
    [STEP_MEMORY] = step_memory,
    [STEP_IDLE] = step_idle,
    [STEP_FAULTS] = step_faults,
};

int step_run(struct world *world, const struct sc_step *step, struct step_outcome *ret_outcome,
	     struct err_msg *msg)
{
	struct step_outcome outcome = {.seconds = 0};
	int64_t start = wait_now_ms();
	int err = functions[step->kind](world, step, &outcome, msg);

	outcome.seconds = (double)(wait_now_ms() - start) / 1000.0;
	if (step->expect == EXPECT_FAIL && err < 0) {
		snprintf(outcome.seen, sizeof(outcome.seen), "%.399s", msg->text);
		err = 0;
	} else if (step->expect == EXPECT_FAIL) {
		err = err_set(msg, ERR_STATE, "it succeeded, and must not");
	}
	*ret_outcome = outcome;
	return err;
}
