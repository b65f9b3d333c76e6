/* sas.c - commands on SAs: list-sas, initiate, terminate, rekey; and those that we refuse.
 *
 * initiate and terminate begin something and leave the session waiting (waiting.c) unless the
 * client does not want to wait. What terminate is to end is noted by number beforehand, because a
 * name may have new SAs before the old ones are gone. */
#include "vpn/control/internal.h"

#include <stdlib.h>
#include <string.h>

#include "vpn/vici/value.h"

#define MILLISECOND UINT64_C(1000)

/* What list-sas, terminate and rekey select by. */
static int read_match(const struct vici_node *args, struct node_match *ret_match)
{
	struct node_match m = {.ike = vici_text(args, "ike"), .child = vici_text(args, "child")};
	int err = get_u32(args, "ike-id", &m.ike_id);

	if (!err)
		err = get_u32(args, "child-id", &m.child_id);
	if (!err)
		*ret_match = m;
	return err;
}

static bool match_is_empty(const struct node_match *m)
{
	return !m->ike && !m->child && !m->ike_id && !m->child_id;
}

static bool match_has_child(const struct node_match *m)
{
	return m->child || m->child_id;
}

static bool ike_matches(const struct node_match *m, const struct ike_sa_info *ike)
{
	return (!m->ike || !strcmp(m->ike, ike->conn->name)) &&
	       (!m->ike_id || m->ike_id == ike->id);
}

static bool child_matches(const struct node_match *m, const struct child_sa_info *child)
{
	return (!m->child || !strcmp(m->child, child->cfg->name)) &&
	       (!m->child_id || m->child_id == child->id);
}

/* --- list-sas --- */

static void list_sa(struct control_session *s, const struct node_match *m,
		    const struct ike_sa_info *ike)
{
	const struct node *node = s->control->node;
	struct vici_writer v = {0};
	struct child_sa_info child;
	size_t i, n = 0;

	session_begin_event(&v, ON_LIST_SA);
	vici_section(&v, ike->conn->name);
	put_ike_sa(&v, ike, s->now);
	vici_section(&v, "child-sas");
	for (i = 0; node_child_sa(node, ike->id, i, &child); i++) {
		if (!child_matches(m, &child))
			continue;
		put_child_sa(&v, node, &child, s->now);
		n++;
	}
	vici_section_end(&v);
	vici_section_end(&v);
	if (n || !match_has_child(m))
		session_end_event(s, ON_LIST_SA, &v);
	else
		vici_writer_free(&v);
}

enum command_result command_list_sas(struct control_session *s, const struct vici_node *args,
				     struct vici_writer *reply)
{
	struct ike_sa_info ike;
	struct node_match m;
	size_t i;

	if (read_match(args, &m))
		return reply_error(reply, "ike-id and child-id are numbers");
	for (i = 0; node_ike_sa(s->control->node, i, &ike); i++)
		if (ike_matches(&m, &ike))
			list_sa(s, &m, &ike);
	return REPLY_NOW;
}

/* --- Waiting --- */

/* timeout: milliseconds; 0 or none: for ever; -1: not at all (*ret_wait false). */
static int read_waiting(struct control_session *s, const struct vici_node *args, bool *ret_wait)
{
	const char *timeout = vici_text(args, "timeout"), *level = vici_text(args, "loglevel");
	struct waiting *w = &s->waiting;
	uint64_t ms = 0, n = 1;

	*ret_wait = !timeout || timeout[0] != '-';
	if (timeout && *ret_wait && vici_parse_uint(timeout, UINT32_MAX, &ms))
		return ERR_SYNTAX;
	if (level && level[0] != '-' && vici_parse_uint(level, 4, &n))
		return ERR_SYNTAX;
	w->loglevel = level && level[0] == '-' ? -1 : (int)n;
	w->timeout_ms = (unsigned)ms;
	w->deadline = ms ? s->now + ms * MILLISECOND : UINT64_MAX;
	return 0;
}

static enum command_result give_up(struct control_session *s, struct vici_writer *reply,
				   const char *why)
{
	waiting_clear(&s->waiting);
	return reply_error(reply, "%s", why);
}

/* --- initiate --- */

enum command_result command_initiate(struct control_session *s, const struct vici_node *args,
				     struct vici_writer *reply)
{
	const char *child = vici_text(args, "child"), *ike = vici_text(args, "ike");
	struct waiting *w = &s->waiting;
	struct err_msg msg = {""};
	uint32_t ike_id;
	bool wait;
	int err;

	if (!child && !ike)
		return reply_error(reply, "missing configuration name");
	if (read_waiting(s, args, &wait))
		return give_up(s, reply, "timeout and loglevel are numbers");
	w->child = child ? strdup(child) : NULL;
	w->ike = ike ? strdup(ike) : NULL;
	if ((child && !w->child) || (ike && !w->ike))
		return give_up(s, reply, err_text(ERR_NOMEM));
	w->detached = !wait;
	err = node_initiate(s->control->node, ike, child, s->now, &ike_id, &msg);
	if (err == ERR_AGAIN && node_is_resolving(s->control->node, ike, child)) {
		w->what = WAITING_NAME;
		w->retry_at = s->now;
		return REPLY_LATER;
	}
	if (err)
		return give_up(s, reply, msg.text);
	if (!wait || waiting_add_ike(w, ike_id)) {
		waiting_clear(w);
		return reply_ok(reply);
	}
	w->what = WAITING_UP;
	return REPLY_LATER;
}

/* --- terminate --- */

static int find_children(const struct node *node, const struct node_match *m, uint32_t ike_id,
			 struct waiting *w)
{
	struct child_sa_info child;
	bool any = false;
	size_t i;

	for (i = 0; node_child_sa(node, ike_id, i, &child); i++) {
		if (!child_matches(m, &child))
			continue;
		if (waiting_add_child(w, child.id))
			return ERR_NOMEM;
		any = true;
	}
	return any ? waiting_add_ike(w, ike_id) : 0;
}

/* What there is to terminate, by number: names may have new SAs before the old ones are gone. */
static int find_matches(const struct node *node, const struct node_match *m, struct waiting *w)
{
	struct ike_sa_info ike;
	size_t i;
	int err = 0;

	for (i = 0; !err && node_ike_sa(node, i, &ike); i++) {
		if (!ike_matches(m, &ike))
			continue;
		err = match_has_child(m) ? find_children(node, m, ike.id, w)
					 : waiting_add_ike(w, ike.id);
	}
	return err;
}

static enum command_result terminate_matches(struct control_session *s, const struct node_match *m,
					     bool force, bool wait, struct vici_writer *reply)
{
	struct node *node = s->control->node;
	struct waiting *w = &s->waiting;
	size_t count = 0;
	int err = find_matches(node, m, w);

	if (!err)
		err = node_terminate(node, m, force, s->now, &count);
	if (err)
		return give_up(s, reply, err_text(err));
	if (!count) {
		give_up(s, reply, "no matching SAs to terminate found");
		vici_value_str(reply, "matches", "0");
		return REPLY_NOW;
	}
	if (!wait || (!w->n_ike_ids && !w->n_child_ids)) {
		waiting_clear(w);
		reply_ok(reply);
		vici_value_fmt(reply, "matches", "%zu", count);
		vici_value_fmt(reply, "terminated", "%zu", count);
		return REPLY_NOW;
	}
	w->what = WAITING_GONE;
	return REPLY_LATER;
}

enum command_result command_terminate(struct control_session *s, const struct vici_node *args,
				      struct vici_writer *reply)
{
	const char *force_text = vici_text(args, "force");
	bool wait, force = false;
	struct node_match m;

	if (read_match(args, &m) || read_waiting(s, args, &wait) ||
	    (force_text && vici_parse_bool(force_text, &force)))
		return give_up(s, reply, "malformed argument");
	if (match_is_empty(&m))
		return give_up(s, reply, "missing terminate selector");
	/* strongSwan: force does not wait unless a timeout is set */
	if (force && s->waiting.deadline == UINT64_MAX)
		wait = false;
	return terminate_matches(s, &m, force, wait, reply);
}

/* --- rekey --- */

enum command_result command_rekey(struct control_session *s, const struct vici_node *args,
				  struct vici_writer *reply)
{
	struct node_match m;
	bool reauth = false;
	size_t count;

	if (read_match(args, &m))
		return reply_error(reply, "malformed argument");
	if (match_is_empty(&m))
		return reply_error(reply, "missing rekey selector");
	if (vici_text(args, "reauth"))
		vici_parse_bool(vici_text(args, "reauth"), &reauth);
	if (reauth && (m.child || m.child_id))
		return reply_error(reply, "IKE SAs are reauthenticated, not Child SAs");
	if ((reauth ? node_reauth : node_rekey)(s->control->node, &m, s->now, &count))
		return reply_error(reply, "out of memory");
	if (!count)
		return reply_error(reply, "no matching SAs to rekey found");
	reply_ok(reply);
	vici_value_fmt(reply, "matches", "%zu", count);
	return REPLY_NOW;
}

/* --- Refused --- */

enum command_result command_redirect(struct control_session *s, const struct vici_node *args,
				     struct vici_writer *reply)
{
	(void)s;
	(void)args;
	return reply_error(reply, "redirecting (RFC 5685) is not supported");
}

enum command_result command_install(struct control_session *s, const struct vici_node *args,
				    struct vici_writer *reply)
{
	(void)s;
	(void)args;
	return reply_error(reply, "policies are not installed by command: use start_action = trap");
}
