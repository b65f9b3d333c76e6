/* cert.c - an X.509 certificate: reading it, and what stands in it.
 *
 * Everything that others ask for is taken out once, when the certificate is read; later calls only
 * look. Reading says nothing about trust: that is cert_verify.c. The octets may come from a peer
 * before it is authenticated, so length and number of names have limits (pki_internal.h), and a
 * certificate with a malformed extension is refused as a whole.
 *
 * RFC 5280 §4.1, RFC 4945 §3.1 (identities in certificates), RFC 7296 §3.7 (hash of
 * SubjectPublicKeyInfo). */
#include "vpn/crypto/pki.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vpn/crypto/pki_internal.h"
#include "vpn/crypto/prf.h"

int identity_from_x509_name(const X509_NAME *name, struct identity *ret_id)
{
	const unsigned char *der;
	size_t len;

	if (X509_NAME_get0_der(name, &der, &len) != 1)
		return ERR_CRYPTO;
	return identity_from_octets(ID_DER_ASN1_DN, (struct view){der, len}, ret_id);
}

/* ---- reading ---- */

static X509 *x509_from_pem(struct view pem)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.len);
	X509 *x = bio ? PEM_read_bio_X509(bio, NULL, password_cb, NULL) : NULL;

	BIO_free(bio);
	return x;
}

/* One certificate and nothing after it. */
static X509 *x509_from_der(struct view der)
{
	const unsigned char *p = der.p;
	X509 *x = d2i_X509(NULL, &p, (long)der.len);

	if (x && p != der.p + der.len) {
		X509_free(x);
		x = NULL;
	}
	return x;
}

static bool time_from_asn1(const ASN1_TIME *t, int64_t *ret_time)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	*ret_time = timegm(&tm);
	return true;
}

static int take_key(struct cert *c, struct err_msg *msg)
{
	EVP_PKEY *evp = X509_get_pubkey(c->x509);
	uint8_t *spki = NULL;
	int len, err;

	if (!evp)
		return err_set(msg, ERR_UNSUPPORTED, "the certificate's public key: %s",
			       ossl_reason());
	err = pubkey_init(evp, X509_get_X509_PUBKEY(c->x509), &c->pub, msg);
	if (err)
		return err;
	len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(c->x509), &spki);
	err = len > 0
		  ? digest_compute(DIGEST_SHA1, &(struct view){spki, (size_t)len}, 1, c->key_hash)
		  : ERR_CRYPTO;
	OPENSSL_free(spki);
	return err ? err_set(msg, err, "cannot hash the certificate's public key") : 0;
}

static int san_to_identity(const GENERAL_NAME *name, struct identity *ret_id)
{
	const ASN1_STRING *s;
	uint8_t type;

	switch (name->type) {
	case GEN_DNS:
		s = name->d.dNSName;
		type = ID_FQDN;
		break;
	case GEN_EMAIL:
		s = name->d.rfc822Name;
		type = ID_RFC822_ADDR;
		break;
	case GEN_IPADD:
		s = name->d.iPAddress;
		type = ASN1_STRING_length(s) == 4 ? ID_IPV4_ADDR : ID_IPV6_ADDR;
		break;
	case GEN_DIRNAME:
		return identity_from_x509_name(name->d.directoryName, ret_id);
	default:
		return ERR_UNSUPPORTED; /* not an IKE identity */
	}
	return identity_from_octets(
	    type, (struct view){ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s)}, ret_id);
}

static void take_sans(struct cert *c)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(c->x509, NID_subject_alt_name, NULL, NULL);
	int i;

	for (i = 0; i < sk_GENERAL_NAME_num(names) && c->n_sans < CERT_SAN_MAX; i++)
		if (!san_to_identity(sk_GENERAL_NAME_value(names, i), &c->sans[c->n_sans]))
			c->n_sans++;
	GENERAL_NAMES_free(names);
	ERR_clear_error();
}

static int take_fields(struct cert *c, struct err_msg *msg)
{
	int len, err;

	len = i2d_X509(c->x509, &c->der);
	if (len <= 0 || len > CERT_MAX)
		return err_set(msg, ERR_LIMIT, "the certificate is larger than %d octets",
			       CERT_MAX);
	c->der_len = (size_t)len;
	if (X509_get_extension_flags(c->x509) & EXFLAG_INVALID)
		return err_set(msg, ERR_SYNTAX, "the certificate has a malformed extension");
	if (!time_from_asn1(X509_get0_notBefore(c->x509), &c->not_before) ||
	    !time_from_asn1(X509_get0_notAfter(c->x509), &c->not_after))
		return err_set(msg, ERR_SYNTAX, "the certificate's dates are malformed");
	err = identity_from_x509_name(X509_get_subject_name(c->x509), &c->subject);
	if (!err)
		err = identity_from_x509_name(X509_get_issuer_name(c->x509), &c->issuer);
	if (err)
		return err_set(msg, err, "the certificate's names are too long");
	take_sans(c);
	c->ca = X509_check_ca(c->x509) == 1;
	c->self_signed = X509_self_signed(c->x509, 0) == 1;
	return take_key(c, msg);
}

int cert_load(struct view pem_or_der, struct cert **ret_cert, struct err_msg *msg)
{
	struct cert *c;
	X509 *x;
	int err;

	if (!pem_or_der.p || !pem_or_der.len || pem_or_der.len > 4 * CERT_MAX)
		return err_set(msg, ERR_SYNTAX, "not a certificate: %zu octets", pem_or_der.len);
	x = is_pem(pem_or_der) ? x509_from_pem(pem_or_der) : x509_from_der(pem_or_der);
	if (!x)
		return err_set(msg, ERR_SYNTAX, "not a certificate: %s", ossl_reason());
	c = calloc(1, sizeof(*c));
	if (!c) {
		X509_free(x);
		return err_set(msg, ERR_NOMEM, "out of memory");
	}
	c->x509 = x;
	atomic_init(&c->refs, 1);
	atomic_init(&c->signature_is_good, false);
	err = take_fields(c, msg);
	ERR_clear_error();
	if (err) {
		cert_unref(c);
		return err;
	}
	*ret_cert = c;
	return 0;
}

struct cert *cert_ref(struct cert *c)
{
	atomic_fetch_add(&c->refs, 1);
	return c;
}

void cert_unref(struct cert *c)
{
	size_t i;

	if (!c || atomic_fetch_sub(&c->refs, 1) > 1)
		return;
	for (i = 0; i < c->n_sans; i++)
		identity_clear(&c->sans[i]);
	identity_clear(&c->subject);
	identity_clear(&c->issuer);
	pubkey_release(&c->pub);
	OPENSSL_free(c->der);
	X509_free(c->x509);
	free(c);
}

/* ---- looking ---- */

bool cert_eq(const struct cert *a, const struct cert *b)
{
	return a->der_len == b->der_len && !memcmp(a->der, b->der, a->der_len);
}

struct view cert_der(const struct cert *c)
{
	return (struct view){c->der, c->der_len};
}

const struct pubkey *cert_pubkey(const struct cert *c)
{
	return &c->pub;
}

bool cert_matches_key(const struct cert *c, const struct privkey *key)
{
	return EVP_PKEY_eq(c->pub.evp, key->pub.evp) == 1;
}

const struct identity *cert_subject(const struct cert *c)
{
	return &c->subject;
}

const struct identity *cert_issuer(const struct cert *c)
{
	return &c->issuer;
}

size_t cert_san_count(const struct cert *c)
{
	return c->n_sans;
}

const struct identity *cert_san(const struct cert *c, size_t i)
{
	return &c->sans[i];
}

int64_t cert_not_before(const struct cert *c)
{
	return c->not_before;
}

int64_t cert_not_after(const struct cert *c)
{
	return c->not_after;
}

bool cert_is_ca(const struct cert *c)
{
	return c->ca;
}

bool cert_is_self_signed(const struct cert *c)
{
	return c->self_signed;
}

struct view cert_serial(const struct cert *c)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(c->x509);

	return (struct view){ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial)};
}

const uint8_t *cert_key_hash(const struct cert *c)
{
	return c->key_hash;
}

bool cert_has_identity(const struct cert *c, const struct identity *id)
{
	size_t i;

	if (identity_eq(&c->subject, id))
		return true;
	for (i = 0; i < c->n_sans; i++)
		if (identity_eq(&c->sans[i], id))
			return true;
	return false;
}

int cert_to_pem(const struct cert *c, char **ret_pem, size_t *ret_len)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int err = ERR_CRYPTO;

	if (bio && PEM_write_bio_X509(bio, c->x509) == 1)
		err = bio_to_string(bio, ret_pem, ret_len);
	BIO_free(bio);
	return err;
}
