/* IKE_SA_INIT: proposals, key exchange groups, cookies, NAT detection (RFC 7296 §1.2, §2.6, §2.7,
 * §2.23). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vpn/base/proto.h"
#include "vpn/crypto/alg.h"
#include "vpn/tests/ike_pair.h"
#include "vpn/wire/payload.h"

static int setup(void **state)
{
	*state = pair_new(7);
	return 0;
}

static int teardown(void **state)
{
	pair_free(*state);
	return 0;
}

static struct pair *up(void **state, const char *ike_a, const char *ike_b)
{
	struct pair *p = *state;
	struct pair_conn a, b;

	pair_default(p, &a, &b);
	a.ike = ike_a;
	b.ike = ike_b;
	pair_configure(p, &a, &b);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	return p;
}

static void every_algorithm_brings_the_tunnel_up(void **state)
{
	static const char *const proposals[] = {
	    "chacha20poly1305-sha384-curve25519",
	    "aes128gcm16-prfsha256-ecp256",
	    "aes256gcm16-prfsha384-ecp384",
	    "aes128-sha256-modp2048",
	    "aes256-sha384-modp3072",
	    "aes256-sha512-x25519",
	};
	size_t i;

	for (i = 0; i < sizeof(proposals) / sizeof(proposals[0]); i++) {
		struct ike_sa_info info;

		up(state, proposals[i], proposals[i]);
		pair_assert_agree(*state, 1);
		assert_true(ike_engine_sa(((struct pair *)*state)->a.engine, 0, &info));
		assert_int_equal(info.state, IKE_ESTABLISHED);
		teardown(state);
		setup(state);
	}
}

/*  KE(group of the first proposal) ->
 *                                  <- N(INVALID_KE_PAYLOAD, ours)
 *  KE(the other group)             ->      RFC 7296 §1.2 */
static void a_group_that_the_responder_wants_is_used_at_the_second_try(void **state)
{
	struct pair *p = up(state, "aes128gcm16-prfsha256-ecp256-curve25519",
			    "aes128gcm16-prfsha256-curve25519");
	struct ike_sa_info info;

	pair_assert_agree(p, 1);
	assert_true(ike_engine_sa(p->a.engine, 0, &info));
	assert_int_equal(info.ke, KE_X25519);
	assert_int_equal(p->n_sent, 6);
}

static void no_common_proposal_is_said_on_the_wire_and_nothing_stays(void **state)
{
	struct pair *p = up(state, "aes128-sha256-modp2048", "aes256gcm16-prfsha384-ecp384");
	const struct pair_event *ev = pair_find_event(&p->a, EVENT_IKE_FAILED);

	assert_non_null(ev);
	assert_int_equal(ev->notify, N_NO_PROPOSAL_CHOSEN);
	assert_int_equal(pair_find_event(&p->b, EVENT_IKE_FAILED)->notify, N_NO_PROPOSAL_CHOSEN);
	assert_int_equal(pair_find_event(&p->a, EVENT_CHILD_FAILED)->notify, N_NO_PROPOSAL_CHOSEN);
	assert_int_equal(pair_ike_count(&p->a) + pair_ike_count(&p->b), 0);
}

static enum wire_verdict drop_all(struct pair *p, struct datagram *d)
{
	(void)p;
	(void)d;
	return WIRE_DROP;
}

static struct datagram captured;

static enum wire_verdict capture_and_drop(struct pair *p, struct datagram *d)
{
	(void)p;
	captured = *d;
	return WIRE_DROP;
}

/*  INIT ->   <- N(COOKIE)   INIT N(COOKIE) ->   <- INIT      RFC 7296 §2.6 */
static void above_the_threshold_only_a_returned_cookie_gets_an_sa(void **state)
{
	struct pair *p = *state;
	struct ike_options opt = pair_options();
	struct endpoint ghost = {.port = 500};
	struct pair_conn a, b;
	size_t i;

	opt.cookie_threshold = 2;
	pair_set_options(&p->b, &opt);
	pair_default(p, &a, &b);
	pair_configure(p, &a, &b);
	p->wire = capture_and_drop;
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	p->wire = drop_all;
	for (i = 0; i < 20; i++) {
		struct datagram d = captured;

		ghost.addr = ip_addr_from_v4((uint8_t[]){203, 0, 113, (uint8_t)i});
		d.octets[0] = (uint8_t)i; /* another SPI each */
		pair_inject(p, &p->b, &ghost, d.octets, d.len);
	}
	assert_int_equal(ike_engine_half_open(p->b.engine), 2);
	assert_int_equal(pair_ike_count(&p->b), 2);
	/* The honest initiator returns its cookie and gets in. */
	p->wire = NULL;
	pair_run_until(p, p->now + 10 * SECOND);
	assert_non_null(pair_find_event(&p->a, EVENT_CHILD_UP));
	assert_int_equal(ike_engine_half_open(p->b.engine), 2);
	/* Half-open SAs end (30 s). */
	pair_run_until(p, p->now + 31 * SECOND);
	assert_int_equal(ike_engine_half_open(p->b.engine), 0);
	assert_int_equal(pair_ike_count(&p->b), 1);
}

/* Other answers in the clear are rationed; an honest initiator must get its cookie among a flood.
 */
static void every_request_of_a_flood_gets_its_cookie(void **state)
{
	struct pair *p = *state;
	struct ike_options opt = pair_options();
	struct endpoint ghost = {.port = 500};
	struct pair_conn a, b;
	size_t i;

	opt.cookie_threshold = 1;
	pair_set_options(&p->b, &opt);
	pair_default(p, &a, &b);
	pair_configure(p, &a, &b);
	p->wire = capture_and_drop;
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	p->wire = drop_all;
	for (i = 0; i < 1000; i++) {
		struct datagram d = captured;

		ghost.addr = ip_addr_from_v4((uint8_t[]){203, 0, (uint8_t)(i / 256), (uint8_t)i});
		pair_inject(p, &p->b, &ghost, d.octets, d.len);
	}
	assert_int_equal(p->n_sent, 1 + 1000); /* the request, and an answer to each */
	assert_int_equal(ike_engine_half_open(p->b.engine), 1);
}

/* A cookie that was not made for this address, nonce and SPI gets another cookie, and no SA. */
static void a_forged_cookie_gets_no_sa(void **state)
{
	struct pair *p = *state;
	struct ike_options opt = pair_options();
	struct pair_conn a, b;
	struct datagram d;

	opt.cookie_threshold = 1;
	pair_set_options(&p->b, &opt);
	pair_default(p, &a, &b);
	pair_configure(p, &a, &b);
	p->wire = capture_and_drop;
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	d = captured;
	pair_inject(p, &p->b, &d.from, d.octets, d.len); /* fills the threshold */
	assert_int_equal(ike_engine_half_open(p->b.engine), 1);
	d.octets[0] ^= 1;
	d.from.addr.b[3] = 77;
	/* N(COOKIE) of the right version and length, and with the wrong hash, in front of the
	 * others. */
	memmove(d.octets + 28 + 41, d.octets + 28, d.len - 28);
	memset(d.octets + 28, 0, 41);
	memcpy(d.octets + 28, (uint8_t[]){d.octets[16], 0, 0, 41, 0, 0, 0x40, 0x06, 1}, 9);
	d.octets[16] = PAYLOAD_NOTIFY;
	d.len += 41;
	d.octets[26] = (uint8_t)(d.len >> 8);
	d.octets[27] = (uint8_t)d.len;
	pair_inject(p, &p->b, &d.from, d.octets, d.len);
	pair_inject(p, &p->b, &d.from, d.octets,
		    d.len); /* there is a secret now: the version is right */
	assert_int_equal(ike_engine_half_open(p->b.engine), 1);
	assert_int_equal(p->n_sent, 4); /* the request, its answer, two cookies */
}

static void a_nat_is_found_and_both_go_on_from_port_4500(void **state)
{
	struct pair *p = *state;
	struct ike_sa_info info;
	struct pair_conn a, b;

	p->nat = true;
	pair_default(p, &a, &b);
	pair_configure(p, &a, &b);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	pair_assert_agree(p, 1);
	assert_true(ike_engine_sa(p->a.engine, 0, &info));
	assert_true(info.nat_local && !info.nat_remote);
	assert_int_equal(info.local.port, IKE_NATT_PORT);
	assert_int_equal(info.remote.port, IKE_NATT_PORT);
	assert_true(ike_engine_sa(p->b.engine, 0, &info));
	assert_true(info.nat_remote && !info.nat_local);
	assert_int_equal(info.remote.port, p->nat_port + 1);
	assert_true(p->b.sas[0].encap);
}

static void without_nat_esp_is_native_and_encap_forces_udp(void **state)
{
	struct pair *p = *state;
	struct pair_conn a, b;

	pair_default(p, &a, &b);
	pair_configure(p, &a, &b);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	pair_assert_agree(p, 1);
	assert_false(p->a.sas[0].encap);
	teardown(state);
	setup(state);
	p = *state;
	pair_default(p, &a, &b);
	b.encap = true; /* one end is enough */
	pair_configure(p, &a, &b);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	pair_assert_agree(p, 1);
	assert_true(p->a.sas[0].encap);
}

static void a_repeated_first_message_gets_the_same_octets(void **state)
{
	struct pair *p = *state;
	struct endpoint from = p->a.here;
	struct datagram request;
	uint8_t answer[4096];
	struct pair_conn a, b;
	size_t len;

	pair_default(p, &a, &b);
	pair_configure(p, &a, &b);
	p->wire = capture_and_drop;
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	request = captured;
	pair_inject(p, &p->b, &from, request.octets, request.len);
	len = captured.len;
	memcpy(answer, captured.octets, len);
	pair_inject(p, &p->b, &from, request.octets, request.len);
	assert_int_equal(p->n_sent, 3);
	assert_int_equal(captured.len, len);
	assert_memory_equal(captured.octets, answer, len);
	assert_int_equal(pair_ike_count(&p->b), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(every_algorithm_brings_the_tunnel_up, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		a_group_that_the_responder_wants_is_used_at_the_second_try, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		no_common_proposal_is_said_on_the_wire_and_nothing_stays, setup, teardown),
	    cmocka_unit_test_setup_teardown(above_the_threshold_only_a_returned_cookie_gets_an_sa,
					    setup, teardown),
	    cmocka_unit_test_setup_teardown(every_request_of_a_flood_gets_its_cookie, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(a_forged_cookie_gets_no_sa, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_nat_is_found_and_both_go_on_from_port_4500, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(without_nat_esp_is_native_and_encap_forces_udp, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(a_repeated_first_message_gets_the_same_octets, setup,
					    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
