/* Child SAs: selectors, modes, further children, PFS, deletes (RFC 7296 §1.3, §1.4.1, §2.9, §2.17).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vpn/crypto/alg.h"
#include "vpn/ike/ike_sa.h"
#include "vpn/tests/ike_pair.h"
#include "vpn/wire/payload.h"

#define ESP "chacha20poly1305-sha384-curve25519"

static int setup(void **state)
{
	*state = pair_new(13);
	return 0;
}

static int teardown(void **state)
{
	pair_free(*state);
	return 0;
}

static void assert_selector(const struct ts_list *list, const char *want)
{
	char text[TS_STRLEN];

	assert_int_equal(list->n, 1);
	assert_string_equal(ts_format(&list->v[0], text, sizeof(text)), want);
}

static void responder_narrows_to_what_both_allow(void **state)
{
	struct pair *p = *state;
	struct child_sa_info child;
	struct pair_conn a, b;

	pair_default(p, &a, &b);
	a.remote_ts = "10.0.0.0/8";
	b.local_ts = "10.2.0.0/24[tcp/443]";
	pair_configure(p, &a, &b);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	pair_assert_agree(p, 1);
	assert_true(ike_engine_child(p->a.engine, 1, 0, &child));
	assert_selector(child.remote_ts, "10.2.0.0/24[tcp/443]");
	assert_non_null(pair_find_event(&p->a, EVENT_TS_NARROWED));
}

/* RFC 7296 §2.9: the packet that asks for a child stands first; the child is what both allow. */
static void the_packet_that_asks_stands_first(void **state)
{
	struct pair *p = *state;
	struct ts_packet packet = {
	    .proto = 17, .have_ports = true, .src_port = 40000, .dst_port = 53};
	const struct child_offer *offer;
	struct pair_conn a, b;
	uint32_t id;

	pair_default(p, &a, &b);
	a.local_ts = b.remote_ts = "10.1.0.0/16";
	a.remote_ts = b.local_ts = "10.2.0.0/16";
	pair_configure(p, &a, &b);
	packet.src = ip_addr_from_v4((uint8_t[]){10, 1, 0, 5});
	packet.dst = ip_addr_from_v4((uint8_t[]){10, 2, 0, 9});
	assert_int_equal(ike_engine_acquire(p->a.engine, p->a.conns[0], &p->a.conns[0]->children[0],
					    &packet, &p->a.here, &p->b.here, p->now, &id),
			 0);
	assert_true(pair_step(p) && pair_step(p)); /* IKE_SA_INIT and its answer */
	offer = list_entry(p->a.engine->sas.next, struct ike_sa, node)->offer;
	assert_int_equal(offer->tsi.n, 2);
	assert_selector(&(struct ts_list){.v = offer->tsi.v, .n = 1}, "10.1.0.5/32[udp/40000]");
	assert_selector(&(struct ts_list){.v = offer->tsr.v, .n = 1}, "10.2.0.9/32[udp/53]");
	pair_settle(p);
	pair_assert_agree(p, 1);
}

/* A responder that answers with more than was offered is not believed (RFC 7296 §2.9). The offer is
 * made smaller behind the engine's back, which to the engine is the same. */
static void an_answer_wider_than_the_offer_is_refused(void **state)
{
	struct pair *p = *state;
	struct pair_conn a, b;
	struct ike_sa *sa;

	pair_default(p, &a, &b);
	pair_configure(p, &a, &b);
	assert_int_equal(ike_engine_initiate(p->a.engine, p->a.conns[0],
					     &p->a.conns[0]->children[0], &p->a.here, &p->b.here,
					     p->now, &(uint32_t){0}),
			 0);
	assert_true(pair_step(p) && pair_step(p)); /* IKE_SA_INIT and its answer */
	sa = list_entry(p->a.engine->sas.next, struct ike_sa, node);
	assert_non_null(sa->offer);
	sa->offer->tsi.v[0].hi = sa->offer->tsi.v[0].lo;
	pair_settle(p);
	assert_int_equal(pair_find_event(&p->a, EVENT_CHILD_FAILED)->notify, N_TS_UNACCEPTABLE);
	assert_int_equal(p->a.n_sas, 0);
}

/* The IKE SA stands, the child does not (RFC 7296 §1.2). */
static void disjoint_selectors_are_unacceptable(void **state)
{
	struct pair *p = *state;
	struct pair_conn a, b;

	pair_default(p, &a, &b);
	b.local_ts = "172.16.0.0/12";
	pair_configure(p, &a, &b);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	pair_assert_agree(p, 0);
	assert_int_equal(pair_find_event(&p->a, EVENT_CHILD_FAILED)->notify, N_TS_UNACCEPTABLE);
	assert_int_equal(pair_ike_count(&p->a), 1);
	assert_int_equal(pair_ike_count(&p->b), 1);
}

static void seed_with_three_children(struct pair *p, enum ipsec_mode mode)
{
	struct pair_conn a, b;

	pair_default(p, &a, &b);
	a.mode = b.mode = mode;
	a.encap = b.encap = true;
	pair_configure(p, &a, &b);
	pair_add_child(p->a.conns[0], "self", "10.254.0.2/32", "10.254.0.1/32", ESP, mode);
	pair_add_child(p->b.conns[0], "self", "10.254.0.1/32", "10.254.0.2/32", ESP, mode);
	pair_add_child(p->a.conns[0], "six", "fdc0:beef:2::/64", "fdc0:beef:1::/64", ESP, mode);
	pair_add_child(p->b.conns[0], "six", "fdc0:beef:1::/64", "fdc0:beef:2::/64", ESP, mode);
}

static void further_children_share_the_ike_sa_and_have_pfs(void **state)
{
	struct pair *p = *state;
	struct child_sa_info child;

	seed_with_three_children(p, IPSEC_TUNNEL);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	assert_int_equal(pair_initiate(p, &p->a, "self"), 0);
	assert_int_equal(pair_initiate(p, &p->b, "six"), 0);
	pair_assert_agree(p, 3);
	assert_int_equal(pair_ike_count(&p->a), 1);
	assert_true(ike_engine_child(p->b.engine, 1, 0, &child));
	assert_int_equal(child.ke, 0); /* no key exchange in IKE_AUTH (RFC 7296 §1.2) */
	assert_true(ike_engine_child(p->b.engine, 1, 1, &child));
	assert_int_equal(child.ke, KE_X25519);
}

static void children_asked_for_during_the_handshake_follow_it(void **state)
{
	struct pair *p = *state;
	struct ike_conn *conn;
	uint32_t id, second;

	seed_with_three_children(p, IPSEC_TUNNEL);
	conn = p->a.conns[0];
	assert_int_equal(ike_engine_initiate(p->a.engine, conn, &conn->children[0], &p->a.here,
					     &p->b.here, p->now, &id),
			 0);
	assert_int_equal(ike_engine_initiate(p->a.engine, conn, &conn->children[1], &p->a.here,
					     &p->b.here, p->now, &second),
			 0);
	assert_int_equal(id, second);
	pair_settle(p);
	pair_assert_agree(p, 2);
}

static void beet_between_hosts_is_beet_and_between_nets_is_tunnel_with_the_reason(void **state)
{
	struct pair *p = *state;
	struct child_sa_info child;

	seed_with_three_children(p, IPSEC_BEET);
	assert_int_equal(pair_initiate(p, &p->a, "self"), 0);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	pair_assert_agree(p, 2);
	assert_true(ike_engine_child(p->a.engine, 1, 0, &child));
	assert_int_equal(child.mode, IPSEC_BEET);
	assert_null(child.mode_reason);
	assert_true(ike_engine_child(p->a.engine, 1, 1, &child));
	assert_int_equal(child.mode, IPSEC_TUNNEL);
	assert_non_null(child.mode_reason);
	assert_true(ike_engine_child(p->b.engine, 1, 1, &child));
	assert_string_equal(child.mode_reason, "the selectors are not host-to-host");
	assert_int_equal(pair_count_events(&p->a, EVENT_MODE_FALLBACK), 1);
	assert_int_equal(pair_count_events(&p->b, EVENT_MODE_FALLBACK), 1);
}

/* S1 of the seed document: strongSwan's default is not to send its vendor ID. */
static void beet_needs_the_vendor_id_and_says_so(void **state)
{
	struct pair *p = *state;
	struct ike_options opt = pair_options();
	struct child_sa_info child;

	opt.send_vendor_id = false;
	pair_set_options(&p->a, &opt);
	seed_with_three_children(p, IPSEC_BEET);
	assert_int_equal(pair_initiate(p, &p->a, "self"), 0);
	pair_assert_agree(p, 1);
	assert_true(ike_engine_child(p->b.engine, 1, 0, &child));
	assert_int_equal(child.mode, IPSEC_TUNNEL);
	assert_non_null(strstr(child.mode_reason, "vendor ID"));
	assert_true(ike_engine_child(p->a.engine, 1, 0, &child));
	assert_non_null(child.mode_reason);
}

/*  CREATE_CHILD_SA(KE ecp256) ->   <- N(INVALID_KE_PAYLOAD, x25519)   CREATE_CHILD_SA(KE x25519) ->
 */
static void a_child_takes_the_group_that_the_responder_wants(void **state)
{
	struct pair *p = *state;
	struct child_sa_info child;

	seed_with_three_children(p, IPSEC_TUNNEL);
	pair_add_child(p->a.conns[0], "pfs", "10.9.1.0/24", "10.9.2.0/24",
		       "aes128gcm16-ecp256-curve25519", IPSEC_TUNNEL);
	pair_add_child(p->b.conns[0], "pfs", "10.9.2.0/24", "10.9.1.0/24", "aes128gcm16-curve25519",
		       IPSEC_TUNNEL);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	p->n_sent = 0;
	assert_int_equal(pair_initiate(p, &p->a, "pfs"), 0);
	assert_int_equal(p->n_sent, 4);
	pair_assert_agree(p, 2);
	assert_true(ike_engine_child(p->a.engine, 1, 1, &child));
	assert_int_equal(child.ke, KE_X25519);
}

/* F19: a PFS disagreement shows only where a key exchange is negotiated. */
static void pfs_mismatch_refuses_the_further_child_alone(void **state)
{
	struct pair *p = *state;

	seed_with_three_children(p, IPSEC_TUNNEL);
	pair_add_child(p->a.conns[0], "pfs", "10.9.1.0/24", "10.9.2.0/24", "aes128gcm16-ecp256",
		       IPSEC_TUNNEL);
	pair_add_child(p->b.conns[0], "pfs", "10.9.2.0/24", "10.9.1.0/24", "aes128gcm16-ecp384",
		       IPSEC_TUNNEL);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	assert_int_equal(pair_initiate(p, &p->a, "pfs"), 0);
	pair_assert_agree(p, 1);
	assert_int_equal(pair_find_event(&p->a, EVENT_CHILD_FAILED)->notify, N_NO_PROPOSAL_CHOSEN);
}

static void deleting_a_child_removes_both_halves_at_both_ends(void **state)
{
	struct pair *p = *state;
	struct child_sa_info child;

	seed_with_three_children(p, IPSEC_TUNNEL);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	assert_int_equal(pair_initiate(p, &p->a, "self"), 0);
	assert_true(ike_engine_child(p->b.engine, 1, 0, &child));
	assert_int_equal(ike_engine_terminate_child(p->b.engine, child.id, false, p->now), 0);
	pair_settle(p);
	pair_assert_agree(p, 1);
	assert_int_equal(pair_find_event(&p->a, EVENT_CHILD_DOWN)->cause, CAUSE_PEER);
	assert_int_equal(pair_find_event(&p->b, EVENT_CHILD_DOWN)->cause, CAUSE_LOCAL);
}

/* RFC 7296 §1.4.1: both ends delete the same child at once. */
static void crossed_deletes_leave_nothing(void **state)
{
	struct pair *p = *state;
	struct child_sa_info child;

	seed_with_three_children(p, IPSEC_TUNNEL);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	assert_true(ike_engine_child(p->a.engine, 1, 0, &child));
	assert_int_equal(ike_engine_terminate_child(p->a.engine, child.id, false, p->now), 0);
	assert_true(ike_engine_child(p->b.engine, 1, 0, &child));
	assert_int_equal(ike_engine_terminate_child(p->b.engine, child.id, false, p->now), 0);
	pair_settle(p);
	pair_assert_agree(p, 0);
	assert_int_equal(pair_ike_count(&p->a), 1);
}

static void deleting_the_ike_sa_removes_everything(void **state)
{
	struct pair *p = *state;

	seed_with_three_children(p, IPSEC_TUNNEL);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	assert_int_equal(pair_initiate(p, &p->a, "self"), 0);
	assert_int_equal(ike_engine_terminate_ike(p->a.engine, 1, false, p->now), 0);
	pair_settle(p);
	pair_assert_agree(p, 0);
	assert_int_equal(pair_ike_count(&p->a) + pair_ike_count(&p->b), 0);
	assert_int_equal(pair_find_event(&p->b, EVENT_IKE_DOWN)->cause, CAUSE_PEER);
	/* The last answer is forgotten after a while, too. */
	pair_run_until(p, p->now + 60 * SECOND);
	assert_int_equal(ike_engine_next_deadline(p->b.engine), UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(the_packet_that_asks_stands_first, setup, teardown),
	    cmocka_unit_test_setup_teardown(responder_narrows_to_what_both_allow, setup, teardown),
	    cmocka_unit_test_setup_teardown(an_answer_wider_than_the_offer_is_refused, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(disjoint_selectors_are_unacceptable, setup, teardown),
	    cmocka_unit_test_setup_teardown(further_children_share_the_ike_sa_and_have_pfs, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(children_asked_for_during_the_handshake_follow_it,
					    setup, teardown),
	    cmocka_unit_test_setup_teardown(
		beet_between_hosts_is_beet_and_between_nets_is_tunnel_with_the_reason, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(beet_needs_the_vendor_id_and_says_so, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_child_takes_the_group_that_the_responder_wants, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(pfs_mismatch_refuses_the_further_child_alone, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(deleting_a_child_removes_both_halves_at_both_ends,
					    setup, teardown),
	    cmocka_unit_test_setup_teardown(crossed_deletes_leave_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(deleting_the_ike_sa_removes_everything, setup,
					    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
