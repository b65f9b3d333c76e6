/* control.c - the sessions together: events and logs to whom they concern, deadlines.
 *
 * Events come while the node's action is current: everything is copied into messages at once, and
 * no command runs (session.c). */
#include "vpn/control/control.h"

#include <stdlib.h>
#include <string.h>

#include "vpn/control/internal.h"

struct control *control_new(struct node *node, const struct control_env *env, uint64_t now)
{
	struct control *control = calloc(1, sizeof(*control));

	if (!control)
		return NULL;
	control->node = node;
	control->env = *env;
	control->started = now;
	list_init(&control->sessions);
	return control;
}

void control_free(struct control *control)
{
	struct list *pos, *tmp;

	if (!control)
		return;
	list_for_each (pos, tmp, &control->sessions) {
		control_session_free(list_entry(pos, struct control_session, link));
	}
	authorities_free(control);
	troubles_free(control);
	free(control);
}

/* --- Events --- */

static void put_updown(struct vici_writer *v, const struct control *control,
		       const struct ike_event *event, bool up, uint64_t now)
{
	put_yes(v, "up", up);
	vici_section(v, event->ike.conn->name);
	put_ike_sa(v, &event->ike, now);
	if (event->have_child) {
		vici_section(v, "child-sas");
		put_child_sa(v, control->node, &event->child, now);
		vici_section_end(v);
	}
	vici_section_end(v);
}

static void send_updown(struct control_session *s, enum control_event_id id,
			const struct ike_event *event, bool up, uint64_t now)
{
	struct vici_writer v = {0};

	if (!session_wants(s, id) || !event->have_ike)
		return;
	session_begin_event(&v, id);
	put_updown(&v, s->control, event, up, now);
	session_end_event(s, id, &v);
}

/* Old and new side by side, as far as the old one is still there. */
static void put_old_child(struct vici_writer *v, const struct control *control,
			  const struct ike_event *event, uint64_t now)
{
	struct child_sa_info old;
	size_t i;

	for (i = 0; node_child_sa(control->node, event->ike.id, i, &old); i++) {
		if (old.id != event->number)
			continue;
		vici_section(v, "old");
		put_child_fields(v, control->node, &old, now);
		vici_section_end(v);
	}
}

static void send_child_rekeyed(struct control_session *s, const struct ike_event *event,
			       uint64_t now)
{
	struct vici_writer v = {0};

	if (!session_wants(s, ON_CHILD_REKEY))
		return;
	session_begin_event(&v, ON_CHILD_REKEY);
	vici_section(&v, event->ike.conn->name);
	put_ike_sa(&v, &event->ike, now);
	vici_section(&v, "child-sas");
	vici_section(&v, event->child.cfg->name);
	put_old_child(&v, s->control, event, now);
	vici_section(&v, "new");
	put_child_fields(&v, s->control->node, &event->child, now);
	vici_section_end(&v);
	vici_section_end(&v);
	vici_section_end(&v);
	vici_section_end(&v);
	session_end_event(s, ON_CHILD_REKEY, &v);
}

static void send_ike_rekeyed(struct control_session *s, const struct ike_event *event, uint64_t now)
{
	struct ike_sa_info old;
	struct vici_writer v = {0};

	if (!session_wants(s, ON_IKE_REKEY))
		return;
	session_begin_event(&v, ON_IKE_REKEY);
	vici_section(&v, event->ike.conn->name);
	if (node_ike_sa_by_id(s->control->node, event->number, &old)) {
		vici_section(&v, "old");
		put_ike_sa(&v, &old, now);
		vici_section_end(&v);
	}
	vici_section(&v, "new");
	put_ike_sa(&v, &event->ike, now);
	vici_section_end(&v);
	vici_section_end(&v);
	session_end_event(s, ON_IKE_REKEY, &v);
}

/* The endpoints of an IKE SA have changed; the new ones stand first, as in strongSwan. */
static void send_ike_update(struct control_session *s, const struct ike_event *event, uint64_t now)
{
	struct vici_writer v = {0};
	char text[IP_ADDR_STRLEN];

	if (!session_wants(s, ON_IKE_UPDATE))
		return;
	session_begin_event(&v, ON_IKE_UPDATE);
	vici_value_str(&v, "local-host",
		       ip_addr_format(&event->ike.local.addr, text, sizeof(text)));
	vici_value_fmt(&v, "local-port", "%u", event->ike.local.port);
	vici_value_str(&v, "remote-host",
		       ip_addr_format(&event->ike.remote.addr, text, sizeof(text)));
	vici_value_fmt(&v, "remote-port", "%u", event->ike.remote.port);
	vici_section(&v, event->ike.conn->name);
	put_ike_sa(&v, &event->ike, now);
	vici_section_end(&v);
	session_end_event(s, ON_IKE_UPDATE, &v);
}

/* Our own: every event of the engine, as the daemon's JSON lines have it. */
static void send_raw_event(struct control_session *s, const struct ike_event *event)
{
	struct vici_writer v = {0};

	if (!session_wants(s, ON_BEETD_EVENT))
		return;
	session_begin_event(&v, ON_BEETD_EVENT);
	vici_value_str(&v, "event", ike_event_name(event->kind));
	if (event->have_ike) {
		vici_value_str(&v, "ike", event->ike.conn->name);
		vici_value_fmt(&v, "ike-id", "%u", event->ike.id);
	}
	if (event->have_child) {
		vici_value_str(&v, "child", event->child.cfg->name);
		vici_value_fmt(&v, "child-id", "%u", event->child.id);
	}
	if (event->notify)
		vici_value_fmt(&v, "notify", "%u", event->notify);
	if (event->number)
		vici_value_fmt(&v, "number", "%u", event->number);
	vici_value_str(&v, "text", event->text);
	session_end_event(s, ON_BEETD_EVENT, &v);
}

static void event_to_session(struct control_session *s, const struct ike_event *event, uint64_t now)
{
	send_raw_event(s, event);
	switch (event->kind) {
	case EVENT_IKE_UP:
	case EVENT_IKE_DOWN:
		send_updown(s, ON_IKE_UPDOWN, event, event->kind == EVENT_IKE_UP, now);
		break;
	case EVENT_CHILD_UP:
	case EVENT_CHILD_DOWN:
		send_updown(s, ON_CHILD_UPDOWN, event, event->kind == EVENT_CHILD_UP, now);
		break;
	case EVENT_IKE_REKEYED:
		send_ike_rekeyed(s, event, now);
		break;
	case EVENT_CHILD_REKEYED:
		send_child_rekeyed(s, event, now);
		break;
	case EVENT_PEER_MOVED:
	case EVENT_LOCAL_MOVED:
		send_ike_update(s, event, now);
		break;
	default:
		break;
	}
	waiting_event(s, event);
}

static void handle_event(struct control *control, const struct ike_event *event, uint64_t now)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &control->sessions) {
		event_to_session(list_entry(pos, struct control_session, link), event, now);
	}
	trouble_event(control, event, now);
	if (event->kind == EVENT_DROPPED)
		control->counters.invalid++;
	if (event->kind == EVENT_CHILD_REKEYED)
		control->counters.child_rekey++;
	if (event->kind == EVENT_IKE_REKEYED && event->ike.initiator)
		control->counters.ike_rekey_init++;
	if (event->kind == EVENT_IKE_REKEYED && !event->ike.initiator)
		control->counters.ike_rekey_resp++;
}

/* --- Logs --- */

static void send_log(struct control_session *s, enum control_event_id id, const struct ike_log *log)
{
	struct vici_writer v = {0};

	session_begin_event(&v, id);
	vici_value_str(&v, "group", ike_log_group_name(log->group));
	vici_value_fmt(&v, "level", "%d", log->level);
	if (id == ON_LOG)
		vici_value_str(&v, "thread", "1");
	if (log->ike_name)
		vici_value_str(&v, "ikesa-name", log->ike_name);
	if (log->ike_id)
		vici_value_fmt(&v, "ikesa-uniqueid", "%u", log->ike_id);
	vici_value_str(&v, "msg", log->text);
	session_end_event(s, id, &v);
}

static bool wants_control_log(const struct control_session *s, const struct ike_log *log)
{
	const struct waiting *w = &s->waiting;

	return w->what != WAITING_NOT && log->level <= w->loglevel && log->ike_id &&
	       waiting_has_ike(w, log->ike_id) && session_wants(s, ON_CONTROL_LOG);
}

static void handle_log(struct control *control, const struct ike_log *log)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &control->sessions) {
		struct control_session *s = list_entry(pos, struct control_session, link);

		if (wants_control_log(s, log))
			send_log(s, ON_CONTROL_LOG, log);
		if (log->level <= 1 && session_wants(s, ON_LOG))
			send_log(s, ON_LOG, log);
	}
}

/* --- Counters --- */

/* Exchange types and the response flag of RFC 7296 §3.1. */
static void count_message(struct control *control, bool out, struct view datagram)
{
	struct reader r = rd_init(datagram.p, datagram.len);
	uint8_t exchange, flags;

	rd_bytes(&r, 18); /* SPIs, next payload, version */
	exchange = rd_u8(&r);
	flags = rd_u8(&r);
	if (!rd_ok(&r) || exchange < 34 || exchange > 37)
		return;
	control->counters.messages[exchange - 34][out][flags >> 5 & 1]++;
}

void control_received(struct control *control, struct view datagram)
{
	count_message(control, false, datagram);
}

void control_action(struct control *control, const struct ike_action *action, uint64_t now)
{
	switch (action->type) {
	case IKE_ACTION_EVENT:
		handle_event(control, &action->event, now);
		break;
	case IKE_ACTION_LOG:
		handle_log(control, &action->log);
		break;
	case IKE_ACTION_SEND:
		count_message(control, true, action->send.datagram);
		break;
	default:
		break;
	}
}

/* --- Time --- */

uint64_t control_next_deadline(const struct control *control)
{
	uint64_t first = UINT64_MAX;
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &control->sessions) {
		const struct control_session *s = list_entry(pos, struct control_session, link);

		if (s->failed)
			continue;
		if ((s->more && s->waiting.what == WAITING_NOT) || waiting_is_over(s))
			return 0;
		if (s->waiting.deadline < first)
			first = s->waiting.deadline;
		if (s->waiting.retry_at < first)
			first = s->waiting.retry_at;
	}
	return first;
}

void control_expire(struct control *control, uint64_t now)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &control->sessions) {
		struct control_session *s = list_entry(pos, struct control_session, link);

		waiting_expire(s, now);
		session_resume(s, now);
	}
}
