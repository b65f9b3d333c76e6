/* test_vici_option.c - the table of options: complete, right about defaults, consistent, and the
 * checks of values by type. data/swanctl-options.txt lists scope, name and default of what
 * swanctl.conf(5) of strongSwan 5.9.8 documents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "vpn/vici/option.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static enum option_scope scope_named(const char *name)
{
	static const char *const names[] = {"CONN", "LOCAL",	 "REMOTE", "CERT",   "CHILD",
					    "POOL", "AUTHORITY", "SHARED", "KEYFILE"};
	size_t i;

	for (i = 0; i < COUNT(names); i++)
		if (!strcmp(names[i], name))
			return (enum option_scope)i;
	fail_msg("scope %s", name);
	return OPTION_CONN;
}

/* Defaults that the manual gives in words stand for "none of our own". */
static bool is_computed(const char *def)
{
	return strchr(def, ' ') || !strcmp(def, "over_time") || !strcmp(def, "id") ||
	       !strcmp(def, "remote-id");
}

static void every_documented_option_is_in_the_table_with_its_default(void **state)
{
	const char *dir = getenv("TEST_DATA");
	char path[500], line[200], scope[20], name[40], def[100];
	const struct option *option;
	unsigned n = 0;
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/swanctl-options.txt", dir ? dir : "vpn/tests/data");
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		def[0] = '\0';
		assert_true(sscanf(line, "%19s %39s %99[^\n]", scope, name, def) >= 2);
		option = option_find(scope_named(scope), name);
		if (!option)
			fail_msg("%s %s is not in the table", scope, name);
		assert_string_equal(option->def, is_computed(def) ? "" : def);
		n++;
	}
	fclose(f);
	assert_true(n > 100);
}

static bool has_man_entry(const char *page, const char *name)
{
	size_t len = strlen(name);
	const char *at = page;

	while ((at = strstr(at, name))) {
		if (strchr(" \n.,;", at[len]) && strchr(" \n", at[-1]))
			return true;
		at += len;
	}
	return false;
}

static void the_manual_names_every_option(void **state)
{
	const char *dir = getenv("TEST_DATA");
	static char page[32768];
	char path[500];
	size_t i;
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/../../man/beetd-swanctl.conf.5",
		 dir ? dir : "vpn/tests/data");
	f = fopen(path, "r");
	assert_non_null(f);
	assert_true(fread(page, 1, sizeof(page) - 1, f) > 1000);
	fclose(f);
	for (i = 0; i < vici_option_count; i++) {
		if (vici_options[i].scope == OPTION_CERT || vici_options[i].scope >= OPTION_POOL)
			continue;
		if (!has_man_entry(page, vici_options[i].name))
			fail_msg("%s is not in the manual", vici_options[i].name);
	}
}

static void defaults_are_accepted_and_names_are_unique(void **state)
{
	const struct option *o;
	struct err_msg msg;
	bool harmless;
	size_t i;

	(void)state;
	for (i = 0; i < vici_option_count; i++) {
		o = &vici_options[i];
		assert_ptr_equal(option_find(o->scope, o->name), o);
		assert_int_equal(option_check(o, o->def, &harmless, &msg), 0);
		assert_false(harmless);
		if (o->type == OPT_WORD)
			assert_non_null(o->detail);
		if (o->status != OPTION_SUPPORTED)
			assert_non_null(o->detail);
	}
}

static const struct {
	enum option_scope scope;
	const char *name, *value;
	int err;
} checks[] = {
    {OPTION_CONN, "dpd_delay", "60s", 0},
    {OPTION_CONN, "dpd_delay", "soon", ERR_SYNTAX},
    {OPTION_CONN, "encap", "yes", 0},
    {OPTION_CONN, "encap", "ja", ERR_SYNTAX},
    {OPTION_CONN, "local_port", "65535", 0},
    {OPTION_CONN, "local_port", "65536", ERR_SYNTAX},
    {OPTION_CONN, "remote_addrs", "%any", 0},
    {OPTION_CONN, "remote_addrs", "10.0.0.1-10.0.0.9", 0},
    {OPTION_CONN, "remote_addrs", "vpn.example.org", 0},
    {OPTION_CONN, "remote_addrs", "10.0.0", ERR_SYNTAX},
    {OPTION_CONN, "remote_addrs", "10.0.0.1[tcp]", ERR_SYNTAX},
    {OPTION_CONN, "proposals", "aes256gcm16-prfsha384-ecp384", 0},
    {OPTION_CONN, "proposals", "aes256/sha1", ERR_SYNTAX},
    {OPTION_CONN, "keyingtries", "%forever", 0},
    {OPTION_CONN, "keyingtries", "-1", ERR_SYNTAX},
    {OPTION_CONN, "unique", "REPLACE", 0},
    {OPTION_CONN, "unique", "sometimes", ERR_SYNTAX},
    {OPTION_CONN, "dscp", "101010", ERR_UNSUPPORTED},
    {OPTION_CONN, "dscp", "2", ERR_SYNTAX},
    {OPTION_CONN, "aggressive", "false", 0},
    {OPTION_CONN, "aggressive", "yes", ERR_UNSUPPORTED},
    {OPTION_CONN, "vips", "0.0.0.0", ERR_UNSUPPORTED},
    {OPTION_LOCAL, "auth", "psk", 0},
    {OPTION_LOCAL, "auth", "any", ERR_UNSUPPORTED},
    {OPTION_REMOTE, "auth", "any", 0},
    {OPTION_REMOTE, "auth", "pubkey-sha256", ERR_UNSUPPORTED},
    {OPTION_REMOTE, "auth", "ike:rsa/pss-sha256", ERR_UNSUPPORTED},
    {OPTION_REMOTE, "auth", "xauth-pam", ERR_UNSUPPORTED},
    {OPTION_REMOTE, "revocation", "strict", ERR_UNSUPPORTED},
    {OPTION_CHILD, "mode", "beet", 0},
    {OPTION_CHILD, "mode", "drop", ERR_UNSUPPORTED},
    {OPTION_CHILD, "mode", "none", ERR_SYNTAX},
    {OPTION_CHILD, "start_action", "trap", 0},
    {OPTION_CHILD, "start_action", "trap|start", ERR_UNSUPPORTED},
    {OPTION_CHILD, "start_action", "route", ERR_SYNTAX},
    {OPTION_CHILD, "set_mark_in", "0x1/0xff", 0},
    {OPTION_CHILD, "set_mark_in", "%same", ERR_UNSUPPORTED},
    {OPTION_CHILD, "mark_in", "0", 0},
    {OPTION_CHILD, "mark_in", "1", ERR_UNSUPPORTED},
    {OPTION_CHILD, "if_id_in", "4294967295", 0},
    {OPTION_CHILD, "if_id_in", "%unique-dir", ERR_UNSUPPORTED},
    {OPTION_CHILD, "rekey_bytes", "1500M", 0},
    {OPTION_CHILD, "rekey_bytes", "1500X", ERR_SYNTAX},
    {OPTION_CHILD, "rekey_packets", "18446744073709551615", 0},
    {OPTION_CHILD, "replay_window", "4096", 0},
    {OPTION_CHILD, "replay_window", "4097", ERR_SYNTAX},
    {OPTION_CHILD, "tfc_padding", "mtu", 0},
    {OPTION_CHILD, "tfc_padding", "65535", ERR_SYNTAX},
    {OPTION_CHILD, "tcp_mss", "path", 0},
    {OPTION_CHILD, "tcp_mss", "1380", 0},
    {OPTION_CHILD, "tcp_mss", "on", ERR_SYNTAX},
    {OPTION_CHILD, "hw_offload", "auto", 0},
    {OPTION_CHILD, "hw_offload", "yes", ERR_UNSUPPORTED},
    {OPTION_CHILD, "local_ts", "fd00::/64[tcp/80-90]", 0},
    {OPTION_CHILD, "local_ts", "10.0.0.0/33", ERR_SYNTAX},
    {OPTION_POOL, "addrs", "10.0.0.1-10.0.0.9", 0},
    {OPTION_POOL, "addrs", "%any", ERR_SYNTAX},
};

static void values_are_checked_by_their_type(void **state)
{
	const struct option *o;
	struct err_msg msg;
	bool harmless;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(checks); i++) {
		o = option_find(checks[i].scope, checks[i].name);
		assert_non_null(o);
		if (option_check(o, checks[i].value, &harmless, &msg) != checks[i].err)
			fail_msg("%s = %s", checks[i].name, checks[i].value);
		if (checks[i].err)
			assert_memory_equal(msg.text, checks[i].name, strlen(checks[i].name));
	}
}

static void a_misspelt_name_finds_its_neighbour(void **state)
{
	(void)state;
	assert_string_equal(option_nearest(OPTION_CHILD, "locat_ts")->name, "local_ts");
	assert_string_equal(option_nearest(OPTION_CONN, "mobik")->name, "mobike");
	assert_null(option_nearest(OPTION_CONN, "something_else"));
	assert_null(option_find(OPTION_CONN, "local_ts"));
	assert_string_equal(option_find(OPTION_SHARED, "id-carol")->name, "id*");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_documented_option_is_in_the_table_with_its_default),
	    cmocka_unit_test(the_manual_names_every_option),
	    cmocka_unit_test(defaults_are_accepted_and_names_are_unique),
	    cmocka_unit_test(values_are_checked_by_their_type),
	    cmocka_unit_test(a_misspelt_name_finds_its_neighbour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
