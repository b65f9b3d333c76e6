/* terminate.c - which SAs a command means, and their end or their rekeying.
 *
 * What matches is collected first and ended afterwards, because ending an SA may move the others. A
 * child that is ended leaves its IKE SA up, as in strongSwan. Attempts to bring up what is
 * terminated end, too. */
#include <stdlib.h>
#include <string.h>

#include "vpn/node/internal.h"

struct id_list {
	uint32_t *v;
	size_t n;
	bool failed;
};

static void id_list_add(struct id_list *list, uint32_t id)
{
	uint32_t *v = reallocarray(list->v, list->n + 1, sizeof(*v));

	if (!v) {
		list->failed = true;
		return;
	}
	list->v = v;
	v[list->n++] = id;
}

static bool ike_matches(const struct node_match *match, const struct ike_sa_info *sa)
{
	return (!match->ike || strcmp(match->ike, sa->conn->name) == 0) &&
	       (!match->ike_id || match->ike_id == sa->id);
}

static bool child_matches(const struct node_match *match, const struct child_sa_info *child)
{
	return (!match->child || strcmp(match->child, child->cfg->name) == 0) &&
	       (!match->child_id || match->child_id == child->id);
}

static void collect_children(const struct node *node, const struct node_match *match,
			     uint32_t ike_id, struct id_list *list)
{
	struct child_sa_info child;
	size_t i;

	for (i = 0; node_child_sa(node, ike_id, i, &child); i++) {
		if (child_matches(match, &child))
			id_list_add(list, child.id);
	}
}

static struct id_list collect(const struct node *node, const struct node_match *match,
			      bool children)
{
	struct id_list list = {0};
	struct ike_sa_info sa;
	size_t i;

	for (i = 0; node_ike_sa(node, i, &sa); i++) {
		if (!ike_matches(match, &sa))
			continue;
		if (children)
			collect_children(node, match, sa.id, &list);
		else
			id_list_add(&list, sa.id);
	}
	return list;
}

int node_terminate(struct node *node, const struct node_match *match, bool force, uint64_t now,
		   size_t *ret_count)
{
	bool children = match->child || match->child_id;
	struct id_list list;
	size_t i, count = 0;
	int err;

	node->now = now;
	if (!match->child_id)
		count += attempts_forget(node, match->ike, match->child, match->ike_id);
	list = collect(node, match, children);
	for (i = 0; i < list.n; i++) {
		err = children ? ike_engine_terminate_child(node->engine, list.v[i], force, now)
			       : ike_engine_terminate_ike(node->engine, list.v[i], force, now);
		if (!err)
			count++;
	}
	free(list.v);
	if (list.failed)
		return ERR_NOMEM;
	*ret_count = count;
	return 0;
}

static int call_for(struct node *node, const struct node_match *match, bool children,
		    int (*call)(struct ike_engine *, uint32_t, uint64_t), size_t *ret_count)
{
	struct id_list list = collect(node, match, children);
	size_t i, count = 0;

	for (i = 0; i < list.n; i++)
		count += call(node->engine, list.v[i], node->now) == 0;
	free(list.v);
	if (list.failed)
		return ERR_NOMEM;
	*ret_count = count;
	return 0;
}

int node_rekey(struct node *node, const struct node_match *match, uint64_t now, size_t *ret_count)
{
	bool children = match->child || match->child_id;

	node->now = now;
	return call_for(node, match, children,
			children ? ike_engine_rekey_child : ike_engine_rekey_ike, ret_count);
}

int node_reauth(struct node *node, const struct node_match *match, uint64_t now, size_t *ret_count)
{
	node->now = now;
	return call_for(node, match, false, ike_engine_reauth, ret_count);
}

void node_stop(struct node *node, uint64_t now)
{
	size_t count;

	node->stopping = true;
	node->names_due = node->traps_due = UINT64_MAX;
	traps_remove(node, NULL);
	node_terminate(node, &(struct node_match){0}, false, now, &count);
}

static bool child_is_up(const struct node *node, uint32_t ike_id, const char *name)
{
	struct child_sa_info child;
	size_t i;

	for (i = 0; node_child_sa(node, ike_id, i, &child); i++) {
		if (child.state <= CHILD_REKEYING && strcmp(child.cfg->name, name) == 0)
			return true;
	}
	return false;
}

bool sa_is_up(const struct node *node, const char *conn, const char *child)
{
	struct ike_sa_info sa;
	size_t i;

	for (i = 0; node_ike_sa(node, i, &sa); i++) {
		if (sa.state > IKE_REKEYED || strcmp(sa.conn->name, conn) != 0)
			continue;
		if (child ? child_is_up(node, sa.id, child) : sa.state <= IKE_REKEYING)
			return true;
	}
	return false;
}
