/* react.c - what the node does about events.
 *
 * An event is noted when the owner fetches it and acted upon when he comes back, so that the action
 * he is looking at stays good (action.h). Reactions work on names and identifiers, which are looked
 * up again: meanwhile the connection may have been reloaded and the SA may be gone. */
#include <stdlib.h>
#include <string.h>

#include "vpn/node/internal.h"

static bool is_of_interest(enum ike_event_kind kind)
{
	switch (kind) {
	case EVENT_IKE_UP:
	case EVENT_IKE_DOWN:
	case EVENT_IKE_FAILED:
	case EVENT_IKE_REKEYED:
	case EVENT_CHILD_UP:
	case EVENT_CHILD_DOWN:
	case EVENT_CHILD_FAILED:
		return true;
	default:
		return false;
	}
}

static void reaction_free(struct reaction *r)
{
	list_remove(&r->link);
	free(r->conn);
	free(r->child);
	free(r);
}

void react_note(struct node *node, const struct ike_event *ev)
{
	struct reaction *r;

	if (!ev->have_ike || !ev->ike.conn || !is_of_interest(ev->kind))
		return;
	r = calloc(1, sizeof(*r));
	if (!r)
		return;
	list_append(&node->reactions, &r->link);
	r->kind = ev->kind;
	r->cause = ev->cause;
	r->ike_id = ev->ike.id;
	r->old_id = ev->number;
	r->established = ev->ike.established != 0;
	r->refused = ev->notify != 0;
	r->conn = strdup(ev->ike.conn->name);
	if (ev->have_child && ev->child.cfg)
		r->child = strdup(ev->child.cfg->name);
	if (!r->conn)
		reaction_free(r);
}

/* Reauthentication, break before make: what is sent meanwhile must not leave in the clear. */
static void come_back(struct node *node, struct ike_conn *conn, const struct child_cfg *cfg)
{
	if (sa_is_up(node, conn->name, cfg->name))
		return;
	trap_guard(node, conn, cfg);
	attempt_start(node, conn->name, cfg->name);
}

/* The peer is dead. Or a hard lifetime ended a child that could not be rekeyed in time, as a rule
 * since the peer does not answer; when that is noticed at last, the child is no longer there to be
 * brought back, so this is its moment. Whoever wrote start_action = start wants the child up:
 * dpd_action = clear, the default, does not leave it down for good. */
static enum child_action lost_action(const struct child_cfg *cfg)
{
	if (cfg->dpd_action != ACTION_NONE)
		return cfg->dpd_action;
	return cfg->start_action == ACTION_START ? ACTION_START : ACTION_NONE;
}

/* swanctl.conf(5) dpd_action and close_action of a child that is gone. One that could not follow
 * our address comes back in any case. */
static void child_down(struct node *node, const struct reaction *r)
{
	struct ike_conn *conn = conns_find(&node->conns, r->conn);
	const struct child_cfg *cfg;
	enum child_action action = ACTION_NONE;

	cfg = conn && r->child ? ike_conn_find_child(conn, r->child) : NULL;
	if (!cfg)
		return;
	if (r->cause == CAUSE_REAUTH)
		come_back(node, conn, cfg);
	else if (r->cause == CAUSE_MOVED)
		action = ACTION_START;
	else if (r->cause == CAUSE_TIMEOUT || r->cause == CAUSE_EXPIRED)
		action = lost_action(cfg);
	else if (r->cause == CAUSE_PEER)
		action = cfg->close_action;
	if (action == ACTION_START && cfg->start_action == ACTION_START)
		attempt_restore(node, r->conn, r->child);
	else if (action == ACTION_START)
		attempt_start(node, r->conn, r->child);
	else if (action == ACTION_TRAP)
		trap_add(node, conn, cfg);
}

static bool same_peer(const struct ike_sa_info *a, const struct ike_sa_info *b)
{
	return a->id != b->id && a->local_id && b->local_id && a->remote_id && b->remote_id &&
	       identity_eq(a->local_id, b->local_id) && identity_eq(a->remote_id, b->remote_id);
}

/* The oldest other established IKE SA with the same peer; 0: there is none. */
static uint32_t other_sa(const struct node *node, const struct ike_sa_info *sa)
{
	struct ike_sa_info other;
	size_t i;

	for (i = 0; node_ike_sa(node, i, &other); i++) {
		if (other.state == IKE_ESTABLISHED && same_peer(sa, &other))
			return other.id;
	}
	return 0;
}

/* swanctl.conf(5) unique: replace ends the older SAs of a peer, keep the newcomer. With no and
 * never nothing is to be done here. */
static void enforce_unique(struct node *node, uint32_t ike_id)
{
	struct ike_sa_info sa;
	uint32_t other;

	if (!node_ike_sa_by_id(node, ike_id, &sa) || sa.state != IKE_ESTABLISHED)
		return;
	if (sa.reauth_of) /* the old one goes when the new one is complete */
		return;
	if (sa.conn->unique != UNIQUE_REPLACE && sa.conn->unique != UNIQUE_KEEP)
		return;
	other = other_sa(node, &sa);
	if (!other)
		return;
	if (sa.conn->unique == UNIQUE_KEEP)
		other = ike_id;
	outbox_log(&node->outbox, LOG_IKE, 1, sa.conn->name,
		   "unique: ending IKE_SA #%u, another one is up with the same peer", other);
	ike_engine_terminate_ike(node->engine, other, false, node->now);
}

static void react(struct node *node, const struct reaction *r)
{
	attempts_react(node, r);
	if (r->kind == EVENT_CHILD_DOWN)
		child_down(node, r);
	if (r->kind == EVENT_CHILD_UP)
		trap_unguard(node, r->conn, r->child);
	if (r->kind == EVENT_IKE_DOWN && r->cause == CAUSE_REAUTH &&
	    conns_find(&node->conns, r->conn))
		attempt_start(node, r->conn, NULL);
	if (r->kind == EVENT_IKE_UP)
		enforce_unique(node, r->ike_id);
}

void react_all(struct node *node)
{
	struct reaction *r;

	while (!list_empty(&node->reactions)) {
		r = list_entry(node->reactions.next, struct reaction, link);
		react(node, r);
		reaction_free(r);
	}
}

void react_free(struct node *node)
{
	while (!list_empty(&node->reactions))
		reaction_free(list_entry(node->reactions.next, struct reaction, link));
}
