/* link_rng.h - what befalls a packet by chance: a number that follows from the link's seed, the
 * impairment and the packet's own number, and from nothing else.
 *
 * splitmix64 (Steele, Lea, Flood 2014; Vigna's public-domain description): the n-th output of the
 * generator is a mix of seed + n * GAMMA, so it can be had without the ones before. Each
 * impairment's key is a seed of its own. So switching one on, or changing one while the link runs,
 * does not shift what the others do. */
#ifndef NETNS_LINK_RNG_H
#define NETNS_LINK_RNG_H

#include <stdbool.h>
#include <stdint.h>

enum link_stream {
	LINK_STREAM_LOSS,
	LINK_STREAM_BURST_STATE,
	LINK_STREAM_BURST_LOSS,
	LINK_STREAM_CORRUPT,
	LINK_STREAM_CORRUPT_BITS,
	LINK_STREAM_DUPLICATE,
	LINK_STREAM_JITTER,
	LINK_STREAM_REORDER,
	LINK_STREAM_COUNT,
};

#define LINK_RNG_GAMMA UINT64_C(0x9e3779b97f4a7c15)

struct link_rng {
	uint64_t keys[LINK_STREAM_COUNT];
};

static inline uint64_t link_rng_mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static inline struct link_rng link_rng_init(uint64_t seed, unsigned dir)
{
	struct link_rng rng;
	unsigned i;

	for (i = 0; i < LINK_STREAM_COUNT; i++)
		rng.keys[i] = link_rng_mix(link_rng_mix(seed + LINK_RNG_GAMMA) +
					   (dir * LINK_STREAM_COUNT + i + 1) * LINK_RNG_GAMMA);
	return rng;
}

static inline uint64_t link_rng_draw(const struct link_rng *rng, enum link_stream stream,
				     uint64_t index)
{
	return link_rng_mix(rng->keys[stream] + (index + 1) * LINK_RNG_GAMMA);
}

/* Uniform in [0, 1), of the 53 bits that a double has. */
static inline double link_rng_unit(const struct link_rng *rng, enum link_stream stream,
				   uint64_t index)
{
	return (double)(link_rng_draw(rng, stream, index) >> 11) * 0x1p-53;
}

static inline bool link_rng_hits(const struct link_rng *rng, enum link_stream stream,
				 uint64_t index, double probability)
{
	return probability > 0 && link_rng_unit(rng, stream, index) < probability;
}

#endif
