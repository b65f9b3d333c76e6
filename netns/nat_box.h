/* nat_box.h - a NAT box at one end of a wire: what leaves the node there is translated before it is
 * on the wire, and what the wire brings after it. So the captures of the wire show what a box's
 * outside interface shows, and any behaviour of nat_model.h meets real daemons; the node itself
 * only forwards between its inside and the wire.
 *
 *	inside hosts --- node (plain router) --[ nat_box ]-- wire --- the internet
 *
 * The node's kernel does not know of it. A host that sends to the outside address means another
 * inside host, but the node would take the packet for its own: it is to send it out of this
 * interface with NAT_BOX_HAIRPIN for destination, and comes back from there as hairpinned (RFC 4787
 * §6) or not at all. IPv4 alone is translated. Fragments pass behind the first one of their packet
 * (nat_fragments.h). */
#ifndef NETNS_NAT_BOX_H
#define NETNS_NAT_BOX_H

#include "netns/nat_model.h"

/* The IPv4 dummy address (RFC 7600 §6), which nobody has. */
#define NAT_BOX_HAIRPIN "192.0.0.8"

struct nat_box_spec {
	struct nat_params params;
	struct ip_addr inside; /* what is translated */
	unsigned inside_bits;
};

/* What becomes of a frame. */
enum nat_box_verdict {
	NAT_BOX_PASS, /* it goes on, translated if it was to be */
	NAT_BOX_DROP,
	NAT_BOX_BACK, /* it goes back to where it came from, translated */
};

struct nat_box_counters {
	uint64_t out, in, hairpinned; /* packets translated */
	uint64_t refused;	      /* of inside: no port left, a lone fragment, no hairpinning */
	uint64_t filtered;	      /* of outside: no mapping, or not for this sender */
};

struct nat_box;

/* ERR_INVALID, ERR_NOMEM. */
int nat_box_new(const struct nat_box_spec *spec, struct nat_box **ret_box);
void nat_box_free(struct nat_box *box); /* NULL is fine */
/* An Ethernet frame of the node's, and one for the node; changed in place, with its checksums. */
enum nat_box_verdict nat_box_out(struct nat_box *box, uint8_t *frame, size_t len, int64_t now);
enum nat_box_verdict nat_box_in(struct nat_box *box, uint8_t *frame, size_t len, int64_t now);
/* All mappings are forgotten. */
void nat_box_reboot(struct nat_box *box);
const struct nat_box_counters *nat_box_counted(const struct nat_box *box);

#endif
