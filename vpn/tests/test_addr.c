/* Addresses as values: order, prefixes, ranges, text (RFC 4291 §2.2, RFC 4632 §3.1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vpn/base/addr.h"
#include "vpn/base/err.h"

static struct ip_addr addr(const char *text)
{
	struct ip_addr a;

	assert_int_equal(ip_addr_parse(text, &a), 0);
	return a;
}

static void text_round_trips(void **state)
{
	static const char *const texts[] = {"0.0.0.0", "203.0.113.10", "::", "fdc0:beef:1::1"};
	char buf[IP_ADDR_STRLEN];
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		struct ip_addr a = addr(texts[i]);

		assert_string_equal(ip_addr_format(&a, buf, sizeof(buf)), texts[i]);
	}
}

static void names_and_bad_numbers_are_not_addresses(void **state)
{
	static const char *const texts[] = {"",		 "vpn.example", "1.2.3",
					    "1.2.3.256", "1.2.3.4/8",	"fd00:::1"};
	struct ip_addr a = {.family = 9};
	size_t i;

	(void)state;
	for (i = 0; i < 6; i++)
		assert_int_equal(ip_addr_parse(texts[i], &a), ERR_SYNTAX);
	assert_int_equal(a.family, 9);
}

static void prefix_bounds_are_its_first_and_last_address(void **state)
{
	static const struct {
		const char *a, *first, *last;
		unsigned bits;
	} rows[] = {
	    {"10.1.2.3", "10.0.0.0", "10.255.255.255", 8},
	    {"10.254.0.2", "10.254.0.0", "10.254.0.3", 30},
	    {"10.1.2.3", "10.1.2.3", "10.1.2.3", 32},
	    {"10.1.2.3", "0.0.0.0", "255.255.255.255", 0},
	    {"fdc0:beef:1::1", "fdc0:beef:1::", "fdc0:beef:1::ffff:ffff:ffff:ffff", 64},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ip_addr a = addr(rows[i].a), want_lo = addr(rows[i].first),
			       want_hi = addr(rows[i].last);
		struct ip_addr lo = ip_addr_first(&a, rows[i].bits),
			       hi = ip_addr_last(&a, rows[i].bits);
		unsigned bits = 999;

		assert_true(ip_addr_eq(&lo, &want_lo));
		assert_true(ip_addr_eq(&hi, &want_hi));
		assert_true(ip_addr_range_is_prefix(&lo, &hi, &bits));
		assert_int_equal(bits, rows[i].bits);
		assert_true(ip_addr_in_prefix(&a, &lo, bits));
	}
}

static void a_range_that_is_no_prefix_is_known(void **state)
{
	struct ip_addr lo = addr("10.0.0.1"), hi = addr("10.0.0.2");
	unsigned bits = 7;

	(void)state;
	assert_false(ip_addr_range_is_prefix(&lo, &hi, &bits));
	assert_int_equal(bits, 7);
}

static void next_and_previous_carry(void **state)
{
	struct ip_addr a = addr("10.0.255.255"), want = addr("10.1.0.0"), b;
	struct ip_addr end = addr("255.255.255.255"), zero = addr("::");

	(void)state;
	assert_true(ip_addr_next(&a, &b));
	assert_true(ip_addr_eq(&b, &want));
	assert_true(ip_addr_prev(&want, &b));
	assert_true(ip_addr_eq(&b, &a));
	assert_false(ip_addr_next(&end, &b));
	assert_false(ip_addr_prev(&zero, &b));
}

static void mapped_ipv4_comes_in_as_ipv4(void **state)
{
	struct endpoint v4 = {addr("192.0.2.7"), 4500}, v6 = {addr("::ffff:192.0.2.7"), 4500}, back;
	struct sockaddr_storage ss;

	(void)state;
	assert_true(endpoint_to_sockaddr(&v6, &ss) > 0);
	assert_int_equal(endpoint_from_sockaddr((struct sockaddr *)&ss, &back), 0);
	assert_true(endpoint_eq(&back, &v4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_round_trips),
	    cmocka_unit_test(names_and_bad_numbers_are_not_addresses),
	    cmocka_unit_test(prefix_bounds_are_its_first_and_last_address),
	    cmocka_unit_test(a_range_that_is_no_prefix_is_known),
	    cmocka_unit_test(next_and_previous_carry),
	    cmocka_unit_test(mapped_ipv4_comes_in_as_ipv4),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
