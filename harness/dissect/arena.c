/* arena.c - a list of separately allocated pieces, freed together.
 *
 * Pieces are of all sizes and few are small, so each is its own allocation: what reads past the end
 * of one is seen by AddressSanitizer, which a shared chunk would hide. */
#include "harness/dissect/arena.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vpn/base/secret.h"

struct arena_chunk {
	struct arena_chunk *next;
	size_t len;
	_Alignas(max_align_t) unsigned char data[];
};

void *arena_alloc(struct arena *a, size_t len)
{
	struct arena_chunk *c;

	if (len > SIZE_MAX - sizeof(*c))
		return NULL;
	c = calloc(1, sizeof(*c) + len);
	if (!c)
		return NULL;
	c->len = len;
	c->next = a->chunks;
	a->chunks = c;
	return c->data;
}

void *arena_copy(struct arena *a, const void *data, size_t len)
{
	void *p = arena_alloc(a, len);

	if (p && len)
		memcpy(p, data, len);
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	text = n < 0 ? NULL : arena_alloc(a, (size_t)n + 1);
	if (!text)
		return NULL;
	va_start(args, fmt);
	vsnprintf(text, (size_t)n + 1, fmt, args);
	va_end(args);
	return text;
}

void arena_free(struct arena *a)
{
	struct arena_chunk *c = a->chunks, *next;

	for (; c; c = next) {
		next = c->next;
		secret_wipe(c->data, c->len);
		free(c);
	}
	a->chunks = NULL;
}

static bool is_power_of_two(size_t n)
{
	return (n & (n - 1)) == 0;
}

void *array_grow(void **array, size_t *n, size_t size)
{
	unsigned char *grown = *array;

	if (is_power_of_two(*n)) {
		grown = reallocarray(*array, *n ? *n * 2 : 1, size);
		if (!grown)
			return NULL;
		*array = grown;
	}
	memset(grown + *n * size, 0, size);
	return grown + (*n)++ * size;
}
