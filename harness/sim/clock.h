/* clock.h - the clock of one host: it runs a little fast or slow against the world's.
 *
 * The world counts nanoseconds from 0; a host's monotonic clock counts microseconds from
 * SIM_CLOCK_START, faster by `ppm` millionths. Conversions keep the order: a host that is woken at
 * the world time of its deadline sees that the deadline has come. */
#ifndef HARNESS_SIM_CLOCK_H
#define HARNESS_SIM_CLOCK_H

#include <stdint.h>
#include "netns/link_params.h"

#define SIM_CLOCK_START UINT64_C(1000000)
/* The world's zero in captures and certificates: 2026-01-01, in seconds since 1970. */
#define SIM_EPOCH INT64_C(1767225600)

struct sim_clock {
	int ppm;
};

static inline uint64_t sim_clock_read(const struct sim_clock *clock, int64_t now)
{
	int64_t us = now / LINK_US;

	return SIM_CLOCK_START +
	       (uint64_t)(us + us / 1000000 * clock->ppm + us % 1000000 * clock->ppm / 1000000);
}

/* The first world time at which the clock shows `deadline`; LINK_NEVER. */
static inline int64_t sim_clock_when(const struct sim_clock *clock, uint64_t deadline)
{
	int64_t us, at;

	if (deadline >= (uint64_t)(LINK_NEVER / LINK_US))
		return LINK_NEVER;
	if (deadline <= SIM_CLOCK_START)
		return 0;
	us = (int64_t)(deadline - SIM_CLOCK_START);
	at = (int64_t)((double)us / (1.0 + clock->ppm * 1e-6)) - 2;
	at = at > 0 ? at : 0;
	while (sim_clock_read(clock, at * LINK_US) < deadline)
		at++;
	return at * LINK_US;
}

#endif
