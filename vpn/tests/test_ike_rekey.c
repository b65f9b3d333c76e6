/* Rekeying of Child SAs and IKE SAs, and every way in which two ends get in each other's way
 * (RFC 7296 §2.8, §2.8.1, §2.8.2, §2.18, §2.25).
 *
 * The wire holds messages back, so that requests cross as the ladders show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "vpn/tests/ike_pair.h"
#include "vpn/wire/payload.h"

#define GRACE (20 * SECOND)

static struct pair *up(void **state, uint64_t seed)
{
	struct pair_conn a, b;
	struct pair *p = pair_new(seed);

	*state = p;
	pair_default(p, &a, &b);
	pair_configure(p, &a, &b);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	pair_assert_agree(p, 1);
	return p;
}

static int setup(void **state)
{
	up(state, 23);
	return 0;
}

static int teardown(void **state)
{
	pair_free(*state);
	return 0;
}

static struct child_sa_info first_child(struct side *s)
{
	struct child_sa_info child;
	struct ike_sa_info sa;
	size_t i;

	for (i = 0; ike_engine_sa(s->engine, i, &sa); i++)
		if (ike_engine_child(s->engine, sa.id, 0, &child))
			return child;
	fail_msg("%s has no child", s->name);
	return child;
}

static struct child_sa_info newest_child(struct side *s)
{
	struct child_sa_info child, newest = first_child(s);
	struct ike_sa_info sa;
	size_t i;

	assert_true(ike_engine_sa(s->engine, 0, &sa));
	for (i = 0; ike_engine_child(s->engine, sa.id, i, &child); i++)
		newest = child.id > newest.id ? child : newest;
	return newest;
}

static void rekey_child(struct pair *p, struct side *s)
{
	assert_int_equal(ike_engine_rekey_child(s->engine, first_child(s).id, p->now), 0);
}

static void rekey_ike(struct pair *p, struct side *s)
{
	struct ike_sa_info sa;

	assert_true(ike_engine_sa(s->engine, 0, &sa));
	assert_int_equal(ike_engine_rekey_ike(s->engine, sa.id, p->now), 0);
}

/* What an end sends on is what the other end receives on, at every moment. */
static void assert_traffic_flows(struct pair *p)
{
	struct side *sides[] = {&p->a, &p->b};
	size_t i, k;

	for (i = 0; i < 2; i++) {
		struct side *other = sides[1 - i];
		size_t n_out = 0;

		for (k = 0; k < sides[i]->n_sas; k++) {
			const struct ipsec_sa *sa = &sides[i]->sas[k];

			if (sa->inbound)
				continue;
			n_out++;
			if (!pair_sa(other, sa->spi))
				fail_msg("%s sends on %08x, which %s does not have", sides[i]->name,
					 sa->spi, other->name);
		}
		assert_true(n_out > 0);
	}
}

/* Delivers one message at a time and looks at the data planes in between. */
static void settle_watching(struct pair *p)
{
	size_t guard;

	for (guard = 0; guard < 100 && pair_step(p); guard++)
		assert_traffic_flows(p);
	assert_in_range(guard, 0, 99);
}

static void settle_and_age(struct pair *p)
{
	settle_watching(p);
	pair_run_until(p, p->now + GRACE);
}

/*  a: CREATE_CHILD_SA N(REKEY_SA) ->      <- response      a: D(old) ->     <- D(old) */
static void a_rekeyed_child_has_new_keys_and_no_gap(void **state)
{
	struct pair *p = *state;
	uint32_t old = first_child(&p->a).spi_in;

	rekey_child(p, &p->a);
	settle_and_age(p);
	pair_assert_agree(p, 1);
	assert_int_not_equal(first_child(&p->a).spi_in, old);
	assert_int_equal(pair_count_events(&p->a, EVENT_CHILD_REKEYED), 1);
	assert_int_equal(pair_count_events(&p->b, EVENT_CHILD_REKEYED), 1);
	assert_int_equal(pair_count_events(&p->a, EVENT_CHILD_DOWN), 0);
	assert_int_equal(pair_count_events(&p->b, EVENT_CHILD_DOWN), 0);
}

/* The responder receives on the new SA before it answers, and sends on it when the old one is
 * deleted. */
static void the_responder_waits_with_its_outbound_sa(void **state)
{
	struct pair *p = *state;

	rekey_child(p, &p->a);
	pair_pull(p); /* the request is on the wire */
	assert_true(pair_step(p));
	assert_int_equal(p->b.n_sas, 3); /* old pair and the new inbound */
	settle_and_age(p);
	assert_int_equal(p->b.n_sas, 2);
}

static void the_old_inbound_sa_outlives_its_deletion(void **state)
{
	struct pair *p = *state;

	rekey_child(p, &p->a);
	settle_watching(p);
	assert_int_equal(p->a.n_sas, 3);
	assert_int_equal(p->b.n_sas, 3);
	pair_run_until(p, p->now + 4 * SECOND);
	assert_int_equal(p->a.n_sas, 3);
	pair_run_until(p, p->now + 2 * SECOND);
	pair_assert_agree(p, 1);
}

/*  a: REKEY ->   <- b: REKEY      (crossed)
 *  a: resp  ->   <- b: resp
 *  the loser deletes its own new SA, the winner the old one: RFC 7296 §2.8.1 */
static void crossed_child_rekeyings_leave_one_child(void **state)
{
	uint64_t seed;

	for (seed = 1; seed <= 40; seed++) {
		struct pair *p;

		teardown(state);
		p = up(state, seed);
		rekey_child(p, &p->a);
		rekey_child(p, &p->b);
		pair_pull(p);
		assert_int_equal(p->n_queued, 2);
		settle_and_age(p);
		pair_assert_agree(p, 1);
		assert_int_equal(pair_count_events(&p->a, EVENT_CHILD_REKEYED), 2);
		assert_int_equal(pair_count_events(&p->a, EVENT_CHILD_DOWN), 0);
		assert_int_equal(pair_count_events(&p->b, EVENT_CHILD_DOWN), 0);
	}
}

/* RFC 7296 §2.8.1: "the SA created with the lowest of the four nonces in the two exchanges SHOULD
 * be closed by the endpoint that created it". Two ends of ours would agree on the wrong one, too.
 */
static void the_exchange_with_the_lowest_nonce_is_redundant(void **state)
{
	static const struct {
		uint8_t draws[9];  /* a's Ni, key; b's Ni, key; b's Nr, key; a's Nr, key */
		uint32_t survivor; /* a's child: 2 answers b's request, 3 is of a's own */
	} cases[] = {
	    {{1, 9, 2, 9, 3, 3, 4, 4, 0}, 2},
	    {{2, 9, 1, 9, 3, 3, 4, 4, 0}, 3},
	    {{3, 9, 4, 9, 1, 1, 2, 2, 0}, 2},
	    {{3, 9, 4, 9, 2, 2, 1, 1, 0}, 3},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pair *p;

		teardown(state);
		p = up(state, 7);
		p->draws = cases[i].draws;
		rekey_child(p, &p->a);
		rekey_child(p, &p->b);
		settle_and_age(p);
		assert_int_equal(*p->draws, 0);
		pair_assert_agree(p, 1);
		assert_int_equal(first_child(&p->a).id, cases[i].survivor);
	}
}

static size_t lose_at;

static enum wire_verdict lose_one(struct pair *p, struct datagram *d)
{
	(void)p;
	(void)d;
	return lose_at-- == 1 ? WIRE_DROP : WIRE_PASS;
}

/* The same with each of the first eight messages lost once, F20. */
static void crossed_child_rekeyings_survive_any_lost_message(void **state)
{
	uint64_t seed;
	size_t lost;

	for (seed = 1; seed <= 12; seed++) {
		for (lost = 1; lost <= 8; lost++) {
			struct pair *p;

			teardown(state);
			p = up(state, seed);
			lose_at = lost;
			p->wire = lose_one;
			rekey_child(p, &p->a);
			rekey_child(p, &p->b);
			pair_pull(p);
			settle_watching(p);
			pair_run_until(p, p->now + 60 * SECOND);
			pair_assert_agree(p, 1);
			assert_traffic_flows(p);
		}
	}
}

/*  a: REKEY(old) ->   <- b: D(old)     RFC 7296 §2.25.1: closed wins, a gets CHILD_SA_NOT_FOUND */
static enum wire_verdict lose_answers_to_a(struct pair *p, struct datagram *d)
{
	struct ike_header hdr = pair_header(d);

	return d->to == &p->a && hdr.exchange == CREATE_CHILD_SA && hdr.flags & IKE_FLAG_RESPONSE
		   ? WIRE_DROP
		   : WIRE_PASS;
}

/*  a: REKEY_SA(net) ->    <- b: REKEY_SA(net)     crossed; the answer to a is lost, again and again
 *                         <- b: D(net), if b has won; a keeps the old inbound SA for 5 s
 *  a: REKEY_SA(net) -> after 23 s               <- b: its answer: a must still know who has won */
static void a_loser_that_hears_of_it_late_concedes(void **state)
{
	uint64_t seed;
	size_t deleted_before = 0;

	for (seed = 1; seed <= 20; seed++) {
		struct pair *p;

		teardown(state);
		p = up(state, seed);
		p->wire = lose_answers_to_a;
		rekey_child(p, &p->a);
		rekey_child(p, &p->b);
		pair_settle(p);
		pair_run_until(p, p->now + 20 * SECOND);
		deleted_before += first_child(&p->a).state != CHILD_REKEYING;
		p->wire = NULL;
		pair_run_until(p, p->now + 40 * SECOND);
		pair_assert_agree(p, 1);
	}
	assert_in_range(deleted_before, 4, 16);
}

static void a_rekeying_that_meets_a_deletion_gives_way(void **state)
{
	struct pair *p = *state;

	rekey_child(p, &p->a);
	assert_int_equal(
	    ike_engine_terminate_child(p->b.engine, first_child(&p->b).id, false, p->now), 0);
	pair_pull(p);
	assert_int_equal(p->n_queued, 2);
	pair_settle(p);
	pair_run_until(p, p->now + GRACE);
	pair_assert_agree(p, 0);
	assert_int_equal(pair_ike_count(&p->a), 1);
}

static void an_unknown_child_is_named_as_not_found_and_made_anew(void **state)
{
	struct pair *p = *state;

	/* b forgets the child without a's knowledge. */
	p->wire = lose_one;
	lose_at = 1;
	assert_int_equal(
	    ike_engine_terminate_child(p->b.engine, first_child(&p->b).id, true, p->now), 0);
	pair_settle(p);
	p->wire = NULL;
	rekey_child(p, &p->a);
	pair_settle(p);
	pair_run_until(p, p->now + 30 * SECOND);
	assert_int_equal(pair_child_count(&p->a), pair_child_count(&p->b));
	assert_int_equal(p->a.n_sas, p->b.n_sas);
}

/*                              <- b: REKEY(old)
 *  a: answer, new child -> lost
 *  a: REKEY(new child) ->      <- b: TEMPORARY_FAILURE, since its own request is still out
 *                              <- b: REKEY(old) again
 *  a: answer again ->                                  both have the new child, a rekeys it later
 */
static void a_child_that_is_being_made_may_be_asked_for_already(void **state)
{
	struct pair *p = *state;

	rekey_child(p, &p->b);
	pair_pull(p);
	assert_true(pair_step(p));
	pair_pull(p);
	p->n_queued = 0;
	assert_int_equal(ike_engine_rekey_child(p->a.engine, newest_child(&p->a).id, p->now), 0);
	settle_watching(p);
	pair_run_until(p, p->now + 60 * SECOND);
	pair_assert_agree(p, 1);
	assert_int_equal(pair_count_events(&p->b, EVENT_CHILD_UP), 1);
}

/*  a: CREATE_CHILD_SA(IKE) ->   <- response    a: D(IKE) over the old SA ->   <- {} */
static void a_rekeyed_ike_sa_inherits_its_children(void **state)
{
	struct pair *p = *state;
	struct ike_sa_info before, after;
	uint32_t spi = first_child(&p->a).spi_in;

	assert_true(ike_engine_sa(p->a.engine, 0, &before));
	rekey_ike(p, &p->a);
	settle_and_age(p);
	pair_assert_agree(p, 1);
	assert_int_equal(pair_ike_count(&p->a), 1);
	assert_int_equal(pair_ike_count(&p->b), 1);
	assert_true(ike_engine_sa(p->a.engine, 0, &after));
	assert_true(before.spi_i != after.spi_i && before.spi_r != after.spi_r);
	assert_int_equal(after.state, IKE_ESTABLISHED);
	assert_int_equal(first_child(&p->a).spi_in, spi);
	assert_null(pair_find_event(&p->a, EVENT_IKE_DOWN));
	assert_null(pair_find_event(&p->b, EVENT_IKE_DOWN));
	assert_non_null(pair_find_event(&p->b, EVENT_IKE_REKEYED));
	/* The new SA carries exchanges, in both directions. */
	rekey_child(p, &p->b);
	settle_and_age(p);
	rekey_child(p, &p->a);
	settle_and_age(p);
	pair_assert_agree(p, 1);
}

static void the_responder_may_rekey_and_becomes_initiator(void **state)
{
	struct pair *p = *state;
	struct ike_sa_info sa;

	rekey_ike(p, &p->b);
	settle_and_age(p);
	assert_true(ike_engine_sa(p->b.engine, 0, &sa));
	assert_true(sa.initiator);
	assert_true(ike_engine_sa(p->a.engine, 0, &sa));
	assert_false(sa.initiator);
	pair_assert_agree(p, 1);
	rekey_child(p, &p->a);
	settle_and_age(p);
	pair_assert_agree(p, 1);
}

/* RFC 7296 §2.8.2: both rekey the IKE SA at once; with each message lost once as well. */
static void crossed_ike_rekeyings_leave_one_ike_sa(void **state)
{
	uint64_t seed;
	size_t lost;

	for (seed = 1; seed <= 20; seed++) {
		for (lost = 0; lost <= 8; lost++) {
			struct ike_sa_info a, b;
			struct pair *p;

			teardown(state);
			p = up(state, seed);
			lose_at = lost;
			p->wire = lost ? lose_one : NULL;
			rekey_ike(p, &p->a);
			rekey_ike(p, &p->b);
			pair_pull(p);
			settle_watching(p);
			pair_run_until(p, p->now + 90 * SECOND);
			pair_assert_agree(p, 1);
			assert_int_equal(pair_ike_count(&p->a), 1);
			assert_int_equal(pair_ike_count(&p->b), 1);
			assert_true(ike_engine_sa(p->a.engine, 0, &a) &&
				    ike_engine_sa(p->b.engine, 0, &b));
			assert_true(a.spi_i == b.spi_i && a.spi_r == b.spi_r);
			assert_null(pair_find_event(&p->a, EVENT_IKE_DOWN));
		}
	}
}

static enum wire_verdict lose_informational(struct pair *p, struct datagram *d)
{
	(void)p;
	return pair_header(d).exchange == INFORMATIONAL ? WIRE_DROP : WIRE_PASS;
}

/*  a: REKEY(IKE) -> lost      <- b: REKEY(IKE)
 *  a: answer ->               <- b: D(old IKE) lost
 *                             <- b: REKEY(child) over the new IKE SA
 * b knows of no collision (RFC 7296 §2.8.2): a must not say that it has no such child. */
static void a_successor_that_the_peer_uses_has_the_children(void **state)
{
	struct pair *p = *state;

	rekey_ike(p, &p->a);
	pair_pull(p);
	p->n_queued = 0;
	p->wire = lose_informational;
	rekey_ike(p, &p->b);
	pair_settle(p);
	rekey_child(p, &p->b);
	pair_settle(p);
	assert_non_null(pair_find_event(&p->b, EVENT_CHILD_REKEYED));
	p->wire = NULL;
	pair_run_until(p, p->now + 90 * SECOND);
	pair_assert_agree(p, 1);
	assert_int_equal(pair_ike_count(&p->a), 1);
	assert_int_equal(pair_ike_count(&p->b), 1);
}

/* RFC 7296 §2.25.2: Child against IKE: one of them is put off, both happen in the end. */
static void a_child_rekeying_that_meets_an_ike_rekeying_is_put_off(void **state)
{
	uint64_t seed;

	for (seed = 1; seed <= 20; seed++) {
		struct pair *p;

		teardown(state);
		p = up(state, seed);
		rekey_child(p, &p->a);
		rekey_ike(p, &p->b);
		pair_pull(p);
		settle_watching(p);
		pair_run_until(p, p->now + 60 * SECOND);
		pair_assert_agree(p, 1);
		assert_int_equal(pair_ike_count(&p->a), 1);
		assert_non_null(pair_find_event(&p->a, EVENT_CHILD_REKEYED));
		assert_non_null(pair_find_event(&p->a, EVENT_IKE_REKEYED));
	}
}

/* F19: a PFS disagreement is found at the first rekeying; the child lives on until its hard
 * lifetime. */
static void pfs_mismatch_keeps_the_old_child_until_it_expires(void **state)
{
	struct pair_conn a, b;
	struct pair *p;

	teardown(state);
	*state = p = pair_new(3);
	pair_default(p, &a, &b);
	a.esp = "aes128gcm16-ecp256";
	b.esp = "aes128gcm16-ecp384";
	pair_configure(p, &a, &b);
	p->a.conns[0]->children[0].time = (struct child_lifetime){.rekey = 60, .life = 90};
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	pair_run_until(p, p->now + 80 * SECOND);
	pair_assert_agree(p, 1);
	assert_int_equal(pair_count_events(&p->b, EVENT_CHILD_FAILED) > 0, 1);
	assert_int_equal(pair_find_event(&p->b, EVENT_CHILD_FAILED)->notify, N_NO_PROPOSAL_CHOSEN);
	pair_run_until(p, p->now + 20 * SECOND);
	pair_assert_agree(p, 0);
	assert_int_equal(pair_find_event(&p->a, EVENT_CHILD_DOWN)->cause, CAUSE_EXPIRED);
}

/* A day with a child rekeyed every ten minutes at both ends and the IKE SA every hour. */
static void lifetimes_carry_a_tunnel_through_a_day(void **state)
{
	struct pair_conn a, b;
	struct pair *p;
	int hour;

	teardown(state);
	*state = p = pair_new(4);
	pair_default(p, &a, &b);
	pair_configure(p, &a, &b);
	p->a.conns[0]->children[0].time = p->b.conns[0]->children[0].time =
	    (struct child_lifetime){.rekey = 600, .life = 660, .rand = 60};
	p->a.conns[0]->rekey_time = p->b.conns[0]->rekey_time = 3600;
	p->a.conns[0]->over_time = p->b.conns[0]->over_time = 360;
	p->a.conns[0]->rand_time = p->b.conns[0]->rand_time = 360;
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	for (hour = 0; hour < 24; hour++) {
		pair_run_until(p, p->now + 3600 * SECOND);
		assert_in_range(pair_count_events(&p->a, EVENT_CHILD_REKEYED), 5, 9);
		assert_null(pair_find_event(&p->a, EVENT_CHILD_DOWN));
		assert_null(pair_find_event(&p->b, EVENT_IKE_DOWN));
		p->a.n_events = p->b.n_events = 0;
	}
	pair_run_until(p, p->now + GRACE);
	assert_int_equal(pair_ike_count(&p->a), 1);
	assert_traffic_flows(p);
}

static void a_volume_limit_rekeys_and_a_hard_one_ends(void **state)
{
	struct pair *p = *state;

	assert_int_equal(ike_engine_sa_limit(p->a.engine, first_child(&p->a).id, false, p->now), 0);
	settle_and_age(p);
	pair_assert_agree(p, 1);
	assert_int_equal(pair_count_events(&p->a, EVENT_CHILD_REKEYED), 1);
	assert_int_equal(ike_engine_sa_limit(p->b.engine, first_child(&p->b).id, true, p->now), 0);
	pair_settle(p);
	pair_run_until(p, p->now + GRACE);
	assert_int_equal(p->b.n_sas, 0);
}

/* It expires while its rekeying is under way: the peer must be told all the same (RFC 7296
 * §1.4.1), or it would go on sending by the SA that nobody hears. */
static void a_child_that_expires_in_its_rekeying_is_deleted(void **state)
{
	struct pair *p = *state;
	uint32_t old = first_child(&p->b).spi_in;

	assert_int_equal(ike_engine_sa_limit(p->a.engine, first_child(&p->a).id, false, p->now), 0);
	pair_pull(p);
	assert_int_equal(ike_engine_sa_limit(p->a.engine, first_child(&p->a).id, true, p->now), 0);
	assert_non_null(pair_sa(&p->b, old));
	pair_settle(p);
	pair_run_until(p, p->now + GRACE);
	pair_assert_agree(p, 1);
	assert_null(pair_sa(&p->b, old));
	assert_traffic_flows(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_rekeyed_child_has_new_keys_and_no_gap, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(the_responder_waits_with_its_outbound_sa, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(the_old_inbound_sa_outlives_its_deletion, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(the_exchange_with_the_lowest_nonce_is_redundant, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(crossed_child_rekeyings_leave_one_child, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(crossed_child_rekeyings_survive_any_lost_message, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(a_loser_that_hears_of_it_late_concedes, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(a_rekeying_that_meets_a_deletion_gives_way, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(an_unknown_child_is_named_as_not_found_and_made_anew,
					    setup, teardown),
	    cmocka_unit_test_setup_teardown(a_rekeyed_ike_sa_inherits_its_children, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(the_responder_may_rekey_and_becomes_initiator, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(a_child_that_is_being_made_may_be_asked_for_already,
					    setup, teardown),
	    cmocka_unit_test_setup_teardown(a_successor_that_the_peer_uses_has_the_children, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(crossed_ike_rekeyings_leave_one_ike_sa, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(a_child_rekeying_that_meets_an_ike_rekeying_is_put_off,
					    setup, teardown),
	    cmocka_unit_test_setup_teardown(pfs_mismatch_keeps_the_old_child_until_it_expires,
					    setup, teardown),
	    cmocka_unit_test_setup_teardown(lifetimes_carry_a_tunnel_through_a_day, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(a_child_that_expires_in_its_rekeying_is_deleted, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(a_volume_limit_rekeys_and_a_hard_one_ends, setup,
					    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
