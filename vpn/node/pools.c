/* pools.c - the registry of address pools. It holds ranges; no address is handed out from them. */
#include "vpn/node/pools.h"

#include <stdlib.h>
#include <string.h>

#include "vpn/base/err.h"

void pools_free(struct pools *pools)
{
	while (pools->n)
		free(pools->v[--pools->n].name);
	free(pools->v);
	pools->v = NULL;
}

static size_t pools_index(const struct pools *pools, const char *name)
{
	size_t i;

	for (i = 0; i < pools->n; i++) {
		if (strcmp(pools->v[i].name, name) == 0)
			break;
	}
	return i;
}

static int pools_append(struct pools *pools, const char *name)
{
	struct pool *v = reallocarray(pools->v, pools->n + 1, sizeof(*v));
	char *copy;

	if (!v)
		return ERR_NOMEM;
	pools->v = v;
	copy = strdup(name);
	if (!copy)
		return ERR_NOMEM;
	v[pools->n++] = (struct pool){.name = copy};
	return 0;
}

int pools_put(struct pools *pools, const char *name, const struct ip_addr *first,
	      const struct ip_addr *last)
{
	size_t i = pools_index(pools, name);
	int err;

	if (!ip_addr_is_set(first) || first->family != last->family || ip_addr_cmp(first, last) > 0)
		return ERR_INVALID;
	if (i == pools->n) {
		err = pools_append(pools, name);
		if (err)
			return err;
	}
	pools->v[i].first = *first;
	pools->v[i].last = *last;
	return 0;
}

int pools_remove(struct pools *pools, const char *name)
{
	size_t i = pools_index(pools, name);

	if (i == pools->n)
		return ERR_NOT_FOUND;
	free(pools->v[i].name);
	pools->n--;
	memmove(&pools->v[i], &pools->v[i + 1], (pools->n - i) * sizeof(*pools->v));
	return 0;
}
