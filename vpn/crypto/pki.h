/* pki.h - private keys, public keys and X.509 certificates over OpenSSL, and the signatures of
 * IKE_AUTH (RFC 7427, 8420, and the old methods 1, 9, 10, 11 of RFC 7296 §3.8 and RFC 4754).
 *
 * Objects are reference-counted and immutable. `now` is a Unix time in seconds; nothing here looks
 * at a clock. */
#ifndef VPN_CRYPTO_PKI_H
#define VPN_CRYPTO_PKI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vpn/base/err.h"
#include "vpn/base/reader.h"
#include "vpn/crypto/identity.h"

enum key_type { KEY_RSA, KEY_ECDSA, KEY_ED25519 };
const char *key_type_name(enum key_type type); /* "RSA", "ECDSA", "ED25519" */

enum auth_wire_method { /* RFC 7296 §3.8 */
			AUTH_RSA_SIG = 1,
			AUTH_SHARED_KEY = 2,
			AUTH_ECDSA_256 = 9,
			AUTH_ECDSA_384 = 10,
			AUTH_ECDSA_521 = 11,
			AUTH_DIGITAL_SIGNATURE = 14, /* RFC 7427 */
};

enum sig_hash { /* RFC 7427 §4, RFC 8420 §3: SIGNATURE_HASH_ALGORITHMS */
		SIG_HASH_SHA1 = 1,
		SIG_HASH_SHA2_256 = 2,
		SIG_HASH_SHA2_384 = 3,
		SIG_HASH_SHA2_512 = 4,
		SIG_HASH_IDENTITY = 5,
};
#define SIG_HASH_BIT(h) (1u << (h))

#define SIG_MAX		1200 /* octets of AUTH data, algorithm identifier included: RSA-8192 */

struct privkey;
/* PEM (PKCS#8, traditional) or DER; password may be NULL. ERR_AUTH if it is wrong or missing. */
int privkey_load(struct view blob, const char *password, struct privkey **ret_key,
		 struct err_msg *msg);
int privkey_generate_ed25519(const uint8_t seed[32], struct privkey **ret_key);
struct privkey *privkey_ref(struct privkey *key);
void privkey_unref(struct privkey *key);
enum key_type privkey_type(const struct privkey *key);
unsigned privkey_bits(const struct privkey *key);
/* SHA-1 of subjectPublicKey (as vici names keys) - 20 octets. */
const uint8_t *privkey_id(const struct privkey *key);
struct pubkey;
/* The public half, borrowed. */
const struct pubkey *privkey_public(const struct privkey *key);
/* PEM, PKCS#8; the caller frees with free() after wiping. */
int privkey_to_pem(const struct privkey *key, char **ret_pem, size_t *ret_len);

/* Signs `octets` for the AUTH payload. peer_hashes: SIG_HASH_BIT()s that the peer announced; 0: it
 * did not announce RFC 7427, so an old method is used where one exists (ERR_UNSUPPORTED for
 * Ed25519). auth_data is the AUTH payload's data after the method octet and 3 reserved: for method
 * 14 it begins with the length octet and AlgorithmIdentifier (RFC 7427 §3). */
int privkey_sign(const struct privkey *key, unsigned peer_hashes, struct view octets,
		 uint8_t *ret_method, uint8_t auth_data[SIG_MAX], size_t *ret_len);

struct pubkey; /* a raw public key, or that of a certificate */
/* A SubjectPublicKeyInfo, PEM or DER (RFC 7670). */
int pubkey_load(struct view blob, struct pubkey **ret_key, struct err_msg *msg);
/* Only what pubkey_load returned: a certificate's key belongs to the certificate. */
void pubkey_unref(struct pubkey *key);
enum key_type pubkey_type(const struct pubkey *key);
unsigned pubkey_bits(const struct pubkey *key);
const uint8_t *pubkey_id(const struct pubkey *key); /* as privkey_id */
/* ERR_AUTH if the signature is wrong, ERR_UNSUPPORTED if method or algorithm is not ours or weak
 * (SHA-1). *msg says which. Method 1 names no hash and is verified with SHA-2 or SHA-1 (RFC 7296
 * §3.8): a caller that agreed on RFC 7427 with the peer refuses methods 1, 9, 10 and 11 itself. */
int pubkey_verify(const struct pubkey *key, uint8_t method, struct view auth_data,
		  struct view octets, struct err_msg *msg);

struct cert;
int cert_load(struct view pem_or_der, struct cert **ret_cert, struct err_msg *msg);
struct cert *cert_ref(struct cert *c);
void cert_unref(struct cert *c);
bool cert_eq(const struct cert *a, const struct cert *b);
struct view cert_der(const struct cert *c);
const struct pubkey *cert_pubkey(const struct cert *c);
bool cert_matches_key(const struct cert *c, const struct privkey *key);
const struct identity *cert_subject(const struct cert *c);
const struct identity *cert_issuer(const struct cert *c);
size_t cert_san_count(const struct cert *c);
const struct identity *cert_san(const struct cert *c, size_t i);
int64_t cert_not_before(const struct cert *c);
int64_t cert_not_after(const struct cert *c);
bool cert_is_ca(const struct cert *c);
bool cert_is_self_signed(const struct cert *c);
struct view cert_serial(const struct cert *c);
/* SHA-1 of SubjectPublicKeyInfo, 20 octets: what CERTREQ carries (RFC 7296 §3.7). */
const uint8_t *cert_key_hash(const struct cert *c);
/* The subject or a subjectAltName is this identity (RFC 4945 §3.1). */
bool cert_has_identity(const struct cert *c, const struct identity *id);

/* Trust. `leaf` is accepted if it is one of `pinned` (a certificate named in the configuration,
 * self-signed or not), or chains through `untrusted` to one of `cas`. Checked: signatures, validity
 * at `now` of every certificate, basic constraints, path length, key usage (digitalSignature or
 * nonRepudiation for the leaf, RFC 4945 §5.1.3.2; keyCertSign for CAs). Returns ERR_AUTH with the
 * reason in words. */
struct cert_set {
	struct cert **v;
	size_t n;
};
int cert_verify(const struct cert *leaf, const struct cert_set *untrusted,
		const struct cert_set *pinned, const struct cert_set *cas, int64_t now,
		struct err_msg *msg);

/* What `beetctl keygen` makes. The caller drops the certificate with cert_unref. */
struct cert_request {
	const char *dn;
	const char *const *sans; /* n_sans of them, as identity_parse reads them */
	size_t n_sans;
	int64_t not_before, not_after;
	bool ca;
	bool server_auth, client_auth;
	uint8_t serial[8];
};
/* issuer and issuer_key NULL: self-signed with key. */
int cert_make(const struct cert_request *req, const struct privkey *key, const struct cert *issuer,
	      const struct privkey *issuer_key, struct cert **ret_cert, struct err_msg *msg);
/* As privkey_to_pem, but nothing to wipe. */
int cert_to_pem(const struct cert *c, char **ret_pem, size_t *ret_len);

#endif
