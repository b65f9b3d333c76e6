/* prf.h - the pseudo-random function and prf+ (RFC 7296 §2.13), and SHA-1/SHA-2 digests for NAT
 * detection, CERTREQ key hashes and cookies. */
#ifndef VPN_CRYPTO_PRF_H
#define VPN_CRYPTO_PRF_H

#include <stddef.h>
#include <stdint.h>

#include "vpn/base/reader.h"

#define PRF_MAX_LEN 64

/* Output octets, which is also the preferred key length (RFC 7296 §2.14); 0 if unsupported. */
size_t prf_len(uint16_t prf);

/* prf(key, parts[0] | parts[1] | ...). out has prf_len octets. ERR_UNSUPPORTED, ERR_CRYPTO. */
int prf_compute(uint16_t prf, struct view key, const struct view *parts, size_t n, uint8_t *out);

/* prf+(key, seed) cut to out_len, which is at most 255 * prf_len (RFC 7296 §2.13). */
int prf_plus(uint16_t prf, struct view key, struct view seed, uint8_t *out, size_t out_len);

enum digest { DIGEST_SHA1 = 20, DIGEST_SHA2_256 = 32, DIGEST_SHA2_384 = 48, DIGEST_SHA2_512 = 64 };
/* The enum value is the output's length in octets. */
int digest_compute(enum digest alg, const struct view *parts, size_t n, uint8_t *out);

#endif
