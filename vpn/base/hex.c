/* hex.c - octets as hexadecimal text and back. */
#include "vpn/base/hex.h"

#include <ctype.h>

#include "vpn/base/err.h"

const char *hex_format(const void *data, size_t len, char *buf, size_t cap)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = (const uint8_t *)data;
	size_t i;

	for (i = 0; i < len && 2 * i + 2 < cap; i++) {
		buf[2 * i] = digits[p[i] >> 4];
		buf[2 * i + 1] = digits[p[i] & 15];
	}
	if (cap)
		buf[2 * i] = '\0';
	return buf;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int hex_parse(const char *text, uint8_t *buf, size_t cap, size_t *ret_len)
{
	size_t n = 0;

	while (*text) {
		if (*text == ' ' || *text == ':' || *text == '\n') {
			text++;
			continue;
		}
		if (digit(text[0]) < 0 || digit(text[1]) < 0)
			return ERR_SYNTAX;
		if (n == cap)
			return ERR_SPACE;
		buf[n++] = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
		text += 2;
	}
	*ret_len = n;
	return 0;
}
