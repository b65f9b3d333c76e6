/* id_table.h - a hash table from a 64-bit number (an SPI, an id) to what carries it. Intrusive: an
 * entry is part of its object, the table owns the buckets alone. Keys must be unique. */
#ifndef VPN_IKE_ID_TABLE_H
#define VPN_IKE_ID_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct id_entry {
	struct id_entry *next;
	uint64_t key;
	void *object;
};

struct id_table {
	struct id_entry **buckets;
	size_t n_buckets; /* a power of two, or 0 */
	size_t n;
};

/* ERR_NOMEM (only the very first insertion can fail; later ones chain longer). */
int id_table_insert(struct id_table *t, struct id_entry *entry, uint64_t key, void *object);
void id_table_remove(struct id_table *t, struct id_entry *entry);
void *id_table_find(const struct id_table *t, uint64_t key);
void id_table_clear(struct id_table *t);

#endif
