/* rekey_ike.c - rekeying of the IKE SA, and the collision of two rekeyings (RFC 7296 §1.3.2,
 * §2.8.2, §2.18, §2.25.2).
 *
 *     initiator                            responder
 *     SA(new SPI) Ni KEi               ->  makes the new IKE SA, moves the children to it
 *     moves the children, deletes old  <-  SA(new SPI) Nr KEr
 *     D(IKE), over the old SA          ->
 *                                      <-  empty; the old SA is gone
 *
 * The successor is an IKE SA of its own from the beginning, unborn until its keys are there.
 * Collision: both have made one; the one whose exchange had the lowest nonce is redundant, its
 * initiator deletes it, and the children go to the other (§2.8.2). */
#include "vpn/ike/rekey_ike.h"

#include <stdlib.h>

#include "vpn/base/secret.h"
#include "vpn/ike/child_sa.h"
#include "vpn/ike/create_child.h"
#include "vpn/ike/exchange.h"
#include "vpn/ike/lifetime.h"
#include "vpn/ike/mobike.h"
#include "vpn/ike/reauth.h"
#include "vpn/ike/report.h"
#include "vpn/ike/task.h"

static struct ike_sa *make_successor(struct ike_sa *old, bool initiator, uint64_t now)
{
	struct ike_sa *sa =
	    ike_sa_new(old->engine, old->conn, initiator, &old->local, &old->remote, now);

	if (!sa)
		return NULL;
	sa->unborn = true;
	sa->began = old->began;
	sa->nat_fake = old->nat_fake;
	sa->peer_hashes = old->peer_hashes;
	sa->peer_strongswan = old->peer_strongswan;
	sa->peer_fragments = old->peer_fragments;
	sa->fragment_size = old->fragment_size;
	if (identity_copy(&old->local_id, &sa->local_id) ||
	    identity_copy(&old->remote_id, &sa->remote_id)) {
		ike_sa_discard(sa);
		return NULL;
	}
	return sa;
}

static void encode_sa(struct ike_builder *b, const struct proposal_list *src, uint64_t spi)
{
	struct proposal v[PROPOSAL_LIST_MAX];
	struct proposal_list list = {.v = v};
	uint8_t octets[8];
	struct writer w = wr_init(octets, sizeof(octets));

	wr_u64(&w, spi);
	proposal_offer(src, 0, octets, sizeof(octets), &list);
	payload_sa_encode(b, &list);
}

static int make_ke(struct ike_sa *sa, uint16_t group)
{
	struct ike_env *env = &sa->engine->env;

	sa->handshake->group = group;
	return ke_new(group, env->random, env->ctx, &sa->handshake->ke);
}

static int send_request(struct ike_sa *sa, struct ike_sa *next, struct task *task, uint64_t now)
{
	uint8_t buf[EXCHANGE_BUFFER];
	struct ike_builder b = ike_builder_chain(buf, sizeof(buf));

	encode_sa(&b, &sa->conn->proposals, next->spi_i);
	payload_nonce_encode(&b, nonce_view(&next->handshake->ni));
	payload_ke_encode(&b, next->handshake->group, ke_public(next->handshake->ke));
	return exchange_send_request(sa, CREATE_CHILD_SA, &b, REQUEST_TASK, task, now);
}

int rekey_ike_begin(struct ike_sa *sa, struct task *task, uint64_t now)
{
	struct ike_sa *next;
	int err;

	if (sa->state != IKE_ESTABLISHED)
		return ERR_STATE;
	next = make_successor(sa, true, now);
	if (!next)
		return ERR_NOMEM;
	err = nonce_make(sa->engine, &next->handshake->ni);
	if (!err)
		err = make_ke(next, task->group ? task->group : sa->suite.ke);
	if (!err)
		err = send_request(sa, next, task, now);
	if (err) {
		ike_sa_discard(next);
		return err;
	}
	sa->successor = next->id;
	sa->rival.id = 0;
	ike_sa_set_state(sa, IKE_REKEYING, "rekeying");
	return 0;
}

struct rekey_said {
	struct proposal v[PROPOSAL_LIST_MAX];
	struct proposal_list proposals;
	struct payload_ke ke;
	struct view nonce;
};

static bool decode(const struct ike_payloads *p, struct rekey_said *s)
{
	const struct ike_payload *sa = ike_payload_find(p, PAYLOAD_SA, 0);
	const struct ike_payload *nonce = ike_payload_find(p, PAYLOAD_NONCE, 0);
	const struct ike_payload *ke = ike_payload_find(p, PAYLOAD_KE, 0);

	s->proposals.v = s->v;
	return sa && nonce && ke && !payload_sa_decode(sa->body, &s->proposals) &&
	       !payload_nonce_decode(nonce->body, &s->nonce) &&
	       !payload_ke_decode(ke->body, &s->ke);
}

static bool peer_spi(const struct proposal *chosen, uint64_t *ret_spi)
{
	struct reader r = rd_init(chosen->spi, chosen->spi_len);

	*ret_spi = rd_u64(&r);
	return rd_done(&r) && *ret_spi;
}

static int derive(struct ike_sa *old, struct ike_sa *next, const struct proposal *chosen,
		  struct view peer_value)
{
	uint8_t secret[KE_SECRET_MAX];
	size_t len;
	int err;

	next->suite = proposal_suite(chosen);
	err = ke_derive(next->handshake->ke, peer_value, secret, &len);
	if (!err)
		err = ike_sa_derive_keys(next, old, (struct view){secret, len});
	secret_wipe(secret, sizeof(secret));
	return err;
}

static void born(struct ike_sa *old, struct ike_sa *next, uint64_t now)
{
	next->unborn = false;
	mobike_inherit(old, next);
	handshake_free(next->handshake);
	next->handshake = NULL;
	next->established = now;
	ike_sa_set_lifetime(next, old, now);
	ike_sa_set_state(next, IKE_ESTABLISHED, "rekeyed");
	report_log(next->engine, next, NULL, LOG_IKE, 0, "IKE_SA %s[%u] rekeyed, it replaces [%u]",
		   next->conn->name, next->id, old->id);
	report_event(next->engine, next, NULL, EVENT_IKE_REKEYED, 0, old->id, "rekeyed");
	ike_sa_rearm(next);
}

/* The other end is to delete it; it does not live for ever if that end never does. */
static void retire(struct ike_sa *sa, const char *why, uint64_t now)
{
	sa->replaced = true;
	ike_sa_set_state(sa, IKE_REKEYED, why);
	sa->rekey_at = DEADLINE_NEVER;
	sa->expire_at = lifetime_retry(sa->engine, now) + LINGER_TIME;
	ike_sa_rearm(sa);
}

static void delete_too(struct ike_sa *sa)
{
	sa->terminated = true;
	task_queue_ike_delete(sa);
}

/* Children and waiting tasks go on in the new SA, and so does its end. */
static void hand_over(struct ike_sa *old, struct ike_sa *next, uint64_t now)
{
	child_sa_inherit(old, next);
	task_inherit(old, next);
	next->inherited_at = now;
	if (old->terminated)
		delete_too(next);
	reauth_follow(old, next);
	retire(old, "its successor is there", now);
	ike_sa_rearm(next);
}

static void delete_sa(struct ike_sa *sa, uint64_t now)
{
	sa->replaced = true;
	ike_sa_set_state(sa, IKE_REKEYED, "replaced");
	if (!task_queue_ike_delete(sa))
		task_run_next(sa, now);
	ike_sa_rearm(sa);
}

/* RFC 7296 §2.8.2. */
static void settle(struct ike_sa *old, struct ike_sa *ours, const struct nonce *our_low,
		   uint64_t now)
{
	struct ike_sa *theirs = old->rival.id ? ike_sa_find(old->engine, old->rival.id) : NULL;
	bool conceded = old->state == IKE_REKEYED; /* rekey_ike_used */
	bool we_lose = theirs && (conceded || nonce_lower(our_low, &old->rival.low) == our_low);

	if (theirs)
		report_log(old->engine, old, NULL, LOG_IKE, 1,
			   "rekeying of the IKE SA collided, %s is redundant",
			   we_lose ? "ours" : "the peer's");
	old->rival.id = 0;
	if (we_lose) {
		hand_over(old, theirs, now);
		delete_sa(ours, now);
		return;
	}
	hand_over(old, ours, now);
	if (theirs) {
		retire(theirs, "lost the collision", now);
	}
	delete_sa(old, now);
	task_run_next(ours, now);
}

static void put_off(struct ike_sa *sa, struct ike_sa *next, const char *why, uint64_t now)
{
	if (next)
		ike_sa_discard(next);
	sa->successor = 0;
	if (sa->state != IKE_REKEYING)
		return;
	report_log(sa->engine, sa, NULL, LOG_IKE, 0, "IKE_SA could not be rekeyed: %s", why);
	sa->rekey_at = lifetime_retry(sa->engine, now);
	ike_sa_set_state(sa, IKE_ESTABLISHED, why);
	if (sa->rival.id)
		hand_over(sa, ike_sa_find(sa->engine, sa->rival.id), now);
}

static bool take_answer(struct ike_sa *sa, struct ike_sa *next, const struct ike_payloads *p,
			struct nonce *ret_low)
{
	struct handshake *h = next->handshake;
	struct rekey_said s;

	if (!decode(p, &s) || s.proposals.n != 1 ||
	    !proposal_is_answer(&sa->conn->proposals, &s.v[0], 0) || s.ke.group != h->group ||
	    proposal_suite(&s.v[0]).ke != h->group || !peer_spi(&s.v[0], &next->spi_r))
		return false;
	nonce_copy(&h->nr, s.nonce);
	*ret_low = *nonce_lower(&h->ni, &h->nr);
	return derive(sa, next, &s.v[0], s.ke.data) == 0;
}

static const char *refusal(const struct ike_payloads *p)
{
	struct payload_notify n;

	if (payloads_find_notify(p, N_TEMPORARY_FAILURE, &n))
		return "the peer is busy (TEMPORARY_FAILURE)";
	if (payloads_find_notify(p, N_NO_PROPOSAL_CHOSEN, &n))
		return "the peer accepts none of our IKE proposals (NO_PROPOSAL_CHOSEN)";
	if (payloads_find_notify(p, N_NO_ADDITIONAL_SAS, &n))
		return "the peer does not rekey IKE SAs (NO_ADDITIONAL_SAS)";
	return "the peer's answer is not usable";
}

void rekey_ike_response(struct ike_sa *sa, struct task *task, const struct ike_payloads *p,
			uint64_t now)
{
	struct ike_sa *next = ike_sa_find(sa->engine, sa->successor);
	uint16_t group =
	    next ? create_child_wanted_group(&sa->conn->proposals, next->handshake->group, p) : 0;
	struct nonce low;

	if (next && !group && take_answer(sa, next, p, &low)) {
		sa->successor = 0;
		born(sa, next, now);
		settle(sa, next, &low, now);
	} else {
		put_off(sa, next, group ? "the peer wants another group" : refusal(p), now);
		if (group && sa->state == IKE_ESTABLISHED) {
			task->group = group;
			if (rekey_ike_begin(sa, task, now) == 0)
				return;
		}
	}
	task_free(task);
	reauth_instead(sa, p, now);
}

/* The peer deletes the SA that its request has made: it has lost the collision, and we shall learn
 * so from the answer to our own. */
static void note_concession(struct ike_sa *sa)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &sa->engine->sas) {
		struct ike_sa *old = list_entry(pos, struct ike_sa, node);

		if (old->rival.id != sa->id)
			continue;
		old->rival.id = 0;
		sa->replaced = true;
	}
}

/*  a: REKEY(IKE) -> lost    <- b: REKEY(IKE)       a waits for the answer to its own
 *  a: answer ->                                    b has its successor, and all children in it
 *                           <- b: REKEY(child)     over that successor: where are a's children? */
void rekey_ike_used(struct ike_sa *sa, uint64_t now)
{
	struct ike_sa *old = sa->contends ? ike_sa_find(sa->engine, sa->contends) : NULL;

	sa->contends = 0;
	if (old && old->state == IKE_REKEYING && old->rival.id == sa->id)
		hand_over(old, sa, now);
}

void rekey_ike_abandon(struct ike_sa *sa, uint64_t now)
{
	struct ike_sa *next = sa->successor ? ike_sa_find(sa->engine, sa->successor) : NULL;
	struct ike_sa *theirs = sa->rival.id ? ike_sa_find(sa->engine, sa->rival.id) : NULL;

	note_concession(sa);
	if (next && next->unborn)
		ike_sa_discard(next);
	sa->successor = 0;
	if (theirs && !sa->replaced)
		hand_over(sa, theirs, now);
	sa->rival.id = 0;
}

/* RFC 7296 §2.25.2: not while something of ours about children is on its way. */
static bool is_busy(const struct ike_sa *sa)
{
	const struct task *task = sa->request.task;

	return task && (task->type == TASK_CHILD_CREATE || task->type == TASK_CHILD_REKEY ||
			task->type == TASK_CHILD_DELETE);
}

static int answer(struct ike_sa *sa, struct ike_sa *next, const struct proposal *chosen,
		  const struct rekey_said *s, struct ike_builder *reply)
{
	struct handshake *h = next->handshake;
	struct proposal one = *chosen;
	struct proposal_list list = {1, &one};
	struct writer w = wr_init(one.spi, sizeof(one.spi));
	int err;

	nonce_copy(&h->ni, s->nonce);
	err = nonce_make(sa->engine, &h->nr);
	if (!err)
		err = make_ke(next, s->ke.group);
	if (!err)
		err = derive(sa, next, chosen, s->ke.data);
	if (err)
		return err;
	wr_u64(&w, next->spi_r);
	one.spi_len = 8;
	payload_sa_encode(reply, &list);
	payload_nonce_encode(reply, nonce_view(&h->nr));
	payload_ke_encode(reply, h->group, ke_public(h->ke));
	return 0;
}

static struct verdict accept_rekey(struct ike_sa *sa, const struct proposal *chosen,
				   const struct rekey_said *s, struct ike_builder *reply,
				   uint64_t now)
{
	struct ike_sa *next = make_successor(sa, false, now);
	struct nonce low;

	if (!next || !peer_spi(chosen, &next->spi_i) || answer(sa, next, chosen, s, reply)) {
		if (next)
			ike_sa_discard(next);
		return verdict_notify(N_INVALID_SYNTAX,
				      "the peer's SPI or key exchange value is invalid");
	}
	low = *nonce_lower(&next->handshake->ni, &next->handshake->nr);
	born(sa, next, now);
	if (sa->state == IKE_REKEYING) {
		sa->rival = (struct rival){next->id, low};
		next->contends = sa->id;
	} else {
		hand_over(sa, next, now);
	}
	return verdict_reply("IKE SA rekeyed");
}

struct verdict rekey_ike_request(struct ike_sa *sa, const struct ike_payloads *p,
				 struct ike_builder *reply, uint64_t now)
{
	struct proposal chosen;
	struct rekey_said s;
	uint16_t group;

	if ((sa->state != IKE_ESTABLISHED && sa->state != IKE_REKEYING) || is_busy(sa) ||
	    sa->rival.id)
		return verdict_notify(N_TEMPORARY_FAILURE, "the IKE SA is busy");
	if (!decode(p, &s))
		return verdict_notify(N_INVALID_SYNTAX,
				      "SA, nonce or KE payload is missing or malformed");
	if (!proposal_select(&sa->conn->proposals, &s.proposals, 0, &chosen))
		return verdict_notify(N_NO_PROPOSAL_CHOSEN,
				      "none of the peer's IKE proposals is one of ours");
	group = proposal_suite(&chosen).ke;
	if (s.ke.group != group) {
		create_child_notify_group(reply, group);
		return verdict_reply("the peer began another key exchange group");
	}
	return accept_rekey(sa, &chosen, &s, reply, now);
}
