/* ke.c - one key exchange: our private value, our public value, and the secret shared with a
 * peer's.
 *
 * Three families of groups, each with a function that makes the values and one that derives the
 * secret; the groups are rows of groups[]. Nothing here draws randomness of its own, so the same
 * random source gives the same exchange. Public values and secrets have a fixed
 * length per group: numbers are padded on the left (RFC 7296 §3.4, RFC 5903 §7).
 *
 * A peer's value is checked before it meets our private key: its length; for MODP that it is not 0,
 * 1 or p-1 (RFC 6989 §2.1: all our groups have a safe prime); for ECP that the point is on the
 * curve (RFC 6989 §2.3) and not at infinity; for X25519 that the result is not all zero (RFC 7748
 * §6.1).
 *
 * A struct ke owns its OpenSSL key or its private exponent and wipes it. */
#include "vpn/crypto/ke.h"

#include <stdlib.h>

#include "vpn/base/err.h"
#include "vpn/base/secret.h"
#include "vpn/crypto/alg.h"
#include "vpn/crypto/ossl.h"

#define ECP_TRIES \
	64 /* a random scalar is out of range with a chance below 2^-32: never by accident */

enum family { FAMILY_X25519, FAMILY_ECP, FAMILY_MODP };

struct group {
	uint16_t id;
	enum family family;
	size_t public_len;
	size_t secret_len;
	size_t private_len; /* octets taken from the random source */
	int nid;	    /* ECP */
	const char *name;
	BIGNUM *(*prime)(BIGNUM *bn); /* MODP */
};

/* MODP exponents have at least twice the upper strength estimate of RFC 3526 §8 (160 and 210 bits).
 */
static const struct group groups[] = {
    {KE_X25519, FAMILY_X25519, 32, 32, 32, NID_X25519, "X25519", NULL},
    {KE_ECP_256, FAMILY_ECP, 64, 32, 32, NID_X9_62_prime256v1, "P-256", NULL},
    {KE_ECP_384, FAMILY_ECP, 96, 48, 48, NID_secp384r1, "P-384", NULL},
    {KE_MODP_2048, FAMILY_MODP, 256, 256, 48, NID_undef, "MODP-2048", BN_get_rfc3526_prime_2048},
    {KE_MODP_3072, FAMILY_MODP, 384, 384, 56, NID_undef, "MODP-3072", BN_get_rfc3526_prime_3072},
};

struct ke {
	const struct group *group;
	EVP_PKEY *key;	  /* X25519, ECP */
	BIGNUM *exponent; /* MODP */
	uint8_t public[KE_PUBLIC_MAX];
};

static const struct group *group_find(uint16_t id)
{
	size_t i;

	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (groups[i].id == id)
			return &groups[i];
	return NULL;
}

size_t ke_public_len(uint16_t group)
{
	const struct group *g = group_find(group);

	return g ? g->public_len : 0;
}

uint16_t ke_group(const struct ke *ke)
{
	return ke->group->id;
}

struct view ke_public(const struct ke *ke)
{
	return (struct view){ke->public, ke->group->public_len};
}

static int x25519_make(struct ke *ke, const uint8_t *private)
{
	size_t len = ke->group->public_len;

	ke->key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private, 32);
	if (!ke->key || EVP_PKEY_get_raw_public_key(ke->key, ke->public, &len) != 1)
		return ERR_CRYPTO;
	return 0;
}

/* An EVP_PKEY of the curve from an uncompressed point, and a private scalar if there is one. */
static EVP_PKEY *ecp_key(const struct group *g, const uint8_t *point, size_t len, const BIGNUM *d)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;

	if (bld && ctx &&
	    OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, g->name, 0) &&
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, len) &&
	    (!d || OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, d)))
		params = OSSL_PARAM_BLD_to_param(bld);
	if (params && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &key, d ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static int ecp_make(struct ke *ke, const uint8_t *private)
{
	const struct group *g = ke->group;
	EC_GROUP *curve = EC_GROUP_new_by_curve_name(g->nid);
	EC_POINT *q = curve ? EC_POINT_new(curve) : NULL;
	BIGNUM *d = BN_secure_new();
	uint8_t point[1 + KE_PUBLIC_MAX];
	int err = ERR_CRYPTO;

	if (!q || !d || !BN_bin2bn(private, (int)g->private_len, d))
		goto out;
	BN_set_flags(d, BN_FLG_CONSTTIME);
	if (BN_is_zero(d) || BN_cmp(d, EC_GROUP_get0_order(curve)) >= 0) {
		err = ERR_AGAIN;
		goto out;
	}
	if (EC_POINT_mul(curve, q, d, NULL, NULL, NULL) != 1 ||
	    EC_POINT_point2oct(curve, q, POINT_CONVERSION_UNCOMPRESSED, point, sizeof(point),
			       NULL) != 1 + g->public_len)
		goto out;
	ke->key = ecp_key(g, point, 1 + g->public_len, d);
	if (!ke->key)
		goto out;
	memcpy(ke->public, point + 1, g->public_len);
	err = 0;
out:
	BN_clear_free(d);
	EC_POINT_free(q);
	EC_GROUP_free(curve);
	return err;
}

/* base^x mod p in constant time, left-padded to the group's length. */
static int modp_power(const struct group *g, const BIGNUM *base, const BIGNUM *x, uint8_t *out)
{
	BN_CTX *ctx = BN_CTX_secure_new();
	BIGNUM *p = g->prime(NULL), *y = BN_secure_new();
	int err = ERR_CRYPTO;

	if (ctx && p && y && BN_mod_exp_mont_consttime(y, base, x, p, ctx, NULL) == 1 &&
	    BN_bn2binpad(y, out, (int)g->secret_len) == (int)g->secret_len)
		err = 0;
	BN_clear_free(y);
	BN_free(p);
	BN_CTX_free(ctx);
	return err;
}

static int modp_make(struct ke *ke, const uint8_t *private)
{
	BIGNUM *two = BN_new();
	int err = ERR_CRYPTO;

	ke->exponent = BN_secure_new();
	if (two && ke->exponent && BN_set_word(two, 2) &&
	    BN_bin2bn(private, (int)ke->group->private_len, ke->exponent)) {
		BN_set_flags(ke->exponent, BN_FLG_CONSTTIME);
		err = BN_is_zero(ke->exponent)
			  ? ERR_AGAIN
			  : modp_power(ke->group, two, ke->exponent, ke->public);
	}
	BN_free(two);
	return err;
}

static int make(struct ke *ke, const uint8_t *private)
{
	switch (ke->group->family) {
	case FAMILY_X25519:
		return x25519_make(ke, private);
	case FAMILY_ECP:
		return ecp_make(ke, private);
	case FAMILY_MODP:
		return modp_make(ke, private);
	}
	return ERR_UNSUPPORTED;
}

static void clear(struct ke *ke)
{
	EVP_PKEY_free(ke->key);
	BN_clear_free(ke->exponent);
	ke->key = NULL;
	ke->exponent = NULL;
}

/* Takes private values until one is in range. */
static int make_random(struct ke *ke, random_fn random, void *random_ctx)
{
	uint8_t private[KE_SECRET_MAX];
	int err = ERR_AGAIN;
	int i;

	for (i = 0; i < ECP_TRIES && err == ERR_AGAIN; i++) {
		clear(ke);
		if (random(random_ctx, private, ke->group->private_len))
			err = ERR_CRYPTO;
		else
			err = make(ke, private);
	}
	secret_wipe(private, sizeof(private));
	return err == ERR_AGAIN ? ERR_CRYPTO : err;
}

int ke_new(uint16_t group, random_fn random, void *random_ctx, struct ke **ret_ke)
{
	const struct group *g = group_find(group);
	struct ke *ke;
	int err;

	if (!g)
		return ERR_UNSUPPORTED;
	ke = calloc(1, sizeof(*ke));
	if (!ke)
		return ERR_NOMEM;
	ke->group = g;
	err = make_random(ke, random, random_ctx);
	if (err) {
		ke_free(ke);
		return err;
	}
	*ret_ke = ke;
	return 0;
}

void ke_free(struct ke *ke)
{
	if (!ke)
		return;
	clear(ke);
	free(ke);
}

/* EVP_PKEY_derive_set_peer checks that the peer's point lies on the curve. */
static int evp_derive(const struct ke *ke, EVP_PKEY *peer, uint8_t *secret)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(ke->key, NULL);
	size_t len = ke->group->secret_len;
	int err = ERR_INVALID;

	if (ctx && EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
	    EVP_PKEY_derive(ctx, secret, &len) == 1 && len == ke->group->secret_len)
		err = 0;
	EVP_PKEY_CTX_free(ctx);
	return err;
}

static int x25519_derive(const struct ke *ke, struct view value, uint8_t *secret)
{
	static const uint8_t zero[32];
	EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, value.p, value.len);
	int err = peer ? evp_derive(ke, peer, secret) : ERR_INVALID;

	EVP_PKEY_free(peer);
	/* RFC 7748 §6.1: a point of small order */
	if (!err && secret_eq(secret, zero, sizeof(zero)))
		err = ERR_INVALID;
	return err;
}

static int ecp_derive(const struct ke *ke, struct view value, uint8_t *secret)
{
	uint8_t point[1 + KE_PUBLIC_MAX];
	EVP_PKEY *peer;
	int err;

	point[0] = POINT_CONVERSION_UNCOMPRESSED;
	memcpy(point + 1, value.p, value.len);
	peer = ecp_key(ke->group, point, 1 + value.len, NULL);
	err = peer ? evp_derive(ke, peer, secret) : ERR_INVALID;
	EVP_PKEY_free(peer);
	return err;
}

/* RFC 6989 §2.1: 1 < r < p-1 */
static bool modp_in_range(const struct group *g, const BIGNUM *r)
{
	BIGNUM *p = g->prime(NULL);
	bool ok = p && BN_sub_word(p, 1) && BN_cmp(r, BN_value_one()) > 0 && BN_cmp(r, p) < 0;

	BN_free(p);
	return ok;
}

static int modp_derive(const struct ke *ke, struct view value, uint8_t *secret)
{
	BIGNUM *r = BN_bin2bn(value.p, (int)value.len, NULL);
	int err = ERR_INVALID;

	if (r && modp_in_range(ke->group, r))
		err = modp_power(ke->group, r, ke->exponent, secret);
	BN_free(r);
	return err;
}

static int derive(const struct ke *ke, struct view peer, uint8_t *secret)
{
	switch (ke->group->family) {
	case FAMILY_X25519:
		return x25519_derive(ke, peer, secret);
	case FAMILY_ECP:
		return ecp_derive(ke, peer, secret);
	case FAMILY_MODP:
		return modp_derive(ke, peer, secret);
	}
	return ERR_UNSUPPORTED;
}

int ke_derive(const struct ke *ke, struct view peer, uint8_t *secret, size_t *ret_len)
{
	uint8_t s[KE_SECRET_MAX];
	int err;

	if (!peer.p || peer.len != ke->group->public_len)
		return ERR_INVALID;
	err = derive(ke, peer, s);
	if (!err) {
		memcpy(secret, s, ke->group->secret_len);
		*ret_len = ke->group->secret_len;
	}
	secret_wipe(s, sizeof(s));
	return err;
}
