/* ip.h - what the data plane must know of an IP packet: where the headers end, what the selectors
 * see, and the fields that IPsec touches (RFC 791, 8200).
 *
 * ip_parse reads headers only. A packet may be longer than its headers say (TFC padding, RFC 4303
 * §2.7): total_len is what counts. Everything that changes a header keeps its checksum right. */
#ifndef VPN_WIRE_PACKET_IP_H
#define VPN_WIRE_PACKET_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vpn/base/err.h"
#include "vpn/base/ts.h"

#define IPV4_HDR_LEN 20
#define IPV6_HDR_LEN 40

#define IPV4_MIN_MTU 576  /* RFC 791 §3.1 (every host must accept) */
#define IPV6_MIN_MTU 1280 /* RFC 8200 §5 */

#define IPV4_FLAG_DF 0x4000
#define IPV4_FLAG_MF 0x2000
#define IPV4_OFFSET  0x1fff

/* A hostile packet may chain extension headers without end (RFC 8200 §4.1 has eight kinds). */
#define IPV6_EXT_MAX 8

struct ip_info {
	uint8_t version;     /* 4 or 6 */
	uint8_t tos;	     /* DSCP and ECN */
	uint8_t ttl;	     /* or hop limit */
	uint8_t proto;	     /* of the transport header; for BEET see first_proto */
	uint8_t first_proto; /* what the IP header itself says */
	bool df;	     /* IPv6: always */
	bool fragment;	     /* any fragment, also the first */
	bool later_fragment; /* not the first: there is no transport header */
	uint16_t id;	     /* IPv4 */
	uint16_t frag_off;   /* IPv4: flags and offset as they stand in the header */
	uint32_t flow;	     /* IPv6 */
	size_t hdr_len;	     /* IPv4 with options; IPv6: 40 */
	size_t l4_off;	     /* where the transport header begins */
	size_t total_len;    /* of the packet, by its own length field */
	struct ts_packet sel;
};

/* ERR_SYNTAX if it is no IP packet, the headers are cut short, or its length field says more than
 * len. */
int ip_parse(const uint8_t *data, size_t len, struct ip_info *ret_info);

/* The IPv4 header's checksum from its octets. */
void ipv4_set_checksum(uint8_t *hdr, size_t hdr_len);
bool ipv4_checksum_ok(const uint8_t *hdr, size_t hdr_len);

/* Changes DSCP and ECN of an IPv4 or IPv6 header in place. len: at least IPV4_HDR_LEN octets. */
void ip_set_tos(uint8_t *hdr, size_t len, uint8_t tos);

/* The transport checksum over data[l4_off .. total_len) and the pseudo header, with the field as it
 * stands: 0 (or 0xffff) if it is right. */
uint16_t ip_l4_checksum(const uint8_t *data, const struct ip_info *info);

/* ICMP types that are errors and never get an error in return (RFC 1122 §3.2.2, RFC 4443 §2.4 e).
 */
bool ip_is_icmp_error(const uint8_t *data, size_t len, const struct ip_info *info);

#endif
