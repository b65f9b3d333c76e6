/* measure.h - one measure a file: each reads the survey, fills its part of the profile, and says
 * what it has and what it has not. In this order: later ones use what earlier ones found. */
#ifndef HARNESS_REPRODUCE_MEASURE_H
#define HARNESS_REPRODUCE_MEASURE_H

#include "harness/reproduce/profile.h"

#define MEASURES(X) \
	X(ends)     \
	X(delay) X(loss) X(messages) X(size) X(mapping) X(timers) X(negotiated) X(traffic)

/* An IKE SA between the ends that the scenario is about: there may be others in the captures. */
bool is_between_ends(const struct profile *p, size_t ike_sa);

/* ERR_NOMEM. */
#define X(name) int measure_##name(struct profile *p);
MEASURES(X)
#undef X

#endif
