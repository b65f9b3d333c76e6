/* icmp.h - telling a sender that its packet does not fit (RFC 1191 §4, RFC 4443 §3.2). */
#ifndef VPN_WIRE_PACKET_ICMP_H
#define VPN_WIRE_PACKET_ICMP_H

#include <stddef.h>
#include <stdint.h>

#include "vpn/wire/packet/ip.h"

/* RFC 1812 §4.3.2.3 and RFC 4443 §3.2: as much of the packet as fits without exceeding these. */
#define ICMP4_ERROR_MAX IPV4_MIN_MTU
#define ICMP6_ERROR_MAX IPV6_MIN_MTU

/* Writes the whole IP packet of an ICMP "fragmentation needed" or ICMPv6 "packet too big" about
 * data into buf. Its source is the destination of data: that address is routed through the tunnel
 * in any case, while an address of our own, seen as a source on the inner device, would be dropped
 * as a martian. ERR_UNSUPPORTED if nobody may be told: data is an ICMP error, a later fragment,
 * from or to a multicast or unspecified address (RFC 1122 §3.2.2, RFC 4443 §2.4 e). ERR_SPACE. */
int icmp_too_big(const uint8_t *data, size_t len, const struct ip_info *info, size_t mtu,
		 uint8_t *buf, size_t cap, size_t *ret_len);

#endif
