/* report.c - events and logs. Texts are made here and copied by the queue. */
#include "vpn/ike/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "vpn/ike/child_sa.h"

#define TEXT_MAX 512

void report_log(struct ike_engine *e, const struct ike_sa *sa, const struct child_sa *child,
		enum ike_log_group group, int level, const char *fmt, ...)
{
	struct ike_action a = {.type = IKE_ACTION_LOG};
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	a.ike_id = sa ? sa->id : 0;
	a.log = (struct ike_log){.group = group,
				 .level = level,
				 .ike_id = a.ike_id,
				 .ike_name = sa && sa->conn ? sa->conn->name : NULL,
				 .child_id = child ? child->id : 0,
				 .text = text};
	action_queue_push(&e->actions, &a);
}

static void push_event(struct ike_engine *e, const struct ike_sa *sa, const struct child_sa *child,
		       const struct ike_event *event)
{
	struct ike_action a = {.type = IKE_ACTION_EVENT, .event = *event};

	if (sa) {
		a.ike_id = sa->id;
		a.event.have_ike = true;
		a.event.ike = ike_sa_get_info(sa);
	}
	if (child) {
		a.event.have_child = true;
		a.event.child = child_sa_get_info(child);
	}
	action_queue_push(&e->actions, &a);
}

void report_event(struct ike_engine *e, const struct ike_sa *sa, const struct child_sa *child,
		  enum ike_event_kind kind, uint16_t notify, uint32_t number, const char *fmt, ...)
{
	struct ike_event event = {.kind = kind, .notify = notify, .number = number};
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	event.text = text;
	push_event(e, sa, child, &event);
}

void report_end(struct ike_engine *e, const struct ike_sa *sa, const struct child_sa *child,
		enum ike_event_kind kind, enum ike_cause cause, uint16_t notify, const char *why)
{
	struct ike_event event = {.kind = kind, .cause = cause, .notify = notify, .text = why};

	push_event(e, sa, child, &event);
}

void report_moved_peer(struct ike_sa *sa, const struct endpoint *old)
{
	char from[ENDPOINT_STRLEN], to[ENDPOINT_STRLEN];

	report_log(sa->engine, sa, NULL, LOG_IKE, 0, "peer has moved from %s to %s",
		   endpoint_format(old, from, sizeof(from)),
		   endpoint_format(&sa->remote, to, sizeof(to)));
	report_event(sa->engine, sa, NULL, EVENT_PEER_MOVED, 0, 0, "%s -> %s", from, to);
}

const char *ike_drop_text(enum ike_drop reason)
{
	switch (reason) {
#define X(name, text) \
	case name:    \
		return text;
		IKE_DROPS(X)
#undef X
	case IKE_DROP_COUNT:
		break;
	}
	return "?";
}

void report_dropped(struct ike_engine *e, const struct ike_sa *sa, enum ike_drop reason,
		    const struct endpoint *remote)
{
	char from[ENDPOINT_STRLEN];

	e->drops[reason]++;
	report_event(e, sa, NULL, EVENT_DROPPED, 0, (uint32_t)reason, "%s, from %s",
		     ike_drop_text(reason), endpoint_format(remote, from, sizeof(from)));
}

static void append(char *buf, size_t cap, const char *text)
{
	size_t len = strlen(buf);

	if (len < cap)
		snprintf(buf + len, cap - len, " %s", text);
}

static void append_payload(char *buf, size_t cap, const struct ike_payload *p)
{
	struct payload_notify n;
	char name[48], full[64];

	if (p->type == PAYLOAD_NOTIFY && !payload_notify_decode(p->body, &n)) {
		snprintf(full, sizeof(full), "N(%s)", ike_notify_name(n.type, name, sizeof(name)));
		append(buf, cap, full);
	} else {
		append(buf, cap, ike_payload_name(p->type, name, sizeof(name)));
	}
}

void report_message(const struct ike_sa *sa, const char *verb, const struct ike_header *hdr,
		    const struct ike_payloads *payloads)
{
	char text[TEXT_MAX] = "", name[32];
	size_t i;

	for (i = 0; i < payloads->n; i++)
		append_payload(text, sizeof(text), &payloads->v[i]);
	report_log(sa->engine, sa, NULL, LOG_ENC, 1, "%s %s %s %u [%s ]", verb,
		   ike_exchange_name(hdr->exchange, name, sizeof(name)),
		   hdr->flags & IKE_FLAG_RESPONSE ? "response" : "request", hdr->message_id, text);
}
