/* plan_nodes.c - nodes: names, addresses, bridges, routes, sysctls, and rules for nftables. What
 * the base has of the same node is added to. */
#include "harness/plan_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX 65536

static int add_node_name(struct plan_making *m, const struct sc_node *node)
{
	struct topology *topo = &m->plan->topology;
	const char **name;

	if (topology_node(topo, node->name) >= 0)
		return 0;
	name = (const char **)APPEND(m, topo, nodes);
	if (!name)
		return plan_no_memory(m);
	*name = node->name;
	return 0;
}

static int add_addresses(struct plan_making *m, const struct sc_node *node)
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
				return plan_no_memory(m);
			if (topology_parse_prefix(prefix, &addr, &bits) < 0)
				return doc_error(m->doc, list[i].prefixes.lines[j], m->msg,
						 "'%s' is no address with a prefix length", prefix);
			*address = (struct topo_address){node->name, list[i].ifname, prefix};
		}
	}
	return 0;
}

static int add_bridges(struct plan_making *m, const struct sc_node *node)
{
	const struct sc_bridge *list = node->bridges.items;
	size_t i, j;

	for (i = 0; i < node->bridges.count; i++) {
		struct topo_bridge *bridge = APPEND(m, &m->plan->topology, bridges);

		if (!bridge)
			return plan_no_memory(m);
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

static int parse_route(struct plan_making *m, const char *node, unsigned line, const char *text,
		       struct topo_route *route)
{
	char *copy = doc_strdup(m->doc, text);

	if (!copy)
		return plan_no_memory(m);
	if (!plan_read_route(node, copy, route))
		return doc_error(m->doc, line, m->msg,
				 "%s: '%s' is no route: DESTINATION via ADDRESS, or dev INTERFACE",
				 node, text);
	return 0;
}

static int add_routes(struct plan_making *m, const struct sc_node *node)
{
	size_t i;
	int err = 0;

	for (i = 0; i < node->routes.count && err == 0; i++) {
		struct topo_route *route = APPEND(m, &m->plan->topology, routes);

		err = route ? parse_route(m, node->name, node->routes.lines[i],
					  node->routes.items[i], route)
			    : plan_no_memory(m);
	}
	return err;
}

int plan_add_sysctl(struct plan_making *m, const char *node, const char *key, const char *value)
{
	struct topo_sysctl *sysctl = APPEND(m, &m->plan->topology, sysctls);

	if (!sysctl)
		return plan_no_memory(m);
	*sysctl = (struct topo_sysctl){node, key, value};
	return 0;
}

static int add_sysctls(struct plan_making *m, const struct sc_node *node)
{
	size_t i;
	int err = 0;

	for (i = 0; i < node->sysctls.count && err == 0; i++)
		err = plan_add_sysctl(m, node->name, node->sysctls.items[i].key,
				      node->sysctls.items[i].value);
	return err;
}

/* --- rules --- */

/* A file beside the scenario. */
int plan_read_file(struct plan_making *m, unsigned line, const char *name, char **ret_text)
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
		return plan_no_memory(m);
	if (len > FILE_MAX)
		return doc_error(m->doc, line, m->msg, "%s: larger than %d octets", path, FILE_MAX);
	return 0;
}

int plan_add_rules(struct plan_making *m, const char *node, const char *text, const char *file,
		   unsigned line)
{
	struct topo_rules *rules = APPEND(m, &m->plan->topology, rules);

	if (!rules)
		return plan_no_memory(m);
	*rules = (struct topo_rules){node, text, file, line};
	return 0;
}

static int add_nftables(struct plan_making *m, const struct sc_node *node)
{
	char *text;
	int err = 0;

	/* The file first, so that a scenario can add to it. */
	if (node->nftables_file) {
		err = plan_read_file(m, node->line, node->nftables_file, &text);
		if (err == 0)
			err = plan_add_rules(m, node->name, text, node->nftables_file, 1);
	}
	if (err == 0 && node->nftables.text)
		err = plan_add_rules(m, node->name, node->nftables.text, m->sc->path,
				     node->nftables.line + 1);
	return err;
}

static int add_node(struct plan_making *m, const struct sc_node *node)
{
	static int (*const parts[])(struct plan_making *, const struct sc_node *) = {
	    add_node_name, add_addresses, add_bridges, add_routes,
	    add_sysctls,   plan_add_nat,  add_nftables};
	size_t i;
	int err = 0;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]) && err == 0; i++)
		err = parts[i](m, node);
	return err;
}

int plan_add_nodes(struct plan_making *m)
{
	const struct sc_node *nodes = m->sc->topology.nodes.items;
	size_t i;
	int err = 0;

	for (i = 0; i < m->sc->topology.nodes.count && err == 0; i++)
		err = add_node(m, &nodes[i]);
	return err;
}
