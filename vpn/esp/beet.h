/* beet.h - leaving out the inner IP header, and building it again (RFC 7402 appendix B).
 *
 * What travels behind the ESP header is what stood behind the IP header. IPv4 options travel behind
 * a pseudo header (RFC 7402 §B.1.7; next header 94):
 *
 *     next header (1) | length in units of 8, less one (1) | padding, 0 or 4 (1) | 0 (1) | padding
 * | options
 *
 * The other fields of the header (TOS, TTL, identification, DF) are those of the outer header,
 * which the sender set from the inner one (§B.1.4). Transport mode leaves out and rebuilds the
 * header in the same way, and is done by the same functions. */
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
