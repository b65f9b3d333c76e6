/* step.h - the steps of a scenario, carried out in a world. */
#ifndef HARNESS_STEP_H
#define HARNESS_STEP_H

#include "harness/world.h"

struct step_outcome {
	double seconds;
	uint64_t octets; /* transferred, with arrival verified; 0: not a transfer */
	char seen[400];	 /* what the step saw, for people */
};

/* 0, or an error with what the step saw last in msg. A step that must fail gives 0 when it failed
 * as it should. */
int step_run(struct world *world, const struct sc_step *step, struct step_outcome *ret_outcome,
	     struct err_msg *msg);

/* One for each kind of step. */
typedef int step_fn(struct world *world, const struct sc_step *step, struct step_outcome *outcome,
		    struct err_msg *msg);

step_fn step_start, step_stop, step_kill, step_pause, step_resume, step_clock, step_disk,
    step_restart, step_load, step_initiate, step_terminate, step_rekey, step_memory, step_listed,
    step_wait;							  /* step_peer.c */
step_fn step_ping, step_tcp, step_udp, step_traffic, step_finish; /* step_traffic.c */
step_fn step_network;						  /* step_host.c */
step_fn step_nat_reboot, step_impair, step_release, step_shell, step_background, step_idle,
    step_faults; /* step_network.c */

/* Runs a shell command in a node; its output goes to outcome->seen. *ret_status is its exit
 * status. */
int step_command(struct world *world, const struct sc_step *step, unsigned timeout_ms,
		 struct step_outcome *outcome, int *ret_status, struct err_msg *msg);

#endif
