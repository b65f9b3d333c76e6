/* trouble.c - why a connection does not work: its last failure, kept until the next success.
 *
 * Events pass; somebody who asks later (list-conns, beetctl explain) wants to know what the last
 * one said. One entry for a connection, the newest wins; an entry goes when the same thing comes
 * up. What ended as it should (by command, by rekeying) is no failure. Memory is bounded by
 * TROUBLES_MAX; when it is out, the failure is not kept. */
#include "vpn/control/internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SECOND UINT64_C(1000000)

static void forget(struct trouble *t)
{
	free(t->conn);
	free(t->child);
	free(t->text);
	*t = (struct trouble){0};
}

/* The connection's own entry, or a free one, or the oldest. */
static struct trouble *place_for(struct control *control, const char *conn)
{
	struct trouble *best = &control->troubles[0];
	size_t i;

	for (i = 0; i < TROUBLES_MAX; i++) {
		struct trouble *t = &control->troubles[i];

		if (t->conn && !strcmp(t->conn, conn))
			return t;
		if (best->conn && (!t->conn || t->at < best->at))
			best = t;
	}
	return best;
}

static void keep(struct control *control, const struct ike_event *event, uint64_t now)
{
	const char *conn = event->ike.conn->name;
	struct trouble *t = place_for(control, conn);

	forget(t);
	*t = (struct trouble){.conn = strdup(conn),
			      .child = event->have_child ? strdup(event->child.cfg->name) : NULL,
			      .cause = event->cause,
			      .notify = event->notify,
			      .text = strdup(event->text),
			      .at = now};
	if (!t->conn || !t->text || (event->have_child && !t->child))
		forget(t);
}

static bool is_trouble(const struct ike_event *event)
{
	/* By command; what our own configuration forbids has a notify. */
	if (event->cause == CAUSE_LOCAL && !event->notify)
		return false;
	switch (event->kind) {
	case EVENT_IKE_FAILED:
	case EVENT_CHILD_FAILED:
		return true;
	case EVENT_IKE_DOWN:
		return event->cause == CAUSE_TIMEOUT || event->cause == CAUSE_ERROR;
	default:
		return false;
	}
}

/* An IKE SA that comes up mends what was wrong with IKE SAs, a child what was wrong with it. */
static void mend(struct control *control, const struct ike_event *event)
{
	struct trouble *t = place_for(control, event->ike.conn->name);

	if (!t->conn || strcmp(t->conn, event->ike.conn->name) != 0)
		return;
	if (event->kind == EVENT_IKE_UP ? !t->child
					: !t->child || !strcmp(t->child, event->child.cfg->name))
		forget(t);
}

void trouble_event(struct control *control, const struct ike_event *event, uint64_t now)
{
	if (!event->have_ike || !event->ike.conn)
		return;
	if (is_trouble(event))
		keep(control, event, now);
	else if (event->kind == EVENT_IKE_UP || event->kind == EVENT_CHILD_UP)
		mend(control, event);
}

void put_trouble(struct vici_writer *v, const struct control *control, const char *conn,
		 uint64_t now)
{
	const struct trouble *t;
	size_t i;

	for (i = 0; i < TROUBLES_MAX; i++) {
		t = &control->troubles[i];
		if (!t->conn || strcmp(t->conn, conn) != 0)
			continue;
		vici_value_str(v, "last-failure", t->text);
		if (ike_cause_name(t->cause))
			vici_value_str(v, "last-failure-cause", ike_cause_name(t->cause));
		if (t->notify)
			vici_value_fmt(v, "last-failure-notify", "%u", t->notify);
		if (t->child)
			vici_value_str(v, "last-failure-child", t->child);
		vici_value_fmt(v, "last-failure-age", "%" PRIu64, (now - t->at) / SECOND);
	}
}

void troubles_free(struct control *control)
{
	size_t i;

	for (i = 0; i < TROUBLES_MAX; i++)
		forget(&control->troubles[i]);
}
