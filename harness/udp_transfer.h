/* udp_transfer.h - numbered datagrams from one node to another, each checked octet by octet. */
#ifndef HARNESS_UDP_TRANSFER_H
#define HARNESS_UDP_TRANSFER_H

#include "netns/net.h"

#define UDP_TRANSFER_MAX_COUNT 100000
#define UDP_TRANSFER_MIN_SIZE  8
#define UDP_TRANSFER_MAX_SIZE  65000

struct udp_transfer {
	const char *from, *to; /* nodes */
	const char *address;   /* of the receiver */
	unsigned count;
	unsigned size; /* octets of payload */
};

struct udp_result {
	unsigned arrived; /* different ones */
	unsigned duplicates;
	unsigned damaged; /* contents that are not what their number says */
};

/* A datagram a millisecond. ERR_INVALID, ERR_IO. */
int udp_transfer_run(struct net *net, const struct udp_transfer *transfer,
		     struct udp_result *ret_result, struct err_msg *msg);

#endif
