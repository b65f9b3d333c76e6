/* config_proposal.c - findings of the file's proposals held against those that were offered,
 * transform by transform (RFC 7296 §1.2, §2.7, §3.3). A proposal with a word that is not known here
 * ("default", an algorithm of another daemon's) is not judged, nor are those behind it. */
#include <stdio.h>
#include <string.h>

#include "harness/explain/config_role.h"
#include "vpn/crypto/alg.h"

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
		if (config_role(conn, sa) == role &&
		    !is_apart(config_text(conn, "proposals", ""), PROTOCOL_IKE, true, offer, words,
			      sizeof(words)))
			return true;
	return false;
}

static struct finding *add_apart(struct findings *out, enum role role, bool succeeded,
				 const char *words)
{
	if (role == ROLE_INITIATOR)
		return finding_add(out, LIKELY, "This end does not offer what its file says (%s).",
				   words);
	return succeeded
		   ? finding_add(out, LIKELY,
				 "This end has accepted what its file does not allow (%s).", words)
		   : finding_add(out, CERTAIN,
				 "What is offered and what the file allows have no %s in common.",
				 words);
}

static int judge_ike_proposal(const struct survey *s, struct findings *out,
			      const struct ike_sa_fact *sa, enum role role)
{
	size_t taken = config_init_response(s, sa);
	bool by_taken = taken != FACT_NONE && role == ROLE_RESPONDER;
	const struct ike_payloads *said = by_taken ? s->f.ike[taken].outer : init_request(s, sa);
	const struct conf_section *conn;
	struct offer offer;
	char words[128], text[600];
	int err = 0;

	if (!read_offer(said, &offer) || fits_any(s, sa, role, &offer))
		return 0;
	for (conn = config_conns(s->config); conn && !err; conn = conn->next) {
		const char *list = config_text(conn, "proposals", "");
		struct finding *f;

		if (config_role(conn, sa) != role ||
		    !is_apart(list, PROTOCOL_IKE, true, &offer, words, sizeof(words)))
			continue;
		ike_payload_describe(ike_payload_find(said, PAYLOAD_SA, 0), text, sizeof(text));
		f = add_apart(out, role, by_taken, words);
		err = finding_show(out, f, seen_msg(s, by_taken ? taken : sa->init_msg), "%s: %s",
				   by_taken ? "accepted" : "offered", text);
		if (!err)
			err = finding_cite(out, f, config_place(conn, "proposals"),
					   "proposals = %s: no %s in common", list, words);
	}
	return err;
}

int config_judge_offers(const struct survey *s, struct findings *out, enum role role,
			bool succeeded)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->f.n_ike_sas; i++)
		if ((config_init_response(s, &s->f.ike_sas[i]) != FACT_NONE) == succeeded)
			err = judge_ike_proposal(s, out, &s->f.ike_sas[i], role);
	return err;
}

static int find_proposal(const struct survey *s, struct findings *out)
{
	return config_judge_offers(s, out, ROLE_RESPONDER, false);
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

static int find_esp_proposal(const struct survey *s, struct findings *out)
{
	return config_for_each_refusal(s, out, N_NO_PROPOSAL_CHOSEN, judge_esp_proposal);
}

RULES(
    config_proposal,
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
     .find = find_esp_proposal});
