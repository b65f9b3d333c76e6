/* step_host.c - a node's own network changes: an address is taken away, a cable pulled, another
 * plugged in. The order is that of a host that moves: what it loses, then what it gets.
 *
 * The kernel removes routes through a link that goes down, and IPv6 addresses with it; IPv4
 * addresses stay. A route replaces the one to the same destination. */
#include "harness/step.h"
#include <stdio.h>
#include "netns/netlink.h"

typedef int change_fn(struct nl_sock *sock, const char *ifname, const struct ip_addr *addr,
		      unsigned bits, struct err_msg *msg);

static int change_addresses(struct nl_sock *sock, const struct item_list *addresses,
			    change_fn *change, struct err_msg *msg)
{
	const struct sc_address *list = addresses->items;
	struct ip_addr addr;
	unsigned bits;
	size_t i, k;
	int err = 0;

	for (i = 0; i < addresses->count; i++)
		for (k = 0; k < list[i].prefixes.count && err == 0; k++) {
			err = topology_parse_prefix(list[i].prefixes.items[k], &addr, &bits);
			if (err == 0)
				err = change(sock, list[i].ifname, &addr, bits, msg);
		}
	return err;
}

static int set_links(struct nl_sock *sock, const struct text_list *ifnames, bool up,
		     struct err_msg *msg)
{
	size_t i;
	int err = 0;

	for (i = 0; i < ifnames->count && err == 0; i++)
		err = netlink_set_up(sock, ifnames->items[i], up, msg);
	return err;
}

static int set_routes(struct world *world, const struct sc_step *step, struct err_msg *msg)
{
	struct topo_route route;
	char text[256];
	size_t i;
	int err = 0;

	for (i = 0; i < step->routes.count && err == 0; i++) {
		snprintf(text, sizeof(text), "%s", step->routes.items[i]);
		if (!plan_read_route(step->node, text, &route))
			return err_set(msg, ERR_INVALID, "'%s' is no route", text);
		err =
		    net_add_route(world->net, step->node, route.dst, route.via, route.ifname, msg);
	}
	return err;
}

int step_network(struct world *world, const struct sc_step *step, struct step_outcome *outcome,
		 struct err_msg *msg)
{
	struct nl_sock *sock = net_node_netlink(world->net, step->node);
	int err;

	(void)outcome;
	err = change_addresses(sock, &step->remove, netlink_del_address, msg);
	if (err == 0)
		err = set_links(sock, &step->down, false, msg);
	if (err == 0)
		err = set_links(sock, &step->up, true, msg);
	if (err == 0)
		err = change_addresses(sock, &step->add, netlink_add_address, msg);
	return err < 0 ? err : set_routes(world, step, msg);
}
