/* reass.h - IPv4 reassembly of inner fragments, for BEET mode alone: there the header that says
 * where a fragment belongs becomes the outer one (RFC 7402 §B.1.5), so the sender must put the
 * packet together first. */
#ifndef VPN_ESP_REASS_H
#define VPN_ESP_REASS_H

#include "vpn/wire/packet/ip.h"

/* Packets in the making. Few hosts send fragments, and each slot costs 64 kB. */
#define REASS_SLOTS   16
#define REASS_TIMEOUT 15000000 /* microseconds; RFC 791 §3.2 begins with 15 s */

struct reass;

int reass_new(struct reass **ret_reass); /* ERR_NOMEM */
void reass_free(struct reass *r);

/* Takes one fragment in. 0: it was the last one missing; *ret_data is the whole packet, valid until
 * the next call. ERR_AGAIN: more are missing. ERR_SYNTAX: it contradicts what has come before; that
 * packet is given up. now: microseconds. */
int reass_add(struct reass *r, const uint8_t *data, const struct ip_info *ip, uint64_t now,
	      const uint8_t **ret_data, size_t *ret_len);

/* Fragments that were taken in and came to nothing, since the last call. */
unsigned reass_take_lost(struct reass *r);

#endif
