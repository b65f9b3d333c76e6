/* topology.c - reads and checks an emulated network's description; touches nothing.
 *
 * A mistake in a description is best found before any of it is built: names that point nowhere, an
 * interface that stands twice, text that is no prefix. What only the kernel can know (a sysctl that
 * does not exist, rules that nft refuses) is found by net_build.
 *
 * Ownership: nothing is kept and nothing is allocated. */
#include "netns/topology.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

int topology_node(const struct topology *topo, const char *name)
{
	size_t i;

	for (i = 0; name && i < topo->nodes_count; i++)
		if (strcmp(topo->nodes[i], name) == 0)
			return (int)i;
	return -1;
}

int topology_parse_prefix(const char *text, struct ip_addr *ret_addr, unsigned *ret_bits)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	char addr_text[IP_ADDR_STRLEN];
	struct ip_addr addr;
	unsigned long bits;
	char *end;

	if (len >= sizeof(addr_text))
		return ERR_SYNTAX;
	memcpy(addr_text, text, len);
	addr_text[len] = 0;
	if (ip_addr_parse(addr_text, &addr) < 0)
		return ERR_SYNTAX;
	bits = ip_addr_bits(&addr);
	if (slash) {
		unsigned long given = strtoul(slash + 1, &end, 10);

		if (!isdigit((unsigned char)slash[1]) || *end || given > bits)
			return ERR_SYNTAX;
		bits = given;
	}
	*ret_addr = addr;
	*ret_bits = (unsigned)bits;
	return 0;
}

int topology_parse_route(const struct topo_route *route, struct ip_addr *ret_dst,
			 unsigned *ret_bits, struct ip_addr *ret_via)
{
	struct ip_addr via = {0}, dst = {0};
	unsigned bits = 0;

	if (!route->dst || (!route->via && !route->ifname))
		return ERR_SYNTAX;
	if (route->via && ip_addr_parse(route->via, &via) < 0)
		return ERR_SYNTAX;
	if (strcmp(route->dst, "default") == 0) {
		if (!route->via)
			return ERR_SYNTAX;
		dst.family = via.family;
	} else if (topology_parse_prefix(route->dst, &dst, &bits) < 0) {
		return ERR_SYNTAX;
	}
	if (route->via && dst.family != via.family)
		return ERR_SYNTAX;
	*ret_dst = dst;
	*ret_bits = bits;
	*ret_via = via;
	return 0;
}

bool topology_is_name(const char *name, size_t max)
{
	const char *p;

	if (!name || !*name || strlen(name) > max)
		return false;
	for (p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-_.", *p))
			return false;
	return strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* How many links and bridges give the node an interface of that name. */
static unsigned count_interface(const struct topology *topo, const char *node, const char *ifname)
{
	unsigned count = strcmp(ifname, "lo") == 0;
	size_t i;

	for (i = 0; i < topo->links_count; i++) {
		const struct topo_link *link = &topo->links[i];

		count += !strcmp(link->a.node, node) && !strcmp(link->a.ifname, ifname);
		count += !strcmp(link->b.node, node) && !strcmp(link->b.ifname, ifname);
	}
	for (i = 0; i < topo->bridges_count; i++)
		count += !strcmp(topo->bridges[i].node, node) &&
			 !strcmp(topo->bridges[i].ifname, ifname);
	return count;
}

static int check_node(const struct topology *topo, const char *what, const char *node,
		      struct err_msg *msg)
{
	if (topology_node(topo, node) < 0)
		return err_set(msg, ERR_INVALID, "%s: no node named %s", what,
			       node ? node : "(none)");
	return 0;
}

static int check_nodes(const struct topology *topo, struct err_msg *msg)
{
	size_t i;

	for (i = 0; i < topo->nodes_count; i++) {
		if (!topology_is_name(topo->nodes[i], TOPO_NODE_NAME_MAX))
			return err_set(msg, ERR_INVALID, "node %zu: not a usable name", i);
		if (topology_node(topo, topo->nodes[i]) != (int)i)
			return err_set(msg, ERR_INVALID, "node %s stands twice", topo->nodes[i]);
	}
	return 0;
}

/* The node and the name only; that it is the only one needs all names to be there. */
static int check_end(const struct topology *topo, const char *what, const char *node,
		     const char *ifname, struct err_msg *msg)
{
	int err = check_node(topo, what, node, msg);

	if (err == 0 && !topology_is_name(ifname, TOPO_IFNAME_MAX))
		err = err_set(msg, ERR_INVALID, "%s in %s: not an interface name", what, node);
	return err;
}

static int check_interface(const struct topology *topo, const char *what, const char *node,
			   const char *ifname, struct err_msg *msg)
{
	unsigned count;

	if (check_end(topo, what, node, ifname, msg) < 0)
		return ERR_INVALID;
	count = count_interface(topo, node, ifname);
	if (count == 1)
		return 0;
	return err_set(msg, ERR_INVALID, "%s: %s has %s interface %s", what, node,
		       count ? "more than one" : "no", ifname);
}

static int check_links(const struct topology *topo, struct err_msg *msg)
{
	size_t i, k;
	int err = 0;

	for (i = 0; i < topo->links_count && err == 0; i++) {
		const struct topo_link *link = &topo->links[i];

		err = check_end(topo, "link", link->a.node, link->a.ifname, msg);
		if (err == 0)
			err = check_end(topo, "link", link->b.node, link->b.ifname, msg);
	}
	for (i = 0; i < topo->bridges_count && err == 0; i++)
		err =
		    check_end(topo, "bridge", topo->bridges[i].node, topo->bridges[i].ifname, msg);
	for (i = 0; i < topo->links_count && err == 0; i++) {
		const struct topo_link *link = &topo->links[i];

		err = check_interface(topo, "link", link->a.node, link->a.ifname, msg);
		if (err == 0)
			err = check_interface(topo, "link", link->b.node, link->b.ifname, msg);
	}
	for (i = 0; i < topo->bridges_count && err == 0; i++) {
		const struct topo_bridge *bridge = &topo->bridges[i];

		for (k = 0; k < sizeof(bridge->ports) / sizeof(bridge->ports[0]) && err == 0; k++)
			if (bridge->ports[k])
				err = check_interface(topo, "bridge", bridge->node,
						      bridge->ports[k], msg);
	}
	return err;
}

static int check_addresses(const struct topology *topo, struct err_msg *msg)
{
	struct ip_addr addr;
	unsigned bits;
	size_t i;

	for (i = 0; i < topo->addresses_count; i++) {
		const struct topo_address *a = &topo->addresses[i];

		if (check_interface(topo, "address", a->node, a->ifname, msg) < 0)
			return ERR_INVALID;
		if (!a->prefix || topology_parse_prefix(a->prefix, &addr, &bits) < 0)
			return err_set(msg, ERR_INVALID, "address of %s %s: not a prefix", a->node,
				       a->ifname);
	}
	return 0;
}

static int check_routes(const struct topology *topo, struct err_msg *msg)
{
	struct ip_addr dst, via;
	unsigned bits;
	size_t i;

	for (i = 0; i < topo->routes_count; i++) {
		const struct topo_route *r = &topo->routes[i];

		if (check_node(topo, "route", r->node, msg) < 0)
			return ERR_INVALID;
		if (r->ifname && check_interface(topo, "route", r->node, r->ifname, msg) < 0)
			return ERR_INVALID;
		if (topology_parse_route(r, &dst, &bits, &via) < 0)
			return err_set(msg, ERR_INVALID, "route %zu of %s: not a route", i,
				       r->node);
	}
	return 0;
}

int topology_check(const struct topology *topo, struct err_msg *msg)
{
	int err = check_nodes(topo, msg);
	size_t i;

	for (i = 0; i < topo->sysctls_count && err == 0; i++)
		err = check_node(topo, "sysctl", topo->sysctls[i].node, msg);
	for (i = 0; i < topo->rules_count && err == 0; i++)
		err = check_node(topo, "rules", topo->rules[i].node, msg);
	if (err == 0)
		err = check_links(topo, msg);
	if (err == 0)
		err = check_addresses(topo, msg);
	return err < 0 ? err : check_routes(topo, msg);
}
