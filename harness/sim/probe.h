/* probe.h - numbered datagrams: what the simulated hosts send one another, and what came of each.
 *
 * A probe says who sent it to whom, so that the receiver can tell whether it arrived where it
 * should, unchanged and once. Its first octets are found in no ciphertext: seen on an outer wire
 * they are a packet in the clear. */
#ifndef HARNESS_SIM_PROBE_H
#define HARNESS_SIM_PROBE_H

#include "harness/sim/set.h"
#include "vpn/base/addr.h"
#include "vpn/base/reader.h"
#include "vpn/wire/packet/ip.h"

#define PROBE_PORT 4242
#define PROBE_MIN  64

enum probe_finding { PROBE_OK, PROBE_STRANGE, PROBE_CHANGED, PROBE_TWICE };

struct probes {	       /* all zero: none */
	uint8_t *seen; /* by number */
	uint64_t count, cap;
	uint64_t delivered;
};

void probes_free(struct probes *probes);
/* A probe's datagram (an IP packet) into buf; returns its length, 0 if memory is short. */
size_t probe_make(struct probes *probes, const struct ip_addr *src, const struct ip_addr *dst,
		  size_t size, uint8_t *buf, uint64_t *ret_number);
/* A UDP datagram to PROBE_PORT. */
enum probe_finding probe_take(struct probes *probes, const uint8_t *data, const struct ip_info *ip,
			      uint64_t *ret_number);
bool probe_was_delivered(const struct probes *probes, uint64_t number);
/* Of a stream, by its place: the same first ones come again every 64 octets. */
uint8_t probe_octet(uint64_t place);
/* True if the octets hold a probe's first ones anywhere. */
bool probe_is_in(const uint8_t *data, size_t len);

#endif
