/* net_build.c - from a plan's topology, which names things, to the tables of the network.
 *
 * NAT boxes of a topology are rules for nftables, which a simulation cannot run; what they do is
 * known from where they come: the base's ISP box, and `nat:` of the scenario's nodes. A scenario's
 * own nftables rules are not supported. Both kinds of box are Linux's masquerading unless the
 * scenario says otherwise: mapping and filtering by address and port (RFC 4787). */
#include "harness/sim/net_internal.h"
#include "harness/sim/rng.h"
#include <stdlib.h>
#include <string.h>

/* Linux: nf_conntrack_udp_timeout_stream; a tunnel's flow goes both ways. */

void *net_append(void *table, size_t *count, size_t size)
{
	void **v = table;
	char *grown = realloc(*v, (*count + 1) * size);

	if (!grown)
		return NULL;
	*v = grown;
	memset(grown + *count * size, 0, size);
	return grown + (*count)++ * size;
}

static struct sim_node *node_of(struct sim_net *net, const char *name)
{
	return &net->nodes[topology_node(&net->plan->topology, name)];
}

static int no_memory(struct err_msg *msg)
{
	return err_set(msg, ERR_NOMEM, "out of memory");
}

static const char *bridge_of(const struct topology *topo, const struct topo_end *end)
{
	size_t i, j;

	for (i = 0; i < topo->bridges_count; i++) {
		const struct topo_bridge *b = &topo->bridges[i];

		for (j = 0; strcmp(b->node, end->node) == 0 && j < 8 && b->ports[j]; j++)
			if (strcmp(b->ports[j], end->ifname) == 0)
				return b->ifname;
	}
	return NULL;
}

static int add_iface(struct sim_net *net, const struct topo_end *end, size_t wire, unsigned side)
{
	struct sim_node *node = node_of(net, end->node);
	struct sim_iface *iface = net_append(&node->ifaces, &node->ifaces_count, sizeof(*iface));

	if (!iface)
		return ERR_NOMEM;
	*iface = (struct sim_iface){.name = end->ifname,
				    .bridge = bridge_of(&net->plan->topology, end),
				    .wire = wire,
				    .side = side};
	return 0;
}

static int add_bridges(struct sim_net *net)
{
	const struct topology *topo = &net->plan->topology;
	size_t i;
	int err = 0;

	for (i = 0; i < topo->bridges_count && err == 0; i++) {
		const struct topo_end end = {topo->bridges[i].node, topo->bridges[i].ifname};

		err = add_iface(net, &end, SIZE_MAX, 0);
	}
	return err;
}

int net_build_wires(struct sim_net *net, struct err_msg *msg)
{
	const struct plan *plan = net->plan;
	size_t i;
	int err = 0;

	net->wires = calloc(plan->wires_count + 1, sizeof(*net->wires));
	if (!net->wires || add_bridges(net) < 0)
		return no_memory(msg);
	for (i = 0; i < plan->wires_count && err == 0; i++) {
		const struct topo_link *link = &plan->topology.links[plan->wires[i].link];
		const struct sim_wire_spec spec = {
		    .plan = &plan->wires[i],
		    .link = link,
		    .seed = sim_rng_init(plan->seed, SIM_RNG_WIRE, i).state};

		err = sim_wire_new(&spec, &net->wires[i], msg);
		net->wires_count += err == 0;
		if (err == 0 &&
		    (add_iface(net, &link->a, i, 0) < 0 || add_iface(net, &link->b, i, 1) < 0))
			err = no_memory(msg);
	}
	return err;
}

static int add_address(struct sim_node *node, const char *ifname, const char *prefix,
		       struct err_msg *msg)
{
	struct sim_address *a =
	    net_append(&node->addresses, &node->addresses_count, sizeof(*node->addresses));

	if (!a)
		return no_memory(msg);
	a->ifname = ifname;
	if (topology_parse_prefix(prefix, &a->addr, &a->bits) < 0)
		return err_set(msg, ERR_SYNTAX, "%s: '%s' is no address", node->name, prefix);
	return 0;
}

int sim_net_add_inner(struct sim_net *net, size_t node, const char *prefix, struct err_msg *msg)
{
	return add_address(&net->nodes[node], NULL, prefix, msg);
}

static int add_route(struct sim_net *net, const struct topo_route *route, struct err_msg *msg)
{
	struct sim_node *node = node_of(net, route->node);
	struct sim_route *r = net_append(&node->routes, &node->routes_count, sizeof(*r));

	if (!r)
		return no_memory(msg);
	r->ifname = route->ifname;
	if (topology_parse_route(route, &r->dst, &r->bits, &r->via) < 0)
		return err_set(msg, ERR_SYNTAX, "%s: '%s' is no route", route->node, route->dst);
	return 0;
}

int net_build_nodes(struct sim_net *net, struct err_msg *msg)
{
	const struct topology *topo = &net->plan->topology;
	size_t i;
	int err = 0;

	net->nodes = calloc(topo->nodes_count + 1, sizeof(*net->nodes));
	if (!net->nodes)
		return no_memory(msg);
	net->nodes_count = topo->nodes_count;
	for (i = 0; i < topo->nodes_count; i++)
		net->nodes[i].name = topo->nodes[i];
	for (i = 0; i < topo->addresses_count && err == 0; i++)
		err = add_address(node_of(net, topo->addresses[i].node), topo->addresses[i].ifname,
				  topo->addresses[i].prefix, msg);
	for (i = 0; i < topo->routes_count && err == 0; i++)
		err = add_route(net, &topo->routes[i], msg);
	return err;
}

/* --- NAT boxes --- */

static int add_nat(struct sim_net *net, struct sim_node *node, const struct sc_nat *sc,
		   struct err_msg *msg)
{
	struct nat_params params;
	int err = plan_nat_params(net->plan, node->name, sc, &params, msg);

	if (err < 0)
		return err;
	params.seed = sim_rng_init(net->plan->seed, SIM_RNG_NAT, (size_t)(node - net->nodes)).state;
	node->nat_ifname = sc->outside;
	node->nat_hairpins = sc->hairpin;
	if (topology_parse_prefix(sc->inside, &node->nat_inside, &node->nat_bits) < 0)
		return err_set(msg, ERR_SYNTAX, "%s: '%s' is no prefix", node->name, sc->inside);
	return nat_model_new(&params, &node->nat) < 0 ? no_memory(msg) : 0;
}

static bool is_listed(const struct text_list *list, const char *text)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (strcmp(list->items[i], text) == 0)
			return true;
	return false;
}

int net_build_nat(struct sim_net *net, struct err_msg *msg)
{
	const struct sc_topology *sc = &net->plan->scenario->topology;
	const struct sc_node *nodes = sc->nodes.items;
	const struct sc_nat isp = {.inside = "192.168.1.0/24", .outside = "wan", .ports = sc->nat};
	size_t i;
	int err = 0;

	if (sc->base == BASE_SEED && !is_listed(&sc->without_nat, "isp"))
		err = add_nat(net, node_of(net, "isp"), &isp, msg);
	for (i = 0; i < sc->nodes.count && err == 0; i++) {
		if (nodes[i].nftables.text || nodes[i].nftables_file)
			err = err_set(msg, ERR_UNSUPPORTED, "rules for nftables at %s",
				      nodes[i].name);
		else if (nodes[i].nat.inside)
			err = add_nat(net, node_of(net, nodes[i].name), &nodes[i].nat, msg);
	}
	return err;
}
