/* unhex.h - octets from hexadecimal text, for tests: a slip in the text fails the test at its line.
 */
#ifndef VPN_TESTS_UNHEX_H
#define VPN_TESTS_UNHEX_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vpn/base/hex.h"
#include "vpn/base/reader.h"

static inline size_t unhex_at(const char *text, uint8_t *buf, size_t cap, const char *file,
			      int line)
{
	size_t len = 0;

	_assert_int_equal(hex_parse(text, buf, cap, &len), 0, file, line);
	return len;
}

#define unhex(text, buf)      unhex_at(text, buf, sizeof(buf), __FILE__, __LINE__)
#define unhex_view(text, buf) ((struct view){(buf), unhex(text, buf)})

#endif
