/* test_vici_value.c - times, sizes, marks and switches as swanctl.conf(5) writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "vpn/vici/value.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void times_have_units(void **state)
{
	static const struct {
		const char *text;
		uint32_t seconds;
	} good[] = {{"0", 0},	   {"60s", 60}, {"5m", 300},  {"4h", 14400},
		    {"1d", 86400}, {"90", 90},	{"2H", 7200}, {"4294967295", UINT32_MAX}};
	static const char *const bad[] = {"",	"s",	  "60 s", "5ms", "-1",	      "1.5h",
					  "1w", "99999d", " 1",	  "+1",	 "4294967296"};
	uint32_t value = 7;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		assert_int_equal(vici_parse_time(good[i].text, &value), 0);
		assert_int_equal(value, good[i].seconds);
	}
	value = 7;
	for (i = 0; i < COUNT(bad); i++)
		assert_int_equal(vici_parse_time(bad[i], &value), ERR_SYNTAX);
	assert_int_equal(value, 7);
}

static void sizes_have_units_of_1024(void **state)
{
	static const struct {
		const char *text;
		uint64_t octets;
	} good[] = {{"0", 0},		{"1500000", 1500000},
		    {"64k", 65536},	{"1500M", 1500ull << 20},
		    {"2G", 2ull << 30}, {"18446744073709551615", UINT64_MAX}};
	static const char *const bad[] = {
	    "", "M", "1T", "1MB", "18446744073709551616", "99999999999G"};
	uint64_t value;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		assert_int_equal(vici_parse_bytes(good[i].text, &value), 0);
		assert_true(value == good[i].octets);
	}
	for (i = 0; i < COUNT(bad); i++)
		assert_int_equal(vici_parse_bytes(bad[i], &value), ERR_SYNTAX);
}

static void marks_have_an_optional_mask(void **state)
{
	static const struct {
		const char *text;
		uint32_t value, mask;
	} good[] = {{"1", 1, UINT32_MAX},
		    {"0x1", 1, UINT32_MAX},
		    {"0x2a/0xff", 42, 255},
		    {"0/0x00000000", 0, 0}};
	static const char *const bad[] = {"",	   "0x",	 "1/",	    "/1",
					  "1/2/3", "4294967296", "%unique", "x"};
	uint32_t value, mask;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		assert_int_equal(vici_parse_mark(good[i].text, &value, &mask), 0);
		assert_int_equal(value, good[i].value);
		assert_int_equal(mask, good[i].mask);
	}
	for (i = 0; i < COUNT(bad); i++)
		assert_int_equal(vici_parse_mark(bad[i], &value, &mask), ERR_SYNTAX);
}

static void switches_are_words(void **state)
{
	static const char *const on[] = {"yes", "true", "enabled", "1", "YES"};
	static const char *const off[] = {"no", "false", "disabled", "0"};
	static const char *const bad[] = {"", "y", "on", "2", "yes "};
	bool value;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(on); i++)
		assert_true(!vici_parse_bool(on[i], &value) && value);
	for (i = 0; i < COUNT(off); i++)
		assert_true(!vici_parse_bool(off[i], &value) && !value);
	for (i = 0; i < COUNT(bad); i++)
		assert_int_equal(vici_parse_bool(bad[i], &value), ERR_SYNTAX);
}

static void numbers_are_bounded(void **state)
{
	uint64_t value;

	(void)state;
	assert_int_equal(vici_parse_uint("65535", 65535, &value), 0);
	assert_int_equal(value, 65535);
	assert_int_equal(vici_parse_uint("65536", 65535, &value), ERR_SYNTAX);
	assert_int_equal(vici_parse_uint("1k", 65535, &value), ERR_SYNTAX);
	assert_int_equal(vici_parse_uint("-1", 65535, &value), ERR_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(times_have_units),
	    cmocka_unit_test(sizes_have_units_of_1024),
	    cmocka_unit_test(marks_have_an_optional_mask),
	    cmocka_unit_test(switches_are_words),
	    cmocka_unit_test(numbers_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
