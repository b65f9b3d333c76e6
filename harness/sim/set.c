/* set.c - open addressing, doubled when it is two thirds full. Keys are hashes already. */
#include "harness/sim/set.h"
#include "netns/link_rng.h"
#include <stdlib.h>

uint64_t sim_hash(uint64_t start, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t h = start ^ UINT64_C(0xcbf29ce484222325);

	while (len--)
		h = (h ^ *p++) * UINT64_C(0x100000001b3);
	h = link_rng_mix(h);
	return h ? h : 1;
}

static struct sim_set_item *slot_of(struct sim_set_item *items, size_t cap, uint64_t key)
{
	size_t i = (size_t)key & (cap - 1);

	while (items[i].key && items[i].key != key)
		i = (i + 1) & (cap - 1);
	return &items[i];
}

static bool grow(struct sim_set *set)
{
	size_t cap = set->cap ? set->cap * 2 : 64, i;
	struct sim_set_item *items = calloc(cap, sizeof(*items));

	if (!items)
		return false;
	for (i = 0; i < set->cap; i++)
		if (set->items[i].key)
			*slot_of(items, cap, set->items[i].key) = set->items[i];
	free(set->items);
	set->items = items;
	set->cap = cap;
	return true;
}

uint64_t *sim_set_at(struct sim_set *set, uint64_t key)
{
	struct sim_set_item *slot;

	if (3 * (set->count + 1) > 2 * set->cap && !grow(set))
		return NULL;
	slot = slot_of(set->items, set->cap, key);
	if (!slot->key) {
		slot->key = key;
		set->count++;
	}
	return &slot->value;
}

void sim_set_free(struct sim_set *set)
{
	free(set->items);
	*set = (struct sim_set){0};
}
