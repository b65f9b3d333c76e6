/* option.c - checks the value of an option against the table.
 *
 * A value is first compared with the default in its own terms ("0", "no" and "false" are one
 * switch): what asks for nothing is never refused. Then its form is checked, so that a malformed
 * value is called that even where the option is not supported, then whether it is supported. */
#include "vpn/vici/option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "vpn/base/addr.h"
#include "vpn/base/ts.h"
#include "vpn/vici/option_table.h"
#include "vpn/vici/value.h"

#define WINDOW_MAX 4096 /* vpn/base/ipsec_sa.h */

const struct option vici_options[] = {
#define X(s, n, t, st, d, x) {OPTION_##s, n, t, OPTION_##st, d, x},
    VICI_OPTIONS(X)
#undef X
};
const size_t vici_option_count = sizeof(vici_options) / sizeof(vici_options[0]);

static bool name_fits(const char *pattern, const char *name)
{
	size_t len = strlen(pattern);

	if (len && pattern[len - 1] == '*')
		return !strncmp(pattern, name, len - 1);
	return !strcmp(pattern, name);
}

const struct option *option_find(enum option_scope scope, const char *name)
{
	size_t i;

	for (i = 0; i < vici_option_count; i++)
		if (vici_options[i].scope == scope && name_fits(vici_options[i].name, name))
			return &vici_options[i];
	return NULL;
}

bool option_is_list(const struct option *option)
{
	return option->type >= OPT_LIST;
}

/* 1 if the word is before the ';', 2 if after, 0 if it is not in the list. */
static int find_word(const char *words, const char *word)
{
	size_t len = strlen(word), n;
	int part = 1;

	while (*words) {
		n = strcspn(words, "|;");
		if (n == len && !strncasecmp(words, word, n))
			return part;
		words += n;
		if (*words == ';')
			part = 2;
		if (*words)
			words++;
	}
	return 0;
}

static bool is_uint(const char *text, uint64_t max)
{
	uint64_t value;

	return !vici_parse_uint(text, max, &value);
}

static bool is_range(const char *text)
{
	struct ts ts;

	return !strchr(text, '[') && strncmp(text, "dynamic", 7) != 0 && !ts_parse(text, &ts, NULL);
}

static bool is_host_name(const char *text)
{
	size_t len = strlen(text);

	return len <= 255 && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					  "0123456789-._") == len;
}

static bool is_host(const char *text)
{
	bool digits_only = text[strspn(text, "0123456789./-")] == '\0';

	if (!strcmp(text, "%any") || !strcmp(text, "%any4") || !strcmp(text, "%any6"))
		return true;
	return is_range(text) || (!digits_only && is_host_name(text));
}

static bool is_proposal(const char *text)
{
	size_t len = strlen(text);

	return len && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789-_") == len;
}

static bool is_dscp(const char *text)
{
	return strlen(text) == 6 && strspn(text, "01") == 6;
}

static bool is_number_type(enum option_type type, const char *v)
{
	uint32_t seconds;
	uint64_t octets;

	switch (type) {
	case OPT_TIME:
		return !vici_parse_time(v, &seconds);
	case OPT_BYTES:
		return !vici_parse_bytes(v, &octets);
	case OPT_COUNT:
		return is_uint(v, UINT64_MAX);
	case OPT_UINT:
		return is_uint(v, UINT32_MAX);
	case OPT_PORT:
		return is_uint(v, UINT16_MAX);
	case OPT_WINDOW:
		return is_uint(v, WINDOW_MAX);
	case OPT_TRIES:
		return !strcmp(v, "%forever") || is_uint(v, UINT32_MAX);
	case OPT_TFC:
		return !strcmp(v, "mtu") || is_uint(v, UINT16_MAX - 1);
	case OPT_MSS:
		return !strcmp(v, "off") || !strcmp(v, "path") || is_uint(v, UINT16_MAX);
	default:
		return true;
	}
}

static bool is_percent_unique(const char *v)
{
	return !strcmp(v, "%unique") || !strcmp(v, "%unique-dir");
}

static bool is_wellformed(const struct option *o, const char *v)
{
	uint32_t value, mask;
	struct ts ts;
	bool on;

	switch (o->type) {
	case OPT_BOOL:
		return !vici_parse_bool(v, &on);
	case OPT_MARK:
		return is_percent_unique(v) || !strncmp(v, "%same", 5) ||
		       !vici_parse_mark(v, &value, &mask);
	case OPT_IF_ID:
		return is_percent_unique(v) || is_uint(v, UINT32_MAX);
	case OPT_DSCP:
		return is_dscp(v);
	case OPT_WORD:
		return find_word(o->detail, v) != 0;
	case OPT_ACTION:
		return find_word("none|clear|trap|hold|start|restart", v) ||
		       !strcasecmp(v, "trap|start") || !strcasecmp(v, "start|trap");
	case OPT_AUTH:
		return is_proposal(v) || strpbrk(v, ":/");
	case OPT_RANGE:
		return is_range(v);
	case OPT_HOSTS:
		return is_host(v);
	case OPT_PROPOSALS:
		return is_proposal(v);
	case OPT_TS:
		return !ts_parse(v, &ts, NULL);
	default:
		return is_number_type(o->type, v);
	}
}

/* What is well formed but beyond us, or NULL. */
static const char *beyond_us(const struct option *o, const char *v)
{
	switch (o->type) {
	case OPT_WORD:
		return find_word(o->detail, v) == 2 ? "this value" : NULL;
	case OPT_ACTION:
		return strchr(v, '|') ? "two actions at once" : NULL;
	case OPT_MARK:
	case OPT_IF_ID:
		return v[0] == '%' ? "a value that is not fixed" : NULL;
	case OPT_AUTH:
		if (!strcmp(v, "pubkey") || !strcmp(v, "psk") ||
		    (!strcmp(v, "any") && o->scope == OPTION_REMOTE))
			return NULL;
		if (!strncmp(v, "eap", 3))
			return "EAP";
		return !strncmp(v, "xauth", 5) ? "XAuth (IKEv1)" : "constraints on signatures";
	default:
		return NULL;
	}
}

static bool same_number(const struct option *o, const char *a, const char *b)
{
	uint32_t va = 0, vb = 0, ma = 0, mb = 0;
	bool on_a, on_b;

	switch (o->type) {
	case OPT_BOOL:
		return !vici_parse_bool(a, &on_a) && !vici_parse_bool(b, &on_b) && on_a == on_b;
	case OPT_TIME:
		return !vici_parse_time(a, &va) && !vici_parse_time(b, &vb) && va == vb;
	case OPT_MARK: /* a value of 0 marks nothing */
		return !vici_parse_mark(a, &va, &ma) && !vici_parse_mark(b, &vb, &mb) && va == vb;
	default:
		return false;
	}
}

static bool asks_for_nothing(const struct option *o, const char *value)
{
	return !strcasecmp(value, o->def) || same_number(o, value, o->def);
}

static const char *expected(enum option_type type)
{
	switch (type) {
	case OPT_BOOL:
		return "yes or no";
	case OPT_TIME:
		return "a time such as 90, 60s, 5m, 4h or 1d";
	case OPT_BYTES:
		return "a size such as 1500000, 64k, 1500M or 2G";
	case OPT_PORT:
		return "a port from 0 to 65535";
	case OPT_WINDOW:
		return "a number of packets from 0 to 4096";
	case OPT_TRIES:
		return "a number or %forever";
	case OPT_MARK:
		return "a mark such as 0x1 or 0x1/0xff";
	case OPT_DSCP:
		return "six binary digits";
	case OPT_TFC:
		return "a number of octets or mtu";
	case OPT_MSS:
		return "off, path or a number of octets";
	case OPT_ACTION:
		return "none, trap or start";
	case OPT_AUTH:
		return "pubkey or psk";
	case OPT_RANGE:
		return "a prefix or a range of addresses";
	case OPT_HOSTS:
		return "an address, prefix, range, %any or a host name";
	case OPT_PROPOSALS:
		return "algorithms separated by '-'";
	case OPT_TS:
		return "a traffic selector such as 10.0.0.0/8 or dynamic[tcp/80]";
	default:
		return "a number";
	}
}

static int malformed(const struct option *o, const char *value, struct err_msg *msg)
{
	if (o->type == OPT_WORD)
		return err_set(msg, ERR_SYNTAX, "%s = %s: expected one of %.*s", o->name, value,
			       (int)strcspn(o->detail, ";"), o->detail);
	return err_set(msg, ERR_SYNTAX, "%s = %s: expected %s", o->name, value, expected(o->type));
}

int option_check(const struct option *o, const char *value, bool *ret_harmless, struct err_msg *msg)
{
	const char *beyond, *why = o->type == OPT_WORD || !o->detail ? "" : o->detail;

	*ret_harmless = false;
	if (asks_for_nothing(o, value))
		return 0;
	if (!is_wellformed(o, value))
		return malformed(o, value, msg);
	beyond = beyond_us(o, value);
	if (beyond)
		return err_set(msg, ERR_UNSUPPORTED, "%s = %s: %s is not supported", o->name, value,
			       beyond);
	if (o->status == OPTION_UNSUPPORTED)
		return err_set(msg, ERR_UNSUPPORTED, "%s is not supported%s%s%s", o->name,
			       *why ? " (" : "", why, *why ? ")" : "");
	if (o->status == OPTION_HARMLESS) {
		*ret_harmless = true;
		err_set(msg, 0, "%s = %s has no effect%s%s%s", o->name, value, *why ? " (" : "",
			why, *why ? ")" : "");
	}
	return 0;
}

/* Edit distance (insert, delete, replace), cut at a small limit. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[40], diagonal, above;
	size_t i, j, lb = strlen(b);

	if (lb >= sizeof(row) / sizeof(row[0]) || strlen(a) > 60)
		return UINT32_MAX;
	for (j = 0; j <= lb; j++)
		row[j] = (unsigned)j;
	for (i = 0; a[i]; i++) {
		diagonal = row[0]++;
		for (j = 1; j <= lb; j++) {
			above = row[j];
			row[j] = diagonal + (a[i] != b[j - 1]);
			if (above + 1 < row[j])
				row[j] = above + 1;
			if (row[j - 1] + 1 < row[j])
				row[j] = row[j - 1] + 1;
			diagonal = above;
		}
	}
	return row[lb];
}

const struct option *option_nearest(enum option_scope scope, const char *name)
{
	const struct option *best = NULL;
	unsigned best_distance = 3, d; /* two slips of the finger */
	size_t i;

	for (i = 0; i < vici_option_count; i++) {
		if (vici_options[i].scope != scope)
			continue;
		d = distance(name, vici_options[i].name);
		if (d < best_distance) {
			best_distance = d;
			best = &vici_options[i];
		}
	}
	return best;
}
