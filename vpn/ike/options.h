/* options.h - what strongswan.conf tunes in charon, with its defaults; every limit on what a peer
 * can make us do stands here or in limits.h. */
#ifndef VPN_IKE_OPTIONS_H
#define VPN_IKE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#define FRAGMENT_SIZE_MIN 256 /* smaller ones would be headers for the most part */

struct ike_options {
	uint64_t retransmit_timeout; /* microseconds: 4 s */
	double retransmit_base;	     /* 1.8 */
	unsigned retransmit_tries;   /* 5 */
	uint64_t keepalive_interval; /* microseconds: 20 s (RFC 3948 §4); 0: none */
	uint64_t half_open_timeout;  /* microseconds: 30 s until a responder gives an SA up */
	unsigned cookie_threshold;   /* half-open SAs from which on cookies are asked for: 30 (RFC
					7296 §2.6); 0: never */
	unsigned half_open_per_host; /* 5; beyond, requests of that address are dropped; 0: none
					is */
	unsigned fragment_size;	     /* octets of an IP datagram: 1280; 0: 576 over IPv4, 1280 over
					IPv6 (RFC 7383 §2.5.1) */
	bool make_before_break;	     /* reauthentication: the new IKE SA first; off */
	bool send_vendor_id; /* strongSwan's vendor ID: BEET needs it; on, unlike strongSwan's
				default */
	uint16_t port;	     /* 500 */
	uint16_t port_natt;  /* 4500 */
};

void ike_options_default(struct ike_options *ret_options);

#endif
