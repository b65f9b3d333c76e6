/* test_installed.c - finding the SA that is meant, among equal SPIs. */
#include "vpn/daemon/installed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct ip_addr addr(const char *text)
{
	struct ip_addr a;

	assert_int_equal(ip_addr_parse(text, &a), 0);
	return a;
}

static void add(struct installed_table *t, uint32_t spi, bool inbound, uint32_t child,
		const char *remote)
{
	struct installed sa = {
	    .spi = spi, .inbound = inbound, .child_id = child, .remote = addr(remote)};

	assert_int_equal(installed_add(t, &sa), 0);
}

static void child_then_address_then_age_decide(void **state)
{
	struct installed_table t = {0};
	struct ip_addr first = addr("192.0.2.1"), third = addr("192.0.2.3");

	(void)state;
	add(&t, 7, false, 1, "192.0.2.1");
	add(&t, 7, false, 2, "192.0.2.2");
	add(&t, 7, true, 3, "192.0.2.2");
	assert_int_equal(installed_find(&t, 7, false, 1, NULL)->child_id, 1);
	assert_int_equal(installed_find(&t, 7, false, 0, &first)->child_id, 1);
	assert_int_equal(installed_find(&t, 7, false, 0, NULL)->child_id, 2);
	assert_int_equal(installed_find(&t, 7, true, 0, NULL)->child_id, 3);
	assert_null(installed_find(&t, 7, false, 0, &third));
	assert_null(installed_find(&t, 8, false, 0, NULL));
	installed_free(&t);
}

static void growing_loses_nothing_and_keeps_the_newest_first(void **state)
{
	struct installed_table t = {0};
	uint32_t i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		add(&t, i * 64, true, 2 * i + 1, "192.0.2.1");
		add(&t, i * 64, true, 2 * i + 2, "192.0.2.1");
	}
	for (i = 0; i < 1000; i++)
		assert_int_equal(installed_find(&t, i * 64, true, 0, NULL)->child_id, 2 * i + 2);
	for (i = 0; i < 1000; i++)
		installed_remove(&t, installed_find(&t, i * 64, true, 2 * i + 2, NULL));
	assert_int_equal(t.n, 1000);
	for (i = 0; i < 1000; i++)
		assert_int_equal(installed_find(&t, i * 64, true, 0, NULL)->child_id, 2 * i + 1);
	installed_free(&t);
}

static void an_empty_table_has_nothing(void **state)
{
	struct installed_table t = {0};

	(void)state;
	assert_null(installed_find(&t, 1, true, 0, NULL));
	installed_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(child_then_address_then_age_decide),
	    cmocka_unit_test(growing_loses_nothing_and_keeps_the_newest_first),
	    cmocka_unit_test(an_empty_table_has_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
