/* Termination at any moment of an exchange: whatever the peer has made of our last request, neither
 * end keeps an SA (RFC 7296 §1.4.1).
 *
 *     a: IKE_AUTH or REKEY(IKE) ->            b: answers, and holds an SA
 *     a: is told to terminate     (<- answer, at once or on the second try)
 *     a: D(IKE) ->                            b: holds none */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vpn/base/proto.h"
#include "vpn/tests/ike_pair.h"

enum moment { BEFORE_DELIVERY, ANSWER_ON_THE_WAY, ANSWER_LOST };

static int setup(void **state)
{
	struct pair_conn a, b;
	struct pair *p = pair_new(23);

	pair_default(p, &a, &b);
	pair_configure(p, &a, &b);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	pair_free(*state);
	return 0;
}

/* Until a datagram of this exchange waits to be delivered to `to`. */
static void step_until(struct pair *p, const struct side *to, uint8_t exchange)
{
	size_t i;

	for (i = 0; i < 20; i++) {
		pair_pull(p);
		if (p->n_queued && p->queue[0].to == to &&
		    pair_header(&p->queue[0]).exchange == exchange)
			return;
		assert_true(pair_step(p));
	}
	fail_msg("no such message");
}

static void reach(struct pair *p, uint8_t exchange, enum moment moment)
{
	step_until(p, &p->b, exchange);
	if (moment == BEFORE_DELIVERY)
		return;
	step_until(p, &p->a, exchange);
	if (moment == ANSWER_LOST)
		p->n_queued = 0;
}

static void begin_ike(struct pair *p)
{
	uint32_t id;

	assert_int_equal(ike_engine_initiate(p->a.engine, p->a.conns[0],
					     &p->a.conns[0]->children[0], &p->a.here, &p->b.here,
					     p->now, &id),
			 0);
}

static void terminate_all(struct pair *p, bool force)
{
	struct ike_sa_info info;
	uint32_t ids[8];
	size_t i, n = 0;

	for (i = 0; ike_engine_sa(p->a.engine, i, &info); i++)
		ids[n++] = info.id;
	assert_in_range(n, 1, 2);
	for (i = 0; i < n; i++)
		ike_engine_terminate_ike(p->a.engine, ids[i], force, p->now);
}

static void assert_nothing_is_left(struct pair *p)
{
	assert_int_equal(pair_ike_count(&p->a), 0);
	assert_int_equal(pair_ike_count(&p->b), 0);
	assert_int_equal(p->a.n_sas + p->b.n_sas, 0);
}

static void while_authenticating_nothing_is_left(void **state)
{
	enum moment moment;

	for (moment = BEFORE_DELIVERY; moment <= ANSWER_LOST; moment++) {
		struct pair *p;

		teardown(state);
		setup(state);
		p = *state;
		begin_ike(p);
		reach(p, IKE_AUTH, moment);
		terminate_all(p, false);
		pair_settle(p);
		pair_run_until(p, p->now + 12 * SECOND);
		assert_int_equal(pair_count_events(&p->b, EVENT_IKE_UP), 1);
		assert_nothing_is_left(p);
	}
}

static void while_rekeying_nothing_is_left(void **state)
{
	enum moment moment;

	for (moment = BEFORE_DELIVERY; moment <= ANSWER_LOST; moment++) {
		struct pair *p;

		teardown(state);
		setup(state);
		p = *state;
		assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
		assert_int_equal(ike_engine_rekey_ike(p->a.engine, 1, p->now), 0);
		reach(p, CREATE_CHILD_SA, moment);
		terminate_all(p, false);
		pair_settle(p);
		pair_run_until(p, p->now + 30 * SECOND);
		assert_int_equal(pair_count_events(&p->b, EVENT_IKE_REKEYED), 1);
		assert_nothing_is_left(p);
	}
}

/* An SA that the peer has just rekeyed waits for the peer's deletion, and its answer. */
static void of_a_replaced_sa_the_peer_is_answered(void **state)
{
	struct pair *p = *state;

	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	assert_int_equal(ike_engine_rekey_ike(p->b.engine, 1, p->now), 0);
	pair_pull(p);
	assert_true(pair_step(p));
	terminate_all(p, false);
	pair_settle(p);
	assert_int_equal(pair_count_events(&p->a, EVENT_RETRANSMIT), 0);
	assert_int_equal(pair_count_events(&p->b, EVENT_RETRANSMIT), 0);
	pair_run_until(p, p->now + 6 * SECOND);
	assert_nothing_is_left(p);
}

static enum wire_verdict drop_auth(struct pair *p, struct datagram *d)
{
	(void)p;
	return pair_header(d).exchange == IKE_AUTH ? WIRE_DROP : WIRE_PASS;
}

/* 4 s and 7.2 s (the first two waits), where an SA that is wanted gets 165 s. */
static void a_silent_peer_is_not_waited_for_long(void **state)
{
	struct pair *p = *state;

	p->wire = drop_auth;
	begin_ike(p);
	pair_settle(p);
	assert_int_equal(pair_ike_count(&p->a), 1);
	terminate_all(p, false);
	pair_run_until(p, p->now + 10 * SECOND);
	assert_int_equal(pair_ike_count(&p->a), 1);
	pair_run_until(p, p->now + 2 * SECOND);
	assert_int_equal(pair_ike_count(&p->a), 0);
	assert_int_equal(pair_find_event(&p->a, EVENT_IKE_FAILED)->cause, CAUSE_LOCAL);
}

static void insisting_ends_it_at_once(void **state)
{
	struct pair *p = *state;
	int force;

	p->wire = drop_auth;
	for (force = 0; force < 2; force++) {
		begin_ike(p);
		pair_settle(p);
		terminate_all(p, force);
		assert_int_equal(pair_ike_count(&p->a), !force);
		if (!force)
			terminate_all(p, false);
		assert_int_equal(pair_ike_count(&p->a), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(while_authenticating_nothing_is_left, setup, teardown),
	    cmocka_unit_test_setup_teardown(while_rekeying_nothing_is_left, setup, teardown),
	    cmocka_unit_test_setup_teardown(of_a_replaced_sa_the_peer_is_answered, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_silent_peer_is_not_waited_for_long, setup, teardown),
	    cmocka_unit_test_setup_teardown(insisting_ends_it_at_once, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
