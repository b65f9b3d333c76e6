/* identity.h - IKE identities: text and octets, and how they match certificates (RFC 7296 §3.5, RFC
 * 4945).
 *
 * Text is read as strongSwan reads it: "C=FR, O=inetdoc.net, CN=vps" or "/C=FR/CN=x" is a DN,
 * "@vpn.example" or a bare name an FQDN, "a@b" an e-mail address, an address an ID_IPV4_ADDR or
 * ID_IPV6_ADDR, "%any" and "" anything; prefixes as "fqdn:", "email:", "keyid:", "asn1dn:#",
 * "ipv4:" force a type. */
#ifndef VPN_CRYPTO_IDENTITY_H
#define VPN_CRYPTO_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vpn/base/addr.h"
#include "vpn/base/err.h"
#include "vpn/base/reader.h"

enum id_type { /* RFC 7296 §3.5 */
	       ID_ANY = 0,
	       ID_IPV4_ADDR = 1,
	       ID_FQDN = 2,
	       ID_RFC822_ADDR = 3,
	       ID_IPV6_ADDR = 5,
	       ID_DER_ASN1_DN = 9,
	       ID_DER_ASN1_GN = 10,
	       ID_KEY_ID = 11,
	       ID_NULL = 13, /* RFC 7619 */
};

#define IDENTITY_MAX	2048 /* octets of data that we accept from a peer: a DN is rarely over 300 */
#define IDENTITY_STRLEN 512

struct identity {
	uint8_t type;
	uint8_t *data; /* owned */
	size_t len;
};

int identity_parse(const char *text, struct identity *ret_id, struct err_msg *msg);
int identity_from_octets(uint8_t type, struct view data, struct identity *ret_id);
int identity_from_addr(const struct ip_addr *addr, struct identity *ret_id);
int identity_copy(const struct identity *src, struct identity *ret_id);
void identity_clear(struct identity *id);
/* As strongSwan prints it ("C=FR, O=inetdoc.net, CN=vps"; unprintable octets as "?"); returns buf.
 */
const char *identity_format(const struct identity *id, char *buf, size_t cap);
bool identity_eq(const struct identity *a, const struct identity *b);
/* How well `id` (from the peer) fits `pattern` (from the configuration): 0 not at all, 1 by %any,
 * more the more exact. FQDN and e-mail patterns may begin with '*'; RDN values may be '*'. */
int identity_match(const struct identity *id, const struct identity *pattern);

#endif
