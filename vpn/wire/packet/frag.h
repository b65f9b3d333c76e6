/* frag.h - fragmenting an IPv4 packet (RFC 791 §3.2). */
#ifndef VPN_WIRE_PACKET_FRAG_H
#define VPN_WIRE_PACKET_FRAG_H

#include "vpn/wire/packet/ip.h"

struct ipv4_frag_plan {
	size_t per; /* payload of every fragment but the last; a multiple of 8 */
	size_t n;
};

/* ERR_SPACE if mtu leaves no room for 8 octets of payload; ERR_INVALID if the packet may not be
 * fragmented. */
int ipv4_frag_plan(const struct ip_info *info, size_t mtu, struct ipv4_frag_plan *ret_plan);
/* Octets of fragment i. */
size_t ipv4_frag_len(const struct ip_info *info, const struct ipv4_frag_plan *plan, size_t i);
/* Writes fragment i to out (ipv4_frag_len octets). */
void ipv4_fragment(const uint8_t *data, const struct ip_info *info,
		   const struct ipv4_frag_plan *plan, size_t i, uint8_t *out);

#endif
