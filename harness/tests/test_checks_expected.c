/* The checks of what was negotiated and of what fits the path go red, naming the frame, when it is
 * not what is expected, or the capture is edited. As recorded they pass (test_pcaps). */
#include "harness/tests/edit.h"

static const struct check_params none;

static void a_packet_above_the_mtu(void **state)
{
	struct check_params p = {.mtu = 1280};
	struct edit e;
	size_t i;

	(void)state;
	begin(&e, "aes-gcm");
	for (i = 0; i < e.before.n_frames && e.before.frames[i].ip_len <= 1280; i++)
		;
	pick(&e, i);
	expect_verdict(&e, "mtu", &p, VERDICT_FAIL);
}

static void selectors_that_nobody_expects(void **state)
{
	struct ts_pair pair = {0};
	struct check_params p = {.selectors = &pair, .n_selectors = 1};
	struct edit e;

	(void)state;
	begin(&e, "aes-gcm");
	assert_int_equal(ts_parse("10.254.0.2/32", &pair.i, NULL), 0);
	assert_int_equal(ts_parse("10.254.0.9/32", &pair.r, NULL), 0);
	pick(&e, e.before.ike[e.before.children[0].response_msg].frame);
	expect_verdict(&e, "selectors", &p, VERDICT_FAIL);
	begin(&e, "aes-gcm");
	assert_int_equal(ts_parse("10.254.0.1/32", &pair.r, NULL), 0);
	expect_verdict(&e, "selectors", &p, VERDICT_PASS);
}

/* Only who has the keys can make it: the responder answers with all addresses. */
static void selectors_wider_than_asked_for(void **state)
{
	struct edit e;
	struct child_sa_fact *c;

	(void)state;
	begin(&e, "aes-gcm");
	c = &e.before.children[0];
	pick(&e, e.before.ike[c->response_msg].frame);
	memset(c->ts_r.v[0].hi.b, 255, 4);
	expect_fault_in_facts(&e, "selectors", &none);
}

static void encapsulation_that_is_not_there(void **state)
{
	struct check_params p = {.encap = YES};
	struct edit e;

	(void)state;
	begin(&e, "beet-native-esn");
	pick(&e, e.before.esp[0].frame);
	expect_verdict(&e, "nat-t", &p, VERDICT_FAIL);
	begin(&e, "aes-gcm");
	p.initiator_behind_nat = YES;
	expect_verdict(&e, "nat-t", &p, VERDICT_PASS);
	begin(&e, "wrong-psk"); /* no child, no ESP: nothing shows its encapsulation */
	expect_verdict(&e, "nat-t", &p, VERDICT_FAIL);
}

static void a_nat_other_than_expected(void **state)
{
	/* As recorded the initiator is behind a NAT, and the responder is not. */
	const struct check_params no = {.initiator_behind_nat = NO};
	const struct check_params yes = {.responder_behind_nat = YES};
	struct edit e;

	(void)state;
	begin(&e, "aes-gcm");
	pick(&e, e.before.ike[find_message(&e, IKE_SA_INIT, true)].frame);
	expect_verdict(&e, "nat-t", &no, VERDICT_FAIL);
	begin(&e, "aes-gcm");
	pick(&e, e.before.ike[find_message(&e, IKE_SA_INIT, false)].frame);
	expect_verdict(&e, "nat-t", &yes, VERDICT_FAIL);
}

static void a_mode_that_was_not_asked_for(void **state)
{
	struct check_params p = {.have_mode = true, .mode = IPSEC_TUNNEL};
	struct edit e;

	(void)state;
	begin(&e, "seed-strongswan");
	pick(&e, e.before.ike[e.before.children[0].request_msg].frame);
	expect_fault(&e, "mode");
	begin(&e, "seed-strongswan");
	expect_verdict(&e, "mode", &p, VERDICT_PASS);
}

/* strongSwan asked for BEET, and got tunnel mode. */
static void another_mode_than_expected(void **state)
{
	const struct check_params asked = {.have_asked = true, .asked = IPSEC_TUNNEL};
	const struct check_params got = {.have_mode = true, .mode = IPSEC_BEET};
	const struct check_params both = {
	    .have_asked = true, .asked = IPSEC_BEET, .have_mode = true, .mode = IPSEC_TUNNEL};
	struct edit e;

	(void)state;
	begin(&e, "seed-strongswan");
	pick(&e, e.before.ike[e.before.children[0].request_msg].frame);
	expect_verdict(&e, "mode", &asked, VERDICT_FAIL);
	begin(&e, "seed-strongswan");
	pick(&e, e.before.ike[e.before.children[0].response_msg].frame);
	expect_verdict(&e, "mode", &got, VERDICT_FAIL);
	begin(&e, "seed-strongswan");
	expect_verdict(&e, "mode", &both, VERDICT_PASS);
}

/* Next header 94 in an SA of tunnel mode: only who has the keys can make it. */
static void a_packet_in_another_mode_than_negotiated(void **state)
{
	struct edit e;
	size_t i;

	(void)state;
	begin(&e, "aes-gcm");
	i = nth_sent(&e, 1);
	assert_true(e.before.esp[i].have_wire_mode);
	pick(&e, e.before.esp[i].frame);
	e.before.esp[i].next_header = IP_PROTO_BEETPH;
	e.before.esp[i].wire_mode = IPSEC_BEET;
	expect_fault_in_facts(&e, "mode", &none);
}

static void segments_that_do_not_fit(void **state)
{
	struct check_params p = {.path_mtu = 1400};
	struct edit e;
	size_t i;

	(void)state;
	begin(&e, "aes-gcm");
	for (i = 0; i < e.before.n_tcp && !e.before.tcp[i].side[0].have_mss; i++)
		;
	pick(&e, e.before.tcp[i].side[0].syn_frame);
	expect_verdict(&e, "mss", &p, VERDICT_FAIL);
	begin(&e, "aes-gcm");
	p.path_mtu = 1500;
	expect_verdict(&e, "mss", &p, VERDICT_PASS);
}

/* The LAN behind the gateway has seen the same SYN. */
static void every_sight_of_a_syn_is_named(void **state)
{
	struct check_params p = {.path_mtu = 1400};
	const struct tcp_flow *inside, *other;
	struct edit e;
	size_t i;

	(void)state;
	begin(&e, "seed-beetd");
	for (i = 0; i < e.before.n_tcp && !e.before.tcp[i].inside; i++)
		;
	assert_true(i < e.before.n_tcp);
	inside = &e.before.tcp[i];
	for (i = 0, other = NULL; i < e.before.n_tcp && !other; i++)
		if (e.before.tcp[i].place != inside->place &&
		    endpoint_eq(&e.before.tcp[i].a, &inside->a))
			other = &e.before.tcp[i];
	assert_non_null(other);
	pick(&e, other->side[0].syn_frame);
	expect_verdict(&e, "mss", &p, VERDICT_FAIL);
}

static void a_packet_above_the_path(void **state)
{
	struct check_params p = {.path_mtu = 1400};
	struct edit e;
	size_t i;

	(void)state;
	begin(&e, "aes-gcm");
	for (i = 0; e.before.frames[i].kind != FRAME_ESP || e.before.frames[i].ip_len <= 1400; i++)
		;
	pick(&e, i);
	expect_verdict(&e, "pmtu", &p, VERDICT_FAIL);
}

static void a_packet_in_fragments(void **state)
{
	struct edit e;

	(void)state;
	begin(&e, "aes-gcm");
	pick(&e, e.before.esp[0].frame);
	e.before.frames[e.frame].n_fragments = 2;
	expect_fault_in_facts(&e, "pmtu", &none);
}

static void routers_that_say_too_much_or_nothing(void **state)
{
	const struct check_params yes = {.icmp = YES}, no = {.icmp = NO};
	struct edit e;

	(void)state;
	begin(&e, "aes-gcm");
	expect_verdict(&e, "pmtu", &yes, VERDICT_FAIL);
	begin(&e, "explain/F17");
	pick(&e, e.before.icmp_errors[0].frame);
	expect_verdict(&e, "pmtu", &no, VERDICT_FAIL);
}

/* RFC 1191 §3: a gateway that does not take "fragmentation needed" goes on as before. */
static void a_router_that_is_not_heeded(void **state)
{
	struct edit e;

	(void)state;
	begin(&e, "explain/F17");
	pick(&e, e.before.icmp_errors[0].frame);
	expect_fault(&e, "pmtu");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_packet_above_the_mtu),
	    cmocka_unit_test(selectors_that_nobody_expects),
	    cmocka_unit_test(selectors_wider_than_asked_for),
	    cmocka_unit_test(encapsulation_that_is_not_there),
	    cmocka_unit_test(a_nat_other_than_expected),
	    cmocka_unit_test(a_mode_that_was_not_asked_for),
	    cmocka_unit_test(another_mode_than_expected),
	    cmocka_unit_test(a_packet_in_another_mode_than_negotiated),
	    cmocka_unit_test(segments_that_do_not_fit),
	    cmocka_unit_test(every_sight_of_a_syn_is_named),
	    cmocka_unit_test(a_packet_above_the_path),
	    cmocka_unit_test(a_packet_in_fragments),
	    cmocka_unit_test(routers_that_say_too_much_or_nothing),
	    cmocka_unit_test(a_router_that_is_not_heeded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
