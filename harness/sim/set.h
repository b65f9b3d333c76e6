/* set.h - a set of 64-bit keys, each with a value. */
#ifndef HARNESS_SIM_SET_H
#define HARNESS_SIM_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_set { /* all zero is empty */
	struct sim_set_item {
		uint64_t key, value; /* key 0: free */
	} * items;
	size_t count, cap;
};

/* The value's place, made with value 0 if the key is new; NULL if memory is short. */
uint64_t *sim_set_at(struct sim_set *set, uint64_t key);
void sim_set_free(struct sim_set *set);
/* FNV-1a, mixed; never 0. */
uint64_t sim_hash(uint64_t start, const void *data, size_t len);

#endif
