/* proto.h - the IP protocol numbers that IPsec meets (IANA "Assigned Internet Protocol Numbers"),
 * and the UDP ports of IKE (RFC 7296 §2.23, RFC 3948 §2). */
#ifndef VPN_BASE_PROTO_H
#define VPN_BASE_PROTO_H

enum ip_proto {
	IP_PROTO_HOPOPT = 0,
	IP_PROTO_ICMP = 1,
	IP_PROTO_IPV4 = 4, /* as ESP next header: tunnel mode, RFC 4303 §2.6 */
	IP_PROTO_TCP = 6,
	IP_PROTO_UDP = 17,
	IP_PROTO_IPV6 = 41,
	IP_PROTO_ROUTING = 43,
	IP_PROTO_FRAGMENT = 44,
	IP_PROTO_ESP = 50,
	IP_PROTO_AH = 51,
	IP_PROTO_ICMP6 = 58,
	IP_PROTO_NONE = 59, /* as ESP next header: a dummy packet, RFC 4303 §2.6 */
	IP_PROTO_DSTOPTS = 60,
	IP_PROTO_BEETPH = 94, /* pseudo header for IPv4 options in BEET mode
				 (RFC 7402 §B.1.7) */
};

#define IKE_PORT      500
#define IKE_NATT_PORT 4500

#endif
