/* test_node.c - what the node does over time: start actions, tries, liveness and close actions,
 * traps, termination, uniqueness. The engine is a fake that says what happens (fake_engine.h). */
#include "vpn/node/node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vpn/tests/fake_engine.h"

#define SECOND UINT64_C(1000000)

static bool have_route;
static uint8_t dice;
static const char *dns; /* the address of every name; NULL: being looked up */

static int test_random(void *ctx, uint8_t *buf, size_t n)
{
	(void)ctx;
	memset(buf, dice, n);
	return 0;
}

static int64_t test_wall(void *ctx, uint64_t now)
{
	(void)ctx;
	return (int64_t)(now / SECOND);
}

static bool test_source_for(void *ctx, const struct ip_addr *remote, struct ip_addr *ret_local)
{
	(void)ctx;
	(void)remote;
	if (have_route)
		ip_addr_parse("192.0.2.1", ret_local);
	return have_route;
}

static int test_resolve(void *ctx, const char *name, struct ip_addr *ret_addr)
{
	(void)ctx;
	assert_string_equal(name, "gw.example.org");
	return dns ? ip_addr_parse(dns, ret_addr) : ERR_AGAIN;
}

static int setup(void **state)
{
	static const struct node_env env = {.random = test_random,
					    .wall = test_wall,
					    .source_for = test_source_for,
					    .resolve = test_resolve};
	struct ike_options options = {.port = 500, .port_natt = 4500};

	have_route = true;
	dice = 0;
	dns = NULL;
	*state = node_new(&env, &options);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	node_free(*state);
	return 0;
}

/* A connection "home" to 198.51.100.1 with one child "net"; the caller may change it before
 * loading. */
static struct ike_conn *home(enum child_action start)
{
	static const char *const peer = "198.51.100.1";
	struct ike_conn *conn = ike_conn_new("home");
	struct child_cfg *child = ike_conn_add_child(conn, "net");
	struct ts ts;

	child->start_action = start;
	assert_int_equal(ts_parse("10.0.0.0/8", &ts, NULL), 0);
	ts_list_add(&child->local_ts, &ts);
	assert_int_equal(ts_parse("dynamic", &ts, NULL), 0);
	ts_list_add(&child->remote_ts, &ts);
	conn->remote_addrs = calloc(1, sizeof(*conn->remote_addrs));
	assert_int_equal(host_spec_parse(peer, conn->remote_addrs, NULL), 0);
	conn->n_remote_addrs = 1;
	return conn;
}

/* What the daemon does between two moments: actions until there are none, then time. */
static void drain(struct node *node)
{
	while (node_next_action(node))
		;
}

static void run_until(struct node *node, uint64_t now)
{
	drain(node);
	while (node_next_deadline(node) <= now) {
		node_expire(node, node_next_deadline(node));
		drain(node);
	}
}

static void start_action_initiates_once_when_loaded(void **state)
{
	struct node *node = *state;

	node_load_conn(node, home(ACTION_START), 0);
	run_until(node, 100 * SECOND);
	assert_int_equal(fake.n_initiates, 1);
	assert_string_equal(fake.initiates[0].conn, "home");
	assert_string_equal(fake.initiates[0].child, "net");
}

static void reload_does_not_initiate_what_is_up(void **state)
{
	struct node *node = *state;
	struct ike_conn *conn = home(ACTION_START);

	ike_conn_ref(conn);
	node_load_conn(node, conn, 0);
	run_until(node, SECOND);
	fake_sa_up(1, conn, 7, "net");
	fake_event(EVENT_CHILD_UP, CAUSE_NONE, 1, conn, "net");
	run_until(node, 2 * SECOND);
	node_load_conn(node, home(ACTION_START), 3 * SECOND);
	run_until(node, 10 * SECOND);
	assert_int_equal(fake.n_initiates, 1);
	assert_int_equal(fake.n_ended_child, 0);
	ike_conn_unref(conn);
}

static struct ike_conn *named(enum child_action start)
{
	struct ike_conn *conn = home(start);

	assert_int_equal(host_spec_parse("gw.example.org", conn->remote_addrs, NULL), 0);
	return conn;
}

static void a_name_without_an_address_is_waited_for(void **state)
{
	char text[ENDPOINT_STRLEN];

	node_load_conn(*state, named(ACTION_START), 0);
	run_until(*state, 100 * SECOND);
	assert_int_equal(fake.n_initiates, 0);
	dns = "198.51.100.7";
	run_until(*state, 200 * SECOND);
	assert_int_equal(fake.n_initiates, 1);
	assert_string_equal(endpoint_format(&fake.initiates[0].remote, text, sizeof(text)),
			    "198.51.100.7[500]");
}

static void each_try_asks_for_the_address_anew(void **state)
{
	struct ike_conn *conn = named(ACTION_START);
	char text[ENDPOINT_STRLEN];

	conn->keyingtries = 0;
	dns = "198.51.100.7";
	node_load_conn(*state, conn, 0);
	run_until(*state, 0);
	dns = "198.51.100.8";
	fake_event(EVENT_IKE_FAILED, CAUSE_TIMEOUT, 1, conn, NULL);
	run_until(*state, 10 * SECOND);
	assert_int_equal(fake.n_initiates, 2);
	assert_string_equal(endpoint_format(&fake.initiates[1].remote, text, sizeof(text)),
			    "198.51.100.8[500]");
}

static void a_responder_knows_a_named_peer_by_its_newest_address(void **state)
{
	struct ike_conn *conn = named(ACTION_NONE);
	struct ip_addr first, second;

	ip_addr_parse("198.51.100.7", &first);
	ip_addr_parse("198.51.100.8", &second);
	node_load_conn(*state, conn, 0);
	assert_false(host_spec_matches(conn->remote_addrs, &first));
	dns = "198.51.100.7";
	run_until(*state, 10 * SECOND);
	assert_true(host_spec_matches(conn->remote_addrs, &first));
	dns = "198.51.100.8";
	run_until(*state, 100 * SECOND);
	assert_true(host_spec_matches(conn->remote_addrs, &second));
	assert_false(host_spec_matches(conn->remote_addrs, &first));
}

/* Loads home with keyingtries and lets n sequences of retransmissions go unanswered. */
static void unanswered(struct node *node, uint32_t keyingtries, unsigned n)
{
	struct ike_conn *conn = home(ACTION_START);
	unsigned i;

	conn->keyingtries = keyingtries;
	node_load_conn(node, conn, 0);
	run_until(node, 0);
	for (i = 1; i <= n; i++) {
		fake_event(EVENT_CHILD_FAILED, CAUSE_TIMEOUT, i, conn, "net");
		fake_event(EVENT_IKE_FAILED, CAUSE_TIMEOUT, i, conn, NULL);
		run_until(node, i * 1000 * SECOND);
	}
}

static void one_keying_try_is_given_up(void **state)
{
	unanswered(*state, 1, 1);
	assert_int_equal(fake.n_initiates, 1);
	assert_true(node_next_deadline(*state) == UINT64_MAX);
}

static void three_keying_tries_are_three_sequences(void **state)
{
	unanswered(*state, 3, 3);
	assert_int_equal(fake.n_initiates, 3);
}

static void keyingtries_0_never_gives_up(void **state)
{
	unanswered(*state, 0, 12);
	assert_int_equal(fake.n_initiates, 13);
}

static void tries_back_off_to_a_minute(void **state)
{
	static const uint64_t delays[] = {1, 2, 4, 8, 16, 32, 60, 60};
	struct node *node = *state;
	struct ike_conn *conn = home(ACTION_START);
	unsigned i;

	conn->keyingtries = 0;
	node_load_conn(node, conn, 0);
	run_until(node, 0);
	for (i = 0; i < 8; i++) {
		uint64_t then = fake.initiates[i].now;

		fake_event(EVENT_IKE_FAILED, CAUSE_TIMEOUT, i + 1, conn, NULL);
		run_until(node, then);
		assert_int_equal(node_next_deadline(node), then + delays[i] * SECOND);
		run_until(node, then + delays[i] * SECOND);
	}
}

static void a_rekeyed_ike_sa_carries_the_attempt_on(void **state)
{
	struct node *node = *state;
	struct ike_conn *conn = home(ACTION_START);

	conn->keyingtries = 2;
	node_load_conn(node, conn, 0);
	run_until(node, 0);
	fake_event(EVENT_IKE_REKEYED, CAUSE_NONE, 5, conn, NULL);
	fake.actions[0].event.number = 1;
	fake_event(EVENT_IKE_DOWN, CAUSE_REPLACED, 1, conn, NULL);
	run_until(node, 1 * SECOND);
	fake_event(EVENT_IKE_DOWN, CAUSE_TIMEOUT, 5, conn, NULL);
	run_until(node, 100 * SECOND);
	assert_int_equal(fake.n_initiates, 2);
}

static void refusal_by_the_peer_is_final(void **state)
{
	struct node *node = *state;
	struct ike_conn *conn = home(ACTION_START);

	conn->keyingtries = 0;
	node_load_conn(node, conn, 0);
	run_until(node, 0);
	fake_event(EVENT_IKE_FAILED, CAUSE_PEER, 1, conn, NULL);
	run_until(node, 1000 * SECOND);
	assert_int_equal(fake.n_initiates, 1);
}

static void without_a_route_it_waits_for_one(void **state)
{
	struct node *node = *state;

	have_route = false;
	node_load_conn(node, home(ACTION_START), 0);
	run_until(node, 1000 * SECOND);
	assert_int_equal(fake.n_initiates, 0);
	have_route = true;
	run_until(node, 1100 * SECOND);
	assert_int_equal(fake.n_initiates, 1);
}

/* The peer ended the IKE SA that a child was being made on, before it answered. */
static void end_of_the_sa_is_no_refusal_of_the_child(void **state)
{
	struct node *node = *state;
	struct ike_conn *conn = home(ACTION_START);

	node_load_conn(node, conn, 0);
	run_until(node, 0);
	fake_event(EVENT_IKE_DOWN, CAUSE_PEER, 1, conn, NULL);
	run_until(node, 100 * SECOND);
	assert_int_equal(fake.n_initiates, 2);
}

static void nor_is_its_end_by_lifetime(void **state)
{
	struct node *node = *state;
	struct ike_conn *conn = home(ACTION_START);

	node_load_conn(node, conn, 0);
	run_until(node, 0);
	fake_event(EVENT_CHILD_FAILED, CAUSE_EXPIRED, 1, conn, "net");
	fake.actions[0].event.ike.established = 1;
	run_until(node, 100 * SECOND);
	assert_int_equal(fake.n_initiates, 2);
}

static void expired_child_of_a_start_action_comes_back(void **state)
{
	struct ike_conn *conn = home(ACTION_START);

	node_load_conn(*state, conn, 0);
	run_until(*state, 0);
	fake_event(EVENT_CHILD_UP, CAUSE_NONE, 1, conn, "net");
	run_until(*state, 10 * SECOND);
	fake_event(EVENT_CHILD_DOWN, CAUSE_EXPIRED, 1, conn, "net");
	run_until(*state, 20 * SECOND);
	assert_int_equal(fake.n_initiates, 2);
}

static void a_route_that_comes_is_used_at_once(void **state)
{
	struct node *node = *state;

	have_route = false;
	node_load_conn(node, home(ACTION_START), 0);
	run_until(node, 1000 * SECOND);
	have_route = true;
	node_network_changed(node, 1000 * SECOND);
	assert_int_equal(node_next_deadline(node), 1000 * SECOND);
	run_until(node, 1000 * SECOND);
	assert_int_equal(fake.n_initiates, 1);
}

/* The host went elsewhere while it was tried: that counts as no try. */
static void an_attempt_goes_on_from_the_new_address(void **state)
{
	struct node *node = *state;
	struct ike_conn *conn = home(ACTION_START);

	conn->keyingtries = 1;
	node_load_conn(node, conn, 0);
	run_until(node, 0);
	fake_event(EVENT_IKE_FAILED, CAUSE_MOVED, 1, conn, NULL);
	run_until(node, 1 * SECOND);
	assert_int_equal(fake.n_initiates, 2);
}

struct down_case {
	enum ike_cause cause;
	enum child_action dpd, close;
	unsigned initiates;
};

static void actions_follow_the_cause_of_the_end(void **state)
{
	static const struct down_case cases[] = {
	    {CAUSE_TIMEOUT, ACTION_START, ACTION_NONE, 1},
	    {CAUSE_TIMEOUT, ACTION_NONE, ACTION_START, 0},
	    {CAUSE_PEER, ACTION_NONE, ACTION_START, 1},
	    {CAUSE_PEER, ACTION_START, ACTION_NONE, 0},
	    {CAUSE_LOCAL, ACTION_START, ACTION_START, 0},
	    {CAUSE_EXPIRED, ACTION_START, ACTION_NONE, 1},
	    {CAUSE_EXPIRED, ACTION_NONE, ACTION_START, 0},
	    {CAUSE_REPLACED, ACTION_START, ACTION_START, 0},
	    {CAUSE_MOVED, ACTION_NONE, ACTION_NONE, 1},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ike_conn *conn = home(ACTION_NONE);

		conn->children[0].dpd_action = cases[i].dpd;
		conn->children[0].close_action = cases[i].close;
		node_load_conn(*state, conn, 0);
		fake.n_initiates = 0;
		fake_event(EVENT_CHILD_DOWN, cases[i].cause, 9, conn, "net");
		run_until(*state, 10 * SECOND);
		assert_int_equal(fake.n_initiates, cases[i].initiates);
		node_unload_conn(*state, "home");
	}
}

/* The next action of that type, NULL if there is none. */
static const struct ike_action *next_of(struct node *node, enum ike_action_type type)
{
	const struct ike_action *a;

	while ((a = node_next_action(node))) {
		if (a->type == type)
			break;
	}
	return a;
}

static void trap_asks_for_resolved_selectors_and_its_packet_initiates(void **state)
{
	static const struct ts_packet trapped = {.proto = 17, .have_ports = true, .dst_port = 53};
	struct node *node = *state;
	const struct ike_action *a;
	char text[TS_STRLEN];
	uint32_t id;

	node_load_conn(node, home(ACTION_TRAP), 0);
	a = next_of(node, IKE_ACTION_TRAP_ADD);
	assert_non_null(a);
	assert_string_equal(ts_format(&a->trap.local_ts->v[0], text, sizeof(text)), "10.0.0.0/8");
	assert_string_equal(ts_format(&a->trap.remote_ts->v[0], text, sizeof(text)),
			    "198.51.100.1/32");
	id = a->trap.id;
	run_until(node, SECOND);
	assert_int_equal(fake.n_initiates, 0);
	node_acquire(node, id, &trapped, 2 * SECOND);
	node_acquire(node, id, &trapped, 2 * SECOND);
	run_until(node, 3 * SECOND);
	assert_int_equal(fake.n_initiates, 1);
	assert_true(fake.has_packet);
	node_unload_conn(node, "home");
	a = next_of(node, IKE_ACTION_TRAP_REMOVE);
	assert_true(a && a->trap.id == id);
}

static void trap_for_a_name_waits_for_its_address(void **state)
{
	const struct ike_action *a;

	node_load_conn(*state, named(ACTION_TRAP), 0);
	assert_null(next_of(*state, IKE_ACTION_TRAP_ADD));
	dns = "198.51.100.7";
	assert_true(node_next_deadline(*state) < 10 * SECOND);
	node_expire(*state, 10 * SECOND);
	a = next_of(*state, IKE_ACTION_TRAP_ADD);
	assert_true(a && ip_addr_eq(&a->trap.remote_ts->v[0].lo, &a->trap.remote_ts->v[0].hi));
	drain(*state);
	node_expire(*state, 20 * SECOND);
	assert_null(next_of(*state, IKE_ACTION_TRAP_ADD));
}

static void interfaces_of_a_loaded_connection_are_asked_for(void **state)
{
	struct ike_conn *conn = home(ACTION_NONE);
	const struct ike_action *a;

	conn->if_id_in = conn->if_id_out = 7;
	conn->children[0].if_id_in = 42;
	node_load_conn(*state, conn, 0);
	a = next_of(*state, IKE_ACTION_INTERFACE);
	assert_true(a && a->if_id == 42);
	a = next_of(*state, IKE_ACTION_INTERFACE);
	assert_true(a && a->if_id == 7);
}

static void initiate_prefers_configured_addresses(void **state)
{
	struct ike_conn *conn = home(ACTION_NONE);
	char text[ENDPOINT_STRLEN];
	struct err_msg msg;
	uint32_t id;

	conn->local_addrs = calloc(2, sizeof(*conn->local_addrs));
	conn->n_local_addrs = 2;
	host_spec_parse("2001:db8::1", &conn->local_addrs[0], NULL);
	host_spec_parse("203.0.113.10", &conn->local_addrs[1], NULL);
	conn->remote_port = 4500;
	node_load_conn(*state, conn, 0);
	assert_int_equal(node_initiate(*state, NULL, "net", 0, &id, &msg), 0);
	assert_string_equal(endpoint_format(&fake.initiates[0].local, text, sizeof(text)),
			    "203.0.113.10[4500]"); /* for the non-ESP marker */
	assert_string_equal(endpoint_format(&fake.initiates[0].remote, text, sizeof(text)),
			    "198.51.100.1[4500]");
}

static void initiate_says_what_is_wrong(void **state)
{
	struct ike_conn *conn = home(ACTION_NONE);
	struct err_msg msg;
	uint32_t id;

	node_load_conn(*state, named(ACTION_NONE), 0);
	assert_int_equal(node_initiate(*state, "home", NULL, 0, &id, &msg), ERR_AGAIN);
	assert_non_null(strstr(msg.text, "no address of gw.example.org is known yet"));

	conn->local_port = 501;
	node_load_conn(*state, conn, 0);
	assert_int_equal(node_initiate(*state, NULL, "net", 0, &id, &msg), ERR_INVALID);
	assert_non_null(strstr(msg.text, "local_port 501"));
	assert_int_equal(node_initiate(*state, "home", "wrong", 0, &id, &msg), ERR_NOT_FOUND);
	assert_non_null(strstr(msg.text, "'wrong' in connection home"));
	assert_int_equal(node_initiate(*state, NULL, NULL, 0, &id, &msg), ERR_INVALID);
	conn = ike_conn_new("anybody");
	node_load_conn(*state, conn, 0);
	assert_int_equal(node_initiate(*state, "anybody", NULL, 0, &id, &msg), ERR_INVALID);
	assert_non_null(strstr(msg.text, "names no host"));
}

static void terminating_a_child_leaves_the_ike_sa(void **state)
{
	struct ike_conn *conn = home(ACTION_NONE);
	struct node_match match = {.child = "net"};
	size_t count;

	node_load_conn(*state, conn, 0);
	fake_sa_up(1, conn, 7, "net");
	fake_sa_up(2, conn, 8, "net");
	assert_int_equal(node_terminate(*state, &match, false, 0, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(fake.n_ended_child, 2);
	assert_int_equal(fake.n_ended_ike, 0);
}

static void terminating_ends_the_tries(void **state)
{
	struct node_match match = {.ike = "home"};
	struct ike_conn *conn = home(ACTION_START);
	size_t count;

	conn->keyingtries = 0;
	node_load_conn(*state, conn, 0);
	run_until(*state, 0);
	node_terminate(*state, &match, false, SECOND, &count);
	fake_event(EVENT_IKE_FAILED, CAUSE_TIMEOUT, 1, conn, NULL);
	run_until(*state, 1000 * SECOND);
	assert_int_equal(fake.n_initiates, 1);
}

/* Between the old IKE SA and the new one there is none, and the connection ends all the same. */
static void terminating_in_the_middle_of_reauthentication_ends_it(void **state)
{
	struct node_match match = {.ike = "home"};
	struct ike_conn *conn = home(ACTION_NONE);
	size_t count;

	node_load_conn(*state, conn, 0);
	fake_event(EVENT_IKE_DOWN, CAUSE_REAUTH, 1, conn, NULL);
	drain(*state);
	assert_int_equal(node_terminate(*state, &match, false, 0, &count), 0);
	assert_int_equal(count, 1);
	run_until(*state, 1000 * SECOND);
	assert_int_equal(fake.n_initiates, 0);
}

static void unloading_ends_what_a_start_action_began(void **state)
{
	struct ike_conn *conn = ike_conn_ref(home(ACTION_START));

	node_load_conn(*state, conn, 0);
	run_until(*state, 0);
	fake_sa_up(1, conn, 7, "net");
	assert_int_equal(node_unload_conn(*state, "home"), 0);
	assert_int_equal(fake.n_ended_child, 1);
	assert_int_equal(fake.ended_child[0], 7);
	assert_int_equal(node_unload_conn(*state, "home"), ERR_NOT_FOUND);
	ike_conn_unref(conn);
}

static void unique_chooses_between_two_sas_of_a_peer(void **state)
{
	static const struct {
		enum conn_unique unique;
		uint32_t ended; /* 0: none */
	} cases[] = {{UNIQUE_NO, 0}, {UNIQUE_NEVER, 0}, {UNIQUE_REPLACE, 1}, {UNIQUE_KEEP, 2}};
	static const struct identity us = {.type = ID_FQDN, .data = (uint8_t *)"us", .len = 2};
	static const struct identity peer = {.type = ID_FQDN, .data = (uint8_t *)"peer", .len = 4};
	struct ike_conn *conn = home(ACTION_NONE);
	size_t i, sa;

	node_load_conn(*state, conn, 0);
	fake_sa_up(1, conn, 0, NULL);
	fake_sa_up(2, conn, 0, NULL);
	for (sa = 0; sa < 2; sa++) {
		fake.sas[sa].ike.local_id = &us;
		fake.sas[sa].ike.remote_id = &peer;
	}
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		conn->unique = cases[i].unique;
		fake.n_ended_ike = 0;
		fake_event(EVENT_IKE_UP, CAUSE_NONE, 2, conn, NULL);
		drain(*state);
		assert_int_equal(fake.n_ended_ike, cases[i].ended != 0);
		if (cases[i].ended)
			assert_int_equal(fake.ended_ike[0], cases[i].ended);
	}
}

static void stopping_ends_everything_and_starts_nothing(void **state)
{
	struct ike_conn *conn = home(ACTION_START);
	struct err_msg msg;
	uint32_t id;

	conn->children[0].close_action = ACTION_START;
	node_load_conn(*state, conn, 0);
	run_until(*state, 0);
	fake_sa_up(1, conn, 7, "net");
	node_stop(*state, SECOND);
	assert_int_equal(fake.n_ended_ike, 1);
	fake_event(EVENT_CHILD_DOWN, CAUSE_PEER, 1, conn, "net");
	run_until(*state, 1000 * SECOND);
	assert_int_equal(fake.n_initiates, 1);
	assert_int_equal(node_initiate(*state, "home", NULL, SECOND, &id, &msg), ERR_STATE);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(start_action_initiates_once_when_loaded),
	    T(reload_does_not_initiate_what_is_up),
	    T(one_keying_try_is_given_up),
	    T(three_keying_tries_are_three_sequences),
	    T(keyingtries_0_never_gives_up),
	    T(tries_back_off_to_a_minute),
	    T(a_rekeyed_ike_sa_carries_the_attempt_on),
	    T(refusal_by_the_peer_is_final),
	    T(end_of_the_sa_is_no_refusal_of_the_child),
	    T(nor_is_its_end_by_lifetime),
	    T(expired_child_of_a_start_action_comes_back),
	    T(without_a_route_it_waits_for_one),
	    T(a_route_that_comes_is_used_at_once),
	    T(an_attempt_goes_on_from_the_new_address),
	    T(a_name_without_an_address_is_waited_for),
	    T(each_try_asks_for_the_address_anew),
	    T(a_responder_knows_a_named_peer_by_its_newest_address),
	    T(actions_follow_the_cause_of_the_end),
	    T(trap_asks_for_resolved_selectors_and_its_packet_initiates),
	    T(trap_for_a_name_waits_for_its_address),
	    T(interfaces_of_a_loaded_connection_are_asked_for),
	    T(initiate_prefers_configured_addresses),
	    T(initiate_says_what_is_wrong),
	    T(terminating_a_child_leaves_the_ike_sa),
	    T(terminating_ends_the_tries),
	    T(terminating_in_the_middle_of_reauthentication_ends_it),
	    T(unloading_ends_what_a_start_action_began),
	    T(unique_chooses_between_two_sas_of_a_peer),
	    T(stopping_ends_everything_and_starts_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
