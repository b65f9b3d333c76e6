/* route.h - what is asked of the kernel's routing, by netlink: links up, routes and rules of our
 * own.
 *
 * Routes that lead packets without an interface ID into our device stand in a table of their own; a
 * rule for each family sends all packets there that lack our mark. Both carry DP_ROUTE_PROTOCOL, by
 * which what a killed predecessor left is found. */
#ifndef VPN_DATAPLANE_ROUTE_H
#define VPN_DATAPLANE_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "vpn/base/err.h"
#include "vpn/base/ts.h"

#define DP_ROUTE_PROTOCOL 220 /* rtm_protocol; free in iproute2's rt_protos */

struct router;

/* ERR_IO, ERR_NOMEM. Removes leftovers in the table. */
int router_new(uint32_t table, uint32_t rule_pref, uint32_t fwmark, struct router **ret_router,
	       struct err_msg *msg);
/* Removes all that was added. NULL is fine. */
void router_free(struct router *r);

/* Packets that a TUN device of ours holds while we are not scheduled: at 1,500 a second for more
 * than a second, where the kernel's default of 500 overflows in a third of one. */
#define ROUTER_LINK_QUEUE 2048

/* Brings a link up. mtu 0: it is not ours, and nothing else of it changes; else it gets that, and a
 * queue of ROUTER_LINK_QUEUE packets. */
int router_link_up(struct router *r, int ifindex, uint32_t mtu, struct err_msg *msg);

/* Routes every remote selector to the device, with a local address inside local_ts as source if
 * there is one. Each add is undone by one del with the same selectors; equal routes are counted. */
int router_add(struct router *r, const struct ts_list *local_ts, const struct ts_list *remote_ts,
	       int ifindex, struct err_msg *msg);
void router_del(struct router *r, const struct ts_list *remote_ts);

/* Keeps packets with that mark out of our routes, too; counted. */
int router_pass_add(struct router *r, uint32_t mark, struct err_msg *msg);
void router_pass_del(struct router *r, uint32_t mark);

#endif
