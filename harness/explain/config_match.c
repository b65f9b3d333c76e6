/* config_match.c - findings of the file held against the captures: what was offered, asked for and
 * said, and what the file's end allows (RFC 7296 §2.7, §2.9, §2.15, §3.3).
 *
 * An IKE SA belongs to a connection if its addresses fit, and the role of the file's end follows
 * from which of them is whose; behind a NAT box only the other end's address says so. Where no role
 * fits, nothing is compared. Of a file that could not be read whole (a proposal with a word that is
 * not known here, "default") the rest is. */
#include <stdio.h>
#include <string.h>

#include "harness/explain/rule.h"
#include "vpn/crypto/alg.h"
#include "vpn/crypto/identity.h"

enum role { ROLE_NONE, ROLE_INITIATOR, ROLE_RESPONDER };

/* %any has no address to begin with. */
static bool can_be(const struct conf_section *conn, const struct ip_addr *own,
		   const struct ip_addr *peer, bool initiator)
{
	enum config_match local = config_has_address(conn, "local_addrs", own);
	enum config_match remote = config_has_address(conn, "remote_addrs", peer);

	if (initiator)
		return remote == CONFIG_YES;
	return local == CONFIG_YES && remote != CONFIG_NO;
}

static enum role role_in(const struct conf_section *conn, const struct ike_sa_fact *sa)
{
	bool initiator = can_be(conn, &sa->addr_i.addr, &sa->addr_r.addr, true);
	bool responder = can_be(conn, &sa->addr_r.addr, &sa->addr_i.addr, false);

	if (initiator == responder)
		return ROLE_NONE;
	return initiator ? ROLE_INITIATOR : ROLE_RESPONDER;
}

/* --- Addresses --- */

static bool any_belongs(const struct survey *s)
{
	const struct conf_section *conn;
	size_t i;

	for (conn = config_conns(s->config); conn; conn = conn->next)
		for (i = 0; i < s->f.n_ike_sas; i++) {
			const struct ike_sa_fact *sa = &s->f.ike_sas[i];

			if (can_be(conn, &sa->addr_i.addr, &sa->addr_r.addr, true) ||
			    can_be(conn, &sa->addr_r.addr, &sa->addr_i.addr, false) ||
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

/* --- Proposals --- */

static bool has_type(const struct proposal *p, uint8_t type)
{
	uint8_t i;

	for (i = 0; i < p->n_transforms; i++)
		if (p->transforms[i].type == type && p->transforms[i].id)
			return true;
	return false;
}

static bool share_type(const struct proposal *a, const struct proposal *b, uint8_t type)
{
	uint8_t i, k;

	if (!has_type(a, type) && !has_type(b, type))
		return true;
	for (i = 0; i < a->n_transforms; i++)
		for (k = 0; k < b->n_transforms; k++)
			if (a->transforms[i].type == type && b->transforms[k].type == type &&
			    a->transforms[i].id == b->transforms[k].id &&
			    a->transforms[i].key_bits == b->transforms[k].key_bits)
				return true;
	return false;
}

static const struct {
	uint8_t type;
	const char *name;
} types[] = {{TRANSFORM_ENCR, "encryption"},
	     {TRANSFORM_INTEG, "integrity"},
	     {TRANSFORM_PRF, "PRF"},
	     {TRANSFORM_KE, "key exchange"}};

/* What two proposals have not in common, "encryption, PRF"; "" if they agree. RFC 7296 §1.2: an ESP
 * proposal of IKE_AUTH has no key exchange. */
static void differences(const struct proposal *a, const struct proposal *b, bool with_ke, char *buf,
			size_t cap)
{
	size_t i, len = 0;

	buf[0] = 0;
	for (i = 0; i < sizeof(types) / sizeof(types[0]) && len < cap; i++)
		if ((types[i].type != TRANSFORM_KE || with_ke) && !share_type(a, b, types[i].type))
			len += (size_t)snprintf(buf + len, cap - len, "%s%s", len ? ", " : "",
						types[i].name);
}

struct offer {
	struct proposal v[PROPOSAL_LIST_MAX];
	struct proposal_list list;
};

static bool read_offer(const struct ike_payloads *payloads, struct offer *offer)
{
	const struct ike_payload *p = payloads ? ike_payload_find(payloads, PAYLOAD_SA, 0) : NULL;

	offer->list = (struct proposal_list){.v = offer->v};
	return p && !payload_sa_decode(p->body, &offer->list) && offer->list.n;
}

/* The nearest of all pairs: what stands between the file's list and the offer. False if they agree,
 * or if the file's list cannot be judged. */
static bool is_apart(const char *list, uint8_t protocol, bool with_ke, const struct offer *offer,
		     char *buf, size_t cap)
{
	struct proposal p;
	char words[128];
	bool whole, any = false;
	size_t i, k;

	for (i = 0; config_proposal(list, i, protocol, &p, &whole); i++) {
		if (!whole)
			return false;
		for (k = 0; k < offer->list.n; k++) {
			differences(&p, &offer->list.v[k], with_ke, words, sizeof(words));
			if (!words[0])
				return false;
			if (!any || strlen(words) < strlen(buf))
				snprintf(buf, cap, "%s", words);
			any = true;
		}
	}
	return any;
}

static const struct ike_payloads *init_request(const struct survey *s, const struct ike_sa_fact *sa)
{
	const struct ike_msg *m = sa->init_msg == FACT_NONE ? NULL : &s->f.ike[sa->init_msg];

	return m && m->request && m->hdr.exchange == IKE_SA_INIT ? m->outer : NULL;
}

static bool fits_any(const struct survey *s, const struct ike_sa_fact *sa, enum role role,
		     const struct offer *offer)
{
	const struct conf_section *conn;
	char words[128];

	for (conn = config_conns(s->config); conn; conn = conn->next)
		if (role_in(conn, sa) == role &&
		    !is_apart(config_text(conn, "proposals", ""), PROTOCOL_IKE, true, offer, words,
			      sizeof(words)))
			return true;
	return false;
}

static struct finding *add_apart(struct findings *out, enum role role, const char *words)
{
	return role == ROLE_RESPONDER
		   ? finding_add(out, CERTAIN,
				 "What is offered and what the file allows have no %s in common.",
				 words)
		   : finding_add(out, LIKELY, "This end does not offer what its file says (%s).",
				 words);
}

static int judge_ike_proposal(const struct survey *s, struct findings *out,
			      const struct ike_sa_fact *sa, enum role role)
{
	const struct ike_payloads *request = init_request(s, sa);
	const struct conf_section *conn;
	struct offer offer;
	char words[128], text[600];
	int err = 0;

	if (!read_offer(request, &offer) || fits_any(s, sa, role, &offer))
		return 0;
	for (conn = config_conns(s->config); conn && !err; conn = conn->next) {
		const char *list = config_text(conn, "proposals", "");
		struct finding *f;

		if (role_in(conn, sa) != role ||
		    !is_apart(list, PROTOCOL_IKE, true, &offer, words, sizeof(words)))
			continue;
		ike_payload_describe(ike_payload_find(request, PAYLOAD_SA, 0), text, sizeof(text));
		f = add_apart(out, role, words);
		err = finding_show(out, f, seen_msg(s, sa->init_msg), "offered: %s", text);
		if (!err)
			err = finding_cite(out, f, config_place(conn, "proposals"),
					   "proposals = %s: no %s in common", list, words);
	}
	return err;
}

static int for_each_sa(const struct survey *s, struct findings *out, enum role role)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->f.n_ike_sas; i++)
		err = judge_ike_proposal(s, out, &s->f.ike_sas[i], role);
	return err;
}

static int find_proposal(const struct survey *s, struct findings *out)
{
	return for_each_sa(s, out, ROLE_RESPONDER);
}

static int find_other_offer(const struct survey *s, struct findings *out)
{
	return for_each_sa(s, out, ROLE_INITIATOR);
}

/* --- Children: proposals and selectors that were refused --- */

/* The request behind a refusal, where it was opened; NULL. */
static const struct ike_msg *request_behind(const struct survey *s, const struct refusal_fact *r)
{
	const struct ike_msg *m = &s->f.ike[r->msg];
	const struct ike_msg *request =
	    m->request_of == FACT_NONE ? NULL : &s->f.ike[m->request_of];

	return request && request->inner && request->ike_sa != FACT_NONE ? request : NULL;
}

/* The one who was asked holds the file: its role, turned around if it is the IKE SA's initiator. */
static bool asks_file(const struct conf_section *conn, const struct survey *s,
		      const struct ike_msg *request)
{
	enum role role = role_in(conn, &s->f.ike_sas[request->ike_sa]);

	return role == (request->from_initiator ? ROLE_RESPONDER : ROLE_INITIATOR);
}

static int judge_esp_proposal(const struct survey *s, struct findings *out,
			      const struct ike_msg *request, const struct conf_section *conn)
{
	bool with_ke = request->hdr.exchange == CREATE_CHILD_SA;
	const struct conf_section *child;
	struct offer offer;
	char words[128], text[600];
	struct finding *f;
	int err = 0;

	if (!read_offer(request->inner, &offer))
		return 0;
	for (child = config_children(conn); child && !err; child = child->next) {
		const char *list = config_text(child, "esp_proposals", "");

		if (!is_apart(list, PROTOCOL_ESP, with_ke, &offer, words, sizeof(words)))
			continue;
		f = finding_add(out, CERTAIN,
				"What is offered for ESP and what child %s allows have no %s in "
				"common.",
				child->name, words);
		err = finding_show(
		    out, f, seen_frame(s, request->frame), "offered: %s",
		    ike_payload_describe(ike_payload_find(request->inner, PAYLOAD_SA, 0), text,
					 sizeof(text)));
		if (!err)
			err = finding_cite(out, f, config_place(child, "esp_proposals"),
					   "esp_proposals = %s: no %s in common", list, words);
	}
	return err;
}

typedef int request_fn(const struct survey *s, struct findings *out, const struct ike_msg *request,
		       const struct conf_section *conn);

static int for_each_refusal(const struct survey *s, struct findings *out, uint16_t notify,
			    request_fn *judge)
{
	const struct conf_section *conn;
	size_t i;
	int err = 0;

	for (i = 0; i < s->f.n_refusals; i++) {
		const struct ike_msg *request = request_behind(s, &s->f.refusals[i]);

		if (!request || s->f.refusals[i].notify != notify)
			continue;
		for (conn = config_conns(s->config); conn && !err; conn = conn->next)
			if (asks_file(conn, s, request))
				err = judge(s, out, request, conn);
	}
	return err;
}

static int find_esp_proposal(const struct survey *s, struct findings *out)
{
	return for_each_refusal(s, out, N_NO_PROPOSAL_CHOSEN, judge_esp_proposal);
}

static bool overlap(const struct ts_list *a, const struct ts_list *b)
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
	if (!err && !overlap(ts_i, &remote))
		err = finding_cite(out, f, config_place(child, "remote_ts"),
				   "child %s: remote_ts = %s has nothing of TSi", child->name,
				   config_text(child, "remote_ts", ""));
	if (!err && !overlap(ts_r, &local))
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
	return for_each_refusal(s, out, N_TS_UNACCEPTABLE, judge_selectors);
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
		role = role_in(conn, sa);
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
	enum role role = role_in(conn, sa);
	struct finding *f;

	if (role == ROLE_NONE || !remote)
		return 0;
	f = finding_add(out, CERTAIN,
			"The peer says that it is %s, and no connection expects that.",
			role == ROLE_INITIATOR ? sa->id_r : sa->id_i);
	return finding_cite(out, f, config_place(remote, "id"), "connection %s expects id = %s",
			    conn->name, config_text(remote, "id", ""));
}

static int find_identity(const struct survey *s, struct findings *out)
{
	const struct conf_section *conn;
	size_t i;
	int err = 0;

	for (i = 0; s->config && i < s->f.n_ike_sas; i++) {
		if (is_known(s, &s->f.ike_sas[i]))
			continue;
		for (conn = config_conns(s->config); conn && !err; conn = conn->next)
			err = judge_id(out, conn, &s->f.ike_sas[i]);
	}
	return err;
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
    {.id = "CFG-proposal",
     .names = "MAP-proposal; negotiation failure map 2; troubleshooting flow 3",
     .kind = RULE_FAULT,
     .rank = 12,
     .unless = "",
     .title = "The file allows none of the IKE proposals that are offered",
     .why = "Each proposal needs encryption, integrity (unless the cipher is an AEAD), PRF and key "
	    "exchange that both ends allow.",
     .remedy = "Add what is missing to proposals here, or at the other end.",
     .clause = "RFC 7296 §2.7, §3.3.6",
     .find = find_proposal},
    {.id = "CFG-offer",
     .names = "",
     .kind = RULE_FAULT,
     .rank = 13,
     .unless = "",
     .title = "The daemon does not do what the file says",
     .why = "What it offers is not in the file: the file was changed and not loaded, or it is not "
	    "the one that the daemon reads.",
     .remedy = "swanctl --load-all (beetctl load), and compare with swanctl --list-conns.",
     .clause = "RFC 7296 §2.7",
     .find = find_other_offer},
    {.id = "CFG-esp-proposal",
     .names = "MAP-esp-proposal, F19; negotiation failure map 2, 6; troubleshooting flow 3",
     .kind = RULE_FAULT,
     .rank = 12,
     .unless = "",
     .title = "The file allows none of the ESP proposals that are offered",
     .why = "The IKE SA comes up, its child does not: the ends' esp_proposals share none. The key "
	    "exchange group counts from the first rekeying on.",
     .remedy = "Add what is missing to esp_proposals here, or at the other end.",
     .clause = "RFC 7296 §1.2, §2.7, §3.3.6",
     .find = find_esp_proposal},
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
