/* attempts.c - what is to be brought up, and how long that is tried.
 *
 * An attempt names a connection and a child. It either waits for its time, or an IKE SA works on
 * it; the outcome arrives as an event. It ends when the child (or, without one, the IKE SA) is up,
 * when the peer refused, when somebody terminates it, or when keyingtries sequences of
 * retransmissions went unanswered (swanctl.conf(5); 0: never). That limit is of the first connect;
 * a child of start_action = start that was lost is tried for ever. What could not even be sent - no
 * route, a name not resolved yet - is no try, and is tried again for ever: a host whose network
 * comes up late must not stay without its tunnel.
 *
 * Timers: `due` of each waiting attempt; first at once, then 1 s, 2 s, 4 s ... 60 s, each with up
 * to a quarter more, so that two peers that restart together do not meet every time. */
#include <stdlib.h>
#include <string.h>

#include "vpn/node/internal.h"

#define SECOND	    UINT64_C(1000000)
#define BACKOFF_MAX (60 * SECOND)

static bool names_eq(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static struct attempt *attempt_find(const struct node *node, const char *conn, const char *child)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &node->attempts) {
		struct attempt *a = list_entry(pos, struct attempt, link);

		if (strcmp(a->conn, conn) == 0 && names_eq(a->child, child))
			return a;
	}
	return NULL;
}

static void attempt_free(struct attempt *a)
{
	list_remove(&a->link);
	free(a->conn);
	free(a->child);
	free(a);
}

static struct attempt *attempt_new(struct node *node, const char *conn, const char *child)
{
	struct attempt *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	list_init(&a->link);
	a->conn = strdup(conn);
	a->child = child ? strdup(child) : NULL;
	if (!a->conn || (child && !a->child)) {
		attempt_free(a);
		return NULL;
	}
	a->due = node->now;
	list_append(&node->attempts, &a->link);
	return a;
}

void attempt_start(struct node *node, const char *conn, const char *child)
{
	if (!node->stopping && !attempt_find(node, conn, child))
		attempt_new(node, conn, child);
}

void attempt_start_for(struct node *node, const char *conn, const char *child,
		       const struct ts_packet *packet)
{
	struct attempt *a;

	if (node->stopping || attempt_find(node, conn, child))
		return;
	a = attempt_new(node, conn, child);
	if (!a)
		return;
	a->has_packet = true;
	a->packet = *packet;
}

void attempt_restore(struct node *node, const char *conn, const char *child)
{
	struct attempt *a;

	attempt_start(node, conn, child);
	a = attempt_find(node, conn, child);
	if (a)
		a->restores = true;
}

void attempt_follow(struct node *node, const char *conn, const char *child, uint32_t ike_id)
{
	struct attempt *a = attempt_find(node, conn, child);

	if (!a)
		a = attempt_new(node, conn, child);
	if (a)
		a->ike_id = ike_id;
}

size_t attempts_forget(struct node *node, const char *conn, const char *child, uint32_t ike_id)
{
	struct list *pos, *tmp;
	size_t waiting = 0;

	list_for_each (pos, tmp, &node->attempts) {
		struct attempt *a = list_entry(pos, struct attempt, link);

		if (conn && strcmp(conn, a->conn) != 0)
			continue;
		if (child && !names_eq(child, a->child))
			continue;
		if (ike_id && ike_id != a->ike_id)
			continue;
		waiting += !a->ike_id;
		attempt_free(a);
	}
	return waiting;
}

static void attempt_delay(struct node *node, struct attempt *a)
{
	uint64_t delay = a->delays < 6 ? SECOND << a->delays : BACKOFF_MAX;
	uint8_t dice = 0;

	if (node->env.random(node->env.ctx, &dice, 1))
		dice = 0;
	a->delays++;
	a->ike_id = 0;
	a->due = node->now + delay + delay / 4 * dice / 256;
}

static void attempt_log(struct node *node, const struct attempt *a, const char *text)
{
	outbox_log(&node->outbox, LOG_CFG, 1, a->conn, "%s%s%s: %s", a->conn, a->child ? "/" : "",
		   a->child ? a->child : "", text);
}

static void attempt_run(struct node *node, struct attempt *a)
{
	const struct child_cfg *cfg;
	struct ike_conn *conn = conns_find_child(&node->conns, a->conn, a->child, &cfg);
	struct err_msg msg;
	int err;

	if (!conn || sa_is_up(node, a->conn, a->child)) {
		attempt_free(a);
		return;
	}
	err = initiate(node, conn, cfg, a->has_packet ? &a->packet : NULL, &a->ike_id, &msg);
	if (!err) {
		a->told = false;
		return;
	}
	if (!a->told)
		attempt_log(node, a, msg.text);
	a->told = true;
	if (err == ERR_INVALID)
		attempt_free(a);
	else
		attempt_delay(node, a);
}

void attempts_hurry(struct node *node)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &node->attempts) {
		struct attempt *a = list_entry(pos, struct attempt, link);

		a->delays = 0;
		if (!a->ike_id)
			a->due = node->now;
	}
}

void attempts_expire(struct node *node)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &node->attempts) {
		struct attempt *a = list_entry(pos, struct attempt, link);

		if (!a->ike_id && a->due <= node->now)
			attempt_run(node, a);
	}
}

uint64_t attempts_deadline(const struct node *node)
{
	uint64_t first = UINT64_MAX;
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &node->attempts) {
		const struct attempt *a = list_entry(pos, struct attempt, link);

		if (!a->ike_id && a->due < first)
			first = a->due;
	}
	return first;
}

/* One sequence of retransmissions went unanswered. */
static void attempt_unanswered(struct node *node, struct attempt *a)
{
	const struct ike_conn *conn = conns_find(&node->conns, a->conn);

	a->tries++;
	if (!conn || (!a->restores && conn->keyingtries && a->tries >= conn->keyingtries)) {
		attempt_log(node, a, "given up, the peer does not answer");
		attempt_free(a);
		return;
	}
	attempt_log(node, a, "the peer does not answer, will try again");
	attempt_delay(node, a);
}

/* No try: it was the host that went elsewhere. */
static void attempt_again(struct node *node, struct attempt *a)
{
	a->ike_id = 0;
	a->due = node->now;
}

/* A failed IKE SA reports its children first, so that both look alike here. */
static void attempt_failed(struct node *node, struct attempt *a, enum ike_cause cause)
{
	if (cause == CAUSE_TIMEOUT)
		attempt_unanswered(node, a);
	else if (cause == CAUSE_MOVED || cause == CAUSE_REAUTH)
		attempt_again(node, a);
	else
		attempt_free(a);
}

/* The established IKE SA that it went over ended: that is no answer to what was asked for. Not at
 * once, since the peer may end the next one as soon. */
static void attempt_left_alone(struct node *node, struct attempt *a, enum ike_cause cause)
{
	if (cause == CAUSE_PEER || cause == CAUSE_EXPIRED)
		attempt_delay(node, a);
	else
		attempt_failed(node, a, cause);
}

static void attempt_react(struct node *node, struct attempt *a, const struct reaction *r)
{
	bool mine = a->child && names_eq(a->child, r->child);

	switch (r->kind) {
	case EVENT_IKE_UP:
		if (!a->child)
			attempt_free(a);
		break;
	case EVENT_CHILD_UP:
		if (mine)
			attempt_free(a);
		break;
	case EVENT_CHILD_FAILED:
		if (mine && r->established && !r->refused)
			attempt_left_alone(node, a, r->cause);
		else if (mine)
			attempt_failed(node, a, r->cause);
		break;
	case EVENT_IKE_FAILED:
		attempt_failed(node, a, r->cause);
		break;
	case EVENT_IKE_DOWN:
		attempt_left_alone(node, a, r->cause);
		break;
	default:
		break;
	}
}

/* The new IKE SA goes on with what the old one had to do (RFC 7296 §2.8). */
static void attempts_inherit(struct node *node, uint32_t old_id, uint32_t new_id)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &node->attempts) {
		struct attempt *a = list_entry(pos, struct attempt, link);

		if (a->ike_id && a->ike_id == old_id)
			a->ike_id = new_id;
	}
}

void attempts_react(struct node *node, const struct reaction *r)
{
	struct list *pos, *tmp;

	if (r->kind == EVENT_IKE_REKEYED) {
		attempts_inherit(node, r->old_id, r->ike_id);
		return;
	}
	list_for_each (pos, tmp, &node->attempts) {
		struct attempt *a = list_entry(pos, struct attempt, link);

		if (a->ike_id && a->ike_id == r->ike_id)
			attempt_react(node, a, r);
	}
}
