/* conf_arena.c - chunks of memory, handed out from the front and released together.
 *
 * A configuration is thousands of short strings that live exactly as long as it does, some of them
 * secrets: one owner, one wipe, no bookkeeping. Nothing is ever given back before the end. */
#include "vpn/config/conf_arena.h"

#include <stdlib.h>
#include <string.h>

#include "vpn/base/secret.h"

#define CHUNK_SIZE 16384

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, size;
	max_align_t data[];
};

static struct arena_chunk *add_chunk(struct conf_arena *arena, size_t size)
{
	struct arena_chunk *chunk;

	if (size < CHUNK_SIZE)
		size = CHUNK_SIZE;
	chunk = calloc(1, sizeof(*chunk) + size);
	if (!chunk)
		return NULL;
	chunk->size = size;
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	return chunk;
}

void *conf_arena_alloc(struct conf_arena *arena, size_t size)
{
	size_t align = _Alignof(max_align_t);
	struct arena_chunk *chunk = arena->chunks;
	void *p;

	size = (size + align - 1) / align * align;
	if (!chunk || chunk->size - chunk->used < size)
		chunk = add_chunk(arena, size);
	if (!chunk)
		return NULL;
	p = (char *)chunk->data + chunk->used;
	chunk->used += size;
	return p;
}

char *conf_arena_copy(struct conf_arena *arena, const char *text, size_t len)
{
	char *copy = conf_arena_alloc(arena, len + 1);

	if (copy && len)
		memcpy(copy, text, len);
	return copy;
}

void conf_arena_free(struct conf_arena *arena)
{
	struct arena_chunk *chunk = arena->chunks, *next;

	for (; chunk; chunk = next) {
		next = chunk->next;
		secret_wipe(chunk->data, chunk->size);
		free(chunk);
	}
	arena->chunks = NULL;
}
