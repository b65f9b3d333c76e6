/* cert_make.c - making certificates, for `beetctl keygen` and the bench.
 *
 * X.509 version 3 with subject and authority key identifiers, basic constraints, a key usage that
 * says what the certificate is for, and what the request asks for: alternative names, extended key
 * usages. Serial number and validity come from the caller, so that the same request and an Ed25519
 * key give the same octets.
 *
 * RFC 5280 §4.1, §4.2. */
#include "vpn/crypto/pki.h"

#include <string.h>

#include "vpn/crypto/dn.h"
#include "vpn/crypto/pki_internal.h"

static X509_NAME *name_from_text(const char *dn)
{
	uint8_t der[IDENTITY_MAX];
	const unsigned char *p = der;
	size_t len;

	if (dn_parse(dn, der, sizeof(der), &len))
		return NULL;
	return d2i_X509_NAME(NULL, &p, (long)len);
}

static bool set_serial(X509 *x, const uint8_t serial[8])
{
	BIGNUM *bn = BN_bin2bn(serial, 8, NULL);
	ASN1_INTEGER *n = bn && !BN_is_zero(bn) ? BN_to_ASN1_INTEGER(bn, NULL) : NULL;
	bool ok = n && X509_set_serialNumber(x, n) == 1;

	ASN1_INTEGER_free(n);
	BN_free(bn);
	return ok;
}

static bool set_dates(X509 *x, int64_t not_before, int64_t not_after)
{
	return ASN1_TIME_set(X509_getm_notBefore(x), (time_t)not_before) &&
	       ASN1_TIME_set(X509_getm_notAfter(x), (time_t)not_after);
}

/* ---- alternative names ---- */

static bool set_string(GENERAL_NAME *name, int type, int asn1_type, const struct identity *id)
{
	ASN1_STRING *s = ASN1_STRING_type_new(asn1_type);

	if (!s || ASN1_STRING_set(s, id->data, (int)id->len) != 1) {
		ASN1_STRING_free(s);
		return false;
	}
	GENERAL_NAME_set0_value(name, type, s);
	return true;
}

static bool set_general_name(GENERAL_NAME *name, const struct identity *id)
{
	const unsigned char *p = id->data;
	X509_NAME *dn;

	switch (id->type) {
	case ID_FQDN:
		return set_string(name, GEN_DNS, V_ASN1_IA5STRING, id);
	case ID_RFC822_ADDR:
		return set_string(name, GEN_EMAIL, V_ASN1_IA5STRING, id);
	case ID_IPV4_ADDR:
	case ID_IPV6_ADDR:
		return set_string(name, GEN_IPADD, V_ASN1_OCTET_STRING, id);
	case ID_DER_ASN1_DN:
		dn = d2i_X509_NAME(NULL, &p, (long)id->len);
		if (!dn)
			return false;
		GENERAL_NAME_set0_value(name, GEN_DIRNAME, dn);
		return true;
	default:
		return false;
	}
}

static int push_san(GENERAL_NAMES *names, const char *text, struct err_msg *msg)
{
	struct identity id;
	GENERAL_NAME *name;
	int err = identity_parse(text, &id, msg);

	if (err)
		return err;
	name = GENERAL_NAME_new();
	if (!name || !set_general_name(name, &id))
		err = err_set(msg, ERR_INVALID, "'%s' cannot be a subjectAltName", text);
	else if (!sk_GENERAL_NAME_push(names, name))
		err = err_set(msg, ERR_NOMEM, "out of memory");
	if (err)
		GENERAL_NAME_free(name);
	identity_clear(&id);
	return err;
}

static int add_sans(X509 *x, const struct cert_request *req, struct err_msg *msg)
{
	GENERAL_NAMES *names;
	int err = 0;
	size_t i;

	if (!req->n_sans)
		return 0;
	names = sk_GENERAL_NAME_new_null();
	if (!names)
		return err_set(msg, ERR_NOMEM, "out of memory");
	for (i = 0; !err && i < req->n_sans; i++)
		err = push_san(names, req->sans[i], msg);
	if (!err && X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) != 1)
		err = err_set(msg, ERR_CRYPTO, "cannot add names: %s", ossl_reason());
	GENERAL_NAMES_free(names);
	return err;
}

/* ---- other extensions ---- */

static bool add_ext(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *ext;
	X509V3_CTX ctx;
	bool ok;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = ext && X509_add_ext(x, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	return ok;
}

static const char *extended_usage(const struct cert_request *req)
{
	if (req->server_auth && req->client_auth)
		return "serverAuth,clientAuth";
	return req->server_auth ? "serverAuth" : req->client_auth ? "clientAuth" : NULL;
}

static int add_extensions(X509 *x, X509 *issuer, const struct cert_request *req,
			  struct err_msg *msg)
{
	const char *usage = extended_usage(req);

	if (!add_ext(x, issuer, NID_basic_constraints,
		     req->ca ? "critical,CA:TRUE" : "critical,CA:FALSE") ||
	    !add_ext(x, issuer, NID_key_usage,
		     req->ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature") ||
	    !add_ext(x, issuer, NID_subject_key_identifier, "hash") ||
	    !add_ext(x, issuer, NID_authority_key_identifier, "keyid") ||
	    (usage && !add_ext(x, issuer, NID_ext_key_usage, usage)))
		return err_set(msg, ERR_CRYPTO, "cannot make the certificate: %s", ossl_reason());
	return add_sans(x, req, msg);
}

/* ---- the whole ---- */

static const EVP_MD *digest_for(const struct privkey *key)
{
	if (key->pub.type == KEY_ED25519)
		return NULL;
	if (key->pub.type == KEY_ECDSA && key->pub.bits > 256)
		return key->pub.bits > 384 ? EVP_sha512() : EVP_sha384();
	return EVP_sha256();
}

static int fill(X509 *x, const struct cert_request *req, const struct privkey *key,
		const struct cert *issuer, const struct privkey *issuer_key, struct err_msg *msg)
{
	X509_NAME *subject = name_from_text(req->dn);
	bool ok;
	int err;

	if (!subject)
		return err_set(msg, ERR_SYNTAX, "'%s' is not a distinguished name", req->dn);
	ok = X509_set_version(x, X509_VERSION_3) == 1 && X509_set_subject_name(x, subject) == 1 &&
	     X509_set_issuer_name(x, issuer ? X509_get_subject_name(issuer->x509) : subject) == 1 &&
	     X509_set_pubkey(x, key->pub.evp) == 1 && set_dates(x, req->not_before, req->not_after);
	X509_NAME_free(subject);
	if (!ok)
		return err_set(msg, ERR_CRYPTO, "cannot make the certificate: %s", ossl_reason());
	if (!set_serial(x, req->serial)) /* RFC 5280 §4.1.2.2: positive */
		return err_set(msg, ERR_INVALID, "the serial number must not be zero");
	err = add_extensions(x, issuer ? issuer->x509 : x, req, msg);
	if (err)
		return err;
	if (!X509_sign(x, issuer_key->pub.evp, digest_for(issuer_key)))
		return err_set(msg, ERR_CRYPTO, "cannot sign the certificate: %s", ossl_reason());
	return 0;
}

static int check_request(const struct cert_request *req, const struct cert *issuer,
			 const struct privkey *issuer_key, struct err_msg *msg)
{
	if (!req->dn || req->not_after < req->not_before)
		return err_set(msg, ERR_INVALID, "a certificate needs a name and a validity");
	if (!issuer && !issuer_key)
		return 0;
	if (!issuer || !issuer_key || !cert_matches_key(issuer, issuer_key))
		return err_set(msg, ERR_INVALID, "the CA's key does not belong to its certificate");
	if (!issuer->ca)
		return err_set(msg, ERR_INVALID, "the issuer's certificate is not a CA");
	return 0;
}

int cert_make(const struct cert_request *req, const struct privkey *key, const struct cert *issuer,
	      const struct privkey *issuer_key, struct cert **ret_cert, struct err_msg *msg)
{
	uint8_t *der = NULL;
	int err = check_request(req, issuer, issuer_key, msg), len;
	X509 *x;

	if (err)
		return err;
	x = X509_new();
	if (!x)
		return err_set(msg, ERR_NOMEM, "out of memory");
	err = fill(x, req, key, issuer, issuer_key ? issuer_key : key, msg);
	len = err ? 0 : i2d_X509(x, &der);
	if (len > 0)
		err = cert_load((struct view){der, (size_t)len}, ret_cert, msg);
	else if (!err)
		err = err_set(msg, ERR_CRYPTO, "cannot encode the certificate");
	OPENSSL_free(der);
	X509_free(x);
	ERR_clear_error();
	return err;
}
