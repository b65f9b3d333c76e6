/* proposal.c - findings of proposals that have nothing in common, in IKE_SA_INIT, IKE_AUTH and
 * CREATE_CHILD_SA (RFC 7296 §1.2, §1.3, §2.7, §3.3). The first of them needs no keys. */
#include "harness/explain/rule.h"
#include "vpn/crypto/alg.h"

static int find_ike_proposal(const struct survey *s, struct findings *out)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->f.n_ike; i++) {
		const struct ike_msg *m = &s->f.ike[i];
		const struct ike_payload *sa;
		char text[600], route[128];
		struct finding *f;

		if (m->hdr.exchange != IKE_SA_INIT || m->request ||
		    msg_error(m) != N_NO_PROPOSAL_CHOSEN)
			continue;
		f = finding_add(out, CERTAIN, "The responder takes none of the IKE proposals.");
		err = finding_show(out, f, seen_msg(s, i), "N(NO_PROPOSAL_CHOSEN), %s",
				   msg_route(s, i, route, sizeof(route)));
		if (err || m->request_of == FACT_NONE || !s->f.ike[m->request_of].outer)
			continue;
		sa = ike_payload_find(s->f.ike[m->request_of].outer, PAYLOAD_SA, 0);
		if (sa)
			err = finding_show(out, f, seen_msg(s, m->request_of), "offered: %s",
					   ike_payload_describe(sa, text, sizeof(text)));
	}
	return err;
}

static bool offers_ke(const struct ike_payloads *p)
{
	const struct ike_payload *payload = ike_payload_find(p, PAYLOAD_SA, 0);
	struct proposal v[PROPOSAL_LIST_MAX];
	struct proposal_list list = {.v = v};
	size_t i, k;

	if (!payload || payload_sa_decode(payload->body, &list))
		return false;
	for (i = 0; i < list.n; i++)
		for (k = 0; k < list.v[i].n_transforms; k++)
			if (list.v[i].transforms[k].type == TRANSFORM_KE &&
			    list.v[i].transforms[k].id)
				return true;
	return false;
}

/* The request that a refusal of its proposal answers; NULL: it is not of that kind. */
static const struct ike_msg *refused_request(const struct survey *s, const struct refusal_fact *r)
{
	const struct ike_msg *m = &s->f.ike[r->msg];
	const struct ike_msg *req;

	if (m->request_of == FACT_NONE ||
	    (r->notify != N_NO_PROPOSAL_CHOSEN && r->notify != N_INVALID_KE_PAYLOAD))
		return NULL;
	req = &s->f.ike[m->request_of];
	return req->inner ? req : NULL;
}

/* INVALID_KE_PAYLOAD names a group to try again with: what was made later has settled it. */
static bool is_settled(const struct survey *s, const struct refusal_fact *r)
{
	const struct ike_msg *m = &s->f.ike[r->msg];
	size_t i;

	if (r->notify != N_INVALID_KE_PAYLOAD)
		return false;
	for (i = 0; i < s->f.n_children; i++)
		if (s->f.children[i].ike_sa == m->ike_sa && s->f.children[i].response_msg > r->msg)
			return true;
	for (i = 0; i < s->f.n_ike_sas; i++)
		if (s->f.ike_sas[i].rekeyed_from == m->ike_sa)
			return true;
	return false;
}

enum refusal_kind { REFUSED_CHILD, REFUSED_KE_IN_AUTH, REFUSED_REKEY };

static enum refusal_kind kind_of_refusal(const struct ike_msg *req)
{
	struct payload_notify n;

	if (req->hdr.exchange == IKE_AUTH)
		return offers_ke(req->inner) ? REFUSED_KE_IN_AUTH : REFUSED_CHILD;
	return payloads_find_notify(req->inner, N_REKEY_SA, &n) ? REFUSED_REKEY : REFUSED_CHILD;
}

static int find_refused_proposal(const struct survey *s, struct findings *out,
				 enum refusal_kind kind, const char *what)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->f.n_refusals; i++) {
		const struct refusal_fact *r = &s->f.refusals[i];
		const struct ike_msg *req = refused_request(s, r);
		const struct ike_payload *sa;
		char text[600], name[64];
		struct finding *f;

		if (!req || kind_of_refusal(req) != kind || is_settled(s, r))
			continue;
		f = finding_add(out, CERTAIN, "%s", what);
		err = finding_show(out, f, seen_msg(s, r->msg), "N(%s)",
				   ike_notify_name(r->notify, name, sizeof(name)));
		sa = ike_payload_find(req->inner, PAYLOAD_SA, 0);
		if (!err && sa)
			err = finding_show(out, f, seen_frame(s, req->frame), "offered: %s",
					   ike_payload_describe(sa, text, sizeof(text)));
	}
	return err;
}

static int find_child_proposal(const struct survey *s, struct findings *out)
{
	return find_refused_proposal(s, out, REFUSED_CHILD,
				     "The responder takes none of the ESP proposals.");
}

static int find_ke_in_auth(const struct survey *s, struct findings *out)
{
	return find_refused_proposal(s, out, REFUSED_KE_IN_AUTH,
				     "The ESP proposal in IKE_AUTH names a key exchange group, and "
				     "the responder refuses it.");
}

static int find_rekey_proposal(const struct survey *s, struct findings *out)
{
	return find_refused_proposal(s, out, REFUSED_REKEY,
				     "The child worked, and its rekeying is refused.");
}

RULES(
    proposal,
    {.id = "MAP-proposal",
     .names = "negotiation failure map 2; troubleshooting flow 3",
     .kind = RULE_FAULT,
     .rank = 14,
     .unless = "CFG-proposal",
     .title = "No IKE proposal in common",
     .why = "Each proposal needs encryption, integrity (unless the cipher is an AEAD), PRF and key "
	    "exchange that both ends allow.",
     .remedy = "Compare the offer with the responder's configuration (proposals), transform by "
	       "transform; an update may have changed the defaults.",
     .clause = "RFC 7296 §2.7, §3.3.6",
     .find = find_ike_proposal},
    {.id = "MAP-esp-proposal",
     .names = "negotiation failure map 2; troubleshooting flow 3; document 4",
     .kind = RULE_FAULT,
     .rank = 15,
     .unless = "CFG-esp-proposal",
     .title = "No ESP proposal in common",
     .why = "The IKE SA comes up, its child does not: the ends' esp_proposals share none.",
     .remedy = "Compare the offer with the responder's esp_proposals, transform by transform, ESN "
	       "included.",
     .clause = "RFC 7296 §2.7, §3.3.6",
     .find = find_child_proposal},
    {.id = "F40",
     .names = "S8",
     .kind = RULE_FAULT,
     .rank = 14,
     .unless = "",
     .title = "A key exchange group stands in IKE_AUTH's ESP proposal",
     .why = "IKE_AUTH has no KE payload for the child, so a proposal there must not name a group "
	    "(other than NONE); strict peers refuse it.",
     .remedy = "Update the initiator, or take the group out of its ESP proposal.",
     .clause = "RFC 7296 §1.2, §3.3.3",
     .find = find_ke_in_auth},
    {.id = "F19",
     .names = "S8; negotiation failure map 6",
     .kind = RULE_FAULT,
     .rank = 13,
     .unless = "CFG-esp-proposal",
     .title = "Works until the first rekeying: the ends disagree about PFS",
     .why = "The first child is made in IKE_AUTH without a key exchange of its own, so a different "
	    "group in esp_proposals is noticed only by the first CREATE_CHILD_SA.",
     .remedy = "The same key exchange group (or none) in both ends' esp_proposals.",
     .clause = "RFC 7296 §1.2, §1.3.3, §2.7",
     .find = find_rekey_proposal});
