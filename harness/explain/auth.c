/* auth.c - findings of refused authentication: identities, certificates, dates, neighbours (RFC
 * 7296 §2.15, §2.21.2, §3.5; RFC 4945). The notify says nothing; with keys, what was refused can be
 * looked at; without, the length of the answer is all that there is. */
#include <stdio.h>
#include <string.h>

#include "harness/explain/rule.h"
#include "vpn/crypto/pki.h"

/* No room for IDr, AUTH and a child: a notify, sealed. */
#define REFUSAL_MAX 112

static bool is_auth_failure(const struct ike_msg *m)
{
	return m->ike_sa != FACT_NONE && m->retransmission_of == FACT_NONE &&
	       msg_error(m) == N_AUTHENTICATION_FAILED;
}

/* Whose proof was refused: the initiator's (by a response), or the responder's. */
static bool initiator_was_refused(const struct ike_msg *m)
{
	return !m->from_initiator;
}

static int show_refusal(const struct survey *s, struct findings *out, struct finding *f, size_t i)
{
	const struct ike_sa_fact *sa = &s->f.ike_sas[s->f.ike[i].ike_sa];

	return finding_show(out, f, seen_msg(s, i), "N(AUTHENTICATION_FAILED); IDi %s, IDr %s",
			    sa->id_i[0] ? sa->id_i : "?", sa->id_r[0] ? sa->id_r : "?");
}

static int find_auth_failed(const struct survey *s, struct findings *out)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->f.n_ike; i++) {
		const struct ike_msg *m = &s->f.ike[i];
		bool initiator = initiator_was_refused(m);
		struct finding *f;

		if (!is_auth_failure(m))
			continue;
		f = finding_add(out, CERTAIN, "The %s refuses the %s's authentication.",
				initiator ? "responder" : "initiator",
				initiator ? "initiator" : "responder");
		err = show_refusal(s, out, f, i);
	}
	return err;
}

/* The IKE_AUTH message that carried the proof which was refused; FACT_NONE. */
static size_t proof_of(const struct survey *s, size_t failure)
{
	const struct ike_msg *m = &s->f.ike[failure];
	size_t i;

	for (i = 0; i < s->f.n_ike; i++) {
		const struct ike_msg *p = &s->f.ike[i];

		if (p->ike_sa == m->ike_sa && p->hdr.exchange == IKE_AUTH && p->inner &&
		    p->from_initiator == initiator_was_refused(m) &&
		    ike_payload_find(p->inner, PAYLOAD_AUTH, 0))
			return i;
	}
	return FACT_NONE;
}

static struct cert *cert_of(const struct ike_payloads *p)
{
	const struct ike_payload *payload = ike_payload_find(p, PAYLOAD_CERT, 0);
	struct payload_cert body;
	struct cert *cert = NULL;

	if (!payload || payload_cert_decode(payload->body, &body) ||
	    body.encoding != CERT_ENCODING_X509_SIGNATURE || cert_load(body.data, &cert, NULL))
		return NULL;
	return cert;
}

static bool id_of(const struct ike_payloads *p, bool initiator, struct identity *ret_id)
{
	const struct ike_payload *payload =
	    ike_payload_find(p, initiator ? PAYLOAD_IDI : PAYLOAD_IDR, 0);
	struct payload_id body;

	return payload && !payload_id_decode(payload->body, &body) &&
	       !identity_from_octets(body.type, body.data, ret_id);
}

static bool is_quad_as_name(const struct identity *id)
{
	struct ip_addr addr;
	char text[64];

	if (id->type != ID_FQDN || id->len >= sizeof(text))
		return false;
	snprintf(text, sizeof(text), "%.*s", (int)id->len, (const char *)id->data);
	return !ip_addr_parse(text, &addr);
}

static int show_identity(const struct survey *s, struct findings *out, size_t failure, size_t proof,
			 const struct identity *id, const struct cert *cert)
{
	bool quad = is_quad_as_name(id), foreign = cert && !cert_has_identity(cert, id);
	char text[IDENTITY_STRLEN], subject[IDENTITY_STRLEN];
	struct finding *f;
	int err;

	if (!quad && !foreign)
		return 0;
	identity_format(id, text, sizeof(text));
	f = finding_add(out, foreign ? CERTAIN : LIKELY, "%s%s%s.",
			foreign ? "The certificate does not hold the identity "
				: "The identity is an address written as a host name: ",
			text, foreign && quad ? ", an address written as a host name" : "");
	err = finding_show(
	    out, f, seen_msg(s, proof), "ID %s%s%s", text, cert ? ", certificate of " : "",
	    cert ? identity_format(cert_subject(cert), subject, sizeof(subject)) : "");
	return err ? err : show_refusal(s, out, f, failure);
}

static int judge_identity(const struct survey *s, struct findings *out, size_t failure,
			  size_t proof)
{
	const struct ike_payloads *p = s->f.ike[proof].inner;
	struct identity id = {0};
	struct cert *cert = cert_of(p);
	int err = 0;

	if (id_of(p, initiator_was_refused(&s->f.ike[failure]), &id))
		err = show_identity(s, out, failure, proof, &id, cert);
	identity_clear(&id);
	cert_unref(cert);
	return err;
}

static int judge_dates(const struct survey *s, struct findings *out, size_t failure, size_t proof)
{
	struct cert *cert = cert_of(s->f.ike[proof].inner);
	int64_t now = (int64_t)(msg_frame(s, proof)->time_us / 1000000);
	char subject[IDENTITY_STRLEN];
	bool early = cert && now < cert_not_before(cert);
	bool late = cert && now > cert_not_after(cert);
	struct finding *f;
	int err = 0;

	if (early || late) {
		f = finding_add(out, CERTAIN, "The certificate %s when it was used.",
				early ? "was not valid yet" : "had expired");
		err = finding_show(
		    out, f, seen_msg(s, proof), "%s, %lld hours %s its time",
		    identity_format(cert_subject(cert), subject, sizeof(subject)),
		    (long long)(early ? cert_not_before(cert) - now : now - cert_not_after(cert)) /
			3600,
		    early ? "before" : "after");
		if (!err)
			err = show_refusal(s, out, f, failure);
	}
	cert_unref(cert);
	return err;
}

/* An SA of another identity, which was accepted from the same address at the place of the refusal
 * (behind the NAT box each client has its own). FACT_NONE: there is none. */
static size_t find_accepted(const struct survey *s, size_t failure)
{
	const struct fact_frame *refused = msg_frame(s, failure);
	const char *id = s->f.ike_sas[s->f.ike[failure].ike_sa].id_i;
	size_t i;

	for (i = 0; i < s->f.n_ike; i++) {
		const struct fact_frame *f = msg_frame(s, i);
		const struct ike_msg *m = &s->f.ike[i];
		const struct ike_sa_fact *sa;

		if (m->ike_sa == FACT_NONE || !m->from_initiator || f->place != refused->place ||
		    !ip_addr_eq(&f->src.addr, &refused->dst.addr))
			continue;
		sa = &s->f.ike_sas[m->ike_sa];
		if (sa->established_msg != FACT_NONE && sa->id_i[0] && strcmp(sa->id_i, id) != 0)
			return m->ike_sa;
	}
	return FACT_NONE;
}

static int judge_neighbour(const struct survey *s, struct findings *out, size_t failure,
			   size_t proof)
{
	size_t accepted =
	    initiator_was_refused(&s->f.ike[failure]) ? find_accepted(s, failure) : FACT_NONE;
	const struct ike_sa_fact *mine = &s->f.ike_sas[s->f.ike[failure].ike_sa], *other;
	struct finding *f;
	int err;

	if (accepted == FACT_NONE)
		return 0;
	other = &s->f.ike_sas[accepted];
	f = finding_add(out, POSSIBLE,
			"The responder has accepted %s from the same address, and refuses %s.",
			other->id_i, mine->id_i);
	err = finding_show(out, f, seen_msg(s, other->established_msg), "%s is accepted",
			   other->id_i);
	return err ? err : finding_show(out, f, seen_msg(s, proof), "%s is not", mine->id_i);
}

typedef int judge_fn(const struct survey *s, struct findings *out, size_t failure, size_t proof);

static int for_each_failure(const struct survey *s, struct findings *out, judge_fn *judge)
{
	size_t i, proof;
	int err = 0;

	for (i = 0; !err && i < s->f.n_ike; i++) {
		if (!is_auth_failure(&s->f.ike[i]))
			continue;
		proof = proof_of(s, i);
		if (proof != FACT_NONE)
			err = judge(s, out, i, proof);
	}
	return err;
}

static int find_identity(const struct survey *s, struct findings *out)
{
	return for_each_failure(s, out, judge_identity);
}

static int find_dates(const struct survey *s, struct findings *out)
{
	return for_each_failure(s, out, judge_dates);
}

static int find_neighbour(const struct survey *s, struct findings *out)
{
	return for_each_failure(s, out, judge_neighbour);
}

static bool goes_on(const struct survey *s, const struct exchange *auth)
{
	size_t i;

	for (i = 0; i < s->n_exchanges; i++)
		if (s->exchanges[i].ike_sa == auth->ike_sa && s->exchanges[i].id > 1)
			return true;
	return false;
}

/* Without keys: the answer to IKE_AUTH is too short to be an acceptance, and all ends there. */
static int find_short_answer(const struct survey *s, struct findings *out)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->n_exchanges; i++) {
		const struct exchange *x = &s->exchanges[i];
		const struct ike_msg *m;
		struct finding *f;

		if (x->type != IKE_AUTH || x->id != 1 || x->first_response == FACT_NONE)
			continue;
		m = &s->f.ike[x->first_response];
		if (m->inner || m->fragments || m->octets.len > REFUSAL_MAX || goes_on(s, x))
			continue;
		f = finding_add(
		    out, LIKELY,
		    "IKE_AUTH is answered with %zu octets: too short to hold an identity, "
		    "a proof and a child. It is a refusal.",
		    m->octets.len);
		err = finding_show(out, f, seen_msg(s, x->first_response),
				   "IKE_AUTH response, sealed");
	}
	return err;
}

RULES(
    auth,
    {.id = "MAP-auth",
     .names = "negotiation failure map 3; troubleshooting flow 2",
     .kind = RULE_FAULT,
     .rank = 16,
     .unless = "F41 F43 CFG-identity",
     .title = "Authentication fails",
     .why = "The notify does not say why, by design: a wrong pre-shared key, an identity that no "
	    "connection expects, a certificate that is not trusted, or a wrong clock.",
     .remedy = "Look into the log of the end that refuses. Compare identities (remote.id there, "
	       "local.id here), then the secret or the certificate's chain and dates.",
     .clause = "RFC 7296 §2.15, §2.21.2",
     .find = find_auth_failed},
    {.id = "F41",
     .names = "negotiation failure map 3",
     .kind = RULE_FAULT,
     .rank = 15,
     .unless = "F43",
     .title = "The identity does not match the certificate",
     .why = "The peer looks for the identity among the certificate's subject and subjectAltNames "
	    "and does not find it. \"@192.0.2.1\" is a host name, not an address.",
     .remedy =
	 "Use an identity that the certificate holds (its subject, or a subjectAltName of the "
	 "same type), or issue a certificate with the name; write addresses without @.",
     .clause = "RFC 4945 §3.1, RFC 7296 §3.5",
     .find = find_identity},
    {.id = "F43",
     .names = "negotiation failure map 3 (clock)",
     .kind = RULE_FAULT,
     .rank = 14,
     .unless = "",
     .title = "A certificate is out of its time, or a clock is wrong",
     .why = "The capture's clock is outside the certificate's dates. Either it has expired, or "
	    "(after a boot without a clock) the time is wrong.",
     .remedy = "Renew the certificate; or set the clock, and let time synchronisation work without "
	       "the tunnel.",
     .clause = "RFC 5280 §4.1.2.5, RFC 4945 §5.1",
     .find = find_dates},
    {.id = "F10",
     .names = "",
     .kind = RULE_FAULT,
     .rank = 50,
     .unless = "F41 F43",
     .title = "A second client behind the same address is refused",
     .why = "The responder may look its connection up by address instead of by identity, and finds "
	    "the first client's.",
     .remedy = "Connections for %any, with identities that tell the clients apart.",
     .clause = "RFC 7296 §2.15, §3.5",
     .find = find_neighbour},
    {.id = "MAP-refusal",
     .names = "negotiation failure map 2 to 4",
     .kind = RULE_FAULT,
     .rank = 40,
     .unless = "MAP-auth F41 F43 F37",
     .title = "IKE_AUTH is refused; the reason is sealed",
     .why =
	 "A wrong secret, identity or certificate most likely (AUTHENTICATION_FAILED): a refusal "
	 "of the child alone makes a longer answer.",
     .remedy = "The logs of both ends say more; so does this, with keys (--keys).",
     .clause = "RFC 7296 §1.2, §2.21.2",
     .find = find_short_answer});
