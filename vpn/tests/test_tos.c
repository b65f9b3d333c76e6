/* test_tos.c - DSCP and ECN between inner and outer header: the tables of RFC 6040 and RFC 4301. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vpn/esp/tos.h"

#define NOT  ECN_NOT_ECT
#define ECT0 ECN_ECT0
#define ECT1 ECN_ECT1
#define CE   ECN_CE
#define DROP 0xff

/* RFC 6040 §4.2, figure 4. */
static void test_decapsulation_by_figure_4(void **state)
{
	static const uint8_t inner[4] = {NOT, ECT0, ECT1, CE};
	static const uint8_t outer[4] = {NOT, ECT0, ECT1, CE};
	static const uint8_t out[4][4] = {{NOT, NOT, NOT, DROP},
					  {ECT0, ECT0, ECT1, CE},
					  {ECT1, ECT1, ECT1, CE},
					  {CE, CE, CE, CE}};
	uint8_t tos;
	size_t i, j;

	(void)state;
	for (i = 0; i < 4; i++) {
		for (j = 0; j < 4; j++) {
			tos = DROP;
			assert_int_equal(tos_decapsulate(inner[i], outer[j], false, &tos),
					 out[i][j] != DROP);
			assert_int_equal(tos, out[i][j]);
		}
	}
}

/* RFC 6040 §4.1: normal mode copies, compatibility mode makes the outer header not ECN-capable. */
static void test_encapsulation_copies_ecn_or_clears_it(void **state)
{
	uint8_t ecn;

	(void)state;
	for (ecn = 0; ecn < 4; ecn++) {
		assert_int_equal(tos_encapsulate(0xb8 | ecn, true, true), 0xb8 | ecn);
		assert_int_equal(tos_encapsulate(0xb8 | ecn, true, false), 0xb8);
		assert_int_equal(tos_encapsulate(0xb8 | ecn, false, true), ecn);
		assert_int_equal(tos_encapsulate(0xb8 | ecn, false, false), 0);
	}
}

/* RFC 4301 §5.1.2.1: DSCP is copied inward on request only. */
static void test_decapsulation_takes_dscp_on_request(void **state)
{
	uint8_t tos;

	(void)state;
	assert_true(tos_decapsulate(0x28 | ECT0, 0xb8 | CE, false, &tos));
	assert_int_equal(tos, 0x28 | CE);
	assert_true(tos_decapsulate(0x28 | ECT0, 0xb8 | CE, true, &tos));
	assert_int_equal(tos, 0xb8 | CE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_decapsulation_by_figure_4),
	    cmocka_unit_test(test_encapsulation_copies_ecn_or_clears_it),
	    cmocka_unit_test(test_decapsulation_takes_dscp_on_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
