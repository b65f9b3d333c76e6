/* names.c - connections whose addresses are DNS names.
 *
 * The owner looks names up and never waits (node.h), so a name may have no address yet, and a known
 * one may be out of date. Each name of a loaded connection is asked for again and again: what was
 * learned stands in the connection's host_spec, where the engine finds it when a peer calls, and
 * initiating uses the newest. An address that cannot be confirmed stays.
 *
 * Timers: names_due; every NAMES_AGAIN while a name has no address, then every NAMES_REFRESH. */
#include "vpn/node/internal.h"

#define SECOND	      UINT64_C(1000000)
#define NAMES_AGAIN   (2 * SECOND)
#define NAMES_REFRESH (60 * SECOND)

bool name_resolve(struct node *node, struct host_spec *spec)
{
	struct ip_addr addr;

	if (node->env.resolve && node->env.resolve(node->env.ctx, spec->name, &addr) == 0)
		spec->lo = spec->hi = addr;
	return ip_addr_is_set(&spec->lo);
}

bool name_is_asked(struct node *node, const char *name)
{
	struct ip_addr addr;

	return node->env.resolve && node->env.resolve(node->env.ctx, name, &addr) == ERR_AGAIN;
}

/* Counts the names, and those without an address. */
static void resolve_specs(struct node *node, struct host_spec *specs, uint8_t n, unsigned *names,
			  unsigned *unknown)
{
	uint8_t i;

	for (i = 0; i < n; i++) {
		if (!specs[i].name)
			continue;
		++*names;
		if (!name_resolve(node, &specs[i]))
			++*unknown;
	}
}

void names_refresh(struct node *node)
{
	unsigned names = 0, unknown = 0;
	size_t i;

	for (i = 0; i < node->conns.n; i++) {
		struct ike_conn *conn = node->conns.v[i];

		resolve_specs(node, conn->local_addrs, conn->n_local_addrs, &names, &unknown);
		resolve_specs(node, conn->remote_addrs, conn->n_remote_addrs, &names, &unknown);
	}
	if (!names || !node->env.resolve || node->stopping)
		node->names_due = UINT64_MAX;
	else
		node->names_due = node->now + (unknown ? NAMES_AGAIN : NAMES_REFRESH);
}

void names_expire(struct node *node)
{
	if (node->names_due <= node->now)
		names_refresh(node);
}
