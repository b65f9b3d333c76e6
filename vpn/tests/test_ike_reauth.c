/* Reauthentication in both orders, its limits told and kept, and an IKE SA made anew while the wire
 * loses messages (RFC 7296 §2.8.3, RFC 4478). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vpn/ike/exchange.h"
#include "vpn/ike/task.h"
#include "vpn/tests/ike_pair.h"

static int setup(void **state)
{
	*state = pair_new(31);
	return 0;
}

static int teardown(void **state)
{
	pair_free(*state);
	return 0;
}

static void set_times(struct side *s, uint32_t reauth, uint32_t over)
{
	s->conns[0]->rekey_time = 0;
	s->conns[0]->reauth_time = reauth;
	s->conns[0]->over_time = over;
	s->conns[0]->rand_time = 0;
}

/* Up, with a's reauthentication after 100 s, and its end so much later. */
static struct pair *up_until(void **state, uint64_t seed, bool make, uint32_t over)
{
	struct ike_options opt = pair_options();
	struct pair_conn a, b;
	struct pair *p;

	teardown(state);
	*state = p = pair_new(seed);
	opt.make_before_break = make;
	pair_set_options(&p->a, &opt);
	pair_default(p, &a, &b);
	pair_configure(p, &a, &b);
	set_times(&p->a, 100, over);
	set_times(&p->b, 0, 10);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	pair_assert_agree(p, 1);
	return p;
}

static struct pair *up(void **state, uint64_t seed, bool make)
{
	return up_until(state, seed, make, 10);
}

/* The SA that a data plane sends on: the newest. */
static const struct ipsec_sa *outbound(const struct side *s)
{
	const struct ipsec_sa *newest = NULL;
	size_t i;

	for (i = 0; i < s->n_sas; i++)
		if (!s->sas[i].inbound && (!newest || s->sas[i].child_id > newest->child_id))
			newest = &s->sas[i];
	return newest;
}

static size_t n_looks;

/* Whenever something is on the wire, each end can send, and the other receive it. */
static void look(struct pair *p)
{
	const struct ipsec_sa *a = outbound(&p->a), *b = outbound(&p->b);

	n_looks++;
	assert_non_null(a);
	assert_non_null(b);
	assert_non_null(pair_sa(&p->b, a->spi));
	assert_non_null(pair_sa(&p->a, b->spi));
}

static enum wire_verdict look_at_each(struct pair *p, struct datagram *d)
{
	(void)d;
	look(p);
	return WIRE_PASS;
}

static size_t count_cause(const struct side *s, enum ike_event_kind kind, enum ike_cause cause)
{
	size_t i, n = 0;

	for (i = 0; i < s->n_events; i++)
		n += s->events[i].kind == kind && s->events[i].cause == cause;
	return n;
}

/*     old: D(IKE) ->        and nothing comes again: that is the node's part */
static void break_before_make_ends_the_old_sa_first(void **state)
{
	struct pair *p = up(state, 31, false);
	size_t sent = p->n_sent;

	pair_run_until(p, p->now + 99 * SECOND);
	assert_int_equal(p->n_sent, sent);
	pair_run_until(p, p->now + 2 * SECOND);
	assert_int_equal(p->n_sent, sent + 2);
	assert_non_null(pair_find_event(&p->a, EVENT_IKE_REAUTH));
	assert_int_equal(count_cause(&p->a, EVENT_CHILD_DOWN, CAUSE_REAUTH), 1);
	assert_int_equal(count_cause(&p->a, EVENT_IKE_DOWN, CAUSE_REAUTH), 1);
	assert_int_equal(count_cause(&p->b, EVENT_IKE_DOWN, CAUSE_PEER), 1);
	assert_int_equal(pair_ike_count(&p->a) + pair_ike_count(&p->b), 0);
}

/*     new: IKE_SA_INIT, IKE_AUTH ->     old: D(IKE) ->     packets pass all the time */
static void make_before_break_has_no_gap(void **state)
{
	struct pair *p = up(state, 31, true);
	struct ike_sa_info info;

	n_looks = 0;
	p->wire = look_at_each;
	/* Before the answering end would switch of itself. */
	pair_run_until(p, p->now + 100 * SECOND + SECOND / 2);
	look(p);
	assert_int_equal(n_looks, 4 + 2 + 1);
	assert_int_equal(p->a.n_sas, 3); /* the old inbound one stays for what is on its way */
	assert_int_equal(p->b.n_sas, 3);
	pair_run_until(p, p->now + 6 * SECOND);
	pair_assert_agree(p, 1);
	assert_true(ike_engine_sa(p->a.engine, 0, &info));
	assert_int_equal(info.id, 2);
	assert_int_equal(pair_count_events(&p->a, EVENT_CHILD_UP), 2);
	assert_int_equal(count_cause(&p->a, EVENT_CHILD_DOWN, CAUSE_REAUTH), 1);
	assert_int_equal(count_cause(&p->b, EVENT_CHILD_DOWN, CAUSE_REAUTH), 1);
}

static enum wire_verdict drop_deletes(struct pair *p, struct datagram *d)
{
	return p->n_sent > 8 && d->to == &p->b ? WIRE_DROP : WIRE_PASS;
}

/* The responder cannot know when the initiator has its answer: it goes on with the old SA until
 * that is deleted, or for a second. */
static void the_answering_end_waits_with_the_new_outbound_sa(void **state)
{
	struct pair *p = up(state, 31, true);
	uint32_t old = outbound(&p->b)->spi;

	assert_int_equal(p->n_sent, 4);
	p->wire = drop_deletes;
	pair_run_until(p, p->now + 100 * SECOND + SECOND / 2);
	assert_int_equal(p->n_sent, 9);
	assert_int_equal(outbound(&p->b)->spi, old);
	assert_true(outbound(&p->a)->spi != 0 && pair_sa(&p->b, outbound(&p->a)->spi));
	pair_run_until(p, p->now + SECOND);
	assert_true(outbound(&p->b)->spi != old);
}

static void all_children_come_before_the_old_ones_go(void **state)
{
	struct pair *p = up(state, 31, true);
	size_t i;

	assert_int_equal(ike_engine_terminate_ike(p->a.engine, 1, false, p->now), 0);
	pair_settle(p);
	for (i = 0; i < 2; i++) {
		const char *name = i ? "c" : "b", *mine = i ? "10.5.0.0/16" : "10.3.0.0/16",
			   *theirs = i ? "10.6.0.0/16" : "10.4.0.0/16", *esp = "aes256gcm16";

		pair_add_child(p->a.conns[0], name, mine, theirs, esp, IPSEC_TUNNEL);
		pair_add_child(p->b.conns[0], name, theirs, mine, esp, IPSEC_TUNNEL);
	}
	for (i = 0; i < 3; i++)
		assert_int_equal(pair_initiate(p, &p->a, p->a.conns[0]->children[i].name), 0);
	pair_assert_agree(p, 3);
	p->wire = look_at_each;
	pair_run_until(p, p->now + 107 * SECOND);
	pair_assert_agree(p, 3);
	assert_int_equal(pair_ike_count(&p->a), 1);
	assert_int_equal(count_cause(&p->b, EVENT_CHILD_DOWN, CAUSE_REAUTH), 3);
}

static enum wire_verdict drop_all(struct pair *p, struct datagram *d)
{
	(void)p;
	(void)d;
	return WIRE_DROP;
}

static enum wire_verdict drop_init(struct pair *p, struct datagram *d)
{
	(void)p;
	return pair_header(d).exchange == IKE_SA_INIT ? WIRE_DROP : WIRE_PASS;
}

/* The old SA goes on, and it is tried again until its time is over. */
static void a_new_sa_that_fails_costs_nothing(void **state)
{
	struct pair *p = up(state, 31, true);

	set_times(&p->a, 100, 10);
	p->wire = drop_init;
	pair_run_until(p, p->now + 105 * SECOND);
	pair_assert_agree(p, 1);
	pair_run_until(p, p->now + 10 * SECOND);
	assert_int_equal(p->a.n_sas, 0); /* 110 s: over_time is over */
	assert_int_equal(p->b.n_sas, 0);
}

static void it_is_tried_again_while_there_is_time(void **state)
{
	struct ike_options opt = pair_options();
	struct pair_conn a, b;
	struct pair *p = *state;

	opt.make_before_break = true;
	opt.retransmit_tries = 1;
	pair_set_options(&p->a, &opt);
	pair_default(p, &a, &b);
	pair_configure(p, &a, &b);
	set_times(&p->a, 100, 100);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	p->wire = drop_init;
	pair_run_until(p, p->now + 115 * SECOND);
	assert_int_equal(count_cause(&p->a, EVENT_IKE_FAILED, CAUSE_TIMEOUT), 1);
	p->wire = look_at_each;
	pair_run_until(p, p->now + 30 * SECOND);
	pair_assert_agree(p, 1);
	assert_int_equal(count_cause(&p->a, EVENT_IKE_DOWN, CAUSE_REAUTH), 1);
}

/* RFC 4478 §2: the responder alone has a limit, tells it, and the initiator keeps it. */
static void the_responders_limit_is_kept(void **state)
{
	struct ike_options opt = pair_options();
	struct pair_conn a, b;
	struct pair *p = *state;

	opt.make_before_break = true;
	pair_set_options(&p->a, &opt);
	pair_default(p, &a, &b);
	pair_configure(p, &a, &b);
	set_times(&p->a, 0, 10);
	set_times(&p->b, 60, 10);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	p->wire = look_at_each;
	pair_run_until(p, p->now + 49 * SECOND);
	assert_null(pair_find_event(&p->a, EVENT_IKE_REAUTH));
	pair_run_until(p, p->now + 2 * SECOND);
	assert_non_null(pair_find_event(&p->a, EVENT_IKE_REAUTH));
	pair_run_until(p, p->now + 200 * SECOND);
	assert_int_equal(pair_count_events(&p->a, EVENT_IKE_REAUTH), 5);
	assert_int_equal(pair_ike_count(&p->b), 1);
}

/* RFC 4478 §2: "SHOULD send a DELETE notification soon after the end of the lifetime period", and
 * "if the IKE SA is rekeyed, then the time limit applies to the new SA". */
static void a_limit_holds_through_rekeyings(void **state)
{
	struct ike_options opt = pair_options();
	struct pair *p = *state;
	struct ike_sa_info info;
	struct pair_conn a, b;

	opt.make_before_break = true;
	pair_set_options(&p->b, &opt);
	pair_default(p, &a, &b);
	pair_configure(p, &a, &b);
	set_times(&p->a, 100, 10);
	assert_int_equal(pair_initiate(p, &p->b, "net"), 0); /* so a cannot repeat it */
	p->wire = drop_init;				     /* and b never gets through */
	assert_int_equal(ike_engine_reauth(p->a.engine, 1, p->now), ERR_STATE);
	pair_run_until(p, p->now + 50 * SECOND);
	assert_int_equal(ike_engine_rekey_ike(p->a.engine, 1, p->now), 0);
	pair_settle(p);
	assert_true(ike_engine_sa(p->a.engine, 0, &info));
	assert_int_equal(info.reauth_at, 101 * SECOND);
	pair_run_until(p, 110 * SECOND);
	pair_assert_agree(p, 1);
	pair_run_until(p, 112 * SECOND);
	assert_int_equal(p->a.n_sas + p->b.n_sas, 0);
}

/* A deletion goes on beyond the end of life, or the other end would never hear of it. */
static void the_end_of_life_does_not_cut_a_deletion_short(void **state)
{
	struct pair *p = up(state, 31, true);

	p->wire = drop_all;
	pair_run_until(p, 109 * SECOND); /* reauthentication is under way */
	assert_int_equal(ike_engine_terminate_ike(p->a.engine, 2, false, p->now), 0);
	assert_int_equal(ike_engine_terminate_ike(p->a.engine, 1, false, p->now), 0);
	pair_run_until(p, 112 * SECOND);
	p->wire = NULL;
	pair_run_until(p, 125 * SECOND);
	assert_int_equal(pair_ike_count(&p->b), 0);
}

static uint64_t chance;

static enum wire_verdict drop_some(struct pair *p, struct datagram *d)
{
	(void)p;
	(void)d;
	chance = chance * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (chance >> 33) % 4 ? WIRE_PASS : WIRE_DROP;
}

/* 200 seeds of 25 % loss: in the end both ends have the same one IKE SA and child. */
static void loss_leaves_one_sa(void **state)
{
	size_t renewed = 0;
	uint64_t seed;

	for (seed = 1; seed <= 200; seed++) {
		struct pair *p = up_until(state, seed, true, 300);

		set_times(&p->a, 0, 0); /* once is enough */
		/* An answer that was never heard leaves an SA that only its own end knows. */
		p->a.conns[0]->dpd_delay = p->b.conns[0]->dpd_delay = 20;
		chance = seed;
		p->wire = drop_some;
		pair_run_until(p, p->now + 400 * SECOND);
		p->wire = NULL;
		pair_run_until(p, p->now + 400 * SECOND);
		renewed += pair_count_events(&p->a, EVENT_IKE_UP) == 2;
		if (pair_ike_count(&p->a) == 0)
			continue; /* given up, or expired */
		pair_assert_agree(p, 1);
		assert_int_equal(pair_ike_count(&p->a), 1);
		assert_int_equal(pair_ike_count(&p->b), 1);
	}
	assert_in_range(renewed, 180, 200);
}

static void reject(void **state, bool ike)
{
	static const uint8_t refusal[] = {0, 0, 0, N_NO_ADDITIONAL_SAS};
	struct ike_payloads said = {
	    .n = 1, .v = {{.type = PAYLOAD_NOTIFY, .body = {refusal, sizeof(refusal)}}}};
	struct pair *p = up(state, 31, true);
	struct ike_sa *sa = list_entry(p->a.engine->sas.next, struct ike_sa, node);
	enum wire_verdict (*wire)(struct pair *, struct datagram *) = p->wire;

	p->wire = drop_all;
	assert_int_equal(ike ? ike_engine_rekey_ike(p->a.engine, 1, p->now)
			     : ike_engine_rekey_child(p->a.engine, 1, p->now),
			 0);
	pair_settle(p);
	p->wire = wire;
	task_response(sa, exchange_take_request(sa), &said, p->now);
	list_entry(p->b.engine->sas.next, struct ike_sa, node)->next_peer_id++;
	ike_sa_rearm(sa);
	pair_settle(p);
	pair_run_until(p, p->now + 10 * SECOND);
	assert_int_equal(pair_count_events(&p->a, EVENT_IKE_REAUTH), 1);
	pair_assert_agree(p, 1);
}

/* RFC 7296 §4: a peer that rekeys nothing (NO_ADDITIONAL_SAS) gets new SAs instead. */
static void no_additional_sas_makes_all_anew(void **state)
{
	reject(state, true);
	reject(state, false);
}

/* A child that is on its way already is not asked for twice. */
static void a_child_is_asked_for_once(void **state)
{
	struct pair_conn a, b;
	struct pair *p = *state;
	uint32_t id;

	pair_default(p, &a, &b);
	pair_configure(p, &a, &b);
	assert_int_equal(ike_engine_initiate(p->a.engine, p->a.conns[0],
					     &p->a.conns[0]->children[0], &p->a.here, &p->b.here,
					     p->now, &id),
			 0);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	pair_assert_agree(p, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(break_before_make_ends_the_old_sa_first),
	    TEST(make_before_break_has_no_gap),
	    TEST(the_answering_end_waits_with_the_new_outbound_sa),
	    TEST(all_children_come_before_the_old_ones_go),
	    TEST(a_new_sa_that_fails_costs_nothing),
	    TEST(it_is_tried_again_while_there_is_time),
	    TEST(the_responders_limit_is_kept),
	    TEST(a_limit_holds_through_rekeyings),
	    TEST(the_end_of_life_does_not_cut_a_deletion_short),
	    TEST(no_additional_sas_makes_all_anew),
	    TEST(loss_leaves_one_sa),
	    TEST(a_child_is_asked_for_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
