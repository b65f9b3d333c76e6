/* child_sa.c - the life of a Child SA: made, replaced, retired, removed; and what it shows of
 * itself.
 *
 * A child owns its selectors, a reference to the connection that its configuration is in, and
 * possibly an outbound SA that waits (child_install.c). */
#include "vpn/ike/child_sa.h"

#include <stdlib.h>
#include <string.h>

#include "vpn/ike/child_install.h"
#include "vpn/ike/lifetime.h"
#include "vpn/ike/report.h"
#include "vpn/ike/task.h"

#define SPI_TRIES 16

int child_sa_new_spi(struct ike_engine *e, uint32_t *ret_spi)
{
	uint8_t b[4];
	int tries;

	for (tries = 0; tries < SPI_TRIES; tries++) {
		uint32_t spi;
		struct reader r;

		if (e->env.random(e->env.ctx, b, sizeof(b)))
			return ERR_CRYPTO;
		r = rd_init(b, sizeof(b));
		spi = rd_u32(&r);
		if (spi < 256 || id_table_find(&e->by_esp_spi, spi))
			continue;
		*ret_spi = spi;
		return 0;
	}
	return ERR_CRYPTO;
}

static uint64_t zero_if_never(uint64_t at)
{
	return at == DEADLINE_NEVER ? 0 : at;
}

struct child_sa_info child_sa_get_info(const struct child_sa *c)
{
	return (struct child_sa_info){
	    .id = c->id,
	    .cfg = c->cfg,
	    .state = c->state,
	    .reqid = c->reqid,
	    .mode = c->mode,
	    .encap = c->encap,
	    .mode_reason = c->mode_reason,
	    .spi_in = c->spi_in,
	    .spi_out = c->spi_out,
	    .alg = c->alg,
	    .ke = c->ke,
	    .installed = c->installed,
	    .rekey_at = zero_if_never(c->rekey_at),
	    .expire_at = zero_if_never(c->expire_at),
	    .local_ts = &c->local_ts,
	    .remote_ts = &c->remote_ts,
	    .if_id_in = c->cfg->if_id_in ? c->cfg->if_id_in : c->conn->if_id_in,
	    .if_id_out = c->cfg->if_id_out ? c->cfg->if_id_out : c->conn->if_id_out,
	};
}

void child_sa_set_state(struct ike_sa *sa, struct child_sa *child, enum child_sa_state state,
			const char *why)
{
	enum child_sa_state from = child->state;

	if (from == state)
		return;
	child->state = state;
	report_event(sa->engine, sa, child, EVENT_CHILD_STATE, 0, 0, "%s -> %s, %s",
		     child_sa_state_name(from), child_sa_state_name(state), why);
}

/* All children of one configured child share a reqid, through rekeys and reconnects. */
static uint32_t reqid_for(struct ike_engine *e, const struct ike_conn *conn,
			  const struct child_cfg *cfg)
{
	struct reqid_entry *v;
	size_t i;

	if (cfg->reqid)
		return cfg->reqid;
	for (i = 0; i < e->n_reqids; i++)
		if (strcmp(e->reqids[i].conn, conn->name) == 0 &&
		    strcmp(e->reqids[i].child, cfg->name) == 0)
			return e->reqids[i].reqid;
	v = realloc(e->reqids, (e->n_reqids + 1) * sizeof(*v));
	if (!v)
		return ++e->last_reqid;
	e->reqids = v;
	v = &v[e->n_reqids];
	*v = (struct reqid_entry){strdup(conn->name), strdup(cfg->name), ++e->last_reqid};
	if (v->conn && v->child)
		e->n_reqids++;
	return v->reqid;
}

static void announce(struct ike_sa *sa, struct child_sa *child)
{
	char local[TS_STRLEN], remote[TS_STRLEN];
	struct ike_engine *e = sa->engine;

	report_log(e, sa, child, LOG_IKE, 1,
		   "CHILD_SA %s{%u} %s with SPIs %08x_i %08x_o and TS %s%s === %s%s, %s%s",
		   child->cfg->name, child->id, child->replaces ? "rekeyed" : "established",
		   child->spi_in, child->spi_out,
		   ts_format(&child->local_ts.v[0], local, sizeof(local)),
		   child->local_ts.n > 1 ? " ..." : "",
		   ts_format(&child->remote_ts.v[0], remote, sizeof(remote)),
		   child->remote_ts.n > 1 ? " ..." : "", ipsec_mode_name(child->mode),
		   child->encap ? "-in-UDP" : "");
	if (child->replaces)
		report_event(e, sa, child, EVENT_CHILD_REKEYED, 0, child->replaces, "rekeyed");
	else
		report_event(e, sa, child, EVENT_CHILD_UP, 0, 0, "established");
	if (child->mode_reason) {
		report_log(e, sa, child, LOG_CHD, 0, "%s was asked for, %s mode is used: %s",
			   ipsec_mode_name(child->cfg->mode), ipsec_mode_name(child->mode),
			   child->mode_reason);
		report_event(e, sa, child, EVENT_MODE_FALLBACK, 0, 0, "%s", child->mode_reason);
	}
}

uint64_t child_sa_last_use(const struct ike_sa *sa, const struct child_sa *child)
{
	const struct ike_env *env = &sa->engine->env;
	uint64_t last = child->used;
	struct ipsec_sa_stats stats;
	int inbound;

	for (inbound = 0; env->sa_stats && inbound < 2; inbound++)
		if (env->sa_stats(env->ctx, inbound ? child->spi_in : child->spi_out, inbound,
				  &stats) &&
		    stats.last_use > last)
			last = stats.last_use;
	return last;
}

/* A rekeyed child has been idle as long as the one before it. */
static uint64_t first_use(const struct ike_sa *sa, const struct child_agreement *agreed,
			  uint64_t now)
{
	const struct child_sa *old = agreed->replaces ? child_sa_find(sa, agreed->replaces) : NULL;

	return old ? child_sa_last_use(sa, old) : now;
}

static struct child_sa *make(struct ike_sa *sa, const struct child_agreement *agreed, uint64_t now)
{
	struct ike_engine *e = sa->engine;
	const struct child_lifetime *t = &agreed->cfg->time;
	struct child_sa *child = calloc(1, sizeof(*child));

	if (!child)
		return NULL;
	*child = (struct child_sa){
	    .id = ++e->last_child_id,
	    .conn = ike_conn_ref(agreed->conn),
	    .cfg = agreed->cfg,
	    .reqid = reqid_for(e, agreed->conn, agreed->cfg),
	    .mode = agreed->mode,
	    .mode_reason = agreed->mode_reason,
	    .spi_in = agreed->spi_in,
	    .spi_out = agreed->spi_out,
	    .alg = {agreed->suite.encr, agreed->suite.encr_bits, agreed->suite.integ,
		    agreed->suite.esn},
	    .ke = agreed->suite.ke,
	    .encap = ike_sa_encap(sa),
	    .no_tfc = agreed->no_tfc,
	    .replaces = agreed->replaces,
	    .installed = now,
	    .rekey_at = lifetime_at(now, lifetime_soft(e, t->rekey, t->rand)),
	    .expire_at = lifetime_at(now, t->life),
	    .outbound_at = agreed->delay_outbound ? now + OUTBOUND_DELAY : DEADLINE_NEVER,
	    .gone_at = DEADLINE_NEVER,
	    .used = first_use(sa, agreed, now),
	    .local_ts = agreed->local_ts,
	    .remote_ts = agreed->remote_ts};
	child->idle_at = lifetime_at(child->used, agreed->cfg->inactivity);
	return child;
}

static bool is_same(const struct child_sa *child, const struct child_agreement *agreed)
{
	return child->state < CHILD_REKEYED && !child->superseded &&
	       strcmp(child->conn->name, agreed->conn->name) == 0 &&
	       strcmp(child->cfg->name, agreed->cfg->name) == 0 &&
	       ts_list_eq(&child->local_ts, &agreed->local_ts) &&
	       ts_list_eq(&child->remote_ts, &agreed->remote_ts);
}

/* RFC 7296 §2.8.3: the child of another IKE SA with the same host that a new one stands beside,
 * which is how reauthentication looks from the end that answers. */
static struct child_sa *find_predecessor(const struct ike_sa *sa,
					 const struct child_agreement *agreed)
{
	struct list *pos, *tmp, *at, *tmp2;

	list_for_each (pos, tmp, &sa->engine->sas) {
		struct ike_sa *other = list_entry(pos, struct ike_sa, node);

		if (other == sa || other->state != IKE_ESTABLISHED ||
		    !ip_addr_eq(&other->remote.addr, &sa->remote.addr) ||
		    !identity_eq(&other->local_id, &sa->local_id) ||
		    !identity_eq(&other->remote_id, &sa->remote_id))
			continue;
		list_for_each (at, tmp2, &other->children) {
			struct child_sa *child = list_entry(at, struct child_sa, node);

			if (is_same(child, agreed))
				return child;
		}
	}
	return NULL;
}

int child_sa_create(struct ike_sa *sa, struct child_agreement *agreed, bool we_began, uint64_t now,
		    struct child_sa **ret_child)
{
	struct ike_engine *e = sa->engine;
	struct child_sa *old = agreed->replaces ? NULL : find_predecessor(sa, agreed), *child;
	int err;

	agreed->delay_outbound |= old && !we_began;
	child = make(sa, agreed, now);
	if (!child) {
		ts_list_free(&agreed->local_ts);
		ts_list_free(&agreed->remote_ts);
		return ERR_NOMEM;
	}
	err = id_table_insert(&e->by_esp_spi, &child->by_spi, child->spi_in, sa);
	if (!err)
		err = child_install(sa, child, agreed, we_began);
	if (err) {
		child_uninstall(sa, child, true);
		id_table_remove(&e->by_esp_spi, &child->by_spi);
		child_sa_free(child);
		return err;
	}
	list_append(&sa->children, &child->node);
	sa->n_children++;
	if (old) {
		old->heir = child->id;
		child->outbound_at = we_began ? DEADLINE_NEVER : now + HEIR_DELAY;
	}
	child_sa_set_state(sa, child, CHILD_INSTALLED, "negotiated");
	announce(sa, child);
	*ret_child = child;
	return 0;
}

/* What has replaced `old` and could not send yet may do so now; not the loser of a collision, whose
 * initiator may not even have heard of it. */
static void use_successors(struct ike_sa *sa, const struct child_sa *old)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &sa->children) {
		struct child_sa *child = list_entry(pos, struct child_sa, node);

		if (child->replaces == old->id && !child->superseded)
			child_install_outbound(sa, child);
	}
}

/* What takes over from a child when its IKE SA goes: the one that reauthentication has made. */
static struct child_sa *find_heir(const struct ike_engine *e, const struct child_sa *child,
				  struct ike_sa **ret_sa)
{
	struct child_sa *heir = child->heir ? child_sa_by_id(e, child->heir, ret_sa) : NULL;

	return heir && heir->state < CHILD_DELETING ? heir : NULL;
}

static void report_down(struct ike_sa *sa, struct child_sa *child, enum ike_cause cause,
			const char *why)
{
	if (child->state == CHILD_DELETED)
		return;
	child_sa_set_state(sa, child, CHILD_DELETED, why);
	if (cause != CAUSE_REPLACED)
		report_end(sa->engine, sa, child, EVENT_CHILD_DOWN, cause, 0, why);
}

void child_sa_retire(struct ike_sa *sa, struct child_sa *child, enum ike_cause cause,
		     const char *why, uint64_t now)
{
	use_successors(sa, child);
	report_down(sa, child, cause, why);
	child_uninstall(sa, child, false);
	child->rekey_at = child->expire_at = DEADLINE_NEVER;
	child->outbound_at = child->idle_at = DEADLINE_NEVER;
	child->gone_at = now + INBOUND_GRACE;
	if (cause != CAUSE_REPLACED)
		child_sa_remove(sa, child, cause, why);
}

void child_sa_remove(struct ike_sa *sa, struct child_sa *child, enum ike_cause cause,
		     const char *why)
{
	struct ike_engine *e = sa->engine;
	struct ike_sa *to;
	struct child_sa *heir = find_heir(e, child, &to);

	if (heir)
		child_install_outbound(to, heir);
	report_down(sa, child, cause, why);
	child_uninstall(sa, child, false);
	child_uninstall(sa, child, true);
	id_table_remove(&e->by_esp_spi, &child->by_spi);
	list_remove(&child->node);
	sa->n_children--;
	list_append(&e->dead_children, &child->node);
}

static void hand_to(struct ike_sa *from, struct ike_sa *to, struct child_sa *child)
{
	list_remove(&child->node);
	list_append(&to->children, &child->node);
	child->by_spi.object = to;
	from->n_children--;
	to->n_children++;
}

bool child_sa_bequeath(struct ike_sa *sa, struct child_sa *child, const char *why)
{
	struct ike_sa *to;
	struct child_sa *heir = find_heir(sa->engine, child, &to);

	if (!heir || to == sa || child->state >= CHILD_DELETING)
		return false;
	child_install_outbound(to, heir);
	report_down(sa, child, CAUSE_REAUTH, why);
	child_uninstall(sa, child, false);
	child->rekey_at = child->expire_at = DEADLINE_NEVER;
	child->outbound_at = child->idle_at = DEADLINE_NEVER;
	child->gone_at = sa->last_received + INBOUND_GRACE;
	hand_to(sa, to, child);
	ike_sa_rearm(to);
	return true;
}

void child_sa_expire(struct ike_sa *sa, struct child_sa *child, uint64_t now)
{
	enum ike_cause cause = child->superseded ? CAUSE_REPLACED : CAUSE_EXPIRED;

	report_log(sa->engine, sa, child, LOG_CHD, 0, "CHILD_SA %s{%u} has expired",
		   child->cfg->name, child->id);
	if (!task_queue_child_delete(sa, child->id, child->spi_in))
		task_run_next(sa, now);
	child_sa_remove(sa, child, cause, "its lifetime is over");
}

void child_sa_inherit(struct ike_sa *from, struct ike_sa *to)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &from->children) {
		struct child_sa *child = list_entry(pos, struct child_sa, node);

		hand_to(from, to, child);
	}
}

struct child_sa *child_sa_stillborn(struct ike_engine *e, struct ike_conn *conn,
				    const struct child_cfg *cfg)
{
	struct child_sa *child = calloc(1, sizeof(*child));

	if (!child)
		return NULL;
	child->conn = ike_conn_ref(conn);
	child->cfg = cfg;
	child->mode = cfg->mode;
	if (ts_list_copy(&cfg->local_ts, &child->local_ts) ||
	    ts_list_copy(&cfg->remote_ts, &child->remote_ts)) {
		child_sa_free(child);
		return NULL;
	}
	list_append(&e->dead_children, &child->node);
	return child;
}

void child_sa_free(struct child_sa *child)
{
	if (child->pending_outbound) {
		ipsec_sa_clear(child->pending_outbound);
		free(child->pending_outbound);
	}
	ts_list_free(&child->local_ts);
	ts_list_free(&child->remote_ts);
	ike_conn_unref(child->conn);
	free(child);
}

struct child_sa *child_sa_find(const struct ike_sa *sa, uint32_t id)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &sa->children) {
		struct child_sa *child = list_entry(pos, struct child_sa, node);

		if (child->id == id)
			return child;
	}
	return NULL;
}

struct child_sa *child_sa_by_id(const struct ike_engine *e, uint32_t id, struct ike_sa **ret_sa)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &e->sas) {
		struct ike_sa *sa = list_entry(pos, struct ike_sa, node);
		struct child_sa *child = child_sa_find(sa, id);

		if (child) {
			*ret_sa = sa;
			return child;
		}
	}
	return NULL;
}

struct child_sa *child_sa_by_outbound_spi(const struct ike_sa *sa, uint32_t spi)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &sa->children) {
		struct child_sa *child = list_entry(pos, struct child_sa, node);

		if (child->spi_out == spi && child->state != CHILD_DELETED)
			return child;
	}
	return NULL;
}
