/* shrink.h - from a failing seed to the few events that matter, and back again from a file of them.
 */
#ifndef HARNESS_SIM_SHRINK_H
#define HARNESS_SIM_SHRINK_H

#include "harness/sim/run.h"

struct sim_shrunk {
	struct sim_replay replay; /* owned: sim_shrunk_free */
	struct sim_outcome before, after;
	unsigned runs; /* that it took */
};

/* The plan must fail. ERR_STATE: it does not; ERR_NOMEM. */
int sim_shrink(const struct plan *plan, struct sim_shrunk *ret_shrunk, struct err_msg *msg);
void sim_shrunk_free(struct sim_shrunk *shrunk);

/* A file that sim_replay_read reads: "fault NUMBER", "exact", "fate WIRE SIDE NUMBER ACT", and
 * comments. ERR_IO, ERR_SYNTAX. */
int sim_shrunk_write(const struct sim_shrunk *shrunk, const char *command, const char *path,
		     struct err_msg *msg);
void sim_shrunk_print(const struct sim_shrunk *shrunk, const char *indent, FILE *out);
/* The replay's names are the plan's. sim_replay_free. */
int sim_replay_read(const char *path, const struct plan *plan, struct sim_replay *ret_replay,
		    struct err_msg *msg);
void sim_replay_free(struct sim_replay *replay);

#endif
