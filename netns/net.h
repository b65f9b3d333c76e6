/* net.h - builds an emulated network on this machine and undoes it.
 *
 * Everything made carries the run's name ("bl-01234567"): the namespaces are bl-01234567-NODE in
 * /run/netns, so `ip netns exec` enters them, and the run's directory is /tmp/bl-01234567. Two runs
 * at once do not meet. All is undone by net_free, or by a guard process when the caller dies first.
 *
 * Needs root. Not for use by several threads at once. */
#ifndef NETNS_NET_H
#define NETNS_NET_H

#include <sys/types.h>
#include "netns/topology.h"

struct net;
struct nl_sock;

/* ERR_INVALID (the description), ERR_PERM, ERR_IO; msg says why, and nothing is left behind. */
int net_build(const struct topology *topo, struct net **ret_net, struct err_msg *msg);
/* Kills what still runs in the network and removes it all. net is gone in either case; an error
 * names what could not be removed. NULL is fine. */
int net_free(struct net *net, struct err_msg *msg);

const char *net_run(const struct net *net); /* "bl-01234567" */
const char *net_dir(
    const struct net *net); /* for logs, sockets, captures; removed with the network */

/* The namespace's descriptor; -1 if there is no such node. It stays the network's. */
int net_node_fd(const struct net *net, const char *node);
/* For changes while the network stands (netlink.h); NULL if there is no such node. */
struct nl_sock *net_node_netlink(const struct net *net, const char *node);
/* Sets a sysctl of a node. */
int net_sysctl(const struct net *net, const char *node, const char *key, const char *value);
/* Additions to a network that stands; text as in topology.h. */
int net_add_address(struct net *net, const char *node, const char *ifname, const char *prefix,
		    struct err_msg *msg);
int net_add_route(struct net *net, const char *node, const char *dst, const char *via,
		  const char *ifname, struct err_msg *msg);
int net_add_tun(struct net *net, const char *node, const char *ifname, struct err_msg *msg);
/* Runs fn in a child process inside the node; *ret_status is what it returned (0..127), or 128 +
 * the signal that killed it. */
int net_call(struct net *net, const char *node, int (*fn)(void *arg), void *arg, int *ret_status,
	     struct err_msg *msg);

/* For process.h: writes a process down before it may run. */
int net_note_process(struct net *net, pid_t pid);

#endif
