/* session.c - one vici client: frames in, commands dispatched, events registered, octets out.
 *
 * Commands are carried out one after another: while the answer of one is outstanding (initiate,
 * terminate), the frames behind it wait in the input buffer; control_expire takes them up again, so
 * that no command is ever run from inside an event of the node. A session that cannot go on
 * (memory, a client that does not read what it asked for) is marked as failed and closed by the
 * owner. */
#include "vpn/control/internal.h"

#include <stdlib.h>
#include <string.h>

#include "vpn/base/secret.h"

static const char *const event_names[] = {
#define X(name, text) text,
    CONTROL_EVENTS(X)
#undef X
};

/* --- Output --- */

static size_t pending(const struct control_session *s)
{
	return s->out.len - s->out.sent;
}

static bool out_room(struct control_session *s, size_t more)
{
	size_t need = pending(s) + more, cap = s->out.cap ? s->out.cap : 4096;
	uint8_t *bigger;

	if (need > CONTROL_OUT_MAX)
		return false;
	if (s->out.sent) {
		memmove(s->out.buf, s->out.buf + s->out.sent, pending(s));
		s->out.len = pending(s);
		s->out.sent = 0;
	}
	while (cap < need)
		cap *= 2;
	if (cap == s->out.cap)
		return true;
	bigger = realloc(s->out.buf, cap);
	if (!bigger)
		return false;
	s->out.buf = bigger;
	s->out.cap = cap;
	return true;
}

/* Queues a finished frame and frees the writer. */
static void send_frame(struct control_session *s, struct vici_writer *v)
{
	struct view frame;

	if (s->failed || vici_finish(v, &frame) || !out_room(s, frame.len)) {
		s->failed = true;
	} else {
		memcpy(s->out.buf + s->out.len, frame.p, frame.len);
		s->out.len += frame.len;
	}
	vici_writer_free(v);
}

static void send_empty(struct control_session *s, enum vici_packet_type type)
{
	struct vici_writer v = {0};

	vici_begin(&v, type, "");
	send_frame(s, &v);
}

struct view control_session_output(const struct control_session *s)
{
	const uint8_t *p = s->out.buf;

	return (struct view){.p = p ? p + s->out.sent : NULL, .len = pending(s)};
}

void control_session_sent(struct control_session *s, size_t n)
{
	s->out.sent += n < pending(s) ? n : pending(s);
	if (!pending(s))
		s->out.len = s->out.sent = 0;
}

bool control_session_failed(const struct control_session *s)
{
	return s->failed;
}

/* --- Events --- */

bool session_wants(const struct control_session *s, enum control_event_id event)
{
	bool lossy = event == ON_LOG || event == ON_CONTROL_LOG;

	if (s->failed || (lossy && pending(s) > CONTROL_OUT_LOSSY))
		return false;
	return s->registered >> event & 1;
}

void session_begin_event(struct vici_writer *v, enum control_event_id event)
{
	vici_begin(v, VICI_EVENT, event_names[event]);
}

void session_end_event(struct control_session *s, enum control_event_id event,
		       struct vici_writer *v)
{
	if (session_wants(s, event))
		send_frame(s, v);
	else
		vici_writer_free(v);
}

void session_reply(struct control_session *s, struct vici_writer *reply)
{
	struct view frame;

	if (vici_finish(reply, &frame)) { /* too long: say so rather than nothing */
		vici_writer_free(reply);
		vici_begin(reply, VICI_CMD_RESPONSE, "");
		reply_error(reply, "the reply does not fit in a vici message");
	}
	send_frame(s, reply);
}

static void change_registration(struct control_session *s, const struct vici_packet *packet)
{
	unsigned i;

	for (i = 0; i < N_CONTROL_EVENTS; i++)
		if (!strcmp(event_names[i], packet->name))
			break;
	if (i == N_CONTROL_EVENTS) {
		send_empty(s, VICI_EVENT_UNKNOWN);
		return;
	}
	if (packet->type == VICI_EVENT_REGISTER)
		s->registered |= UINT32_C(1) << i;
	else
		s->registered &= ~(UINT32_C(1) << i);
	send_empty(s, VICI_EVENT_CONFIRM);
}

/* --- Input --- */

static int run_command(struct control_session *s, const struct vici_packet *packet)
{
	command_fn fn = command_find(packet->name);
	struct vici_writer reply = {0};
	struct vici_tree tree;
	struct err_msg msg;
	int err;

	if (!fn) {
		send_empty(s, VICI_CMD_UNKNOWN);
		return 0;
	}
	err = vici_parse(packet->message, &tree, &msg);
	if (err)
		return err;
	vici_begin(&reply, VICI_CMD_RESPONSE, "");
	if (fn(s, tree.root, &reply) == REPLY_NOW)
		session_reply(s, &reply);
	else
		vici_writer_free(&reply);
	vici_tree_free(&tree);
	return 0;
}

static int handle_packet(struct control_session *s, const struct vici_packet *packet)
{
	switch (packet->type) {
	case VICI_CMD_REQUEST:
		return run_command(s, packet);
	case VICI_EVENT_REGISTER:
	case VICI_EVENT_UNREGISTER:
		change_registration(s, packet);
		return 0;
	default: /* what only a server sends */
		return ERR_SYNTAX;
	}
}

static int handle_frames(struct control_session *s)
{
	struct vici_packet packet;
	struct view frame;
	int err;

	while (!s->failed && s->waiting.what == WAITING_NOT) {
		err = vici_stream_next(&s->in, &frame);
		s->more = !err;
		if (err)
			return err == ERR_AGAIN ? 0 : err;
		err = vici_packet_parse(frame, &packet, NULL);
		if (!err)
			err = handle_packet(s, &packet);
		if (err)
			return err;
	}
	s->more = true;
	return s->failed ? ERR_LIMIT : 0;
}

int control_session_input(struct control_session *s, struct view octets, uint64_t now)
{
	int err;

	s->now = now;
	err = vici_stream_add(&s->in, octets.p, octets.len);
	if (!err)
		err = handle_frames(s);
	if (err)
		s->failed = true;
	return err;
}

void session_resume(struct control_session *s, uint64_t now)
{
	s->now = now;
	if (s->more && !s->failed && s->waiting.what == WAITING_NOT && handle_frames(s))
		s->failed = true;
}

/* --- Life --- */

struct control_session *control_session_new(struct control *control)
{
	struct control_session *s;

	if (control->n_sessions >= CONTROL_SESSIONS_MAX)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->control = control;
	waiting_clear(&s->waiting);
	list_append(&control->sessions, &s->link);
	control->n_sessions++;
	return s;
}

void control_session_free(struct control_session *s)
{
	if (!s)
		return;
	list_remove(&s->link);
	s->control->n_sessions--;
	waiting_clear(&s->waiting);
	vici_stream_free(&s->in);
	free(s->out.buf);
	free(s);
}
