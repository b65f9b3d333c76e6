/* pools.h - named ranges of addresses. */
#ifndef VPN_NODE_POOLS_H
#define VPN_NODE_POOLS_H

#include <stddef.h>

#include "vpn/base/addr.h"

struct pool {
	char *name;
	struct ip_addr first, last;
};

struct pools { /* all-zero is empty */
	struct pool *v;
	size_t n;
};

void pools_free(struct pools *pools);
/* Replaces the pool of that name. ERR_INVALID: the range is empty or of two families. ERR_NOMEM. */
int pools_put(struct pools *pools, const char *name, const struct ip_addr *first,
	      const struct ip_addr *last);
int pools_remove(struct pools *pools, const char *name); /* ERR_NOT_FOUND */

#endif
