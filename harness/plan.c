/* plan.c - merges the scenario's network with its base, checks all names, reads the files that are
 * named.
 *
 * The tables of a struct topology are built by appending: first the base's, without what the
 * scenario leaves out, then the scenario's own. All memory is the document's, so nothing is freed
 * here. topology_check has the last word on the whole; what can be said with the line of its cause
 * is said before. */
#include "harness/plan.h"
#include "harness/plan_check.h"
#include "harness/plan_network.h"
#include "netns/seed_topology.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX 65536

struct make {
	const struct scenario *sc;
	struct doc *doc;
	struct plan *plan;
	struct err_msg *msg;
};

static int no_memory(struct make *m)
{
	return err_set(m->msg, ERR_NOMEM, "out of memory");
}

/* Room for one more at the end of a table: tables are copied as they grow, which is cheap at the
 * size of a scenario. */
static void *append(struct make *m, const void **table, size_t *count, size_t size)
{
	char *copy = doc_alloc(m->doc, size * (*count + 1));

	if (!copy)
		return NULL;
	if (*count)
		memcpy(copy, *table, size * *count);
	*table = copy;
	return copy + size * (*count)++;
}

#define APPEND(m, topo, name)                                                  \
	append(m, (const void **)(void *)&(topo)->name, &(topo)->name##_count, \
	       sizeof(*(topo)->name))

/* --- the base --- */

static bool is_listed(const struct text_list *list, const char *text)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (strcmp(list->items[i], text) == 0)
			return true;
	return false;
}

static int copy_base(struct make *m, const struct topology *base)
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
			return no_memory(m);
		*route = base->routes[i];
	}
	for (i = 0; i < base->rules_count; i++) {
		struct topo_rules *rules;

		if (is_listed(&sc->without_nat, base->rules[i].node))
			continue;
		rules = APPEND(m, topo, rules);
		if (!rules)
			return no_memory(m);
		*rules = base->rules[i];
	}
	return 0;
}

/* --- nodes --- */

static int add_node_name(struct make *m, const struct sc_node *node)
{
	struct topology *topo = &m->plan->topology;
	const char **name;

	if (topology_node(topo, node->name) >= 0)
		return 0;
	name = (const char **)APPEND(m, topo, nodes);
	if (!name)
		return no_memory(m);
	*name = node->name;
	return 0;
}

static int add_addresses(struct make *m, const struct sc_node *node)
{
	const struct sc_address *list = node->addresses.items;
	struct ip_addr addr;
	size_t i, j;
	unsigned bits;

	for (i = 0; i < node->addresses.count; i++) {
		for (j = 0; j < list[i].prefixes.count; j++) {
			const char *prefix = list[i].prefixes.items[j];
			struct topo_address *address = APPEND(m, &m->plan->topology, addresses);

			if (!address)
				return no_memory(m);
			if (topology_parse_prefix(prefix, &addr, &bits) < 0)
				return doc_error(m->doc, list[i].prefixes.lines[j], m->msg,
						 "'%s' is no address with a prefix length", prefix);
			*address = (struct topo_address){node->name, list[i].ifname, prefix};
		}
	}
	return 0;
}

static int add_bridges(struct make *m, const struct sc_node *node)
{
	const struct sc_bridge *list = node->bridges.items;
	size_t i, j;

	for (i = 0; i < node->bridges.count; i++) {
		struct topo_bridge *bridge = APPEND(m, &m->plan->topology, bridges);

		if (!bridge)
			return no_memory(m);
		*bridge = (struct topo_bridge){.node = node->name, .ifname = list[i].ifname};
		if (list[i].ports.count > sizeof(bridge->ports) / sizeof(bridge->ports[0]))
			return doc_error(m->doc, list[i].line, m->msg, "more than %zu ports",
					 sizeof(bridge->ports) / sizeof(bridge->ports[0]));
		for (j = 0; j < list[i].ports.count; j++)
			bridge->ports[j] = list[i].ports.items[j];
	}
	return 0;
}

bool plan_read_route(const char *node, char *text, struct topo_route *ret_route)
{
	struct topo_route route = {.node = node, .dst = strsep(&text, " ")};
	struct ip_addr dst, via;
	unsigned bits;
	char *word;

	while ((word = strsep(&text, " "))) {
		if (strcmp(word, "via") == 0)
			route.via = strsep(&text, " ");
		else if (strcmp(word, "dev") == 0)
			route.ifname = strsep(&text, " ");
		else
			return false;
	}
	if ((!route.via && !route.ifname) || topology_parse_route(&route, &dst, &bits, &via) < 0)
		return false;
	*ret_route = route;
	return true;
}

static int parse_route(struct make *m, const char *node, unsigned line, const char *text,
		       struct topo_route *route)
{
	char *copy = doc_strdup(m->doc, text);

	if (!copy)
		return no_memory(m);
	if (!plan_read_route(node, copy, route))
		return doc_error(m->doc, line, m->msg,
				 "%s: '%s' is no route: DESTINATION via ADDRESS, or dev INTERFACE",
				 node, text);
	return 0;
}

static int add_routes(struct make *m, const struct sc_node *node)
{
	size_t i;
	int err = 0;

	for (i = 0; i < node->routes.count && err == 0; i++) {
		struct topo_route *route = APPEND(m, &m->plan->topology, routes);

		err = route ? parse_route(m, node->name, node->routes.lines[i],
					  node->routes.items[i], route)
			    : no_memory(m);
	}
	return err;
}

static int add_sysctl(struct make *m, const char *node, const char *key, const char *value)
{
	struct topo_sysctl *sysctl = APPEND(m, &m->plan->topology, sysctls);

	if (!sysctl)
		return no_memory(m);
	*sysctl = (struct topo_sysctl){node, key, value};
	return 0;
}

static int add_sysctls(struct make *m, const struct sc_node *node)
{
	size_t i;
	int err = 0;

	for (i = 0; i < node->sysctls.count && err == 0; i++)
		err = add_sysctl(m, node->name, node->sysctls.items[i].key,
				 node->sysctls.items[i].value);
	return err;
}

/* --- rules --- */

/* A file beside the scenario. */
static int read_file(struct make *m, unsigned line, const char *name, char **ret_text)
{
	const char *slash = strrchr(m->sc->path, '/');
	int dir_len = slash && name[0] != '/' ? (int)(slash + 1 - m->sc->path) : 0;
	char path[4096];
	struct stat info;
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "%.*s%s", dir_len, m->sc->path, name);
	/* A pipe would be waited for. */
	if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
		return doc_error(m->doc, line, m->msg, "%s: not a file", path);
	file = fopen(path, "re");
	if (!file)
		return doc_error(m->doc, line, m->msg, "%s: %s", path, strerror(errno));
	*ret_text = doc_alloc(m->doc, FILE_MAX + 1);
	len = *ret_text ? fread(*ret_text, 1, FILE_MAX + 1, file) : 0;
	fclose(file);
	if (!*ret_text)
		return no_memory(m);
	if (len > FILE_MAX)
		return doc_error(m->doc, line, m->msg, "%s: larger than %d octets", path, FILE_MAX);
	return 0;
}

static int add_rules(struct make *m, const char *node, const char *text, const char *file,
		     unsigned line)
{
	struct topo_rules *rules = APPEND(m, &m->plan->topology, rules);

	if (!rules)
		return no_memory(m);
	*rules = (struct topo_rules){node, text, file, line};
	return 0;
}

static const char nat_format[] =
    "table ip nat {\n"
    "	chain postrouting {\n"
    "		type nat hook postrouting priority srcnat; policy accept;\n"
    "		ip saddr %s oifname \"%s\" masquerade%s\n"
    "	}\n"
    "}\n"
    "table ip filter {\n"
    "	chain input {\n"
    "		type filter hook input priority filter; policy accept;\n"
    "		ct state established,related accept\n"
    "		iifname \"%s\" ip protocol != icmp drop\n"
    "	}\n"
    "	chain forward {\n"
    "		type filter hook forward priority filter; policy accept;\n"
    "		ct state established,related accept\n"
    "		iifname \"%s\" drop\n"
    "	}\n"
    "}\n";

static int add_nat_timeout(struct make *m, const struct sc_node *node)
{
	char *seconds = doc_alloc(m->doc, 16);
	int err;

	if (!seconds)
		return no_memory(m);
	snprintf(seconds, 16, "%u", (node->nat.udp_ms + 999) / 1000);
	err = add_sysctl(m, node->name, "net.netfilter.nf_conntrack_udp_timeout", seconds);
	return err < 0 ? err
		       : add_sysctl(m, node->name, "net.netfilter.nf_conntrack_udp_timeout_stream",
				    seconds);
}

static int add_nat(struct make *m, const struct sc_node *node)
{
	const struct sc_nat *nat = &node->nat;
	size_t cap = sizeof(nat_format) + 256;
	char *text;
	int err;

	if (!nat->inside)
		return 0;
	text = doc_alloc(m->doc, cap);
	if (!text)
		return no_memory(m);
	snprintf(text, cap, nat_format, nat->inside, nat->outside,
		 nat->ports == NAT_PORTS_RANDOM ? " fully-random" : "", nat->outside, nat->outside);
	err = add_rules(m, node->name, text, NULL, 0);
	return err < 0 || !nat->udp_ms ? err : add_nat_timeout(m, node);
}

static int add_nftables(struct make *m, const struct sc_node *node)
{
	char *text;
	int err = 0;

	/* The file first, so that a scenario can add to it. */
	if (node->nftables_file) {
		err = read_file(m, node->line, node->nftables_file, &text);
		if (err == 0)
			err = add_rules(m, node->name, text, node->nftables_file, 1);
	}
	if (err == 0 && node->nftables.text)
		err = add_rules(m, node->name, node->nftables.text, m->sc->path,
				node->nftables.line + 1);
	return err;
}

static int add_node(struct make *m, const struct sc_node *node)
{
	static int (*const parts[])(struct make *, const struct sc_node *) = {
	    add_node_name, add_addresses, add_bridges, add_routes,
	    add_sysctls,   add_nat,	  add_nftables};
	size_t i;
	int err = 0;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]) && err == 0; i++)
		err = parts[i](m, node);
	return err;
}

static int add_nodes(struct make *m)
{
	const struct sc_node *nodes = m->sc->topology.nodes.items;
	size_t i;
	int err = 0;

	for (i = 0; i < m->sc->topology.nodes.count && err == 0; i++)
		err = add_node(m, &nodes[i]);
	return err;
}

/* --- links and wires --- */

static int parse_end(struct make *m, const struct sc_link *link, const char *text,
		     struct topo_end *ret_end)
{
	const char *colon = strchr(text, ':');
	char *node = doc_strdup(m->doc, text);

	if (!node)
		return no_memory(m);
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

static const struct sc_link *settings_of(struct make *m, const struct topo_link *link)
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

static int add_link(struct make *m, const struct sc_link *sc)
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
		return no_memory(m);
	*link = (struct topo_link){.a = a, .b = b};
	return 0;
}

/* The wires of the base that carry no tunnel: the lab's own. */
static int default_place(const struct make *m, const struct topo_link *link)
{
	if (m->sc->topology.base != BASE_SEED)
		return WIRE_AUTO;
	if (strcmp(link->b.node, "inet") == 0 || strcmp(link->a.node, "inet") == 0)
		return WIRE_OUTER;
	return strncmp(link->a.ifname, "lan", 3) == 0 ? WIRE_INSIDE : WIRE_AUTO;
}

static int add_wire(struct make *m, size_t index, struct topo_link *link)
{
	const struct sc_link *sc = settings_of(m, link);
	struct plan_wire *wire;

	wire =
	    append(m, (const void **)(void *)&m->plan->wires, &m->plan->wires_count, sizeof(*wire));
	if (!wire)
		return no_memory(m);
	*wire = (struct plan_wire){.link = index, .place = default_place(m, link)};
	snprintf(wire->name, sizeof(wire->name), "%s-%s", link->a.node, link->b.node);
	if (plan_find_wire(m->plan, wire->name) != wire)
		snprintf(wire->name, sizeof(wire->name), "%s.%s-%s.%s", link->a.node,
			 link->a.ifname, link->b.node, link->b.ifname);
	if (!sc)
		return 0;
	if (sc->place != WIRE_AUTO)
		wire->place = sc->place;
	if (sc->mtu)
		link->mtu = sc->mtu;
	wire->impairment = sc->wire;
	wire->impairment.is_set = sc->wire.line != 0;
	link->impaired = wire->impairment.is_set;
	return 0;
}

static int add_links(struct make *m)
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
		return no_memory(m);
	for (i = 0; i < topo->links_count; i++)
		links[i] = topo->links[i];
	for (i = 0; i < topo->links_count && err == 0; i++)
		err = add_wire(m, i, &links[i]);
	topo->links = links;
	return err;
}

/* --- endpoints --- */

static char *replace(struct make *m, const char *text, const char *word, const char *with)
{
	size_t count = 0, word_len = strlen(word), with_len = strlen(with);
	const char *at, *rest;
	char *copy, *out;

	for (at = text; word_len && (at = strstr(at, word)); at += word_len)
		count++;
	copy = out = doc_alloc(m->doc, strlen(text) + count * with_len + 1);
	if (!copy)
		return NULL;
	for (rest = text; count--; rest = at + word_len) {
		at = strstr(rest, word);
		memcpy(out, rest, (size_t)(at - rest));
		memcpy(out + (at - rest), with, with_len);
		out += (size_t)(at - rest) + with_len;
	}
	strcpy(out, rest);
	return copy;
}

static int read_config(struct make *m, const struct sc_endpoint *sc, const char **ret_config)
{
	const char *text = sc->config;
	char *copy;
	size_t i;
	int err;

	if (!text) {
		err = read_file(m, sc->line, sc->config_file, &copy);
		if (err < 0)
			return err;
		text = copy;
	}
	for (i = 0; i < sc->substitute.count; i++) {
		const struct pair *pair = &sc->substitute.items[i];

		if (!strstr(text, pair->key))
			return doc_error(m->doc, pair->line, m->msg,
					 "the configuration has no '%s' to substitute", pair->key);
		text = replace(m, text, pair->key, pair->value);
		if (!text)
			return no_memory(m);
	}
	*ret_config = text;
	return 0;
}

static const char *chosen_peer(const struct plan_options *options, const struct sc_endpoint *sc)
{
	const char *peer = sc->peer ? sc->peer : "beetd";
	size_t i;

	for (i = 0; i < options->peers_count; i++)
		if (strcmp(options->peers[i].node, sc->node) == 0)
			peer = options->peers[i].peer;
	return peer;
}

bool plan_is_daemon(const char *name)
{
	return strcmp(name, "beetd") == 0 || strcmp(name, "strongswan") == 0;
}

static int add_endpoint(struct make *m, const struct plan_options *options,
			const struct sc_endpoint *sc)
{
	struct plan_endpoint *endpoint;

	endpoint = append(m, (const void **)(void *)&m->plan->endpoints, &m->plan->endpoints_count,
			  sizeof(*endpoint));
	if (!endpoint)
		return no_memory(m);
	*endpoint = (struct plan_endpoint){.sc = sc, .peer = chosen_peer(options, sc)};
	if (topology_node(&m->plan->topology, sc->node) < 0)
		return doc_error(m->doc, sc->line, m->msg, "no node '%s'", sc->node);
	if (!plan_is_daemon(endpoint->peer))
		return doc_error(m->doc, sc->line, m->msg, "'%s' is no daemon: beetd, strongswan",
				 endpoint->peer);
	return read_config(m, sc, &endpoint->config);
}

static int check_peers(struct make *m, const struct plan_options *options)
{
	size_t i;

	for (i = 0; i < options->peers_count; i++)
		if (!plan_find_endpoint(m->plan, options->peers[i].node))
			return err_set(m->msg, ERR_SYNTAX, "--peer: %s has no endpoint at '%s'",
				       m->sc->name, options->peers[i].node);
	return 0;
}

static int add_endpoints(struct make *m, const struct plan_options *options)
{
	const struct sc_endpoint *list = m->sc->endpoints.items;
	size_t i;
	int err = 0;

	for (i = 0; i < m->sc->endpoints.count && err == 0; i++)
		err = add_endpoint(m, options, &list[i]);
	return err < 0 ? err : check_peers(m, options);
}

static int check_topology(struct make *m)
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
	struct make m = {.sc = scenario, .doc = scenario->doc, .plan = &plan, .msg = msg};
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
		err = add_nodes(&m);
	if (err == 0)
		err = add_links(&m);
	if (err == 0)
		err = plan_check_network(&plan, msg);
	if (err == 0)
		err = check_topology(&m);
	if (err == 0)
		err = add_endpoints(&m, options);
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

bool plan_needs_sim(const struct plan *plan)
{
	const struct sc_step *steps = plan->scenario->steps.items;
	const struct sc_node *nodes = plan->scenario->topology.nodes.items;
	size_t i;

	for (i = 0; i < plan->scenario->steps.count; i++)
		if (steps[i].kind == STEP_FAULTS)
			return true;
	for (i = 0; i < plan->scenario->topology.nodes.count; i++)
		if (nodes[i].nat.mapping || nodes[i].nat.filtering || nodes[i].nat.hairpin)
			return true;
	return false;
}
