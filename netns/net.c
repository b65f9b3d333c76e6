/* net.c - builds an emulated network from its description, in the order that the kernel needs.
 *
 * Namespaces, then sysctls (a default such as accept_dad is inherited by interfaces made later),
 * links, bridges, addresses, everything up, routes, rules. Each namespace gets its loopback, no
 * duplicate address detection and no router solicitations: an emulated wire carries what the test
 * sends, and an IPv6 address is usable at once.
 *
 * Invariant: whatever exists stands in the registry; so build has one cure for every failure, which
 * is also the normal end: undo the run by its registry (registry.h), then stop the guard.
 *
 * Ownership: struct net owns the descriptors and netlink sockets of its nodes, the registry file
 * and the guard. The topology is used during net_build only, but for the node names, which are
 * copied. */
#include "netns/net.h"
#include "netns/guard.h"
#include "netns/netlink.h"
#include "netns/ns.h"
#include "netns/process.h"
#include "netns/registry.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NFT_TIMEOUT_MS 20000

struct node {
	char name[TOPO_NODE_NAME_MAX + 1];
	int fd;
	struct nl_sock *netlink;
};

struct net {
	struct registry registry;
	char dir[sizeof("/tmp/") + REGISTRY_RUN_LEN];
	pid_t guard; /* 0: not started */
	struct node *nodes;
	size_t nodes_count;
};

static struct node *find_node(const struct net *net, const char *name)
{
	size_t i;

	for (i = 0; i < net->nodes_count; i++)
		if (strcmp(net->nodes[i].name, name) == 0)
			return &net->nodes[i];
	return NULL;
}

const char *net_run(const struct net *net)
{
	return net->registry.run;
}

const char *net_dir(const struct net *net)
{
	return net->dir;
}

int net_node_fd(const struct net *net, const char *node)
{
	const struct node *found = find_node(net, node);

	return found ? found->fd : -1;
}

struct nl_sock *net_node_netlink(const struct net *net, const char *node)
{
	const struct node *found = find_node(net, node);

	return found ? found->netlink : NULL;
}

int net_note_process(struct net *net, pid_t pid)
{
	return registry_add_process(&net->registry, pid);
}

int net_sysctl(const struct net *net, const char *node, const char *key, const char *value)
{
	const struct node *found = find_node(net, node);
	int back, err;

	if (!found)
		return ERR_NOT_FOUND;
	err = ns_enter(found->fd, &back);
	if (err < 0)
		return err;
	err = ns_sysctl(key, value);
	ns_leave(back);
	return err;
}

static int child_status(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int net_call(struct net *net, const char *node, int (*fn)(void *arg), void *arg, int *ret_status,
	     struct err_msg *msg)
{
	const struct node *found = find_node(net, node);
	int status, back;
	pid_t pid;

	if (!found)
		return err_set(msg, ERR_NOT_FOUND, "no node named %s", node);
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return err_set(msg, ERR_IO, "fork: %s", strerror(errno));
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (ns_enter(found->fd, &back) < 0)
			_exit(127);
		status = fn(arg);
		fflush(stdout); /* not all: what a capture of the parent has buffered is the
				   parent's */
		_exit(status & 127);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(msg, ERR_IO, "waitpid: %s", strerror(errno));
	*ret_status = child_status(status);
	return 0;
}

/* What every namespace gets before it has interfaces. */
static int prepare_node(struct net *net, struct node *node, struct err_msg *msg)
{
	static const char *const quiet[][2] = {
	    {"net.ipv6.conf.all.accept_dad", "0"},
	    {"net.ipv6.conf.default.accept_dad", "0"},
	    {"net.ipv6.conf.default.dad_transmits", "0"},
	    {"net.ipv6.conf.default.router_solicitations", "0"},
	    {"net.ipv6.conf.default.accept_ra", "0"},
	};
	size_t i;

	for (i = 0; i < sizeof(quiet) / sizeof(quiet[0]); i++)
		if (net_sysctl(net, node->name, quiet[i][0], quiet[i][1]) < 0)
			return err_set(msg, ERR_IO, "%s: sysctl %s cannot be set", node->name,
				       quiet[i][0]);
	return netlink_set_up(node->netlink, "lo", true, msg);
}

static int add_node(struct net *net, const char *name, struct err_msg *msg)
{
	struct node *node = &net->nodes[net->nodes_count];
	char netns[REGISTRY_RUN_LEN + 1 + TOPO_NODE_NAME_MAX + 1];
	int err;

	snprintf(node->name, sizeof(node->name), "%s", name);
	snprintf(netns, sizeof(netns), "%s-%s", net->registry.run, node->name);
	if (registry_add_netns(&net->registry, netns) < 0)
		return err_set(msg, ERR_IO, "registry of %s: not writable", net->registry.run);
	err = ns_create(netns);
	if (err == 0)
		err = ns_open(netns, &node->fd);
	if (err < 0)
		return err_set(msg, err, "namespace %s: %s", netns, err_text(err));
	net->nodes_count++;
	err = netlink_open(node->fd, &node->netlink, msg);
	return err < 0 ? err : prepare_node(net, node, msg);
}

static int set_sysctls(struct net *net, const struct topology *topo, struct err_msg *msg)
{
	size_t i;

	for (i = 0; i < topo->sysctls_count; i++) {
		const struct topo_sysctl *s = &topo->sysctls[i];
		int err = net_sysctl(net, s->node, s->key, s->value);

		if (err < 0)
			return err_set(msg, err, "%s: sysctl %s = %s: %s", s->node, s->key,
				       s->value, err_text(err));
	}
	return 0;
}

static int offloads_off(const struct node *node, const char *ifname, struct err_msg *msg)
{
	int back, err = ns_enter(node->fd, &back);

	if (err < 0)
		return err_set(msg, err, "%s: cannot enter the namespace", node->name);
	err = netlink_offloads_off(ifname, msg);
	ns_leave(back);
	return err;
}

static int add_tap(const struct node *node, const char *ifname, unsigned mtu, struct err_msg *msg)
{
	int back, err = ns_enter(node->fd, &back);

	if (err < 0)
		return err_set(msg, err, "%s: cannot enter the namespace", node->name);
	err = netlink_add_tap(node->netlink, ifname, mtu, msg);
	ns_leave(back);
	return err;
}

static int add_taps(struct net *net, const struct topo_link *link, struct err_msg *msg)
{
	unsigned mtu = link->mtu ? link->mtu : 1500;
	int err = add_tap(find_node(net, link->a.node), link->a.ifname, mtu, msg);

	return err < 0 ? err : add_tap(find_node(net, link->b.node), link->b.ifname, mtu, msg);
}

static int add_cable(struct net *net, const struct topo_link *link, struct err_msg *msg)
{
	const struct node *a = find_node(net, link->a.node);
	const struct node *b = find_node(net, link->b.node);
	int err = netlink_add_veth(a->netlink, link->a.ifname, b->fd, link->b.ifname,
				   link->mtu ? link->mtu : 1500, msg);

	if (err == 0 && !link->offloads)
		err = offloads_off(a, link->a.ifname, msg);
	if (err == 0 && !link->offloads)
		err = offloads_off(b, link->b.ifname, msg);
	return err;
}

static int add_link(struct net *net, const struct topo_link *link, struct err_msg *msg)
{
	return link->impaired ? add_taps(net, link, msg) : add_cable(net, link, msg);
}

static int add_bridge(struct net *net, const struct topo_bridge *bridge, struct err_msg *msg)
{
	struct nl_sock *sock = net_node_netlink(net, bridge->node);
	int err = netlink_add_bridge(sock, bridge->ifname, msg);
	size_t i;

	for (i = 0; i < sizeof(bridge->ports) / sizeof(bridge->ports[0]) && err == 0; i++)
		if (bridge->ports[i])
			err = netlink_add_port(sock, bridge->ifname, bridge->ports[i], msg);
	return err;
}

int net_add_address(struct net *net, const char *node, const char *ifname, const char *prefix,
		    struct err_msg *msg)
{
	struct nl_sock *sock = net_node_netlink(net, node);
	struct ip_addr addr;
	unsigned bits;

	if (!sock || topology_parse_prefix(prefix, &addr, &bits) < 0)
		return err_set(msg, ERR_INVALID, "address %s of %s: no such node, or no prefix",
			       prefix, node);
	return netlink_add_address(sock, ifname, &addr, bits, msg);
}

int net_add_route(struct net *net, const char *node, const char *dst, const char *via,
		  const char *ifname, struct err_msg *msg)
{
	const struct topo_route route = {.node = node, .dst = dst, .via = via, .ifname = ifname};
	struct nl_sock *sock = net_node_netlink(net, node);
	struct err_msg why = {{0}};
	struct ip_addr to, gateway;
	unsigned bits;
	int err;

	if (!sock || topology_parse_route(&route, &to, &bits, &gateway) < 0)
		return err_set(msg, ERR_INVALID, "route to %s of %s: no such node, or no route",
			       dst, node);
	err = netlink_add_route(sock, &to, bits, &gateway, ifname, &why);
	if (err == 0)
		return 0;
	return err_set(msg, err, "%s: route %s%s%s%s%s: %.300s", node, dst, via ? " via " : "",
		       via ? via : "", ifname ? " dev " : "", ifname ? ifname : "", why.text);
}

int net_add_tun(struct net *net, const char *node, const char *ifname, struct err_msg *msg)
{
	const struct node *found = find_node(net, node);
	int back, err;

	if (!found)
		return err_set(msg, ERR_NOT_FOUND, "no node named %s", node);
	err = ns_enter(found->fd, &back);
	if (err < 0)
		return err_set(msg, err, "%s: cannot enter the namespace", node);
	err = netlink_add_tun(ifname, msg);
	ns_leave(back);
	return err < 0 ? err : netlink_set_up(found->netlink, ifname, true, msg);
}

static int add_links(struct net *net, const struct topology *topo, struct err_msg *msg)
{
	size_t i;
	int err = 0;

	for (i = 0; i < topo->links_count && err == 0; i++)
		err = add_link(net, &topo->links[i], msg);
	for (i = 0; i < topo->bridges_count && err == 0; i++)
		err = add_bridge(net, &topo->bridges[i], msg);
	for (i = 0; i < topo->addresses_count && err == 0; i++)
		err = net_add_address(net, topo->addresses[i].node, topo->addresses[i].ifname,
				      topo->addresses[i].prefix, msg);
	return err;
}

static int set_all_up(struct net *net, const struct topology *topo, struct err_msg *msg)
{
	size_t i;
	int err = 0;

	for (i = 0; i < topo->links_count && err == 0; i++) {
		const struct topo_link *link = &topo->links[i];

		err =
		    netlink_set_up(net_node_netlink(net, link->a.node), link->a.ifname, true, msg);
		if (err == 0)
			err = netlink_set_up(net_node_netlink(net, link->b.node), link->b.ifname,
					     true, msg);
	}
	for (i = 0; i < topo->bridges_count && err == 0; i++)
		err = netlink_set_up(net_node_netlink(net, topo->bridges[i].node),
				     topo->bridges[i].ifname, true, msg);
	return err;
}

static int add_routes(struct net *net, const struct topology *topo, struct err_msg *msg)
{
	size_t i;
	int err = 0;

	for (i = 0; i < topo->routes_count && err == 0; i++)
		err = net_add_route(net, topo->routes[i].node, topo->routes[i].dst,
				    topo->routes[i].via, topo->routes[i].ifname, msg);
	return err;
}

/* nft says "/dev/stdin:3:17-19: Error: ..."; a person wants the line of the file. */
static int refuse_rules(const struct topo_rules *rules, const char *said, struct err_msg *msg)
{
	unsigned line;
	int at = 0;

	if (rules->file && sscanf(said, "/dev/stdin:%u:%*[0-9-]: %n", &line, &at) == 1 && at > 0)
		return err_set(msg, ERR_INVALID, "%s:%u: %s: nft refuses the rules: %.400s",
			       rules->file, rules->line + line - 1, rules->node, said + at);
	return err_set(msg, ERR_INVALID, "%s: nft refuses the rules: %.400s", rules->node, said);
}

static int load_rules(struct net *net, const struct topo_rules *rules, struct err_msg *msg)
{
	static const char *const argv[] = {"nft", "-f", "-", NULL};
	const struct process_spec spec = {.node = rules->node, .argv = argv, .input = rules->text};
	struct process_output output = {0};
	int status, err = process_run(net, &spec, NFT_TIMEOUT_MS, &status, &output, msg);

	if (err == 0 && status != 0)
		err = refuse_rules(rules, output.text, msg);
	process_output_free(&output);
	return err;
}

static int build(struct net *net, const struct topology *topo, struct err_msg *msg)
{
	size_t i;
	int err = 0;

	if (registry_add_directory(&net->registry, net->dir) < 0 || mkdir(net->dir, 0700) < 0)
		return err_set(msg, ERR_IO, "%s: %s", net->dir, strerror(errno));
	for (i = 0; i < topo->nodes_count && err == 0; i++)
		err = add_node(net, topo->nodes[i], msg);
	if (err == 0)
		err = set_sysctls(net, topo, msg);
	if (err == 0)
		err = add_links(net, topo, msg);
	if (err == 0)
		err = set_all_up(net, topo, msg);
	if (err == 0)
		err = add_routes(net, topo, msg);
	for (i = 0; i < topo->rules_count && err == 0; i++)
		err = load_rules(net, &topo->rules[i], msg);
	return err;
}

int net_build(const struct topology *topo, struct net **ret_net, struct err_msg *msg)
{
	struct net *net;
	int err = topology_check(topo, msg);

	if (err < 0)
		return err;
	net = calloc(1, sizeof(*net));
	if (!net)
		return err_set(msg, ERR_NOMEM, "out of memory");
	net->nodes = calloc(topo->nodes_count ? topo->nodes_count : 1, sizeof(*net->nodes));
	if (!net->nodes)
		err = err_set(msg, ERR_NOMEM, "out of memory");
	if (err == 0)
		err = registry_create(&net->registry, msg);
	if (err < 0) {
		free(net->nodes);
		free(net);
		return err;
	}
	snprintf(net->dir, sizeof(net->dir), "/tmp/%s", net->registry.run);
	err = guard_start(net->registry.run, &net->guard, msg);
	if (err == 0)
		err = build(net, topo, msg);
	if (err < 0) {
		net_free(net, NULL);
		return err;
	}
	*ret_net = net;
	return 0;
}

int net_free(struct net *net, struct err_msg *msg)
{
	size_t i;
	int err;

	if (!net)
		return 0;
	for (i = 0; i < net->nodes_count; i++) {
		netlink_close(net->nodes[i].netlink);
		close(net->nodes[i].fd);
	}
	registry_close(&net->registry);
	err = registry_undo(net->registry.run, msg);
	if (net->guard > 0)
		guard_stop(net->guard);
	free(net->nodes);
	free(net);
	return err;
}
