/* conns.h - the loaded connections, in the order of loading, by name. */
#ifndef VPN_NODE_CONNS_H
#define VPN_NODE_CONNS_H

#include <stddef.h>

#include "vpn/ike/conn.h"

struct conns { /* all-zero is empty */
	struct ike_conn **v;
	size_t n, cap;
};

void conns_free(struct conns *conns);
/* Takes the reference. The predecessor of the same name, whose place it takes, is handed back with
 * its reference (NULL: there was none). ERR_NOMEM: conn is still the caller's. */
int conns_put(struct conns *conns, struct ike_conn *conn, struct ike_conn **ret_old);
/* Hands the reference to the caller; NULL if there is none of that name. */
struct ike_conn *conns_take(struct conns *conns, const char *name);
struct ike_conn *conns_find(const struct conns *conns, const char *name);
/* The first connection that fits: ike may be NULL (any), child may be NULL. */
struct ike_conn *conns_find_child(const struct conns *conns, const char *ike, const char *child,
				  const struct child_cfg **ret_child);

#endif
