/* Certificates: reading, trust and making. ca.pem and vps.pem are strongSwan's; the others are made
 * here, so that each test breaks exactly one thing. */
#include "vpn/tests/datafile.h"

#include <string.h>

#include "vpn/crypto/pki.h"

#define NOW  1795305600 /* 2026-11-22 */
#define DAY  86400
#define YEAR (365LL * DAY)

static struct cert *load(const char *name)
{
	uint8_t buf[DATAFILE_MAX];
	struct cert *c = NULL;
	struct err_msg msg = {""};

	if (cert_load(datafile(name, buf), &c, &msg))
		fail_msg("%s: %s", name, msg.text);
	return c;
}

static struct privkey *make_key(uint8_t n)
{
	uint8_t seed[32] = {n};
	struct privkey *key;

	assert_int_equal(privkey_generate_ed25519(seed, &key), 0);
	return key;
}

static struct cert_request request(const char *dn, bool ca)
{
	return (struct cert_request){.dn = dn,
				     .not_before = NOW - DAY,
				     .not_after = NOW + YEAR,
				     .ca = ca,
				     .serial = {1, 2, 3, 4, 5, 6, 7, 8}};
}

static struct cert *make(const struct cert_request *req, struct privkey *key, struct cert *issuer,
			 struct privkey *issuer_key)
{
	struct cert *c = NULL;
	struct err_msg msg = {""};

	if (cert_make(req, key, issuer, issuer_key, &c, &msg))
		fail_msg("%s: %s", req->dn, msg.text);
	return c;
}

/* A CA, a CA below it, a leaf below that, and a leaf that signed itself. */
struct pki {
	struct privkey *root_key, *sub_key, *leaf_key;
	struct cert *root, *sub, *leaf, *self;
};

static int make_pki(void **state)
{
	static struct pki p;
	struct cert_request root = request("C=FR, CN=root", true),
			    sub = request("C=FR, CN=sub", true),
			    leaf = request("C=FR, CN=leaf", false),
			    self = request("C=FR, CN=self", false);

	p.root_key = make_key(1);
	p.sub_key = make_key(2);
	p.leaf_key = make_key(3);
	p.root = make(&root, p.root_key, NULL, NULL);
	p.sub = make(&sub, p.sub_key, p.root, p.root_key);
	p.leaf = make(&leaf, p.leaf_key, p.sub, p.sub_key);
	p.self = make(&self, p.leaf_key, NULL, NULL);
	*state = &p;
	return 0;
}

static int free_pki(void **state)
{
	struct pki *p = *state;

	privkey_unref(p->root_key);
	privkey_unref(p->sub_key);
	privkey_unref(p->leaf_key);
	cert_unref(p->root);
	cert_unref(p->sub);
	cert_unref(p->leaf);
	cert_unref(p->self);
	return 0;
}

static int verify_at(struct cert *leaf, struct cert *untrusted, struct cert *pinned,
		     struct cert *ca, int64_t now, struct err_msg *msg)
{
	struct cert_set u = {&untrusted, untrusted != NULL}, p = {&pinned, pinned != NULL},
			c = {&ca, ca != NULL};

	msg->text[0] = '\0';
	return cert_verify(leaf, &u, &p, &c, now, msg);
}

static void expect_trusted(struct cert *leaf, struct cert *untrusted, struct cert *pinned,
			   struct cert *ca)
{
	struct err_msg msg;

	if (verify_at(leaf, untrusted, pinned, ca, NOW, &msg))
		fail_msg("%s", msg.text);
}

static void expect_refused(struct cert *leaf, struct cert *untrusted, struct cert *pinned,
			   struct cert *ca, int64_t now, const char *says)
{
	struct err_msg msg;

	assert_int_equal(verify_at(leaf, untrusted, pinned, ca, now, &msg), ERR_AUTH);
	if (!strstr(msg.text, says))
		fail_msg("'%s' does not say '%s'", msg.text, says);
}

/* ---- reading ---- */

static void expect_id(const struct identity *id, const char *text)
{
	char buf[IDENTITY_STRLEN];

	assert_string_equal(identity_format(id, buf, sizeof(buf)), text);
}

static void a_certificate_of_strongswan_is_read_whole(void **state)
{
	struct cert *c = load("crypto/vps.pem");
	uint8_t want[20];

	(void)state;
	expect_id(cert_subject(c), "C=FR, O=inetdoc.net, CN=vps");
	expect_id(cert_issuer(c), "C=FR, O=inetdoc.net, CN=lab CA");
	assert_int_equal(cert_san_count(c), 4);
	expect_id(cert_san(c, 0), "vps.inetdoc.net");
	expect_id(cert_san(c, 1), "192.0.2.1");
	expect_id(cert_san(c, 2), "2001:db8::1");
	expect_id(cert_san(c, 3), "admin@inetdoc.net");
	assert_int_equal(cert_not_before(c), 1767305990); /* 2026-01-01 22:19:50 */
	assert_int_equal(cert_not_after(c), 2082838790);
	unhex("1a2b3c4d5e6f7081", want);
	assert_int_equal(cert_serial(c).len, 8);
	assert_memory_equal(cert_serial(c).p, want, 8);
	unhex("a510907884331f0c2ceec35f79d718c65f8607a9", want);
	assert_memory_equal(cert_key_hash(c), want, 20);
	assert_int_equal(pubkey_type(cert_pubkey(c)), KEY_ED25519);
	assert_false(cert_is_ca(c));
	assert_false(cert_is_self_signed(c));
	cert_unref(c);
}

static void a_certificate_of_strongswan_is_trusted_through_its_ca(void **state)
{
	struct cert *ca = load("crypto/ca.pem"), *vps = load("crypto/vps.pem");

	(void)state;
	assert_true(cert_is_ca(ca));
	assert_true(cert_is_self_signed(ca));
	expect_trusted(vps, NULL, NULL, ca);
	cert_unref(ca);
	cert_unref(vps);
}

static bool has(const struct cert *c, const char *text)
{
	struct identity id;
	bool yes;

	assert_int_equal(identity_parse(text, &id, NULL), 0);
	yes = cert_has_identity(c, &id);
	identity_clear(&id);
	return yes;
}

/* RFC 4945 §3.1: an identity must stand in the certificate; the CN is no FQDN. */
static void an_identity_must_be_the_subject_or_an_alternative_name(void **state)
{
	struct cert *c = load("crypto/vps.pem");

	(void)state;
	assert_true(has(c, "C=FR, O=inetdoc.net, CN=vps"));
	assert_true(has(c, "VPS.inetdoc.net"));
	assert_true(has(c, "192.0.2.1"));
	assert_true(has(c, "2001:db8:0::1"));
	assert_true(has(c, "admin@inetdoc.net"));
	assert_false(has(c, "vps"));
	assert_false(has(c, "inetdoc.net"));
	assert_false(has(c, "192.0.2.2"));
	assert_false(has(c, "C=FR, O=inetdoc.net, CN=*"));
	assert_false(has(c, "%any"));
	cert_unref(c);
}

static void what_is_no_certificate_is_refused(void **state)
{
	static const char *const names[] = {"crypto/ed25519.pem", "crypto/message",
					    "crypto/rsa2048.der"};
	uint8_t buf[DATAFILE_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct cert *c = NULL;
		struct err_msg msg = {""};

		assert_int_equal(cert_load(datafile(names[i], buf), &c, &msg), ERR_SYNTAX);
		assert_null(c);
		assert_non_null(strstr(msg.text, "not a certificate"));
	}
	assert_int_equal(cert_load((struct view){NULL, 0}, NULL, NULL), ERR_SYNTAX);
	assert_int_equal(cert_load(datafile("crypto/k256-cert.pem", buf), NULL, NULL),
			 ERR_UNSUPPORTED);
}

/* Octets before, inside and after the end: read or refused, never read past. */
static void damaged_certificates_are_survived(void **state)
{
	struct pki *p = *state;
	struct view der = cert_der(p->leaf);
	uint8_t buf[2048];
	size_t i;

	assert_true(der.len < sizeof(buf));
	for (i = 0; i <= der.len; i++) {
		struct cert *c = NULL;

		memcpy(buf, der.p, der.len);
		assert_int_equal(cert_load((struct view){buf, i}, &c, NULL) == 0, i == der.len);
		cert_unref(c);
		if (i == der.len)
			break;
		c = NULL;
		buf[i] ^= 0x55;
		if (!cert_load((struct view){buf, der.len}, &c, NULL)) {
			struct err_msg msg;

			assert_int_equal(verify_at(c, p->sub, NULL, p->root, NOW, &msg), ERR_AUTH);
			cert_unref(c);
		}
	}
	buf[der.len] = 0;
	assert_int_equal(cert_load((struct view){buf, der.len + 1}, NULL, NULL), ERR_SYNTAX);
}

/* ---- trust ---- */

static void a_chain_through_an_intermediate_is_trusted(void **state)
{
	struct pki *p = *state;

	expect_trusted(p->leaf, p->sub, NULL, p->root);
	/* a configured CA is an anchor, whoever signed it */
	expect_trusted(p->leaf, NULL, NULL, p->sub);
}

static void a_chain_without_a_trusted_end_is_refused_by_name(void **state)
{
	struct pki *p = *state;

	expect_refused(p->leaf, NULL, NULL, p->root, NOW, "no trusted CA 'C=FR, CN=sub' found");
	expect_refused(p->leaf, p->sub, NULL, NULL, NOW, "no trusted CA 'C=FR, CN=root' found");
	expect_refused(p->self, NULL, NULL, p->root, NOW, "self-signed, and not one");
	/* sent by the peer, but not configured */
	expect_refused(p->sub, p->root, NULL, NULL, NOW, "CA 'C=FR, CN=root' is not trusted");
}

static void a_pinned_certificate_is_trusted_without_a_ca(void **state)
{
	struct pki *p = *state;

	expect_trusted(p->self, NULL, p->self, NULL);
	expect_trusted(p->leaf, NULL, p->leaf, NULL);
	expect_refused(p->self, NULL, p->leaf, NULL, NOW, "self-signed");
}

static void dates_are_checked_of_every_certificate(void **state)
{
	struct pki *p = *state;
	struct cert_request old = request("C=FR, CN=old", true),
			    leaf = request("C=FR, CN=young", false);
	struct cert *ca, *young;

	expect_refused(p->self, NULL, p->self, NULL, NOW + 2 * YEAR,
		       "certificate 'C=FR, CN=self' expired on 2027-11-22 (is it 2028-11-21?)");
	expect_refused(
	    p->self, NULL, p->self, NULL, NOW - 2 * DAY,
	    "certificate 'C=FR, CN=self' is not valid before 2026-11-21 (is it 2026-11-20?)");
	expect_refused(p->leaf, p->sub, NULL, p->root, NOW + 2 * YEAR, "expired on 2027-11-22");
	expect_refused(p->leaf, p->sub, NULL, p->root, 0, "is not valid before");
	old.not_after = NOW - 1;
	ca = make(&old, p->root_key, NULL, NULL);
	young = make(&leaf, p->leaf_key, ca, p->root_key);
	expect_refused(young, NULL, NULL, ca, NOW, "certificate 'C=FR, CN=old' expired");
	cert_unref(young);
	cert_unref(ca);
}

static void a_certificate_is_valid_on_its_first_and_last_second(void **state)
{
	struct pki *p = *state;
	struct err_msg msg;

	assert_int_equal(verify_at(p->self, NULL, p->self, NULL, NOW - DAY, &msg), 0);
	assert_int_equal(verify_at(p->self, NULL, p->self, NULL, NOW + YEAR, &msg), 0);
	assert_int_equal(verify_at(p->self, NULL, p->self, NULL, NOW - DAY - 1, &msg), ERR_AUTH);
	assert_int_equal(verify_at(p->self, NULL, p->self, NULL, NOW + YEAR + 1, &msg), ERR_AUTH);
}

/* Takes a certificate's octets, changes the last one (of the signature), and reads it again. */
static struct cert *with_wrong_signature(const struct cert *c)
{
	uint8_t buf[2048];
	struct view der = cert_der(c);
	struct cert *bad = NULL;

	memcpy(buf, der.p, der.len);
	buf[der.len - 1] ^= 1;
	assert_int_equal(cert_load((struct view){buf, der.len}, &bad, NULL), 0);
	return bad;
}

static void wrong_signatures_are_refused(void **state)
{
	struct pki *p = *state;
	struct cert *leaf = with_wrong_signature(p->leaf), *self = with_wrong_signature(p->self);

	expect_refused(leaf, p->sub, NULL, p->root, NOW,
		       "signature of certificate 'C=FR, CN=leaf'");
	expect_refused(self, NULL, self, NULL, NOW, "signature of certificate 'C=FR, CN=self'");
	cert_unref(leaf);
	cert_unref(self);
}

/* RFC 5280 §6.1.4, §4.2.1.9, §4.2; RFC 8247 §4.1; RFC 4945 §5.1.3.2: chains that openssl made. */
static void chains_that_break_one_rule_are_refused_by_it(void **state)
{
	static const struct {
		const char *leaf, *untrusted, *ca, *says;
	} rows[] = {
	    {"crypto/issued-by-vps.pem", "crypto/vps.pem", "crypto/ca.pem",
	     "'C=FR, O=inetdoc.net, CN=vps' signed another, but is no CA"},
	    {"crypto/below-too-deep.pem", "crypto/ca-too-deep.pem", "crypto/ca-pathlen0.pem",
	     "path length"},
	    {"crypto/unknown-critical.pem", NULL, "crypto/ca-pathlen0.pem", "critical extension"},
	    {"crypto/key-encipherment.pem", NULL, "crypto/ca-pathlen0.pem",
	     "does not permit digital signatures"},
	    {"crypto/rsa1024-cert.pem", NULL, "crypto/ca-pathlen0.pem",
	     "'C=FR, CN=short' is too short"},
	    {"crypto/sha1-signed.pem", NULL, "crypto/ca-pathlen0.pem",
	     "'C=FR, CN=sha1' uses a weak hash"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cert *leaf = load(rows[i].leaf), *ca = load(rows[i].ca);
		struct cert *untrusted = rows[i].untrusted ? load(rows[i].untrusted) : NULL;

		expect_refused(leaf, untrusted, NULL, ca, NOW + 2 * DAY, rows[i].says);
		cert_unref(leaf);
		cert_unref(untrusted);
		cert_unref(ca);
	}
}

static void a_pinned_certificate_must_still_be_fit_for_signatures(void **state)
{
	struct cert *critical = load("crypto/unknown-critical.pem"),
		    *encipher = load("crypto/key-encipherment.pem");

	(void)state;
	expect_refused(critical, NULL, critical, NULL, NOW + 2 * DAY, "critical extension");
	expect_refused(encipher, NULL, encipher, NULL, NOW + 2 * DAY, "does not permit digital");
	cert_unref(critical);
	cert_unref(encipher);
}

static void only_a_ca_is_an_anchor_or_an_issuer(void **state)
{
	struct pki *p = *state;
	struct cert_request req = request("C=FR, CN=victim", false);
	struct cert *c = NULL;
	struct err_msg msg;

	assert_int_equal(cert_make(&req, p->root_key, p->self, p->leaf_key, &c, &msg), ERR_INVALID);
	assert_non_null(strstr(msg.text, "not a CA"));
	expect_refused(p->self, NULL, NULL, p->self, NOW, "self-signed");
}

/* RFC 4945 §5.1.3.2: a CA of ours may only sign certificates, not IKE. */
static void key_usage_must_permit_signatures(void **state)
{
	struct pki *p = *state;

	expect_refused(p->root, NULL, p->root, NULL, NOW, "does not permit digital signatures");
	expect_refused(p->sub, NULL, NULL, p->root, NOW, "does not permit digital signatures");
}

/* ---- making ---- */

static void a_made_certificate_has_what_was_asked_for(void **state)
{
	static const char *const sans[] = {"vpn.example", "192.0.2.7", "2001:db8::7", "a@b.example",
					   "C=FR, CN=other"};
	struct pki *p = *state;
	struct cert_request req = request("C=FR, O=\xc3\x89tat, CN=made", false);
	char buf[IDENTITY_STRLEN];
	struct cert *c;
	size_t i;

	req.sans = sans;
	req.n_sans = 5;
	req.server_auth = req.client_auth = true;
	c = make(&req, p->leaf_key, p->root, p->root_key);
	assert_true(has(c, req.dn));
	for (i = 0; i < 5; i++)
		assert_string_equal(identity_format(cert_san(c, i), buf, sizeof(buf)), sans[i]);
	assert_true(identity_eq(cert_issuer(c), cert_subject(p->root)));
	assert_int_equal(cert_not_before(c), NOW - DAY);
	assert_int_equal(cert_not_after(c), NOW + YEAR);
	assert_memory_equal(cert_serial(c).p, req.serial, 8);
	assert_true(cert_matches_key(c, p->leaf_key));
	assert_false(cert_matches_key(c, p->root_key));
	expect_trusted(c, NULL, NULL, p->root);
	cert_unref(c);
}

static void the_same_request_gives_the_same_octets(void **state)
{
	struct pki *p = *state;
	struct cert_request req = request("C=FR, CN=self", false);
	struct cert *c = make(&req, p->leaf_key, NULL, NULL);

	assert_true(cert_eq(c, p->self));
	assert_false(cert_eq(c, p->leaf));
	cert_unref(c);
}

static void keys_of_every_type_sign_certificates(void **state)
{
	static const char *const names[] = {"crypto/rsa2048.pem", "crypto/p256-with-parameters.pem",
					    "crypto/p384.pem", "crypto/p521.pem"};
	struct pki *p = *state;
	struct cert_request ca_req = request("CN=ca", true), req = request("CN=leaf", false);
	uint8_t buf[DATAFILE_MAX];
	size_t i;

	for (i = 0; i < 4; i++) {
		struct privkey *key = NULL;
		struct cert *ca, *leaf;

		assert_int_equal(privkey_load(datafile(names[i], buf), NULL, &key, NULL), 0);
		ca = make(&ca_req, key, NULL, NULL);
		leaf = make(&req, p->leaf_key, ca, key);
		expect_trusted(leaf, NULL, NULL, ca);
		cert_unref(ca);
		cert_unref(leaf);
		privkey_unref(key);
	}
}

static void bad_requests_are_refused(void **state)
{
	static const char *const any[] = {"%any"};
	struct pki *p = *state;
	struct cert_request req = request("nonsense", false), zero = request("CN=x", false),
			    san = request("CN=x", false);
	struct err_msg msg = {""};
	struct cert *c = NULL;

	assert_int_equal(cert_make(&req, p->leaf_key, NULL, NULL, &c, &msg), ERR_SYNTAX);
	memset(zero.serial, 0, 8);
	assert_int_equal(cert_make(&zero, p->leaf_key, NULL, NULL, &c, &msg), ERR_INVALID);
	san.sans = any;
	san.n_sans = 1;
	assert_int_equal(cert_make(&san, p->leaf_key, NULL, NULL, &c, &msg), ERR_INVALID);
	san.n_sans = 0;
	assert_int_equal(cert_make(&san, p->leaf_key, p->root, p->sub_key, &c, &msg), ERR_INVALID);
	assert_null(c);
}

static void pem_and_back_is_the_same_certificate(void **state)
{
	struct pki *p = *state;
	struct cert *again = NULL;
	char *pem;
	size_t len;

	assert_int_equal(cert_to_pem(p->leaf, &pem, &len), 0);
	assert_int_equal(cert_load((struct view){(uint8_t *)pem, len}, &again, NULL), 0);
	assert_true(cert_eq(p->leaf, again));
	cert_unref(again);
	free(pem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_certificate_of_strongswan_is_read_whole),
	    cmocka_unit_test(a_certificate_of_strongswan_is_trusted_through_its_ca),
	    cmocka_unit_test(an_identity_must_be_the_subject_or_an_alternative_name),
	    cmocka_unit_test(what_is_no_certificate_is_refused),
	    cmocka_unit_test(damaged_certificates_are_survived),
	    cmocka_unit_test(a_chain_through_an_intermediate_is_trusted),
	    cmocka_unit_test(a_chain_without_a_trusted_end_is_refused_by_name),
	    cmocka_unit_test(a_pinned_certificate_is_trusted_without_a_ca),
	    cmocka_unit_test(dates_are_checked_of_every_certificate),
	    cmocka_unit_test(a_certificate_is_valid_on_its_first_and_last_second),
	    cmocka_unit_test(wrong_signatures_are_refused),
	    cmocka_unit_test(chains_that_break_one_rule_are_refused_by_it),
	    cmocka_unit_test(a_pinned_certificate_must_still_be_fit_for_signatures),
	    cmocka_unit_test(only_a_ca_is_an_anchor_or_an_issuer),
	    cmocka_unit_test(key_usage_must_permit_signatures),
	    cmocka_unit_test(a_made_certificate_has_what_was_asked_for),
	    cmocka_unit_test(the_same_request_gives_the_same_octets),
	    cmocka_unit_test(keys_of_every_type_sign_certificates),
	    cmocka_unit_test(bad_requests_are_refused),
	    cmocka_unit_test(pem_and_back_is_the_same_certificate),
	};

	return cmocka_run_group_tests(tests, make_pki, free_pki);
}
