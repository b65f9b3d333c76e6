/* test_explain_config.c - what `beetlab explain --config` says of a file alone: a file that is well
 * gives nothing, each change its finding; and proposals as a file writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "harness/explain/findings.h"
#include "vpn/crypto/alg.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A connection with further options of its own, of its local section, and of its child. */
#define FILE_OF(conn, local, child)                                                       \
	"connections {\nhome {\nversion = 2\nremote_addrs = 192.0.2.1\n" conn             \
	"\nlocal {\nid = gw.example.net\n" local "\n}\nremote {\nid = vps.example.net\n}" \
	"\nchildren {\nlan {\nlocal_ts = 10.1.0.0/16\nremote_ts = 10.2.0.0/16\n" child    \
	"\n}\n}\n}\n}\n"

static const struct {
	const char *text, *finding; /* "": none */
} files[] = {
    {FILE_OF("", "", ""), ""},
    {FILE_OF("version = 1", "", ""), "CFG-version"},
    {FILE_OF("", "", "rekey_time = 1h\nlife_time = 30m"), "CFG-lifetime"},
    {FILE_OF("", "", "life_time = 1h"), "CFG-lifetime"}, /* rekey_time is 1h by default */
    {FILE_OF("", "", "rekey_time = 30m\nlife_time = 1h"), ""},
    {FILE_OF("", "", "rekey_time = 0\nlife_time = 1h"), ""},
    {FILE_OF("", "", "}\nwan {\nlocal_ts = 10.1.0.0/16\nremote_ts = 10.2.0.0/16"), "CFG-twins"},
    {FILE_OF("", "", "}\nwan {\nlocal_ts = 10.1.0.0/16\nremote_ts = 10.3.0.0/16"), ""},
    {FILE_OF(
	 "", "",
	 "if_id_out = 1\n}\nwan {\nlocal_ts = 10.1.0.0/16\nremote_ts = 10.2.0.0/16\nif_id_out = "
	 "2"),
     ""},
    {FILE_OF("", "id = @192.0.2.7", ""), "CFG-address-id"},
    {FILE_OF("", "id = 192.0.2.7", ""), ""},
    {FILE_OF("", "id = @gw.example.net", ""), ""},
    {FILE_OF("", "", "start_action = start"), "CFG-return"},
    {FILE_OF("dpd_delay = 60s", "", "start_action = start"), "CFG-return"},
    {FILE_OF("dpd_delay = 60s", "", "start_action = start\ndpd_action = restart"), ""},
    {FILE_OF("", "", "start_action = start\ndpd_action = restart"), "CFG-return"},
    {FILE_OF("", "", "start_action = trap"), ""},
    {FILE_OF("", "", "mode = beet"), "CFG-beet"},
    {FILE_OF("", "", "mode = beet\nlocal_ts = 10.1.0.1/32\nremote_ts = 10.2.0.1"), ""},
    {FILE_OF("", "", "mode = beet\nlocal_ts = dynamic\nremote_ts = dynamic"), ""},
    {FILE_OF("", "", "local_ts = 10.2.0.0/16"), "CFG-self"},
    {FILE_OF("", "", "local_ts = 0.0.0.0/0\nremote_ts = 0.0.0.0/0"), ""},
    {FILE_OF("mobike = no\nencap = yes", "", ""), "S7"},
    {FILE_OF("mobike = no", "", ""), ""},
    {FILE_OF("encap = yes", "", ""), ""},
    {FILE_OF("", "", "esp_proposals = chacha20poly1305-sha384-curve25519"), "S8"},
    {FILE_OF("", "", "esp_proposals = aes128-sha256, aes256gcm16"), ""},
    {FILE_OF("", "", "esp_proposals = aes256gcm16-x25519"), ""},
};

/* Reads a text as a file. */
static int read_text(const char *text, struct config *ret_config, struct err_msg *msg)
{
	char path[] = "/tmp/beetlab-config-XXXXXX";
	int fd = mkstemp(path), err;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	err = config_read(path, ret_config, msg);
	unlink(path);
	return err;
}

static void expect(const char *text, const char *finding)
{
	struct config c;
	struct survey s = {.config = &c};
	struct err_msg msg = {{0}};
	struct findings f;

	if (read_text(text, &c, &msg))
		fail_msg("%s", msg.text);
	assert_int_equal(findings_find(&s, &f), 0);
	if (f.n != (*finding ? 1 : 0) || (f.n && strcmp(f.v[0].rule->id, finding) != 0))
		fail_msg("%s: %s in place of '%s'", text, f.n ? f.v[0].rule->id : "nothing",
			 finding);
	if (f.n)
		assert_true(f.v[0].n_evidence && f.v[0].evidence[0].file &&
			    f.v[0].evidence[0].line);
	findings_free(&f);
	config_free(&c);
}

static void a_file_gives_its_finding_with_the_line(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(files); i++)
		expect(files[i].text, files[i].finding);
}

static void a_broken_file_is_told_with_its_line(void **state)
{
	struct err_msg msg = {{0}};
	struct config c;

	(void)state;
	assert_int_equal(read_text("connections {\n", &c, &msg), ERR_SYNTAX);
	assert_non_null(strstr(msg.text, "/tmp/beetlab-config-"));
	assert_true(config_read("/nonexistent/swanctl.conf", &c, &msg) < 0);
}

static void a_file_that_no_daemon_takes_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
	    {FILE_OF("versoin = 2", "", ""), ":5: unknown option 'versoin' (did you mean 'version"},
	    {FILE_OF("", "idd = gw", ""), ":8: unknown option 'idd'"},
	    {FILE_OF("", "", "local_tss = 10.0.0.0/8"), ":17: unknown option 'local_tss'"},
	    {FILE_OF("dpd_delay = soon", "", ""), ":5: dpd_delay = soon"},
	    {FILE_OF("childs {\n}", "", ""), ":5: unknown section 'childs'"},
	    {"", "there is no connection in it"},
	    {"secrets {\n}\n", "there is no connection in it"},
	};
	struct err_msg msg;
	struct config c;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		msg.text[0] = 0;
		assert_int_equal(read_text(cases[i].text, &c, &msg), ERR_SYNTAX);
		if (!strstr(msg.text, cases[i].says))
			fail_msg("'%s' in place of '%s'", msg.text, cases[i].says);
	}
	/* Another daemon's. */
	assert_int_equal(read_text(FILE_OF("vips = 0.0.0.0", "", "policies = no"), &c, &msg), 0);
	config_free(&c);
}

static const struct {
	const char *list;
	size_t i;
	uint8_t protocol;
	bool there, whole;
	uint8_t n_transforms;
} proposals[] = {
    {"aes128-sha256-x25519", 0, PROTOCOL_IKE, true, true, 4}, /* the hash is PRF, too */
    {"aes128-sha256-x25519", 0, PROTOCOL_ESP, true, true, 3},
    {"aes128gcm16-sha256-x25519", 0, PROTOCOL_ESP, true, true, 2},
    {"aes128gcm16-prfsha256-x25519", 0, PROTOCOL_IKE, true, true, 3},
    {"aes128gcm16 , chacha20poly1305", 1, PROTOCOL_ESP, true, true, 1},
    {"aes128gcm16", 1, PROTOCOL_ESP, false, false, 0},
    {"aes128gcm16-noesn", 0, PROTOCOL_ESP, true, true, 1},
    {"default", 0, PROTOCOL_ESP, true, false, 0},
    {"3des-sha1-modp1024", 0, PROTOCOL_IKE, true, false, 0},
    {"", 0, PROTOCOL_ESP, false, false, 0},
};

static void a_proposal_is_read_as_the_daemons_read_it(void **state)
{
	struct proposal p;
	bool whole;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(proposals); i++) {
		p.n_transforms = 0;
		whole = false;
		assert_int_equal(config_proposal(proposals[i].list, proposals[i].i,
						 proposals[i].protocol, &p, &whole),
				 proposals[i].there);
		assert_int_equal(whole, proposals[i].whole);
		if (whole && p.n_transforms != proposals[i].n_transforms)
			fail_msg("%s: %u transforms", proposals[i].list, p.n_transforms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_file_gives_its_finding_with_the_line),
	    cmocka_unit_test(a_broken_file_is_told_with_its_line),
	    cmocka_unit_test(a_file_that_no_daemon_takes_is_refused_with_its_line),
	    cmocka_unit_test(a_proposal_is_read_as_the_daemons_read_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
