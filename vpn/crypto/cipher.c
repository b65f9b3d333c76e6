/* cipher.c - which ciphers there are, their sizes, and which library does the work.
 *
 * The work itself stands in cipher_openssl.c, which can do all, and cipher_ipsec_mb.c, which does
 * the AEADs faster on x86 (with AVX2 1.1 times for ChaCha20-Poly1305 and 1.6 times for AES-GCM: the
 * benchmark esp-cipher measures it) and is taken for them where it is built in and the processor
 * allows. The direction of a call is checked here; what does not fit a packet, the backends refuse.
 *
 * RFC 4106, 5282 (AES-GCM), RFC 7634 (ChaCha20-Poly1305), RFC 3602 (AES-CBC), RFC 4868
 * (HMAC-SHA-2), RFC 7296 §2.14 and RFC 4303 §2 (order and length of keys). */
#include "vpn/crypto/cipher.h"

#include <assert.h>

#include "vpn/base/err.h"
#include "vpn/crypto/alg.h"
#include "vpn/crypto/cipher_backend.h"

#define AES_BLOCK 16

static int describe_aead(uint16_t encr, uint16_t key_bits, uint16_t integ,
			 struct cipher_info *ret_info)
{
	if (integ != INTEG_NONE)
		return ERR_UNSUPPORTED; /* RFC 5282 §8 */
	*ret_info = (struct cipher_info){
	    .encr = encr,
	    .key_bits = key_bits,
	    .integ = integ,
	    .aead = true,
	    .encr_key_len = (key_bits ? key_bits / 8u : 32) + CIPHER_SALT_LEN,
	    .iv_len = CIPHER_AEAD_IV_LEN,
	    .icv_len = CIPHER_AEAD_ICV_LEN,
	    .block = 1,
	};
	return 0;
}

/* RFC 4868 §2.1: the key is as long as the hash, the ICV half as long. */
static size_t hmac_len(uint16_t integ)
{
	switch (integ) {
	case INTEG_HMAC_SHA2_256_128:
		return 32;
	case INTEG_HMAC_SHA2_384_192:
		return 48;
	case INTEG_HMAC_SHA2_512_256:
		return 64;
	default:
		return 0;
	}
}

static int describe_cbc(uint16_t encr, uint16_t key_bits, uint16_t integ,
			struct cipher_info *ret_info)
{
	size_t hash = hmac_len(integ);

	if (!hash)
		return ERR_UNSUPPORTED;
	*ret_info = (struct cipher_info){
	    .encr = encr,
	    .key_bits = key_bits,
	    .integ = integ,
	    .aead = false,
	    .encr_key_len = key_bits / 8u,
	    .integ_key_len = hash,
	    .iv_len = AES_BLOCK,
	    .icv_len = hash / 2,
	    .block = AES_BLOCK,
	};
	return 0;
}

int cipher_describe(uint16_t encr, uint16_t key_bits, uint16_t integ, struct cipher_info *ret_info)
{
	if (!alg_find(TRANSFORM_ENCR, encr, key_bits))
		return ERR_UNSUPPORTED;
	if (alg_is_aead(encr))
		return describe_aead(encr, key_bits, integ, ret_info);
	return describe_cbc(encr, key_bits, integ, ret_info);
}

static const struct cipher_ops *ops_of(enum cipher_backend backend, const struct cipher_info *info)
{
#ifdef HAVE_IPSEC_MB
	if (backend != CIPHER_OPENSSL && cipher_ipsec_mb.supports(info))
		return &cipher_ipsec_mb;
#endif
	if (backend != CIPHER_IPSEC_MB && cipher_openssl.supports(info))
		return &cipher_openssl;
	return NULL;
}

int cipher_new_with(enum cipher_backend backend, const struct cipher_info *info,
		    enum cipher_dir dir, const uint8_t *key, struct cipher **ret_cipher)
{
	const struct cipher_ops *ops = ops_of(backend, info);
	struct cipher *c;
	int err;

	if (!ops)
		return ERR_UNSUPPORTED;
	err = ops->create(info, dir, key, &c);
	if (err)
		return err;
	c->ops = ops;
	c->info = *info;
	c->dir = dir;
	*ret_cipher = c;
	return 0;
}

int cipher_new(const struct cipher_info *info, enum cipher_dir dir, const uint8_t *key,
	       struct cipher **ret_cipher)
{
	return cipher_new_with(CIPHER_BEST, info, dir, key, ret_cipher);
}

void cipher_free(struct cipher *c)
{
	if (c)
		c->ops->destroy(c);
}

const struct cipher_info *cipher_get_info(const struct cipher *c)
{
	return &c->info;
}

const char *cipher_backend(const struct cipher *c)
{
	return c->ops->name;
}

void cipher_seal(struct cipher *c, struct cipher_job *jobs, size_t n)
{
	assert(c->dir == CIPHER_SEAL);
	c->ops->run(c, jobs, n);
}

void cipher_open(struct cipher *c, struct cipher_job *jobs, size_t n)
{
	assert(c->dir == CIPHER_OPEN);
	c->ops->run(c, jobs, n);
}
