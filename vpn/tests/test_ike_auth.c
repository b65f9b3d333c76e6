/* IKE_AUTH: shared keys, certificates, identities, refusals (RFC 7296 §1.2, §2.15, §2.21.2, RFC
 * 7427). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vpn/ike/auth_method.h"
#include "vpn/tests/ike_pair.h"
#include "vpn/wire/payload.h"

#define NOW 1800000001

static int setup(void **state)
{
	*state = pair_new(11);
	return 0;
}

static int teardown(void **state)
{
	pair_free(*state);
	return 0;
}

/* A self-signed Ed25519 certificate, as the seed document makes them. */
static struct cert *make_cert(const char *dn, uint8_t seed, int64_t not_after,
			      struct privkey **ret_key)
{
	uint8_t octets[32] = {seed};
	struct cert_request req = {.dn = dn,
				   .not_before = NOW - 1000,
				   .not_after = not_after,
				   .serial = {1, seed},
				   .client_auth = true,
				   .server_auth = true};
	struct cert *cert = NULL;
	struct err_msg msg;

	assert_int_equal(privkey_generate_ed25519(octets, ret_key), 0);
	if (cert_make(&req, *ret_key, NULL, NULL, &cert, &msg))
		fail_msg("%s", msg.text);
	return cert;
}

static void give_cert(struct side *s, const char *dn, uint8_t seed, int64_t not_after)
{
	s->key_cert = make_cert(dn, seed, not_after, &s->key);
}

static void pin(struct cert_set *set, struct cert *cert)
{
	set->v = calloc(1, sizeof(struct cert *));
	assert_non_null(set->v);
	set->v[0] = cert_ref(cert);
	set->n = 1;
}

static void configure_certs(struct pair *p)
{
	struct pair_conn a, b;

	pair_default(p, &a, &b);
	a.auth = b.auth = AUTH_CLASS_PUBKEY;
	a.local_id = b.remote_id = "C=FR, O=inetdoc.net, CN=lab-gw";
	b.local_id = a.remote_id = "C=FR, O=inetdoc.net, CN=vps";
	pair_configure(p, &a, &b);
	pin(&p->a.conns[0]->local.certs, p->a.key_cert);
	pin(&p->b.conns[0]->local.certs, p->b.key_cert);
	pin(&p->a.conns[0]->remote.certs, p->b.key_cert);
	pin(&p->b.conns[0]->remote.certs, p->a.key_cert);
}

static void exchanged_self_signed_certificates_authenticate(void **state)
{
	struct pair *p = *state;
	struct ike_sa_info info;
	char id[IDENTITY_STRLEN];

	give_cert(&p->a, "C=FR, O=inetdoc.net, CN=lab-gw", 1, NOW + 1000);
	give_cert(&p->b, "C=FR, O=inetdoc.net, CN=vps", 2, NOW + 1000);
	configure_certs(p);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	pair_assert_agree(p, 1);
	assert_true(ike_engine_sa(p->b.engine, 0, &info));
	assert_string_equal(identity_format(info.remote_id, id, sizeof(id)),
			    "C=FR, O=inetdoc.net, CN=lab-gw");
}

static void assert_refused(struct pair *p, struct side *by, struct side *other, const char *reason)
{
	const struct pair_event *ev = pair_find_event(by, EVENT_IKE_FAILED);

	assert_non_null(ev);
	assert_int_equal(ev->notify, N_AUTHENTICATION_FAILED);
	if (!strstr(ev->text, reason))
		fail_msg("'%s' does not say '%s'", ev->text, reason);
	assert_non_null(pair_find_event(other, other == &p->a ? EVENT_IKE_FAILED : EVENT_IKE_DOWN));
	assert_int_equal(pair_ike_count(&p->a) + pair_ike_count(&p->b), 0);
	assert_int_equal(p->a.n_sas + p->b.n_sas, 0);
}

static void an_expired_certificate_is_refused_and_the_reason_said(void **state)
{
	struct pair *p = *state;

	give_cert(&p->a, "C=FR, O=inetdoc.net, CN=lab-gw", 1, NOW - 10);
	give_cert(&p->b, "C=FR, O=inetdoc.net, CN=vps", 2, NOW + 1000);
	configure_certs(p);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	assert_refused(p, &p->b, &p->a, "expired");
}

/* The responder has authenticated; the initiator rejects it and says so (RFC 7296 §2.21.2). */
static void an_initiator_that_rejects_the_responder_notifies_it(void **state)
{
	struct pair *p = *state;

	give_cert(&p->a, "C=FR, O=inetdoc.net, CN=lab-gw", 1, NOW + 1000);
	give_cert(&p->b, "C=FR, O=inetdoc.net, CN=vps", 2, NOW - 10);
	configure_certs(p);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	assert_refused(p, &p->a, &p->b, "expired");
	assert_int_equal(pair_find_event(&p->b, EVENT_IKE_DOWN)->notify, N_AUTHENTICATION_FAILED);
}

static void a_key_that_does_not_belong_to_the_certificate_proves_nothing(void **state)
{
	struct pair *p = *state;
	uint8_t other_seed[32] = {99};

	give_cert(&p->a, "C=FR, O=inetdoc.net, CN=lab-gw", 1, NOW + 1000);
	give_cert(&p->b, "C=FR, O=inetdoc.net, CN=vps", 2, NOW + 1000);
	configure_certs(p);
	privkey_unref(p->a.key);
	assert_int_equal(privkey_generate_ed25519(other_seed, &p->a.key), 0);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	assert_refused(p, &p->b, &p->a, "signature");
}

static void wrong_shared_key_is_refused(void **state)
{
	struct pair *p = *state;
	struct pair_conn a, b;

	pair_default(p, &a, &b);
	pair_configure(p, &a, &b);
	p->b.psk = "another secret";
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	assert_refused(p, &p->b, &p->a, "shared key");
}

static void unknown_identity_is_refused_by_the_responder(void **state)
{
	struct pair *p = *state;
	struct pair_conn a, b;

	pair_default(p, &a, &b);
	a.local_id = "mallory.example";
	pair_configure(p, &a, &b);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	assert_refused(p, &p->b, &p->a, "mallory.example");
}

static void a_responder_with_another_identity_is_refused_by_the_initiator(void **state)
{
	struct pair *p = *state;
	struct pair_conn a, b;

	pair_default(p, &a, &b);
	a.remote_id = "*.example";
	b.local_id = "b.wrong";
	pair_configure(p, &a, &b);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	assert_refused(p, &p->a, &p->b, "b.wrong");
}

static void a_shared_key_does_not_stand_in_for_a_signature(void **state)
{
	struct pair *p = *state;
	struct pair_conn a, b;

	pair_default(p, &a, &b);
	b.auth = AUTH_CLASS_PUBKEY;
	pair_configure(p, &a, &b);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	assert_refused(p, &p->b, &p->a, "demands a signature");
}

/* Two connections fit the addresses; the identity decides (the second is the peer's). */
static void identity_chooses_the_connection(void **state)
{
	struct pair *p = *state;
	struct pair_conn a, b, decoy;
	struct ike_sa_info info;

	pair_default(p, &a, &b);
	decoy = b;
	decoy.name = "decoy";
	decoy.remote_id = "someone.else";
	p->b.conns[p->b.n_conns++] = pair_conn(&decoy);
	pair_configure(p, &a, &b);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	pair_assert_agree(p, 1);
	assert_true(ike_engine_sa(p->b.engine, 0, &info));
	assert_string_equal(info.conn->name, "road");
}

static void keys_are_logged_only_on_request(void **state)
{
	struct pair *p = *state;
	struct pair_conn a, b;

	ike_engine_log_keys(p->b.engine, false);
	pair_default(p, &a, &b);
	pair_configure(p, &a, &b);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	assert_int_equal(p->a.n_keys, 1);
	assert_int_equal(p->b.n_keys, 0);
}

/* RFC 7296 §2.4: after a crash the peer's INITIAL_CONTACT ends what it left behind. */
static void an_initiator_that_starts_afresh_replaces_its_former_self(void **state)
{
	struct ike_options opt = pair_options();
	struct pair_conn a, b;
	struct pair *p = *state;

	pair_default(p, &a, &b);
	pair_configure(p, &a, &b);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	pair_assert_agree(p, 1);
	pair_set_options(&p->a, &opt);
	while (p->a.n_sas > 0)
		ipsec_sa_clear(&p->a.sas[--p->a.n_sas]);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	assert_int_equal(pair_ike_count(&p->b), 1);
	pair_assert_agree(p, 1);
	assert_int_equal(pair_find_event(&p->b, EVENT_IKE_DOWN)->cause, CAUSE_REPLACED);
}

static void sha1_signatures_are_refused_where_better_was_announced(void **state)
{
	(void)state;
	assert_false(auth_method_allowed(AUTH_RSA_SIG, SIG_HASH_BIT(SIG_HASH_SHA2_256)));
	assert_true(auth_method_allowed(AUTH_RSA_SIG, 0));
	assert_true(auth_method_allowed(AUTH_DIGITAL_SIGNATURE, SIG_HASH_BIT(SIG_HASH_SHA2_256)));
	assert_true(auth_method_allowed(AUTH_ECDSA_256, SIG_HASH_BIT(SIG_HASH_SHA2_256)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(exchanged_self_signed_certificates_authenticate, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(an_expired_certificate_is_refused_and_the_reason_said,
					    setup, teardown),
	    cmocka_unit_test_setup_teardown(an_initiator_that_rejects_the_responder_notifies_it,
					    setup, teardown),
	    cmocka_unit_test_setup_teardown(
		a_key_that_does_not_belong_to_the_certificate_proves_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(wrong_shared_key_is_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(unknown_identity_is_refused_by_the_responder, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(
		a_responder_with_another_identity_is_refused_by_the_initiator, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_shared_key_does_not_stand_in_for_a_signature, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(identity_chooses_the_connection, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		an_initiator_that_starts_afresh_replaces_its_former_self, setup, teardown),
	    cmocka_unit_test(sha1_signatures_are_refused_where_better_was_announced),
	    cmocka_unit_test_setup_teardown(keys_are_logged_only_on_request, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
