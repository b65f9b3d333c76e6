/* net.h - the simulated network: nodes, wires, bridges, routes and NAT boxes, out of a plan.
 *
 * IP packets go from node to node as a kernel would send them: longest prefix, next hop, bridge
 * port. Neighbours know each other (no ARP). A packet that nobody routes is dropped and counted. */
#ifndef HARNESS_SIM_NET_H
#define HARNESS_SIM_NET_H

#include "harness/sim/wire.h"
#include "netns/nat_model.h"
#include "vpn/wire/packet/ip.h"

struct sim_net;

struct sim_net_hooks {
	void *arg;
	/* A whole packet for an address of this node. The octets may be changed. */
	void (*deliver)(void *arg, size_t node, uint8_t *data, const struct ip_info *ip);
	/* A packet that this node would route: true if it was taken into a tunnel. */
	bool (*take)(void *arg, size_t node, uint8_t *data, const struct ip_info *ip);
	/* A packet that a node puts on a wire. */
	void (*seen)(void *arg, const struct plan_wire *wire, const uint8_t *data, size_t len);
};

/* ERR_UNSUPPORTED: what the plan's network has and a simulation has not; msg says what. */
int sim_net_new(const struct plan *plan, const struct sim_net_hooks *hooks,
		struct sim_net **ret_net, struct err_msg *msg);
void sim_net_free(struct sim_net *net);

/* A packet that node sends: to itself, or on its way. `data` may be changed. */
void sim_net_send(struct sim_net *net, size_t node, uint8_t *data, size_t len, int64_t now);
int64_t sim_net_next(const struct sim_net *net); /* LINK_NEVER */
/* Delivers one packet that is due; false if none is. */
bool sim_net_step(struct sim_net *net, int64_t now);

/* The address from which a node sends to another; false: no route. */
bool sim_net_source_for(const struct sim_net *net, size_t node, const struct ip_addr *to,
			struct ip_addr *ret_from);
bool sim_net_has_address(const struct sim_net *net, size_t node, const struct ip_addr *addr);
/* An address of any node, or on a network that some node is connected to. */
bool sim_net_is_outer(const struct sim_net *net, const struct ip_addr *addr);

/* Addresses inside the tunnel, at the node itself. ERR_SYNTAX, ERR_NOMEM. */
int sim_net_add_inner(struct sim_net *net, size_t node, const char *prefix, struct err_msg *msg);
/* The first one of a family; false. */
bool sim_net_inner(const struct sim_net *net, size_t node, uint8_t family,
		   struct ip_addr *ret_addr);

size_t sim_net_wires(const struct sim_net *net);
struct sim_wire *sim_net_wire(const struct sim_net *net, size_t i);
struct sim_wire *sim_net_find_wire(const struct sim_net *net, const char *name); /* NULL */
struct nat_model *sim_net_nat(const struct sim_net *net, size_t node);		 /* NULL: none */

struct sim_net_counters {
	uint64_t no_route, filtered, ttl, lost_fragments;
};
const struct sim_net_counters *sim_net_counters(const struct sim_net *net);

#endif
