/* test_control.c - the vici server: packets, the daemon, credentials, pools. The names and
 * values expected are those that strongSwan 5.9.8's charon sends, read off its socket. */
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

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

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
	cp_assert_has(cp_ask(&cp.a, "version", ""), "daemon = beetd\n");
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
		cp_assert_has(stats, fields[i]);
}

static void algorithms_are_listed_by_kind(void **state)
{
	const char *algs;

	(void)state;
	algs = cp_ask(&cp.a, "get-algorithms", "");
	cp_assert_has(algs, "aead.CHACHA20_POLY1305 = openssl\naead.AES_GCM_16 = openssl\n");
	cp_assert_has(algs, "encryption.AES_CBC = openssl\n");
	cp_assert_has(algs, "integrity.HMAC_SHA2_256_128 = openssl\n");
	cp_assert_has(algs, "prf.PRF_HMAC_SHA2_384 = openssl\n");
	cp_assert_has(algs, "dh.CURVE_25519 = openssl\n");
}

static void what_we_do_not_do_is_refused_with_a_reason(void **state)
{
	static const char *const commands[] = {"redirect", "install", "uninstall", "load-token"};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(commands); i++)
		cp_assert_has(cp_ask(&cp.a, commands[i], "child = x"), "success = no\nerrmsg = ");
	cp_assert_has(cp_ask(&cp.a, "rekey", "ike = x\nreauth = yes"),
		      "errmsg = no matching SAs to rekey found\n");
	assert_string_equal(cp_ask(&cp.a, "reload-settings", ""), CP_OK);
	assert_string_equal(cp_ask(&cp.a, "flush-certs", ""), CP_OK);
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
	assert_string_equal(cp_next(&cp.a), CP_OK);
	send_data("load-cert", "X509", "CA", "crypto/ca.pem");
	assert_string_equal(cp_next(&cp.a), CP_OK);
	send_data("load-cert", "X509", "CA", "crypto/vps.pem");
	cp_assert_has(cp_next(&cp.a), "errmsg = this is no CA certificate");
	send_data("load-cert", "X509_CRL", "NONE", "crypto/vps.pem");
	cp_assert_has(cp_next(&cp.a), "errmsg = certificates of type X509_CRL are not supported\n");
	send_data("load-cert", "X509", "NONE", "crypto/README");
	cp_assert_has(cp_next(&cp.a), "success = no\n");
	cp_register(&cp.a, "list-cert");
	cp_send(&cp.a, "list-certs", "flag = CA");
	cp_settle();
	text = cp_next(&cp.a);
	cp_assert_has(text, "EVENT list-cert\ntype = X509\nflag = CA\ndata = 0");
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
	assert_string_equal(cp_ask(&cp.a, "unload-key", lines), CP_OK);
	cp_assert_has(cp_ask(&cp.a, "unload-key", lines), "success = no\n");
	assert_string_equal(cp_ask(&cp.a, "get-keys", ""), "CMD_RESPONSE \nkeys = []\n");
	send_data("load-key", "rsa", NULL, "crypto/ed25519.pem");
	cp_assert_has(cp_next(&cp.a), "errmsg = this is no rsa key\n");
	cp_assert_has(cp_ask(&cp.a, "unload-key", "id = 12"), "errmsg = a key's id has 40");
}

static void shared_secrets_have_a_name_and_owners(void **state)
{
	(void)state;
	assert_string_equal(cp_ask(&cp.a, "load-shared",
				   "id = ike-1\ntype = ike\ndata = x\n[owners] a @b 10.0.0.1"),
			    CP_OK);
	assert_string_equal(cp_ask(&cp.a, "load-shared", "id = ike-1\ntype = ike\ndata = y"),
			    CP_OK);
	assert_string_equal(cp_ask(&cp.a, "get-shared", ""), "CMD_RESPONSE \nkeys = ike-1\n");
	cp_assert_has(cp_ask(&cp.a, "load-shared", "id = e\ntype = eap\ndata = x"),
		      "errmsg = secrets of type eap are not supported\n");
	cp_assert_has(cp_ask(&cp.a, "load-shared", "id = e\ntype = ike"),
		      "the command needs 'data'");
	assert_string_equal(cp_ask(&cp.a, "unload-shared", "id = ike-1"), CP_OK);
	cp_assert_has(cp_ask(&cp.a, "unload-shared", "id = ike-1"), "not found");
	assert_string_equal(cp_ask(&cp.a, "clear-creds", ""), CP_OK);
}

/* --- Pools and authorities --- */

static void pools_are_listed_with_their_size(void **state)
{
	(void)state;
	assert_string_equal(cp_ask(&cp.a, "load-pool", "ula {\naddrs = fdc0:beef:1::1/128\n}"),
			    CP_OK);
	assert_string_equal(cp_ask(&cp.a, "load-pool", "v4 {\naddrs = 10.0.0.10-10.0.1.9\n}"),
			    CP_OK);
	assert_string_equal(cp_ask(&cp.a, "load-pool", "big {\naddrs = fd00::/64\n}"), CP_OK);
	assert_string_equal(cp_ask(&cp.a, "get-pools", "name = v4\nleases = yes"),
			    "CMD_RESPONSE \nv4.base = 10.0.0.10\nv4.size = 256\nv4.online = 0\n"
			    "v4.offline = 0\nv4.leases {}\n");
	cp_assert_has(cp_ask(&cp.a, "get-pools", ""), "ula.base = fdc0:beef:1::1\nula.size = 1\n");
	cp_assert_has(cp_ask(&cp.a, "get-pools", ""), "big.size = 4294967295\n");
	assert_string_equal(cp_ask(&cp.a, "unload-pool", "name = v4"), CP_OK);
	cp_assert_has(cp_ask(&cp.a, "unload-pool", "name = v4"), "not found");
	cp_assert_has(cp_ask(&cp.a, "load-pool", "x {\n}"), "errmsg = pool 'x' has no addrs\n");
	cp_assert_has(cp_ask(&cp.a, "load-pool", "x {\naddrs = dynamic\n}"), "success = no\n");
	cp_assert_has(cp_ask(&cp.a, "load-pool", ""), "needs one section with a name");
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
	assert_string_equal(cp_next(&cp.a), CP_OK);
	assert_string_equal(cp_ask(&cp.a, "get-authorities", ""),
			    "CMD_RESPONSE \nauthorities = lab\n");
	cp_register(&cp.a, "list-authority");
	cp_send(&cp.a, "list-authorities", "");
	cp_settle();
	cp_assert_has(cp_next(&cp.a), "EVENT list-authority\nlab.cacert = ");
	assert_string_equal(cp_next(&cp.a), "CMD_RESPONSE \n");
	assert_string_equal(cp_ask(&cp.a, "unload-authority", "name = lab"), CP_OK);
	cp_assert_has(cp_ask(&cp.a, "unload-authority", "name = lab"), "not found");
	cp_assert_has(cp_ask(&cp.a, "load-authority", "x {\ncacert = junk\n}"),
		      "errmsg = cacert: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CP_CASE(unknown_commands_and_events_are_told_so),
	    CP_CASE(what_is_not_vici_ends_the_session),
	    CP_CASE(sessions_are_limited),
	    CP_CASE(version_and_stats_have_swanctls_fields),
	    CP_CASE(algorithms_are_listed_by_kind),
	    CP_CASE(what_we_do_not_do_is_refused_with_a_reason),
	    CP_CASE(certificates_are_loaded_and_listed),
	    CP_CASE(a_private_key_is_named_by_its_id),
	    CP_CASE(shared_secrets_have_a_name_and_owners),
	    CP_CASE(pools_are_listed_with_their_size),
	    CP_CASE(authorities_name_a_ca),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
