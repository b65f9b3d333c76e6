/* arena.h - memory that is freed all at once: what facts point to. */
#ifndef HARNESS_DISSECT_ARENA_H
#define HARNESS_DISSECT_ARENA_H

#include <stddef.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks;
};

/* Zeroed and aligned for anything; NULL if there is no memory. */
void *arena_alloc(struct arena *a, size_t len);
void *arena_copy(struct arena *a, const void *data, size_t len);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void arena_free(struct arena *a); /* wipes: it holds what was opened */

/* Makes room for one more element of a growing array: *n is counted up, the new element is zeroed
 * and returned, or NULL if there is no memory. Growth doubles. */
void *array_grow(void **array, size_t *n, size_t size);
#define ARRAY_ADD(array, n) array_grow((void **)&(array), &(n), sizeof(*(array)))

#endif
