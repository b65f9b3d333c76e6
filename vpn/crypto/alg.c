/* alg.c - the table of transforms that we implement, and the names of those that we do not.
 *
 * ALGS is the one place that lists what beetd can negotiate; cipher.c, prf.c and ke.c implement its
 * rows. NAMES repeats IANA's "IKEv2 Parameters" registry as far as it is known here, so that a log
 * or an error can say "AES_CCM_16_256" of a peer's proposal that we must refuse. Both spell names
 * as strongSwan does: proposals in its logs and in swanctl's output then read the same on both
 * ends.
 *
 * The order of ALGS is the order of preference, strongest first within a type. */
#include "vpn/crypto/alg.h"

#include <stdio.h>
#include <string.h>

/* type, id, key bits, name, keyword, alias, alias, reference */
#define ALGS(X)                                                                                 \
	X(ENCR, ENCR_CHACHA20_POLY1305, 0, "CHACHA20_POLY1305", "chacha20poly1305", NULL, NULL, \
	  "RFC 7634")                                                                           \
	X(ENCR, ENCR_AES_GCM_16, 256, "AES_GCM_16_256", "aes256gcm16", "aes256gcm128",          \
	  "aes256gcm", "RFC 4106")                                                              \
	X(ENCR, ENCR_AES_GCM_16, 128, "AES_GCM_16_128", "aes128gcm16", "aes128gcm128",          \
	  "aes128gcm", "RFC 4106")                                                              \
	X(ENCR, ENCR_AES_CBC, 256, "AES_CBC_256", "aes256", NULL, NULL, "RFC 3602")             \
	X(ENCR, ENCR_AES_CBC, 128, "AES_CBC_128", "aes128", "aes", NULL, "RFC 3602")            \
	X(INTEG, INTEG_HMAC_SHA2_256_128, 0, "HMAC_SHA2_256_128", "sha256", "sha2_256", NULL,   \
	  "RFC 4868")                                                                           \
	X(INTEG, INTEG_HMAC_SHA2_384_192, 0, "HMAC_SHA2_384_192", "sha384", "sha2_384", NULL,   \
	  "RFC 4868")                                                                           \
	X(INTEG, INTEG_HMAC_SHA2_512_256, 0, "HMAC_SHA2_512_256", "sha512", "sha2_512", NULL,   \
	  "RFC 4868")                                                                           \
	X(PRF, PRF_HMAC_SHA2_256, 0, "PRF_HMAC_SHA2_256", "prfsha256", "sha256", "sha2_256",    \
	  "RFC 4868")                                                                           \
	X(PRF, PRF_HMAC_SHA2_384, 0, "PRF_HMAC_SHA2_384", "prfsha384", "sha384", "sha2_384",    \
	  "RFC 4868")                                                                           \
	X(PRF, PRF_HMAC_SHA2_512, 0, "PRF_HMAC_SHA2_512", "prfsha512", "sha512", "sha2_512",    \
	  "RFC 4868")                                                                           \
	X(KE, KE_X25519, 0, "CURVE_25519", "curve25519", "x25519", NULL, "RFC 8031")            \
	X(KE, KE_ECP_256, 0, "ECP_256", "ecp256", NULL, NULL, "RFC 5903")                       \
	X(KE, KE_ECP_384, 0, "ECP_384", "ecp384", NULL, NULL, "RFC 5903")                       \
	X(KE, KE_MODP_3072, 0, "MODP_3072", "modp3072", NULL, NULL, "RFC 3526")                 \
	X(KE, KE_MODP_2048, 0, "MODP_2048", "modp2048", NULL, NULL, "RFC 3526")                 \
	X(ESN, 0, 0, "NO_EXT_SEQ", "noesn", NULL, NULL, "RFC 4303")                             \
	X(ESN, 1, 0, "EXT_SEQ", "esn", NULL, NULL, "RFC 4304")

/* type, id, name without key length */
#define NAMES(X)                             \
	X(ENCR, 1, "DES_IV64")               \
	X(ENCR, 2, "DES_CBC")                \
	X(ENCR, 3, "3DES_CBC")               \
	X(ENCR, 4, "RC5_CBC")                \
	X(ENCR, 5, "IDEA_CBC")               \
	X(ENCR, 6, "CAST_CBC")               \
	X(ENCR, 7, "BLOWFISH_CBC")           \
	X(ENCR, 8, "3IDEA")                  \
	X(ENCR, 9, "DES_IV32")               \
	X(ENCR, 11, "NULL")                  \
	X(ENCR, 12, "AES_CBC")               \
	X(ENCR, 13, "AES_CTR")               \
	X(ENCR, 14, "AES_CCM_8")             \
	X(ENCR, 15, "AES_CCM_12")            \
	X(ENCR, 16, "AES_CCM_16")            \
	X(ENCR, 18, "AES_GCM_8")             \
	X(ENCR, 19, "AES_GCM_12")            \
	X(ENCR, 20, "AES_GCM_16")            \
	X(ENCR, 21, "NULL_AES_GMAC")         \
	X(ENCR, 23, "CAMELLIA_CBC")          \
	X(ENCR, 24, "CAMELLIA_CTR")          \
	X(ENCR, 25, "CAMELLIA_CCM_8")        \
	X(ENCR, 26, "CAMELLIA_CCM_12")       \
	X(ENCR, 27, "CAMELLIA_CCM_16")       \
	X(ENCR, 28, "CHACHA20_POLY1305")     \
	X(ENCR, 29, "AES_CCM_8_IIV")         \
	X(ENCR, 30, "AES_GCM_16_IIV")        \
	X(ENCR, 31, "CHACHA20_POLY1305_IIV") \
	X(ENCR, 32, "KUZNYECHIK_MGM_KTREE")  \
	X(ENCR, 33, "MAGMA_MGM_KTREE")       \
	X(PRF, 1, "PRF_HMAC_MD5")            \
	X(PRF, 2, "PRF_HMAC_SHA1")           \
	X(PRF, 3, "PRF_HMAC_TIGER")          \
	X(PRF, 4, "PRF_AES128_XCBC")         \
	X(PRF, 5, "PRF_HMAC_SHA2_256")       \
	X(PRF, 6, "PRF_HMAC_SHA2_384")       \
	X(PRF, 7, "PRF_HMAC_SHA2_512")       \
	X(PRF, 8, "PRF_AES128_CMAC")         \
	X(PRF, 9, "PRF_HMAC_STREEBOG_512")   \
	X(INTEG, 0, "NONE")                  \
	X(INTEG, 1, "HMAC_MD5_96")           \
	X(INTEG, 2, "HMAC_SHA1_96")          \
	X(INTEG, 3, "DES_MAC")               \
	X(INTEG, 4, "KPDK_MD5")              \
	X(INTEG, 5, "AES_XCBC_96")           \
	X(INTEG, 6, "HMAC_MD5_128")          \
	X(INTEG, 7, "HMAC_SHA1_160")         \
	X(INTEG, 8, "AES_CMAC_96")           \
	X(INTEG, 9, "AES_128_GMAC")          \
	X(INTEG, 10, "AES_192_GMAC")         \
	X(INTEG, 11, "AES_256_GMAC")         \
	X(INTEG, 12, "HMAC_SHA2_256_128")    \
	X(INTEG, 13, "HMAC_SHA2_384_192")    \
	X(INTEG, 14, "HMAC_SHA2_512_256")    \
	X(KE, 0, "KE_NONE")                  \
	X(KE, 1, "MODP_768")                 \
	X(KE, 2, "MODP_1024")                \
	X(KE, 5, "MODP_1536")                \
	X(KE, 14, "MODP_2048")               \
	X(KE, 15, "MODP_3072")               \
	X(KE, 16, "MODP_4096")               \
	X(KE, 17, "MODP_6144")               \
	X(KE, 18, "MODP_8192")               \
	X(KE, 19, "ECP_256")                 \
	X(KE, 20, "ECP_384")                 \
	X(KE, 21, "ECP_521")                 \
	X(KE, 22, "MODP_1024_160")           \
	X(KE, 23, "MODP_2048_224")           \
	X(KE, 24, "MODP_2048_256")           \
	X(KE, 25, "ECP_192")                 \
	X(KE, 26, "ECP_224")                 \
	X(KE, 27, "ECP_224_BP")              \
	X(KE, 28, "ECP_256_BP")              \
	X(KE, 29, "ECP_384_BP")              \
	X(KE, 30, "ECP_512_BP")              \
	X(KE, 31, "CURVE_25519")             \
	X(KE, 32, "CURVE_448")               \
	X(KE, 33, "GOST3410_2012_256")       \
	X(KE, 34, "GOST3410_2012_512")       \
	X(KE, 35, "ML_KEM_512")              \
	X(KE, 36, "ML_KEM_768")              \
	X(KE, 37, "ML_KEM_1024")             \
	X(ESN, 0, "NO_EXT_SEQ")              \
	X(ESN, 1, "EXT_SEQ")

static const struct alg algs[] = {
#define X(type, id, bits, name, keyword, keyword2, keyword3, reference) \
	{TRANSFORM_##type, id, bits, name, keyword, keyword2, keyword3, reference},
    ALGS(X)
#undef X
};

static const struct {
	enum transform_type type;
	uint16_t id;
	const char *name;
} names[] = {
#define X(type, id, name) {TRANSFORM_##type, id, name},
    NAMES(X)
#undef X
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const struct alg *alg_table(size_t *ret_n)
{
	*ret_n = COUNT(algs);
	return algs;
}

const struct alg *alg_find(enum transform_type type, uint16_t id, uint16_t key_bits)
{
	size_t i;

	for (i = 0; i < COUNT(algs); i++)
		if (algs[i].type == type && algs[i].id == id && algs[i].key_bits == key_bits)
			return &algs[i];
	return NULL;
}

static bool has_keyword(const struct alg *a, const char *keyword)
{
	return !strcmp(a->keyword, keyword) || (a->keyword2 && !strcmp(a->keyword2, keyword)) ||
	       (a->keyword3 && !strcmp(a->keyword3, keyword));
}

const struct alg *alg_by_keyword(enum transform_type type, const char *keyword)
{
	size_t i;

	for (i = 0; i < COUNT(algs); i++)
		if (algs[i].type == type && has_keyword(&algs[i], keyword))
			return &algs[i];
	return NULL;
}

bool alg_is_aead(uint16_t encr)
{
	switch (encr) {
	case 14: /* AES-CCM and AES-GCM: RFC 5282 */
	case 15:
	case 16:
	case 18:
	case 19:
	case ENCR_AES_GCM_16:
	case 21: /* RFC 4543 */
	case 25: /* Camellia-CCM: RFC 5529 */
	case 26:
	case 27:
	case ENCR_CHACHA20_POLY1305:
	case 29: /* implicit IV: RFC 8750 */
	case 30:
	case 31:
	case 32: /* MGM: RFC 9227 */
	case 33:
		return true;
	default:
		return false;
	}
}

static const char *type_prefix(enum transform_type type)
{
	switch (type) {
	case TRANSFORM_ENCR:
		return "ENCR";
	case TRANSFORM_PRF:
		return "PRF";
	case TRANSFORM_INTEG:
		return "INTEG";
	case TRANSFORM_KE:
		return "KE";
	case TRANSFORM_ESN:
		return "ESN";
	}
	return "TRANSFORM";
}

static const char *name_of(enum transform_type type, uint16_t id)
{
	size_t i;

	for (i = 0; i < COUNT(names); i++)
		if (names[i].type == type && names[i].id == id)
			return names[i].name;
	return NULL;
}

const char *alg_format(enum transform_type type, uint16_t id, uint16_t key_bits, char *buf,
		       size_t cap)
{
	const char *name = name_of(type, id);
	char unknown[24];

	if (!name) {
		snprintf(unknown, sizeof(unknown), "%s_%u", type_prefix(type), id);
		name = unknown;
	}
	if (key_bits)
		snprintf(buf, cap, "%s_%u", name, key_bits);
	else
		snprintf(buf, cap, "%s", name);
	return buf;
}
