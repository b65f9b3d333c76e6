/* rewrite.h - facts back to a capture that every tool reads without keys.
 *
 * IKE messages have the content of SK in the place of SK; ESP packets are the packets inside them.
 * Everything else, and what could not be opened, stays as it was. Each frame keeps its time, and a
 * comment says which frame it was and, for ESP, its SPI, number and next header. The link type is
 * Ethernet if all captures are, else raw IP, so that libpcap reads the file, too. */
#ifndef HARNESS_DISSECT_REWRITE_H
#define HARNESS_DISSECT_REWRITE_H

#include <stdio.h>

#include "harness/dissect/facts.h"

struct rewrite_counts {
	size_t ike;	 /* messages opened */
	size_t esp;	 /* packets opened */
	size_t unopened; /* IKE and ESP left as they were */
	size_t
	    left_out; /* frames without IP, where the link type is raw IP; dummy packets are kept */
	size_t other;
};

/* ERR_IO, ERR_NOMEM. */
int rewrite_capture(const struct facts *f, FILE *out, struct rewrite_counts *ret_counts);

/* The IP packet that takes the place of the frame's, in buf; 0 octets: it stays. For tests. */
size_t rewrite_packet(const struct facts *f, size_t frame, uint8_t *buf, size_t cap);

#endif
