/* auth.c - findings of refusals: proposals that have nothing in common, identities and secrets that
 * do not fit (RFC 7296 §2.7, §2.15, §2.21.2, §3.10.1). */
#include "harness/explain/rule.h"

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

static int find_auth_failed(const struct survey *s, struct findings *out)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->f.n_ike; i++) {
		const struct ike_msg *m = &s->f.ike[i];
		const struct ike_sa_fact *sa;
		struct finding *f;

		if (m->ike_sa == FACT_NONE || msg_error(m) != N_AUTHENTICATION_FAILED)
			continue;
		sa = &s->f.ike_sas[m->ike_sa];
		f = finding_add(out, CERTAIN, "The %s refuses the %s's authentication.",
				m->from_initiator ? "initiator" : "responder",
				m->from_initiator ? "responder" : "initiator");
		err =
		    finding_show(out, f, seen_msg(s, i), "N(AUTHENTICATION_FAILED), IDi %s, IDr %s",
				 sa->id_i[0] ? sa->id_i : "?", sa->id_r[0] ? sa->id_r : "?");
	}
	return err;
}

RULES(
    auth,
    {.id = "MAP-proposal",
     .names = "negotiation failure map 2; troubleshooting flow 3",
     .kind = RULE_FAULT,
     .rank = 14,
     .unless = "",
     .title = "No IKE proposal in common",
     .why = "Each proposal needs encryption, integrity (unless the cipher is an AEAD), PRF and key "
	    "exchange that both ends allow.",
     .remedy = "Compare the offer with the responder's configuration (proposals), transform by "
	       "transform; an update may have changed the defaults.",
     .clause = "RFC 7296 §2.7, §3.3.6",
     .find = find_ike_proposal},
    {.id = "MAP-auth",
     .names = "negotiation failure map 3; troubleshooting flow 2",
     .kind = RULE_FAULT,
     .rank = 16,
     .unless = "",
     .title = "Authentication fails",
     .why = "The notify does not say why, by design: a wrong pre-shared key, an identity that no "
	    "connection expects, a certificate that is not trusted, or a wrong clock.",
     .remedy = "Look into the log of the end that refuses. Compare identities (remote.id there, "
	       "local.id here), then the secret or the certificate's chain and dates.",
     .clause = "RFC 7296 §2.15, §2.21.2",
     .find = find_auth_failed});
