/* timers.c - all timers of an IKE SA, in one place:
 *
 *     retransmit   a request waits for its response: timeout * base^n (RFC 7296 §2.1)
 *     half-open    a responder's SA that was never authenticated is dropped
 *     fragments    a request of the peer's stayed incomplete (RFC 7383 §2.6)
 *     liveness     nothing authenticated was heard for dpd_delay: an empty INFORMATIONAL (RFC 7296
 * §2.4) keep-alive   behind a NAT, every keepalive_interval without a message of ours (RFC 3948 §4)
 *     rekey        the IKE SA's or a Child SA's soft lifetime is over (RFC 7296 §2.8, §2.18)
 *     reauth       the IKE SA that we have begun is to be authenticated again (RFC 7296 §2.8.3)
 *     expire       its hard lifetime is: it is deleted
 *     idle         a Child SA has carried nothing for `inactivity`: it is deleted
 *     outbound     a rekeyed child's outbound SA is used though the peer has not deleted the old
 * one gone         a deleted child's inbound SA has waited long enough for what was on its way
 *     roam         the host's network has changed a moment ago: is there still a way to the peer?
 *     inherited    what waited in an SA that this one replaces is begun, behind the answer that
 * made it linger       the last answer of an SA that is gone is forgotten
 *
 * Others report facts to these through the fields last_sent, last_received, request.next_try and
 * created; nobody else computes a deadline. */
#include "vpn/ike/timers.h"

#include "vpn/ike/child_install.h"
#include "vpn/ike/exchange.h"
#include "vpn/ike/fragment.h"
#include "vpn/ike/reauth.h"
#include "vpn/ike/report.h"
#include "vpn/ike/roam.h"
#include "vpn/ike/task.h"

#define SECONDS UINT64_C(1000000)

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t half_open_at(const struct ike_sa *sa)
{
	if (sa->initiator || (sa->state != IKE_CREATED && sa->state != IKE_CONNECTING))
		return DEADLINE_NEVER;
	return sa->created + sa->engine->opt.half_open_timeout;
}

static uint64_t retransmit_at(const struct ike_sa *sa)
{
	return sa->request.kind == REQUEST_NONE ? DEADLINE_NEVER : sa->request.next_try;
}

/* Any authenticated traffic of the peer's is a sign of life, ESP too (RFC 7296 §2.4). */
static uint64_t last_sign_of_life(const struct ike_sa *sa)
{
	const struct ike_env *env = &sa->engine->env;
	uint64_t last = sa->last_received;
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &sa->children) {
		struct child_sa *child = list_entry(pos, struct child_sa, node);
		struct ipsec_sa_stats stats;

		if (env->sa_stats && env->sa_stats(env->ctx, child->spi_in, true, &stats) &&
		    stats.last_use > last)
			last = stats.last_use;
	}
	return last;
}

static uint64_t liveness_delay(const struct ike_sa *sa)
{
	if (sa->state != IKE_ESTABLISHED || !sa->conn || sa->request.kind != REQUEST_NONE)
		return 0;
	return sa->conn->dpd_delay * SECONDS;
}

static uint64_t liveness_at(const struct ike_sa *sa)
{
	uint64_t delay = liveness_delay(sa);

	return delay ? sa->last_received + delay : DEADLINE_NEVER;
}

static uint64_t keepalive_at(const struct ike_sa *sa)
{
	uint64_t interval = sa->engine->opt.keepalive_interval;

	if (sa->state != IKE_ESTABLISHED || !sa->nat_local || !interval)
		return DEADLINE_NEVER;
	return sa->last_sent + interval;
}

static uint64_t linger_at(const struct ike_sa *sa)
{
	return sa->state == IKE_DESTROYING ? sa->linger_until : DEADLINE_NEVER;
}

/* Nothing is begun while another exchange is out: its response comes back here. */
static uint64_t rekey_at(const struct ike_sa *sa)
{
	return sa->state == IKE_ESTABLISHED ? sa->rekey_at : DEADLINE_NEVER;
}

/* One that is being deleted ends with the answer, or when that is given up. */
static uint64_t expire_at(const struct ike_sa *sa)
{
	return sa->state == IKE_DELETING ? DEADLINE_NEVER : sa->expire_at;
}

static uint64_t reauth_at(const struct ike_sa *sa)
{
	return sa->state == IKE_ESTABLISHED && sa->began ? sa->reauth_at : DEADLINE_NEVER;
}

static uint64_t child_rekey_at(const struct ike_sa *sa, const struct child_sa *child)
{
	bool may =
	    sa->state == IKE_ESTABLISHED && child->state == CHILD_INSTALLED && !child->superseded;

	return may ? child->rekey_at : DEADLINE_NEVER;
}

static uint64_t child_next(const struct ike_sa *sa, const struct child_sa *child)
{
	uint64_t at = earlier(child_rekey_at(sa, child), child->expire_at);

	return earlier(earlier(at, child->idle_at), earlier(child->outbound_at, child->gone_at));
}

uint64_t timers_next(const struct ike_sa *sa)
{
	uint64_t at = earlier(half_open_at(sa), retransmit_at(sa));
	struct list *pos, *tmp;

	at = earlier(at, fragments_give_up_at(sa->fragments[false]));
	at = earlier(at, liveness_at(sa));
	at = earlier(at, keepalive_at(sa));
	at = earlier(at, earlier(rekey_at(sa), expire_at(sa)));
	at = earlier(at, reauth_at(sa));
	at = earlier(at, earlier(sa->roam_at, sa->inherited_at));
	list_for_each (pos, tmp, &sa->children)
		at = earlier(at, child_next(sa, list_entry(pos, struct child_sa, node)));
	return earlier(at, linger_at(sa));
}

/* swanctl.conf(5) inactivity. One that has a successor leaves it to that. */
static void run_idle(struct ike_sa *sa, struct child_sa *child, uint64_t now)
{
	child->used = child_sa_last_use(sa, child);
	child->idle_at = child->used + child->cfg->inactivity * SECONDS;
	if (child->idle_at > now)
		return;
	child->idle_at = DEADLINE_NEVER;
	if (child->state != CHILD_INSTALLED || child->superseded)
		return;
	report_log(sa->engine, sa, child, LOG_CHD, 0,
		   "deleting CHILD_SA %s{%u} after %u s of inactivity", child->cfg->name, child->id,
		   child->cfg->inactivity);
	if (!task_queue_child_delete(sa, child->id, 0))
		task_run_next(sa, now);
}

static void run_child(struct ike_sa *sa, struct child_sa *child, uint64_t now)
{
	if (child->gone_at <= now) {
		child_sa_remove(sa, child, CAUSE_REPLACED, "deleted");
		return;
	}
	if (child->outbound_at <= now)
		child_install_outbound(sa, child);
	if (child->idle_at <= now)
		run_idle(sa, child, now);
	if (child->expire_at <= now) {
		child->expire_at = DEADLINE_NEVER;
		child_sa_expire(sa, child, now);
	} else if (child_rekey_at(sa, child) <= now) {
		child->rekey_at = DEADLINE_NEVER;
		if (!task_queue_child_rekey(sa, child->id))
			task_run_next(sa, now);
	}
}

static void run_children(struct ike_sa *sa, uint64_t now)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &sa->children) {
		struct child_sa *child = list_entry(pos, struct child_sa, node);

		if (child_next(sa, child) <= now)
			run_child(sa, child, now);
	}
}

static void run_rekey(struct ike_sa *sa, uint64_t now)
{
	sa->rekey_at = DEADLINE_NEVER;
	if (!task_queue_ike_rekey(sa))
		task_run_next(sa, now);
}

static void run_inherited(struct ike_sa *sa, uint64_t now)
{
	sa->inherited_at = DEADLINE_NEVER;
	task_run_next(sa, now);
}

static void run_liveness(struct ike_sa *sa, uint64_t now)
{
	uint64_t last = last_sign_of_life(sa);

	if (last > sa->last_received)
		sa->last_received = last;
	if (liveness_at(sa) <= now)
		task_liveness(sa, now);
}

static void run_keepalive(struct ike_sa *sa, uint64_t now)
{
	struct ike_action a = {.type = IKE_ACTION_KEEPALIVE, .ike_id = sa->id};

	a.send.local = sa->local;
	a.send.remote = sa->remote;
	action_queue_push(&sa->engine->actions, &a);
	sa->last_sent = now;
}

/* The peer hears of it once; nothing is waited for. */
static void expire(struct ike_sa *sa, uint64_t now)
{
	sa->expire_at = DEADLINE_NEVER;
	if (sa->request.kind != REQUEST_NONE)
		task_free(exchange_take_request(sa));
	if (!task_queue_ike_delete(sa))
		task_run_next(sa, now);
	ike_sa_destroy(sa, CAUSE_EXPIRED, 0, "its lifetime is over");
}

void timers_run(struct ike_sa *sa, uint64_t now)
{
	if (linger_at(sa) <= now) {
		ike_sa_destroy(sa, CAUSE_NONE, 0, "lingered");
		return;
	}
	if (half_open_at(sa) <= now) {
		ike_sa_destroy(sa, CAUSE_TIMEOUT, 0, "half-open for too long");
		return;
	}
	if (expire_at(sa) <= now) {
		expire(sa, now);
		return;
	}
	if (sa->roam_at <= now && !roam_run(sa, now))
		return;
	if (sa->inherited_at <= now)
		run_inherited(sa, now);
	if (retransmit_at(sa) <= now && !exchange_retransmit(sa, now))
		return;
	if (fragments_give_up_at(sa->fragments[false]) <= now)
		fragments_free(sa->engine, &sa->fragments[false]);
	run_children(sa, now);
	if (reauth_at(sa) <= now)
		reauth_begin(sa, now);
	if (rekey_at(sa) <= now)
		run_rekey(sa, now);
	if (liveness_at(sa) <= now)
		run_liveness(sa, now);
	if (keepalive_at(sa) <= now)
		run_keepalive(sa, now);
	ike_sa_rearm(sa);
}
