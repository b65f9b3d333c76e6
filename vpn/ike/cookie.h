/* cookie.h - stateless cookies against floods of half-open SAs (RFC 7296 §2.6). */
#ifndef VPN_IKE_COOKIE_H
#define VPN_IKE_COOKIE_H

#include <stdbool.h>
#include <stdint.h>

#include "vpn/base/addr.h"
#include "vpn/base/reader.h"
#include "vpn/crypto/ke.h"
#include "vpn/ike/limits.h"

#define COOKIE_LEN (1 + 32)
#define COOKIE_LIFETIME                                                                          \
	UINT64_C(60000000) /* microseconds until the secret changes; the old one stays good once \
			    */

struct cookie_jar {
	uint8_t secret[2][32]; /* current, previous */
	uint8_t version;
	uint64_t changed; /* 0: no secret yet */
};

/* Cookie = version | SHA-256(secret, Ni, IPi, port, SPIi). ERR_CRYPTO. */
int cookie_make(struct cookie_jar *jar, random_fn random, void *random_ctx,
		const struct endpoint *remote, uint64_t spi_i, struct view ni, uint64_t now,
		uint8_t ret_cookie[COOKIE_LEN]);
bool cookie_is_good(const struct cookie_jar *jar, const struct endpoint *remote, uint64_t spi_i,
		    struct view ni, struct view cookie);

#endif
