/* engine.c - the engine's surface: SAs made and walked, commands, time.
 *
 * Dispatch of datagrams is in dispatch.c. After every call the graveyard may hold SAs and children
 * that queued actions still show; it is emptied when the owner has fetched the last action. */
#include "vpn/ike/engine.h"

#include <stdlib.h>
#include <string.h>

#include "vpn/base/secret.h"
#include "vpn/ike/child_sa.h"
#include "vpn/ike/exchange.h"
#include "vpn/ike/init.h"
#include "vpn/ike/reauth.h"
#include "vpn/ike/report.h"
#include "vpn/ike/task.h"
#include "vpn/ike/timers.h"

struct ike_engine *ike_engine_new(const struct ike_env *env, const struct ike_options *options)
{
	struct ike_engine *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->env = *env;
	e->opt = *options;
	list_init(&e->sas);
	list_init(&e->half_open_sas);
	list_init(&e->dead_sas);
	list_init(&e->dead_children);
	action_queue_init(&e->actions);
	return e;
}

static void empty_graveyard(struct ike_engine *e)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &e->dead_children) {
		list_remove(pos);
		child_sa_free(list_entry(pos, struct child_sa, node));
	}
	list_for_each (pos, tmp, &e->dead_sas) {
		list_remove(pos);
		ike_sa_free(list_entry(pos, struct ike_sa, node));
	}
}

void ike_engine_free(struct ike_engine *e)
{
	struct list *pos, *tmp;
	size_t i;

	if (!e)
		return;
	action_queue_clear(&e->actions);
	empty_graveyard(e);
	list_for_each (pos, tmp, &e->sas) {
		list_remove(pos);
		ike_sa_free(list_entry(pos, struct ike_sa, node));
	}
	for (i = 0; i < e->n_reqids; i++) {
		free(e->reqids[i].conn);
		free(e->reqids[i].child);
	}
	free(e->reqids);
	id_table_clear(&e->by_spi);
	id_table_clear(&e->by_id);
	id_table_clear(&e->by_esp_spi);
	deadlines_clear(&e->deadlines);
	secret_wipe(e, sizeof(*e));
	free(e);
}

void ike_engine_log_keys(struct ike_engine *e, bool on)
{
	e->log_keys = on;
}

const struct ike_action *ike_engine_next_action(struct ike_engine *e)
{
	const struct ike_action *a = action_queue_next(&e->actions);

	if (!a)
		empty_graveyard(e);
	return a;
}

uint64_t ike_engine_next_deadline(const struct ike_engine *e)
{
	return deadlines_next(&e->deadlines);
}

void ike_engine_expire(struct ike_engine *e, uint64_t now)
{
	struct ike_sa *sa;

	while ((sa = deadlines_due(&e->deadlines, now)) != NULL)
		timers_run(sa, now);
}

void ike_engine_network_changed(struct ike_engine *e, uint64_t now)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &e->sas) {
		struct ike_sa *sa = list_entry(pos, struct ike_sa, node);

		if (sa->roam_at == DEADLINE_NEVER)
			sa->roam_at = now + ROAM_DELAY;
		ike_sa_rearm(sa);
	}
}

static bool is_visible(const struct ike_sa *sa)
{
	return sa->state != IKE_DESTROYING && !sa->unborn;
}

static struct ike_sa *find_sa(const struct ike_engine *e, uint32_t ike_id)
{
	struct ike_sa *sa = id_table_find(&e->by_id, ike_id);

	return sa && is_visible(sa) ? sa : NULL;
}

/* An SA over which a further child of this connection can be made. */
static struct ike_sa *find_usable(const struct ike_engine *e, const struct ike_conn *conn,
				  const struct endpoint *remote)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &e->sas) {
		struct ike_sa *sa = list_entry(pos, struct ike_sa, node);
		bool alive = sa->state == IKE_ESTABLISHED ||
			     (sa->state == IKE_REKEYING && !sa->unborn) ||
			     (sa->initiator && sa->state == IKE_CONNECTING);

		if (alive && sa->conn && strcmp(sa->conn->name, conn->name) == 0 &&
		    (!remote || !ip_addr_is_set(&remote->addr) ||
		     ip_addr_eq(&remote->addr, &sa->remote.addr) || sa->state == IKE_ESTABLISHED))
			return sa;
	}
	return NULL;
}

static int initiate_new(struct ike_engine *e, struct ike_conn *conn, const struct child_cfg *child,
			const struct ts_packet *packet, const struct endpoint *local,
			const struct endpoint *remote, uint64_t now, uint32_t *ret_ike_id)
{
	struct ike_sa *sa;
	int err;

	if (!ip_addr_is_set(&local->addr) || local->addr.family != remote->addr.family)
		return ERR_INVALID;
	sa = ike_sa_new(e, conn, true, local, remote, now);
	if (!sa)
		return ERR_NOMEM;
	err = child ? task_queue_child_for(sa, conn, child, packet) : 0;
	if (!err)
		err = init_begin(sa, now);
	if (err) {
		ike_sa_destroy(sa, CAUSE_ERROR, 0, err_text(err));
		return err;
	}
	*ret_ike_id = sa->id;
	ike_sa_rearm(sa);
	return 0;
}

int ike_engine_initiate(struct ike_engine *e, struct ike_conn *conn, const struct child_cfg *child,
			const struct endpoint *local, const struct endpoint *remote, uint64_t now,
			uint32_t *ret_ike_id)
{
	return ike_engine_acquire(e, conn, child, NULL, local, remote, now, ret_ike_id);
}

int ike_engine_acquire(struct ike_engine *e, struct ike_conn *conn, const struct child_cfg *child,
		       const struct ts_packet *packet, const struct endpoint *local,
		       const struct endpoint *remote, uint64_t now, uint32_t *ret_ike_id)
{
	struct ike_sa *sa = find_usable(e, conn, remote);
	int err;

	if (!sa)
		return initiate_new(e, conn, child, packet, local, remote, now, ret_ike_id);
	err = child && !task_child_is_pending(sa, child->name)
		  ? task_queue_child_for(sa, conn, child, packet)
		  : 0;
	if (err)
		return err;
	*ret_ike_id = sa->id;
	task_run_next(sa, now);
	ike_sa_rearm(sa);
	return 0;
}

/* The peer may hold an SA already, by a request of ours that it has taken: the answer is waited
 * for, and then what stands is deleted at both ends. Not if a try was in vain, or if it is said
 * twice. */
static bool peer_may_hold_one(const struct ike_sa *sa)
{
	bool undecided = (sa->state == IKE_CONNECTING && sa->request.kind == REQUEST_AUTH) ||
			 sa->state == IKE_REKEYING;

	return undecided && !sa->request.tries && !sa->terminated;
}

int ike_engine_terminate_ike(struct ike_engine *e, uint32_t ike_id, bool force, uint64_t now)
{
	struct ike_sa *sa = find_sa(e, ike_id);
	bool stands;
	int err;

	if (!sa)
		return ERR_NOT_FOUND;
	stands = sa->state == IKE_ESTABLISHED || sa->state == IKE_DELETING ||
		 (!force && peer_may_hold_one(sa));
	sa->terminated = true;
	sa->reauthenticating = false; /* this end is final */
	if (sa->state == IKE_REKEYED && !force)
		return 0; /* its deletion is under way, by whoever has rekeyed it */
	if (!stands) {
		ike_sa_destroy(sa, CAUSE_LOCAL, 0, "terminated before it was established");
		return 0;
	}
	if (force && sa->request.kind != REQUEST_NONE)
		task_free(exchange_take_request(sa));
	err = task_queue_ike_delete(sa);
	if (err)
		return err;
	task_run_next(sa, now);
	if (force)
		ike_sa_destroy(sa, CAUSE_LOCAL, 0, "deleted by us");
	else
		ike_sa_rearm(sa);
	return 0;
}

int ike_engine_terminate_child(struct ike_engine *e, uint32_t child_id, bool force, uint64_t now)
{
	struct ike_sa *sa;
	struct child_sa *child = child_sa_by_id(e, child_id, &sa);
	int err;

	if (!child)
		return ERR_NOT_FOUND;
	err = task_queue_child_delete(sa, child_id, 0);
	if (err)
		return err;
	task_run_next(sa, now);
	if (force)
		child_sa_remove(sa, child, CAUSE_LOCAL, "deleted by us");
	ike_sa_rearm(sa);
	return 0;
}

int ike_engine_rekey_ike(struct ike_engine *e, uint32_t ike_id, uint64_t now)
{
	struct ike_sa *sa = find_sa(e, ike_id);
	int err;

	if (!sa)
		return ERR_NOT_FOUND;
	if (sa->state != IKE_ESTABLISHED)
		return ERR_STATE;
	err = task_queue_ike_rekey(sa);
	if (err)
		return err;
	task_run_next(sa, now);
	ike_sa_rearm(sa);
	return 0;
}

int ike_engine_reauth(struct ike_engine *e, uint32_t ike_id, uint64_t now)
{
	struct ike_sa *sa = find_sa(e, ike_id);
	int err;

	if (!sa)
		return ERR_NOT_FOUND;
	err = reauth_begin(sa, now);
	ike_sa_rearm(sa);
	return err;
}

int ike_engine_rekey_child(struct ike_engine *e, uint32_t child_id, uint64_t now)
{
	struct ike_sa *sa;
	struct child_sa *child = child_sa_by_id(e, child_id, &sa);
	int err;

	if (!child)
		return ERR_NOT_FOUND;
	if (child->state != CHILD_INSTALLED)
		return ERR_STATE;
	err = task_queue_child_rekey(sa, child_id);
	if (err)
		return err;
	task_run_next(sa, now);
	ike_sa_rearm(sa);
	return 0;
}

int ike_engine_sa_limit(struct ike_engine *e, uint32_t child_id, bool hard, uint64_t now)
{
	struct ike_sa *sa;
	struct child_sa *child = child_sa_by_id(e, child_id, &sa);

	if (!hard || !child)
		return ike_engine_rekey_child(e, child_id, now);
	if (child->state != CHILD_DELETED)
		child_sa_expire(sa, child, now);
	ike_sa_rearm(sa);
	return 0;
}

void ike_engine_install_failed(struct ike_engine *e, uint32_t child_id, const char *why,
			       uint64_t now)
{
	struct ike_sa *sa;
	struct child_sa *child = child_sa_by_id(e, child_id, &sa);

	if (!child || child->state == CHILD_DELETING)
		return;
	report_log(e, sa, child, LOG_KNL, 0, "CHILD_SA %s{%u} could not be installed: %s",
		   child->cfg->name, child_id, why);
	report_end(e, sa, child, EVENT_CHILD_FAILED, CAUSE_ERROR, 0, why);
	if (!task_queue_child_delete(sa, child_id, 0))
		task_run_next(sa, now);
	ike_sa_rearm(sa);
}

bool ike_engine_sa(const struct ike_engine *e, size_t i, struct ike_sa_info *ret_info)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &e->sas) {
		struct ike_sa *sa = list_entry(pos, struct ike_sa, node);

		if (is_visible(sa) && i-- == 0) {
			*ret_info = ike_sa_get_info(sa);
			return true;
		}
	}
	return false;
}

bool ike_engine_sa_by_id(const struct ike_engine *e, uint32_t ike_id, struct ike_sa_info *ret_info)
{
	struct ike_sa *sa = find_sa(e, ike_id);

	if (sa)
		*ret_info = ike_sa_get_info(sa);
	return sa != NULL;
}

bool ike_engine_child(const struct ike_engine *e, uint32_t ike_id, size_t i,
		      struct child_sa_info *ret_info)
{
	struct ike_sa *sa = find_sa(e, ike_id);
	struct list *pos, *tmp;

	if (!sa)
		return false;
	list_for_each (pos, tmp, &sa->children) {
		if (i-- == 0) {
			*ret_info = child_sa_get_info(list_entry(pos, struct child_sa, node));
			return true;
		}
	}
	return false;
}

size_t ike_engine_half_open(const struct ike_engine *e)
{
	return e->half_open;
}
