/* identity.c - IKE identities: reading, printing, comparing.
 *
 * Reading follows strongSwan step by step, because the same configuration files must mean the same:
 * a prefix forces the type; a text with '=' is a DN, or a key ID if it does not parse as one;
 * "@name" is an FQDN, "@@user@host" an e-mail address, "@#hex" a key ID; a text with '@' elsewhere
 * is an e-mail address; then addresses; what is left is an FQDN, or with a ':' in it a key ID.
 *
 * Octets from a peer are kept as they came (RFC 7296 §3.5), checked only for length. Text in them
 * may hold zeros or control characters: comparison is by length and octets, printing replaces them.
 * Comparison of FQDNs and e-mail addresses ignores ASCII case (RFC 4343, RFC 5280 §7.5); DNs are
 * dn.c's.
 *
 * A struct identity owns its octets. */
#include "vpn/crypto/identity.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "vpn/base/hex.h"
#include "vpn/crypto/dn.h"

#define MATCH_PERFECT	   20
#define MATCH_ONE_WILDCARD 19
#define MATCH_MIN_WILDCARD 2
#define MATCH_ANY	   1

static struct view id_view(const struct identity *id)
{
	return (struct view){id->data, id->len};
}

static int make(uint8_t type, const void *data, size_t len, struct identity *ret_id)
{
	uint8_t *copy = NULL;

	if (len) {
		copy = malloc(len);
		if (!copy)
			return ERR_NOMEM;
		memcpy(copy, data, len);
	}
	*ret_id = (struct identity){.type = type, .data = copy, .len = len};
	return 0;
}

void identity_clear(struct identity *id)
{
	free(id->data);
	*id = (struct identity){0};
}

int identity_copy(const struct identity *src, struct identity *ret_id)
{
	return make(src->type, src->data, src->len, ret_id);
}

int identity_from_addr(const struct ip_addr *addr, struct identity *ret_id)
{
	size_t len = ip_addr_len(addr);

	if (!len)
		return ERR_INVALID;
	return make(len == 4 ? ID_IPV4_ADDR : ID_IPV6_ADDR, addr->b, len, ret_id);
}

int identity_from_octets(uint8_t type, struct view data, struct identity *ret_id)
{
	if (data.len > IDENTITY_MAX)
		return ERR_LIMIT;
	switch (type) {
	case ID_IPV4_ADDR:
		if (data.len != 4)
			return ERR_SYNTAX;
		break;
	case ID_IPV6_ADDR:
		if (data.len != 16)
			return ERR_SYNTAX;
		break;
	case ID_FQDN:
	case ID_RFC822_ADDR:
	case ID_DER_ASN1_DN:
	case ID_DER_ASN1_GN:
	case ID_KEY_ID:
		if (!data.len)
			return ERR_SYNTAX;
		break;
	case ID_NULL: /* RFC 7619 §2.2: no data */
		if (data.len)
			return ERR_SYNTAX;
		break;
	default:
		return ERR_UNSUPPORTED;
	}
	return make(type, data.p, data.len, ret_id);
}

/* ---- text to identity ---- */

static const struct prefix {
	const char *text;
	enum id_type type;
} prefixes[] = {
    {"ipv4:", ID_IPV4_ADDR},
    {"ipv6:", ID_IPV6_ADDR},
    {"fqdn:", ID_FQDN},
    {"dns:", ID_FQDN},
    {"rfc822:", ID_RFC822_ADDR},
    {"email:", ID_RFC822_ADDR},
    {"userfqdn:", ID_RFC822_ADDR},
    {"asn1dn:", ID_DER_ASN1_DN},
    {"asn1gn:", ID_DER_ASN1_GN},
    {"keyid:", ID_KEY_ID},
};

static const struct prefix *find_prefix(const char *text)
{
	size_t i;

	for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (!strncasecmp(text, prefixes[i].text, strlen(prefixes[i].text)))
			return &prefixes[i];
	return NULL;
}

static int from_hex(enum id_type type, const char *hex, struct identity *ret_id,
		    struct err_msg *msg)
{
	uint8_t buf[IDENTITY_MAX];
	size_t len;

	if (hex_parse(hex, buf, sizeof(buf), &len) || !len)
		return err_set(msg, ERR_SYNTAX, "identity '#%s' is not hexadecimal", hex);
	if (identity_from_octets((uint8_t)type, (struct view){buf, len}, ret_id))
		return err_set(msg, ERR_SYNTAX, "identity '#%s' does not fit its type", hex);
	return 0;
}

static int from_text(enum id_type type, const char *text, struct identity *ret_id)
{
	return make((uint8_t)type, text, strlen(text), ret_id);
}

static int from_dn(const char *text, struct identity *ret_id)
{
	uint8_t der[IDENTITY_MAX];
	size_t len;
	int err = dn_parse(text, der, sizeof(der), &len);

	return err ? err : make(ID_DER_ASN1_DN, der, len, ret_id);
}

static int from_forced_type(enum id_type type, const char *text, struct identity *ret_id,
			    struct err_msg *msg)
{
	struct ip_addr addr;

	if (*text == '#' && type != ID_IPV4_ADDR && type != ID_IPV6_ADDR)
		return from_hex(type, text + 1, ret_id, msg);
	switch (type) {
	case ID_IPV4_ADDR:
	case ID_IPV6_ADDR:
		if (ip_addr_parse(text, &addr) || (addr.family == 4) != (type == ID_IPV4_ADDR))
			return err_set(msg, ERR_SYNTAX, "'%s' is not an IPv%c address", text,
				       type == ID_IPV4_ADDR ? '4' : '6');
		return identity_from_addr(&addr, ret_id);
	case ID_DER_ASN1_DN:
		if (from_dn(text, ret_id))
			return err_set(msg, ERR_SYNTAX, "'%s' is not a distinguished name", text);
		return 0;
	case ID_DER_ASN1_GN:
		return err_set(msg, ERR_SYNTAX, "identity 'asn1gn:%s' must be '#' and hexadecimal",
			       text);
	default:
		if (!*text)
			return err_set(msg, ERR_SYNTAX, "the identity is empty after its prefix");
		return from_text(type, text, ret_id);
	}
}

static bool is_any(const char *text)
{
	static const char *const names[] = {"", "%any", "%any6", "*", "0.0.0.0", "::", "0::0"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(text, names[i]))
			return true;
	return false;
}

/* A DN, or what strongSwan makes of a text that only looks like one: a key ID. */
static int from_text_with_equals(const char *text, struct identity *ret_id)
{
	int err = from_dn(text, ret_id);

	return err == ERR_SYNTAX ? from_text(ID_KEY_ID, text, ret_id) : err;
}

static int from_text_with_at(const char *text, struct identity *ret_id, struct err_msg *msg)
{
	if (text[0] != '@')
		return from_text(ID_RFC822_ADDR, text, ret_id);
	if (text[1] == '#')
		return from_hex(ID_KEY_ID, text + 2, ret_id, msg);
	if (text[1] == '@')
		return from_text(ID_RFC822_ADDR, text + 2, ret_id);
	if (!text[1])
		return err_set(msg, ERR_SYNTAX, "the identity '@' has no name");
	return from_text(ID_FQDN, text + 1, ret_id);
}

static int from_address_or_name(const char *text, struct identity *ret_id, struct err_msg *msg)
{
	struct ip_addr addr;

	if (!ip_addr_parse(text, &addr))
		return identity_from_addr(&addr, ret_id);
	if (text[strspn(text, "0123456789.")] == '/')
		return err_set(msg, ERR_UNSUPPORTED,
			       "identity '%s': address ranges are not supported as identities",
			       text);
	return from_text(strchr(text, ':') ? ID_KEY_ID : ID_FQDN, text, ret_id);
}

int identity_parse(const char *text, struct identity *ret_id, struct err_msg *msg)
{
	const struct prefix *prefix = find_prefix(text);
	int err;

	if (strlen(text) > IDENTITY_MAX)
		return err_set(msg, ERR_LIMIT, "an identity is longer than %d octets",
			       IDENTITY_MAX);
	if (msg)
		msg->text[0] = '\0';
	if (is_any(text))
		err = make(ID_ANY, NULL, 0, ret_id);
	else if (prefix)
		err = from_forced_type(prefix->type, text + strlen(prefix->text), ret_id, msg);
	else if (strchr(text, '='))
		err = from_text_with_equals(text, ret_id);
	else if (strchr(text, '@'))
		err = from_text_with_at(text, ret_id, msg);
	else
		err = from_address_or_name(text, ret_id, msg);
	if (err && msg && !msg->text[0])
		err_set(msg, err, "identity '%s': %s", text, err_text(err));
	return err;
}

/* ---- identity to text ---- */

static const char *format_text(struct view v, char *buf, size_t cap)
{
	size_t i;

	for (i = 0; i < v.len && i + 1 < cap; i++)
		buf[i] = isascii(v.p[i]) && isprint(v.p[i]) ? (char)v.p[i] : '?';
	buf[i] = '\0';
	return buf;
}

static bool all_printable(struct view v)
{
	size_t i;

	for (i = 0; i < v.len; i++)
		if (!isascii(v.p[i]) || !isprint(v.p[i]))
			return false;
	return true;
}

/* As text where it is text, else "de:ad:be:ef". */
static const char *format_key_id(struct view v, char *buf, size_t cap)
{
	size_t i;

	if (all_printable(v))
		return format_text(v, buf, cap);
	buf[0] = '\0';
	for (i = 0; i < v.len && (i + 1) * 3 <= cap; i++)
		snprintf(buf + i * 3, cap - i * 3, "%02x%s", v.p[i], i + 1 < v.len ? ":" : "");
	return buf;
}

static const char *format_addr(struct view v, char *buf, size_t cap)
{
	struct ip_addr addr = {0};

	if (v.len == 4)
		addr = ip_addr_from_v4(v.p);
	else if (v.len == 16)
		addr = ip_addr_from_v6(v.p);
	return ip_addr_format(&addr, buf, cap);
}

const char *identity_format(const struct identity *id, char *buf, size_t cap)
{
	if (!cap)
		return buf;
	switch (id->type) {
	case ID_ANY:
		snprintf(buf, cap, "%%any");
		return buf;
	case ID_IPV4_ADDR:
	case ID_IPV6_ADDR:
		return format_addr(id_view(id), buf, cap);
	case ID_FQDN:
	case ID_RFC822_ADDR:
		return format_text(id_view(id), buf, cap);
	case ID_DER_ASN1_DN:
		return dn_format(id_view(id), buf, cap);
	case ID_KEY_ID:
		return format_key_id(id_view(id), buf, cap);
	case ID_DER_ASN1_GN:
		snprintf(buf, cap, "(ASN.1 general name)");
		return buf;
	case ID_NULL:
		snprintf(buf, cap, "ID_NULL");
		return buf;
	default:
		snprintf(buf, cap, "(unknown ID type: %u)", id->type);
		return buf;
	}
}

/* ---- comparison ---- */

static bool octets_eq(const struct identity *a, const struct identity *b)
{
	return a->len == b->len && (!a->len || !memcmp(a->data, b->data, a->len));
}

static bool case_eq(const uint8_t *a, const uint8_t *b, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (a[i] != b[i] &&
		    (!isascii(a[i]) || !isascii(b[i]) || tolower(a[i]) != tolower(b[i])))
			return false;
	return true;
}

bool identity_eq(const struct identity *a, const struct identity *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case ID_FQDN:
	case ID_RFC822_ADDR:
		return a->len == b->len && case_eq(a->data, b->data, a->len);
	case ID_DER_ASN1_DN:
		return octets_eq(a, b) || dn_match(id_view(a), id_view(b), false) == 0;
	default:
		return octets_eq(a, b);
	}
}

static int match_text(const struct identity *id, const struct identity *pattern)
{
	size_t tail = pattern->len - 1;

	if (identity_eq(id, pattern))
		return MATCH_PERFECT;
	if (pattern->data[0] != '*' || id->len <= tail ||
	    !case_eq(id->data + id->len - tail, pattern->data + 1, tail))
		return 0;
	return MATCH_ONE_WILDCARD;
}

static int match_dn(const struct identity *id, const struct identity *pattern)
{
	int wildcards = dn_match(id_view(id), id_view(pattern), true);

	if (identity_eq(id, pattern))
		return MATCH_PERFECT;
	if (wildcards < 0)
		return 0;
	if (wildcards > MATCH_PERFECT - MATCH_MIN_WILDCARD)
		return MATCH_MIN_WILDCARD;
	return MATCH_PERFECT - wildcards;
}

int identity_match(const struct identity *id, const struct identity *pattern)
{
	if (pattern->type == ID_ANY)
		return MATCH_ANY;
	if (id->type != pattern->type)
		return 0;
	if ((id->type == ID_FQDN || id->type == ID_RFC822_ADDR) && pattern->len)
		return match_text(id, pattern);
	if (id->type == ID_DER_ASN1_DN)
		return match_dn(id, pattern);
	return identity_eq(id, pattern) ? MATCH_PERFECT : 0;
}
