/* plan_links.c - links, be they new or settings of the base's, and the wires on them that are
 * captured or misbehave. */
#include "harness/plan_internal.h"

#include <stdlib.h>
#include <string.h>

static int parse_end(struct plan_making *m, const struct sc_link *link, const char *text,
		     struct topo_end *ret_end)
{
	const char *colon = strchr(text, ':');
	char *node = doc_strdup(m->doc, text);

	if (!node)
		return plan_no_memory(m);
	if (!colon || !colon[1])
		return doc_error(m->doc, link->line, m->msg, "'%s' is no end: NODE:INTERFACE",
				 text);
	node[colon - text] = 0;
	if (topology_node(&m->plan->topology, node) < 0)
		return doc_error(m->doc, link->line, m->msg, "no node '%s'", node);
	*ret_end = (struct topo_end){node, colon + 1};
	return 0;
}

static bool same_end(const struct topo_end *a, const struct topo_end *b)
{
	return strcmp(a->node, b->node) == 0 && strcmp(a->ifname, b->ifname) == 0;
}

static const struct sc_link *settings_of(struct plan_making *m, const struct topo_link *link)
{
	const struct sc_link *links = m->sc->topology.links.items;
	struct topo_end a, b;
	size_t i;

	for (i = 0; i < m->sc->topology.links.count; i++) {
		if (links[i].ends.count != 2 ||
		    parse_end(m, &links[i], links[i].ends.items[0], &a) < 0 ||
		    parse_end(m, &links[i], links[i].ends.items[1], &b) < 0)
			continue;
		if (same_end(&a, &link->a) && same_end(&b, &link->b))
			return &links[i];
	}
	return NULL;
}

static bool has_link(const struct topology *topo, const struct topo_end *a,
		     const struct topo_end *b)
{
	size_t i;

	for (i = 0; i < topo->links_count; i++)
		if (same_end(&topo->links[i].a, a) && same_end(&topo->links[i].b, b))
			return true;
	return false;
}

static int add_link(struct plan_making *m, const struct sc_link *sc)
{
	struct topology *topo = &m->plan->topology;
	struct topo_link *link;
	struct topo_end a, b;
	int err;

	if (sc->ends.count != 2)
		return doc_error(m->doc, sc->line, m->msg,
				 "a link has two ends: [NODE:INTERFACE, NODE:INTERFACE]");
	err = parse_end(m, sc, sc->ends.items[0], &a);
	if (err == 0)
		err = parse_end(m, sc, sc->ends.items[1], &b);
	if (err < 0 || has_link(topo, &a, &b))
		return err;
	link = APPEND(m, topo, links);
	if (!link)
		return plan_no_memory(m);
	*link = (struct topo_link){.a = a, .b = b};
	return 0;
}

/* The wires of the base that carry no tunnel: the lab's own. */
static int default_place(const struct plan_making *m, const struct topo_link *link)
{
	if (m->sc->topology.base != BASE_SEED)
		return WIRE_AUTO;
	if (strcmp(link->b.node, "inet") == 0 || strcmp(link->a.node, "inet") == 0)
		return WIRE_OUTER;
	return strncmp(link->a.ifname, "lan", 3) == 0 ? WIRE_INSIDE : WIRE_AUTO;
}

/* The NAT box, if there is one at an end, that is more than the kernel's. */
static const struct sc_node *nat_at(const struct plan_making *m, const struct topo_link *link)
{
	const struct sc_node *nodes = m->sc->topology.nodes.items;
	size_t i;

	for (i = 0; i < m->sc->topology.nodes.count; i++) {
		struct topo_end outside = {nodes[i].name, nodes[i].nat.outside};

		if (sc_nat_is_modelled(&nodes[i].nat) &&
		    (same_end(&outside, &link->a) || same_end(&outside, &link->b)))
			return &nodes[i];
	}
	return NULL;
}

/* What the link is, if not what the scenario's own settings make of it. */
static void set_wire(const struct sc_link *sc, struct plan_wire *wire, struct topo_link *link)
{
	if (sc && sc->place != WIRE_AUTO)
		wire->place = sc->place;
	if (sc && sc->mtu)
		link->mtu = sc->mtu;
	if (sc)
		wire->impairment = sc->wire;
	wire->impairment.is_set = (sc && sc->wire.line != 0) || wire->nat;
	link->impaired = wire->impairment.is_set;
}

static int add_wire(struct plan_making *m, size_t index, struct topo_link *link)
{
	const struct sc_link *sc = settings_of(m, link);
	struct plan_wire *wire;

	wire = plan_append(m, (const void **)(void *)&m->plan->wires, &m->plan->wires_count,
			   sizeof(*wire));
	if (!wire)
		return plan_no_memory(m);
	*wire = (struct plan_wire){
	    .link = index, .place = default_place(m, link), .nat = nat_at(m, link)};
	snprintf(wire->name, sizeof(wire->name), "%s-%s", link->a.node, link->b.node);
	if (plan_find_wire(m->plan, wire->name) != wire)
		snprintf(wire->name, sizeof(wire->name), "%s.%s-%s.%s", link->a.node,
			 link->a.ifname, link->b.node, link->b.ifname);
	set_wire(sc, wire, link);
	return 0;
}

int plan_add_links(struct plan_making *m)
{
	const struct sc_link *list = m->sc->topology.links.items;
	struct topology *topo = &m->plan->topology;
	struct topo_link *links;
	size_t i;
	int err = 0;

	for (i = 0; i < m->sc->topology.links.count && err == 0; i++)
		err = add_link(m, &list[i]);
	if (err < 0)
		return err;
	links = doc_alloc(m->doc, sizeof(*links) * (topo->links_count + 1));
	if (!links)
		return plan_no_memory(m);
	for (i = 0; i < topo->links_count; i++)
		links[i] = topo->links[i];
	for (i = 0; i < topo->links_count && err == 0; i++)
		err = add_wire(m, i, &links[i]);
	topo->links = links;
	return err;
}
