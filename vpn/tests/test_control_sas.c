/* test_control_sas.c - the vici server over two real nodes: SAs begun, listed and ended, commands
 * that wait, events, counters. The names and values expected are those that strongSwan 5.9.8's
 * charon sends, read off its socket. */
#include "vpn/tests/control_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/*	A                                       B
 *	client: initiate net
 *	IKE_SA_INIT                    ----->
 *	                               <-----
 *	IKE_AUTH                       ----->
 *	                               <-----
 *	control-log ..., then success           */
static void initiate_streams_its_log_and_ends_when_the_child_is_up(void **state)
{
	const char *text;
	unsigned logs = 0;

	(void)state;
	cp_load_pair();
	cp_register(&cp.a, "control-log");
	cp_send(&cp.a, "initiate", "child = net\nike = home\ntimeout = 5000\nloglevel = 1");
	cp_settle();
	for (text = cp_next(&cp.a); !strncmp(text, "EVENT control-log\n", 18);
	     text = cp_next(&cp.a)) {
		cp_assert_has(text, "group = ");
		cp_assert_has(text, "level = ");
		cp_assert_has(text, "ikesa-name = home\nikesa-uniqueid = 1\nmsg = ");
		logs++;
	}
	assert_true(logs >= 3);
	assert_string_equal(text, CP_OK);
	assert_string_equal(cp_next(&cp.a), "");
}

static void bring_up(void)
{
	cp_load_pair();
	assert_string_equal(cp_ask(&cp.a, "initiate", "child = net"), CP_OK);
}

static void list_sas_has_strongswans_fields(void **state)
{
	static const char *const fields[] = {
	    "EVENT list-sa\nhome.uniqueid = 1\nhome.version = 2\nhome.state = ESTABLISHED\n"
	    "home.local-host = 192.0.2.1\nhome.local-port = 4500\n",
	    "home.remote-host = 192.0.2.2\nhome.remote-port = 4500\n",
	    "home.initiator = yes\nhome.initiator-spi = ",
	    "home.prf-alg = ",
	    "home.dh-group = ",
	    "home.established = 7\nhome.rekey-time = ",
	    "home.child-sas.net-1.name = net\nhome.child-sas.net-1.uniqueid = 1\n"
	    "home.child-sas.net-1.reqid = 1\nhome.child-sas.net-1.state = INSTALLED\n"
	    "home.child-sas.net-1.mode = TUNNEL\nhome.child-sas.net-1.protocol = ESP\n"
	    "home.child-sas.net-1.spi-in = ",
	    "encr-alg = AES_GCM_16\nhome.child-sas.net-1.encr-keysize = 128\n"
	    "home.child-sas.net-1.bytes-in = 0\nhome.child-sas.net-1.packets-in = 0\n",
	    "install-time = 7\nhome.child-sas.net-1.local-ts = 10.1.0.0/16\n"
	    "home.child-sas.net-1.remote-ts = 10.2.0.0/16\n"};
	const char *text;
	size_t i;

	(void)state;
	bring_up();
	cp.now += 7 * CP_SECOND;
	cp_register(&cp.a, "list-sa");
	cp_send(&cp.a, "list-sas", "noblock = yes");
	cp_settle();
	text = cp_next(&cp.a);
	for (i = 0; i < COUNT(fields); i++)
		cp_assert_has(text, fields[i]);
	cp_assert_has_not(text, "nat-");
	cp_assert_has_not(text, "if-id");
	assert_string_equal(cp_next(&cp.a), "CMD_RESPONSE \n");
}

static void list_sas_selects(void **state)
{
	static const struct {
		const char *lines;
		bool found;
	} cases[] = {{"ike = home", true},   {"ike = other", false},  {"ike-id = 1", true},
		     {"ike-id = 2", false},  {"child = net", true},   {"child = other", false},
		     {"child-id = 1", true}, {"child-id = 9", false}, {"", true}};
	size_t i;

	(void)state;
	bring_up();
	cp_register(&cp.a, "list-sa");
	for (i = 0; i < COUNT(cases); i++) {
		cp_send(&cp.a, "list-sas", cases[i].lines);
		cp_settle();
		if (cases[i].found)
			cp_assert_has(cp_next(&cp.a), "EVENT list-sa\nhome.uniqueid = 1\n");
		assert_string_equal(cp_next(&cp.a), "CMD_RESPONSE \n");
	}
	cp_assert_has(cp_ask(&cp.a, "list-sas", "ike-id = one"), "success = no\n");
}

static void updown_events_come_to_who_registered(void **state)
{
	const char *text;

	(void)state;
	cp_load_pair();
	cp_register(&cp.b, "ike-updown");
	cp_register(&cp.b, "child-updown");
	assert_string_equal(cp_ask(&cp.a, "initiate", "child = net"), CP_OK);
	text = cp_next(&cp.b);
	cp_assert_has(text, "EVENT ike-updown\nup = yes\nhome.uniqueid = 1\n");
	cp_assert_has_not(text, "child-sas");
	text = cp_next(&cp.b);
	cp_assert_has(text, "EVENT child-updown\nup = yes\nhome.uniqueid = 1\n");
	cp_assert_has(text, "home.child-sas.net-1.name = net\n");
	cp_assert_has(cp_ask(&cp.a, "terminate", "ike = home"), "success = yes\n");
	cp_assert_has_not(cp_next(&cp.b), "up = yes"); /* child-updown */
	cp_assert_has_not(cp_next(&cp.b), "up = yes"); /* ike-updown */
	assert_string_equal(cp_next(&cp.b), "");
}

static void terminate_ends_when_all_is_gone(void **state)
{
	struct ike_sa_info ike;

	(void)state;
	bring_up();
	assert_string_equal(cp_ask(&cp.a, "terminate", "child = net\ntimeout = 2000"),
			    CP_OK "matches = 1\nterminated = 1\n");
	assert_true(node_ike_sa(cp.a.node, 0, &ike));
	assert_string_equal(cp_ask(&cp.a, "terminate", "ike = home"),
			    CP_OK "matches = 1\nterminated = 1\n");
	assert_false(node_ike_sa(cp.a.node, 0, &ike));
	assert_string_equal(cp_ask(&cp.a, "terminate", "ike = home"),
			    "CMD_RESPONSE \nsuccess = no\n"
			    "errmsg = no matching SAs to terminate found\nmatches = 0\n");
	cp_assert_has(cp_ask(&cp.a, "terminate", ""), "errmsg = missing terminate selector\n");
}

/* An SA that was rekeyed is still there while its deletion is not acknowledged, and then goes
 * without an event. */
static void terminate_that_crosses_a_rekeying_is_answered(void **state)
{
	(void)state;
	bring_up();
	cp.lose = 3; /* CREATE_CHILD_SA, its answer, then the deletion of the old SA */
	cp_assert_has(cp_ask(&cp.a, "rekey", "ike = home"), "matches = 1\n");
	assert_int_equal(cp.lose, 0);
	cp_send(&cp.a, "terminate", "ike = home");
	cp_settle();
	assert_string_equal(cp_next(&cp.a), "");
	cp_run(10);
	assert_string_equal(cp_next(&cp.a), CP_OK "matches = 2\nterminated = 2\n");
}

static void force_does_not_wait(void **state)
{
	(void)state;
	bring_up();
	cp.cut = true;
	cp_assert_has(cp_ask(&cp.a, "terminate", "ike-id = 1\nforce = yes"), "success = yes\n");
}

static void rekeyed_sas_are_told_with_their_forebears(void **state)
{
	const char *text;

	(void)state;
	bring_up();
	cp_register(&cp.a, "child-rekey");
	cp_register(&cp.a, "ike-rekey");
	cp_send(&cp.a, "rekey", "child = net");
	cp_settle();
	assert_string_equal(cp_next(&cp.a), CP_OK "matches = 1\n");
	text = cp_next(&cp.a);
	cp_assert_has(text, "EVENT child-rekey\nhome.uniqueid = 1\n");
	cp_assert_has(text, "home.child-sas.net.old.uniqueid = 1\n");
	cp_assert_has(text, "home.child-sas.net.new.uniqueid = 2\n");
	cp_run(1);
	cp_send(&cp.a, "rekey", "ike = home");
	cp_settle();
	assert_string_equal(cp_next(&cp.a), CP_OK "matches = 1\n");
	text = cp_next(&cp.a);
	cp_assert_has(text, "EVENT ike-rekey\nhome.old.uniqueid = 1\n");
	cp_assert_has(text, "home.new.uniqueid = 2\n");
	cp_assert_has(cp_ask(&cp.a, "get-counters", ""), "child-rekey = 1\n");
	cp_assert_has(cp_ask(&cp.a, "rekey", "ike = nobody"),
		      "errmsg = no matching SAs to rekey found\n");
	cp_assert_has(cp_ask(&cp.a, "rekey", ""), "errmsg = missing rekey selector\n");
}

/* strongSwan's ike-update: the new endpoints in front, the SA behind. */
static void new_endpoints_are_told(void **state)
{
	const char *text;

	(void)state;
	bring_up();
	cp_register(&cp.a, "ike-update");
	assert_int_equal(ip_addr_parse("192.0.2.77", &cp.a.addr), 0);
	node_network_changed(cp.a.node, cp.now);
	cp_run(1);
	text = cp_next(&cp.a);
	cp_assert_has(text, "EVENT ike-update\nlocal-host = 192.0.2.77\nlocal-port = 4500\n"
			    "remote-host = 192.0.2.2\nremote-port = 4500\nhome.uniqueid = 1\n");
}

/* --- Waiting --- */

static void a_timeout_ends_the_waiting_not_the_attempt(void **state)
{
	struct ike_sa_info ike;

	(void)state;
	cp_load_pair();
	cp.cut = true;
	cp_send(&cp.a, "initiate", "child = net\ntimeout = 3000");
	cp_run(2);
	assert_string_equal(cp_next(&cp.a), "");
	cp_run(2);
	assert_string_equal(cp_next(&cp.a),
			    "CMD_RESPONSE \nsuccess = no\n"
			    "errmsg = CHILD_SA 'net' not established after 3000 ms\n");
	assert_true(node_ike_sa(cp.a.node, 0, &ike));
}

/* Whoever loads a connection and initiates it at once is faster than the DNS. */
static void initiate_waits_for_the_look_up_of_a_name(void **state)
{
	static const struct {
		const char *lines;
		int answer;
		const char *says;
	} cases[] = {
	    {"child = net", 0, CP_OK},
	    {"ike = home", 0, CP_OK},
	    {"child = net\ntimeout = -1", 0, CP_OK},
	    {"child = net", ERR_NOT_FOUND,
	     "CMD_RESPONSE \nsuccess = no\n"
	     "errmsg = connection home: no address of b.example.org is known\n"},
	    {"child = net\ntimeout = 2000", ERR_AGAIN,
	     "CMD_RESPONSE \nsuccess = no\n"
	     "errmsg = CHILD_SA 'net' not established after 2000 ms\n"},
	};
	struct ike_sa_info ike;
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		cp.dns = ERR_AGAIN;
		cp_load_named_pair();
		/* who does not wait for the SA is not kept by a peer that is silent */
		cp.cut = strstr(cases[i].lines, "timeout = -1") != NULL;
		cp_send(&cp.a, "initiate", cases[i].lines);
		cp_run(1);
		assert_string_equal(cp_next(&cp.a), "");
		assert_false(node_ike_sa(cp.a.node, 0, &ike));
		cp.dns = cases[i].answer;
		cp_run(2);
		assert_string_equal(cp_next(&cp.a), cases[i].says);
		assert_int_equal(node_ike_sa(cp.a.node, 0, &ike), cases[i].answer == 0);
		assert_int_equal(cp_teardown(state), 0);
		assert_int_equal(cp_setup(state), 0);
	}
}

static void timeout_minus_one_does_not_wait(void **state)
{
	(void)state;
	cp_load_pair();
	cp.cut = true;
	assert_string_equal(cp_ask(&cp.a, "initiate", "child = net\ntimeout = -1"), CP_OK);
}

static void a_failure_is_the_answer(void **state)
{
	(void)state;
	cp_load_pair();
	assert_string_equal(cp_ask(&cp.b, "load-shared", "id = psk\ntype = IKE\ndata = other"),
			    CP_OK);
	cp_assert_has(cp_ask(&cp.a, "initiate", "child = net"),
		      "success = no\nerrmsg = establishing CHILD_SA 'net' failed: ");
	cp_assert_has(cp_ask(&cp.a, "initiate", "child = nope"),
		      "errmsg = no child configuration 'nope'\n");
	cp_assert_has(cp_ask(&cp.a, "initiate", ""), "errmsg = missing configuration name\n");
	cp_assert_has(cp_ask(&cp.a, "initiate", "child = net\ntimeout = soon"), "success = no\n");
}

static void commands_behind_a_waiting_one_wait_their_turn(void **state)
{
	(void)state;
	cp_load_pair();
	cp.cut = true;
	cp_send(&cp.a, "initiate", "child = net\ntimeout = 1000");
	cp_send(&cp.a, "version", "");
	cp_settle();
	assert_string_equal(cp_next(&cp.a), "");
	cp_run(1);
	cp_assert_has(cp_next(&cp.a), "success = no\n");
	cp_assert_has(cp_next(&cp.a), "daemon = beetd\n");
}

static void a_client_that_leaves_while_waiting_is_forgotten(void **state)
{
	(void)state;
	cp_load_pair();
	cp.cut = true;
	cp_send(&cp.a, "initiate", "child = net\ntimeout = 1000");
	control_session_free(cp.a.client);
	cp.a.client = control_session_new(cp.a.control);
	cp_run(5);
	assert_string_equal(cp_next(&cp.a), "");
}

/* --- Events and counters --- */

static void the_log_goes_to_who_registered_and_may_be_lost(void **state)
{
	struct ike_action a = {.type = IKE_ACTION_LOG};
	char text[1000];
	size_t i, before;

	(void)state;
	cp_register(&cp.a, "log");
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	a.log = (struct ike_log){.group = LOG_NET, .level = 1, .text = text};
	for (i = 0; i < 2 * CONTROL_OUT_LOSSY / sizeof(text); i++)
		control_action(cp.a.control, &a, cp.now);
	before = control_session_output(cp.a.client).len;
	assert_in_range(before, CONTROL_OUT_LOSSY, CONTROL_OUT_LOSSY + 2000);
	assert_false(control_session_failed(cp.a.client));
	control_session_sent(cp.a.client, before);
	a.log.text = "short";
	a.log.level = 2; /* not for clients */
	control_action(cp.a.control, &a, cp.now);
	assert_int_equal(control_session_output(cp.a.client).len, 0);
	a.log.level = 0;
	control_action(cp.a.control, &a, cp.now);
	cp_settle();
	assert_string_equal(cp_next(&cp.a),
			    "EVENT log\ngroup = NET\nlevel = 0\nthread = 1\nmsg = short\n");
}

static void every_event_of_the_engine_is_there_for_who_wants_it(void **state)
{
	const char *text;
	bool ike_up = false, child_up = false;

	(void)state;
	cp_load_pair();
	cp_register(&cp.b, "beetd-event");
	assert_string_equal(cp_ask(&cp.a, "initiate", "child = net"), CP_OK);
	for (text = cp_next(&cp.b); *text; text = cp_next(&cp.b)) {
		cp_assert_has(text, "EVENT beetd-event\nevent = ");
		cp_assert_has(text, "\ntext = ");
		ike_up |= strstr(text, "event = ike-up\nike = home\nike-id = 1\n") != NULL;
		child_up |= strstr(text, "event = child-up\nike = home\nike-id = 1\n"
					 "child = net\nchild-id = 1\n") != NULL;
	}
	assert_true(ike_up && child_up);
}

static void counters_count_messages_by_exchange(void **state)
{
	const char *text;

	(void)state;
	bring_up();
	text = cp_ask(&cp.a, "get-counters", "");
	cp_assert_has(text, "counters..ike-init-in-req = 0\ncounters..ike-init-in-resp = 1\n"
			    "counters..ike-init-out-req = 1\ncounters..ike-init-out-resp = 0\n");
	cp_assert_has(text, "counters..ike-auth-out-req = 1\n");
	cp_assert_has(text, "counters..info-in-req = 0\n");
	cp_assert_has(text, "success = yes\n");
	assert_string_equal(cp_ask(&cp.a, "reset-counters", ""), CP_OK);
	cp_assert_has(cp_ask(&cp.a, "get-counters", ""), "counters..ike-auth-out-req = 0\n");
	cp_assert_has(cp_ask(&cp.a, "get-counters", "all = yes"), "success = no\n");
}

static bool list_conns_has(const char *text)
{
	bool has;

	cp_send(&cp.a, "list-conns", "");
	cp_settle();
	has = strstr(cp_next(&cp.a), text) != NULL;
	assert_string_equal(cp_next(&cp.a), "CMD_RESPONSE \n");
	return has;
}

static void a_failure_is_remembered_until_it_works(void **state)
{
	(void)state;
	cp_load_pair();
	cp_register(&cp.a, "list-conn");
	assert_false(list_conns_has("last-failure"));
	assert_string_equal(cp_ask(&cp.b, "load-shared", "id = psk\ntype = IKE\ndata = other"),
			    CP_OK);
	cp_assert_has(cp_ask(&cp.a, "initiate", "child = net"), "success = no\n");
	assert_true(list_conns_has("home.last-failure-notify = 24\n"));
	cp_load_pair();
	assert_string_equal(cp_ask(&cp.a, "initiate", "child = net"), CP_OK);
	assert_false(list_conns_has("last-failure"));
}

static void what_is_ended_by_command_is_no_failure(void **state)
{
	(void)state;
	cp_load_pair();
	cp_register(&cp.a, "list-conn");
	cp.cut = true;
	cp_ask(&cp.a, "initiate", "child = net\ntimeout = -1");
	cp_ask(&cp.a, "terminate", "ike = home\nforce = yes");
	assert_false(list_conns_has("last-failure"));
}

static void drops_stand_beside_the_counters(void **state)
{
	(void)state;
	cp_assert_has(cp_ask(&cp.a, "get-counters", ""), "drops.no-sa = 3\ndrops.icv = 0\n");
}
int main(void)
{
	const struct CMUnitTest tests[] = {
	    CP_CASE(initiate_streams_its_log_and_ends_when_the_child_is_up),
	    CP_CASE(list_sas_has_strongswans_fields),
	    CP_CASE(list_sas_selects),
	    CP_CASE(updown_events_come_to_who_registered),
	    CP_CASE(terminate_ends_when_all_is_gone),
	    CP_CASE(terminate_that_crosses_a_rekeying_is_answered),
	    CP_CASE(force_does_not_wait),
	    CP_CASE(rekeyed_sas_are_told_with_their_forebears),
	    CP_CASE(new_endpoints_are_told),
	    CP_CASE(a_timeout_ends_the_waiting_not_the_attempt),
	    CP_CASE(initiate_waits_for_the_look_up_of_a_name),
	    CP_CASE(timeout_minus_one_does_not_wait),
	    CP_CASE(a_failure_is_the_answer),
	    CP_CASE(commands_behind_a_waiting_one_wait_their_turn),
	    CP_CASE(a_client_that_leaves_while_waiting_is_forgotten),
	    CP_CASE(the_log_goes_to_who_registered_and_may_be_lost),
	    CP_CASE(every_event_of_the_engine_is_there_for_who_wants_it),
	    CP_CASE(counters_count_messages_by_exchange),
	    CP_CASE(a_failure_is_remembered_until_it_works),
	    CP_CASE(what_is_ended_by_command_is_no_failure),
	    CP_CASE(drops_stand_beside_the_counters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
