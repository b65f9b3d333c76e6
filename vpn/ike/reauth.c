/* reauth.c - reauthentication: a new IKE SA from IKE_SA_INIT on, with new children (RFC 7296
 * §2.8.3), in one of two orders (strongswan.conf(5) make_before_break):
 *
 *     break before make                       make before break
 *     old: INFORMATIONAL D(IKE)       ->      new: IKE_SA_INIT, IKE_AUTH    ->
 *     new: IKE_SA_INIT, IKE_AUTH      ->      new: CREATE_CHILD_SA ...      ->
 *     new: CREATE_CHILD_SA ...        ->      old: INFORMATIONAL D(IKE)     ->
 *
 * The first leaves a gap, which the node closes with traps (node/react.c): here the old SA ends
 * with CAUSE_REAUTH, and the node brings its children up again. The second is all here. Its new
 * children are the heirs of the old ones (child_sa.c): the end that answered sends on a new one as
 * soon as the old one goes, and both still receive on the old ones for a while.
 *
 * Who began the IKE SA repeats it; whoever answered tells its limit in AUTH_LIFETIME and deletes
 * the SA when nothing has come of it (RFC 4478 §2). */
#include "vpn/ike/reauth.h"

#include <string.h>

#include "vpn/base/proto.h"
#include "vpn/ike/child_sa.h"
#include "vpn/ike/init.h"
#include "vpn/ike/lifetime.h"
#include "vpn/ike/report.h"
#include "vpn/ike/task.h"

#define SECONDS UINT64_C(1000000)

/* As it is loaded now, or as the SA has it. */
static struct ike_conn *current_conn(const struct ike_sa *sa)
{
	const struct ike_env *env = &sa->engine->env;
	struct ike_conn *conn;
	size_t i;

	for (i = 0; (conn = env->conn(env->ctx, i)) != NULL; i++)
		if (strcmp(conn->name, sa->conn->name) == 0)
			return conn;
	return sa->conn;
}

static bool is_carried_on(const struct child_sa *child)
{
	return (child->state == CHILD_INSTALLED || child->state == CHILD_REKEYING) &&
	       !child->superseded;
}

static int queue_children(const struct ike_sa *old, struct ike_sa *sa)
{
	struct list *pos, *tmp;
	int err = 0;

	list_for_each (pos, tmp, &old->children) {
		const struct child_sa *child = list_entry(pos, struct child_sa, node);
		const struct child_cfg *cfg = ike_conn_find_child(sa->conn, child->cfg->name);

		if (!err && cfg && is_carried_on(child))
			err = task_queue_child(sa, sa->conn, cfg);
	}
	return err;
}

/* From the ports that an IKE SA begins with: a NAT may have moved the old one away. */
static struct ike_sa *make_new(const struct ike_sa *old, uint64_t now)
{
	const struct ike_options *opt = &old->engine->opt;
	struct ike_conn *conn = current_conn(old);
	struct endpoint local = old->local, remote = old->remote;

	local.port = ike_conn_begins_on_4500(conn) ? opt->port_natt : opt->port;
	remote.port = conn->remote_port;
	return ike_sa_new(old->engine, conn, true, &local, &remote, now);
}

static int make(struct ike_sa *old, uint64_t now)
{
	struct ike_sa *sa = make_new(old, now);
	int err;

	if (!sa)
		return ERR_NOMEM;
	err = queue_children(old, sa);
	if (!err)
		err = init_begin(sa, now);
	if (err) {
		ike_sa_destroy(sa, CAUSE_ERROR, 0, err_text(err));
		return err;
	}
	sa->reauth_of = old->id;
	ike_sa_rearm(sa);
	return 0;
}

static int make_way(struct ike_sa *sa, uint64_t now)
{
	int err = task_queue_ike_delete(sa);

	if (!err)
		task_run_next(sa, now);
	return err;
}

int reauth_begin(struct ike_sa *sa, uint64_t now)
{
	bool keep = sa->engine->opt.make_before_break;
	int err;

	if (!sa->began || sa->state != IKE_ESTABLISHED || sa->reauthenticating || !sa->conn)
		return ERR_STATE;
	report_log(sa->engine, sa, NULL, LOG_IKE, 0, "reauthenticating IKE_SA %s[%u], %s",
		   sa->conn->name, sa->id,
		   keep ? "the new one comes before the old one goes" : "break before make");
	report_event(sa->engine, sa, NULL, EVENT_IKE_REAUTH, 0, 0,
		     keep ? "make before break" : "break before make");
	sa->reauth_at = DEADLINE_NEVER;
	sa->reauthenticating = true;
	err = keep ? make(sa, now) : make_way(sa, now);
	if (err) {
		sa->reauthenticating = false;
		sa->reauth_at = lifetime_retry(sa->engine, now);
	}
	return err;
}

/* RFC 7296 §4: "the implementation MUST be capable of instead deleting the old SA and creating a
 * new one". */
void reauth_instead(struct ike_sa *sa, const struct ike_payloads *p, uint64_t now)
{
	struct payload_notify n;

	if (payloads_find_notify(p, N_NO_ADDITIONAL_SAS, &n))
		reauth_begin(sa, now);
}

void reauth_settle(struct ike_sa *sa, uint64_t now)
{
	struct ike_sa *old;

	if (!sa->reauth_of || sa->state != IKE_ESTABLISHED || sa->request.kind != REQUEST_NONE ||
	    !list_empty(&sa->tasks))
		return;
	old = ike_sa_find(sa->engine, sa->reauth_of);
	sa->reauth_of = 0;
	if (!old || old->state == IKE_DESTROYING)
		return;
	task_inherit(old, sa);
	make_way(old, now);
	ike_sa_rearm(old);
	task_run_next(sa, now);
}

void reauth_failed(struct ike_sa *sa)
{
	struct ike_sa *old = sa->reauth_of ? ike_sa_find(sa->engine, sa->reauth_of) : NULL;

	sa->reauth_of = 0;
	if (!old)
		return;
	old->reauthenticating = false;
	old->reauth_at = lifetime_retry(sa->engine, sa->last_sent);
	ike_sa_rearm(old);
}

void reauth_follow(const struct ike_sa *old, struct ike_sa *next)
{
	struct list *pos, *tmp;

	if (!old->reauthenticating)
		return;
	next->reauthenticating = true;
	list_for_each (pos, tmp, &old->engine->sas) {
		struct ike_sa *sa = list_entry(pos, struct ike_sa, node);

		if (sa->reauth_of == old->id)
			sa->reauth_of = next->id;
	}
}

void reauth_encode_lifetime(const struct ike_sa *sa, uint64_t now, struct ike_builder *b)
{
	uint8_t octets[4];
	struct writer w = wr_init(octets, sizeof(octets));

	if (sa->reauth_at == DEADLINE_NEVER)
		return;
	wr_u32(&w, (uint32_t)((sa->reauth_at - now) / SECONDS));
	payload_notify_simple(b, N_AUTH_LIFETIME, (struct view){octets, sizeof(octets)});
}

/* over_time before the limit, as strongSwan; of a short limit half of it is left for us. */
static uint64_t due_within(const struct ike_sa *sa, uint32_t limit)
{
	uint64_t over = sa->conn->over_time;
	uint64_t due = limit / 2 > over ? limit - over : limit / 2;

	return due ? due : 1;
}

void reauth_read_lifetime(struct ike_sa *sa, const struct ike_payloads *p, uint64_t now)
{
	struct payload_notify n;
	struct reader r;
	uint32_t limit;
	uint64_t at;

	if (!sa->began || !payloads_find_notify(p, N_AUTH_LIFETIME, &n))
		return;
	r = rd_init(n.data.p, n.data.len);
	limit = rd_u32(&r);
	if (!rd_done(&r))
		return;
	at = now + due_within(sa, limit) * SECONDS;
	report_log(sa->engine, sa, NULL, LOG_IKE, 1,
		   "the peer wants us to authenticate again within %u s", limit);
	if (at < sa->reauth_at)
		sa->reauth_at = at;
}
