/* net_internal.h - the tables of the simulated network: net_build.c fills them, net.c goes by them.
 */
#ifndef HARNESS_SIM_NET_INTERNAL_H
#define HARNESS_SIM_NET_INTERNAL_H

#include "harness/sim/net.h"
#include "vpn/esp/reass.h"

struct sim_iface {
	const char *name;
	const char *bridge; /* it is a port of this one; NULL */
	size_t wire;	    /* SIZE_MAX: a bridge */
	unsigned side;
};

struct sim_address {
	struct ip_addr addr;
	unsigned bits;
	const char *ifname; /* NULL: inside the tunnel */
};

struct sim_route {
	struct ip_addr dst, via; /* via unset: on link */
	unsigned bits;
	const char *ifname; /* NULL: by via */
};

struct sim_node {
	const char *name;
	struct sim_iface *ifaces;
	struct sim_address *addresses;
	struct sim_route *routes;
	size_t ifaces_count, addresses_count, routes_count;
	struct reass *reass; /* made with the first fragment */
	struct nat_model *nat;
	struct ip_addr nat_inside;
	unsigned nat_bits;
	bool nat_hairpins;
	const char *nat_ifname; /* the outside interface */
};

struct sim_net {
	const struct plan *plan;
	struct sim_net_hooks hooks;
	struct sim_node *nodes;
	size_t nodes_count;
	struct sim_wire **wires;
	size_t wires_count;
	struct sim_net_counters counters;
};

int net_build_nodes(struct sim_net *net, struct err_msg *msg);
int net_build_wires(struct sim_net *net, struct err_msg *msg);
int net_build_nat(struct sim_net *net, struct err_msg *msg);
/* One more at the end of a table; NULL. */
void *net_append(void *table, size_t *count, size_t size);

#endif
