/* cipher.h - one direction's packet cipher: encryption and integrity together, for IKE's SK payload
 * and for ESP, AEAD or encrypt-then-MAC alike.
 *
 * Layout in a packet:
 *
 *     aad | iv | data (ciphertext) | tail?   ->  icv
 *
 * AEAD (RFC 5116, 4106, 7634): aad authenticates, nonce = salt || iv; `tail` must be empty (ESN
 * stands in the aad, RFC 4106 §5).  CBC + HMAC (RFC 4303 §3.3.2.1, 7296 §3.14): the MAC runs over
 * aad, iv, data, tail (tail: the high half of an extended sequence number, RFC 4303 §2.2.1).
 *
 * Keys are cipher key || salt, or cipher key || integrity key. A struct cipher owns its copy and
 * wipes it. It is not safe for two threads at once. No function allocates after cipher_new. */
#ifndef VPN_CRYPTO_CIPHER_H
#define VPN_CRYPTO_CIPHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cipher_info {
	uint16_t encr, key_bits, integ;
	bool aead;
	size_t encr_key_len;  /* octets of cipher key with salt: what prf+ must yield for SK_e* (RFC
				 7296 §2.14) */
	size_t integ_key_len; /* octets of SK_a*, 0 for an AEAD (RFC 5282 §7) */
	size_t iv_len;	      /* 8 for our AEADs, 16 for CBC */
	size_t icv_len;
	size_t block; /* data must be a multiple of it: 16 for CBC, 1 for AEADs */
};

/* ERR_UNSUPPORTED if the pair does not exist or we do not implement it. */
int cipher_describe(uint16_t encr, uint16_t key_bits, uint16_t integ, struct cipher_info *ret_info);

enum cipher_dir { CIPHER_SEAL, CIPHER_OPEN };

struct cipher;
/* key has encr_key_len + integ_key_len octets. ERR_UNSUPPORTED, ERR_NOMEM, ERR_CRYPTO. */
int cipher_new(const struct cipher_info *info, enum cipher_dir dir, const uint8_t *key,
	       struct cipher **ret_cipher);
void cipher_free(struct cipher *c); /* NULL is fine */
const struct cipher_info *cipher_get_info(const struct cipher *c);

/* One packet; data is transformed in place. An IV must never repeat under a key: AEAD callers pass
 * a counter, CBC callers 16 unpredictable octets. */
struct cipher_job {
	const uint8_t *iv;
	const uint8_t *aad;
	size_t aad_len;
	uint8_t *data;
	size_t data_len;
	const uint8_t *tail;
	size_t tail_len;
	uint8_t *icv; /* written by seal, read by open */
	bool ok; /* open: the ICV was right (compared in constant time). If false, data is garbage.
		  */
};

/* Both set ok in each job. Jobs of a batch must not overlap. */
void cipher_seal(struct cipher *c, struct cipher_job *jobs, size_t n);
void cipher_open(struct cipher *c, struct cipher_job *jobs, size_t n);

/* "openssl" or "ipsec-mb": which library does the work for this cipher. */
const char *cipher_backend(const struct cipher *c);

#endif
