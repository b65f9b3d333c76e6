/* prf.c - HMAC-SHA-2 as IKEv2's prf, prf+ on top of it, and plain digests, over OpenSSL.
 *
 * HMAC is fetched once for the process: fetching costs more than the HMAC of a short message. Every
 * call then works on a context of its own, so that any thread may call at any time. Intermediate
 * keys are wiped.
 *
 * RFC 7296 §2.13 (prf, prf+), RFC 4868 (HMAC-SHA-256, 384, 512), RFC 2104 (keys longer than a
 * block). */
#include "vpn/crypto/prf.h"

#include <pthread.h>

#include "vpn/base/err.h"
#include "vpn/base/secret.h"
#include "vpn/crypto/alg.h"
#include "vpn/crypto/ossl.h"

static EVP_MAC *hmac;
static pthread_once_t hmac_once = PTHREAD_ONCE_INIT;

static void fetch_hmac(void)
{
	hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
}

static const char *prf_digest(uint16_t prf)
{
	switch (prf) {
	case PRF_HMAC_SHA2_256:
		return "SHA256";
	case PRF_HMAC_SHA2_384:
		return "SHA384";
	case PRF_HMAC_SHA2_512:
		return "SHA512";
	default:
		return NULL;
	}
}

size_t prf_len(uint16_t prf)
{
	switch (prf) {
	case PRF_HMAC_SHA2_256:
		return DIGEST_SHA2_256;
	case PRF_HMAC_SHA2_384:
		return DIGEST_SHA2_384;
	case PRF_HMAC_SHA2_512:
		return DIGEST_SHA2_512;
	default:
		return 0;
	}
}

/* A keyed context, or NULL. */
static EVP_MAC_CTX *hmac_new(uint16_t prf, struct view key)
{
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)prf_digest(prf), 0),
	    OSSL_PARAM_construct_end()};
	static const uint8_t empty[1];
	EVP_MAC_CTX *ctx;

	pthread_once(&hmac_once, fetch_hmac);
	ctx = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
	if (ctx && EVP_MAC_init(ctx, key.len ? key.p : empty, key.len, params) == 1)
		return ctx;
	EVP_MAC_CTX_free(ctx);
	return NULL;
}

static bool hmac_run(EVP_MAC_CTX *ctx, const struct view *parts, size_t n, uint8_t *out)
{
	size_t i, len;

	for (i = 0; i < n; i++)
		if (parts[i].len && EVP_MAC_update(ctx, parts[i].p, parts[i].len) != 1)
			return false;
	return EVP_MAC_final(ctx, out, &len, PRF_MAX_LEN) == 1;
}

int prf_compute(uint16_t prf, struct view key, const struct view *parts, size_t n, uint8_t *out)
{
	uint8_t mac[PRF_MAX_LEN];
	EVP_MAC_CTX *ctx;
	bool ok;

	if (!prf_len(prf))
		return ERR_UNSUPPORTED;
	ctx = hmac_new(prf, key);
	if (!ctx)
		return ERR_CRYPTO;
	ok = hmac_run(ctx, parts, n, mac);
	EVP_MAC_CTX_free(ctx);
	if (ok)
		memcpy(out, mac, prf_len(prf));
	secret_wipe(mac, sizeof(mac));
	return ok ? 0 : ERR_CRYPTO;
}

/* T1 = prf(K, S | 0x01), Tn = prf(K, Tn-1 | S | n): RFC 7296 §2.13 */
static bool prf_plus_run(EVP_MAC_CTX *ctx, size_t block, struct view seed, uint8_t *out,
			 size_t out_len)
{
	uint8_t t[PRF_MAX_LEN], round = 0;
	struct view parts[3] = {{t, 0}, seed, {&round, 1}};
	bool ok = true;
	size_t at;

	for (at = 0; ok && at < out_len; at += block) {
		round++;
		ok = (round == 1 || EVP_MAC_init(ctx, NULL, 0, NULL) == 1) &&
		     hmac_run(ctx, parts, 3, t);
		if (ok)
			memcpy(out + at, t, out_len - at < block ? out_len - at : block);
		parts[0].len = block;
	}
	secret_wipe(t, sizeof(t));
	return ok;
}

int prf_plus(uint16_t prf, struct view key, struct view seed, uint8_t *out, size_t out_len)
{
	size_t block = prf_len(prf);
	EVP_MAC_CTX *ctx;
	bool ok;

	if (!block)
		return ERR_UNSUPPORTED;
	if (out_len > 255 * block)
		return ERR_INVALID;
	ctx = hmac_new(prf, key);
	if (!ctx)
		return ERR_CRYPTO;
	ok = prf_plus_run(ctx, block, seed, out, out_len);
	EVP_MAC_CTX_free(ctx);
	if (!ok)
		secret_wipe(out, out_len);
	return ok ? 0 : ERR_CRYPTO;
}

static const EVP_MD *digest_md(enum digest alg)
{
	switch (alg) {
	case DIGEST_SHA1:
		return EVP_sha1();
	case DIGEST_SHA2_256:
		return EVP_sha256();
	case DIGEST_SHA2_384:
		return EVP_sha384();
	case DIGEST_SHA2_512:
		return EVP_sha512();
	}
	return NULL;
}

int digest_compute(enum digest alg, const struct view *parts, size_t n, uint8_t *out)
{
	const EVP_MD *md = digest_md(alg);
	EVP_MD_CTX *ctx;
	bool ok;
	size_t i;

	if (!md)
		return ERR_UNSUPPORTED;
	ctx = EVP_MD_CTX_new();
	ok = ctx && EVP_DigestInit_ex(ctx, md, NULL) == 1;
	for (i = 0; ok && i < n; i++)
		ok = !parts[i].len || EVP_DigestUpdate(ctx, parts[i].p, parts[i].len) == 1;
	ok = ok && EVP_DigestFinal_ex(ctx, out, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	return ok ? 0 : ERR_CRYPTO;
}
