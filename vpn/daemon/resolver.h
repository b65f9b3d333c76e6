/* resolver.h - DNS names of connections, looked up without ever waiting. */
#ifndef VPN_DAEMON_RESOLVER_H
#define VPN_DAEMON_RESOLVER_H

#include <uv.h>

#include "vpn/base/addr.h"
#include "vpn/base/err.h"

#define RESOLVER_NAMES_MAX 1024

struct resolver_name;

struct resolver {
	uv_loop_t *loop;
	struct resolver_name *names;
	unsigned n;
};

void resolver_init(struct resolver *resolver, uv_loop_t *loop);
/* Look-ups under way are cancelled; the loop must run on until they have ended. */
void resolver_stop(struct resolver *resolver);
void resolver_free(struct resolver *resolver); /* after the loop has ended */

/* The last known address, and a new look-up for the next time. ERR_AGAIN: none is known yet;
 * ERR_NOT_FOUND: it had none; ERR_LIMIT; ERR_NOMEM. */
int resolver_lookup(struct resolver *resolver, const char *name, struct ip_addr *ret_addr);

#endif
