/* rekey_child.c - rekeying of a Child SA, without loss, and what happens when both ends do it at
 * once (RFC 7296 §1.3.3, §2.8, §2.8.1, §2.25.1).
 *
 *     initiator                                 responder
 *     N(REKEY_SA, old) SA Ni KE? TSi TSr   ->   installs the new inbound SA, holds the outbound one
 * back installs both, sends on the new one  <-   SA Nr KE? TSi TSr D(old) ->   installs the
 * outbound SA, sends on the new one keeps the old inbound SA for a while <-   D(old)          keeps
 * its old inbound SA for a while
 *
 * Collision: both requests cross. Four nonces are in play; the SA of the exchange with the lowest
 * of them is the redundant one and goes, deleted by the end that asked for it; the other end
 * deletes the old SA. */
#include "vpn/ike/rekey_child.h"

#include "vpn/ike/child_sa.h"
#include "vpn/ike/create_child.h"
#include "vpn/ike/exchange.h"
#include "vpn/ike/lifetime.h"
#include "vpn/ike/reauth.h"
#include "vpn/ike/report.h"
#include "vpn/ike/task.h"

int rekey_child_begin(struct ike_sa *sa, struct task *task, uint64_t now)
{
	struct child_sa *old = child_sa_find(sa, task->child_id);
	struct child_wish wish;
	int err;

	if (!old || old->state != CHILD_INSTALLED || old->superseded)
		return ERR_STATE;
	wish = (struct child_wish){
	    .conn = old->conn, .cfg = old->cfg, .group = task->group, .old = old};
	err = create_child_send(sa, &wish, task, now);
	if (!err)
		child_sa_set_state(sa, old, CHILD_REKEYING, "rekeying");
	return err;
}

static void delete_child(struct ike_sa *sa, struct child_sa *child, const char *why)
{
	child->superseded = true;
	child_sa_set_state(sa, child, CHILD_REKEYED, why);
	task_queue_child_delete(sa, child->id, 0);
}

/* RFC 7296 §2.8.1. `fresh` is what our request made, `rival` what the peer's made. The peer may
 * have decided long ago, if the answer to us was lost; then `old` is gone, and may be NULL. */
static void settle_collision(struct ike_sa *sa, struct child_sa *old, struct child_sa *fresh,
			     const struct nonce *our_low, const struct rival *rival)
{
	struct child_sa *theirs = child_sa_find(sa, rival->id);
	bool we_lose = nonce_lower(our_low, &rival->low) == our_low;

	report_log(sa->engine, sa, fresh, LOG_CHD, 1,
		   "rekeying of CHILD_SA %s collided, %s is redundant", fresh->cfg->name,
		   we_lose ? "ours" : "the peer's");
	if (we_lose) {
		delete_child(sa, fresh, "lost the collision");
		return;
	}
	if (theirs) {
		theirs->superseded = true;
		theirs->outbound_at = DEADLINE_NEVER;
		child_sa_set_state(sa, theirs, CHILD_REKEYED, "lost the collision");
	}
	if (old && old->state != CHILD_DELETED)
		delete_child(sa, old, "replaced");
}

static void put_off(struct ike_sa *sa, struct child_sa *old, const char *why, uint64_t now)
{
	if (old->state != CHILD_REKEYING)
		return;
	report_log(sa->engine, sa, old, LOG_CHD, 0, "CHILD_SA %s{%u} could not be rekeyed: %s",
		   old->cfg->name, old->id, why);
	child_sa_set_state(sa, old, old->superseded ? CHILD_REKEYED : CHILD_INSTALLED, why);
	old->rekey_at = lifetime_retry(sa->engine, now);
}

/* RFC 7296 §2.25.1: the peer does not have the SA any more: forget it and make it anew. */
static void start_over(struct ike_sa *sa, struct child_sa *old)
{
	if (old->superseded || old->state == CHILD_DELETED)
		return;
	task_queue_child(sa, old->conn, old->cfg);
	child_sa_remove(sa, old, CAUSE_REPLACED, "the peer does not know it (CHILD_SA_NOT_FOUND)");
}

static void replaced(struct ike_sa *sa, struct child_sa *old, struct child_sa *fresh,
		     const struct child_offer *offer)
{
	const struct nonce *low = nonce_lower(&offer->nonce, &offer->peer_nonce);

	if (offer->rival.id)
		settle_collision(sa, old, fresh, low, &offer->rival);
	else if (old && old->state != CHILD_DELETED)
		delete_child(sa, old, "replaced");
}

static bool try_other_group(struct ike_sa *sa, struct task *task, const struct child_offer *offer,
			    struct child_sa *old, const struct ike_payloads *p, uint64_t now)
{
	struct child_wish wish;

	if (!old || old->state != CHILD_REKEYING)
		return false;
	wish = (struct child_wish){.conn = old->conn, .cfg = old->cfg, .old = old};
	wish.group = create_child_wanted_group(&offer->cfg->proposals, offer->group, p);
	if (!wish.group || create_child_send(sa, &wish, task, now))
		return false;
	sa->offer->rival = offer->rival;
	return true;
}

void rekey_child_response(struct ike_sa *sa, struct task *task, const struct ike_payloads *p,
			  uint64_t now)
{
	struct child_offer *offer = create_child_take_offer(sa);
	struct child_sa *old = child_sa_find(sa, task->child_id), *fresh;
	struct child_failure failure;

	if (try_other_group(sa, task, offer, old, p, now)) {
		child_offer_free(offer);
		return;
	}
	if (child_offer_take_answer(sa, offer, false, p, now, &fresh, &failure))
		replaced(sa, old, fresh, offer);
	else if (old && failure.notify == N_CHILD_SA_NOT_FOUND)
		start_over(sa, old);
	else if (old)
		put_off(sa, old, failure.why, now);
	child_offer_free(offer);
	task_free(task);
	reauth_instead(sa, p, now);
}

/* RFC 7296 §1.3.3: the notify names the SA by the SPI that its sender receives on. */
static struct child_sa *find_rekeyed(const struct ike_sa *sa, const struct payload_notify *n)
{
	struct reader r = rd_init(n->spi.p, n->spi.len);
	uint32_t spi = rd_u32(&r);

	if (n->protocol != PROTOCOL_ESP || !rd_done(&r))
		return NULL;
	return child_sa_by_outbound_spi(sa, spi);
}

/* RFC 7296 §2.25.1: the notify repeats protocol and SPI. */
static struct verdict not_found(struct ike_builder *reply, const struct payload_notify *rekey)
{
	struct payload_notify n = {
	    .type = N_CHILD_SA_NOT_FOUND, .protocol = rekey->protocol, .spi = rekey->spi};

	payload_notify_encode(reply, &n);
	return verdict_reply("rekeying of an unknown Child SA");
}

static bool is_offered_for(const struct ike_sa *sa, const struct child_sa *old)
{
	return sa->offer && sa->offer->replaces == old->id;
}

struct verdict rekey_child_request(struct ike_sa *sa, const struct payload_notify *rekey,
				   const struct ike_payloads *p, struct ike_builder *reply,
				   uint64_t now)
{
	struct child_sa *old = find_rekeyed(sa, rekey);
	struct child_terms terms = {.old = old};
	struct child_answer answer;

	/* The answer that makes it ours may be on its way; CHILD_SA_NOT_FOUND would have the peer
	 * make another one (RFC 7296 §2.25.1). */
	if (!old && sa->offer)
		return verdict_notify(N_TEMPORARY_FAILURE,
				      "the Child SA may be one that is being made");
	if (!old)
		return not_found(reply, rekey);
	if (old->superseded || old->state == CHILD_DELETING)
		return verdict_notify(N_TEMPORARY_FAILURE, "the Child SA is being closed");
	if (!child_answer_offer(sa, &terms, p, reply, now, &answer))
		return create_child_refuse(sa, &answer, reply);
	old->superseded = true;
	if (is_offered_for(sa, old))
		sa->offer->rival = (struct rival){answer.child->id, answer.low};
	else
		child_sa_set_state(sa, old, CHILD_REKEYED, "the peer has made its successor");
	return verdict_reply("Child SA rekeyed");
}

void rekey_child_conceded(struct ike_sa *sa, struct child_sa *child)
{
	struct child_sa *old = child->replaces ? child_sa_find(sa, child->replaces) : NULL;

	if (!sa->offer || sa->offer->rival.id != child->id)
		return;
	sa->offer->rival.id = 0;
	if (old)
		old->superseded = false;
	child->superseded = true;
}
