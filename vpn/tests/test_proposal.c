/* Proposals: their text, and choosing between them (RFC 7296 §2.7, §3.3, §3.3.6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vpn/ike/proposal.h"

static struct proposal_list parse(uint8_t protocol, const char *text)
{
	struct proposal_list list = {0};
	struct err_msg msg;

	if (proposal_parse(protocol, text, &list, &msg))
		fail_msg("%s", msg.text);
	return list;
}

static void text_means_what_strongswan_means(void **state)
{
	static const struct {
		uint8_t protocol;
		const char *text, *want;
	} rows[] = {
	    {PROTOCOL_IKE, "chacha20poly1305-sha384-curve25519",
	     "IKE:CHACHA20_POLY1305/PRF_HMAC_SHA2_384/CURVE_25519"},
	    {PROTOCOL_ESP, "chacha20poly1305-sha384-curve25519",
	     "ESP:CHACHA20_POLY1305/CURVE_25519/NO_EXT_SEQ"},
	    {PROTOCOL_IKE, "aes256-sha256-modp2048",
	     "IKE:AES_CBC_256/PRF_HMAC_SHA2_256/HMAC_SHA2_256_128/MODP_2048"},
	    {PROTOCOL_IKE, "aes128gcm16-prfsha256-ecp256",
	     "IKE:AES_GCM_16_128/PRF_HMAC_SHA2_256/ECP_256"},
	    {PROTOCOL_ESP, "aes256gcm16-esn-noesn", "ESP:AES_GCM_16_256/EXT_SEQ/NO_EXT_SEQ"},
	    {PROTOCOL_ESP, "aes128-sha512", "ESP:AES_CBC_128/HMAC_SHA2_512_256/NO_EXT_SEQ"},
	};
	char buf[512];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct proposal_list list = parse(rows[i].protocol, rows[i].text);

		assert_string_equal(proposal_list_format(&list, buf, sizeof(buf)), rows[i].want);
		free(list.v);
	}
}

static void incomplete_or_impossible_proposals_are_refused(void **state)
{
	static const struct {
		uint8_t protocol;
		const char *text, *why;
	} rows[] = {
	    {PROTOCOL_IKE, "chacha20poly1305-curve25519", "no PRF"},
	    {PROTOCOL_IKE, "aes128-sha256", "no key exchange"},
	    {PROTOCOL_IKE, "aes128-prfsha256-ecp256", "no integrity"},
	    {PROTOCOL_IKE, "sha256-ecp256", "no encryption"},
	    {PROTOCOL_ESP, "aes128", "no integrity"},
	    {PROTOCOL_ESP, "aes128-aes128gcm16-sha256", "mixes"},
	    {PROTOCOL_ESP, "rot13-sha256", "'rot13'"},
	};
	struct proposal_list list = {0};
	struct err_msg msg;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(proposal_parse(rows[i].protocol, rows[i].text, &list, &msg) < 0);
		assert_non_null(strstr(msg.text, rows[i].why));
		assert_int_equal(list.n, 0);
	}
}

static void the_first_of_ours_that_the_peer_has_is_chosen(void **state)
{
	static const struct {
		const char *own, *peer, *want;
		unsigned flags;
	} rows[] = {
	    {"aes256gcm16-aes128gcm16", "aes128gcm16-aes256gcm16", "ESP:AES_GCM_16_256/NO_EXT_SEQ",
	     0},
	    {"aes256gcm16", "aes128gcm16", NULL, 0},
	    {"aes128gcm16-ecp256", "aes128gcm16", NULL, 0},
	    {"aes128gcm16", "aes128gcm16-ecp256", NULL, 0},
	    {"aes128gcm16-ecp256", "aes128gcm16-ecp384", "ESP:AES_GCM_16_128/NO_EXT_SEQ",
	     PROPOSAL_SKIP_KE},
	    {"aes128gcm16-esn", "aes128gcm16", NULL, 0},
	    {"aes128gcm16-esn-noesn", "aes128gcm16-esn", "ESP:AES_GCM_16_128/EXT_SEQ", 0},
	};
	char buf[512];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct proposal_list own = parse(PROTOCOL_ESP, rows[i].own);
		struct proposal_list peer = parse(PROTOCOL_ESP, rows[i].peer);
		struct proposal chosen;
		struct proposal_list one = {1, &chosen};
		bool ok = proposal_select(&own, &peer, rows[i].flags, &chosen);

		assert_int_equal(ok, rows[i].want != NULL);
		if (ok) {
			assert_string_equal(proposal_list_format(&one, buf, sizeof(buf)),
					    rows[i].want);
			assert_true(proposal_is_answer(&peer, &chosen, rows[i].flags));
		}
		free(own.v);
		free(peer.v);
	}
}

static void unknown_attributes_and_types_are_never_chosen(void **state)
{
	struct proposal_list own = parse(PROTOCOL_ESP, "aes128gcm16");
	struct proposal_list peer = parse(PROTOCOL_ESP, "aes128gcm16");
	struct proposal chosen;

	(void)state;
	peer.v[0].transforms[0].unusable = true;
	assert_false(proposal_select(&own, &peer, 0, &chosen));
	peer.v[0].transforms[0].unusable = false;
	peer.v[0].transforms[peer.v[0].n_transforms++] = (struct transform){.type = 77, .id = 1};
	assert_false(proposal_select(&own, &peer, 0, &chosen));
	free(own.v);
	free(peer.v);
}

static void an_answer_with_two_transforms_of_a_type_is_no_answer(void **state)
{
	struct proposal_list own = parse(PROTOCOL_ESP, "aes256gcm16-aes128gcm16");

	(void)state;
	assert_false(proposal_is_answer(&own, &own.v[0], 0));
	free(own.v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_means_what_strongswan_means),
	    cmocka_unit_test(incomplete_or_impossible_proposals_are_refused),
	    cmocka_unit_test(the_first_of_ours_that_the_peer_has_is_chosen),
	    cmocka_unit_test(unknown_attributes_and_types_are_never_chosen),
	    cmocka_unit_test(an_answer_with_two_transforms_of_a_type_is_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
