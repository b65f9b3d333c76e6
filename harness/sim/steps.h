/* steps.h - the steps of a scenario, carried out in the simulated world. */
#ifndef HARNESS_SIM_STEPS_H
#define HARNESS_SIM_STEPS_H

#include "harness/sim/world.h"

/* 0; ERR_UNSUPPORTED: no simulation can do it; else the step failed. msg says why. A step that must
 * fail gives 0 when it failed as it should. */
int sim_step_run(struct sim_world *world, const struct sc_step *step, struct err_msg *msg);
/* NULL, or why a simulation cannot carry out this kind of step. */
const char *sim_step_missing(const struct sc_step *step);

#endif
