/* hex.h - octets as hexadecimal text and back. */
#ifndef VPN_BASE_HEX_H
#define VPN_BASE_HEX_H

#include <stddef.h>
#include <stdint.h>

/* Lower case, 2 * len digits and a zero; cut to what fits whole. Returns buf. */
const char *hex_format(const void *data, size_t len, char *buf, size_t cap);
/* Spaces and colons between octets are skipped. ERR_SYNTAX, or ERR_SPACE. */
int hex_parse(const char *text, uint8_t *buf, size_t cap, size_t *ret_len);

#endif
