/* config_match.c - findings of the file held against the captures: addresses, selectors and
 * identities that were said, and what the file's end allows (RFC 7296 §2.9, §2.15, §2.23). */
#include <stdio.h>
#include <string.h>

#include "harness/explain/config_role.h"
#include "vpn/crypto/identity.h"

/* --- Addresses --- */

static bool any_belongs(const struct survey *s)
{
	const struct conf_section *conn;
	size_t i;

	for (conn = config_conns(s->config); conn; conn = conn->next)
		for (i = 0; i < s->f.n_ike_sas; i++) {
			const struct ike_sa_fact *sa = &s->f.ike_sas[i];

			if (config_can_be(conn, sa, ROLE_INITIATOR) ||
			    config_can_be(conn, sa, ROLE_RESPONDER) ||
			    (config_has_address(conn, "local_addrs", &sa->addr_i.addr) ==
				 CONFIG_PERHAPS &&
			     config_has_address(conn, "remote_addrs", &sa->addr_r.addr) ==
				 CONFIG_PERHAPS))
				return true;
		}
	return false;
}

static int find_strangers(const struct survey *s, struct findings *out)
{
	const struct conf_section *conn = config_conns(s->config);
	const struct ike_sa_fact *sa = s->f.ike_sas;
	char a[ENDPOINT_STRLEN], b[ENDPOINT_STRLEN];
	struct finding *f;
	int err;

	if (!conn || !s->f.n_ike_sas || any_belongs(s))
		return 0;
	f = finding_add(out, LIKELY,
			"No IKE SA of the captures is between addresses that the file names.");
	err = sa->init_msg == FACT_NONE
		  ? 0
		  : finding_show(out, f, seen_msg(s, sa->init_msg), "%s to %s",
				 endpoint_format(&sa->addr_i, a, sizeof(a)),
				 endpoint_format(&sa->addr_r, b, sizeof(b)));
	for (; conn && !err; conn = conn->next)
		err = finding_cite(out, f, config_place(conn, "remote_addrs"),
				   "local_addrs = %s, remote_addrs = %s",
				   config_text(conn, "local_addrs", "%any"),
				   config_text(conn, "remote_addrs", "%any"));
	return err;
}

/* --- Selectors --- */

bool config_ts_overlap(const struct ts_list *a, const struct ts_list *b)
{
	struct ts both;
	size_t i, k;

	for (i = 0; i < a->n; i++)
		for (k = 0; k < b->n; k++)
			if (ts_intersect(&a->v[i], &b->v[k], &both))
				return true;
	return !b->n; /* dynamic: whatever the addresses are */
}

static int decode_ts(const struct ike_payloads *p, uint8_t type, struct ts_list *ret_list)
{
	const struct ike_payload *payload = ike_payload_find(p, type, 0);

	return payload ? payload_ts_decode(payload->body, ret_list) : ERR_NOT_FOUND;
}

/* TSi is the asker's side: remote_ts of the file. */
static int judge_child_ts(struct findings *out, struct finding *f, const struct conf_section *child,
			  const struct ts_list *ts_i, const struct ts_list *ts_r)
{
	struct ts_list remote = {0}, local = {0};
	int err = config_selectors(child, "remote_ts", &remote);

	if (!err)
		err = config_selectors(child, "local_ts", &local);
	if (!err && !config_ts_overlap(ts_i, &remote))
		err = finding_cite(out, f, config_place(child, "remote_ts"),
				   "child %s: remote_ts = %s has nothing of TSi", child->name,
				   config_text(child, "remote_ts", ""));
	if (!err && !config_ts_overlap(ts_r, &local))
		err = finding_cite(out, f, config_place(child, "local_ts"),
				   "child %s: local_ts = %s has nothing of TSr", child->name,
				   config_text(child, "local_ts", ""));
	ts_list_free(&remote);
	ts_list_free(&local);
	return err;
}

static int judge_selectors(const struct survey *s, struct findings *out,
			   const struct ike_msg *request, const struct conf_section *conn)
{
	struct ts_list ts_i = {0}, ts_r = {0};
	const struct conf_section *child;
	char a[300], b[300];
	struct finding *f;
	int err = 0;

	if (decode_ts(request->inner, PAYLOAD_TSI, &ts_i) ||
	    decode_ts(request->inner, PAYLOAD_TSR, &ts_r))
		goto out;
	f = finding_add(out, CERTAIN, "No child of connection %s fits the selectors asked for.",
			conn->name);
	err = finding_show(
	    out, f, seen_frame(s, request->frame), "asked: %s, %s",
	    ike_payload_describe(ike_payload_find(request->inner, PAYLOAD_TSI, 0), a, sizeof(a)),
	    ike_payload_describe(ike_payload_find(request->inner, PAYLOAD_TSR, 0), b, sizeof(b)));
	for (child = config_children(conn); child && !err; child = child->next)
		err = judge_child_ts(out, f, child, &ts_i, &ts_r);
out:
	ts_list_free(&ts_i);
	ts_list_free(&ts_r);
	return err;
}

static int find_selectors(const struct survey *s, struct findings *out)
{
	return config_for_each_refusal(s, out, N_TS_UNACCEPTABLE, judge_selectors);
}

/* --- Identities --- */

/* Of the remote section; PERHAPS: none is named, %any, or one that cannot be compared. */
static enum config_match id_is(const struct conf_section *conn, const char *said)
{
	const struct conf_section *remote = conf_find_section(conn, "remote");
	const char *want = config_text(remote, "id", NULL);
	struct identity a = {0}, b = {0};
	enum config_match match = CONFIG_PERHAPS;

	if (!said[0] || !want || strpbrk(want, "*%"))
		return CONFIG_PERHAPS;
	if (!identity_parse(want, &a, NULL) && !identity_parse(said, &b, NULL))
		match = identity_eq(&a, &b) ? CONFIG_YES : CONFIG_NO;
	identity_clear(&a);
	identity_clear(&b);
	return match;
}

static bool is_known(const struct survey *s, const struct ike_sa_fact *sa)
{
	const struct conf_section *conn;
	enum role role;
	bool any = false;

	for (conn = config_conns(s->config); conn; conn = conn->next) {
		role = config_role(conn, sa);
		if (role == ROLE_NONE)
			continue;
		any = true;
		if (id_is(conn, role == ROLE_INITIATOR ? sa->id_r : sa->id_i) != CONFIG_NO)
			return true;
	}
	return !any;
}

static int judge_id(struct findings *out, const struct conf_section *conn,
		    const struct ike_sa_fact *sa)
{
	const struct conf_section *remote = conf_find_section(conn, "remote");
	enum role role = config_role(conn, sa);
	struct finding *f;

	if (role == ROLE_NONE || !remote)
		return 0;
	f = finding_add(out, CERTAIN,
			"The peer says that it is %s, and no connection expects that.",
			role == ROLE_INITIATOR ? sa->id_r : sa->id_i);
	return finding_cite(out, f, config_place(remote, "id"), "connection %s expects id = %s",
			    conn->name, config_text(remote, "id", ""));
}

int config_judge_ids(const struct survey *s, struct findings *out, bool succeeded)
{
	const struct conf_section *conn;
	size_t i;
	int err = 0;

	for (i = 0; s->config && i < s->f.n_ike_sas; i++) {
		if ((s->f.ike_sas[i].established_msg != FACT_NONE) != succeeded ||
		    is_known(s, &s->f.ike_sas[i]))
			continue;
		for (conn = config_conns(s->config); conn && !err; conn = conn->next)
			err = judge_id(out, conn, &s->f.ike_sas[i]);
	}
	return err;
}

static int find_identity(const struct survey *s, struct findings *out)
{
	return config_judge_ids(s, out, false);
}

RULES(
    config_match,
    {.id = "CFG-addresses",
     .names = "negotiation failure map 1",
     .kind = RULE_FAULT,
     .rank = 18,
     .unless = "",
     .title = "The file and the captures are not of the same tunnel",
     .why = "Either the file is another end's, or an address in it is wrong or has changed.",
     .remedy = "Compare local_addrs and remote_addrs with the captures; behind a NAT box "
	       "local_addrs is the private address.",
     .clause = "RFC 7296 §2.23",
     .find = find_strangers},
    {.id = "CFG-selectors",
     .names = "F37; negotiation failure map 4; troubleshooting flow 4",
     .kind = RULE_FAULT,
     .rank = 12,
     .unless = "",
     .title = "No child of the file fits the selectors that are asked for",
     .why = "The one's local_ts is the other's remote_ts; these have nothing in common.",
     .remedy = "Make the child's local_ts and remote_ts overlap with what is asked for, or change "
	       "what is asked.",
     .clause = "RFC 7296 §2.9",
     .find = find_selectors},
    {.id = "CFG-identity",
     .names = "MAP-auth, F41; negotiation failure map 3; troubleshooting flow 2",
     .kind = RULE_FAULT,
     .rank = 12,
     .unless = "F41 F43",
     .title = "The file expects another identity",
     .why =
	 "A connection is chosen by the peer's identity: remote.id must be what the peer says of "
	 "itself, type included.",
     .remedy = "Correct remote.id here, or local.id at the peer.",
     .clause = "RFC 7296 §2.15, §3.5",
     .find = find_identity});
