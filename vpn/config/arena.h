/* arena.h - memory that is released all at once, after it was wiped. Private to vpn/config. */
#ifndef VPN_CONFIG_ARENA_H
#define VPN_CONFIG_ARENA_H

#include <stddef.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks;
};

/* Zeroed, aligned for anything; NULL: out of memory. */
void *arena_alloc(struct arena *arena, size_t size);
char *arena_copy(struct arena *arena, const char *text, size_t len); /* with a zero behind it */
void arena_free(struct arena *arena);

#endif
