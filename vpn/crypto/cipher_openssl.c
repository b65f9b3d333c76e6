/* cipher_openssl.c - AEADs and CBC + HMAC with OpenSSL's EVP.
 *
 * The contexts are keyed once, in create; a packet only sets the IV, and the MAC restarts from its
 * keyed state. Nothing is allocated per packet. For CBC the MAC is checked before anything is
 * decrypted (RFC 4303 §3.4.4.1), for an AEAD OpenSSL decrypts first: the caller must look at `ok`
 * before the data.
 *
 * A length that does not fit (CBC data not in whole blocks, over INT_MAX octets, a tail with an
 * AEAD) makes the job fail like a wrong ICV does. */
#include "vpn/crypto/cipher_backend.h"

#include <limits.h>
#include <stdlib.h>

#include "vpn/base/err.h"
#include "vpn/base/secret.h"
#include "vpn/crypto/alg.h"
#include "vpn/crypto/ossl.h"

struct openssl_cipher {
	struct cipher base;
	EVP_CIPHER_CTX *evp;
	EVP_MAC_CTX *mac; /* NULL for an AEAD */
	uint8_t nonce[CIPHER_NONCE_LEN];
};

static const EVP_CIPHER *evp_of(const struct cipher_info *info)
{
	switch (info->encr) {
	case ENCR_CHACHA20_POLY1305:
		return EVP_chacha20_poly1305();
	case ENCR_AES_GCM_16:
		return info->key_bits == 256 ? EVP_aes_256_gcm() : EVP_aes_128_gcm();
	case ENCR_AES_CBC:
		return info->key_bits == 256 ? EVP_aes_256_cbc() : EVP_aes_128_cbc();
	default:
		return NULL;
	}
}

static const char *digest_of(uint16_t integ)
{
	switch (integ) {
	case INTEG_HMAC_SHA2_384_192:
		return "SHA384";
	case INTEG_HMAC_SHA2_512_256:
		return "SHA512";
	default:
		return "SHA256";
	}
}

static bool supports(const struct cipher_info *info)
{
	return evp_of(info) != NULL;
}

static EVP_MAC_CTX *mac_new(uint16_t integ, const uint8_t *key, size_t len)
{
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)digest_of(integ), 0),
	    OSSL_PARAM_construct_end()};
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *mac = hmac ? EVP_MAC_CTX_new(hmac) : NULL;

	EVP_MAC_free(hmac); /* the context keeps its own reference */
	if (mac && EVP_MAC_init(mac, key, len, params) == 1)
		return mac;
	EVP_MAC_CTX_free(mac);
	return NULL;
}

static void release(struct openssl_cipher *c)
{
	EVP_CIPHER_CTX_free(c->evp);
	EVP_MAC_CTX_free(c->mac);
	secret_wipe(c, sizeof(*c));
	free(c);
}

static void destroy(struct cipher *base)
{
	release((struct openssl_cipher *)base);
}

static bool set_keys(struct openssl_cipher *c, const struct cipher_info *info, enum cipher_dir dir,
		     const uint8_t *key)
{
	c->evp = EVP_CIPHER_CTX_new();
	if (!c->evp ||
	    EVP_CipherInit_ex(c->evp, evp_of(info), NULL, key, NULL, dir == CIPHER_SEAL) != 1)
		return false;
	if (info->aead) {
		memcpy(c->nonce, key + info->encr_key_len - CIPHER_SALT_LEN, CIPHER_SALT_LEN);
		return true;
	}
	c->mac = mac_new(info->integ, key + info->encr_key_len, info->integ_key_len);
	return c->mac && EVP_CIPHER_CTX_set_padding(c->evp, 0) == 1;
}

static int create(const struct cipher_info *info, enum cipher_dir dir, const uint8_t *key,
		  struct cipher **ret_cipher)
{
	struct openssl_cipher *c = calloc(1, sizeof(*c));

	if (!c)
		return ERR_NOMEM;
	if (!set_keys(c, info, dir, key)) {
		release(c);
		return ERR_CRYPTO;
	}
	*ret_cipher = &c->base;
	return 0;
}

static bool crypt_data(EVP_CIPHER_CTX *evp, const struct cipher_job *job)
{
	int len;

	return !job->data_len ||
	       EVP_CipherUpdate(evp, job->data, &len, job->data, (int)job->data_len) == 1;
}

static bool aead_start(struct openssl_cipher *c, const struct cipher_job *job)
{
	int len;

	if (job->tail_len || job->aad_len > INT_MAX)
		return false;
	memcpy(c->nonce + CIPHER_SALT_LEN, job->iv, CIPHER_AEAD_IV_LEN);
	return EVP_CipherInit_ex(c->evp, NULL, NULL, NULL, c->nonce, -1) == 1 &&
	       (!job->aad_len ||
		EVP_CipherUpdate(c->evp, NULL, &len, job->aad, (int)job->aad_len) == 1);
}

static bool aead_seal(struct openssl_cipher *c, struct cipher_job *job)
{
	uint8_t nothing[16];
	int len;

	return aead_start(c, job) && crypt_data(c->evp, job) &&
	       EVP_CipherFinal_ex(c->evp, nothing, &len) == 1 &&
	       EVP_CIPHER_CTX_ctrl(c->evp, EVP_CTRL_AEAD_GET_TAG, CIPHER_AEAD_ICV_LEN, job->icv) ==
		   1;
}

static bool aead_open(struct openssl_cipher *c, struct cipher_job *job)
{
	uint8_t nothing[16];
	int len;

	return aead_start(c, job) &&
	       EVP_CIPHER_CTX_ctrl(c->evp, EVP_CTRL_AEAD_SET_TAG, CIPHER_AEAD_ICV_LEN, job->icv) ==
		   1 &&
	       crypt_data(c->evp, job) && EVP_CipherFinal_ex(c->evp, nothing, &len) == 1;
}

static bool mac_part(EVP_MAC_CTX *mac, const uint8_t *p, size_t len)
{
	return !len || EVP_MAC_update(mac, p, len) == 1;
}

static bool mac_run(struct openssl_cipher *c, const struct cipher_job *job,
		    uint8_t tag[EVP_MAX_MD_SIZE])
{
	size_t len;

	return EVP_MAC_init(c->mac, NULL, 0, NULL) == 1 &&
	       mac_part(c->mac, job->aad, job->aad_len) &&
	       mac_part(c->mac, job->iv, c->base.info.iv_len) &&
	       mac_part(c->mac, job->data, job->data_len) &&
	       mac_part(c->mac, job->tail, job->tail_len) &&
	       EVP_MAC_final(c->mac, tag, &len, EVP_MAX_MD_SIZE) == 1;
}

static bool cbc_crypt(struct openssl_cipher *c, const struct cipher_job *job)
{
	return EVP_CipherInit_ex(c->evp, NULL, NULL, NULL, job->iv, -1) == 1 &&
	       crypt_data(c->evp, job);
}

static bool cbc_seal(struct openssl_cipher *c, struct cipher_job *job)
{
	uint8_t tag[EVP_MAX_MD_SIZE];

	if (job->data_len % c->base.info.block || !cbc_crypt(c, job) || !mac_run(c, job, tag))
		return false;
	memcpy(job->icv, tag, c->base.info.icv_len);
	return true;
}

static bool cbc_open(struct openssl_cipher *c, struct cipher_job *job)
{
	uint8_t tag[EVP_MAX_MD_SIZE];

	return job->data_len % c->base.info.block == 0 && mac_run(c, job, tag) &&
	       secret_eq(tag, job->icv, c->base.info.icv_len) && cbc_crypt(c, job);
}

static void run(struct cipher *base, struct cipher_job *jobs, size_t n)
{
	struct openssl_cipher *c = (struct openssl_cipher *)base;
	bool (*one)(struct openssl_cipher *, struct cipher_job *);
	size_t i;

	if (base->dir == CIPHER_SEAL)
		one = base->info.aead ? aead_seal : cbc_seal;
	else
		one = base->info.aead ? aead_open : cbc_open;
	for (i = 0; i < n; i++)
		jobs[i].ok = jobs[i].data_len <= INT_MAX && one(c, &jobs[i]);
}

const struct cipher_ops cipher_openssl = {
    .name = "openssl",
    .supports = supports,
    .create = create,
    .destroy = destroy,
    .run = run,
};
