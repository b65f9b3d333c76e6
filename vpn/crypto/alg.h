/* alg.h - the transforms that we implement: IANA number, name, keyword, sizes (RFC 7296 §3.3.2).
 *
 * One table for IKE and ESP. Numbers are IANA's "IKEv2 Parameters"; keywords are strongSwan's
 * (swanctl.conf(5) proposals), names are what swanctl prints. */
#ifndef VPN_CRYPTO_ALG_H
#define VPN_CRYPTO_ALG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum transform_type { /* RFC 7296 §3.3.2 */
		      TRANSFORM_ENCR = 1,
		      TRANSFORM_PRF = 2,
		      TRANSFORM_INTEG = 3,
		      TRANSFORM_KE = 4,
		      TRANSFORM_ESN = 5,
};

enum encr {
	ENCR_NONE = 0,
	ENCR_NULL = 11,
	ENCR_AES_CBC = 12,
	ENCR_AES_GCM_16 = 20,	     /* RFC 4106, RFC 5282 */
	ENCR_CHACHA20_POLY1305 = 28, /* RFC 7634 */
};

enum prf {
	PRF_HMAC_SHA2_256 = 5, /* RFC 4868 */
	PRF_HMAC_SHA2_384 = 6,
	PRF_HMAC_SHA2_512 = 7,
};

enum integ {
	INTEG_NONE = 0,
	INTEG_HMAC_SHA2_256_128 = 12, /* RFC 4868 */
	INTEG_HMAC_SHA2_384_192 = 13,
	INTEG_HMAC_SHA2_512_256 = 14,
};

enum ke_group {
	KE_NONE = 0,
	KE_MODP_2048 = 14, /* RFC 3526 */
	KE_MODP_3072 = 15,
	KE_ECP_256 = 19, /* RFC 5903 */
	KE_ECP_384 = 20,
	KE_X25519 = 31, /* RFC 8031 */
};

/* One row of the table. */
struct alg {
	enum transform_type type;
	uint16_t id;
	uint16_t key_bits;    /* ENCR with a key length attribute: 128 or 256; else 0 */
	const char *name;     /* as swanctl prints it: "AES_GCM_16_256", "CURVE_25519" */
	const char *keyword;  /* as swanctl.conf writes it: "aes256gcm16", "curve25519" */
	const char *keyword2; /* an alias ("x25519", "aes256gcm128"), or NULL */
	const char *keyword3; /* another ("aes256gcm"), or NULL */
	const char *reference;
};

/* The rows in order of preference, for get-algorithms and for walking; *ret_n is their number. */
const struct alg *alg_table(size_t *ret_n);
/* NULL if we do not implement it. key_bits 0 for transforms without the attribute. */
const struct alg *alg_find(enum transform_type type, uint16_t id, uint16_t key_bits);
/* By keyword; "sha256" is an INTEG and a PRF: type tells which is wanted. NULL if unknown.
 * Lower case, as strongSwan reads proposals. */
const struct alg *alg_by_keyword(enum transform_type type, const char *keyword);
bool alg_is_aead(uint16_t encr);
/* The name of any transform number of IANA's, ours or not ("AES_CCM_16_256", or "ENCR_99"); with
 * key_bits 0 the bare name ("AES_GCM_16"), as vici's list-sas wants it beside encr-keysize. Returns
 * buf. */
const char *alg_format(enum transform_type type, uint16_t id, uint16_t key_bits, char *buf,
		       size_t cap);

#endif
