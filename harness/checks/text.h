/* text.h - facts and results as a person reads them on a terminal. */
#ifndef HARNESS_CHECKS_TEXT_H
#define HARNESS_CHECKS_TEXT_H

#include <stdio.h>

#include "harness/checks/checks.h"

/* Captures, SAs with their children, and what could not be read. */
void facts_print(FILE *out, const struct facts *f);
/* The exchanges of one place as a ladder: the IKE SA's initiator on the left, runs of ESP packets
 * as one line. */
void facts_print_ladder(FILE *out, const struct facts *f, size_t place);
/* A line per check, and under it what it found with its frames. colour: escape sequences. */
void check_results_print(FILE *out, const struct facts *f, const struct check_result *results,
			 size_t n, bool colour);

#endif
