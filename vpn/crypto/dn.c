/* dn.c - distinguished names: text to DER, DER to text, and comparison.
 *
 *     Name ::= SEQUENCE OF { SET OF { SEQUENCE { type OID, value string } } }
 *
 * (RFC 5280 §4.1.2.4). The text form is strongSwan's, so that a configuration, a log and a
 * certificate on either end show the same words: its attribute names (X-macro ATTRIBUTES), no
 * escapes, blanks around a value dropped, ',' or, for a text that begins with '/', '/' between the
 * parts. Values are PrintableString where the characters allow and UTF8String elsewhere, IA5String
 * for e-mail addresses.
 *
 * DER from a peer is walked with bounded readers and may be anything. RFC 5280 §7.1 asks for
 * string preparation by RFC 4518; what is done here is its ASCII part. */
#include "vpn/crypto/dn.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "vpn/base/err.h"
#include "vpn/base/writer.h"

enum {
	TAG_OID = 0x06,
	TAG_UTF8 = 0x0c,
	TAG_PRINTABLE = 0x13,
	TAG_T61 = 0x14,
	TAG_IA5 = 0x16,
	TAG_SEQUENCE = 0x30,
	TAG_SET = 0x31,
};

#define OID_MAX 32

/* name, string tag, OID; the first name of an OID is the one that is printed */
#define ATTRIBUTES(X)                                                                   \
	X("C", TAG_PRINTABLE, "\x55\x04\x06")                                           \
	X("ST", TAG_PRINTABLE, "\x55\x04\x08")                                          \
	X("L", TAG_PRINTABLE, "\x55\x04\x07")                                           \
	X("O", TAG_PRINTABLE, "\x55\x04\x0a")                                           \
	X("OU", TAG_PRINTABLE, "\x55\x04\x0b")                                          \
	X("CN", TAG_PRINTABLE, "\x55\x04\x03")                                          \
	X("E", TAG_IA5, "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01")                         \
	X("Email", TAG_IA5, "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01")                     \
	X("emailAddress", TAG_IA5, "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01")              \
	X("DC", TAG_PRINTABLE, "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19")              \
	X("UID", TAG_PRINTABLE, "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01")             \
	X("SN", TAG_PRINTABLE, "\x55\x04\x04")                                          \
	X("serialNumber", TAG_PRINTABLE, "\x55\x04\x05")                                \
	X("STREET", TAG_PRINTABLE, "\x55\x04\x09")                                      \
	X("T", TAG_PRINTABLE, "\x55\x04\x0c")                                           \
	X("D", TAG_PRINTABLE, "\x55\x04\x0d")                                           \
	X("postalAddress", TAG_PRINTABLE, "\x55\x04\x10")                               \
	X("postalCode", TAG_PRINTABLE, "\x55\x04\x11")                                  \
	X("N", TAG_PRINTABLE, "\x55\x04\x29")                                           \
	X("G", TAG_PRINTABLE, "\x55\x04\x2a")                                           \
	X("I", TAG_PRINTABLE, "\x55\x04\x2b")                                           \
	X("ID", TAG_PRINTABLE, "\x55\x04\x2d")                                          \
	X("dnQualifier", TAG_PRINTABLE, "\x55\x04\x2e")                                 \
	X("dmdName", TAG_PRINTABLE, "\x55\x04\x36")                                     \
	X("pseudonym", TAG_PRINTABLE, "\x55\x04\x41")                                   \
	X("ND", TAG_PRINTABLE, "\x02\x82\x06\x01\x0a\x07\x14")                          \
	X("employeeNumber", TAG_PRINTABLE, "\x60\x86\x48\x01\x86\xf8\x42\x03\x01\x03")  \
	X("EN", TAG_PRINTABLE, "\x60\x86\x48\x01\x86\xf8\x42\x03\x01\x03")              \
	X("unstructuredName", TAG_IA5, "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x02")          \
	X("UN", TAG_IA5, "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x02")                        \
	X("unstructuredAddress", TAG_PRINTABLE, "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x08") \
	X("UA", TAG_PRINTABLE, "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x08")                  \
	X("TCGID", TAG_PRINTABLE, "\x2b\x06\x01\x04\x01\x89\x31\x01\x01\x02\x02\x4b")

static const struct attribute {
	const char *name;
	uint8_t tag;
	struct view oid;
} attributes[] = {
#define X(name, tag, oid) {name, tag, {(const uint8_t *)oid, sizeof(oid) - 1}},
    ATTRIBUTES(X)
#undef X
};

#define N_ATTRIBUTES (sizeof(attributes) / sizeof(attributes[0]))

/* ---- DER ---- */

/* The header of one value; its content is left to the caller as a sub-reader. Definite lengths
 * only. */
static struct reader read_tlv(struct reader *r, uint8_t *ret_tag)
{
	size_t len, octets;

	*ret_tag = rd_u8(r);
	len = rd_u8(r);
	if (len & 0x80) {
		octets = len & 0x7f;
		if (octets == 0 || octets > 3)
			r->failed = true;
		for (len = 0; octets && rd_ok(r); octets--)
			len = len << 8 | rd_u8(r);
	}
	return rd_sub(r, len);
}

static struct reader read_tagged(struct reader *r, uint8_t tag)
{
	uint8_t got;
	struct reader sub = read_tlv(r, &got);

	if (got != tag)
		sub.failed = true;
	return sub;
}

/* Puts the header of `tag` before what was written since `from`. */
static void wrap(struct writer *w, size_t from, uint8_t tag)
{
	size_t len = w->len - from, head = len < 0x80 ? 2 : len < 0x100 ? 3 : 4;

	if (len > 0xffff || !wr_room(w, head)) {
		w->failed = true;
		return;
	}
	memmove(w->base + from + head, w->base + from, len);
	w->base[from] = tag;
	if (head > 2)
		w->base[from + 1] = (uint8_t)(0x80 | (head - 2));
	if (head == 4)
		w->base[from + 2] = (uint8_t)(len >> 8);
	w->base[from + head - 1] = (uint8_t)len;
}

/* One attribute of a name. `set` counts the RDNs, so that multi-valued ones differ from a sequence.
 */
struct attr {
	struct view oid;
	uint8_t tag;
	struct view value;
	unsigned set;
};

struct walk {
	struct reader names; /* RDNs to come */
	struct reader set;   /* attributes to come in this RDN */
	unsigned sets;
	bool bad;
};

static struct walk walk_start(struct view der)
{
	struct reader r = rd_init(der.p, der.len);
	struct walk w = {.names = read_tagged(&r, TAG_SEQUENCE), .set = rd_init(NULL, 0)};

	w.bad = !rd_done(&r) || !rd_ok(&w.names);
	return w;
}

/* False at the end, and when the name is malformed (then w->bad). */
static bool walk_next(struct walk *w, struct attr *ret)
{
	struct reader pair, oid, value;
	struct attr a;

	if (w->bad || (rd_done(&w->set) && rd_done(&w->names)))
		return false;
	if (rd_done(&w->set)) {
		w->set = read_tagged(&w->names, TAG_SET);
		w->sets++;
	}
	pair = read_tagged(&w->set, TAG_SEQUENCE);
	oid = read_tagged(&pair, TAG_OID);
	value = read_tlv(&pair, &a.tag);
	a.oid = rd_rest(&oid);
	a.value = rd_rest(&value);
	a.set = w->sets;
	w->bad = !rd_done(&pair) || !rd_ok(&oid) || !rd_ok(&value) || !a.oid.len;
	if (!w->bad)
		*ret = a;
	return !w->bad;
}

/* ---- object identifiers ---- */

static bool view_eq(struct view a, struct view b)
{
	return a.len == b.len && (!a.len || !memcmp(a.p, b.p, a.len));
}

/* "1.2.840" to the content of an OID (X.690 §8.19). */
static bool oid_from_dots(const char *text, size_t len, struct writer *w)
{
	size_t i = 0, n = 0;
	unsigned long v, first = 0;
	int shift;

	while (i < len) {
		if (!isdigit((unsigned char)text[i]))
			return false;
		for (v = 0; i < len && isdigit((unsigned char)text[i]); i++)
			v = v > 0xffffff ? v : v * 10 + (unsigned long)(text[i] - '0');
		if (i < len && (text[i] != '.' || ++i == len))
			return false;
		if (n == 0) {
			first = v;
		} else {
			v += n == 1 ? first * 40 : 0;
			for (shift = 28; shift > 0; shift -= 7)
				if (v >> shift)
					wr_u8(w, (uint8_t)(0x80 | (v >> shift & 0x7f)));
			wr_u8(w, v & 0x7f);
		}
		n++;
	}
	return n >= 2 && first <= 2 && wr_ok(w);
}

static const char *oid_to_dots(struct view oid, char *buf, size_t cap)
{
	unsigned long v = 0;
	bool first = true;
	size_t i, at = 0;

	buf[0] = '\0';
	for (i = 0; i < oid.len && at < cap; i++) {
		v = (v & 0x1ffffff) << 7 | (oid.p[i] & 0x7f);
		if (oid.p[i] & 0x80)
			continue;
		if (first) {
			unsigned long root = v < 80 ? v / 40 : 2;

			at += (size_t)snprintf(buf, cap, "%lu.%lu", root, v - root * 40);
		} else {
			at += (size_t)snprintf(buf + at, cap - at, ".%lu", v);
		}
		first = false;
		v = 0;
	}
	return buf;
}

static const struct attribute *attribute_by_oid(struct view oid)
{
	size_t i;

	for (i = 0; i < N_ATTRIBUTES; i++)
		if (view_eq(attributes[i].oid, oid))
			return &attributes[i];
	return NULL;
}

static const struct attribute *attribute_by_name(struct view name)
{
	size_t i;

	for (i = 0; i < N_ATTRIBUTES; i++)
		if (strlen(attributes[i].name) == name.len &&
		    !strncasecmp(attributes[i].name, (const char *)name.p, name.len))
			return &attributes[i];
	return NULL;
}

/* ---- text to DER ---- */

static bool is_printable_string(struct view v)
{
	size_t i;

	for (i = 0; i < v.len; i++)
		if (!isascii(v.p[i]) || !v.p[i] ||
		    (!isalnum(v.p[i]) && !strchr(" '()+,-./:=?", v.p[i])))
			return false;
	return true;
}

static struct view trim(const char *from, const char *to)
{
	while (from < to && *from == ' ')
		from++;
	while (to > from && to[-1] == ' ')
		to--;
	return (struct view){(const uint8_t *)from, (size_t)(to - from)};
}

static int write_rdn(struct writer *w, struct view name, struct view value)
{
	const struct attribute *a = attribute_by_name(name);
	uint8_t tag = a ? a->tag : TAG_PRINTABLE;
	size_t start = w->len, at;

	if (a)
		wr_bytes(w, a->oid.p, a->oid.len);
	else if (!oid_from_dots((const char *)name.p, name.len, w))
		return wr_ok(w) ? ERR_SYNTAX : ERR_SPACE;
	wrap(w, start, TAG_OID);
	if (tag == TAG_PRINTABLE && !is_printable_string(value))
		tag = TAG_UTF8;
	at = w->len;
	wr_bytes(w, value.p, value.len);
	wrap(w, at, tag);
	wrap(w, start, TAG_SEQUENCE);
	wrap(w, start, TAG_SET);
	return wr_ok(w) ? 0 : ERR_SPACE;
}

int dn_parse(const char *text, uint8_t *buf, size_t cap, size_t *ret_len)
{
	char separator = *text == '/' ? '/' : ',';
	struct writer w = wr_init(buf, cap);
	const char *equals, *end;
	int err;

	while (*text) {
		text += strspn(text, separator == '/' ? " /" : " ");
		if (!*text)
			break;
		end = strchrnul(text, separator);
		equals = memchr(text, '=', (size_t)(end - text));
		if (!equals)
			return ERR_SYNTAX;
		err = write_rdn(&w, trim(text, equals), trim(equals + 1, end));
		if (err)
			return err;
		text = *end ? end + 1 : end;
	}
	if (!w.len)
		return ERR_SYNTAX;
	wrap(&w, 0, TAG_SEQUENCE);
	if (!wr_ok(&w))
		return ERR_SPACE;
	*ret_len = w.len;
	return 0;
}

/* ---- DER to text ---- */

static size_t put_printable(char *buf, size_t at, size_t cap, struct view v)
{
	size_t i;

	for (i = 0; i < v.len && at + 1 < cap; i++)
		buf[at++] = isascii(v.p[i]) && isprint(v.p[i]) ? (char)v.p[i] : '?';
	buf[at] = '\0';
	return at;
}

const char *dn_format(struct view der, char *buf, size_t cap)
{
	struct walk w = walk_start(der);
	unsigned last = 0;
	char dots[128];
	struct attr a;
	size_t at = 0;

	if (!cap)
		return buf;
	buf[0] = '\0';
	while (walk_next(&w, &a)) {
		const struct attribute *known = attribute_by_oid(a.oid);
		const char *name = known ? known->name : oid_to_dots(a.oid, dots, sizeof(dots));
		const char *between = !last ? "" : a.set == last ? " + " : ", ";

		at = put_printable(buf, at, cap,
				   (struct view){(const uint8_t *)between, strlen(between)});
		at =
		    put_printable(buf, at, cap, (struct view){(const uint8_t *)name, strlen(name)});
		at = put_printable(buf, at, cap, (struct view){(const uint8_t *)"=", 1});
		at = put_printable(buf, at, cap, a.value);
		last = a.set;
	}
	return buf;
}

/* ---- comparison ---- */

static bool is_text(uint8_t tag)
{
	return tag == TAG_UTF8 || tag == TAG_PRINTABLE || tag == TAG_IA5 || tag == TAG_T61;
}

/* The next character as RFC 5280 §7.1 compares it: lower case, one blank for a run of them, none at
 * the ends; -1 at the end. */
static int next_folded(struct view *v, bool *started)
{
	bool blank = false;

	while (v->len && isspace(v->p[0])) {
		blank = true;
		v->p++;
		v->len--;
	}
	if (!v->len)
		return -1;
	if (blank && *started) {
		*started = false; /* the blank stands for the run; the character comes next */
		return ' ';
	}
	*started = true;
	v->len--;
	return isascii(*v->p) ? tolower(*v->p++) : *v->p++;
}

static bool text_eq(struct view a, struct view b)
{
	bool started_a = false, started_b = false;
	int x, y;

	do {
		x = next_folded(&a, &started_a);
		y = next_folded(&b, &started_b);
	} while (x == y && x >= 0);
	return x == y;
}

static bool value_eq(const struct attr *a, const struct attr *b)
{
	if (is_text(a->tag) && is_text(b->tag))
		return text_eq(a->value, b->value);
	return a->tag == b->tag && view_eq(a->value, b->value);
}

int dn_match(struct view name, struct view pattern, bool wildcards)
{
	struct walk n = walk_start(name), p = walk_start(pattern);
	struct attr a, b;
	int used = 0;
	bool more_a, more_b;

	for (;;) {
		more_a = walk_next(&n, &a);
		more_b = walk_next(&p, &b);
		if (!more_a || !more_b)
			break;
		if (!view_eq(a.oid, b.oid) || a.set != b.set)
			return -1;
		if (wildcards && b.value.len == 1 && b.value.p[0] == '*')
			used++;
		else if (!value_eq(&a, &b))
			return -1;
	}
	return more_a || more_b || n.bad || p.bad ? -1 : used;
}
