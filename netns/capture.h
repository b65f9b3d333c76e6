/* capture.h - captures an interface of a node into a pcap file, without loss at either end. */
#ifndef NETNS_CAPTURE_H
#define NETNS_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "netns/net.h"

struct capture;

/* The packet and what the caller gave. Called in the capture's thread. */
typedef void capture_fn(const uint8_t *packet, size_t len, void *arg);

struct capture_spec {
	const char *node;
	const char *ifname;
	const char *filter;    /* pcap-filter(7); NULL: everything */
	const char *path;      /* the pcap file; NULL: none is written */
	capture_fn *on_packet; /* may be NULL */
	void *arg;
};

/* Live before it returns: what is sent from now on is seen. ERR_NOT_FOUND (node), ERR_IO. */
int capture_start(struct net *net, const struct capture_spec *spec, struct capture **ret_capture,
		  struct err_msg *msg);
/* Packets that the filter let pass, so far. */
uint64_t capture_count(const struct capture *capture);
/* Takes what the kernel has still queued, writes the file out, frees. ERR_IO if packets were lost,
 * or the file could not be written. */
int capture_stop(struct capture *capture, uint64_t *ret_count, struct err_msg *msg);

#endif
