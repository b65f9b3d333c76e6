/* value.c - times, sizes, marks and switches as swanctl.conf(5) writes them.
 *
 * Strict: no sign, no blanks, no fraction, nothing behind the unit, no overflow. */
#include "vpn/vici/value.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int vici_parse_bool(const char *text, bool *ret_value)
{
	static const struct {
		const char *text;
		bool value;
	} words[] = {{"yes", true}, {"true", true},   {"enabled", true},   {"1", true},
		     {"no", false}, {"false", false}, {"disabled", false}, {"0", false}};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(text, words[i].text))
			continue;
		*ret_value = words[i].value;
		return 0;
	}
	return ERR_SYNTAX;
}

/* A number at the beginning of text; *ret_end is what follows. */
static int parse_number(const char *text, uint64_t *ret_value, const char **ret_end)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = hex ? text + 2 : text;
	unsigned long long value;
	char *end;

	if (hex ? !isxdigit((unsigned char)*digits) : !isdigit((unsigned char)*digits))
		return ERR_SYNTAX;
	errno = 0;
	value = strtoull(digits, &end, hex ? 16 : 10);
	if (errno)
		return ERR_SYNTAX;
	*ret_value = value;
	*ret_end = end;
	return 0;
}

int vici_parse_uint(const char *text, uint64_t max, uint64_t *ret_value)
{
	uint64_t value;
	const char *end;

	if (parse_number(text, &value, &end) || *end || value > max)
		return ERR_SYNTAX;
	*ret_value = value;
	return 0;
}

/* What follows the number must be one of the units, or nothing. */
static int parse_scaled(const char *text, const char *units, const uint64_t *scales, uint64_t max,
			uint64_t *ret_value)
{
	const char *end, *unit;
	uint64_t value, scale = 1;

	if (parse_number(text, &value, &end))
		return ERR_SYNTAX;
	if (*end) {
		unit = strchr(units, tolower((unsigned char)*end));
		if (!unit || end[1])
			return ERR_SYNTAX;
		scale = scales[unit - units];
	}
	if (value > max / scale)
		return ERR_SYNTAX;
	*ret_value = value * scale;
	return 0;
}

int vici_parse_time(const char *text, uint32_t *ret_seconds)
{
	static const uint64_t scales[] = {1, 60, 3600, 86400};
	uint64_t value;

	if (parse_scaled(text, "smhd", scales, UINT32_MAX, &value))
		return ERR_SYNTAX;
	*ret_seconds = (uint32_t)value;
	return 0;
}

int vici_parse_bytes(const char *text, uint64_t *ret_octets)
{
	static const uint64_t scales[] = {1ull << 10, 1ull << 20, 1ull << 30};

	return parse_scaled(text, "kmg", scales, UINT64_MAX, ret_octets);
}

int vici_parse_mark(const char *text, uint32_t *ret_value, uint32_t *ret_mask)
{
	uint64_t value, mask = UINT32_MAX;
	const char *end;

	if (parse_number(text, &value, &end) || value > UINT32_MAX)
		return ERR_SYNTAX;
	if (*end && (*end != '/' || vici_parse_uint(end + 1, UINT32_MAX, &mask)))
		return ERR_SYNTAX;
	*ret_value = (uint32_t)value;
	*ret_mask = (uint32_t)mask;
	return 0;
}
