/* pki_internal.h - what key.c, sign.c and the cert*.c files share: OpenSSL's objects behind ours.
 */
#ifndef VPN_CRYPTO_PKI_INTERNAL_H
#define VPN_CRYPTO_PKI_INTERNAL_H

#include <stdatomic.h>

#include "vpn/crypto/ossl.h"
#include "vpn/crypto/pki.h"

#define CERT_MAX \
	32768 /* octets of a certificate: an IKE message with one has to pass as UDP fragments */
#define CERT_SAN_MAX 64	   /* subjectAltNames that are looked at */
#define KEY_MAX	     65536 /* octets of a private key's file */
#define RSA_MIN_BITS 2048  /* RFC 8247 §4.1: shorter SHOULD NOT be used */
#define RSA_MAX_BITS 8192  /* SIG_MAX; longer ones cost a peer little and us much */
#define CHAIN_MAX    8	   /* certificates between leaf and trust anchor */

#define KEY_ID_LEN   20

struct pubkey {
	EVP_PKEY *evp;
	enum key_type type;
	unsigned bits;
	uint8_t id[KEY_ID_LEN]; /* SHA-1 of subjectPublicKey */
	atomic_uint refs;	/* unused in the pubkey that is part of a privkey or cert */
};

struct privkey {
	atomic_uint refs;
	struct pubkey pub;
};

struct cert {
	atomic_uint refs;
	X509 *x509;
	struct pubkey pub;
	uint8_t *der;
	size_t der_len;
	struct identity subject, issuer;
	struct identity sans[CERT_SAN_MAX];
	size_t n_sans;
	int64_t not_before, not_after;
	uint8_t key_hash[KEY_ID_LEN]; /* SHA-1 of SubjectPublicKeyInfo */
	bool ca, self_signed;
	atomic_bool signature_is_good; /* of a self-signed one: seen once, it stays so */
};

/* Takes the key over, also on failure; spki is its SubjectPublicKeyInfo, if there is one already.
 * ERR_UNSUPPORTED if type or curve is not ours. */
int pubkey_init(EVP_PKEY *evp, X509_PUBKEY *spki, struct pubkey *ret_key, struct err_msg *msg);
void pubkey_release(struct pubkey *key);

/* Whether a file is PEM; else it is DER. */
bool is_pem(struct view v);
/* The reason of OpenSSL's last error, in its words; empties the error queue. */
const char *ossl_reason(void);
/* A name of OpenSSL's as an identity. */
int identity_from_x509_name(const X509_NAME *name, struct identity *ret_id);
/* OpenSSL's password callback: never asks at the terminal. arg is a struct password, or NULL. */
struct password {
	const char *text; /* or NULL */
	bool asked;
};
int password_cb(char *buf, int size, int writing, void *arg);
/* The content of a memory BIO as a string of malloc()'s. */
int bio_to_string(BIO *bio, char **ret_text, size_t *ret_len);

#endif
