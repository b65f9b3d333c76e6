/* value.h - what the text of a vici value means: the types of swanctl.conf(5).
 *
 * Used where a file is checked and where a message is carried out, so that both agree. All return 0
 * or ERR_SYNTAX; outputs are untouched on failure. */
#ifndef VPN_VICI_VALUE_H
#define VPN_VICI_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "vpn/base/err.h"

/* yes, true, enabled, 1; no, false, disabled, 0. */
int vici_parse_bool(const char *text, bool *ret_value);
/* Decimal, or hexadecimal with 0x; at most max. */
int vici_parse_uint(const char *text, uint64_t max, uint64_t *ret_value);
/* Seconds, or with a unit: "90", "60s", "5m", "4h", "1d". At most UINT32_MAX seconds. */
int vici_parse_time(const char *text, uint32_t *ret_seconds);
/* Octets, or with a unit of 1024: "1500000", "64k", "1500M", "2G". */
int vici_parse_bytes(const char *text, uint64_t *ret_octets);
/* "0x1", "1/0xff"; the mask is 0xffffffff if it is not given. */
int vici_parse_mark(const char *text, uint32_t *ret_value, uint32_t *ret_mask);

#endif
