/* plan_network.c - mistakes in a scenario's network that the kernel would report without a line, or
 * not at all: a NAT box with a misspelt interface drops nothing and translates nothing.
 *
 * An address is refused when another interface has it on the same segment (links that bridges
 * join), or in the same node; two networks apart may well use the same one, as homes do. Routes are
 * followed one step, to the gateway.
 *
 * Ownership: nothing is kept; what is allocated is the document's. */
#include "harness/plan_network.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct checking {
	const struct plan *plan;
	const struct scenario *sc;
	const struct topology *topo;
	struct doc *doc;
	size_t *segments; /* of each link: the link that stands for its segment */
	struct err_msg *msg;
};

/* --- names --- */

static int check_name(const struct scenario *sc, const struct sc_node *nodes, size_t at,
		      struct err_msg *msg)
{
	size_t i;

	if (!topology_is_name(nodes[at].name, TOPO_NODE_NAME_MAX))
		return doc_error(sc->doc, nodes[at].line, msg,
				 "'%s' cannot name a node: 1 to %d letters, digits, '-', '_', '.'",
				 nodes[at].name, TOPO_NODE_NAME_MAX);
	for (i = 0; i < at; i++)
		if (strcmp(nodes[i].name, nodes[at].name) == 0)
			return doc_error(sc->doc, nodes[at].line, msg,
					 "node '%s' stands here twice; the first is in line %u",
					 nodes[at].name, nodes[i].line);
	return 0;
}

int plan_check_names(const struct scenario *sc, struct err_msg *msg)
{
	size_t i;
	int err = 0;

	for (i = 0; i < sc->topology.nodes.count && err == 0; i++)
		err = check_name(sc, sc->topology.nodes.items, i, msg);
	return err;
}

/* --- interfaces --- */

static bool is_end(const struct topo_end *end, const char *node, const char *ifname)
{
	return strcmp(end->node, node) == 0 && strcmp(end->ifname, ifname) == 0;
}

/* SIZE_MAX: no link ends there. */
static size_t find_link(const struct topology *topo, const char *node, const char *ifname)
{
	size_t i;

	for (i = 0; i < topo->links_count; i++)
		if (is_end(&topo->links[i].a, node, ifname) ||
		    is_end(&topo->links[i].b, node, ifname))
			return i;
	return SIZE_MAX;
}

static const struct topo_bridge *find_bridge(const struct topology *topo, const char *node,
					     const char *ifname)
{
	size_t i;

	for (i = 0; i < topo->bridges_count; i++)
		if (strcmp(topo->bridges[i].node, node) == 0 &&
		    strcmp(topo->bridges[i].ifname, ifname) == 0)
			return &topo->bridges[i];
	return NULL;
}

static void list_interface(const char *ifname, char *text, size_t cap)
{
	size_t len = strlen(text);

	snprintf(text + len, cap - len, "%s%s", len ? ", " : "", ifname);
}

static void list_interfaces(const struct topology *topo, const char *node, char *text, size_t cap)
{
	size_t i;

	text[0] = 0;
	for (i = 0; i < topo->links_count; i++) {
		if (strcmp(topo->links[i].a.node, node) == 0)
			list_interface(topo->links[i].a.ifname, text, cap);
		if (strcmp(topo->links[i].b.node, node) == 0)
			list_interface(topo->links[i].b.ifname, text, cap);
	}
	for (i = 0; i < topo->bridges_count; i++)
		if (strcmp(topo->bridges[i].node, node) == 0)
			list_interface(topo->bridges[i].ifname, text, cap);
	if (!text[0])
		snprintf(text, cap, "none, since no link ends there");
}

static int check_interface(struct checking *c, unsigned line, const char *node, const char *ifname)
{
	char known[256];

	if (strcmp(ifname, "lo") == 0 || find_link(c->topo, node, ifname) != SIZE_MAX ||
	    find_bridge(c->topo, node, ifname))
		return 0;
	list_interfaces(c->topo, node, known, sizeof(known));
	return doc_error(c->doc, line, c->msg, "%s has no interface '%s'; it has: %s", node, ifname,
			 known);
}

/* --- links --- */

/* The first link of the scenario, but for one, that has this end. */
static const struct sc_link *find_written(const struct scenario *sc, const char *end, size_t but)
{
	const struct sc_link *links = sc->topology.links.items;
	size_t i;

	for (i = 0; i < sc->topology.links.count; i++)
		if (i != but && (strcmp(links[i].ends.items[0], end) == 0 ||
				 strcmp(links[i].ends.items[1], end) == 0))
			return &links[i];
	return NULL;
}

/* An interface is the end of one link. Here it is the end of two: the scenario's own, of which the
 * second is to blame, or one of the base that was named the other way round. */
static int used_twice(struct checking *c, size_t at, const char *end, const struct topo_link *other)
{
	const struct sc_link *links = c->sc->topology.links.items;
	const struct sc_link *first = find_written(c->sc, end, at);

	if (first)
		return first > &links[at]
			   ? 0
			   : doc_error(c->doc, links[at].line, c->msg,
				       "'%s' is an end of two links; the first is in line %u", end,
				       first->line);
	return doc_error(c->doc, links[at].line, c->msg,
			 "'%s' is an end of a link of the base: [%s:%s, %s:%s], in this order", end,
			 other->a.node, other->a.ifname, other->b.node, other->b.ifname);
}

static int check_end(struct checking *c, size_t at, const char *end, const struct topo_link *own)
{
	const struct sc_link *link = (struct sc_link *)c->sc->topology.links.items + at;
	const struct topo_end *is = strcmp(end, link->ends.items[0]) == 0 ? &own->a : &own->b;
	const struct topo_link *other;
	size_t i;

	if (!topology_is_name(is->ifname, TOPO_IFNAME_MAX))
		return doc_error(c->doc, link->line, c->msg,
				 "'%s' cannot name an interface: 1 to %d letters, digits, '-', "
				 "'_', '.'",
				 is->ifname, TOPO_IFNAME_MAX);
	for (i = 0; i < c->topo->links_count; i++) {
		other = &c->topo->links[i];
		if (other != own && (is_end(&other->a, is->node, is->ifname) ||
				     is_end(&other->b, is->node, is->ifname)))
			return used_twice(c, at, end, other);
	}
	return find_written(c->sc, end, at) ? used_twice(c, at, end, own) : 0;
}

static const struct topo_link *find_own(const struct topology *topo, const struct sc_link *link)
{
	char a[64], b[64];
	size_t i;

	for (i = 0; i < topo->links_count; i++) {
		snprintf(a, sizeof(a), "%s:%s", topo->links[i].a.node, topo->links[i].a.ifname);
		snprintf(b, sizeof(b), "%s:%s", topo->links[i].b.node, topo->links[i].b.ifname);
		if (strcmp(a, link->ends.items[0]) == 0 && strcmp(b, link->ends.items[1]) == 0)
			return &topo->links[i];
	}
	return NULL;
}

static int check_link(struct checking *c, size_t at)
{
	const struct sc_link *link = (struct sc_link *)c->sc->topology.links.items + at;
	const struct topo_link *own = find_own(c->topo, link);
	int err = own ? check_end(c, at, link->ends.items[0], own) : 0;

	return err < 0 || !own ? err : check_end(c, at, link->ends.items[1], own);
}

/* --- addresses --- */

static size_t segment_root(const struct checking *c, size_t link)
{
	while (c->segments[link] != link)
		link = c->segments[link];
	return link;
}

static size_t segment_of(const struct checking *c, const char *node, const char *ifname)
{
	const struct topo_bridge *bridge = find_bridge(c->topo, node, ifname);
	size_t link = find_link(c->topo, node, bridge ? bridge->ports[0] : ifname);

	return link == SIZE_MAX ? SIZE_MAX : segment_root(c, link);
}

/* Links whose ends are ports of one bridge are one segment. */
static int find_segments(struct checking *c)
{
	size_t i, k, first, other;

	c->segments = doc_alloc(c->doc, sizeof(*c->segments) * (c->topo->links_count + 1));
	if (!c->segments)
		return err_set(c->msg, ERR_NOMEM, "out of memory");
	for (i = 0; i < c->topo->links_count; i++)
		c->segments[i] = i;
	for (i = 0; i < c->topo->bridges_count; i++) {
		const struct topo_bridge *b = &c->topo->bridges[i];

		first = segment_of(c, b->node, b->ifname);
		for (k = 1; first != SIZE_MAX && k < TOPO_PORTS_MAX && b->ports[k]; k++) {
			other = segment_of(c, b->node, b->ports[k]);
			if (other != SIZE_MAX)
				c->segments[other] = first;
		}
	}
	return 0;
}

static bool meet(const struct checking *c, const struct topo_address *a,
		 const struct topo_address *b)
{
	size_t segment = segment_of(c, a->node, a->ifname);

	return strcmp(a->node, b->node) == 0 ||
	       (segment != SIZE_MAX && segment == segment_of(c, b->node, b->ifname));
}

/* Against those before it: the second is to blame. */
static int check_unique(struct checking *c, unsigned line, const struct topo_address *own)
{
	struct ip_addr addr, other_addr;
	unsigned bits;
	size_t i;

	topology_parse_prefix(own->prefix, &addr, &bits);
	for (i = 0; i < c->topo->addresses_count; i++) {
		const struct topo_address *other = &c->topo->addresses[i];

		if (other->prefix == own->prefix)
			break;
		if (topology_parse_prefix(other->prefix, &other_addr, &bits) < 0 ||
		    !ip_addr_eq(&addr, &other_addr) || !meet(c, own, other))
			continue;
		return doc_error(c->doc, line, c->msg, "%s %s has the address of %s %s: %s",
				 own->node, own->ifname, other->node, other->ifname, own->prefix);
	}
	return 0;
}

static int check_prefix(struct checking *c, const struct sc_node *node,
			const struct sc_address *address, size_t at)
{
	unsigned line = address->prefixes.lines[at];
	const struct topo_address own = {node->name, address->ifname, address->prefixes.items[at]};

	if (!strchr(own.prefix, '/'))
		return doc_error(c->doc, line, c->msg,
				 "'%s' has no prefix length; say %s/24, or /32 if nothing else is "
				 "on the wire",
				 own.prefix, own.prefix);
	return check_unique(c, line, &own);
}

static int check_addresses(struct checking *c, const struct sc_node *node)
{
	const struct sc_address *list = node->addresses.items;
	size_t i, k;
	int err = 0;

	for (i = 0; i < node->addresses.count && err == 0; i++) {
		err = check_interface(c, list[i].line, node->name, list[i].ifname);
		for (k = 0; k < list[i].prefixes.count && err == 0; k++)
			err = check_prefix(c, node, &list[i], k);
	}
	return err;
}

/* --- bridges, NAT boxes, routes --- */

static int check_bridges(struct checking *c, const struct sc_node *node)
{
	const struct sc_bridge *list = node->bridges.items;
	size_t i, k;
	int err = 0;

	for (i = 0; i < node->bridges.count; i++)
		for (k = 0; k < list[i].ports.count && err == 0; k++)
			err = check_interface(c, list[i].ports.lines[k], node->name,
					      list[i].ports.items[k]);
	return err;
}

static int check_nat(struct checking *c, const struct sc_node *node)
{
	struct ip_addr addr;
	unsigned bits;

	if (!node->nat.inside)
		return 0;
	if (topology_parse_prefix(node->nat.inside, &addr, &bits) < 0)
		return doc_error(c->doc, node->nat.line, c->msg,
				 "'%s' is no network, as 10.0.0.0/8", node->nat.inside);
	return check_interface(c, node->nat.line, node->name, node->nat.outside);
}

/* By an interface with an address in its network, or by a route to it through an interface. */
static bool reaches(const struct topology *topo, const char *node, const struct ip_addr *gateway)
{
	struct ip_addr net, via;
	unsigned bits;
	size_t i;

	for (i = 0; i < topo->addresses_count; i++)
		if (strcmp(topo->addresses[i].node, node) == 0 &&
		    topology_parse_prefix(topo->addresses[i].prefix, &net, &bits) == 0 &&
		    ip_addr_in_prefix(gateway, &net, bits))
			return true;
	for (i = 0; i < topo->routes_count; i++)
		if (strcmp(topo->routes[i].node, node) == 0 && !topo->routes[i].via &&
		    topology_parse_route(&topo->routes[i], &net, &bits, &via) == 0 &&
		    ip_addr_in_prefix(gateway, &net, bits))
			return true;
	return false;
}

static int check_route(struct checking *c, const struct sc_node *node, size_t at,
		       const struct topo_route *route)
{
	struct ip_addr dst, via;
	unsigned bits, line = node->routes.lines[at];

	if (route->ifname)
		return check_interface(c, line, node->name, route->ifname);
	if (topology_parse_route(route, &dst, &bits, &via) < 0 ||
	    reaches(c->topo, node->name, &via))
		return 0;
	return doc_error(c->doc, line, c->msg, "%s: '%s': no interface reaches %s", node->name,
			 node->routes.items[at], route->via);
}

/* The scenario's routes are the last of the topology, in the order of its nodes. */
static int check_routes(struct checking *c)
{
	const struct sc_node *nodes = c->sc->topology.nodes.items;
	size_t i, k, at = c->topo->routes_count;
	int err = 0;

	for (i = 0; i < c->sc->topology.nodes.count; i++)
		at -= nodes[i].routes.count;
	for (i = 0; i < c->sc->topology.nodes.count; i++)
		for (k = 0; k < nodes[i].routes.count && err == 0; k++)
			err = check_route(c, &nodes[i], k, &c->topo->routes[at++]);
	return err;
}

static int check_node(struct checking *c, const struct sc_node *node)
{
	int err = check_bridges(c, node);

	if (err == 0)
		err = check_addresses(c, node);
	return err < 0 ? err : check_nat(c, node);
}

int plan_check_network(const struct plan *plan, struct err_msg *msg)
{
	const struct scenario *sc = plan->scenario;
	struct checking c = {
	    .plan = plan, .sc = sc, .topo = &plan->topology, .doc = sc->doc, .msg = msg};
	size_t i;
	int err = find_segments(&c);

	for (i = 0; i < sc->topology.links.count && err == 0; i++)
		err = check_link(&c, i);
	for (i = 0; i < sc->topology.nodes.count && err == 0; i++)
		err = check_node(&c, (struct sc_node *)sc->topology.nodes.items + i);
	return err < 0 ? err : check_routes(&c);
}
