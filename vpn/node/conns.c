/* conns.c - the registry of loaded connections.
 *
 * Holds one reference to each connection; IKE SAs hold their own, so that replacing or unloading a
 * connection never touches an SA that was made from it. The order is that of loading, since the
 * engine prefers the earlier of two equally good connections; a reloaded connection keeps its
 * place. */
#include "vpn/node/conns.h"

#include <stdlib.h>
#include <string.h>

static size_t conns_index(const struct conns *conns, const char *name)
{
	size_t i;

	for (i = 0; i < conns->n; i++) {
		if (strcmp(conns->v[i]->name, name) == 0)
			break;
	}
	return i;
}

static int conns_grow(struct conns *conns)
{
	size_t cap = conns->cap ? conns->cap * 2 : 8;
	struct ike_conn **v = reallocarray(conns->v, cap, sizeof(*v));

	if (!v)
		return ERR_NOMEM;
	conns->v = v;
	conns->cap = cap;
	return 0;
}

void conns_free(struct conns *conns)
{
	size_t i;

	for (i = 0; i < conns->n; i++)
		ike_conn_unref(conns->v[i]);
	free(conns->v);
	*conns = (struct conns){0};
}

int conns_put(struct conns *conns, struct ike_conn *conn, struct ike_conn **ret_old)
{
	size_t i = conns_index(conns, conn->name);

	if (i < conns->n) {
		*ret_old = conns->v[i];
		conns->v[i] = conn;
		return 0;
	}
	if (conns->n == conns->cap && conns_grow(conns))
		return ERR_NOMEM;
	conns->v[conns->n++] = conn;
	*ret_old = NULL;
	return 0;
}

struct ike_conn *conns_take(struct conns *conns, const char *name)
{
	size_t i = conns_index(conns, name);
	struct ike_conn *conn;

	if (i == conns->n)
		return NULL;
	conn = conns->v[i];
	conns->n--;
	memmove(&conns->v[i], &conns->v[i + 1], (conns->n - i) * sizeof(*conns->v));
	return conn;
}

struct ike_conn *conns_find(const struct conns *conns, const char *name)
{
	size_t i = conns_index(conns, name);

	return i < conns->n ? conns->v[i] : NULL;
}

struct ike_conn *conns_find_child(const struct conns *conns, const char *ike, const char *child,
				  const struct child_cfg **ret_child)
{
	const struct child_cfg *cfg = NULL;
	size_t i;

	for (i = 0; i < conns->n; i++) {
		if (ike && strcmp(conns->v[i]->name, ike) != 0)
			continue;
		if (child)
			cfg = ike_conn_find_child(conns->v[i], child);
		if (!child || cfg) {
			*ret_child = cfg;
			return conns->v[i];
		}
	}
	return NULL;
}
