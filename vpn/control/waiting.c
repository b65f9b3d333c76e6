/* waiting.c - commands whose answer comes with an event: initiate and terminate.
 *
 *	initiate   is done when its child (or, without one, its IKE SA) is up, failed, or went down
 *	terminate  is done when none of the SAs that it found is there any more
 *
 * or when the client's time is over; then what was begun goes on without it, as in strongSwan. An
 * initiate to a DNS name that is being looked up for the first time begins when that is over. */
#include "vpn/control/internal.h"

#include <stdlib.h>
#include <string.h>

#define NAME_RETRY UINT64_C(20000) /* microseconds */

void waiting_clear(struct waiting *w)
{
	free(w->child);
	free(w->ike);
	free(w->ike_ids);
	free(w->child_ids);
	*w = (struct waiting){.deadline = UINT64_MAX, .retry_at = UINT64_MAX};
}

static int add_id(uint32_t **ids, size_t *n, uint32_t id)
{
	uint32_t *bigger = realloc(*ids, (*n + 1) * sizeof(*bigger));

	if (!bigger)
		return ERR_NOMEM;
	*ids = bigger;
	bigger[(*n)++] = id;
	return 0;
}

int waiting_add_ike(struct waiting *w, uint32_t id)
{
	return add_id(&w->ike_ids, &w->n_ike_ids, id);
}

int waiting_add_child(struct waiting *w, uint32_t id)
{
	return add_id(&w->child_ids, &w->n_child_ids, id);
}

bool waiting_has_ike(const struct waiting *w, uint32_t id)
{
	size_t i;

	for (i = 0; i < w->n_ike_ids; i++)
		if (w->ike_ids[i] == id)
			return true;
	return false;
}

static void finish(struct control_session *s, const char *error)
{
	struct vici_writer reply = {0};
	size_t count = s->waiting.n_child_ids ? s->waiting.n_child_ids : s->waiting.n_ike_ids;
	bool terminated = s->waiting.what == WAITING_GONE;

	waiting_clear(&s->waiting);
	s->more = true; /* commands may have come meanwhile */
	vici_begin(&reply, VICI_CMD_RESPONSE, "");
	if (error)
		reply_error(&reply, "%s", error);
	else
		reply_ok(&reply);
	if (terminated) {
		vici_value_fmt(&reply, "matches", "%zu", count);
		vici_value_fmt(&reply, "terminated", "%zu", error ? 0 : count);
	}
	session_reply(s, &reply);
}

static void finish_failed(struct control_session *s, const struct ike_event *event)
{
	struct err_msg msg;

	err_set(&msg, 0, "%s '%s' failed: %s",
		s->waiting.child ? "establishing CHILD_SA" : "establishing IKE_SA",
		s->waiting.child ? s->waiting.child : event->ike.conn->name, event->text);
	finish(s, msg.text);
}

static bool is_my_child(const struct waiting *w, const struct ike_event *event)
{
	return w->child && event->have_child && !strcmp(event->child.cfg->name, w->child);
}

static void waiting_for_up(struct control_session *s, const struct ike_event *event)
{
	const struct waiting *w = &s->waiting;

	if (!event->have_ike || !waiting_has_ike(w, event->ike.id))
		return;
	switch (event->kind) {
	case EVENT_IKE_UP:
		if (!w->child)
			finish(s, NULL);
		break;
	case EVENT_CHILD_UP:
		if (is_my_child(w, event))
			finish(s, NULL);
		break;
	case EVENT_CHILD_FAILED:
		if (is_my_child(w, event))
			finish_failed(s, event);
		break;
	case EVENT_IKE_FAILED:
	case EVENT_IKE_DOWN:
		finish_failed(s, event);
		break;
	default:
		break;
	}
}

static bool child_is_there(const struct node *node, uint32_t id)
{
	struct child_sa_info child;
	struct ike_sa_info ike;
	size_t i, k;

	for (i = 0; node_ike_sa(node, i, &ike); i++)
		for (k = 0; node_child_sa(node, ike.id, k, &child); k++)
			if (child.id == id)
				return true;
	return false;
}

static bool all_gone(const struct node *node, const struct waiting *w)
{
	struct ike_sa_info ike;
	size_t i;

	for (i = 0; i < w->n_child_ids; i++)
		if (child_is_there(node, w->child_ids[i]))
			return false;
	for (i = 0; !w->n_child_ids && i < w->n_ike_ids; i++)
		if (node_ike_sa_by_id(node, w->ike_ids[i], &ike))
			return false;
	return true;
}

/* Looked at when an SA ends, and whenever the owner asks for the next deadline: an SA that was
 * rekeyed meanwhile goes without an event. */
bool waiting_is_over(const struct control_session *s)
{
	return s->waiting.what == WAITING_GONE && all_gone(s->control->node, &s->waiting);
}

/* Nothing tells when a name has its address: the owner's answer to the next question does. */
void waiting_retry(struct control_session *s, uint64_t now)
{
	struct waiting *w = &s->waiting;
	struct node *node = s->control->node;
	struct err_msg msg = {""};
	uint32_t ike_id;
	int err = node_initiate(node, w->ike, w->child, now, &ike_id, &msg);

	w->retry_at = UINT64_MAX;
	if (err == ERR_AGAIN && node_is_resolving(node, w->ike, w->child))
		w->retry_at = now + NAME_RETRY;
	else if (err || w->detached || waiting_add_ike(w, ike_id))
		finish(s, err ? msg.text : NULL);
	else
		w->what = WAITING_UP;
}

void waiting_event(struct control_session *s, const struct ike_event *event)
{
	if (s->waiting.what == WAITING_UP)
		waiting_for_up(s, event);
	else if (waiting_is_over(s))
		finish(s, NULL);
}

void waiting_expire(struct control_session *s, uint64_t now)
{
	struct err_msg msg;

	if (waiting_is_over(s)) {
		finish(s, NULL);
		return;
	}
	if (s->waiting.what == WAITING_NAME && s->waiting.retry_at <= now)
		waiting_retry(s, now);
	if (s->waiting.what == WAITING_NOT || now < s->waiting.deadline)
		return;
	err_set(&msg, 0, "%s%s%s not %s after %u ms", s->waiting.child ? "CHILD_SA '" : "SA",
		s->waiting.child ? s->waiting.child : "", s->waiting.child ? "'" : "",
		s->waiting.what == WAITING_GONE ? "terminated" : "established",
		s->waiting.timeout_ms);
	finish(s, msg.text);
}
