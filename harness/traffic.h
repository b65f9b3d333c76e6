/* traffic.h - what is sent through a tunnel to see that it carries. */
#ifndef HARNESS_TRAFFIC_H
#define HARNESS_TRAFFIC_H

#include <stddef.h>
#include "netns/net.h"

/* Pings until the first answer, and then once more, which must be answered: the first packets of a
 * tunnel may find no neighbour yet. size is ping's -s; within 15 s if nothing is said. ERR_AGAIN.
 */
int traffic_ping(struct net *net, const char *from, const char *addr, unsigned size,
		 struct err_msg *msg);
int traffic_ping_within(struct net *net, const char *from, const char *addr, unsigned size,
			unsigned within_ms, struct err_msg *msg);
/* 0 if nothing answers within timeout_s, ERR_STATE if something does. */
int traffic_no_ping(struct net *net, const char *from, const char *addr, unsigned timeout_s,
		    struct err_msg *msg);

/* Sends so many octets of a fixed pseudo-random stream over TCP from one node to a server in
 * another, which compares every octet. ERR_IO; msg says where the stream broke. */
int traffic_tcp(struct net *net, const char *from, const char *to, const char *to_addr,
		size_t octets, struct err_msg *msg);

#endif
