/* nat_fragments.h - where the later fragments of a packet go: where its first one went (RFC 4787
 * §11). They name no ports, so the table of nat_model.h says nothing of them.
 *
 * A fragment that comes before the first of its packet is not held: "received fragments ordered".
 * (REQ-14 wants them in any order, but many boxes in the field are so, or take none at all.) */
#ifndef NETNS_NAT_FRAGMENTS_H
#define NETNS_NAT_FRAGMENTS_H

#include <stddef.h>
#include <stdint.h>
#include "vpn/wire/packet/ip.h"

/* Packets under way at once; the oldest is forgotten (REQ-14a: a flood of first fragments costs no
 * more than that). */
#define NAT_FRAGMENTS_MAX 64

/* A packet whose first fragment has passed. */
struct nat_train {
	uint8_t proto;
	uint16_t id;
	struct ip_addr src, dst;       /* as its fragments come */
	struct ip_addr to_src, to_dst; /* as they go on */
	int64_t until;		       /* nanoseconds; 0: none */
};

struct nat_fragments {
	struct nat_train v[NAT_FRAGMENTS_MAX];
	size_t next;
};

void nat_fragments_note(struct nat_fragments *f, const struct ip_info *first,
			const struct ip_addr *to_src, const struct ip_addr *to_dst, int64_t now);
/* NULL: its first one has not passed, or long ago. */
const struct nat_train *nat_fragments_find(const struct nat_fragments *f,
					   const struct ip_info *later, int64_t now);

#endif
