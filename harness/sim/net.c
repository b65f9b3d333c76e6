/* net.c - packets on their way through the simulated network.
 *
 *	wire -> node: NAT (to inside)? -> mine? -> deliver
 *	                                \-> tunnel? -> route -> NAT (to outside)? -> port -> wire
 *
 * Fragments are put together where they end, and at NAT boxes, as Linux does. The wires' models
 * fragment, and tell senders what is too large (netns/link_model.h). Routers here have no firewall
 * but a NAT box's own: what comes from outside and has no mapping goes no further, except pings of
 * the box itself.
 *
 * Ownership: the network has its nodes, wires and NAT tables; the plan is the caller's. */
#include "harness/sim/net_internal.h"
#include "netns/nat_packet.h"
#include "vpn/base/proto.h"
#include <stdlib.h>
#include <string.h>

int sim_net_new(const struct plan *plan, const struct sim_net_hooks *hooks,
		struct sim_net **ret_net, struct err_msg *msg)
{
	struct sim_net *net = calloc(1, sizeof(*net));
	int err;

	if (!net)
		return err_set(msg, ERR_NOMEM, "out of memory");
	net->plan = plan;
	net->hooks = *hooks;
	err = net_build_nodes(net, msg);
	if (err == 0)
		err = net_build_wires(net, msg);
	if (err == 0)
		err = net_build_nat(net, msg);
	if (err < 0)
		sim_net_free(net);
	else
		*ret_net = net;
	return err;
}

void sim_net_free(struct sim_net *net)
{
	size_t i;

	if (!net)
		return;
	for (i = 0; i < net->wires_count; i++)
		sim_wire_free(net->wires[i]);
	for (i = 0; i < net->nodes_count; i++) {
		reass_free(net->nodes[i].reass);
		nat_model_free(net->nodes[i].nat);
		free(net->nodes[i].ifaces);
		free(net->nodes[i].addresses);
		free(net->nodes[i].routes);
	}
	free(net->wires);
	free(net->nodes);
	free(net);
}

/* --- looking up --- */

bool sim_net_has_address(const struct sim_net *net, size_t node, const struct ip_addr *addr)
{
	const struct sim_node *n = &net->nodes[node];
	size_t i;

	for (i = 0; i < n->addresses_count; i++)
		if (ip_addr_eq(&n->addresses[i].addr, addr))
			return true;
	return false;
}

bool sim_net_is_outer(const struct sim_net *net, const struct ip_addr *addr)
{
	size_t i, j;

	for (i = 0; i < net->nodes_count; i++) {
		for (j = 0; j < net->nodes[i].addresses_count; j++) {
			const struct sim_address *a = &net->nodes[i].addresses[j];

			if (a->ifname && ip_addr_in_prefix(addr, &a->addr, a->bits))
				return true;
		}
	}
	return false;
}

bool sim_net_inner(const struct sim_net *net, size_t node, uint8_t family, struct ip_addr *ret_addr)
{
	const struct sim_node *n = &net->nodes[node];
	size_t i;

	for (i = 0; i < n->addresses_count; i++) {
		if (n->addresses[i].ifname || n->addresses[i].addr.family != family)
			continue;
		*ret_addr = n->addresses[i].addr;
		return true;
	}
	return false;
}

/* The interface of the network that an address is on. */
static const struct sim_address *connected(const struct sim_node *node, const struct ip_addr *to)
{
	const struct sim_address *best = NULL;
	size_t i;

	for (i = 0; i < node->addresses_count; i++) {
		const struct sim_address *a = &node->addresses[i];

		if (a->ifname && ip_addr_in_prefix(to, &a->addr, a->bits) &&
		    (!best || a->bits > best->bits))
			best = a;
	}
	return best;
}

static const struct sim_route *find_route(const struct sim_node *node, const struct ip_addr *to)
{
	const struct sim_route *best = NULL;
	size_t i;

	for (i = 0; i < node->routes_count; i++) {
		const struct sim_route *r = &node->routes[i];

		if (r->dst.family == to->family && ip_addr_in_prefix(to, &r->dst, r->bits) &&
		    (!best || r->bits > best->bits))
			best = r;
	}
	return best;
}

/* Where a packet goes next; false: nowhere. */
static bool find_next_hop(const struct sim_node *node, const struct ip_addr *to,
			  struct ip_addr *ret_hop, const char **ret_ifname,
			  struct ip_addr *ret_from)
{
	const struct sim_address *link = connected(node, to);
	const struct sim_route *route = find_route(node, to);

	*ret_hop = *to;
	if (route && (!link || route->bits > link->bits)) {
		if (ip_addr_is_set(&route->via))
			*ret_hop = route->via;
		link = connected(node, ret_hop);
	}
	if (!link)
		return false;
	*ret_ifname = link->ifname;
	*ret_from = link->addr;
	return true;
}

bool sim_net_source_for(const struct sim_net *net, size_t node, const struct ip_addr *to,
			struct ip_addr *ret_from)
{
	struct ip_addr hop;
	const char *ifname;

	return find_next_hop(&net->nodes[node], to, &hop, &ifname, ret_from);
}

/* The node at the other end of an interface has that address. */
static bool leads_to(const struct sim_net *net, const struct sim_iface *iface,
		     const struct ip_addr *hop)
{
	const struct plan_wire *wire = sim_wire_plan(net->wires[iface->wire]);
	const struct topo_link *link = &net->plan->topology.links[wire->link];
	const char *peer = iface->side ? link->a.node : link->b.node;

	return sim_net_has_address(net, (size_t)topology_node(&net->plan->topology, peer), hop);
}

static const struct sim_iface *find_port(const struct sim_net *net, const struct sim_node *node,
					 const char *ifname, const struct ip_addr *hop)
{
	size_t i;

	for (i = 0; i < node->ifaces_count; i++) {
		const struct sim_iface *iface = &node->ifaces[i];

		if (iface->wire == SIZE_MAX)
			continue;
		if (strcmp(iface->name, ifname) == 0 ||
		    (iface->bridge && strcmp(iface->bridge, ifname) == 0 &&
		     leads_to(net, iface, hop)))
			return iface;
	}
	return NULL;
}

/* --- sending --- */

static bool is_nat_inside(const struct sim_node *node, const struct ip_addr *addr)
{
	return node->nat && ip_addr_in_prefix(addr, &node->nat_inside, node->nat_bits);
}

static void route_out(struct sim_net *net, size_t index, uint8_t *data, const struct ip_info *ip,
		      int64_t now)
{
	struct sim_node *node = &net->nodes[index];
	const struct sim_iface *port = NULL;
	struct ip_addr hop, from;
	const char *ifname;

	if (find_next_hop(node, &ip->sel.dst, &hop, &ifname, &from))
		port = find_port(net, node, ifname, &hop);
	if (!port) {
		net->counters.no_route++;
		return;
	}
	if (is_nat_inside(node, &ip->sel.src) && strcmp(port->name, node->nat_ifname) == 0 &&
	    nat_packet_out(node->nat, data, ip->total_len, now) < 0) {
		net->counters.filtered++;
		return;
	}
	net->hooks.seen(net->hooks.arg, sim_wire_plan(net->wires[port->wire]), data, ip->total_len);
	sim_wire_send(net->wires[port->wire], port->side, data, ip->total_len, now);
}

static void from_here(struct sim_net *net, size_t node, uint8_t *data, size_t len, int64_t now)
{
	struct ip_info ip;

	if (ip_parse(data, len, &ip))
		return;
	if (sim_net_has_address(net, node, &ip.sel.dst))
		net->hooks.deliver(net->hooks.arg, node, data, &ip);
	else if (!net->hooks.take(net->hooks.arg, node, data, &ip))
		route_out(net, node, data, &ip, now);
}

void sim_net_send(struct sim_net *net, size_t node, uint8_t *data, size_t len, int64_t now)
{
	from_here(net, node, data, len, now);
}

/* --- receiving --- */

/* True if the packet is whole now; *data may be another buffer then. */
static bool reassemble(struct sim_net *net, struct sim_node *node, uint8_t **data,
		       struct ip_info *ip, int64_t now)
{
	const uint8_t *whole;
	size_t len;

	if (!ip->fragment)
		return true;
	if (ip->version != 4 || (!node->reass && reass_new(&node->reass) < 0))
		return false;
	if (reass_add(node->reass, *data, ip, (uint64_t)(now / LINK_US), &whole, &len) < 0)
		return false;
	net->counters.lost_fragments += reass_take_lost(node->reass);
	*data = (uint8_t *)whole; /* the node's own buffer */
	return ip_parse(whole, len, ip) == 0;
}

/* False: the box lets it no further. */
static bool pass_nat(struct sim_net *net, struct sim_node *node, const char *ifname, uint8_t *data,
		     struct ip_info *ip, int64_t now)
{
	if (!node->nat || ip->version != 4 || strcmp(ifname, node->nat_ifname) != 0)
		return true;
	if (ip_addr_eq(&ip->sel.dst, nat_model_outside(node->nat)) &&
	    nat_packet_in(node->nat, data, ip->total_len, now) == 0)
		return ip_parse(data, ip->total_len, ip) == 0;
	/* pings of the box itself are answered */
	if (ip->proto == IP_PROTO_ICMP && ip_addr_eq(&ip->sel.dst, nat_model_outside(node->nat)))
		return true;
	net->counters.filtered++;
	return false;
}

/* RFC 4787 §6: from inside to the box's outside address. False: it goes no further. */
static bool turn_round(const struct sim_node *node, uint8_t *data, struct ip_info *ip, int64_t now)
{
	if (!is_nat_inside(node, &ip->sel.src) ||
	    !ip_addr_eq(&ip->sel.dst, nat_model_outside(node->nat)))
		return true;
	if (nat_packet_hairpin(node->nat, data, ip->total_len, now) == 0)
		return ip_parse(data, ip->total_len, ip) == 0;
	/* without hairpinning the box takes it for its own */
	return !node->nat_hairpins;
}

static bool hop(uint8_t *data, const struct ip_info *ip)
{
	if (ip->ttl <= 1)
		return false;
	data[ip->version == 4 ? 8 : 7]--;
	if (ip->version == 4)
		ipv4_set_checksum(data, ip->hdr_len);
	return true;
}

static void arrive(struct sim_net *net, size_t index, const char *ifname, uint8_t *data, size_t len,
		   int64_t now)
{
	struct sim_node *node = &net->nodes[index];
	struct ip_info ip;

	if (ip_parse(data, len, &ip))
		return;
	if ((node->nat || sim_net_has_address(net, index, &ip.sel.dst)) &&
	    !reassemble(net, node, &data, &ip, now))
		return;
	if (!pass_nat(net, node, ifname, data, &ip, now) || !turn_round(node, data, &ip, now))
		return;
	if (sim_net_has_address(net, index, &ip.sel.dst)) {
		net->hooks.deliver(net->hooks.arg, index, data, &ip);
	} else if (!hop(data, &ip)) {
		net->counters.ttl++;
	} else if (!net->hooks.take(net->hooks.arg, index, data, &ip)) {
		route_out(net, index, data, &ip, now);
	}
}

static void arrive_at(struct sim_net *net, size_t wire, unsigned side, const uint8_t *ip,
		      size_t len, int64_t now)
{
	const struct plan_wire *plan = sim_wire_plan(net->wires[wire]);
	const struct topo_link *link = &net->plan->topology.links[plan->link];
	const struct topo_end *end = side ? &link->b : &link->a;
	uint8_t buf[65536];

	if (len > sizeof(buf))
		return;
	memcpy(buf, ip, len);
	arrive(net, (size_t)topology_node(&net->plan->topology, end->node), end->ifname, buf, len,
	       now);
}

int64_t sim_net_next(const struct sim_net *net)
{
	int64_t first = LINK_NEVER, at;
	size_t i;

	for (i = 0; i < net->wires_count; i++) {
		at = sim_wire_next(net->wires[i]);
		first = at < first ? at : first;
	}
	return first;
}

bool sim_net_step(struct sim_net *net, int64_t now)
{
	const uint8_t *ip;
	unsigned side;
	size_t i, len;

	for (i = 0; i < net->wires_count; i++) {
		if (sim_wire_next(net->wires[i]) > now ||
		    !sim_wire_pop(net->wires[i], now, &side, &ip, &len))
			continue;
		arrive_at(net, i, side, ip, len, now);
		return true;
	}
	return false;
}

/* --- parts --- */

size_t sim_net_wires(const struct sim_net *net)
{
	return net->wires_count;
}

struct sim_wire *sim_net_wire(const struct sim_net *net, size_t i)
{
	return net->wires[i];
}

struct sim_wire *sim_net_find_wire(const struct sim_net *net, const char *name)
{
	size_t i;

	for (i = 0; i < net->wires_count; i++)
		if (strcmp(sim_wire_plan(net->wires[i])->name, name) == 0)
			return net->wires[i];
	return NULL;
}

struct nat_model *sim_net_nat(const struct sim_net *net, size_t node)
{
	return net->nodes[node].nat;
}

const struct sim_net_counters *sim_net_counters(const struct sim_net *net)
{
	return &net->counters;
}
