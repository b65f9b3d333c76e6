/* plan_check.c - names in steps and expectations against the network and the configurations.
 *
 * A misspelt place with `max: 0` would pass for ever, and a misspelt child fail only when the
 * network stands; so everything that can be known to be wrong is told before the run. */
#include "harness/plan_check.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct checking {
	const struct plan *plan;
	struct doc *doc;
	struct config_names *names; /* of the plan's endpoints */
	struct err_msg *msg;
};

static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);
	const char *at = words;

	while ((at = strstr(at, word))) {
		if ((at == words || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
			return true;
		at += len;
	}
	return false;
}

/* --- steps --- */

static int no_such_node(struct checking *c, unsigned line, const char *node)
{
	const struct topology *topo = &c->plan->topology;
	char known[320] = "";
	size_t i, len = 0;

	for (i = 0; i < topo->nodes_count && len < sizeof(known); i++)
		len += (size_t)snprintf(known + len, sizeof(known) - len, "%s%s", i ? ", " : "",
					topo->nodes[i]);
	return doc_error(c->doc, line, c->msg, "no node '%s'; there are: %s", node, known);
}

static int check_node(struct checking *c, unsigned line, const char *node)
{
	if (node && topology_node(&c->plan->topology, node) < 0)
		return no_such_node(c, line, node);
	return 0;
}

static int check_daemon(struct checking *c, const struct sc_step *step, const char *node)
{
	int err = check_node(c, step->line, node);

	if (err == 0 && node && !plan_find_endpoint(c->plan, node))
		return doc_error(c->doc, step->line, c->msg,
				 "no daemon at '%s': endpoints has none", node);
	return err;
}

static int check_name(struct checking *c, const struct sc_step *step, const char *node,
		      const char *what, const char *name, bool is_child)
{
	const struct plan_endpoint *e = node ? plan_find_endpoint(c->plan, node) : NULL;
	const struct config_names *names;

	if (!e || !name)
		return 0;
	names = &c->names[e - c->plan->endpoints];
	if (has_word(is_child ? names->children : names->connections, name))
		return 0;
	return doc_error(c->doc, step->line, c->msg,
			 "the configuration of %s has no %s '%s'; it has: %s", node, what, name,
			 is_child ? names->children : names->connections);
}

static int check_names(struct checking *c, const struct sc_step *step, const char *node)
{
	int err = check_name(c, step, node, "child", step->child, true);

	return err < 0 ? err : check_name(c, step, node, "connection", step->ike, false);
}

static bool drives_daemon(const struct sc_step *step)
{
	switch (step->kind) {
	case STEP_INITIATE:
	case STEP_TERMINATE:
	case STEP_REKEY:
	case STEP_LISTED:
		return true;
	case STEP_WAIT:
		return step->children >= 0 || step->sas >= 0 || step->event;
	default:
		return false;
	}
}

static int check_places(struct checking *c, const struct sc_step *step)
{
	int err = check_node(c, step->line, step->node);

	if (err == 0)
		err = check_node(c, step->line, step->from);
	if (err == 0)
		err = check_node(c, step->line, step->to);
	return err;
}

static int no_such_wire(struct checking *c, unsigned line, const char *name)
{
	char known[320] = "";
	size_t i, len = 0;

	for (i = 0; i < c->plan->wires_count && len < sizeof(known); i++)
		len += (size_t)snprintf(known + len, sizeof(known) - len, "%s%s", i ? ", " : "",
					c->plan->wires[i].name);
	return doc_error(c->doc, line, c->msg, "no wire '%s'; there are: %s", name, known);
}

static int check_wire(struct checking *c, unsigned line, const char *name)
{
	const struct plan_wire *wire = plan_find_wire(c->plan, name);

	if (!wire)
		return no_such_wire(c, line, name);
	if (!wire->impairment.is_set)
		return doc_error(c->doc, line, c->msg,
				 "wire '%s' is a plain cable; its link needs 'wire:', if only {}",
				 name);
	return 0;
}

static int check_end(struct checking *c, size_t link, unsigned line, const char *node)
{
	const struct topo_link *l = &c->plan->topology.links[link];

	if (!node || strcmp(node, l->a.node) == 0 || strcmp(node, l->b.node) == 0)
		return 0;
	return doc_error(c->doc, line, c->msg, "'%s' is not at the end of this wire: %s and %s are",
			 node, l->a.node, l->b.node);
}

static int check_directions(struct checking *c, const struct sc_impairment *impairment, size_t link)
{
	const struct sc_towards *towards = impairment->towards.items;
	const struct sc_aim *aims = impairment->aims.items;
	size_t i;
	int err = 0;

	for (i = 0; i < impairment->towards.count && err == 0; i++)
		err = check_end(c, link, towards[i].line, towards[i].node);
	for (i = 0; i < impairment->aims.count && err == 0; i++)
		err = check_end(c, link, aims[i].line, aims[i].to);
	return err;
}

static int check_flow(struct checking *c, const struct sc_flow *flow)
{
	struct ip_addr addr;
	int err = check_node(c, flow->line, flow->from);

	if (err == 0)
		err = check_node(c, flow->line, flow->to);
	if (err == 0 && ip_addr_parse(flow->address, &addr) < 0)
		err = doc_error(c->doc, flow->line, c->msg, "'%s' is no address", flow->address);
	return err;
}

static int check_faults(struct checking *c, const struct sc_step *step)
{
	const struct sc_fault *faults = step->faults.of.items;
	const struct sc_flow *flows = step->faults.flows.items;
	size_t i, j;
	int err = 0;

	for (i = 0; i < step->faults.of.count && err == 0; i++) {
		if (faults[i].wire && !plan_find_wire(c->plan, faults[i].wire))
			err = no_such_wire(c, faults[i].line, faults[i].wire);
		for (j = 0; j < faults[i].nodes.count && err == 0; j++)
			err = check_node(c, faults[i].line, faults[i].nodes.items[j]);
	}
	for (i = 0; i < step->faults.flows.count && err == 0; i++)
		err = check_flow(c, &flows[i]);
	return err;
}

static int check_prefixes(struct checking *c, const struct item_list *addresses)
{
	const struct sc_address *list = addresses->items;
	struct ip_addr addr;
	unsigned bits;
	size_t i, k;

	for (i = 0; i < addresses->count; i++)
		for (k = 0; k < list[i].prefixes.count; k++)
			if (topology_parse_prefix(list[i].prefixes.items[k], &addr, &bits) < 0)
				return doc_error(c->doc, list[i].prefixes.lines[k], c->msg,
						 "'%s' is no ADDRESS/LENGTH",
						 list[i].prefixes.items[k]);
	return 0;
}

static int check_network(struct checking *c, const struct sc_step *step)
{
	struct topo_route route;
	size_t i;
	int err = check_prefixes(c, &step->remove);

	if (err == 0)
		err = check_prefixes(c, &step->add);
	for (i = 0; i < step->routes.count && err == 0; i++) {
		char *copy = doc_strdup(c->doc, step->routes.items[i]);

		if (!copy)
			return err_set(c->msg, ERR_NOMEM, "out of memory");
		if (!plan_read_route(step->node, copy, &route))
			err = doc_error(c->doc, step->routes.lines[i], c->msg,
					"'%s' is no route: DESTINATION via ADDRESS, or dev "
					"INTERFACE",
					step->routes.items[i]);
	}
	return err;
}

static int check_step(struct checking *c, const struct sc_step *step)
{
	struct ip_addr addr;
	size_t i;
	int err = check_places(c, step);

	for (i = 0; i < step->nodes.count && err == 0; i++) {
		err = check_daemon(c, step, step->nodes.items[i]);
		if (err == 0)
			err = check_names(c, step, step->nodes.items[i]);
	}
	if (err == 0 && drives_daemon(step)) {
		err = check_daemon(c, step, step->node);
		if (err == 0)
			err = check_names(c, step, step->node);
	}
	if (err == 0 && step->address && ip_addr_parse(step->address, &addr) < 0)
		err = doc_error(c->doc, step->line, c->msg, "'%s' is no address", step->address);
	if (err == 0 && step->kind == STEP_NETWORK)
		err = check_network(c, step);
	if (err == 0 && step->kind == STEP_FAULTS)
		err = check_faults(c, step);
	else if (err == 0 && step->wire)
		err = check_wire(c, step->line, step->wire);
	if (err == 0 && step->wire && step->kind != STEP_FAULTS)
		err = check_directions(c, &step->impairment,
				       plan_find_wire(c->plan, step->wire)->link);
	return err;
}

/* --- expectations --- */

static bool is_place(const struct plan *plan, const char *name)
{
	char place[PLAN_NAME_MAX + 3];
	size_t i;

	for (i = 0; i < plan->wires_count; i++) {
		const struct plan_wire *wire = &plan->wires[i];

		if (!wire->impairment.is_set && strcmp(wire->name, name) == 0)
			return true;
		snprintf(place, sizeof(place), "%s-a", wire->name);
		if (wire->impairment.is_set && strcmp(place, name) == 0)
			return true;
		snprintf(place, sizeof(place), "%s-b", wire->name);
		if (wire->impairment.is_set && strcmp(place, name) == 0)
			return true;
	}
	return false;
}

static int check_place(struct checking *c, const struct pair *pair)
{
	char known[320] = "";
	size_t i, len = 0;

	if (is_place(c->plan, pair->value))
		return 0;
	for (i = 0; i < c->plan->wires_count && len < sizeof(known) - 2 * PLAN_NAME_MAX; i++) {
		const struct plan_wire *wire = &c->plan->wires[i];

		len += (size_t)snprintf(known + len, sizeof(known) - len,
					wire->impairment.is_set ? "%s%s-a, %s-b" : "%s%s",
					i ? ", " : "", wire->name, wire->name);
	}
	return doc_error(c->doc, pair->line, c->msg, "no place '%s'; there are: %s", pair->value,
			 known);
}

static int check_expectation(struct checking *c, const struct sc_expectation *e)
{
	size_t i;
	int err = 0;

	for (i = 0; e->occurred && i < e->with.count && err == 0; i++) {
		const struct pair *pair = &e->with.items[i];

		if (strcmp(pair->key, "place") == 0)
			err = check_place(c, pair);
		else if (strcmp(pair->key, "wire") == 0)
			err = check_wire(c, pair->line, pair->value);
	}
	return err;
}

static int check_all(struct checking *c)
{
	const struct scenario *sc = c->plan->scenario;
	const struct sc_expectation *expect = sc->expect.items;
	const struct sc_step *steps = sc->steps.items;
	size_t i;
	int err = 0;

	for (i = 0; i < c->plan->wires_count && err == 0; i++)
		err = check_directions(c, &c->plan->wires[i].impairment, c->plan->wires[i].link);
	for (i = 0; i < c->plan->endpoints_count && err == 0; i++)
		err = config_names_read(c->plan, &c->plan->endpoints[i], &c->names[i], c->msg);
	for (i = 0; i < sc->steps.count && err == 0; i++)
		err = check_step(c, &steps[i]);
	for (i = 0; i < sc->expect.count && err == 0; i++)
		err = check_expectation(c, &expect[i]);
	return err;
}

int plan_check(const struct plan *plan, struct err_msg *msg)
{
	struct checking c = {.plan = plan, .doc = plan->scenario->doc, .msg = msg};
	size_t i;
	int err;

	c.names = calloc(plan->endpoints_count + 1, sizeof(*c.names));
	if (!c.names)
		return err_set(msg, ERR_NOMEM, "out of memory");
	err = check_all(&c);
	for (i = 0; i < plan->endpoints_count; i++)
		config_names_free(&c.names[i]);
	free(c.names);
	return err;
}
