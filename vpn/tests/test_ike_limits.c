/* What an IKE SA may do without and what ends it: no first child (RFC 6023), children without
 * traffic, message IDs that run out (RFC 7296 §2.2), a peer that takes no more SAs (§1.3, §4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vpn/ike/ike_sa.h"
#include "vpn/tests/ike_pair.h"

static int setup(void **state)
{
	*state = pair_new(41);
	return 0;
}

static int teardown(void **state)
{
	pair_free(*state);
	return 0;
}

static struct pair *fresh(void **state)
{
	struct pair_conn a, b;
	struct pair *p;

	teardown(state);
	*state = p = pair_new(41);
	pair_default(p, &a, &b);
	pair_configure(p, &a, &b);
	return p;
}

static struct pair *up(void **state)
{
	struct pair *p = fresh(state);

	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	pair_assert_agree(p, 1);
	return p;
}

/* The first child comes in IKE_AUTH (4 messages) or in an exchange of its own (6), or the initiator
 * gives up before IKE_AUTH (2), or the responder says INVALID_SYNTAX. */
static void childless_means_what_swanctl_conf_says(void **state)
{
	const enum conn_childless allow = CHILDLESS_ALLOW, prefer = CHILDLESS_PREFER,
				  force = CHILDLESS_FORCE, never = CHILDLESS_NEVER;
	const struct {
		enum conn_childless a, b;
		size_t messages;
		bool up;
	} rows[] = {
	    {allow, allow, 4, true},  {allow, never, 4, true},	{allow, force, 4, false},
	    {prefer, allow, 6, true}, {prefer, never, 4, true}, {prefer, force, 6, true},
	    {force, allow, 6, true},  {force, never, 2, false}, {force, force, 6, true},
	    {never, allow, 4, true},  {never, force, 4, false},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pair *p = fresh(state);

		p->a.conns[0]->childless = rows[i].a;
		p->b.conns[0]->childless = rows[i].b;
		assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
		assert_int_equal(p->n_sent, rows[i].messages);
		assert_int_equal(pair_child_count(&p->a), rows[i].up);
		assert_int_equal(pair_child_count(&p->b), rows[i].up);
		if (rows[i].b == force && rows[i].messages == 4)
			assert_int_equal(pair_find_event(&p->a, EVENT_IKE_FAILED)->notify,
					 N_INVALID_SYNTAX);
	}
}

/* RFC 6023 §3: "The initiator MUST NOT send the modified IKE_AUTH request if the notification was
 * not present." */
static void an_ike_sa_alone_needs_the_responders_word(void **state)
{
	struct pair *p = fresh(state);

	assert_int_equal(pair_initiate(p, &p->a, NULL), 0);
	assert_int_equal(pair_ike_count(&p->a), 1);
	assert_int_equal(pair_child_count(&p->a), 0);
	p = fresh(state);
	p->b.conns[0]->childless = CHILDLESS_NEVER;
	assert_int_equal(pair_initiate(p, &p->a, NULL), 0);
	assert_int_equal(p->n_sent, 2);
	assert_non_null(pair_find_event(&p->a, EVENT_IKE_FAILED));
}

static void a_child_without_traffic_is_closed(void **state)
{
	struct pair *p = fresh(state);

	p->a.conns[0]->children[0].inactivity = 30;
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	pair_run_until(p, p->now + 20 * SECOND);
	p->a.last_use = p->now; /* a packet puts it off */
	pair_run_until(p, p->now + 29 * SECOND);
	pair_assert_agree(p, 1);
	pair_run_until(p, p->now + 2 * SECOND);
	assert_int_equal(p->a.n_sas + p->b.n_sas, 0);
	assert_int_equal(pair_ike_count(&p->a), 1); /* the IKE SA stays */
	assert_int_equal(pair_find_event(&p->a, EVENT_CHILD_DOWN)->cause, CAUSE_LOCAL);
}

/* Rekeying is no traffic. */
static void a_rekeyed_child_is_as_idle_as_before(void **state)
{
	struct pair *p = fresh(state);

	p->a.conns[0]->children[0].inactivity = 30;
	p->a.conns[0]->children[0].time.rekey = 20;
	p->a.conns[0]->children[0].time.life = 60;
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	pair_run_until(p, p->now + 31 * SECOND);
	assert_int_equal(pair_count_events(&p->a, EVENT_CHILD_REKEYED), 1);
	assert_int_equal(pair_count_events(&p->a, EVENT_CHILD_DOWN), 1);
	pair_run_until(p, p->now + 10 * SECOND);
	assert_int_equal(p->a.n_sas + p->b.n_sas, 0);
}

static struct ike_sa *inside(struct side *s)
{
	return list_entry(s->engine->sas.next, struct ike_sa, node);
}

/* Both ends as if so many requests of a's had gone by. */
static void wind_on(struct pair *p, uint32_t id)
{
	inside(&p->a)->next_request_id = id;
	inside(&p->b)->next_peer_id = id;
}

/* RFC 7296 §2.2. */
static void message_ids_that_run_out_rekey_the_ike_sa(void **state)
{
	struct pair *p = up(state);

	wind_on(p, LIMIT_MESSAGE_ID - 1);
	assert_int_equal(ike_engine_rekey_child(p->a.engine, 1, p->now), 0);
	pair_settle(p);
	assert_int_equal(pair_count_events(&p->a, EVENT_IKE_REKEYED), 0);
	pair_run_until(p, p->now + 10 * SECOND);
	assert_in_range(pair_count_events(&p->a, EVENT_IKE_REKEYED), 1, 2);
	pair_assert_agree(p, 1);
	assert_in_range(inside(&p->a)->next_request_id, 0, 9);
}

static enum wire_verdict drop_from_b(struct pair *p, struct datagram *d)
{
	return d->to == &p->a ? WIRE_DROP : WIRE_PASS;
}

static void the_last_message_id_ends_the_ike_sa(void **state)
{
	struct pair *p = up(state);

	wind_on(p, LIMIT_LAST_MESSAGE_ID - 2);
	assert_int_equal(ike_engine_rekey_child(p->a.engine, 1, p->now), 0);
	pair_settle(p);
	assert_int_equal(pair_ike_count(&p->a), 1);
	p->wire = drop_from_b; /* the farewell is not waited for */
	pair_run_until(p, p->now + SECOND);
	assert_int_equal(pair_ike_count(&p->a) + pair_ike_count(&p->b), 0);
	assert_int_equal(p->a.n_sas + p->b.n_sas, 0);
}

static void a_full_ike_sa_says_no_additional_sas_but_rekeys(void **state)
{
	struct pair *p = up(state);
	struct ike_sa *b = inside(&p->b);

	b->n_children += LIMIT_CHILDREN;
	assert_int_equal(ike_engine_rekey_child(p->a.engine, 1, p->now), 0);
	pair_settle(p);
	assert_int_equal(pair_count_events(&p->a, EVENT_CHILD_REKEYED), 1);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	assert_int_equal(pair_find_event(&p->a, EVENT_CHILD_FAILED)->notify, N_NO_ADDITIONAL_SAS);
	b->n_children -= LIMIT_CHILDREN;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(childless_means_what_swanctl_conf_says),
	    TEST(an_ike_sa_alone_needs_the_responders_word),
	    TEST(a_child_without_traffic_is_closed),
	    TEST(a_rekeyed_child_is_as_idle_as_before),
	    TEST(message_ids_that_run_out_rekey_the_ike_sa),
	    TEST(the_last_message_id_ends_the_ike_sa),
	    TEST(a_full_ike_sa_says_no_additional_sas_but_rekeys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
