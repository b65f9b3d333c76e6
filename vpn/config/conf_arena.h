/* conf_arena.h - memory that is released all at once, after it was wiped. Private to vpn/config. */
#ifndef VPN_CONFIG_CONF_ARENA_H
#define VPN_CONFIG_CONF_ARENA_H

#include <stddef.h>

struct arena_chunk;

struct conf_arena {
	struct arena_chunk *chunks;
};

/* Zeroed, aligned for anything; NULL: out of memory. */
void *conf_arena_alloc(struct conf_arena *arena, size_t size);
char *conf_arena_copy(struct conf_arena *arena, const char *text,
		      size_t len); /* with a zero behind it */
void conf_arena_free(struct conf_arena *arena);

#endif
