/* child_sa.c - Child SAs: keys, installation, removal, information.
 *
 * A child owns its selectors and a reference to the connection that its configuration is in. Keys
 * never live here: they are derived, handed to the queued installation, and wiped.
 *
 * The inbound SA is queued before the outbound one and both before any answer that lets the peer
 * send, so no packet of the peer's meets a missing SA (RFC 7296 §2.8). */
#include "vpn/ike/child_sa.h"

#include <stdlib.h>
#include <string.h>

#include "vpn/base/secret.h"
#include "vpn/ike/report.h"

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

struct child_sa_info child_sa_get_info(const struct child_sa *c)
{
	uint64_t second = UINT64_C(1000000);
	const struct child_lifetime *t = &c->cfg->time;

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
	    .rekey_at = t->rekey ? c->installed + t->rekey * second : 0,
	    .expire_at = t->life ? c->installed + t->life * second : 0,
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

/* What both directions share. */
static struct ipsec_sa describe(const struct ike_sa *sa, const struct child_sa *child)
{
	const struct child_cfg *cfg = child->cfg;

	return (struct ipsec_sa){
	    .mode = child->mode,
	    .encap = child->encap,
	    .local = sa->local,
	    .remote = sa->remote,
	    .local_ts = child->local_ts,
	    .remote_ts = child->remote_ts,
	    .alg = child->alg,
	    .child_id = child->id,
	    .reqid = child->reqid,
	    .replay_window = cfg->replay_window,
	    .copy_df = cfg->copy_df,
	    .copy_ecn = cfg->copy_ecn,
	    .copy_dscp = cfg->copy_dscp,
	    .mss_clamp = cfg->mss_clamp,
	    .tfc_pad = child->no_tfc ? 0 : cfg->tfc_padding,
	};
}

static void queue_install(struct ike_sa *sa, const struct child_sa *child, bool inbound,
			  const uint8_t *key, size_t key_len)
{
	struct ipsec_sa esp = describe(sa, child);
	struct child_sa_info info = child_sa_get_info(child);
	const struct mark *mark = inbound ? &child->cfg->set_mark_in : &child->cfg->set_mark_out;
	struct ike_action a = {.type = IKE_ACTION_SA_INSTALL, .ike_id = sa->id, .install = &esp};

	esp.inbound = inbound;
	esp.spi = inbound ? child->spi_in : child->spi_out;
	esp.if_id = inbound ? info.if_id_in : info.if_id_out;
	esp.mark = mark->value;
	esp.mark_mask = mark->mask;
	memcpy(esp.key, key, key_len);
	esp.key_len = key_len;
	action_queue_push(&sa->engine->actions, &a);
	secret_wipe(&esp, sizeof(esp));
}

static int install(struct ike_sa *sa, struct child_sa *child, const struct child_agreement *agreed,
		   bool we_began)
{
	uint8_t i2r[IPSEC_KEY_MAX], r2i[IPSEC_KEY_MAX];
	size_t len;
	int err;

	err = keymat_child(&sa->keys, &child->alg, agreed->secret, agreed->ni, agreed->nr, i2r, r2i,
			   &len);
	if (!err) {
		queue_install(sa, child, true, we_began ? r2i : i2r, len);
		queue_install(sa, child, false, we_began ? i2r : r2i, len);
	}
	secret_wipe(i2r, sizeof(i2r));
	secret_wipe(r2i, sizeof(r2i));
	return err;
}

static void announce(struct ike_sa *sa, struct child_sa *child)
{
	char local[TS_STRLEN], remote[TS_STRLEN];
	struct ike_engine *e = sa->engine;

	report_log(e, sa, child, LOG_IKE, 1,
		   "CHILD_SA %s{%u} established with SPIs %08x_i %08x_o and TS %s%s === %s%s, %s%s",
		   child->cfg->name, child->id, child->spi_in, child->spi_out,
		   ts_format(&child->local_ts.v[0], local, sizeof(local)),
		   child->local_ts.n > 1 ? " ..." : "",
		   ts_format(&child->remote_ts.v[0], remote, sizeof(remote)),
		   child->remote_ts.n > 1 ? " ..." : "", ipsec_mode_name(child->mode),
		   child->encap ? "-in-UDP" : "");
	report_event(e, sa, child, EVENT_CHILD_UP, 0, 0, "established");
	if (child->mode_reason) {
		report_log(e, sa, child, LOG_CHD, 0, "%s was asked for, %s mode is used: %s",
			   ipsec_mode_name(child->cfg->mode), ipsec_mode_name(child->mode),
			   child->mode_reason);
		report_event(e, sa, child, EVENT_MODE_FALLBACK, 0, 0, "%s", child->mode_reason);
	}
}

int child_sa_create(struct ike_sa *sa, struct child_agreement *agreed, bool we_began, uint64_t now,
		    struct child_sa **ret_child)
{
	struct ike_engine *e = sa->engine;
	struct child_sa *child = calloc(1, sizeof(*child));
	int err = ERR_NOMEM;

	if (!child)
		goto free_lists;
	*child = (struct child_sa){.id = ++e->last_child_id,
				   .conn = ike_conn_ref(agreed->conn),
				   .cfg = agreed->cfg,
				   .reqid = reqid_for(e, agreed->conn, agreed->cfg),
				   .mode = agreed->mode,
				   .mode_reason = agreed->mode_reason,
				   .spi_in = agreed->spi_in,
				   .spi_out = agreed->spi_out,
				   .alg = {agreed->suite.encr, agreed->suite.encr_bits,
					   agreed->suite.integ, agreed->suite.esn},
				   .ke = agreed->suite.ke,
				   .encap = ike_sa_encap(sa),
				   .no_tfc = agreed->no_tfc,
				   .installed = now,
				   .local_ts = agreed->local_ts,
				   .remote_ts = agreed->remote_ts};
	err = id_table_insert(&e->by_esp_spi, &child->by_spi, child->spi_in, sa);
	if (!err)
		err = install(sa, child, agreed, we_began);
	if (err) {
		id_table_remove(&e->by_esp_spi, &child->by_spi);
		child_sa_free(child);
		return err;
	}
	list_append(&sa->children, &child->node);
	sa->n_children++;
	child_sa_set_state(sa, child, CHILD_INSTALLED, "negotiated");
	announce(sa, child);
	*ret_child = child;
	return 0;

free_lists:
	ts_list_free(&agreed->local_ts);
	ts_list_free(&agreed->remote_ts);
	return err;
}

static void queue_remove(struct ike_sa *sa, const struct child_sa *child, bool inbound)
{
	struct ike_action a = {.type = IKE_ACTION_SA_REMOVE, .ike_id = sa->id};

	a.remove.spi = inbound ? child->spi_in : child->spi_out;
	a.remove.inbound = inbound;
	a.remove.child_id = child->id;
	a.remove.remote = sa->remote.addr;
	action_queue_push(&sa->engine->actions, &a);
}

void child_sa_remove(struct ike_sa *sa, struct child_sa *child, enum ike_cause cause,
		     const char *why)
{
	struct ike_engine *e = sa->engine;

	child_sa_set_state(sa, child, CHILD_DELETED, why);
	report_end(e, sa, child, EVENT_CHILD_DOWN, cause, 0, why);
	queue_remove(sa, child, false);
	queue_remove(sa, child, true);
	id_table_remove(&e->by_esp_spi, &child->by_spi);
	list_remove(&child->node);
	sa->n_children--;
	list_append(&e->dead_children, &child->node);
}

void child_sa_moved(struct ike_sa *sa, struct child_sa *child)
{
	struct ike_action a = {.type = IKE_ACTION_SA_UPDATE, .ike_id = sa->id};

	child->encap = ike_sa_encap(sa);
	a.update.child_id = child->id;
	a.update.spi_in = child->spi_in;
	a.update.spi_out = child->spi_out;
	a.update.encap = child->encap;
	a.update.local = sa->local;
	a.update.remote = sa->remote;
	action_queue_push(&sa->engine->actions, &a);
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
	ts_list_free(&child->local_ts);
	ts_list_free(&child->remote_ts);
	ike_conn_unref(child->conn);
	free(child);
}

struct child_sa *child_sa_by_id(const struct ike_engine *e, uint32_t id, struct ike_sa **ret_sa)
{
	struct list *pos, *tmp, *cpos, *ctmp;

	list_for_each(pos, tmp, &e->sas)
	{
		struct ike_sa *sa = list_entry(pos, struct ike_sa, node);

		list_for_each(cpos, ctmp, &sa->children)
		{
			struct child_sa *child = list_entry(cpos, struct child_sa, node);

			if (child->id == id) {
				*ret_sa = sa;
				return child;
			}
		}
	}
	return NULL;
}

struct child_sa *child_sa_by_outbound_spi(const struct ike_sa *sa, uint32_t spi)
{
	struct list *pos, *tmp;

	list_for_each(pos, tmp, &sa->children)
	{
		struct child_sa *child = list_entry(pos, struct child_sa, node);

		if (child->spi_out == spi)
			return child;
	}
	return NULL;
}
