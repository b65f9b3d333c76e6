/* beet.h - leaving out the inner IP header, and building it again
 * (draft-nikander-esp-beet-mode-09).
 *
 * What travels behind the ESP header is what stood behind the IP header. IPv4 options travel behind
 * a pseudo header (§5.3 of the draft; next header 94):
 *
 *     next header (1) | options, in units of 8 (1) | padding, 0 or 4 (1) | reserved (1) | padding |
 * options
 *
 * The other fields of the header (TOS, TTL, identification, DF) are those of the outer header,
 * which the sender set from the inner one. Transport mode is the same without the pseudo header's
 * need for fixed inner addresses, and is done by the same functions. */
#ifndef VPN_ESP_BEET_H
#define VPN_ESP_BEET_H

#include "vpn/esp/packet.h"

/* Turns the IP packet p (p->inner is filled) into an ESP payload; *ret_next is its next header.
 * ESP_DROP_FRAGMENT for an IPv4 fragment: the outer header has no place for where it belongs. */
enum esp_drop beet_strip(struct packet *p, uint8_t *ret_next);

/* Turns an ESP payload back into the IP packet from src to dst. p->outer gives the other fields; id
 * is used where p->outer has none. ESP_DROP_BEET_OPTIONS, ESP_DROP_SPACE. */
enum esp_drop beet_rebuild(struct packet *p, uint8_t next, const struct ip_addr *src,
			   const struct ip_addr *dst, uint16_t id);

#endif
