/* map.c - an open-addressing table, at most half full, so that a probe is short. */
#include "harness/dissect/map.h"

#include <stdlib.h>

#include "vpn/base/err.h"

#define FNV_PRIME 0x100000001b3u

static struct map_slot *find_slot(struct map_slot *slots, size_t cap, uint64_t key)
{
	size_t i = (size_t)(key ^ key >> 29) & (cap - 1);

	while (slots[i].value && slots[i].key != key)
		i = (i + 1) & (cap - 1);
	return &slots[i];
}

size_t map_get(const struct map *m, uint64_t key)
{
	return m->cap ? find_slot(m->slots, m->cap, key)->value - 1 : SIZE_MAX;
}

static int grow(struct map *m)
{
	size_t i, cap = m->cap ? m->cap * 2 : 64;
	struct map_slot *slots = calloc(cap, sizeof(*slots));

	if (!slots)
		return ERR_NOMEM;
	for (i = 0; i < m->cap; i++)
		if (m->slots[i].value)
			*find_slot(slots, cap, m->slots[i].key) = m->slots[i];
	free(m->slots);
	m->slots = slots;
	m->cap = cap;
	return 0;
}

int map_put(struct map *m, uint64_t key, size_t value)
{
	struct map_slot *slot;

	if (m->n * 2 >= m->cap && grow(m))
		return ERR_NOMEM;
	slot = find_slot(m->slots, m->cap, key);
	m->n += slot->value == 0;
	*slot = (struct map_slot){key, value + 1};
	return 0;
}

void map_free(struct map *m)
{
	free(m->slots);
	*m = (struct map){0};
}

uint64_t hash_octets(uint64_t hash, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len--)
		hash = (hash ^ *p++) * FNV_PRIME;
	return hash;
}

uint64_t hash_number(uint64_t hash, uint64_t value)
{
	return hash_octets(hash, &value, sizeof(value));
}
