/* tos.h - DSCP and ECN between the inner and the outer header (RFC 4301 §5.1.2.1, RFC 6040, RFC
 * 2983). */
#ifndef VPN_ESP_TOS_H
#define VPN_ESP_TOS_H

#include <stdbool.h>
#include <stdint.h>

#define TOS_ECN_MASK  0x03
#define TOS_DSCP_MASK 0xfc

enum ecn { ECN_NOT_ECT = 0, ECN_ECT1 = 1, ECN_ECT0 = 2, ECN_CE = 3 }; /* RFC 3168 §5 */

/* The outer octet of a packet that is being encapsulated. copy_ecn: RFC 6040 §4.1 normal mode, else
 * compatibility mode (the outer header is not ECN-capable). */
uint8_t tos_encapsulate(uint8_t inner, bool copy_dscp, bool copy_ecn);

/* The inner octet after decapsulation. False if RFC 6040 §4.2 says drop. */
bool tos_decapsulate(uint8_t inner, uint8_t outer, bool copy_dscp, uint8_t *ret_tos);

#endif
