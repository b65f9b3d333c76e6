/* traps.c - children that come up with their first packet (start_action = trap).
 *
 * A trap is selectors with a number: the owner reports the first packet that they cover and no SA
 * takes, and the child is brought up like any other attempt. The trap stays while the SA is up, so
 * that a child that is gone comes back with its next packet.
 *
 * A trap whose addresses are not known yet (a DNS name, no route) waits for them.
 *
 * Timers: traps_due; every TRAP_AGAIN while a trap waits. */
#include <stdlib.h>
#include <string.h>

#include "vpn/node/internal.h"

#define TRAP_AGAIN UINT64_C(2000000) /* microseconds */

static struct trap *trap_of(const struct node *node, const char *conn, const char *child)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &node->traps) {
		struct trap *t = list_entry(pos, struct trap, link);

		if (strcmp(t->conn->name, conn) == 0 && strcmp(t->cfg->name, child) == 0)
			return t;
	}
	return NULL;
}

static void trap_free(struct trap *t)
{
	list_remove(&t->link);
	ts_list_free(&t->local_ts);
	ts_list_free(&t->remote_ts);
	ike_conn_unref(t->conn);
	free(t);
}

/* "dynamic" is the address that the SA would have (swanctl.conf(5) local_ts). */
static int trap_resolve(struct node *node, struct trap *t, struct err_msg *msg)
{
	struct endpoint local, remote;
	int err;

	err = initiate_endpoints(node, t->conn, &local, &remote, msg);
	if (err)
		return err;
	err = ts_list_resolve(&t->cfg->local_ts, &local.addr, &t->local_ts);
	if (!err)
		err = ts_list_resolve(&t->cfg->remote_ts, &remote.addr, &t->remote_ts);
	return err ? err_set(msg, err, "selectors: %s", err_text(err)) : 0;
}

/* Sets the trap, or leaves it waiting, or drops it if it can never be set. */
static void trap_set(struct node *node, struct trap *t)
{
	struct err_msg msg;
	int err;

	err = trap_resolve(node, t, &msg);
	if (err && !t->waiting)
		outbox_log(&node->outbox, LOG_CFG, 1, t->conn->name, "no trap for %s: %s",
			   t->cfg->name, msg.text);
	t->waiting = err != 0;
	if (!err)
		outbox_trap(&node->outbox, t, true);
	else if (err == ERR_AGAIN)
		node->traps_due = node->now + TRAP_AGAIN;
	else
		trap_free(t);
}

static void add(struct node *node, struct ike_conn *conn, const struct child_cfg *child, bool guard)
{
	struct trap *t = trap_of(node, conn->name, child->name);

	if (t)
		t->guard &= guard;
	if (t || node->stopping)
		return;
	t = calloc(1, sizeof(*t));
	if (!t)
		return;
	t->guard = guard;
	t->conn = ike_conn_ref(conn);
	t->cfg = child;
	t->id = ++node->last_trap_id;
	list_append(&node->traps, &t->link);
	trap_set(node, t);
}

void trap_add(struct node *node, struct ike_conn *conn, const struct child_cfg *child)
{
	add(node, conn, child, false);
}

void trap_guard(struct node *node, struct ike_conn *conn, const struct child_cfg *child)
{
	add(node, conn, child, true);
}

void trap_unguard(struct node *node, const char *conn, const char *child)
{
	struct trap *t = child ? trap_of(node, conn, child) : NULL;

	if (!t || !t->guard)
		return;
	if (!t->waiting)
		outbox_trap(&node->outbox, t, false);
	trap_free(t);
}

void traps_expire(struct node *node)
{
	struct list *pos, *tmp;

	if (node->traps_due > node->now)
		return;
	node->traps_due = UINT64_MAX;
	list_for_each (pos, tmp, &node->traps) {
		struct trap *t = list_entry(pos, struct trap, link);

		if (t->waiting)
			trap_set(node, t);
	}
}

void traps_remove(struct node *node, const char *conn)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &node->traps) {
		struct trap *t = list_entry(pos, struct trap, link);

		if (conn && strcmp(t->conn->name, conn) != 0)
			continue;
		if (!t->waiting)
			outbox_trap(&node->outbox, t, false);
		trap_free(t);
	}
}

void node_acquire(struct node *node, uint32_t trap_id, const struct ts_packet *packet, uint64_t now)
{
	struct list *pos, *tmp;

	node->now = now;
	list_for_each (pos, tmp, &node->traps) {
		struct trap *t = list_entry(pos, struct trap, link);

		if (t->id == trap_id)
			attempt_start_for(node, t->conn->name, t->cfg->name, packet);
	}
}
