/* faults.h - what goes wrong when: a schedule that follows from a scenario's `faults` step and the
 * seed, carried out on the virtual clock.
 *
 * A schedule is a list; its items are known by their numbers, so a smaller run is the same list
 * with some items left out (shrink.h). */
#ifndef HARNESS_SIM_FAULTS_H
#define HARNESS_SIM_FAULTS_H

#include "harness/sim/wire.h"

struct sim_world;

struct sim_fault {
	const struct sc_fault *sc;
	unsigned number; /* in the run, from 1 */
	int64_t at, until;
	const char *node; /* NULL: on a wire */
	struct sc_impairment impairment;
};

struct sim_replay {
	bool *keep; /* by number - 1; numbers past the count are left out */
	size_t keep_count;
	bool exact; /* what chance did to packets is replaced by fates */
	struct sim_fate *fates;
	size_t fates_count;
};

struct sim_faults {
	struct sim_fault *list; /* of all rounds, in order of numbers */
	size_t count;
	struct moment *moments; /* in order of time */
	size_t moments_count, next;
	const struct sim_replay *replay;
	uint64_t happened[FAULT_KINDS_COUNT];
};

/* Adds a round of the step, from now on; *ret_end is when the last fault is over. ERR_NOMEM. */
int sim_faults_plan(struct sim_world *world, const struct sc_step *step, unsigned round,
		    int64_t *ret_end, struct err_msg *msg);
int64_t sim_faults_next(const struct sim_faults *faults); /* LINK_NEVER */
void sim_faults_run(struct sim_world *world);
void sim_faults_free(struct sim_faults *faults);

/* "12.345 s: outage of inet-isp for 3.2 s". Returns buf. */
const char *sim_fault_describe(const struct sim_fault *fault, char *buf, size_t cap);

#endif
