/* dn.h - X.501 distinguished names: text and DER, as strongSwan writes them (RFC 5280 §4.1.2.4).
 *
 * For identity.c and the certificates. Names are DER octets throughout; nothing is kept parsed. */
#ifndef VPN_CRYPTO_DN_H
#define VPN_CRYPTO_DN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vpn/base/reader.h"

/* "C=FR, CN=vps" or "/C=FR/CN=vps" to DER. ERR_SYNTAX if it is not a DN, ERR_SPACE. */
int dn_parse(const char *text, uint8_t *buf, size_t cap, size_t *ret_len);
/* Cut to what fits; unprintable octets as '?'. Returns buf, "" for what is not a DN. */
const char *dn_format(struct view der, char *buf, size_t cap);
/* Whether the names are equal: same types in the same order, values compared without regard to
 * string type, ASCII case and runs of spaces (RFC 5280 §7.1). With wildcards, a pattern's value "*"
 * fits any. Returns the number of wildcards used, or -1 if they differ or one of them is not a DN.
 */
int dn_match(struct view name, struct view pattern, bool wildcards);

#endif
