/* deadlines.c - a binary heap with entries that know their place, so that moving one is O(log n).
 */
#include "vpn/ike/deadlines.h"

#include <stdlib.h>

#include "vpn/base/err.h"

static void put(struct deadlines *d, size_t i, struct deadline *entry)
{
	d->heap[i] = entry;
	entry->slot = i + 1;
}

static void sift_up(struct deadlines *d, size_t i)
{
	struct deadline *entry = d->heap[i];

	while (i > 0 && d->heap[(i - 1) / 2]->at > entry->at) {
		put(d, i, d->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	put(d, i, entry);
}

static void sift_down(struct deadlines *d, size_t i)
{
	struct deadline *entry = d->heap[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < d->n && d->heap[child + 1]->at < d->heap[child]->at)
			child++;
		if (child >= d->n || d->heap[child]->at >= entry->at)
			break;
		put(d, i, d->heap[child]);
		i = child;
	}
	put(d, i, entry);
}

static void take_out(struct deadlines *d, struct deadline *entry)
{
	size_t i = entry->slot - 1;
	struct deadline *last = d->heap[--d->n];

	entry->slot = 0;
	if (last == entry)
		return;
	put(d, i, last);
	sift_up(d, i);
	sift_down(d, last->slot - 1);
}

static int add(struct deadlines *d, struct deadline *entry)
{
	if (d->n == d->cap) {
		size_t cap = d->cap ? d->cap * 2 : 64;
		struct deadline **heap = realloc(d->heap, cap * sizeof(struct deadline *));

		if (!heap)
			return ERR_NOMEM;
		d->heap = heap;
		d->cap = cap;
	}
	put(d, d->n++, entry);
	sift_up(d, d->n - 1);
	return 0;
}

int deadlines_set(struct deadlines *d, struct deadline *entry, uint64_t at)
{
	entry->at = at;
	if (at == DEADLINE_NEVER) {
		if (entry->slot)
			take_out(d, entry);
		return 0;
	}
	if (!entry->slot)
		return add(d, entry);
	sift_up(d, entry->slot - 1);
	sift_down(d, entry->slot - 1);
	return 0;
}

uint64_t deadlines_next(const struct deadlines *d)
{
	return d->n ? d->heap[0]->at : DEADLINE_NEVER;
}

void *deadlines_due(const struct deadlines *d, uint64_t now)
{
	return d->n && d->heap[0]->at <= now ? d->heap[0]->object : NULL;
}

void deadlines_clear(struct deadlines *d)
{
	free(d->heap);
	*d = (struct deadlines){0};
}
