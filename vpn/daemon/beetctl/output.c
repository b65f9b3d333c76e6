/* output.c - errors, and vici messages as JSON.
 *
 * Sections become objects, lists arrays, values strings just as they were sent; a value that is no
 * text (UTF-8) becomes a string "0x" and hexadecimal digits. */
#include "vpn/daemon/beetctl/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum exit_code fail(enum exit_code code, const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("beetctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return code;
}

static json_t *json_from_octets(const struct vici_node *value)
{
	json_t *json = json_stringn(value->text, value->len);
	char *hex;
	size_t i;

	if (json)
		return json;
	hex = malloc(2 * value->len + 3);
	if (!hex)
		return json_null();
	sprintf(hex, "0x");
	for (i = 0; i < value->len; i++)
		sprintf(hex + 2 + 2 * i, "%02x", (unsigned char)value->text[i]);
	json = json_string(hex);
	free(hex);
	return json;
}

static json_t *json_from_list(const struct vici_node *list)
{
	json_t *array = json_array();
	const struct vici_node *item;

	for (item = list->child; item; item = item->next)
		json_array_append_new(array, json_from_octets(item));
	return array;
}

json_t *json_from_vici(const struct vici_node *section)
{
	json_t *object = json_object(), *value;
	const struct vici_node *node;

	for (node = section->child; node; node = node->next) {
		if (node->kind == VICI_SECTION)
			value = json_from_vici(node);
		else
			value =
			    node->kind == VICI_LIST ? json_from_list(node) : json_from_octets(node);
		json_object_set_new_nocheck(object, node->name, value);
	}
	return object;
}

void print_json(json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(value);
}

void print_json_line(json_t *value)
{
	json_dumpf(value, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(value);
}

const char *text_at(const struct vici_node *node, const char *name, const char *def)
{
	const char *text = vici_text(node, name);

	return text ? text : def;
}

void print_list(const char *indent, const char *label, const struct vici_node *list)
{
	const struct vici_node *item;

	printf("%s%s", indent, label);
	for (item = list ? list->child : NULL; item; item = item->next)
		printf("%s%s", item->text, item->next ? " " : "");
	putchar('\n');
}
