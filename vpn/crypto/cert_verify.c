/* cert_verify.c - whether a certificate is to be trusted, and if not, why, in words.
 *
 * Two ways to trust. A pinned certificate is trusted because the configuration names it: nobody
 * needs to have signed it, but it must be valid now, fit for signatures, and if it is self-signed
 * the signature must hold. Any other certificate must chain to a configured CA (RFC 5280 §6);
 * OpenSSL builds and checks the chain: signatures, validity, basic constraints, path length,
 * keyCertSign, critical extensions, and keys and hashes of at least 112 bits of strength (RFC 8247
 * §4.1). A configured CA is an anchor even if another CA signed it. Revocation is not checked:
 * there are no CRLs here.
 *
 * `now` comes from the caller; no clock is looked at. */
#include "vpn/crypto/pki.h"

#include <stdio.h>
#include <time.h>

#include "vpn/crypto/pki_internal.h"

#define SECURITY_LEVEL 2 /* of OpenSSL: 112 bits, that is RSA-2048, SHA-224 and above */

static const char *date(int64_t t, char buf[32])
{
	time_t seconds = (time_t)t;
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || !strftime(buf, 32, "%Y-%m-%d", &tm))
		snprintf(buf, 32, "%lld", (long long)t);
	return buf;
}

static int check_dates(const struct cert *c, int64_t now, struct err_msg *msg)
{
	char name[IDENTITY_STRLEN / 2], then[32], today[32];

	identity_format(&c->subject, name, sizeof(name));
	if (now < c->not_before)
		return err_set(msg, ERR_AUTH, "certificate '%s' is not valid before %s (is it %s?)",
			       name, date(c->not_before, then), date(now, today));
	if (now > c->not_after)
		return err_set(msg, ERR_AUTH, "certificate '%s' expired on %s (is it %s?)", name,
			       date(c->not_after, then), date(now, today));
	return 0;
}

/* RFC 4945 §5.1.3.2 */
static int check_leaf_usage(const struct cert *c, struct err_msg *msg)
{
	char name[IDENTITY_STRLEN / 2];

	if (X509_get_key_usage(c->x509) & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION))
		return 0; /* or no key usage at all: then all bits are set */
	return err_set(msg, ERR_AUTH,
		       "the key usage of certificate '%s' does not permit digital signatures",
		       identity_format(&c->subject, name, sizeof(name)));
}

/* NULL if it is not. */
static struct cert *find_pinned(const struct cert *leaf, const struct cert_set *pinned)
{
	size_t i;

	for (i = 0; pinned && i < pinned->n; i++)
		if (cert_eq(leaf, pinned->v[i]))
			return pinned->v[i];
	return NULL;
}

/* The configured copy remembers the answer, for as long as it lives. */
static bool self_signature_holds(struct cert *c)
{
	if (!atomic_load(&c->signature_is_good) && X509_verify(c->x509, c->pub.evp) == 1)
		atomic_store(&c->signature_is_good, true);
	return atomic_load(&c->signature_is_good);
}

static int check_pinned(struct cert *c, int64_t now, struct err_msg *msg)
{
	char name[IDENTITY_STRLEN / 2];
	int err = check_dates(c, now, msg);

	if (err)
		return err;
	identity_format(&c->subject, name, sizeof(name));
	if (X509_get_extension_flags(c->x509) & EXFLAG_CRITICAL)
		return err_set(msg, ERR_AUTH, "certificate '%s' has an unknown critical extension",
			       name);
	if (c->self_signed && !self_signature_holds(c)) {
		ERR_clear_error();
		return err_set(msg, ERR_AUTH, "the signature of certificate '%s' is wrong", name);
	}
	return 0;
}

/* ---- chains ---- */

/* References to the certificates of a set; for anchors, only CAs. NULL without memory. */
static STACK_OF(X509) * make_stack(const struct cert_set *set, bool anchors)
{
	STACK_OF(X509) *sk = sk_X509_new_null();
	size_t i;

	for (i = 0; sk && set && i < set->n; i++)
		if ((!anchors || set->v[i]->ca) && !sk_X509_push(sk, set->v[i]->x509)) {
			sk_X509_free(sk);
			return NULL;
		}
	return sk;
}

static void name_at_error(X509_STORE_CTX *ctx, bool issuer, char *buf, size_t cap)
{
	X509 *x = X509_STORE_CTX_get_current_cert(ctx);
	struct identity id = {0};

	snprintf(buf, cap, "?");
	if (!x || identity_from_x509_name(
		      issuer ? X509_get_issuer_name(x) : X509_get_subject_name(x), &id))
		return;
	identity_format(&id, buf, cap);
	identity_clear(&id);
}

/* The certificate that failed, wrapped to have its dates. */
static int explain_dates(X509_STORE_CTX *ctx, int64_t now, struct err_msg *msg)
{
	X509 *x = X509_STORE_CTX_get_current_cert(ctx);
	struct cert *c = NULL;
	uint8_t *der = NULL;
	int len = x ? i2d_X509(x, &der) : 0, err = 0;

	if (len > 0 && !cert_load((struct view){der, (size_t)len}, &c, NULL))
		err = check_dates(c, now, msg);
	cert_unref(c);
	OPENSSL_free(der);
	return err ? err : err_set(msg, ERR_AUTH, "a certificate is not valid now");
}

static int explain(X509_STORE_CTX *ctx, int64_t now, struct err_msg *msg)
{
	char subject[IDENTITY_STRLEN / 2], issuer[IDENTITY_STRLEN / 2];
	int code = X509_STORE_CTX_get_error(ctx);

	name_at_error(ctx, false, subject, sizeof(subject));
	name_at_error(ctx, true, issuer, sizeof(issuer));
	switch (code) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return explain_dates(ctx, now, msg);
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_CERT_UNTRUSTED:
		return err_set(msg, ERR_AUTH, "no trusted CA '%s' found for certificate '%s'",
			       issuer, subject);
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		return err_set(msg, ERR_AUTH,
			       "certificate '%s' is self-signed, and not one that is configured",
			       subject);
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		return err_set(msg, ERR_AUTH, "CA '%s' is not trusted", subject);
	case X509_V_ERR_INVALID_CA:
	case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
		return err_set(msg, ERR_AUTH, "certificate '%s' signed another, but is no CA",
			       subject);
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
		return err_set(msg, ERR_AUTH, "the signature of certificate '%s' is wrong",
			       subject);
	case X509_V_ERR_EE_KEY_TOO_SMALL:
	case X509_V_ERR_CA_KEY_TOO_SMALL:
		return err_set(msg, ERR_AUTH, "the key of certificate '%s' is too short", subject);
	case X509_V_ERR_CA_MD_TOO_WEAK:
		return err_set(msg, ERR_AUTH, "the signature of certificate '%s' uses a weak hash",
			       subject);
	default:
		return err_set(msg, ERR_AUTH, "certificate '%s': %s", subject,
			       X509_verify_cert_error_string(code));
	}
}

static void set_params(X509_STORE_CTX *ctx, int64_t now)
{
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);

	X509_VERIFY_PARAM_set_time(param, (time_t)now);
	X509_VERIFY_PARAM_set_depth(param, CHAIN_MAX);
	X509_VERIFY_PARAM_set_auth_level(param, SECURITY_LEVEL);
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
}

static int check_chain(const struct cert *leaf, const struct cert_set *untrusted,
		       const struct cert_set *cas, int64_t now, struct err_msg *msg)
{
	STACK_OF(X509) *chain = make_stack(untrusted, false), *anchors = make_stack(cas, true);
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int err;

	if (chain && anchors && ctx && X509_STORE_CTX_init(ctx, NULL, leaf->x509, chain) == 1) {
		X509_STORE_CTX_set0_trusted_stack(ctx, anchors);
		set_params(ctx, now);
		err = X509_verify_cert(ctx) == 1 ? 0 : explain(ctx, now, msg);
	} else {
		err = err_set(msg, ERR_NOMEM, "out of memory");
	}
	X509_STORE_CTX_free(ctx);
	sk_X509_free(chain);
	sk_X509_free(anchors);
	ERR_clear_error();
	return err;
}

int cert_verify(const struct cert *leaf, const struct cert_set *untrusted,
		const struct cert_set *pinned, const struct cert_set *cas, int64_t now,
		struct err_msg *msg)
{
	struct cert *known = find_pinned(leaf, pinned);
	int err;

	if (known)
		err = check_pinned(known, now, msg);
	else
		err = check_chain(leaf, untrusted, cas, now, msg);
	return err ? err : check_leaf_usage(leaf, msg);
}
