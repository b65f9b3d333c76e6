/* judge.h - the captures of a simulated run, judged by the checks that judge every other world. */
#ifndef HARNESS_SIM_JUDGE_H
#define HARNESS_SIM_JUDGE_H

#include <stdint.h>
#include <stdio.h>

/* Dissects DIR/captures with DIR/keys, runs the standing checks and the scenario's expectations,
 * writes result.json and its reports into dir, and says what they found. 0; ERR_STATE: a check or
 * an expectation failed; else what could not be done (told). */
int sim_judge(const char *path, uint64_t seed, const char *dir, FILE *terminal);

#endif
