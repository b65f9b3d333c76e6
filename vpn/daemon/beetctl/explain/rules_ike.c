/* rules_ike.c - findings of the negotiation: nobody answers, somebody refuses, nobody asks.
 *
 * The daemon keeps the last failure of a connection until it works again; its notify and its cause
 * name what document 3's negotiation failure map lists. */
#include "vpn/daemon/beetctl/explain/findings.h"

#include <string.h>

#include "vpn/base/proto.h"
#include "vpn/wire/ike_numbers.h"

static bool is_silence(const struct fact_failure *x)
{
	return x->there && !x->notify && !strcmp(x->cause, "timeout");
}

static void show_failure(struct finding *found, const struct facts *f)
{
	char name[48] = "";

	if (f->failure.notify)
		ike_notify_name(f->failure.notify, name, sizeof(name));
	live_finding_show(found, "%llu s ago%s%s: %s%s%s", (unsigned long long)f->failure.age,
			  f->failure.child[0] ? ", child " : "", f->failure.child, f->failure.text,
			  name[0] ? "; notify " : "", name);
}

/* An SA that waits, or the memory of one that has waited in vain. */
static void find_silent_init(const struct facts *f, struct findings *out)
{
	const struct fact_sa *sa = live_sa(f);
	bool waits = sa && sa->lasting && !sa->answered;
	struct finding *found;
	char peer[ENDPOINT_STRLEN];

	if (live_is_up(f) || (!waits && !(is_silence(&f->failure) && !f->failure.child[0])))
		return;
	if (sa && sa->lasting && sa->answered)
		return;
	found = live_finding_add(
	    out, waits ? LIKELY : POSSIBLE,
	    waits ? "The peer %s has not answered IKE_SA_INIT." : "The peer %s answers no more.",
	    waits ? endpoint_format(&sa->remote, peer, sizeof(peer)) : f->remote_addrs);
	if (waits)
		live_finding_show(found, "list-sas: %s, no SPI of the responder", sa->state);
	if (f->failure.there)
		show_failure(found, f);
	if (f->init_out.now && !f->init_in.now)
		live_finding_show(found,
				  "get-counters: %llu IKE_SA_INIT requests sent, no response ever",
				  (unsigned long long)f->init_out.now);
}

static void find_4500_blocked(const struct facts *f, struct findings *out)
{
	const struct fact_sa *sa = live_sa(f);
	struct finding *found;

	if (!sa || !sa->lasting || !sa->answered || live_is_up(f) || !sa->initiator ||
	    sa->remote.port != IKE_NATT_PORT)
		return;
	found = live_finding_add(
	    out, LIKELY, "IKE_SA_INIT on UDP 500 is answered, IKE_AUTH on UDP 4500 is not.");
	live_finding_show(found, "list-sas: %s, the responder's SPI is known, remote port %u",
			  sa->state, sa->remote.port);
}

static void find_unanswered(const struct facts *f, struct findings *out)
{
	const struct fact_sa *sa = live_sa(f);
	struct finding *found;

	if (!sa || !sa->lasting || !sa->answered || live_is_up(f))
		return;
	found = live_finding_add(out, LIKELY, "IKE_SA_INIT is answered, IKE_AUTH is not.");
	live_finding_show(found, "list-sas: %s, the responder's SPI is known", sa->state);
}

static void find_refusal(const struct facts *f, struct findings *out, bool fits, const char *what)
{
	if (!f->failure.there || !fits)
		return;
	show_failure(live_finding_add(out, CERTAIN, "%s", what), f);
}

static void find_ike_proposal(const struct facts *f, struct findings *out)
{
	find_refusal(f, out, f->failure.notify == N_NO_PROPOSAL_CHOSEN && !f->failure.child[0],
		     "NO_PROPOSAL_CHOSEN ended the negotiation of the IKE SA.");
}

static void find_esp_proposal(const struct facts *f, struct findings *out)
{
	find_refusal(f, out, f->failure.notify == N_NO_PROPOSAL_CHOSEN && f->failure.child[0],
		     "NO_PROPOSAL_CHOSEN was the answer to a child.");
}

static void find_auth(const struct facts *f, struct findings *out)
{
	find_refusal(f, out, f->failure.notify == N_AUTHENTICATION_FAILED,
		     "AUTHENTICATION_FAILED ended the negotiation.");
}

static void find_ts(const struct facts *f, struct findings *out)
{
	find_refusal(f, out, f->failure.notify == N_TS_UNACCEPTABLE,
		     "TS_UNACCEPTABLE was the answer to a child.");
}

static bool is_named_elsewhere(uint16_t notify)
{
	return notify == N_NO_PROPOSAL_CHOSEN || notify == N_AUTHENTICATION_FAILED ||
	       notify == N_TS_UNACCEPTABLE;
}

static void find_other_failure(const struct facts *f, struct findings *out)
{
	find_refusal(f, out,
		     !is_named_elsewhere(f->failure.notify) &&
			 !(is_silence(&f->failure) && !f->failure.child[0]),
		     "The last attempt failed.");
}

/* --- Nobody asks --- */

static bool is_wanted(const struct fact_child *c)
{
	return !strcmp(c->start_action, "start");
}

static bool want_any(const struct facts *f)
{
	size_t i;

	for (i = 0; i < f->n_children; i++)
		if (is_wanted(&f->children[i]))
			return true;
	return false;
}

static void find_gone(const struct facts *f, struct findings *out)
{
	struct finding *found;

	if (f->n_sas || f->failure.there || !want_any(f))
		return;
	found = live_finding_add(out, LIKELY,
				 "The connection has start_action = start, there is no IKE SA, and "
				 "nothing is trying.");
	live_finding_show(found, "list-sas: none of %s", f->conn);
}

static void find_idle(const struct facts *f, struct findings *out)
{
	if (f->n_sas || f->failure.there || want_any(f))
		return;
	live_finding_show(
	    live_finding_add(out, LIKELY, "There is no IKE SA, and nothing here starts one."),
	    "list-sas: none of %s; no child has start_action = start", f->conn);
}

static bool is_missing(const struct fact_child *c)
{
	return c->configured && !c->installed && strcmp(c->start_action, "trap") != 0;
}

static bool have_any_child(const struct facts *f)
{
	size_t i;

	for (i = 0; i < f->n_children; i++)
		if (f->children[i].installed)
			return true;
	return false;
}

/* Beside others that are up, a child that nobody starts may be left down on purpose. */
static bool is_left_down(const struct facts *f, const struct fact_child *c)
{
	return is_missing(c) && !is_wanted(c) && have_any_child(f);
}

static void find_missing_child(const struct facts *f, struct findings *out)
{
	size_t i;

	for (i = 0; live_is_up(f) && i < f->n_children; i++) {
		const struct fact_child *c = &f->children[i];

		if (is_missing(c) && !is_left_down(f, c))
			live_finding_show(live_finding_add(out, is_wanted(c) ? LIKELY : POSSIBLE,
							   "The IKE SA is up, its child %s is not.",
							   c->name),
					  "list-sas: no SA of child %s; start_action %s", c->name,
					  c->start_action);
	}
}

static void find_unasked_child(const struct facts *f, struct findings *out)
{
	size_t i;

	for (i = 0; live_is_up(f) && i < f->n_children; i++) {
		const struct fact_child *c = &f->children[i];

		if (is_left_down(f, c))
			live_finding_show(live_finding_add(out, CERTAIN,
							   "Child %s is not up, and nothing here "
							   "starts it.",
							   c->name),
					  "list-sas: no SA of child %s; start_action %s", c->name,
					  c->start_action);
	}
}

static unsigned count_established(const struct facts *f)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < f->n_sas; i++)
		n += !strcmp(f->sas[i].state, "ESTABLISHED");
	return n;
}

static bool is_twin(const struct fact_sa *a, const struct fact_sa *b)
{
	return !strcmp(a->state, "ESTABLISHED") && !strcmp(b->state, "ESTABLISHED") &&
	       !strcmp(a->remote_id, b->remote_id) && ip_addr_eq(&a->remote.addr, &b->remote.addr);
}

static void find_twins(const struct facts *f, struct findings *out)
{
	size_t i, k;

	for (i = 0; i < f->n_sas; i++)
		for (k = 0; k < i; k++)
			if (is_twin(&f->sas[i], &f->sas[k]))
				live_finding_show(
				    live_finding_add(out, LIKELY,
						     "There are %u IKE SAs with the same peer.",
						     count_established(f)),
				    "list-sas: #%u and #%u, %s", f->sas[k].id, f->sas[i].id,
				    f->sas[i].remote_id);
	for (i = 0; i < f->n_children; i++)
		if (f->children[i].others_alike)
			live_finding_show(
			    live_finding_add(out, LIKELY,
					     "Child %s has %u SAs with the same selectors.",
					     f->children[i].name, f->children[i].installed),
			    "list-sas: %u SAs of child %s are INSTALLED", f->children[i].installed,
			    f->children[i].name);
}

RULES(
    ike,
    {.id = "MAP-init",
     .names = "negotiation failure map 1; troubleshooting flow 1",
     .kind = RULE_FAULT,
     .rank = 20,
     .unless = "LIVE-firewall LIVE-peer-route LIVE-local-address",
     .title = "IKE_SA_INIT gets no response",
     .why = "The request does not arrive (a firewall on the way or at the peer drops UDP 500, the "
	    "address is wrong, there is no route), or the peer drops it without a word (no such "
	    "connection, another IKE version), or the way back is broken.",
     .remedy = "Capture at both ends and explain the captures together (beetlab explain): if the "
	       "request arrives, look at the peer's configuration, else at firewalls and routes "
	       "between. Check the peer's address, and that UDP 500 and 4500 are open in both "
	       "directions.",
     .clause = "RFC 7296 §2.1, §2.4",
     .find = find_silent_init},
    {.id = "F06",
     .names = "negotiation failure map 1; troubleshooting flow 1",
     .kind = RULE_FAULT,
     .rank = 12,
     .unless = "LIVE-firewall",
     .title = "UDP port 4500 is blocked",
     .why = "Behind a NAT (or with forced encapsulation) IKE moves to port 4500 with IKE_AUTH. "
	    "Some mobile operators and firewalls let 500 through and drop 4500; some boxes drop "
	    "the fragments of a long IKE_AUTH (F11).",
     .remedy = "Open UDP 4500 in both directions, at the peer's firewall and on the way. Where "
	       "that is not possible, another network, or IKE over TCP (RFC 9329), is the way out.",
     .clause = "RFC 7296 §2.23, RFC 3948 §2",
     .find = find_4500_blocked},
    {.id = "MAP-unanswered",
     .names = "troubleshooting flow 1",
     .kind = RULE_SYMPTOM,
     .rank = 60,
     .unless = "F06",
     .title = "Requests inside an IKE SA get no answer",
     .why =
	 "The way was open for IKE_SA_INIT and is not for this: the peer may be down, or its NAT "
	 "mapping or a firewall's state gone, or the fragments of a long message are dropped.",
     .remedy = "Capture at both ends at the same time, and explain the captures together (beetlab "
	       "explain).",
     .clause = "RFC 7296 §2.1, §2.4",
     .find = find_unanswered},
    {.id = "MAP-proposal",
     .names = "negotiation failure map 2; troubleshooting flow 3",
     .kind = RULE_FAULT,
     .rank = 14,
     .unless = "",
     .title = "No IKE proposal in common",
     .why = "Each proposal needs encryption, integrity (unless the cipher is an AEAD), PRF and key "
	    "exchange that both ends allow.",
     .remedy = "Compare proposals of both ends, transform by transform; an update may have changed "
	       "the defaults.",
     .clause = "RFC 7296 §2.7, §3.3.6",
     .find = find_ike_proposal},
    {.id = "MAP-esp-proposal",
     .names = "F19, S8; negotiation failure map 2, 6; troubleshooting flow 3; document 4",
     .kind = RULE_FAULT,
     .rank = 15,
     .unless = "",
     .title = "No ESP proposal in common",
     .why =
	 "The ends' esp_proposals share none. If it has worked until the first rekeying, the key "
	 "exchange group (PFS) differs: the first child is made without one.",
     .remedy = "Compare esp_proposals of both ends, transform by transform, key exchange group and "
	       "ESN included.",
     .clause = "RFC 7296 §1.2, §2.7, §3.3.6",
     .find = find_esp_proposal},
    {.id = "MAP-auth",
     .names = "F41, F43; negotiation failure map 3; troubleshooting flow 2",
     .kind = RULE_FAULT,
     .rank = 16,
     .unless = "",
     .title = "Authentication fails",
     .why = "The notify does not say why, by design: a wrong pre-shared key, an identity that no "
	    "connection expects, a certificate that is not trusted, or a wrong clock.",
     .remedy = "Look into the log of the end that refuses. Compare identities (remote.id there, "
	       "local.id here), then the secret or the certificate's chain and dates.",
     .clause = "RFC 7296 §2.15, §2.21.2",
     .find = find_auth},
    {.id = "F37",
     .names = "negotiation failure map 4; troubleshooting flow 4; F22",
     .kind = RULE_FAULT,
     .rank = 15,
     .unless = "",
     .title = "The traffic selectors have nothing in common",
     .why = "What the initiator asks for overlaps with no child of the connection that the "
	    "responder has chosen. With several connections to one peer it may have chosen the "
	    "wrong one.",
     .remedy = "Compare local_ts and remote_ts crosswise: the one's local_ts is the other's "
	       "remote_ts. If a matching child exists at the responder, make its connection "
	       "distinguishable by identity or address.",
     .clause = "RFC 7296 §2.9",
     .find = find_ts},
    {.id = "LIVE-failed",
     .names = "",
     .kind = RULE_FAULT,
     .rank = 25,
     .unless = "",
     .title = "The last attempt failed",
     .why = "The daemon's own words stand above.",
     .remedy = "The daemon's log around that time says more (beetctl log, beetctl up CHILD).",
     .clause = "RFC 7296 §2.21",
     .find = find_other_failure},
    {.id = "F44",
     .names = "",
     .kind = RULE_FAULT,
     .rank = 18,
     .unless = "",
     .title = "The peer is gone, and nothing brings the tunnel back",
     .why = "The IKE SA was closed (by the peer, by a liveness check, by hand), and no action "
	    "begins it again.",
     .remedy = "dpd_delay, dpd_action = restart, close_action = start at the end that can reach "
	       "the other. By hand: beetctl up CHILD.",
     .clause = "RFC 7296 §2.4",
     .find = find_gone},
    {.id = "LIVE-down",
     .names = "",
     .kind = RULE_SYMPTOM,
     .rank = 50,
     .unless = "",
     .title = "The tunnel is not up",
     .why = "A connection that nobody starts waits for the peer, or for a command.",
     .remedy =
	 "beetctl up CHILD; or start_action = start or trap. If the peer is to start it, look "
	 "there.",
     .clause = "RFC 7296 §1.2",
     .find = find_idle},
    {.id = "LIVE-child",
     .names = "",
     .kind = RULE_FAULT,
     .rank = 30,
     .unless = "MAP-esp-proposal F37 LIVE-failed",
     .title = "The IKE SA is up without one of its children",
     .why = "The child was never asked for, or it was closed and nothing makes it again.",
     .remedy = "beetctl up CHILD says why it does not come; start_action and close_action make it "
	       "by themselves.",
     .clause = "RFC 7296 §1.3.1",
     .find = find_missing_child},
    {.id = "LIVE-unasked",
     .names = "",
     .kind = RULE_NOTE,
     .rank = 73,
     .unless = "",
     .title = "A child was not asked for",
     .why = "Without start_action = start or trap a child comes when the peer or a command asks "
	    "for it. Its traffic is not in the tunnel until then.",
     .remedy = "If it is wanted: beetctl up CHILD, or start_action = start or trap.",
     .clause = "RFC 7296 §1.3.1",
     .find = find_unasked_child},
    {.id = "F25",
     .names = "F26",
     .kind = RULE_FAULT,
     .rank = 35,
     .unless = "",
     .title = "SAs pile up",
     .why =
	 "An end makes an SA anew although it has one alike (after a failed rekeying, or because "
	 "both ends start and their attempts cross).",
     .remedy = "Look at start and close actions of both ends: only one of them should start. "
	       "unique = replace closes the older IKE SA.",
     .clause = "RFC 7296 §1.3.1, §2.8",
     .find = find_twins});
