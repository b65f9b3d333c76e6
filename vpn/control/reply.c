/* reply.c - what replies and events have in common: success and errmsg, optional fields, arguments.
 *
 * vici has no types: numbers and switches are text. A switch that is off is left out rather than
 * sent as "no", as strongSwan does. */
#include "vpn/control/internal.h"

#include <stdarg.h>
#include <stdio.h>

#include "vpn/vici/value.h"

enum command_result reply_ok(struct vici_writer *reply)
{
	vici_value_str(reply, "success", "yes");
	return REPLY_NOW;
}

enum command_result reply_error(struct vici_writer *reply, const char *fmt, ...)
{
	char text[700];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	vici_value_str(reply, "success", "no");
	vici_value_str(reply, "errmsg", text);
	return REPLY_NOW;
}

enum command_result reply_result(struct vici_writer *reply, int err, const char *what,
				 const char *name)
{
	if (!err)
		return reply_ok(reply);
	return reply_error(reply, "%s '%s': %s", what, name, err_text(err));
}

void put_yes(struct vici_writer *v, const char *key, bool yes)
{
	if (yes)
		vici_value_str(v, key, "yes");
}

void put_ts_list(struct vici_writer *v, const char *key, const struct ts_list *list)
{
	char text[TS_STRLEN];
	size_t i;

	vici_list(v, key);
	for (i = 0; list && i < list->n; i++)
		vici_item_str(v, ts_format(&list->v[i], text, sizeof(text)));
	vici_list_end(v);
}

void put_identity(struct vici_writer *v, const char *key, const struct identity *id)
{
	char text[IDENTITY_STRLEN];

	vici_value_str(v, key, id ? identity_format(id, text, sizeof(text)) : "%any");
}

const char *need_text(const struct vici_node *args, const char *key, struct vici_writer *reply)
{
	const char *text = vici_text(args, key);

	if (!text || !*text) {
		reply_error(reply, "the command needs '%s'", key);
		return NULL;
	}
	return text;
}

int get_u32(const struct vici_node *args, const char *key, uint32_t *ret_value)
{
	const char *text = vici_text(args, key);
	uint64_t value;

	if (!text)
		return 0;
	if (vici_parse_uint(text, UINT32_MAX, &value))
		return ERR_SYNTAX;
	*ret_value = (uint32_t)value;
	return 0;
}
