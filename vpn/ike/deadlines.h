/* deadlines.h - a binary heap of points in time, one for each object that waits for something.
 * Entries are part of their objects. Times are the engine's clock, microseconds. */
#ifndef VPN_IKE_DEADLINES_H
#define VPN_IKE_DEADLINES_H

#include <stddef.h>
#include <stdint.h>

#define DEADLINE_NEVER UINT64_MAX

struct deadline {
	uint64_t at;
	size_t slot; /* 0: not in the heap; else its place + 1 */
	void *object;
};

struct deadlines {
	struct deadline **heap;
	size_t n, cap;
};

/* Moves, adds, or (at DEADLINE_NEVER) takes out. ERR_NOMEM. */
int deadlines_set(struct deadlines *d, struct deadline *entry, uint64_t at);
uint64_t deadlines_next(const struct deadlines *d);
/* The object of an entry that is due at `now`, or NULL. The entry stays where it is. */
void *deadlines_due(const struct deadlines *d, uint64_t now);
void deadlines_clear(struct deadlines *d);

#endif
