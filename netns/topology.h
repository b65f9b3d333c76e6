/* topology.h - an emulated network as plain data: what there is, not how it is made.
 *
 * A node is a network namespace; everything else names the node that it belongs to. Text is in the
 * notation that a person would type: "192.168.1.2/24", "default", "net.ipv4.ip_forward". The
 * pointers are borrowed: a topology is usually a set of constant tables. Build one with net.h. */
#ifndef NETNS_TOPOLOGY_H
#define NETNS_TOPOLOGY_H

#include <stdbool.h>
#include <stddef.h>
#include "vpn/base/addr.h"
#include "vpn/base/err.h"

#define TOPO_NODE_NAME_MAX                                                                    \
	16		   /* octets without the zero, so that "bl-01234567-NAME" stays short \
			    */
#define TOPO_IFNAME_MAX 15 /* IFNAMSIZ less the zero */
#define TOPO_PORTS_MAX	8  /* of a bridge */

struct topo_sysctl {
	const char *node;
	const char *key; /* "net.ipv4.ip_forward" */
	const char *value;
};

struct topo_end {
	const char *node;
	const char *ifname;
};

/* A cable: a pair of virtual Ethernet interfaces, or of TAPs for a process to join. */
struct topo_link {
	struct topo_end a, b;
	unsigned mtu;  /* 0: 1500 */
	bool offloads; /* leave checksum and segmentation offloads on: faster, but not what a
			  capture may see, where every frame must be what a real wire would carry */
	bool impaired; /* a TAP at each end, unplugged until link_wire.h joins them */
};

/* A switch in a node; its ports are that node's ends of links. */
struct topo_bridge {
	const char *node;
	const char *ifname;
	const char *ports[TOPO_PORTS_MAX]; /* unused ones are NULL */
};

struct topo_address {
	const char *node;
	const char *ifname;
	const char *prefix; /* "192.168.1.2/24" */
};

struct topo_route {
	const char *node;
	const char *dst;    /* "10.254.0.0/30", or "default": of the family of via */
	const char *via;    /* NULL: on link */
	const char *ifname; /* may be NULL when via is given */
};

/* nftables rules, in nft's language, loaded in the node as one transaction. */
struct topo_rules {
	const char *node;
	const char *text;
	const char *file; /* for messages: where the text stands; may be NULL */
	unsigned line;	  /* of its first line there */
};

struct topology {
	const char *const *nodes;
	size_t nodes_count;
	const struct topo_sysctl *sysctls;
	size_t sysctls_count;
	const struct topo_link *links;
	size_t links_count;
	const struct topo_bridge *bridges;
	size_t bridges_count;
	const struct topo_address *addresses;
	size_t addresses_count;
	const struct topo_route *routes;
	size_t routes_count;
	const struct topo_rules *rules;
	size_t rules_count;
};

/* Everything that can be known to be wrong without building it: ERR_INVALID, and msg names the
 * entry. */
int topology_check(const struct topology *topo, struct err_msg *msg);

/* Letters, digits, '-', '_' and '.', at most max of them. */
bool topology_is_name(const char *name, size_t max);

/* The place of the node in topo->nodes; -1 if there is none. */
int topology_node(const struct topology *topo, const char *name);

/* "ADDRESS/LENGTH", or an address alone, which is a prefix of full length. ERR_SYNTAX. */
int topology_parse_prefix(const char *text, struct ip_addr *ret_addr, unsigned *ret_bits);

/* A route's destination and gateway; "default" takes its family from via. ret_via is unset if on
 * link. */
int topology_parse_route(const struct topo_route *route, struct ip_addr *ret_dst,
			 unsigned *ret_bits, struct ip_addr *ret_via);

#endif
