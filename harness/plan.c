/* plan.c - merges the scenario's network with its base, checks all names, reads the files that are
 * named.
 *
 * The tables of a struct topology are built by appending: first the base's, without what the
 * scenario leaves out, then the scenario's own. All memory is the document's, so nothing is freed
 * here. topology_check has the last word on the whole; what can be said with the line of its cause
 * is said before. */
#include "harness/plan_internal.h"

#include "harness/plan_check.h"
#include "harness/plan_network.h"
#include "netns/seed_topology.h"
#include <stdlib.h>
#include <string.h>

int plan_no_memory(struct plan_making *m)
{
	return err_set(m->msg, ERR_NOMEM, "out of memory");
}

/* Room for one more at the end of a table: tables are copied as they grow, which is cheap at the
 * size of a scenario. */
void *plan_append(struct plan_making *m, const void **table, size_t *count, size_t size)
{
	char *copy = doc_alloc(m->doc, size * (*count + 1));

	if (!copy)
		return NULL;
	if (*count)
		memcpy(copy, *table, size * *count);
	*table = copy;
	return copy + size * (*count)++;
}

/* --- the base --- */

static bool is_listed(const struct text_list *list, const char *text)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (strcmp(list->items[i], text) == 0)
			return true;
	return false;
}

static int copy_base(struct plan_making *m, const struct topology *base)
{
	const struct sc_topology *sc = &m->sc->topology;
	struct topology *topo = &m->plan->topology;
	size_t i;

	*topo = *base;
	topo->routes = NULL;
	topo->rules = NULL;
	topo->routes_count = topo->rules_count = 0;
	for (i = 0; i < base->routes_count; i++) {
		struct topo_route *route;

		if (is_listed(&sc->without_routes, base->routes[i].dst))
			continue;
		route = APPEND(m, topo, routes);
		if (!route)
			return plan_no_memory(m);
		*route = base->routes[i];
	}
	for (i = 0; i < base->rules_count; i++) {
		struct topo_rules *rules;

		if (is_listed(&sc->without_nat, base->rules[i].node))
			continue;
		rules = APPEND(m, topo, rules);
		if (!rules)
			return plan_no_memory(m);
		*rules = base->rules[i];
	}
	return 0;
}

/* --- all --- */

static int check_topology(struct plan_making *m)
{
	struct err_msg why = {{0}};

	if (m->plan->topology.nodes_count == 0)
		return doc_error(m->doc, m->sc->topology.line, m->msg, "a network without nodes");
	if (topology_check(&m->plan->topology, &why) < 0)
		return doc_error(m->doc, m->sc->topology.line, m->msg, "impossible network: %.400s",
				 why.text);
	return 0;
}

int plan_make(const struct scenario *scenario, const struct plan_options *options,
	      struct plan *ret_plan, struct err_msg *msg)
{
	struct plan plan = {.scenario = scenario, .seed = options->seed};
	struct plan_making m = {.sc = scenario, .doc = scenario->doc, .plan = &plan, .msg = msg};
	struct topology base = {.nodes_count = 0};
	int err;

	if (scenario->topology.base == BASE_SEED)
		seed_topology(scenario->topology.nat == NAT_PORTS_RANDOM ? SEED_NAT_RANDOM
									 : SEED_NAT_PRESERVE,
			      &base);
	err = plan_check_names(scenario, msg);
	if (err == 0)
		err = copy_base(&m, &base);
	if (err == 0)
		err = plan_add_nodes(&m);
	if (err == 0)
		err = plan_add_links(&m);
	if (err == 0)
		err = plan_check_network(&plan, msg);
	if (err == 0)
		err = check_topology(&m);
	if (err == 0)
		err = plan_add_endpoints(&m, options);
	if (err == 0)
		err = plan_check(&plan, msg);
	if (err == 0)
		*ret_plan = plan;
	return err;
}

const struct plan_wire *plan_find_wire(const struct plan *plan, const char *name)
{
	size_t i;

	for (i = 0; i < plan->wires_count; i++)
		if (strcmp(plan->wires[i].name, name) == 0)
			return &plan->wires[i];
	return NULL;
}

const struct plan_endpoint *plan_find_endpoint(const struct plan *plan, const char *node)
{
	size_t i;

	for (i = 0; i < plan->endpoints_count; i++)
		if (strcmp(plan->endpoints[i].sc->node, node) == 0)
			return &plan->endpoints[i];
	return NULL;
}

const char *plan_node_of(const struct plan *plan, const struct ip_addr *addr)
{
	const struct topology *topo = &plan->topology;
	struct ip_addr other;
	unsigned bits;
	size_t i;

	for (i = 0; i < topo->addresses_count; i++)
		if (topology_parse_prefix(topo->addresses[i].prefix, &other, &bits) == 0 &&
		    ip_addr_eq(&other, addr))
			return topo->addresses[i].node;
	return NULL;
}

bool plan_shifts_clock(const struct plan *plan, const char *node)
{
	const struct sc_step *steps = plan->scenario->steps.items;
	size_t i;

	for (i = 0; i < plan->scenario->steps.count; i++)
		if (steps[i].kind == STEP_CLOCK && is_listed(&steps[i].nodes, node))
			return true;
	return false;
}

bool plan_needs_sim(const struct plan *plan)
{
	const struct sc_step *steps = plan->scenario->steps.items;
	size_t i;

	for (i = 0; i < plan->scenario->steps.count; i++)
		if (steps[i].kind == STEP_FAULTS)
			return true;
	return false;
}
