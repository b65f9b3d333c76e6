/* csum.h - the Internet checksum (RFC 1071), its incremental update (RFC 1624), and the checksum of
 * TCP, UDP and ICMPv6 with a pseudo header.
 *
 * Partial sums are 64 bits wide, of 16-bit words in network order, and are folded once at the end.
 */
#ifndef VPN_WIRE_PACKET_CSUM_H
#define VPN_WIRE_PACKET_CSUM_H

#include <stddef.h>
#include <stdint.h>

#include "vpn/base/addr.h"

/* Adds the octets to a partial sum. All pieces but the last must have an even length. */
uint64_t csum_add(uint64_t sum, const void *data, size_t len);
/* To 16 bits, not complemented. */
uint16_t csum_fold(uint64_t sum);
/* What stands in a header: complement of the folded sum. */
uint16_t csum_finish(uint64_t sum);

/* Partial sum of the pseudo header (RFC 793 §3.1, RFC 8200 §8.1). src and dst point to 4 or 16
 * octets. */
uint64_t csum_pseudo(const uint8_t *src, const uint8_t *dst, size_t addr_len, uint8_t proto,
		     size_t len);

/* RFC 1624 §3, equation 3: the checksum after one 16-bit word has changed. */
uint16_t csum_update16(uint16_t check, uint16_t from, uint16_t to);

#endif
