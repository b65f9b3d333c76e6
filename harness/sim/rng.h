/* rng.h - chance in the simulated world: splitmix64, a stream of its own for each purpose, all from
 * the run's seed. A stream that is drawn from more often does not shift another. */
#ifndef HARNESS_SIM_RNG_H
#define HARNESS_SIM_RNG_H

#include "netns/link_rng.h"

struct sim_rng {
	uint64_t state;
};

/* `purpose` and `index` tell streams of one seed apart. */
static inline struct sim_rng sim_rng_init(uint64_t seed, unsigned purpose, size_t index)
{
	uint64_t key = link_rng_mix(seed + LINK_RNG_GAMMA) + purpose * UINT64_C(1000003) + index;

	return (struct sim_rng){link_rng_mix(key)};
}

static inline uint64_t sim_rng_next(struct sim_rng *rng)
{
	rng->state += LINK_RNG_GAMMA;
	return link_rng_mix(rng->state);
}

/* Uniform in lo .. hi, both included. */
static inline int64_t sim_rng_between(struct sim_rng *rng, int64_t lo, int64_t hi)
{
	return hi <= lo ? lo : lo + (int64_t)(sim_rng_next(rng) % (uint64_t)(hi - lo + 1));
}

enum sim_purpose {
	SIM_RNG_NODE,
	SIM_RNG_WIRE,
	SIM_RNG_NAT,
	SIM_RNG_FAULTS,
	SIM_RNG_CLOCK,
	SIM_RNG_KEYS
};

#endif
