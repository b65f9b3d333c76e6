/* map.h - numbers to indices: for what is looked up once per frame. Open addressing, grown by
 * doubling; keys are hashes or SPIs, and a lookup by hash is confirmed by the caller. */
#ifndef HARNESS_DISSECT_MAP_H
#define HARNESS_DISSECT_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "vpn/base/reader.h"

struct map {
	struct map_slot {
		uint64_t key;
		size_t value; /* index + 1; 0: free */
	} * slots;
	size_t cap; /* a power of two, or 0 */
	size_t n;
};

/* SIZE_MAX if the key is not there. */
size_t map_get(const struct map *m, uint64_t key);
/* Adds or replaces. ERR_NOMEM. */
int map_put(struct map *m, uint64_t key, size_t value);
void map_free(struct map *m);

/* FNV-1a, to be continued from an earlier value; HASH_START begins. */
#define HASH_START 0xcbf29ce484222325u
uint64_t hash_octets(uint64_t hash, const void *data, size_t len);
uint64_t hash_number(uint64_t hash, uint64_t value);

#endif
