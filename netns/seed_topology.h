/* seed_topology.h - the network of the seed document: a VPS and a lab behind an ISP's NAT box.
 *
 *	vps 203.0.113.10 --- inet --- 198.51.100.2 isp 192.168.1.1 --+-- lab-gw 192.168.1.2
 *	     eth0         vps0  isp0  wan       br-lan               +-- host28 192.168.1.28
 *	                                                             +-- host200 192.168.1.200
 *
 * IPv6 outside has no NAT: the VPS is 2001:db8:203::10, the lab's network 2001:db8:192::/64 with
 * the same last numbers (::1, ::2, ::28, ::200). Every other interface of a leaf node is eth0. */
#ifndef NETNS_SEED_TOPOLOGY_H
#define NETNS_SEED_TOPOLOGY_H

#include "netns/topology.h"

enum seed_nat {
	SEED_NAT_PRESERVE, /* masquerade; keeps the source port where it is free */
	SEED_NAT_RANDOM,   /* masquerade to random ports, so that 500 and 4500 never stay */
};

/* The lab's hosts and the ISP box know that 10.254.0.0/30 lies behind lab-gw, which the document
 * leaves out: a host whose default gateway is the ISP box would answer into the internet. */
void seed_topology(enum seed_nat nat, struct topology *ret_topo);

#endif
