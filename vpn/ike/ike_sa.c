/* ike_sa.c - the life of an IKE SA: made, changed state, taken out, freed. */
#include "vpn/ike/ike_sa.h"

#include <stdlib.h>
#include <string.h>

#include "vpn/base/secret.h"
#include "vpn/ike/child_negotiation.h"
#include "vpn/ike/child_sa.h"
#include "vpn/ike/flight.h"
#include "vpn/ike/fragment.h"
#include "vpn/ike/lifetime.h"
#include "vpn/ike/reauth.h"
#include "vpn/ike/rekey_ike.h"
#include "vpn/ike/report.h"
#include "vpn/ike/task.h"
#include "vpn/ike/timers.h"

void octets_free(struct octets *o)
{
	if (o->p)
		secret_wipe(o->p, o->len);
	free(o->p);
	*o = (struct octets){0};
}

int octets_set(struct octets *o, struct view v)
{
	uint8_t *p = malloc(v.len ? v.len : 1);

	if (!p)
		return ERR_NOMEM;
	if (v.len)
		memcpy(p, v.p, v.len);
	octets_free(o);
	*o = (struct octets){p, v.len};
	return 0;
}

int nonce_make(struct ike_engine *e, struct nonce *ret_nonce)
{
	ret_nonce->len = NONCE_LEN;
	return e->env.random(e->env.ctx, ret_nonce->octets, NONCE_LEN);
}

void nonce_copy(struct nonce *to, struct view from)
{
	to->len = from.len < NONCE_MAX ? from.len : NONCE_MAX;
	if (to->len)
		memcpy(to->octets, from.p, to->len);
}

const struct nonce *nonce_lower(const struct nonce *a, const struct nonce *b)
{
	size_t n = a->len < b->len ? a->len : b->len;
	int order = memcmp(a->octets, b->octets, n);

	if (!order)
		return a->len <= b->len ? a : b;
	return order < 0 ? a : b;
}

void handshake_free(struct handshake *h)
{
	if (!h)
		return;
	ke_free(h->ke);
	octets_free(&h->message_i);
	octets_free(&h->message_r);
	secret_wipe(h, sizeof(*h));
	free(h);
}

static bool is_half_open(const struct ike_sa *sa)
{
	return !sa->initiator && (sa->state == IKE_CREATED || sa->state == IKE_CONNECTING);
}

static void track_half_open(struct ike_sa *sa, bool half_open)
{
	bool was = !list_empty(&sa->half_open);

	if (half_open == was)
		return;
	if (half_open)
		list_append(&sa->engine->half_open_sas, &sa->half_open);
	else
		list_remove(&sa->half_open);
	sa->engine->half_open += half_open;
	sa->engine->half_open -= was;
}

uint64_t ike_sa_local_spi(const struct ike_sa *sa)
{
	return sa->initiator ? sa->spi_i : sa->spi_r;
}

static int choose_spi(struct ike_engine *e, uint64_t *ret_spi)
{
	uint8_t b[8];
	struct reader r;
	uint64_t spi = 0;

	/* RFC 7296 §3.1: the SPI is never zero. */
	while (!spi || id_table_find(&e->by_spi, spi)) {
		if (e->env.random(e->env.ctx, b, sizeof(b)))
			return ERR_CRYPTO;
		r = rd_init(b, sizeof(b));
		spi = rd_u64(&r);
	}
	*ret_spi = spi;
	return 0;
}

struct ike_sa *ike_sa_new(struct ike_engine *e, struct ike_conn *conn, bool initiator,
			  const struct endpoint *local, const struct endpoint *remote, uint64_t now)
{
	struct ike_sa *sa = calloc(1, sizeof(*sa));
	uint32_t id = e->last_ike_id + 1;
	uint64_t spi;

	if (!sa)
		return NULL;
	sa->handshake = calloc(1, sizeof(*sa->handshake));
	if (!sa->handshake || choose_spi(e, &spi) ||
	    id_table_insert(&e->by_id, &sa->by_id, id, sa) ||
	    id_table_insert(&e->by_spi, &sa->by_spi, spi, sa)) {
		id_table_remove(&e->by_id, &sa->by_id);
		free(sa->handshake);
		free(sa);
		return NULL;
	}
	*(initiator ? &sa->spi_i : &sa->spi_r) = spi;
	sa->engine = e;
	sa->conn = ike_conn_ref(conn);
	sa->id = e->last_ike_id = id;
	sa->initiator = initiator;
	sa->local = *local;
	sa->remote = *remote;
	sa->heard = sa->mobike.confirmed = (struct ike_path){*local, *remote};
	sa->created = sa->last_received = sa->last_sent = now;
	sa->rekey_at = sa->reauth_at = sa->expire_at = sa->roam_at = sa->inherited_at =
	    DEADLINE_NEVER;
	sa->began = initiator;
	sa->deadline.object = sa;
	list_init(&sa->tasks);
	list_init(&sa->children);
	list_append(&e->sas, &sa->node);
	list_init(&sa->half_open);
	track_half_open(sa, is_half_open(sa));
	return sa;
}

void ike_sa_set_state(struct ike_sa *sa, enum ike_sa_state state, const char *why)
{
	enum ike_sa_state from = sa->state;

	if (from == state)
		return;
	sa->state = state;
	track_half_open(sa, is_half_open(sa));
	report_event(sa->engine, sa, NULL, EVENT_IKE_STATE, 0, 0, "%s -> %s, %s",
		     ike_sa_state_name(from), ike_sa_state_name(state), why);
}

static void drop_negotiation(struct ike_sa *sa)
{
	struct list *pos, *tmp;

	handshake_free(sa->handshake);
	sa->handshake = NULL;
	flight_free(&sa->request.flight);
	fragments_free(sa->engine, &sa->fragments[false]);
	fragments_free(sa->engine, &sa->fragments[true]);
	task_free(sa->request.task);
	sa->request = (struct request){0};
	child_offer_free(sa->offer);
	sa->offer = NULL;
	list_for_each (pos, tmp, &sa->tasks) {
		list_remove(pos);
		task_free(list_entry(pos, struct task, node));
	}
}

static void end_children(struct ike_sa *sa, enum ike_cause cause, uint16_t notify, const char *why)
{
	struct list *pos, *tmp;

	task_fail_waiting(sa, cause, notify, why);
	list_for_each (pos, tmp, &sa->children) {
		struct child_sa *child = list_entry(pos, struct child_sa, node);

		if (!child_sa_bequeath(sa, child, why))
			child_sa_remove(sa, child, cause, why);
	}
}

/* Once: an SA that lingers has reported its end already. */
static void report_sa_end(struct ike_sa *sa, enum ike_cause cause, uint16_t notify, const char *why)
{
	if (sa->state == IKE_DESTROYING)
		return;
	rekey_ike_abandon(sa, sa->last_received);
	reauth_failed(sa);
	if (sa->reauthenticating)
		cause = CAUSE_REAUTH;
	if (sa->terminated)
		cause = CAUSE_LOCAL;
	if (sa->replaced && list_empty(&sa->children))
		return;
	end_children(sa, cause, notify, why);
	report_log(sa->engine, sa, NULL, LOG_IKE, 0, "IKE_SA %s[%u] %s: %s",
		   sa->conn ? sa->conn->name : "(unnamed)", sa->id,
		   sa->established ? "deleted" : "failed", why);
	report_end(sa->engine, sa, NULL, sa->established ? EVENT_IKE_DOWN : EVENT_IKE_FAILED, cause,
		   notify, why);
}

void ike_sa_destroy(struct ike_sa *sa, enum ike_cause cause, uint16_t notify, const char *why)
{
	struct ike_engine *e = sa->engine;

	report_sa_end(sa, cause, notify, why);
	track_half_open(sa, false);
	id_table_remove(&e->by_spi, &sa->by_spi);
	id_table_remove(&e->by_id, &sa->by_id);
	deadlines_set(&e->deadlines, &sa->deadline, DEADLINE_NEVER);
	list_remove(&sa->node);
	list_append(&e->dead_sas, &sa->node);
}

void ike_sa_linger(struct ike_sa *sa, enum ike_cause cause, uint16_t notify, const char *why,
		   uint64_t now)
{
	report_sa_end(sa, cause, notify, why);
	drop_negotiation(sa);
	ike_sa_set_state(sa, IKE_DESTROYING, "last answer is kept for retransmissions");
	sa->linger_until = now + LINGER_TIME;
	ike_sa_rearm(sa);
}

void ike_sa_discard(struct ike_sa *sa)
{
	struct ike_engine *e = sa->engine;

	track_half_open(sa, false);
	id_table_remove(&e->by_spi, &sa->by_spi);
	id_table_remove(&e->by_id, &sa->by_id);
	deadlines_set(&e->deadlines, &sa->deadline, DEADLINE_NEVER);
	list_remove(&sa->node);
	list_append(&e->dead_sas, &sa->node);
}

int ike_sa_derive_keys(struct ike_sa *sa, const struct ike_sa *old, struct view secret)
{
	struct keymat_input in = {.suite = sa->suite,
				  .initiator = sa->initiator,
				  .ni = nonce_view(&sa->handshake->ni),
				  .nr = nonce_view(&sa->handshake->nr),
				  .secret = secret,
				  .spi_i = sa->spi_i,
				  .spi_r = sa->spi_r,
				  .old = old ? &old->keys : NULL};
	struct ike_action a = {.type = IKE_ACTION_KEYS, .ike_id = sa->id};
	struct keymat_log log;
	int err;

	err = keymat_derive(&sa->keys, &in, &log);
	if (!err && sa->engine->log_keys) {
		a.keys = log.info;
		action_queue_push(&sa->engine->actions, &a);
	}
	secret_wipe(&log, sizeof(log));
	return err;
}

/* swanctl.conf(5) over_time. A limit of authentication holds through rekeyings (RFC 4478 §2). */
static uint64_t end_of_life(const struct ike_sa *sa, const struct ike_sa *old, uint64_t now)
{
	const struct ike_conn *conn = sa->conn;
	uint64_t soft = conn->reauth_time ? conn->reauth_time : conn->rekey_time;

	if (old && conn->reauth_time)
		return old->expire_at;
	return soft ? lifetime_at(now, soft + conn->over_time) : DEADLINE_NEVER;
}

void ike_sa_set_lifetime(struct ike_sa *sa, const struct ike_sa *old, uint64_t now)
{
	const struct ike_conn *conn = sa->conn;
	uint64_t rekey = lifetime_soft(sa->engine, conn->rekey_time, conn->rand_time);
	uint64_t reauth = lifetime_soft(sa->engine, conn->reauth_time, conn->rand_time);

	sa->rekey_at = lifetime_at(now, rekey);
	sa->reauth_at = old ? old->reauth_at : lifetime_at(now, reauth);
	sa->expire_at = end_of_life(sa, old, now);
}

struct ike_sa *ike_sa_find(const struct ike_engine *e, uint32_t id)
{
	return id_table_find(&e->by_id, id);
}

void ike_sa_free(struct ike_sa *sa)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &sa->children) {
		list_remove(pos);
		child_sa_free(list_entry(pos, struct child_sa, node));
	}
	drop_negotiation(sa);
	flight_free(&sa->response);
	keymat_clear(&sa->keys);
	identity_clear(&sa->local_id);
	identity_clear(&sa->remote_id);
	ike_conn_unref(sa->conn);
	ike_conn_unref(sa->first_conn);
	secret_wipe(sa, sizeof(*sa));
	free(sa);
}

void ike_sa_rearm(struct ike_sa *sa)
{
	if (sa->by_spi.object)
		deadlines_set(&sa->engine->deadlines, &sa->deadline, timers_next(sa));
}

bool ike_sa_encap(const struct ike_sa *sa)
{
	return sa->nat_local || sa->nat_remote || sa->nat_fake;
}

struct ike_sa_info ike_sa_get_info(const struct ike_sa *sa)
{
	struct ike_sa_info info = {
	    .id = sa->id,
	    .conn = sa->conn,
	    .state = sa->state,
	    .initiator = sa->initiator,
	    .spi_i = sa->spi_i,
	    .spi_r = sa->spi_r,
	    .local = sa->local,
	    .remote = sa->remote,
	    .local_id = sa->local_id.data || sa->local_id.type ? &sa->local_id : NULL,
	    .remote_id = sa->remote_id.data || sa->remote_id.type ? &sa->remote_id : NULL,
	    .nat_local = sa->nat_local,
	    .nat_remote = sa->nat_remote,
	    .nat_fake = sa->nat_fake,
	    .have_keys = sa->keys.seal != NULL,
	    .encr = sa->suite.encr,
	    .encr_bits = sa->suite.encr_bits,
	    .integ = sa->suite.integ,
	    .prf = sa->suite.prf,
	    .ke = sa->suite.ke,
	    .established = sa->established,
	    .tasks_active = sa->request.kind != REQUEST_NONE,
	};
	struct list *pos, *tmp;

	if (sa->established && sa->rekey_at != DEADLINE_NEVER)
		info.rekey_at = sa->rekey_at;
	if (sa->established && sa->reauth_at != DEADLINE_NEVER)
		info.reauth_at = sa->reauth_at;
	info.reauth_of = sa->reauth_of;
	list_for_each (pos, tmp, &sa->tasks)
		info.tasks_queued++;
	return info;
}
