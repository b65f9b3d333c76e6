/* ke.h - key exchange: X25519 (RFC 8031), ECP (RFC 5903), MODP (RFC 3526).
 *
 * The private key comes from the caller's random source, so that a simulated run repeats. Peer
 * values are checked before use: length, group membership (RFC 6989), no all-zero X25519 result
 * (RFC 7748 §6.1). */
#ifndef VPN_CRYPTO_KE_H
#define VPN_CRYPTO_KE_H

#include <stddef.h>
#include <stdint.h>

#include "vpn/base/reader.h"

#define KE_PUBLIC_MAX 384 /* MODP-3072 */
#define KE_SECRET_MAX 384

/* Fills buf with n unpredictable octets; 0, or ERR_CRYPTO. */
typedef int (*random_fn)(void *ctx, uint8_t *buf, size_t n);

struct ke;
/* ERR_UNSUPPORTED, ERR_NOMEM, ERR_CRYPTO. */
int ke_new(uint16_t group, random_fn random, void *random_ctx, struct ke **ret_ke);
void ke_free(struct ke *ke); /* NULL is fine; wipes */
uint16_t ke_group(const struct ke *ke);
/* Our value as it stands in the KE payload; a view into ke. */
struct view ke_public(const struct ke *ke);
/* Octets that a peer's value of this group has; 0 if unsupported. */
size_t ke_public_len(uint16_t group);
/* g^ir as it enters SKEYSEED (RFC 7296 §2.14; for ECP the x coordinate alone, RFC 5903 §7). secret
 * has KE_SECRET_MAX octets. ERR_INVALID if the peer's value is bad. */
int ke_derive(const struct ke *ke, struct view peer, uint8_t *secret, size_t *ret_len);

#endif
