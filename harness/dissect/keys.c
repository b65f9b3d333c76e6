/* keys.c - the store of keys: what is known once, and wiped in the end. */
#include "harness/dissect/keys.h"

#include <stdlib.h>
#include <string.h>

#include "harness/dissect/arena.h"
#include "harness/dissect/keys_format.h"
#include "vpn/base/secret.h"

static bool same_part(const struct key_part *a, const struct key_part *b)
{
	return a->len == b->len && memcmp(a->b, b->b, a->len) == 0;
}

/* A table for Wireshark has no SK_d. */
static bool same_ike(const struct ike_key *a, const struct ike_key *b)
{
	return a->spi_i == b->spi_i && a->spi_r == b->spi_r && same_part(&a->ei, &b->ei) &&
	       same_part(&a->er, &b->er) && same_part(&a->ai, &b->ai) &&
	       (!a->d.len || !b->d.len || same_part(&a->d, &b->d));
}

int keys_add_ike(struct key_store *store, const struct ike_key *key)
{
	struct ike_key *added;
	size_t i;

	for (i = 0; i < store->n_ike; i++) {
		if (!same_ike(&store->ike[i], key))
			continue;
		if (key->d.len)
			store->ike[i] = *key;
		return 0;
	}
	if (store->n_ike == KEYS_MAX)
		return ERR_LIMIT;
	added = ARRAY_ADD(store->ike, store->n_ike);
	if (!added)
		return ERR_NOMEM;
	*added = *key;
	return 0;
}

static struct esp_key *find_esp(const struct key_store *store, const struct esp_key *key)
{
	size_t i;

	for (i = 0; i < store->n_esp; i++)
		if (store->esp[i].spi == key->spi && store->esp[i].key_len == key->key_len &&
		    memcmp(store->esp[i].key, key->key, key->key_len) == 0)
			return &store->esp[i];
	return NULL;
}

/* Of two that say the same key, the one stays that says more. */
int keys_add_esp(struct key_store *store, const struct esp_key *key)
{
	struct esp_key *known = find_esp(store, key), copy = *key;
	int err = 0;

	if (known && (known->have_sa || !key->have_sa))
		return 0;
	if (!known && store->n_esp == KEYS_MAX)
		return ERR_LIMIT;
	copy.src_ts = copy.dst_ts = (struct ts_list){0};
	err = ts_list_copy(&key->src_ts, &copy.src_ts);
	if (!err)
		err = ts_list_copy(&key->dst_ts, &copy.dst_ts);
	if (!err && !known && !(known = ARRAY_ADD(store->esp, store->n_esp)))
		err = ERR_NOMEM;
	if (err) {
		ts_list_free(&copy.src_ts);
		ts_list_free(&copy.dst_ts);
		return err;
	}
	*known = copy;
	return 0;
}

void keys_free(struct key_store *store)
{
	size_t i;

	for (i = 0; i < store->n_esp; i++) {
		ts_list_free(&store->esp[i].src_ts);
		ts_list_free(&store->esp[i].dst_ts);
	}
	if (store->n_ike)
		secret_wipe(store->ike, store->n_ike * sizeof(*store->ike));
	if (store->n_esp)
		secret_wipe(store->esp, store->n_esp * sizeof(*store->esp));
	free(store->ike);
	free(store->esp);
	*store = (struct key_store){0};
}

bool keys_next_line(const char **text, size_t *len, struct view *ret_line)
{
	const char *end;

	if (!*len)
		return false;
	end = memchr(*text, '\n', *len);
	ret_line->p = (const uint8_t *)*text;
	ret_line->len = end ? (size_t)(end - *text) : *len;
	*len -= end ? ret_line->len + 1 : ret_line->len;
	*text += end ? ret_line->len + 1 : ret_line->len;
	return true;
}
