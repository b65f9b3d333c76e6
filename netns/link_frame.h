/* link_frame.h - what a link must know of a packet, and what a router on it can make of one. */
#ifndef NETNS_LINK_FRAME_H
#define NETNS_LINK_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "vpn/wire/packet/ip.h"

#define LINK_ETH_LEN 14

enum link_framing { LINK_ETHERNET, LINK_RAW_IP };

/* A view of the octets it was read from. */
struct link_frame {
	const uint8_t *data;
	size_t len;
	size_t ip_off;	   /* 0 or LINK_ETH_LEN */
	bool is_neighbour; /* ARP, and ICMPv6 and IGMP that stay on a link: not the traffic */
	bool has_ip;	   /* info is filled in */
	struct ip_info info;
};

void link_frame_read(enum link_framing framing, const uint8_t *data, size_t len,
		     struct link_frame *ret_frame);

/* Octets that count for rate and queue. */
static inline size_t link_frame_size(const struct link_frame *frame)
{
	return frame->has_ip ? frame->info.total_len : frame->len - frame->ip_off;
}

/* An ICMP error for the sender about a packet that is larger than mtu, from `source` or, if that
 * is unset, from the packet's destination. ERR_UNSUPPORTED if nobody may be told, ERR_SPACE. */
int link_frame_too_big(const struct link_frame *frame, unsigned mtu, const struct ip_addr *source,
		       uint8_t *buf, size_t cap, size_t *ret_len);

/* Flips `bits` bits behind the transport header, chosen by `random`, in the octets of data, which
 * are those of frame. False if the packet has nothing there. With resum, the transport checksum
 * is as right as before. */
bool link_frame_corrupt(const struct link_frame *frame, uint8_t *data, unsigned bits, bool resum,
			uint64_t random);

#endif
