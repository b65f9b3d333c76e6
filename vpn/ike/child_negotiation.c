/* child_negotiation.c - offering a Child SA and answering an offer (RFC 7296 §1.2, §1.3.1, §2.9,
 * §2.17).
 *
 *     initiator                                   responder
 *     N(USE_BEET_MODE)? SA (Ni KE)? TSi TSr  ->   choose child, proposal, selectors, mode
 *                                            <-   N(USE_BEET_MODE)? SA (Nr KE)? TSi TSr
 *
 * BEET is strongSwan's: a private notify, believed from a peer that has shown its vendor ID, and
 * possible between two single hosts alone. Whenever BEET was asked for and tunnel mode comes out,
 * the child carries the reason. Selectors are intersections: neither side can widen the other's
 * (RFC 7296 §2.9). */
#include "vpn/ike/child_negotiation.h"

#include <stdlib.h>
#include <string.h>

#include "vpn/base/proto.h"
#include "vpn/base/secret.h"
#include "vpn/ike/child_sa.h"
#include "vpn/ike/report.h"

static int offer_ke(struct ike_sa *sa, struct child_offer *offer, uint16_t group)
{
	struct ike_env *env = &sa->engine->env;

	if (!group)
		return 0;
	offer->group = group;
	return ke_new(group, env->random, env->ctx, &offer->ke);
}

/* RFC 7296 §2.9: the packet's own selector comes first, so that the responder knows for what to
 * narrow. Where all is one host anyway it would say nothing new. */
static int offer_packet(const struct ip_addr *addr, uint16_t port, const struct ts_packet *packet,
			const struct ts_list *policy, struct ts_list *list)
{
	struct ts ts = ts_from_host(addr);

	if (policy->n == 1 && ts_is_host(&policy->v[0]))
		return 0;
	ts.proto = packet->proto;
	if (packet->have_ports && packet->proto != IP_PROTO_ICMP && packet->proto != IP_PROTO_ICMP6)
		ts.port_lo = ts.port_hi = port;
	return ts_list_add(list, &ts);
}

static int append_resolved(const struct ts_list *policy, const struct ip_addr *addr,
			   struct ts_list *list)
{
	struct ts_list resolved = {0};
	size_t i;
	int err = ts_list_resolve(policy, addr, &resolved);

	for (i = 0; i < resolved.n && !err; i++)
		err = ts_list_add(list, &resolved.v[i]);
	ts_list_free(&resolved);
	return err;
}

static int offer_selectors(const struct ike_sa *sa, const struct child_wish *wish,
			   struct child_offer *offer)
{
	const struct ts_packet *packet = wish->packet;
	int err = 0;

	if (wish->old) {
		err = ts_list_copy(&wish->old->local_ts, &offer->tsi);
		return err ? err : ts_list_copy(&wish->old->remote_ts, &offer->tsr);
	}
	if (packet) {
		err = offer_packet(&packet->src, packet->src_port, packet, &wish->cfg->local_ts,
				   &offer->tsi);
		if (!err)
			err = offer_packet(&packet->dst, packet->dst_port, packet,
					   &wish->cfg->remote_ts, &offer->tsr);
	}
	if (!err)
		err = append_resolved(&wish->cfg->local_ts, &sa->local.addr, &offer->tsi);
	return err ? err : append_resolved(&wish->cfg->remote_ts, &sa->remote.addr, &offer->tsr);
}

int child_offer_new(struct ike_sa *sa, const struct child_wish *wish,
		    struct child_offer **ret_offer)
{
	struct child_offer *offer = calloc(1, sizeof(*offer));
	uint16_t group = wish->group ? wish->group : proposal_first_ke(&wish->cfg->proposals);
	int err;

	if (!offer)
		return ERR_NOMEM;
	offer->conn = ike_conn_ref(wish->conn);
	offer->cfg = wish->cfg;
	if (wish->old) {
		offer->replaces = wish->old->id;
		offer->replaces_spi = wish->old->spi_in;
	}
	err = child_sa_new_spi(sa->engine, &offer->spi);
	if (!err)
		err = offer_selectors(sa, wish, offer);
	if (!err && !wish->in_auth)
		err = nonce_make(sa->engine, &offer->nonce);
	if (!err && !wish->in_auth)
		err = offer_ke(sa, offer, group);
	if (err) {
		child_offer_free(offer);
		return err;
	}
	*ret_offer = offer;
	return 0;
}

void child_offer_free(struct child_offer *offer)
{
	if (!offer)
		return;
	ke_free(offer->ke);
	ts_list_free(&offer->tsi);
	ts_list_free(&offer->tsr);
	ike_conn_unref(offer->conn);
	free(offer);
}

static void encode_sa(struct ike_builder *b, const struct proposal_list *src, uint32_t spi,
		      unsigned flags)
{
	struct proposal v[PROPOSAL_LIST_MAX];
	struct proposal_list list = {.v = v};
	uint8_t octets[4];
	struct writer w = wr_init(octets, sizeof(octets));

	wr_u32(&w, spi);
	proposal_offer(src, flags, octets, sizeof(octets), &list);
	payload_sa_encode(b, &list);
}

static void encode_mode(struct ike_builder *b, enum ipsec_mode mode)
{
	if (mode == IPSEC_BEET)
		payload_notify_simple(b, N_USE_BEET_MODE, (struct view){0});
}

/* RFC 7296 §1.3.3: the notify names the old SA by the SPI that we receive on. */
static void encode_rekey(struct ike_builder *b, uint32_t spi)
{
	uint8_t octets[4];
	struct writer w = wr_init(octets, sizeof(octets));
	struct payload_notify n = {
	    .type = N_REKEY_SA, .protocol = PROTOCOL_ESP, .spi = {octets, sizeof(octets)}};

	wr_u32(&w, spi);
	payload_notify_encode(b, &n);
}

void child_offer_encode(const struct child_offer *offer, bool in_auth, struct ike_builder *b)
{
	if (offer->replaces)
		encode_rekey(b, offer->replaces_spi);
	encode_mode(b, offer->cfg->mode);
	encode_sa(b, &offer->cfg->proposals, offer->spi, in_auth ? PROPOSAL_SKIP_KE : 0);
	if (!in_auth)
		payload_nonce_encode(b, nonce_view(&offer->nonce));
	if (offer->ke)
		payload_ke_encode(b, offer->group, ke_public(offer->ke));
	payload_ts_encode(b, PAYLOAD_TSI, &offer->tsi);
	payload_ts_encode(b, PAYLOAD_TSR, &offer->tsr);
}

static bool fail(struct child_failure *f, uint16_t notify, const char *why)
{
	*f = (struct child_failure){notify, why};
	return false;
}

/* What a message says of a Child SA, decoded; release with said_clear. */
struct said {
	struct proposal v[PROPOSAL_LIST_MAX];
	struct proposal_list proposals;
	struct ts_list tsi, tsr;
	struct view nonce;
	struct payload_ke ke;
	bool have_ke, beet, no_tfc;
};

static void said_clear(struct said *s)
{
	ts_list_free(&s->tsi);
	ts_list_free(&s->tsr);
}

static bool said_decode(struct said *s, const struct ike_payloads *p, bool in_auth,
			struct child_failure *f)
{
	const struct ike_payload *sa = ike_payload_find(p, PAYLOAD_SA, 0);
	const struct ike_payload *tsi = ike_payload_find(p, PAYLOAD_TSI, 0);
	const struct ike_payload *tsr = ike_payload_find(p, PAYLOAD_TSR, 0);
	const struct ike_payload *nonce = ike_payload_find(p, PAYLOAD_NONCE, 0);
	const struct ike_payload *ke = ike_payload_find(p, PAYLOAD_KE, 0);
	struct payload_notify n;

	memset(s, 0, sizeof(*s));
	s->proposals.v = s->v;
	if (!sa || !tsi || !tsr || (!in_auth && !nonce))
		return fail(f, N_INVALID_SYNTAX, "SA, TSi, TSr or the nonce is missing");
	if (payload_sa_decode(sa->body, &s->proposals) || payload_ts_decode(tsi->body, &s->tsi) ||
	    payload_ts_decode(tsr->body, &s->tsr) ||
	    (!in_auth && payload_nonce_decode(nonce->body, &s->nonce)) ||
	    (ke && payload_ke_decode(ke->body, &s->ke))) {
		said_clear(s);
		return fail(f, N_INVALID_SYNTAX, "SA, TS, nonce or KE payload is malformed");
	}
	s->have_ke = ke != NULL;
	s->beet = payloads_find_notify(p, N_USE_BEET_MODE, &n);
	s->no_tfc = payloads_find_notify(p, N_ESP_TFC_PADDING_NOT_SUPPORTED, &n);
	return true;
}

static bool one_host(const struct ts_list *list)
{
	return list->n == 1 && ip_addr_eq(&list->v[0].lo, &list->v[0].hi);
}

/* The mode that both want; the reason if BEET was configured or asked for and cannot be. */
static enum ipsec_mode agree_mode(const struct ike_sa *sa, const struct child_cfg *cfg,
				  bool peer_asked, bool we_began,
				  const struct child_agreement *agreed, const char **ret_reason)
{
	const char *why = NULL;

	if (cfg->mode != IPSEC_BEET && !peer_asked) {
		*ret_reason = NULL;
		return cfg->mode;
	}
	if (peer_asked && !sa->peer_strongswan)
		why = "the peer asks for BEET with a private notify but did not show its vendor ID";
	else if (cfg->mode != IPSEC_BEET)
		why = "the peer asked for BEET mode, our configuration does not";
	else if (!peer_asked)
		why = we_began
			  ? "the peer did not agree to BEET mode (vendor IDs, host selectors and "
			    "mode = beet are needed on both ends)"
			  : "the peer did not ask for BEET mode";
	else if (!one_host(&agreed->local_ts) || !one_host(&agreed->remote_ts))
		why = "the selectors are not host-to-host";
	*ret_reason = why;
	return why ? IPSEC_TUNNEL : IPSEC_BEET;
}

/* KE and nonce of CREATE_CHILD_SA; in IKE_AUTH those of IKE_SA_INIT without g^ir (RFC 7296 §2.17).
 */
struct secret {
	uint8_t octets[KE_SECRET_MAX];
	size_t len;
};

static bool take_secret(const struct ke *ke, const struct said *s, struct secret *secret)
{
	secret->len = 0;
	return !ke || ke_derive(ke, s->ke.data, secret->octets, &secret->len) == 0;
}

static bool set_spi(const struct proposal *chosen, uint32_t *ret_spi)
{
	struct reader r = rd_init(chosen->spi, chosen->spi_len);

	*ret_spi = rd_u32(&r);
	return rd_done(&r) && *ret_spi >= 256;
}

static void report_narrowed(struct ike_sa *sa, const struct child_sa *child,
			    const struct ts_list *local, const struct ts_list *remote)
{
	if (ts_list_contains(&child->local_ts, local) &&
	    ts_list_contains(&child->remote_ts, remote))
		return;
	report_log(sa->engine, sa, child, LOG_CHD, 1,
		   "selectors of CHILD_SA %s{%u} are narrower than configured", child->cfg->name,
		   child->id);
	report_event(sa->engine, sa, child, EVENT_TS_NARROWED, 0, 0, "narrower than configured");
}

static bool answer_is_legal(const struct child_offer *offer, const struct said *s, bool in_auth,
			    struct child_agreement *agreed, struct child_failure *f)
{
	const struct proposal *chosen = &s->v[0];

	if (s->proposals.n != 1 ||
	    !proposal_is_answer(&offer->cfg->proposals, chosen, in_auth ? PROPOSAL_SKIP_KE : 0))
		return fail(f, N_NO_PROPOSAL_CHOSEN,
			    "the peer chose a proposal that we did not offer");
	agreed->suite = proposal_suite(chosen);
	if (!set_spi(chosen, &agreed->spi_out))
		return fail(f, N_INVALID_SYNTAX, "the peer's SPI is missing or reserved");
	if (offer->ke &&
	    (!s->have_ke || s->ke.group != offer->group || agreed->suite.ke != offer->group))
		return fail(f, N_INVALID_SYNTAX,
			    "the peer's key exchange is not the one that we began");
	/* RFC 7296 §2.9: the responder narrows, it never widens. */
	if (!s->tsi.n || !s->tsr.n || !ts_list_contains(&offer->tsi, &s->tsi) ||
	    !ts_list_contains(&offer->tsr, &s->tsr))
		return fail(f, N_TS_UNACCEPTABLE,
			    "the peer's selectors are not within those that we offered");
	return true;
}

static const struct payload_notify *find_error(const struct ike_payloads *p,
					       struct payload_notify *n)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (p->v[i].type == PAYLOAD_NOTIFY && !payload_notify_decode(p->v[i].body, n) &&
		    n->type < N_FIRST_STATUS)
			return n;
	return NULL;
}

static const char *refusal(uint16_t notify)
{
	switch (notify) {
	case N_TS_UNACCEPTABLE:
		return "the peer has no matching selectors (TS_UNACCEPTABLE)";
	case N_NO_PROPOSAL_CHOSEN:
		return "the peer accepts none of our ESP proposals (NO_PROPOSAL_CHOSEN)";
	case N_INVALID_KE_PAYLOAD:
		return "the peer wants another key exchange group (INVALID_KE_PAYLOAD)";
	case N_NO_ADDITIONAL_SAS:
		return "the peer wants no further Child SAs (NO_ADDITIONAL_SAS)";
	case N_TEMPORARY_FAILURE:
		return "the peer is busy (TEMPORARY_FAILURE)";
	case N_INTERNAL_ADDRESS_FAILURE:
		return "the peer has no address for us (INTERNAL_ADDRESS_FAILURE)";
	case N_FAILED_CP_REQUIRED:
		return "the peer wants us to ask for an address (FAILED_CP_REQUIRED)";
	default:
		return "the peer refused the Child SA";
	}
}

bool child_offer_take_answer(struct ike_sa *sa, struct child_offer *offer, bool in_auth,
			     const struct ike_payloads *p, uint64_t now,
			     struct child_sa **ret_child, struct child_failure *ret_failure)
{
	struct child_agreement agreed = {.conn = offer->conn,
					 .cfg = offer->cfg,
					 .spi_in = offer->spi,
					 .replaces = offer->replaces};
	struct payload_notify n;
	struct child_sa *child = NULL;
	struct secret secret;
	struct said s;
	bool ok;

	if (find_error(p, &n))
		return fail(ret_failure, n.type, refusal(n.type));
	if (!said_decode(&s, p, in_auth, ret_failure))
		return false;
	ok = answer_is_legal(offer, &s, in_auth, &agreed, ret_failure);
	if (ok && !take_secret(offer->ke, &s, &secret))
		ok =
		    fail(ret_failure, N_INVALID_SYNTAX, "the peer's key exchange value is invalid");
	if (ok) {
		agreed.local_ts = s.tsi;
		agreed.remote_ts = s.tsr;
		s.tsi = s.tsr = (struct ts_list){0};
		agreed.no_tfc = s.no_tfc;
		agreed.mode =
		    agree_mode(sa, offer->cfg, s.beet, true, &agreed, &agreed.mode_reason);
		agreed.secret = (struct view){secret.octets, secret.len};
		agreed.ni = nonce_view(in_auth ? &sa->handshake->ni : &offer->nonce);
		agreed.nr = in_auth ? nonce_view(&sa->handshake->nr) : s.nonce;
		ok = child_sa_create(sa, &agreed, true, now, &child) == 0 ||
		     fail(ret_failure, 0, "the Child SA could not be made");
	}
	if (ok) {
		report_narrowed(sa, child, &offer->tsi, &offer->tsr);
		if (!in_auth)
			nonce_copy(&offer->peer_nonce, s.nonce);
		*ret_child = child;
	}
	secret_wipe(&secret, sizeof(secret));
	said_clear(&s);
	return ok;
}

/* One configured child against the offer: how well it fits, and the narrowed selectors. */
static int try_child(const struct ike_sa *sa, const struct child_cfg *cfg, const struct said *s,
		     struct ts_list *local, struct ts_list *remote)
{
	struct ts_list ours = {0}, theirs = {0};
	int score = 0;

	*local = *remote = (struct ts_list){0};
	if (!ts_list_resolve(&cfg->local_ts, &sa->local.addr, &ours) &&
	    !ts_list_resolve(&cfg->remote_ts, &sa->remote.addr, &theirs) &&
	    !ts_list_narrow(&s->tsr, &ours, local) && !ts_list_narrow(&s->tsi, &theirs, remote) &&
	    local->n && remote->n) {
		/* An exact fit first, then one that takes the whole offer, then any overlap. */
		score = 1 +
			(ts_list_contains(local, &s->tsr) && ts_list_contains(remote, &s->tsi)) +
			2 * (ts_list_eq(&ours, &s->tsr) && ts_list_eq(&theirs, &s->tsi));
	}
	ts_list_free(&ours);
	ts_list_free(&theirs);
	if (!score) {
		ts_list_free(local);
		ts_list_free(remote);
	}
	return score;
}

static void take_if_better(const struct ike_sa *sa, const struct child_cfg *cfg,
			   const struct said *s, int *best, struct child_agreement *agreed)
{
	struct ts_list local, remote;
	int score = try_child(sa, cfg, s, &local, &remote);

	if (score <= *best) {
		ts_list_free(&local);
		ts_list_free(&remote);
		return;
	}
	ts_list_free(&agreed->local_ts);
	ts_list_free(&agreed->remote_ts);
	agreed->local_ts = local;
	agreed->remote_ts = remote;
	agreed->cfg = cfg;
	*best = score;
}

static void choose_child(const struct ike_sa *sa, const struct child_sa *old, const struct said *s,
			 struct child_agreement *agreed)
{
	int best = 0;
	uint16_t i;

	if (old) {
		take_if_better(sa, old->cfg, s, &best, agreed);
		return;
	}
	for (i = 0; i < sa->conn->n_children; i++)
		take_if_better(sa, &sa->conn->children[i], s, &best, agreed);
}

static bool choose_proposal(struct ike_sa *sa, const struct said *s, bool in_auth,
			    struct child_agreement *agreed, struct proposal *chosen,
			    uint16_t *ret_group, struct child_failure *f)
{
	char own[512], peer[512];

	if (!proposal_select(&agreed->cfg->proposals, &s->proposals, in_auth ? PROPOSAL_SKIP_KE : 0,
			     chosen)) {
		report_log(sa->engine, sa, NULL, LOG_CFG, 1, "received proposals: %s",
			   proposal_list_format(&s->proposals, peer, sizeof(peer)));
		report_log(sa->engine, sa, NULL, LOG_CFG, 1, "configured proposals: %s",
			   proposal_list_format(&agreed->cfg->proposals, own, sizeof(own)));
		return fail(f, N_NO_PROPOSAL_CHOSEN,
			    "no ESP proposal of the peer's is one of ours");
	}
	agreed->suite = proposal_suite(chosen);
	if (!set_spi(chosen, &agreed->spi_out))
		return fail(f, N_INVALID_SYNTAX, "the peer's SPI is missing or reserved");
	if (agreed->suite.ke && (!s->have_ke || s->ke.group != agreed->suite.ke)) {
		*ret_group = agreed->suite.ke;
		return fail(f, N_INVALID_KE_PAYLOAD, "the peer began another key exchange group");
	}
	return true;
}

struct answer_ke {
	struct ke *ke;
	struct nonce nonce;
	struct secret secret;
};

static bool answer_keys(struct ike_sa *sa, const struct said *s, bool in_auth,
			struct child_agreement *agreed, struct answer_ke *a,
			struct child_failure *f)
{
	struct ike_env *env = &sa->engine->env;

	if (child_sa_new_spi(sa->engine, &agreed->spi_in) || nonce_make(sa->engine, &a->nonce))
		return fail(f, N_TEMPORARY_FAILURE, "no randomness");
	if (agreed->suite.ke && ke_new(agreed->suite.ke, env->random, env->ctx, &a->ke))
		return fail(f, N_TEMPORARY_FAILURE, "key exchange failed");
	if (!take_secret(a->ke, s, &a->secret))
		return fail(f, N_INVALID_SYNTAX, "the peer's key exchange value is invalid");
	agreed->secret = (struct view){a->secret.octets, a->secret.len};
	agreed->ni = in_auth ? nonce_view(&sa->handshake->ni) : s->nonce;
	agreed->nr = nonce_view(in_auth ? &sa->handshake->nr : &a->nonce);
	return true;
}

static void encode_answer(struct ike_builder *b, const struct child_agreement *agreed,
			  const struct proposal *chosen, const struct answer_ke *a, bool in_auth,
			  const struct child_sa *child)
{
	struct proposal one = *chosen;
	struct proposal_list list = {1, &one};
	struct writer w = wr_init(one.spi, sizeof(one.spi));

	encode_mode(b, child->mode);
	wr_u32(&w, agreed->spi_in);
	one.spi_len = 4;
	payload_sa_encode(b, &list);
	if (!in_auth)
		payload_nonce_encode(b, nonce_view(&a->nonce));
	if (a->ke)
		payload_ke_encode(b, ke_group(a->ke), ke_public(a->ke));
	payload_ts_encode(b, PAYLOAD_TSI, &child->remote_ts);
	payload_ts_encode(b, PAYLOAD_TSR, &child->local_ts);
}

static void free_agreed_ts(struct child_agreement *agreed)
{
	ts_list_free(&agreed->local_ts);
	ts_list_free(&agreed->remote_ts);
}

static bool answer_checks(struct ike_sa *sa, const struct child_terms *terms, const struct said *s,
			  struct child_agreement *agreed, struct proposal *chosen,
			  struct answer_ke *keys, struct child_answer *ret)
{
	choose_child(sa, terms->old, s, agreed);
	if (!agreed->cfg)
		return fail(&ret->failure, N_TS_UNACCEPTABLE,
			    "no configured child matches the peer's selectors");
	if (!terms->old && sa->n_children >= LIMIT_CHILDREN)
		return fail(&ret->failure, N_NO_ADDITIONAL_SAS, "too many Child SAs");
	return choose_proposal(sa, s, terms->in_auth, agreed, chosen, &ret->group, &ret->failure) &&
	       answer_keys(sa, s, terms->in_auth, agreed, keys, &ret->failure);
}

bool child_answer_offer(struct ike_sa *sa, const struct child_terms *terms,
			const struct ike_payloads *p, struct ike_builder *b, uint64_t now,
			struct child_answer *ret_answer)
{
	const struct child_sa *old = terms->old;
	struct child_agreement agreed = {.conn = old ? old->conn : sa->conn,
					 .replaces = old ? old->id : 0,
					 .delay_outbound = old != NULL};
	struct answer_ke keys = {0};
	struct proposal chosen;
	struct nonce peer;
	struct said s;
	bool ok;

	memset(ret_answer, 0, sizeof(*ret_answer));
	if (!said_decode(&s, p, terms->in_auth, &ret_answer->failure))
		return false;
	agreed.no_tfc = s.no_tfc;
	ok = answer_checks(sa, terms, &s, &agreed, &chosen, &keys, ret_answer);
	if (ok) {
		agreed.mode =
		    agree_mode(sa, agreed.cfg, s.beet, false, &agreed, &agreed.mode_reason);
		ok = child_sa_create(sa, &agreed, false, now, &ret_answer->child) == 0 ||
		     fail(&ret_answer->failure, N_TEMPORARY_FAILURE,
			  "the Child SA could not be made");
	} else {
		free_agreed_ts(&agreed);
	}
	if (ok) {
		encode_answer(b, &agreed, &chosen, &keys, terms->in_auth, ret_answer->child);
		report_narrowed(sa, ret_answer->child, &s.tsr, &s.tsi);
		nonce_copy(&peer, s.nonce);
		ret_answer->low = *nonce_lower(&keys.nonce, &peer);
	}
	ke_free(keys.ke);
	secret_wipe(&keys, sizeof(keys));
	said_clear(&s);
	return ok;
}
