/* test_creds.c - which shared secret is used for whom. */
#include "vpn/node/creds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "vpn/base/err.h"

static void add(struct creds *creds, const char *uid, const char *const *owners, const char *secret)
{
	struct identity ids[4] = {0};
	struct view view = {(const uint8_t *)secret, strlen(secret)};
	size_t i, n = 0;

	for (; owners[n]; n++)
		assert_int_equal(identity_parse(owners[n], &ids[n], NULL), 0);
	assert_int_equal(creds_add_shared(creds, uid, ids, n, view), 0);
	for (i = 0; i < n; i++)
		identity_clear(&ids[i]);
}

#define OWNERS(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

/* The secret for this pair as text, "" if there is none. */
static const char *lookup(const struct creds *creds, const char *local, const char *remote)
{
	static char text[32];
	struct identity l, r;
	const struct shared *s;

	assert_int_equal(identity_parse(local, &l, NULL), 0);
	assert_int_equal(identity_parse(remote, &r, NULL), 0);
	s = creds_find_shared(creds, &l, &r);
	snprintf(text, sizeof(text), "%.*s", s ? (int)s->len : 0, s ? (const char *)s->secret : "");
	identity_clear(&l);
	identity_clear(&r);
	return text;
}

static void exact_owners_beat_wildcards_and_anybody(void **state)
{
	struct creds creds = {0};

	(void)state;
	add(&creds, "a", OWNERS(), "anybody");
	add(&creds, "b", OWNERS("%any"), "any");
	add(&creds, "c", OWNERS("*.example.org"), "wildcard");
	add(&creds, "d", OWNERS("vps.example.org", "gw.example.org"), "exact");
	assert_string_equal(lookup(&creds, "vps.example.org", "gw.example.org"), "exact");
	assert_string_equal(lookup(&creds, "vps.example.org", "x.example.org"), "wildcard");
	assert_string_equal(lookup(&creds, "a@b.net", "192.0.2.7"), "anybody");
	creds_clear(&creds);
}

static void the_peers_identity_counts_more_than_ours(void **state)
{
	struct creds creds = {0};

	(void)state;
	add(&creds, "ours", OWNERS("vps.example.org"), "ours");
	add(&creds, "theirs", OWNERS("gw.example.org"), "theirs");
	assert_string_equal(lookup(&creds, "vps.example.org", "gw.example.org"), "theirs");
	assert_string_equal(lookup(&creds, "vps.example.org", "other.net"), "ours");
	assert_string_equal(lookup(&creds, "a.net", "b.net"), "");
	creds_clear(&creds);
}

static void same_uid_replaces(void **state)
{
	struct creds creds = {0};

	(void)state;
	add(&creds, "x", OWNERS("gw"), "old");
	add(&creds, "x", OWNERS("gw"), "new");
	assert_int_equal(creds.n_shared, 1);
	assert_string_equal(lookup(&creds, "vps", "gw"), "new");
	assert_int_equal(creds_remove_shared(&creds, "x"), 0);
	assert_int_equal(creds_remove_shared(&creds, "x"), ERR_NOT_FOUND);
	assert_string_equal(lookup(&creds, "vps", "gw"), "");
	creds_clear(&creds);
}

static void unnamed_secrets_of_the_same_owners_replace(void **state)
{
	struct creds creds = {0};

	(void)state;
	add(&creds, NULL, OWNERS("gw"), "old");
	add(&creds, NULL, OWNERS("gw"), "new");
	add(&creds, NULL, OWNERS("gw", "vps"), "both");
	assert_int_equal(creds.n_shared, 2);
	assert_string_equal(lookup(&creds, "x", "gw"), "new");
	assert_string_equal(lookup(&creds, "vps", "gw"), "both");
	creds_clear(&creds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(exact_owners_beat_wildcards_and_anybody),
	    cmocka_unit_test(the_peers_identity_counts_more_than_ours),
	    cmocka_unit_test(same_uid_replaces),
	    cmocka_unit_test(unnamed_secrets_of_the_same_owners_replace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
