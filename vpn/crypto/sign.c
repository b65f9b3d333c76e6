/* sign.c - the signatures of the AUTH payload.
 *
 * Method 14 carries its algorithm as a DER AlgorithmIdentifier (RFC 7427 §3):
 *
 *     length (1) | AlgorithmIdentifier (length) | signature
 *
 * We sign with the rows of SCHEMES: Ed25519 (RFC 8420), ECDSA with the hash of the curve's size,
 * and for RSA RSASSA-PSS, which RFC 8247 §3.2 demands and every peer of the last years verifies. We
 * verify those, and RSASSA-PKCS1-v1_5 (strongSwan's default) with SHA-2. SHA-1 is refused there
 * (RFC 8247 §3.2).
 *
 * For a peer without RFC 7427: method 1 (RSASSA-PKCS1-v1_5; the hash is not named: RFC 7296 §3.8
 * makes SHA-1 the default to sign with, so that is what we sign; any SHA-2 or SHA-1 is verified),
 * and methods 9 to 11 (RFC 4754: ECDSA as r | s, hash and curve fixed by the method). Whether a
 * peer that did announce RFC 7427 may use them is the caller's to say.
 *
 * ECDSA and PSS draw from OpenSSL's random generator: only Ed25519 and PKCS#1 v1.5 repeat bit for
 * bit. */
#include "vpn/crypto/pki.h"

#include <string.h>

#include "vpn/base/secret.h"
#include "vpn/base/writer.h"
#include "vpn/crypto/pki_internal.h"

enum padding { PAD_NONE, PAD_PKCS1, PAD_PSS };

/* How to sign or to verify. */
struct scheme {
	enum key_type type;
	enum sig_hash hash;
	enum padding padding;
	int salt_len; /* PSS */
};

#define SEQ_RSA(n) "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01" n "\x05\x00"
#define SEQ_EC(n)  "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03" n
#define OID_SHA(n) "\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02" n "\x05\x00"
#define SEQ_PSS(n, salt)                                                                             \
	"\x30\x46\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x39\xa0\x0f" OID_SHA(              \
	    n) "\xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08" OID_SHA(n) "\xa2"      \
											 "\x03"      \
											 "\x02"      \
											 "\x01" salt \
											 "\xa3"      \
											 "\x03"      \
											 "\x02"      \
											 "\x01"      \
											 "\x01"

/* What we sign with in method 14: RFC 7427 appendix A, RFC 8420 appendix A. */
#define SCHEMES(X)                                                                     \
	X(KEY_ED25519, SIG_HASH_IDENTITY, PAD_NONE, 0, "\x30\x05\x06\x03\x2b\x65\x70") \
	X(KEY_ECDSA, SIG_HASH_SHA2_256, PAD_NONE, 0, SEQ_EC("\x02"))                   \
	X(KEY_ECDSA, SIG_HASH_SHA2_384, PAD_NONE, 0, SEQ_EC("\x03"))                   \
	X(KEY_ECDSA, SIG_HASH_SHA2_512, PAD_NONE, 0, SEQ_EC("\x04"))                   \
	X(KEY_RSA, SIG_HASH_SHA2_256, PAD_PSS, 32, SEQ_PSS("\x01", "\x20"))            \
	X(KEY_RSA, SIG_HASH_SHA2_384, PAD_PSS, 48, SEQ_PSS("\x02", "\x30"))            \
	X(KEY_RSA, SIG_HASH_SHA2_512, PAD_PSS, 64, SEQ_PSS("\x03", "\x40"))

static const struct identified {
	struct scheme scheme;
	struct view id;
} schemes[] = {
#define X(type, hash, padding, salt, der) \
	{{type, hash, padding, salt}, {(const uint8_t *)der, sizeof(der) - 1}},
    SCHEMES(X)
#undef X
};

#define N_SCHEMES (sizeof(schemes) / sizeof(schemes[0]))

static const char *hash_name(enum sig_hash hash)
{
	switch (hash) {
	case SIG_HASH_SHA1:
		return "SHA1";
	case SIG_HASH_SHA2_256:
		return "SHA256";
	case SIG_HASH_SHA2_384:
		return "SHA384";
	case SIG_HASH_SHA2_512:
		return "SHA512";
	case SIG_HASH_IDENTITY:
		break;
	}
	return NULL; /* Ed25519 hashes by itself: RFC 8420 §2 */
}

static bool set_padding(EVP_PKEY_CTX *ctx, const struct scheme *s)
{
	switch (s->padding) {
	case PAD_NONE:
		return true;
	case PAD_PKCS1:
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1;
	case PAD_PSS:
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
		       EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, hash_name(s->hash), NULL) == 1 &&
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, s->salt_len) == 1;
	}
	return false;
}

/* ---- the old ECDSA methods: r | s of fixed length (RFC 4754 §7) ---- */

struct old_ecdsa {
	enum auth_wire_method method;
	unsigned bits;
	enum sig_hash hash;
	size_t half; /* octets of r and of s */
};

static const struct old_ecdsa old_ecdsa[] = {
    {AUTH_ECDSA_256, 256, SIG_HASH_SHA2_256, 32},
    {AUTH_ECDSA_384, 384, SIG_HASH_SHA2_384, 48},
    {AUTH_ECDSA_521, 521, SIG_HASH_SHA2_512, 66},
};

#define ECDSA_DER_MAX (2 * 66 + 16)

static const struct old_ecdsa *old_ecdsa_by_method(uint8_t method)
{
	size_t i;

	for (i = 0; i < 3; i++)
		if (old_ecdsa[i].method == method)
			return &old_ecdsa[i];
	return NULL;
}

static const struct old_ecdsa *old_ecdsa_by_bits(unsigned bits)
{
	size_t i;

	for (i = 0; i < 3; i++)
		if (old_ecdsa[i].bits == bits)
			return &old_ecdsa[i];
	return NULL;
}

static bool raw_from_der(struct view der, size_t half, uint8_t *raw)
{
	const unsigned char *p = der.p;
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)der.len);
	bool ok = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, (int)half) == (int)half &&
		  BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + half, (int)half) == (int)half;

	ECDSA_SIG_free(sig);
	return ok;
}

/* Returns the length, 0 on failure. */
static size_t der_from_raw(const uint8_t *raw, size_t half, uint8_t der[ECDSA_DER_MAX])
{
	BIGNUM *r = BN_bin2bn(raw, (int)half, NULL), *s = BN_bin2bn(raw + half, (int)half, NULL);
	ECDSA_SIG *sig = ECDSA_SIG_new();
	int len = 0;

	if (!r || !s || !sig || ECDSA_SIG_set0(sig, r, s) != 1) {
		BN_free(r);
		BN_free(s);
	} else {
		len = i2d_ECDSA_SIG(sig, NULL);
		len = len > 0 && len <= ECDSA_DER_MAX ? i2d_ECDSA_SIG(sig, &der) : 0;
	}
	ECDSA_SIG_free(sig);
	return len > 0 ? (size_t)len : 0;
}

/* ---- signing ---- */

static int sign(const struct privkey *key, const struct scheme *s, struct view octets, uint8_t *sig,
		size_t *len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx;
	int err = ERR_CRYPTO;

	if (ctx &&
	    EVP_DigestSignInit_ex(ctx, &pctx, hash_name(s->hash), NULL, NULL, key->pub.evp, NULL) ==
		1 &&
	    set_padding(pctx, s) && EVP_DigestSign(ctx, sig, len, octets.p, octets.len) == 1)
		err = 0;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return err;
}

static unsigned hash_bits(enum sig_hash hash)
{
	switch (hash) {
	case SIG_HASH_SHA2_256:
		return 256;
	case SIG_HASH_SHA2_384:
		return 384;
	default:
		return 512;
	}
}

/* The hash that is as strong as the key: by NIST SP 800-57's strengths for RSA, the curve's for
 * ECDSA. */
static unsigned wanted_hash_bits(const struct pubkey *key)
{
	if (key->type == KEY_RSA)
		return key->bits > 7680 ? 512 : key->bits > 3072 ? 384 : 256;
	return key->bits > 384 ? 512 : key->bits;
}

/* The first hash of the peer's that is strong enough, else its strongest; NULL if there is none. */
static const struct identified *choose(const struct pubkey *key, unsigned peer_hashes)
{
	unsigned want = wanted_hash_bits(key);
	const struct identified *best = NULL;
	size_t i;

	for (i = 0; i < N_SCHEMES; i++) {
		const struct scheme *s = &schemes[i].scheme;

		if (s->type != key->type || !(peer_hashes & SIG_HASH_BIT(s->hash)))
			continue;
		best = &schemes[i];
		if (hash_bits(s->hash) >= want)
			break;
	}
	return best;
}

static int sign_rfc7427(const struct privkey *key, unsigned peer_hashes, struct view octets,
			uint8_t *auth_data, size_t *ret_len)
{
	const struct identified *how = choose(&key->pub, peer_hashes);
	struct writer w = wr_init(auth_data, SIG_MAX);
	size_t len;
	int err;

	if (!how)
		return ERR_UNSUPPORTED;
	wr_u8(&w, (uint8_t)how->id.len);
	wr_bytes(&w, how->id.p, how->id.len);
	len = SIG_MAX - w.len;
	err = sign(key, &how->scheme, octets, auth_data + w.len, &len);
	if (!err)
		*ret_len = w.len + len;
	return err;
}

static int sign_old_ecdsa(const struct privkey *key, struct view octets, uint8_t *ret_method,
			  uint8_t *auth_data, size_t *ret_len)
{
	const struct old_ecdsa *old = old_ecdsa_by_bits(key->pub.bits);
	uint8_t der[ECDSA_DER_MAX];
	size_t len = sizeof(der);
	struct scheme s;
	int err;

	if (!old)
		return ERR_UNSUPPORTED;
	s = (struct scheme){KEY_ECDSA, old->hash, PAD_NONE, 0};
	err = sign(key, &s, octets, der, &len);
	if (!err && !raw_from_der((struct view){der, len}, old->half, auth_data))
		err = ERR_CRYPTO;
	if (err)
		return err;
	*ret_method = (uint8_t)old->method;
	*ret_len = 2 * old->half;
	return 0;
}

static int sign_old_rsa(const struct privkey *key, struct view octets, uint8_t *ret_method,
			uint8_t *auth_data, size_t *ret_len)
{
	static const struct scheme s = {KEY_RSA, SIG_HASH_SHA1, PAD_PKCS1, 0};
	size_t len = SIG_MAX;
	int err = sign(key, &s, octets, auth_data, &len);

	if (err)
		return err;
	*ret_method = AUTH_RSA_SIG;
	*ret_len = len;
	return 0;
}

int privkey_sign(const struct privkey *key, unsigned peer_hashes, struct view octets,
		 uint8_t *ret_method, uint8_t auth_data[SIG_MAX], size_t *ret_len)
{
	int err;

	if (!peer_hashes) {
		switch (key->pub.type) {
		case KEY_RSA:
			return sign_old_rsa(key, octets, ret_method, auth_data, ret_len);
		case KEY_ECDSA:
			return sign_old_ecdsa(key, octets, ret_method, auth_data, ret_len);
		default:
			return ERR_UNSUPPORTED;
		}
	}
	err = sign_rfc7427(key, peer_hashes, octets, auth_data, ret_len);
	if (!err)
		*ret_method = AUTH_DIGITAL_SIGNATURE;
	return err;
}

/* ---- verifying ---- */

static bool verify(const struct pubkey *key, const struct scheme *s, struct view sig,
		   struct view octets)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx;
	bool ok = ctx &&
		  EVP_DigestVerifyInit_ex(ctx, &pctx, hash_name(s->hash), NULL, NULL, key->evp,
					  NULL) == 1 &&
		  set_padding(pctx, s) &&
		  EVP_DigestVerify(ctx, sig.p, sig.len, octets.p, octets.len) == 1;

	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

static bool hash_from_nid(int nid, enum sig_hash *ret_hash)
{
	switch (nid) {
	case NID_sha1:
		*ret_hash = SIG_HASH_SHA1;
		return true;
	case NID_sha256:
		*ret_hash = SIG_HASH_SHA2_256;
		return true;
	case NID_sha384:
		*ret_hash = SIG_HASH_SHA2_384;
		return true;
	case NID_sha512:
		*ret_hash = SIG_HASH_SHA2_512;
		return true;
	default:
		return false;
	}
}

static bool hash_from_algor(const X509_ALGOR *alg, enum sig_hash *ret_hash)
{
	const ASN1_OBJECT *oid;

	X509_ALGOR_get0(&oid, NULL, NULL, alg);
	return hash_from_nid(OBJ_obj2nid(oid), ret_hash);
}

/* Parameters of RSASSA-PSS (RFC 4055 §3.1); what is left out defaults to SHA-1. */
static bool pss_from_params(const RSA_PSS_PARAMS *params, struct scheme *ret)
{
	struct scheme s = {KEY_RSA, SIG_HASH_SHA1, PAD_PSS, 20};
	enum sig_hash mgf_hash = SIG_HASH_SHA1;
	const ASN1_OBJECT *mgf = NULL;

	if (params->hashAlgorithm && !hash_from_algor(params->hashAlgorithm, &s.hash))
		return false;
	if (params->maskGenAlgorithm) {
		X509_ALGOR_get0(&mgf, NULL, NULL, params->maskGenAlgorithm);
		if (OBJ_obj2nid(mgf) != NID_mgf1 || !params->maskHash ||
		    !hash_from_algor(params->maskHash, &mgf_hash))
			return false;
	}
	if (params->saltLength)
		s.salt_len = (int)ASN1_INTEGER_get(params->saltLength);
	if (params->trailerField && ASN1_INTEGER_get(params->trailerField) != 1)
		return false;
	if (mgf_hash != s.hash || s.salt_len < 0 || s.salt_len > RSA_MAX_BITS / 8)
		return false;
	*ret = s;
	return true;
}

static bool scheme_from_pss(const X509_ALGOR *alg, struct scheme *ret)
{
	RSA_PSS_PARAMS *params = NULL;
	X509_ALGOR *mask_hash = NULL;
	const void *value;
	int type;
	bool ok;

	X509_ALGOR_get0(NULL, &type, &value, alg);
	if (type == V_ASN1_SEQUENCE)
		params = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(RSA_PSS_PARAMS), alg->parameter);
	if (!params)
		return false;
	if (!params->maskHash && params->maskGenAlgorithm && params->maskGenAlgorithm->parameter) {
		mask_hash = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(X509_ALGOR),
						      params->maskGenAlgorithm->parameter);
		params->maskHash = mask_hash; /* freed with params */
	}
	ok = pss_from_params(params, ret);
	RSA_PSS_PARAMS_free(params);
	return ok;
}

static bool scheme_from_algor(const X509_ALGOR *alg, struct scheme *ret)
{
	struct scheme s = {.padding = PAD_NONE};
	const ASN1_OBJECT *oid;
	int params, hash, key;

	X509_ALGOR_get0(&oid, &params, NULL, alg);
	if (OBJ_obj2nid(oid) == NID_rsassaPss)
		return scheme_from_pss(alg, ret);
	if (params != V_ASN1_UNDEF && params != V_ASN1_NULL)
		return false;
	if (!OBJ_find_sigid_algs(OBJ_obj2nid(oid), &hash, &key))
		return false;
	if (key == NID_ED25519) {
		s.type = KEY_ED25519;
		s.hash = SIG_HASH_IDENTITY;
	} else if (key == NID_rsaEncryption || key == NID_X9_62_id_ecPublicKey) {
		s.type = key == NID_rsaEncryption ? KEY_RSA : KEY_ECDSA;
		s.padding = s.type == KEY_RSA ? PAD_PKCS1 : PAD_NONE;
		if (!hash_from_nid(hash, &s.hash))
			return false;
	} else {
		return false;
	}
	*ret = s;
	return true;
}

/* Parses the AlgorithmIdentifier; it must fill its octets. */
static bool scheme_from_der(struct view der, struct scheme *ret)
{
	const unsigned char *p = der.p;
	X509_ALGOR *alg = der.len ? d2i_X509_ALGOR(NULL, &p, (long)der.len) : NULL;
	bool ok = alg && p == der.p + der.len && scheme_from_algor(alg, ret);

	X509_ALGOR_free(alg);
	ERR_clear_error();
	return ok;
}

static int wrong(const struct pubkey *key, struct err_msg *msg)
{
	return err_set(msg, ERR_AUTH, "the %s signature does not verify with the peer's public key",
		       key_type_name(key->type));
}

static int verify_rfc7427(const struct pubkey *key, struct view auth_data, struct view octets,
			  struct err_msg *msg)
{
	struct reader r = rd_init(auth_data.p, auth_data.len);
	struct view id = rd_view(&r, rd_u8(&r)), sig = rd_rest(&r);
	struct scheme s;

	if (!rd_ok(&r) || !sig.len)
		return err_set(msg, ERR_AUTH, "the AUTH payload is too short for a signature");
	if (!scheme_from_der(id, &s))
		return err_set(msg, ERR_UNSUPPORTED,
			       "the signature algorithm of the AUTH payload is not supported");
	if (s.hash == SIG_HASH_SHA1)
		return err_set(msg, ERR_UNSUPPORTED,
			       "the signature uses SHA-1"); /* RFC 8247 §3.2 */
	if (s.type != key->type)
		return err_set(msg, ERR_AUTH, "the signature is %s, the peer's public key %s",
			       key_type_name(s.type), key_type_name(key->type));
	return verify(key, &s, sig, octets) ? 0 : wrong(key, msg);
}

static int verify_old_rsa(const struct pubkey *key, struct view sig, struct view octets,
			  struct err_msg *msg)
{
	static const enum sig_hash hashes[] = {SIG_HASH_SHA2_256, SIG_HASH_SHA2_384,
					       SIG_HASH_SHA2_512, SIG_HASH_SHA1};
	size_t i;

	if (key->type != KEY_RSA)
		return err_set(msg, ERR_AUTH, "the signature is RSA, the peer's public key %s",
			       key_type_name(key->type));
	for (i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
		struct scheme s = {KEY_RSA, hashes[i], PAD_PKCS1, 0};

		if (verify(key, &s, sig, octets))
			return 0;
	}
	return wrong(key, msg);
}

static int verify_old_ecdsa(const struct pubkey *key, const struct old_ecdsa *old, struct view sig,
			    struct view octets, struct err_msg *msg)
{
	struct scheme s = {KEY_ECDSA, old->hash, PAD_NONE, 0};
	uint8_t der[ECDSA_DER_MAX];
	size_t len;

	if (key->type != KEY_ECDSA || key->bits != old->bits)
		return err_set(msg, ERR_AUTH,
			       "the signature is ECDSA-%u, the peer's public key %s-%u", old->bits,
			       key_type_name(key->type), key->bits);
	if (sig.len != 2 * old->half)
		return wrong(key, msg);
	len = der_from_raw(sig.p, old->half, der);
	if (!len || !verify(key, &s, (struct view){der, len}, octets))
		return wrong(key, msg);
	return 0;
}

int pubkey_verify(const struct pubkey *key, uint8_t method, struct view auth_data,
		  struct view octets, struct err_msg *msg)
{
	const struct old_ecdsa *old = old_ecdsa_by_method(method);

	if (key->type == KEY_RSA && key->bits < RSA_MIN_BITS)
		return err_set(msg, ERR_UNSUPPORTED,
			       "the peer's RSA key has %u bits: at least %d are needed", key->bits,
			       RSA_MIN_BITS);
	if (!auth_data.p || !auth_data.len)
		return err_set(msg, ERR_AUTH, "the AUTH payload is empty");
	if (old)
		return verify_old_ecdsa(key, old, auth_data, octets, msg);
	if (method == AUTH_RSA_SIG)
		return verify_old_rsa(key, auth_data, octets, msg);
	if (method == AUTH_DIGITAL_SIGNATURE)
		return verify_rfc7427(key, auth_data, octets, msg);
	return err_set(msg, ERR_UNSUPPORTED, "authentication method %u is no signature of ours",
		       method);
}
