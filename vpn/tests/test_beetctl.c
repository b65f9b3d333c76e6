/* test_beetctl.c - the program itself: its command line, output, exit codes and files.
 *
 * beetctl runs as a process; the daemon that it talks to is the control protocol over two real
 * nodes (control_pair.h) behind a socket, served by a thread of this test. When nothing comes for a
 * moment, virtual time passes by a second, so that waiting commands end. */
#include "vpn/tests/control_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "vpn/crypto/pki.h"
#include "vpn/tests/datafile.h"

#define CASE(fn)   cmocka_unit_test_setup_teardown(fn, setup, teardown)
#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))
#define OUT_MAX	   65536
#define QUIET_MS   20
#define PASSPHRASE "secret" /* data/crypto/README */

static struct {
	char dir[64];
	int listener, stop[2];
	pthread_t thread;
	char out[OUT_MAX];
} t;

/* --- The daemon --- */

static void flush(struct control_session *s, int fd)
{
	struct view out = control_session_output(s);
	ssize_t n;

	while (out.len) {
		n = send(fd, out.p, out.len, MSG_NOSIGNAL);
		if (n < 0)
			return;
		control_session_sent(s, (size_t)n);
		out = control_session_output(s);
	}
}

static void serve_client(int fd)
{
	struct control_session *s = control_session_new(cp.a.control);
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	uint8_t buf[65536];
	ssize_t n;

	for (;;) {
		if (!poll(&pfd, 1, QUIET_MS)) {
			cp_run(1);
		} else {
			n = read(fd, buf, sizeof(buf));
			if (n <= 0 ||
			    control_session_input(s, (struct view){buf, (size_t)n}, cp.now))
				break;
			cp_settle();
		}
		flush(s, fd);
	}
	control_session_free(s);
	close(fd);
}

static void *serve(void *arg)
{
	struct pollfd pfds[] = {{.fd = t.listener, .events = POLLIN},
				{.fd = t.stop[0], .events = POLLIN}};

	(void)arg;
	while (poll(pfds, 2, -1) > 0 && !pfds[1].revents)
		serve_client(accept(t.listener, NULL, NULL));
	return NULL;
}

static int setup(void **state)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};

	cp_setup(state);
	strcpy(t.dir, "/tmp/test-beetctl-XXXXXX");
	assert_non_null(mkdtemp(t.dir));
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/sock", t.dir);
	t.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(t.listener, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(t.listener, 4), 0);
	assert_int_equal(pipe(t.stop), 0);
	assert_int_equal(pthread_create(&t.thread, NULL, serve, NULL), 0);
	return 0;
}

static int teardown(void **state)
{
	char command[100];

	assert_int_equal(write(t.stop[1], "x", 1), 1);
	pthread_join(t.thread, NULL);
	close(t.listener);
	close(t.stop[0]);
	close(t.stop[1]);
	snprintf(command, sizeof(command), "rm -r %s", t.dir);
	assert_int_equal(system(command), 0);
	return cp_teardown(state);
}

/* --- Running it --- */

/* The exit code; what it printed to both outputs is in t.out. */
static int __attribute__((format(printf, 1, 2))) beetctl(const char *fmt, ...)
{
	char args[600], command[1200];
	size_t len;
	va_list ap;
	FILE *f;

	va_start(ap, fmt);
	vsnprintf(args, sizeof(args), fmt, ap);
	va_end(ap);
	snprintf(command, sizeof(command), "SWANCTL_DIR=%s exec %s %s 2>&1", t.dir,
		 getenv("BEETCTL"), args);
	f = popen(command, "r");
	assert_non_null(f);
	len = fread(t.out, 1, OUT_MAX - 1, f);
	t.out[len] = '\0';
	return WEXITSTATUS(pclose(f));
}

#define beetctl_at(fmt, ...) beetctl(fmt " --uri unix://%s/sock", ##__VA_ARGS__, t.dir)

static void assert_shows(const char *part)
{
	if (!strstr(t.out, part))
		fail_msg("'%s' is not in:\n%s", part, t.out);
}

static void assert_shows_not(const char *part)
{
	if (strstr(t.out, part))
		fail_msg("'%s' is in:\n%s", part, t.out);
}

static void write_file(const char *name, const char *text, size_t len)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", t.dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void write_conf(const char *text)
{
	write_file("swanctl.conf", text, strlen(text));
}

/* --- The command line --- */

static void wrong_command_lines_are_usage_errors(void **state)
{
	static const struct {
		const char *args, *says;
	} cases[] = {{"", "no command"},
		     {"frob", "unknown command 'frob'"},
		     {"--frob", "unknown option '--frob'"},
		     {"-Z", "unknown command '-Z'"},
		     {"list-sas --trap", "unknown option '--trap'"},
		     {"list-sas -Z", "unknown option '-Z'"},
		     {"list-sas home", "unexpected argument 'home'"},
		     {"up a b", "unexpected argument 'b'"},
		     {"list-sas --ike", "a value is missing for 'ike'"},
		     {"list-sas --json=yes", "no value belongs to 'json'"},
		     {"keygen", "keygen: of which name?"},
		     {"keygen ../x", "keygen ../x: letters"},
		     {"keygen x --days 0", "--days 0: expected"}};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		assert_int_equal(beetctl("%s", cases[i].args), 2);
		assert_shows(cases[i].says);
	}
	assert_int_equal(beetctl_at("up"), 2);
	assert_int_equal(beetctl_at("up x --timeout soon"), 2);
	assert_int_equal(beetctl_at("explain"), 2);
	assert_int_equal(beetctl_at("explain home --watch soon"), 2);
}

static void help_is_there_for_all_and_for_each(void **state)
{
	(void)state;
	assert_int_equal(beetctl("--help"), 0);
	assert_shows("-l, list-sas, status");
	assert_int_equal(beetctl("load --help"), 0);
	assert_shows("-y, --dry-run");
	assert_shows_not("--child");
	assert_int_equal(beetctl("explain --help"), 0);
	assert_shows("beetctl explain CONNECTION [OPTION]");
	assert_int_equal(beetctl("--version"), 0);
	assert_shows("beetctl ");
}

static void all_forms_of_a_command_are_the_same(void **state)
{
	static const char *const forms[] = {"--version --daemon", "-v -d", "version -d"};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(forms); i++) {
		assert_int_equal(beetctl_at("%s", forms[i]), 0);
		assert_string_equal(t.out, "beetd 1.2.3 (Linux, 6.1, x86_64)\n");
	}
}

static void a_missing_daemon_has_an_exit_code_of_its_own(void **state)
{
	(void)state;
	assert_int_equal(beetctl("list-sas --uri unix:///nonexistent/sock"), 3);
	assert_shows("cannot connect to '/nonexistent/sock'");
	assert_int_equal(beetctl("list-sas --uri http://x"), 3);
}

/* --- Loading --- */

static void a_bad_configuration_loads_nothing(void **state)
{
	(void)state;
	write_conf("connections {\n good {\n }\n bad {\n  frob = 1\n  encap = perhaps\n }\n}\n");
	assert_int_equal(beetctl_at("load"), 4);
	assert_shows("swanctl.conf:5: unknown option 'frob'\n");
	assert_shows("swanctl.conf:6: encap = perhaps: expected yes or no\n");
	assert_int_equal(beetctl_at("load-conns --file /nonexistent.conf"), 4);
	assert_int_equal(beetctl_at("list-conns"), 0);
	assert_string_equal(t.out, "");
}

static void load_all_loads_and_unloads(void **state)
{
	(void)state;
	assert_int_equal(beetctl("keygen vps"), 0);
	write_conf("connections {\n home {\n  local {\n   certs = vps-cert.pem\n  }\n }\n }\n"
		   "secrets {\n ike-1 {\n  secret = x\n }\n}\n"
		   "pools {\n p {\n  addrs = 10.0.0.0/24\n }\n}\n");
	assert_int_equal(beetctl_at("load --dry-run"), 0);
	assert_shows("5 messages would be sent\n");
	assert_int_equal(beetctl_at("--load-all"), 0);
	assert_shows("loaded secret 'ike-1'\nloaded pool 'p'\nloaded connection 'home'\n"
		     "5 loaded, 0 failed, 0 unloaded\n");
	assert_int_equal(beetctl_at("list-certs"), 0);
	assert_shows("  subject:  \"C=FR, O=inetdoc.net, CN=vps\"\n");
	assert_shows("ED25519 256 bits, has private key\n");
	write_conf("");
	assert_int_equal(beetctl_at("load-conns"), 0);
	assert_shows("unloaded connection 'home'\n0 loaded, 0 failed, 1 unloaded\n");
	assert_int_equal(beetctl_at("load-creds"), 0);
	assert_shows("unloaded secret 'ike-1'\n");
	assert_int_equal(beetctl_at("load-pools"), 0);
	assert_shows("unloaded pool 'p'\n");
}

static void what_the_daemon_refuses_is_named_with_its_place(void **state)
{
	(void)state;
	write_conf("connections {\n a {\n }\n\n b {\n  proposals = aes256-frob\n }\n}\n");
	assert_int_equal(beetctl_at("load"), 1);
	assert_shows("load connection 'b' failed: ");
	assert_shows("swanctl.conf:5: proposals = aes256-frob: ");
	assert_shows("1 loaded, 1 failed, 0 unloaded\n");
}

static void an_encrypted_key_needs_its_passphrase(void **state)
{
	uint8_t buf[DATAFILE_MAX];
	struct view key = datafile("crypto/ed25519-encrypted.pem", buf);
	char path[100];

	(void)state;
	snprintf(path, sizeof(path), "%s/private", t.dir);
	assert_int_equal(mkdir(path, 0700), 0);
	write_file("private/k.pem", (const char *)key.p, key.len);
	write_conf("");
	assert_int_equal(beetctl_at("load-creds"), 1);
	assert_shows("encrypted, and secrets have no passphrase for it\n");
	write_conf("secrets { private-k { file = k.pem\n secret = wrong\n } }");
	assert_int_equal(beetctl_at("load-creds"), 1);
	write_conf("secrets { private-k { file = k.pem\n secret = \"" PASSPHRASE "\"\n } }");
	assert_int_equal(beetctl_at("load-creds"), 0);
	assert_shows("1 loaded, 0 failed, 0 unloaded\n");
}

/* --- SAs --- */

static void load_psk(void)
{
	write_conf("connections { home { remote_addrs = 192.0.2.2\n"
		   " local { auth = psk\n }\n remote { auth = psk\n }\n"
		   " children { net { local_ts = 10.1.0.0/16\n remote_ts = 10.2.0.0/16\n"
		   "  esp_proposals = aes128gcm16\n } } } }\n"
		   "secrets { ike { secret = secret\n } }\n");
	assert_int_equal(beetctl_at("load"), 0);
}

static void up_shows_the_log_and_status_the_sa(void **state)
{
	(void)state;
	load_psk();
	assert_int_equal(beetctl_at("up net --timeout 60"), 1); /* the other end knows nobody */
	assert_shows("[IKE] ");
	assert_shows("beetctl: initiate: establishing CHILD_SA 'net' failed: ");
	assert_int_equal(beetctl_at("up nope"), 1);
	assert_shows("beetctl: initiate: no child configuration 'nope'\n");
	assert_int_equal(beetctl_at("down net"), 1);
	assert_shows("no matching SAs to terminate found");
}

static void an_established_sa_is_shown_in_swanctls_layout(void **state)
{
	(void)state;
	assert_int_equal(beetctl_at("up net"), 0);
	assert_shows("initiate completed successfully\n");
	assert_int_equal(beetctl_at("status"), 0);
	assert_shows("home: #1, ESTABLISHED, IKEv2, ");
	assert_shows(
	    "  local  '192.0.2.1' @ 192.0.2.1[4500]\n  remote '192.0.2.2' @ 192.0.2.2[4500]\n");
	assert_shows("  net: #1, reqid 1, INSTALLED, TUNNEL, ESP:AES_GCM_16-128\n");
	assert_shows("    in  ");
	assert_shows(",      0 bytes,     0 packets\n");
	assert_shows("    local  10.1.0.0/16\n    remote 10.2.0.0/16\n");
	assert_int_equal(beetctl_at("list-conns"), 0);
	assert_shows("home: IKEv2, no reauthentication, rekeying every 14400s\n"
		     "  local:  %any\n  remote: 192.0.2.2\n"
		     "  local pre-shared key authentication:\n"
		     "  remote pre-shared key authentication:\n"
		     "  net: TUNNEL, rekeying every 3600s\n"
		     "    local:  10.1.0.0/16\n    remote: 10.2.0.0/16\n");
	assert_int_equal(beetctl_at("down net"), 0);
	assert_shows("terminate completed successfully\n");
}

static int setup_loaded(void **state)
{
	setup(state);
	cp_load_pair(); /* before the thread has anything to do */
	return 0;
}

static void explain_names_what_is_loaded(void **state)
{
	(void)state;
	assert_int_equal(beetctl_at("explain nope"), 2);
	assert_shows("no connection 'nope' is loaded; there are: home");
	assert_int_equal(beetctl_at("explain net"), 2);
	assert_shows("'net' is a child of home: beetctl explain home");
	/* What it finds on this machine is its own business: that it says so is not. */
	assert_in_range(beetctl_at("explain home"), 0, 1);
	assert_shows("home with beetd 1.2.3: no IKE SA, 0 of 1 children up");
}

/* --- JSON --- */

static json_t *parse_output(void)
{
	json_error_t error;
	json_t *json = json_loads(t.out, 0, &error);

	if (!json)
		fail_msg("%s in:\n%s", error.text, t.out);
	return json;
}

static void json_is_json_everywhere(void **state)
{
	static const char *const commands[] = {
	    "list-sas",	  "list-conns",	 "list-certs", "list-pols",
	    "list-pools", "list-algs",	 "stats",      "list-authorities",
	    "counters",	  "version",	 "load",       "up net",
	    "version -d", "flush-certs", "down net",   "reload-settings"};
	size_t i;

	(void)state;
	write_conf("");
	for (i = 0; i < COUNT(commands); i++) {
		assert_int_equal(beetctl_at("%s --json", commands[i]), 0);
		json_decref(parse_output());
		if (!strcmp(commands[i], "load"))
			load_psk();
	}
}

static void list_sas_as_json_has_the_daemons_fields(void **state)
{
	json_t *json, *sa, *child;

	(void)state;
	assert_int_equal(beetctl_at("up net"), 0);
	assert_int_equal(beetctl_at("list-sas --json"), 0);
	json = parse_output();
	sa = json_object_get(json_array_get(json, 0), "home");
	assert_string_equal(json_string_value(json_object_get(sa, "state")), "ESTABLISHED");
	child = json_object_get(json_object_get(sa, "child-sas"), "net-1");
	assert_string_equal(json_string_value(json_object_get(child, "mode")), "TUNNEL");
	assert_string_equal(
	    json_string_value(json_array_get(json_object_get(child, "remote-ts"), 0)),
	    "10.2.0.0/16");
	json_decref(json);
}

/* --- keygen --- */

static mode_t mode_of(const char *name)
{
	char path[200];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", t.dir, name);
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static size_t read_file(const char *name, uint8_t *buf, size_t cap)
{
	char path[200];
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", t.dir, name);
	f = fopen(path, "r");
	assert_non_null(f);
	len = fread(buf, 1, cap, f);
	fclose(f);
	return len;
}

static void keygen_makes_what_the_seed_documents_script_makes(void **state)
{
	uint8_t key_pem[4096], cert_pem[4096];
	struct identity san;
	struct privkey *key;
	struct cert *cert;
	size_t n;
	char dn[IDENTITY_STRLEN];

	(void)state;
	assert_int_equal(beetctl("keygen lab-gw"), 0);
	assert_int_equal(mode_of("private/lab-gw-key.pem"), 0400);
	assert_int_equal(mode_of("x509/lab-gw-cert.pem"), 0600);
	n = read_file("private/lab-gw-key.pem", key_pem, sizeof(key_pem));
	assert_int_equal(privkey_load((struct view){key_pem, n}, NULL, &key, NULL), 0);
	assert_int_equal(privkey_type(key), KEY_ED25519);
	n = read_file("x509/lab-gw-cert.pem", cert_pem, sizeof(cert_pem));
	assert_int_equal(cert_load((struct view){cert_pem, n}, &cert, NULL), 0);
	assert_true(cert_matches_key(cert, key));
	assert_string_equal(identity_format(cert_subject(cert), dn, sizeof(dn)),
			    "C=FR, O=inetdoc.net, CN=lab-gw");
	assert_int_equal(identity_parse("lab-gw.inetdoc.net", &san, NULL), 0);
	assert_true(cert_has_identity(cert, &san));
	assert_int_equal(cert_not_after(cert) - cert_not_before(cert), INT64_C(3652) * 86400);
	assert_true(cert_is_self_signed(cert));
	assert_false(cert_is_ca(cert));
	identity_clear(&san);
	cert_unref(cert);
	privkey_unref(key);
}

static void keygen_keeps_a_key_and_takes_options(void **state)
{
	uint8_t first[4096], second[4096], pem[4096];
	struct identity san;
	struct cert *cert;
	size_t n;

	(void)state;
	assert_int_equal(beetctl("keygen x"), 0);
	assert_shows("x-key.pem: made\n");
	n = read_file("private/x-key.pem", first, sizeof(first));
	assert_int_equal(beetctl("keygen x --dn CN=other --san a.example --san 10.0.0.1 --days 1"),
			 0);
	assert_shows("x-key.pem: kept\n");
	assert_int_equal(read_file("private/x-key.pem", second, sizeof(second)), n);
	assert_memory_equal(first, second, n);
	n = read_file("x509/x-cert.pem", pem, sizeof(pem));
	assert_int_equal(cert_load((struct view){pem, n}, &cert, NULL), 0);
	assert_int_equal(cert_san_count(cert), 2);
	assert_int_equal(identity_parse("10.0.0.1", &san, NULL), 0);
	assert_true(cert_has_identity(cert, &san));
	assert_int_equal(cert_not_after(cert) - cert_not_before(cert), 86400);
	identity_clear(&san);
	cert_unref(cert);
}

static void keygen_fails_without_leaving_anything(void **state)
{
	char path[100];

	(void)state;
	assert_int_equal(beetctl("keygen x --dir /proc/nonexistent"), 1);
	assert_int_equal(beetctl("keygen x --dn 'not a dn'"), 1);
	snprintf(path, sizeof(path), "%s/x509/x-cert.pem", t.dir);
	assert_int_not_equal(access(path, F_OK), 0);
	write_file("private/y-key.pem", "junk", 4);
	assert_int_equal(beetctl("keygen y"), 1);
	assert_shows("y-key.pem: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(wrong_command_lines_are_usage_errors),
	    CASE(help_is_there_for_all_and_for_each),
	    CASE(all_forms_of_a_command_are_the_same),
	    CASE(a_missing_daemon_has_an_exit_code_of_its_own),
	    CASE(a_bad_configuration_loads_nothing),
	    CASE(load_all_loads_and_unloads),
	    CASE(what_the_daemon_refuses_is_named_with_its_place),
	    CASE(an_encrypted_key_needs_its_passphrase),
	    CASE(up_shows_the_log_and_status_the_sa),
	    cmocka_unit_test_setup_teardown(an_established_sa_is_shown_in_swanctls_layout,
					    setup_loaded, teardown),
	    cmocka_unit_test_setup_teardown(explain_names_what_is_loaded, setup_loaded, teardown),
	    cmocka_unit_test_setup_teardown(json_is_json_everywhere, setup_loaded, teardown),
	    cmocka_unit_test_setup_teardown(list_sas_as_json_has_the_daemons_fields, setup_loaded,
					    teardown),
	    CASE(keygen_makes_what_the_seed_documents_script_makes),
	    CASE(keygen_keeps_a_key_and_takes_options),
	    CASE(keygen_fails_without_leaving_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
