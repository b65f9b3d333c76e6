/* id_table.c - a growing chained hash table with intrusive entries.
 *
 * Local SPIs are random and ours, so a peer cannot choose the bucket of what it makes us store;
 * keys are spread by a multiplicative hash all the same. */
#include "vpn/ike/id_table.h"

#include <stdlib.h>

#include "vpn/base/err.h"

#define FIRST_SIZE 64

static struct id_entry **bucket(const struct id_table *t, uint64_t key)
{
	uint64_t h = key * UINT64_C(0x9e3779b97f4a7c15);

	return &t->buckets[(h >> 32) & (t->n_buckets - 1)];
}

static bool resize(struct id_table *t, size_t size)
{
	struct id_table grown = {.n_buckets = size};
	size_t i;

	grown.buckets = calloc(size, sizeof(struct id_entry *));
	if (!grown.buckets)
		return false;
	for (i = 0; i < t->n_buckets; i++) {
		struct id_entry *e = t->buckets[i];

		while (e) {
			struct id_entry *next = e->next;
			struct id_entry **b = bucket(&grown, e->key);

			e->next = *b;
			*b = e;
			e = next;
		}
	}
	free(t->buckets);
	t->buckets = grown.buckets;
	t->n_buckets = size;
	return true;
}

int id_table_insert(struct id_table *t, struct id_entry *entry, uint64_t key, void *object)
{
	struct id_entry **b;

	if (t->n >= t->n_buckets && !resize(t, t->n_buckets ? t->n_buckets * 2 : FIRST_SIZE) &&
	    !t->n_buckets)
		return ERR_NOMEM;
	entry->key = key;
	entry->object = object;
	b = bucket(t, key);
	entry->next = *b;
	*b = entry;
	t->n++;
	return 0;
}

void id_table_remove(struct id_table *t, struct id_entry *entry)
{
	struct id_entry **b;

	if (!entry->object)
		return;
	for (b = bucket(t, entry->key); *b; b = &(*b)->next) {
		if (*b == entry) {
			*b = entry->next;
			entry->object = NULL;
			t->n--;
			return;
		}
	}
}

void *id_table_find(const struct id_table *t, uint64_t key)
{
	struct id_entry *e;

	if (!t->n_buckets)
		return NULL;
	for (e = *bucket(t, key); e; e = e->next)
		if (e->key == key)
			return e->object;
	return NULL;
}

void id_table_clear(struct id_table *t)
{
	free(t->buckets);
	*t = (struct id_table){0};
}
