/* mss.h - the TCP maximum segment size option (RFC 9293 §3.7.1). */
#ifndef VPN_WIRE_PACKET_MSS_H
#define VPN_WIRE_PACKET_MSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vpn/wire/packet/ip.h"

#define TCP_HDR_LEN 20

/* Segment size that just fits an inner packet of mtu octets. */
static inline uint16_t mss_for_mtu(size_t mtu, uint8_t ip_version)
{
	size_t headers = (ip_version == 6 ? IPV6_HDR_LEN : IPV4_HDR_LEN) + TCP_HDR_LEN;

	return (uint16_t)(mtu > headers ? mtu - headers : 0);
}

/* Lowers the MSS option of a SYN or SYN/ACK to max, in place, with its checksum. An absent option
 * (it means 536 or 1220 octets, RFC 9293 §3.7.1) and a smaller value are left alone. True if it was
 * changed. */
bool mss_clamp(uint8_t *data, size_t len, const struct ip_info *info, uint16_t max);

#endif
