/* fields.c - the readers of fields.h.
 *
 * The invariant: every failure names the line and, for a value, the key and what would have been
 * right. All memory is the document's. */
#include "harness/fields.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int no_memory(struct err_msg *msg)
{
	return err_set(msg, ERR_NOMEM, "out of memory");
}

static int wrong(const struct doc *doc, const struct field *field, const struct doc_node *node,
		 const char *wanted, struct err_msg *msg)
{
	if (node->kind != DOC_SCALAR)
		return doc_error(doc, node->line, msg, "'%s' must be %s, not %s", field->key,
				 wanted, doc_kind_text(node->kind));
	return doc_error(doc, node->line, msg, "'%s' must be %s, not '%s'", field->key, wanted,
			 node->text);
}

static void list_keys(const struct field *fields, char *text, size_t cap)
{
	size_t len = 0;

	text[0] = 0;
	for (; fields->key && len < cap; fields++)
		len +=
		    (size_t)snprintf(text + len, cap - len, "%s%s", len ? ", " : "", fields->key);
}

static const struct field *find_field(const struct field *fields, const char *key)
{
	for (; fields->key; fields++)
		if (strcmp(fields->key, key) == 0)
			return fields;
	return NULL;
}

static const struct doc_node *find_node(const struct doc_node *map, const char *key)
{
	const struct doc_node *node;

	for (node = map->child; node; node = node->next)
		if (strcmp(node->key, key) == 0)
			return node;
	return NULL;
}

static int unknown_key(const struct doc *doc, const struct field *fields,
		       const struct doc_node *node, struct err_msg *msg)
{
	char known[320];

	list_keys(fields, known, sizeof(known));
	return doc_error(doc, node->line, msg, "unknown key '%s'; known here: %s", node->key,
			 known);
}

int fields_read(struct doc *doc, const struct field *fields, const struct doc_node *map, void *out,
		struct err_msg *msg)
{
	const struct doc_node *node;
	const struct field *field;
	char known[320];
	int err;

	if (map->kind != DOC_MAP) {
		list_keys(fields, known, sizeof(known));
		return doc_error(doc, map->line, msg, "a mapping was expected, with keys of: %s",
				 known);
	}
	for (node = map->child; node; node = node->next) {
		field = find_field(fields, node->key);
		if (!field)
			return unknown_key(doc, fields, node, msg);
		err = field->read(doc, field, node, (char *)out + field->offset, msg);
		if (err < 0)
			return err;
	}
	for (field = fields; field->key; field++)
		if (field->required && !find_node(map, field->key))
			return doc_error(doc, map->line, msg, "'%s' is missing", field->key);
	return 0;
}

bool parse_bool(const char *text, bool *ret_value)
{
	static const char *const words[] = {"no", "yes", "false", "true"};
	size_t i;

	for (i = 0; i < 4; i++) {
		if (strcmp(text, words[i]) == 0) {
			*ret_value = i & 1;
			return true;
		}
	}
	return false;
}

bool parse_whole(const char *text, uint64_t *ret_value)
{
	return !text[strspn(text, "0123456789")] && parse_octets(text, ret_value);
}

static int read_whole(struct doc *doc, const struct field *field, const struct doc_node *node,
		      uint64_t min, uint64_t max, const char *wanted, unsigned *out,
		      struct err_msg *msg)
{
	uint64_t value;

	if (node->kind != DOC_SCALAR || !parse_whole(node->text, &value) || value < min ||
	    value > max)
		return wrong(doc, field, node, wanted, msg);
	*out = (unsigned)value;
	return 0;
}

int field_text(struct doc *doc, const struct field *field, const struct doc_node *node, void *out,
	       struct err_msg *msg)
{
	if (node->kind != DOC_SCALAR)
		return wrong(doc, field, node, "text", msg);
	*(const char **)out = node->text;
	return 0;
}

int field_block(struct doc *doc, const struct field *field, const struct doc_node *node, void *out,
		struct err_msg *msg)
{
	struct text_block *block = out;

	block->line = node->line;
	return field_text(doc, field, node, &block->text, msg);
}

static size_t count_children(const struct doc_node *node)
{
	size_t count = 0;

	for (node = node->child; node; node = node->next)
		count++;
	return count;
}

static void add_text(struct text_list *list, const struct doc_node *node)
{
	list->lines[list->count] = node->line;
	list->items[list->count++] = node->text;
}

int field_texts(struct doc *doc, const struct field *field, const struct doc_node *node, void *out,
		struct err_msg *msg)
{
	struct text_list *list = out;
	const struct doc_node *item = node;

	if (node->kind == DOC_MAP)
		return wrong(doc, field, node, "text or a list of texts", msg);
	list->items = doc_alloc(doc, sizeof(*list->items) * (count_children(node) + 1));
	list->lines = doc_alloc(doc, sizeof(*list->lines) * (count_children(node) + 1));
	if (!list->items || !list->lines)
		return no_memory(msg);
	if (node->kind == DOC_SCALAR) {
		add_text(list, node);
		return 0;
	}
	for (item = node->child; item; item = item->next) {
		if (item->kind != DOC_SCALAR)
			return wrong(doc, field, item, "a list of texts", msg);
		add_text(list, item);
	}
	return 0;
}

/* A number with a unit of the table; false if it is none. */
struct unit {
	const char *name;
	double factor;
};

static bool parse_units(const char *text, const struct unit *units, double max, double *ret_value)
{
	char *end;
	double value;

	if (!isdigit((unsigned char)text[0]))
		return false;
	value = strtod(text, &end);
	for (; units->name; units++) {
		if (strcmp(units->name, end) != 0)
			continue;
		value *= units->factor;
		if (!(value <= max))
			return false;
		*ret_value = value;
		return true;
	}
	return false;
}

bool parse_octets(const char *text, uint64_t *ret_octets)
{
	static const struct unit units[] = {
	    {"", 1}, {"k", 1024}, {"M", 1048576}, {"G", 1073741824}, {NULL, 0}};
	double value;

	if (!parse_units(text, units, 1e15, &value) || value != floor(value))
		return false;
	*ret_octets = (uint64_t)value;
	return true;
}

bool parse_ms(const char *text, unsigned *ret_ms)
{
	static const struct unit units[] = {
	    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {NULL, 0}};
	double value;

	if (!parse_units(text, units, 86400e3, &value))
		return false;
	*ret_ms = (unsigned)value;
	return true;
}

bool parse_fraction(const char *text, double *ret_fraction)
{
	static const struct unit units[] = {{"", 1}, {"%", 0.01}, {NULL, 0}};

	return parse_units(text, units, 1.0, ret_fraction);
}

/* "LO-HI", or one value for both. */
static int read_range(struct doc *doc, const struct field *field, const struct doc_node *node,
		      bool (*parse)(const char *text, unsigned *ret_value), const char *what,
		      unsigned *out, struct err_msg *msg)
{
	char *copy = node->kind == DOC_SCALAR ? doc_strdup(doc, node->text) : NULL, *high = copy;
	char *low = copy ? strsep(&high, "-") : NULL;
	unsigned range[2];

	if (!low || !parse(low, &range[0]) || !parse(high ? high : low, &range[1]) ||
	    range[0] > range[1])
		return wrong(doc, field, node, what, msg);
	memcpy(out, range, sizeof(range));
	return 0;
}

static bool parse_count(const char *text, unsigned *ret_count)
{
	uint64_t value;

	if (!parse_octets(text, &value) || value > 100000 || text[strspn(text, "0123456789")])
		return false;
	*ret_count = (unsigned)value;
	return true;
}

int field_range(struct doc *doc, const struct field *field, const struct doc_node *node, void *out,
		struct err_msg *msg)
{
	return read_range(doc, field, node, parse_count, "a number or a range, '0-3'", out, msg);
}

int field_range_ms(struct doc *doc, const struct field *field, const struct doc_node *node,
		   void *out, struct err_msg *msg)
{
	return read_range(doc, field, node, parse_ms, "a time or a range of times, '1s-40s'", out,
			  msg);
}

int field_unsigned(struct doc *doc, const struct field *field, const struct doc_node *node,
		   void *out, struct err_msg *msg)
{
	return read_whole(doc, field, node, 0, UINT32_MAX, "a number from 0 up", out, msg);
}

int field_count(struct doc *doc, const struct field *field, const struct doc_node *node, void *out,
		struct err_msg *msg)
{
	return read_whole(doc, field, node, 1, UINT32_MAX, "a number from 1 up", out, msg);
}

int field_mtu(struct doc *doc, const struct field *field, const struct doc_node *node, void *out,
	      struct err_msg *msg)
{
	return read_whole(doc, field, node, MTU_MIN, MTU_MAX, "an MTU from 68 to 65535", out, msg);
}

int field_octets(struct doc *doc, const struct field *field, const struct doc_node *node, void *out,
		 struct err_msg *msg)
{
	if (node->kind != DOC_SCALAR || !parse_octets(node->text, out))
		return wrong(doc, field, node, "a number of octets like 1400, 64k or 10M", msg);
	return 0;
}

static bool parse_shift(const char *text, int64_t *ret_seconds)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	bool back = *text == '-';
	uint64_t value;
	char digits[16];
	size_t len, i;

	text += *text == '-' || *text == '+';
	len = strspn(text, "0123456789");
	if (len == 0 || len > 9 || !text[len] || text[len + 1])
		return false;
	snprintf(digits, sizeof(digits), "%.*s", (int)len, text);
	for (i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (units[i].unit != text[len] || !parse_whole(digits, &value))
			continue;
		*ret_seconds = (int64_t)value * units[i].seconds * (back ? -1 : 1);
		return true;
	}
	return false;
}

int field_shift(struct doc *doc, const struct field *field, const struct doc_node *node, void *out,
		struct err_msg *msg)
{
	if (node->kind != DOC_SCALAR || !parse_shift(node->text, out))
		return wrong(doc, field, node, "a shift like +400d, -90m or 0s", msg);
	return 0;
}

int field_ms(struct doc *doc, const struct field *field, const struct doc_node *node, void *out,
	     struct err_msg *msg)
{
	if (node->kind != DOC_SCALAR || !parse_ms(node->text, out))
		return wrong(doc, field, node, "a time like 250ms, 15s or 2m", msg);
	return 0;
}

int field_fraction(struct doc *doc, const struct field *field, const struct doc_node *node,
		   void *out, struct err_msg *msg)
{
	if (node->kind != DOC_SCALAR || !parse_fraction(node->text, out))
		return wrong(doc, field, node, "a share like 2% or 0.02", msg);
	return 0;
}

int field_bool(struct doc *doc, const struct field *field, const struct doc_node *node, void *out,
	       struct err_msg *msg)
{
	if (node->kind != DOC_SCALAR || !parse_bool(node->text, out))
		return wrong(doc, field, node, "yes or no", msg);
	return 0;
}

int field_choice(struct doc *doc, const struct field *field, const struct doc_node *node, void *out,
		 struct err_msg *msg)
{
	const char *const *words = field->arg;
	char wanted[256] = "one of";
	size_t len = strlen(wanted);
	int i;

	for (i = 0; words[i]; i++) {
		if (node->kind == DOC_SCALAR && strcmp(node->text, words[i]) == 0) {
			*(int *)out = i;
			return 0;
		}
		if (len < sizeof(wanted))
			len += (size_t)snprintf(wanted + len, sizeof(wanted) - len, "%s %s",
						i ? "," : "", words[i]);
	}
	return wrong(doc, field, node, wanted, msg);
}

int field_pairs(struct doc *doc, const struct field *field, const struct doc_node *node, void *out,
		struct err_msg *msg)
{
	struct pair_list *list = out;
	const struct doc_node *item;

	if (node->kind != DOC_MAP)
		return wrong(doc, field, node, "a mapping", msg);
	list->items = doc_alloc(doc, sizeof(*list->items) * (count_children(node) + 1));
	if (!list->items)
		return no_memory(msg);
	for (item = node->child; item; item = item->next) {
		if (item->kind != DOC_SCALAR)
			return doc_error(doc, item->line, msg, "'%s' must be text, not %s",
					 item->key, doc_kind_text(item->kind));
		list->items[list->count++] = (struct pair){item->key, item->text, item->line};
	}
	return 0;
}

static int read_item(struct doc *doc, const struct field_type *type, const struct doc_node *node,
		     void *out, struct err_msg *msg)
{
	const struct field *field =
	    type->shorthand ? find_field(type->fields, type->shorthand) : NULL;

	*(unsigned *)((char *)out + type->line_offset) = node->line;
	if (field && node->kind != DOC_MAP)
		return field->read(doc, field, node, (char *)out + field->offset, msg);
	return fields_read(doc, type->fields, node, out, msg);
}

int field_struct(struct doc *doc, const struct field *field, const struct doc_node *node, void *out,
		 struct err_msg *msg)
{
	return read_item(doc, field->arg, node, out, msg);
}

static int read_items(struct doc *doc, const struct field *field, const struct doc_node *node,
		      bool is_map, struct item_list *list, struct err_msg *msg)
{
	const struct field_type *type = field->arg;
	const struct doc_node *item;
	int err;

	if (node->kind != (is_map ? DOC_MAP : DOC_LIST))
		return wrong(doc, field, node, is_map ? "a mapping" : "a list", msg);
	list->items = doc_alloc(doc, type->size * (count_children(node) + 1));
	if (!list->items)
		return no_memory(msg);
	for (item = node->child; item; item = item->next) {
		char *out = (char *)list->items + type->size * list->count++;

		if (is_map)
			*(const char **)(void *)out = item->key;
		err = read_item(doc, type, item, out, msg);
		if (err < 0)
			return err;
	}
	return 0;
}

int field_items(struct doc *doc, const struct field *field, const struct doc_node *node, void *out,
		struct err_msg *msg)
{
	return read_items(doc, field, node, false, out, msg);
}

int field_map_items(struct doc *doc, const struct field *field, const struct doc_node *node,
		    void *out, struct err_msg *msg)
{
	return read_items(doc, field, node, true, out, msg);
}
