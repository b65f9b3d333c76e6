/* run.h - one seed of one scenario in the simulated world. */
#ifndef HARNESS_SIM_RUN_H
#define HARNESS_SIM_RUN_H

#include "harness/sim/world.h"

enum sim_verdict { SIM_PASS, SIM_FAIL, SIM_UNSUPPORTED, SIM_ERROR };

struct sim_outcome {
	enum sim_verdict verdict;
	char why[700];	/* of all but PASS */
	double seconds; /* of virtual time */
	uint64_t probes, delivered, seals, ike_messages, installs;
	uint64_t happened[FAULT_KINDS_COUNT];
	/* What a smaller run may leave out; for shrink.h. */
	struct sim_fate *fates;
	size_t fates_count;
	char (*faults)[200]; /* described */
	size_t faults_count;
};

/* The outcome is the caller's: sim_outcome_free. */
void sim_run(const struct plan *plan, const struct sim_world_options *options, bool keep_schedule,
	     struct sim_outcome *ret_outcome);
void sim_outcome_free(struct sim_outcome *outcome);

#endif
