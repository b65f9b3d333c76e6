/* outbox.c - the actions that the node adds to the engine's.
 *
 * A queue of copies: what an action points at (a sentence, selectors) belongs to its item. The item
 * that was handed out last lives until the next one is asked for, as node.h promises. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vpn/node/internal.h"

struct outbox_item {
	struct list link;
	struct ike_action action;
	struct ts_list local_ts, remote_ts;
	char *conn;
	char text[256];
};

static void item_free(struct outbox_item *item)
{
	if (!item)
		return;
	ts_list_free(&item->local_ts);
	ts_list_free(&item->remote_ts);
	free(item->conn);
	free(item);
}

static struct outbox_item *item_new(enum ike_action_type type)
{
	struct outbox_item *item = calloc(1, sizeof(*item));

	if (item)
		item->action.type = type;
	return item;
}

void outbox_init(struct outbox *outbox)
{
	list_init(&outbox->waiting);
	outbox->handed_out = NULL;
}

static struct outbox_item *outbox_pop(struct outbox *outbox)
{
	struct outbox_item *item;

	if (list_empty(&outbox->waiting))
		return NULL;
	item = list_entry(outbox->waiting.next, struct outbox_item, link);
	list_remove(&item->link);
	return item;
}

void outbox_free(struct outbox *outbox)
{
	struct outbox_item *item;

	while ((item = outbox_pop(outbox)))
		item_free(item);
	item_free(outbox->handed_out);
	outbox->handed_out = NULL;
}

const struct ike_action *outbox_next(struct outbox *outbox)
{
	item_free(outbox->handed_out);
	outbox->handed_out = outbox_pop(outbox);
	return outbox->handed_out ? &outbox->handed_out->action : NULL;
}

void outbox_interface(struct outbox *outbox, uint32_t if_id)
{
	struct outbox_item *item = item_new(IKE_ACTION_INTERFACE);

	if (!item)
		return;
	item->action.if_id = if_id;
	list_append(&outbox->waiting, &item->link);
}

void outbox_trap(struct outbox *outbox, const struct trap *trap, bool add)
{
	struct outbox_item *item = item_new(add ? IKE_ACTION_TRAP_ADD : IKE_ACTION_TRAP_REMOVE);

	if (!item)
		return;
	item->action.trap.id = trap->id;
	item->action.trap.if_id = child_if_id_out(trap->conn, trap->cfg);
	if (add) {
		if (ts_list_copy(&trap->local_ts, &item->local_ts) ||
		    ts_list_copy(&trap->remote_ts, &item->remote_ts)) {
			item_free(item);
			return;
		}
		item->action.trap.local_ts = &item->local_ts;
		item->action.trap.remote_ts = &item->remote_ts;
	}
	list_append(&outbox->waiting, &item->link);
}

void outbox_log(struct outbox *outbox, enum ike_log_group group, int level, const char *conn,
		const char *fmt, ...)
{
	struct outbox_item *item = item_new(IKE_ACTION_LOG);
	va_list args;

	if (!item)
		return;
	va_start(args, fmt);
	vsnprintf(item->text, sizeof(item->text), fmt, args);
	va_end(args);
	item->conn = conn ? strdup(conn) : NULL;
	item->action.log = (struct ike_log){
	    .group = group, .level = level, .ike_name = item->conn, .text = item->text};
	list_append(&outbox->waiting, &item->link);
}
