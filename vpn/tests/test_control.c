/* test_control.c - the vici server: packets, commands, events, waiting, over two real nodes. The
 * names and values expected are those that strongSwan 5.9.8's charon sends, read off its socket. */
#include "vpn/tests/control_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "vpn/tests/datafile.h"

#define OK	 "CMD_RESPONSE \nsuccess = yes\n"
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, cp_setup, cp_teardown)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in:\n%s", part, text);
}

static void assert_has_not(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("'%s' is in:\n%s", part, text);
}

/* --- Packets --- */

static void unknown_commands_and_events_are_told_so(void **state)
{
	static const uint8_t event[] = "\0\0\0\x07\x03\x05never";

	(void)state;
	assert_string_equal(cp_ask(&cp.a, "frobnicate", ""), "CMD_UNKNOWN \n");
	assert_int_equal(
	    control_session_input(cp.a.client, (struct view){event, sizeof(event) - 1}, cp.now), 0);
	cp_settle();
	assert_string_equal(cp_next(&cp.a), "EVENT_UNKNOWN \n");
}

static void what_is_not_vici_ends_the_session(void **state)
{
	static const struct view bad[] = {
	    {(const uint8_t *)"\xff\xff\xff\xff", 4}, /* a frame that is too long */
	    {(const uint8_t *)"\0\0\0\x01\x09", 5},   /* no such packet type */
	    {(const uint8_t *)"\0\0\0\x01\x01", 5},   /* what only a server sends */
	    {(const uint8_t *)"\0\0\0\x08\0\x05stats\x02",
	     12}, /* a section ends that never began */
	};
	struct control_session *s;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++) {
		s = control_session_new(cp.a.control);
		assert_int_not_equal(control_session_input(s, bad[i], cp.now), 0);
		assert_true(control_session_failed(s));
		control_session_free(s);
	}
	assert_has(cp_ask(&cp.a, "version", ""), "daemon = beetd\n");
}

static void sessions_are_limited(void **state)
{
	struct control_session *s[CONTROL_SESSIONS_MAX];
	size_t i, n = 0;

	(void)state;
	while (n < CONTROL_SESSIONS_MAX && (s[n] = control_session_new(cp.a.control)))
		n++;
	assert_int_equal(n, CONTROL_SESSIONS_MAX - 1); /* and the fixture's */
	for (i = 0; i < n; i++)
		control_session_free(s[i]);
	assert_non_null(control_session_new(cp.a.control));
}

/* --- Commands about the daemon --- */

static void version_and_stats_have_swanctls_fields(void **state)
{
	static const char *const fields[] = {"uptime.running = 2 minutes\n",
					     "uptime.since = Jan 01 00:00:01 2026\n",
					     "workers.active.critical = 0\n",
					     "queues.low = 0\n",
					     "scheduled = 0\n",
					     "ikesas.total = 0\n",
					     "ikesas.half-open = 0\n",
					     "plugins = beetd\n"};
	const char *stats;
	size_t i;

	(void)state;
	assert_string_equal(cp_ask(&cp.a, "version", ""),
			    "CMD_RESPONSE \ndaemon = beetd\nversion = 1.2.3\nsysname = Linux\n"
			    "release = 6.1\nmachine = x86_64\n");
	cp.now += 150 * CP_SECOND;
	stats = cp_ask(&cp.a, "stats", "");
	for (i = 0; i < COUNT(fields); i++)
		assert_has(stats, fields[i]);
}

static void algorithms_are_listed_by_kind(void **state)
{
	const char *algs;

	(void)state;
	algs = cp_ask(&cp.a, "get-algorithms", "");
	assert_has(algs, "aead.CHACHA20_POLY1305 = openssl\naead.AES_GCM_16 = openssl\n");
	assert_has(algs, "encryption.AES_CBC = openssl\n");
	assert_has(algs, "integrity.HMAC_SHA2_256_128 = openssl\n");
	assert_has(algs, "prf.PRF_HMAC_SHA2_384 = openssl\n");
	assert_has(algs, "dh.CURVE_25519 = openssl\n");
}

static void what_we_do_not_do_is_refused_with_a_reason(void **state)
{
	static const char *const commands[] = {"redirect", "install", "uninstall", "load-token"};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(commands); i++)
		assert_has(cp_ask(&cp.a, commands[i], "child = x"), "success = no\nerrmsg = ");
	assert_has(cp_ask(&cp.a, "rekey", "ike = x\nreauth = yes"),
		   "errmsg = no matching SAs to rekey found\n");
	assert_string_equal(cp_ask(&cp.a, "reload-settings", ""), OK);
	assert_string_equal(cp_ask(&cp.a, "flush-certs", ""), OK);
}

/* --- Credentials --- */

static void send_data(const char *command, const char *type, const char *flag, const char *file)
{
	uint8_t buf[DATAFILE_MAX];
	struct view data = datafile(file, buf), frame;
	struct vici_writer v = {0};

	vici_begin(&v, VICI_CMD_REQUEST, command);
	vici_value_str(&v, "type", type);
	if (flag)
		vici_value_str(&v, "flag", flag);
	vici_value(&v, "data", data.p, data.len);
	assert_int_equal(vici_finish(&v, &frame), 0);
	assert_int_equal(control_session_input(cp.a.client, frame, cp.now), 0);
	vici_writer_free(&v);
	cp_settle();
}

static void certificates_are_loaded_and_listed(void **state)
{
	const char *text;

	(void)state;
	send_data("load-cert", "X509", "NONE", "crypto/vps.pem");
	assert_string_equal(cp_next(&cp.a), OK);
	send_data("load-cert", "X509", "CA", "crypto/ca.pem");
	assert_string_equal(cp_next(&cp.a), OK);
	send_data("load-cert", "X509", "CA", "crypto/vps.pem");
	assert_has(cp_next(&cp.a), "errmsg = this is no CA certificate");
	send_data("load-cert", "X509_CRL", "NONE", "crypto/vps.pem");
	assert_has(cp_next(&cp.a), "errmsg = certificates of type X509_CRL are not supported\n");
	send_data("load-cert", "X509", "NONE", "crypto/README");
	assert_has(cp_next(&cp.a), "success = no\n");
	cp_register(&cp.a, "list-cert");
	cp_send(&cp.a, "list-certs", "flag = CA");
	cp_settle();
	text = cp_next(&cp.a);
	assert_has(text, "EVENT list-cert\ntype = X509\nflag = CA\ndata = 0");
	assert_string_equal(cp_next(&cp.a), "CMD_RESPONSE \n");
}

static void a_private_key_is_named_by_its_id(void **state)
{
	char id[41], lines[60], keys[200];
	const char *text;

	(void)state;
	send_data("load-key", "any", NULL, "crypto/ed25519.pem");
	text = cp_next(&cp.a);
	assert_int_equal(sscanf(text, "CMD_RESPONSE \nsuccess = yes\nid = %40[0-9a-f]", id), 1);
	assert_int_equal(strlen(id), 40);
	snprintf(keys, sizeof(keys), "CMD_RESPONSE \nkeys = %s\n", id);
	assert_string_equal(cp_ask(&cp.a, "get-keys", ""), keys);
	snprintf(lines, sizeof(lines), "id = %s", id);
	assert_string_equal(cp_ask(&cp.a, "unload-key", lines), OK);
	assert_has(cp_ask(&cp.a, "unload-key", lines), "success = no\n");
	assert_string_equal(cp_ask(&cp.a, "get-keys", ""), "CMD_RESPONSE \nkeys = []\n");
	send_data("load-key", "rsa", NULL, "crypto/ed25519.pem");
	assert_has(cp_next(&cp.a), "errmsg = this is no rsa key\n");
	assert_has(cp_ask(&cp.a, "unload-key", "id = 12"), "errmsg = a key's id has 40");
}

static void shared_secrets_have_a_name_and_owners(void **state)
{
	(void)state;
	assert_string_equal(cp_ask(&cp.a, "load-shared",
				   "id = ike-1\ntype = ike\ndata = x\n[owners] a @b 10.0.0.1"),
			    OK);
	assert_string_equal(cp_ask(&cp.a, "load-shared", "id = ike-1\ntype = ike\ndata = y"), OK);
	assert_string_equal(cp_ask(&cp.a, "get-shared", ""), "CMD_RESPONSE \nkeys = ike-1\n");
	assert_has(cp_ask(&cp.a, "load-shared", "id = e\ntype = eap\ndata = x"),
		   "errmsg = secrets of type eap are not supported\n");
	assert_has(cp_ask(&cp.a, "load-shared", "id = e\ntype = ike"), "the command needs 'data'");
	assert_string_equal(cp_ask(&cp.a, "unload-shared", "id = ike-1"), OK);
	assert_has(cp_ask(&cp.a, "unload-shared", "id = ike-1"), "not found");
	assert_string_equal(cp_ask(&cp.a, "clear-creds", ""), OK);
}

/* --- Pools and authorities --- */

static void pools_are_listed_with_their_size(void **state)
{
	(void)state;
	assert_string_equal(cp_ask(&cp.a, "load-pool", "ula {\naddrs = fdc0:beef:1::1/128\n}"), OK);
	assert_string_equal(cp_ask(&cp.a, "load-pool", "v4 {\naddrs = 10.0.0.10-10.0.1.9\n}"), OK);
	assert_string_equal(cp_ask(&cp.a, "load-pool", "big {\naddrs = fd00::/64\n}"), OK);
	assert_string_equal(cp_ask(&cp.a, "get-pools", "name = v4\nleases = yes"),
			    "CMD_RESPONSE \nv4.base = 10.0.0.10\nv4.size = 256\nv4.online = 0\n"
			    "v4.offline = 0\nv4.leases {}\n");
	assert_has(cp_ask(&cp.a, "get-pools", ""), "ula.base = fdc0:beef:1::1\nula.size = 1\n");
	assert_has(cp_ask(&cp.a, "get-pools", ""), "big.size = 4294967295\n");
	assert_string_equal(cp_ask(&cp.a, "unload-pool", "name = v4"), OK);
	assert_has(cp_ask(&cp.a, "unload-pool", "name = v4"), "not found");
	assert_has(cp_ask(&cp.a, "load-pool", "x {\n}"), "errmsg = pool 'x' has no addrs\n");
	assert_has(cp_ask(&cp.a, "load-pool", "x {\naddrs = dynamic\n}"), "success = no\n");
	assert_has(cp_ask(&cp.a, "load-pool", ""), "needs one section with a name");
}

static void authorities_name_a_ca(void **state)
{
	uint8_t buf[DATAFILE_MAX];
	struct view pem = datafile("crypto/ca.pem", buf), frame;
	struct vici_writer v = {0};

	(void)state;
	vici_begin(&v, VICI_CMD_REQUEST, "load-authority");
	vici_section(&v, "lab");
	vici_value(&v, "cacert", pem.p, pem.len);
	vici_section_end(&v);
	assert_int_equal(vici_finish(&v, &frame), 0);
	assert_int_equal(control_session_input(cp.a.client, frame, cp.now), 0);
	vici_writer_free(&v);
	cp_settle();
	assert_string_equal(cp_next(&cp.a), OK);
	assert_string_equal(cp_ask(&cp.a, "get-authorities", ""),
			    "CMD_RESPONSE \nauthorities = lab\n");
	cp_register(&cp.a, "list-authority");
	cp_send(&cp.a, "list-authorities", "");
	cp_settle();
	assert_has(cp_next(&cp.a), "EVENT list-authority\nlab.cacert = ");
	assert_string_equal(cp_next(&cp.a), "CMD_RESPONSE \n");
	assert_string_equal(cp_ask(&cp.a, "unload-authority", "name = lab"), OK);
	assert_has(cp_ask(&cp.a, "unload-authority", "name = lab"), "not found");
	assert_has(cp_ask(&cp.a, "load-authority", "x {\ncacert = junk\n}"), "errmsg = cacert: ");
}

/* --- SAs --- */

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
		assert_has(text, "group = ");
		assert_has(text, "level = ");
		assert_has(text, "ikesa-name = home\nikesa-uniqueid = 1\nmsg = ");
		logs++;
	}
	assert_true(logs >= 3);
	assert_string_equal(text, OK);
	assert_string_equal(cp_next(&cp.a), "");
}

static void bring_up(void)
{
	cp_load_pair();
	assert_string_equal(cp_ask(&cp.a, "initiate", "child = net"), OK);
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
		assert_has(text, fields[i]);
	assert_has_not(text, "nat-");
	assert_has_not(text, "if-id");
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
			assert_has(cp_next(&cp.a), "EVENT list-sa\nhome.uniqueid = 1\n");
		assert_string_equal(cp_next(&cp.a), "CMD_RESPONSE \n");
	}
	assert_has(cp_ask(&cp.a, "list-sas", "ike-id = one"), "success = no\n");
}

static void updown_events_come_to_who_registered(void **state)
{
	const char *text;

	(void)state;
	cp_load_pair();
	cp_register(&cp.b, "ike-updown");
	cp_register(&cp.b, "child-updown");
	assert_string_equal(cp_ask(&cp.a, "initiate", "child = net"), OK);
	text = cp_next(&cp.b);
	assert_has(text, "EVENT ike-updown\nup = yes\nhome.uniqueid = 1\n");
	assert_has_not(text, "child-sas");
	text = cp_next(&cp.b);
	assert_has(text, "EVENT child-updown\nup = yes\nhome.uniqueid = 1\n");
	assert_has(text, "home.child-sas.net-1.name = net\n");
	assert_has(cp_ask(&cp.a, "terminate", "ike = home"), "success = yes\n");
	assert_has_not(cp_next(&cp.b), "up = yes"); /* child-updown */
	assert_has_not(cp_next(&cp.b), "up = yes"); /* ike-updown */
	assert_string_equal(cp_next(&cp.b), "");
}

static void terminate_ends_when_all_is_gone(void **state)
{
	struct ike_sa_info ike;

	(void)state;
	bring_up();
	assert_string_equal(cp_ask(&cp.a, "terminate", "child = net\ntimeout = 2000"),
			    OK "matches = 1\nterminated = 1\n");
	assert_true(node_ike_sa(cp.a.node, 0, &ike));
	assert_string_equal(cp_ask(&cp.a, "terminate", "ike = home"),
			    OK "matches = 1\nterminated = 1\n");
	assert_false(node_ike_sa(cp.a.node, 0, &ike));
	assert_string_equal(cp_ask(&cp.a, "terminate", "ike = home"),
			    "CMD_RESPONSE \nsuccess = no\n"
			    "errmsg = no matching SAs to terminate found\nmatches = 0\n");
	assert_has(cp_ask(&cp.a, "terminate", ""), "errmsg = missing terminate selector\n");
}

/* An SA that was rekeyed is still there while its deletion is not acknowledged, and then goes
 * without an event. */
static void terminate_that_crosses_a_rekeying_is_answered(void **state)
{
	(void)state;
	bring_up();
	cp.lose = 3; /* CREATE_CHILD_SA, its answer, then the deletion of the old SA */
	assert_has(cp_ask(&cp.a, "rekey", "ike = home"), "matches = 1\n");
	assert_int_equal(cp.lose, 0);
	cp_send(&cp.a, "terminate", "ike = home");
	cp_settle();
	assert_string_equal(cp_next(&cp.a), "");
	cp_run(10);
	assert_string_equal(cp_next(&cp.a), OK "matches = 2\nterminated = 2\n");
}

static void force_does_not_wait(void **state)
{
	(void)state;
	bring_up();
	cp.cut = true;
	assert_has(cp_ask(&cp.a, "terminate", "ike-id = 1\nforce = yes"), "success = yes\n");
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
	assert_string_equal(cp_next(&cp.a), OK "matches = 1\n");
	text = cp_next(&cp.a);
	assert_has(text, "EVENT child-rekey\nhome.uniqueid = 1\n");
	assert_has(text, "home.child-sas.net.old.uniqueid = 1\n");
	assert_has(text, "home.child-sas.net.new.uniqueid = 2\n");
	cp_run(1);
	cp_send(&cp.a, "rekey", "ike = home");
	cp_settle();
	assert_string_equal(cp_next(&cp.a), OK "matches = 1\n");
	text = cp_next(&cp.a);
	assert_has(text, "EVENT ike-rekey\nhome.old.uniqueid = 1\n");
	assert_has(text, "home.new.uniqueid = 2\n");
	assert_has(cp_ask(&cp.a, "get-counters", ""), "child-rekey = 1\n");
	assert_has(cp_ask(&cp.a, "rekey", "ike = nobody"),
		   "errmsg = no matching SAs to rekey found\n");
	assert_has(cp_ask(&cp.a, "rekey", ""), "errmsg = missing rekey selector\n");
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
	assert_has(text, "EVENT ike-update\nlocal-host = 192.0.2.77\nlocal-port = 4500\n"
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
	    {"child = net", 0, OK},
	    {"ike = home", 0, OK},
	    {"child = net\ntimeout = -1", 0, OK},
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
	assert_string_equal(cp_ask(&cp.a, "initiate", "child = net\ntimeout = -1"), OK);
}

static void a_failure_is_the_answer(void **state)
{
	(void)state;
	cp_load_pair();
	assert_string_equal(cp_ask(&cp.b, "load-shared", "id = psk\ntype = IKE\ndata = other"), OK);
	assert_has(cp_ask(&cp.a, "initiate", "child = net"),
		   "success = no\nerrmsg = establishing CHILD_SA 'net' failed: ");
	assert_has(cp_ask(&cp.a, "initiate", "child = nope"),
		   "errmsg = no child configuration 'nope'\n");
	assert_has(cp_ask(&cp.a, "initiate", ""), "errmsg = missing configuration name\n");
	assert_has(cp_ask(&cp.a, "initiate", "child = net\ntimeout = soon"), "success = no\n");
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
	assert_has(cp_next(&cp.a), "success = no\n");
	assert_has(cp_next(&cp.a), "daemon = beetd\n");
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
	assert_string_equal(cp_ask(&cp.a, "initiate", "child = net"), OK);
	for (text = cp_next(&cp.b); *text; text = cp_next(&cp.b)) {
		assert_has(text, "EVENT beetd-event\nevent = ");
		assert_has(text, "\ntext = ");
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
	assert_has(text, "counters..ike-init-in-req = 0\ncounters..ike-init-in-resp = 1\n"
			 "counters..ike-init-out-req = 1\ncounters..ike-init-out-resp = 0\n");
	assert_has(text, "counters..ike-auth-out-req = 1\n");
	assert_has(text, "counters..info-in-req = 0\n");
	assert_has(text, "success = yes\n");
	assert_string_equal(cp_ask(&cp.a, "reset-counters", ""), OK);
	assert_has(cp_ask(&cp.a, "get-counters", ""), "counters..ike-auth-out-req = 0\n");
	assert_has(cp_ask(&cp.a, "get-counters", "all = yes"), "success = no\n");
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
	assert_string_equal(cp_ask(&cp.b, "load-shared", "id = psk\ntype = IKE\ndata = other"), OK);
	assert_has(cp_ask(&cp.a, "initiate", "child = net"), "success = no\n");
	assert_true(list_conns_has("home.last-failure-notify = 24\n"));
	cp_load_pair();
	assert_string_equal(cp_ask(&cp.a, "initiate", "child = net"), OK);
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
	assert_has(cp_ask(&cp.a, "get-counters", ""), "drops.no-sa = 3\ndrops.icv = 0\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(unknown_commands_and_events_are_told_so),
	    CASE(what_is_not_vici_ends_the_session),
	    CASE(sessions_are_limited),
	    CASE(version_and_stats_have_swanctls_fields),
	    CASE(algorithms_are_listed_by_kind),
	    CASE(what_we_do_not_do_is_refused_with_a_reason),
	    CASE(certificates_are_loaded_and_listed),
	    CASE(a_private_key_is_named_by_its_id),
	    CASE(shared_secrets_have_a_name_and_owners),
	    CASE(pools_are_listed_with_their_size),
	    CASE(authorities_name_a_ca),
	    CASE(initiate_streams_its_log_and_ends_when_the_child_is_up),
	    CASE(list_sas_has_strongswans_fields),
	    CASE(list_sas_selects),
	    CASE(updown_events_come_to_who_registered),
	    CASE(terminate_ends_when_all_is_gone),
	    CASE(terminate_that_crosses_a_rekeying_is_answered),
	    CASE(force_does_not_wait),
	    CASE(rekeyed_sas_are_told_with_their_forebears),
	    CASE(new_endpoints_are_told),
	    CASE(a_timeout_ends_the_waiting_not_the_attempt),
	    CASE(initiate_waits_for_the_look_up_of_a_name),
	    CASE(timeout_minus_one_does_not_wait),
	    CASE(a_failure_is_the_answer),
	    CASE(commands_behind_a_waiting_one_wait_their_turn),
	    CASE(a_client_that_leaves_while_waiting_is_forgotten),
	    CASE(the_log_goes_to_who_registered_and_may_be_lost),
	    CASE(every_event_of_the_engine_is_there_for_who_wants_it),
	    CASE(counters_count_messages_by_exchange),
	    CASE(drops_stand_beside_the_counters),
	    CASE(a_failure_is_remembered_until_it_works),
	    CASE(what_is_ended_by_command_is_no_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
