/* installed.c - a chained hash table by SPI. SPIs are random, so the SPI itself is the hash. The
 * newest of a chain stands first. */
#include "vpn/daemon/installed.h"

#include <stdlib.h>

#include "vpn/base/err.h"

#define BUCKETS_MIN 64

static struct installed **bucket_of(const struct installed_table *table, uint32_t spi)
{
	return &table->buckets[spi & (table->n_buckets - 1)];
}

static void link_first(struct installed_table *table, struct installed *sa)
{
	struct installed **bucket = bucket_of(table, sa->spi);

	sa->next = *bucket;
	*bucket = sa;
}

/* Chains keep their order of age: the oldest is linked first. */
static void move_chain(struct installed_table *table, struct installed *chain)
{
	struct installed *oldest = NULL, *next;

	for (; chain; chain = next) {
		next = chain->next;
		chain->next = oldest;
		oldest = chain;
	}
	for (; oldest; oldest = next) {
		next = oldest->next;
		link_first(table, oldest);
	}
}

static int grow(struct installed_table *table)
{
	struct installed_table old = *table;
	size_t n = old.n_buckets ? old.n_buckets * 2 : BUCKETS_MIN;
	struct installed **buckets = calloc(n, sizeof(*buckets));
	size_t i;

	if (!buckets)
		return ERR_NOMEM;
	table->buckets = buckets;
	table->n_buckets = n;
	for (i = 0; i < old.n_buckets; i++)
		move_chain(table, old.buckets[i]);
	free(old.buckets);
	return 0;
}

void installed_free(struct installed_table *table)
{
	struct installed *sa;
	size_t i;

	for (i = 0; i < table->n_buckets; i++) {
		while ((sa = table->buckets[i])) {
			table->buckets[i] = sa->next;
			free(sa);
		}
	}
	free(table->buckets);
	*table = (struct installed_table){0};
}

int installed_add(struct installed_table *table, const struct installed *sa)
{
	struct installed *copy;

	if (table->n >= table->n_buckets && grow(table))
		return ERR_NOMEM;
	copy = malloc(sizeof(*copy));
	if (!copy)
		return ERR_NOMEM;
	*copy = *sa;
	link_first(table, copy);
	table->n++;
	return 0;
}

static bool is_meant(const struct installed *sa, uint32_t child_id, const struct ip_addr *remote)
{
	if (child_id)
		return sa->child_id == child_id;
	return !remote || !ip_addr_is_set(remote) || ip_addr_eq(&sa->remote, remote);
}

const struct installed *installed_find(const struct installed_table *table, uint32_t spi,
				       bool inbound, uint32_t child_id,
				       const struct ip_addr *remote)
{
	const struct installed *sa;

	if (!table->n_buckets)
		return NULL;
	for (sa = *bucket_of(table, spi); sa; sa = sa->next) {
		if (sa->spi == spi && sa->inbound == inbound && is_meant(sa, child_id, remote))
			return sa;
	}
	return NULL;
}

void installed_remove(struct installed_table *table, const struct installed *sa)
{
	struct installed **pos = bucket_of(table, sa->spi);
	struct installed *gone;

	while (*pos && *pos != sa)
		pos = &(*pos)->next;
	gone = *pos;
	if (!gone)
		return;
	*pos = gone->next;
	free(gone);
	table->n--;
}
