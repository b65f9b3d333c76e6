/* packet_make.h - IP packets made from their parts. */
#ifndef HARNESS_SIM_PACKET_MAKE_H
#define HARNESS_SIM_PACKET_MAKE_H

#include "vpn/base/addr.h"
#include "vpn/base/reader.h"
#include "vpn/esp/packet.h"

#define SIM_PACKET_MAX 65535

/* Each writes a whole packet to buf (SIM_PACKET_MAX octets) and returns its length; 0: too long.
 * outer may be NULL: the usual fields, DF off. */
size_t packet_ip(uint8_t *buf, const struct ip_addr *src, const struct ip_addr *dst, uint8_t proto,
		 const struct outer_hdr *outer, struct view payload);
/* marker: four zero octets in front (RFC 3948 §2.2). */
size_t packet_udp(uint8_t *buf, const struct endpoint *src, const struct endpoint *dst,
		  const struct outer_hdr *outer, bool marker, struct view payload);
struct tcp_fields { /* RFC 9293 §3.1 */
	uint32_t seq, ack;
	uint8_t flags;
	uint16_t window;
	struct view options; /* a multiple of four octets */
};

/* With DF. */
size_t packet_tcp(uint8_t *buf, const struct endpoint *src, const struct endpoint *dst,
		  const struct tcp_fields *fields, struct view payload);
/* An ICMP echo request or, with reply, the answer. */
size_t packet_echo(uint8_t *buf, const struct ip_addr *src, const struct ip_addr *dst, bool reply,
		   struct view body);

#endif
