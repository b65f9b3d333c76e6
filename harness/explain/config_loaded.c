/* config_loaded.c - one finding of files that the daemon does not run: what it says, offers or has
 * agreed on is not in the file, and it works all the same. So it is no cause of a failure, and
 * comes last (RFC 7296 §2.7, §2.9, §2.15). */
#include "harness/explain/config_role.h"

/* --- Selectors that were agreed on --- */

/* Some child of the connection has room for both. ERR_NOMEM. */
static int has_room(const struct conf_section *conn, const struct ts_list *own,
		    const struct ts_list *peers, bool *ret_room)
{
	const struct conf_section *child;
	bool room = false;
	int err = 0;

	for (child = config_children(conn); child && !err && !room; child = child->next) {
		struct ts_list local = {0}, remote = {0};

		err = config_selectors(child, "local_ts", &local);
		if (!err)
			err = config_selectors(child, "remote_ts", &remote);
		room = !err && config_ts_overlap(own, &local) && config_ts_overlap(peers, &remote);
		ts_list_free(&local);
		ts_list_free(&remote);
	}
	if (!err)
		*ret_room = room;
	return err;
}

static int cite_children(struct findings *out, struct finding *f, const struct conf_section *conn)
{
	const struct conf_section *child;
	int err = 0;

	for (child = config_children(conn); child && !err; child = child->next)
		err = finding_cite(out, f, config_place(child, "remote_ts"),
				   "child %s: local_ts = %s, remote_ts = %s", child->name,
				   config_text(child, "local_ts", "dynamic"),
				   config_text(child, "remote_ts", "dynamic"));
	return err;
}

/* Nothing is said if the child may be of another connection. */
static int judge_child(const struct survey *s, struct findings *out, const struct child_sa_fact *c)
{
	const struct conf_section *conn, *first = NULL;
	struct finding *f;
	bool room = false;
	int err = 0;

	for (conn = config_conns(s->config); conn && !err && !room; conn = conn->next) {
		enum role role = config_role(conn, &s->f.ike_sas[c->ike_sa]);
		bool asked = (role == ROLE_INITIATOR) == c->initiator_is_original;

		if (role == ROLE_NONE)
			continue;
		first = first ? first : conn;
		err =
		    has_room(conn, asked ? &c->ts_i : &c->ts_r, asked ? &c->ts_r : &c->ts_i, &room);
	}
	if (err || room || !first)
		return err;
	f = finding_add(out, LIKELY,
			"A child was agreed on for which no child of the file has "
			"room.");
	err = finding_show(out, f, seen_msg(s, c->response_msg), "SPIs %08x, %08x", c->spi_i,
			   c->spi_r);
	return err ? err : cite_children(out, f, first);
}

static int find_other_file(const struct survey *s, struct findings *out)
{
	int err = config_judge_offers(s, out, ROLE_INITIATOR, false);
	size_t i;

	if (!err)
		err = config_judge_offers(s, out, ROLE_INITIATOR, true);
	if (!err)
		err = config_judge_offers(s, out, ROLE_RESPONDER, true);
	if (!err)
		err = config_judge_ids(s, out, true);
	for (i = 0; s->config && !err && i < s->f.n_children; i++)
		err = judge_child(s, out, &s->f.children[i]);
	return err;
}

RULES(config_loaded,
      {.id = "CFG-offer",
       .names = "",
       .kind = RULE_FAULT,
       .rank = 72,
       .unless = "",
       .title = "The daemon does not run this file",
       .why = "What it says, offers or agrees on is not in the file: the file was changed and not "
	      "loaded, or it is not the one that the daemon reads.",
       .remedy = "swanctl --load-all (beetctl load), and compare with swanctl --list-conns.",
       .clause = "RFC 7296 §2.7, §2.9, §2.15",
       .find = find_other_file});
