/* roam.c - which addresses an IKE SA uses while the host's and the peer's change.
 *
 *     the host's network changes      with MOBIKE (RFC 4555)             without
 *     ------------------------------  ---------------------------------  -------------------------
 *     the address is still good       the peer hears of new ones (§3.6)  nothing
 *     another address leads there     initiator: moves, updates (§3.5)   behind a NAT: moves, and
 *                                     responder: moves, tells its list   the peer follows (RFC 7296
 *                                     (§3.6)                             §2.23); else: made again
 *     no way there                    waits, retransmits nothing         goes on, gives up in time
 *
 * What is good is the owner's to say (ike_env.source_for); a responder leaves an address only
 * when it is gone. A request that stays unanswered is sent
 * on other paths, too, to the addresses that the peer has told (§3.5, §3.10); the answer shows
 * which one works, and an update follows, for the responder moves by nothing else. An address of
 * the peer's carries Child SAs after it has answered (§3.7), our own at once.
 *
 * strongSwan keeps a configured local address without MOBIKE; so do we. */
#include "vpn/ike/roam.h"

#include "vpn/ike/child_install.h"
#include "vpn/ike/exchange.h"
#include "vpn/ike/mobike.h"
#include "vpn/ike/report.h"
#include "vpn/ike/task.h"

#define PATHS_MAX (LIMIT_ADDRESSES + 2)

/* Who does not decide goes from an address that is still there for no reason of routes: the other
 * end has chosen it (RFC 4555 §3.5). */
static bool keeps_address(const struct ike_sa *sa)
{
	const struct ike_env *env = &sa->engine->env;
	bool decides = sa->mobike.on ? sa->mobike.decides : sa->initiator;

	return !decides && env->has_addr && env->has_addr(env->ctx, &sa->local.addr);
}

static bool same_path(const struct ike_path *a, const struct ike_path *b)
{
	return endpoint_eq(&a->local, &b->local) && endpoint_eq(&a->remote, &b->remote);
}

/* The way to an address of the peer's; false: there is none. */
static bool path_to(const struct ike_sa *sa, const struct ip_addr *remote, struct ike_path *ret)
{
	const struct ike_env *env = &sa->engine->env;
	struct ike_path path = {sa->local, sa->remote};

	if (!env->source_for ||
	    !env->source_for(env->ctx, sa->conn, remote, &sa->local.addr, &path.local.addr))
		return false;
	path.remote.addr = *remote;
	*ret = path;
	return true;
}

static void add_path(const struct ike_sa *sa, const struct ip_addr *remote, struct ike_path *v,
		     size_t *n)
{
	size_t i;

	for (i = 0; i < *n; i++)
		if (ip_addr_eq(&v[i].remote.addr, remote))
			return;
	if (path_to(sa, remote, &v[*n]))
		++*n;
}

/* To each address of the peer's: the one in use, the last that worked, those that it has told. Who
 * does not decide has the first alone. */
static size_t list_paths(const struct ike_sa *sa, struct ike_path v[PATHS_MAX])
{
	const struct mobike *m = &sa->mobike;
	size_t i, n = 0;

	add_path(sa, &sa->remote.addr, v, &n);
	if (!m->on || !m->decides)
		return n;
	add_path(sa, &m->confirmed.remote.addr, v, &n);
	for (i = 0; i < m->peer.n; i++)
		add_path(sa, &m->peer.v[i], v, &n);
	return n;
}

static void report_moved(struct ike_sa *sa, const struct endpoint *old)
{
	char from[ENDPOINT_STRLEN], to[ENDPOINT_STRLEN];

	if (endpoint_eq(old, &sa->local))
		return;
	report_log(sa->engine, sa, NULL, LOG_IKE, 0, "we have moved from %s to %s",
		   endpoint_format(old, from, sizeof(from)),
		   endpoint_format(&sa->local, to, sizeof(to)));
	report_event(sa->engine, sa, NULL, EVENT_LOCAL_MOVED, 0, 0, "%s -> %s", from, to);
}

static void set_path(struct ike_sa *sa, const struct ike_path *path)
{
	struct endpoint old = sa->local;

	sa->local = path->local;
	sa->remote = path->remote;
	sa->mobike.stale = false;
	sa->mobike.probing = false;
	sa->mobike.moves++;
	report_moved(sa, &old);
}

/* RFC 4555 §3.5, the initiator. */
static void update(struct ike_sa *sa, const struct ike_path *path, uint64_t now)
{
	set_path(sa, path);
	if (ip_addr_eq(&sa->remote.addr, &sa->mobike.confirmed.remote.addr))
		child_install_all_moved(sa);
	task_queue_mobike(sa, TASK_MOBIKE_UPDATE);
	exchange_resend(sa, now);
	task_run_next(sa, now);
}

/* RFC 4555 §3.5 and §3.6, the responder: its address is gone, so it may go on from another, and
 * the initiator draws its conclusions from where the list comes from. Without MOBIKE: a peer that
 * sees us behind a NAT follows what we send (RFC 7296 §2.23). */
static void go_on_from(struct ike_sa *sa, const struct ike_path *path, uint64_t now)
{
	set_path(sa, path);
	child_install_all_moved(sa);
	exchange_resend(sa, now);
	if (sa->mobike.on)
		task_queue_mobike(sa, TASK_MOBIKE_ADDRESSES);
	else if (sa->state == IKE_ESTABLISHED && sa->request.kind == REQUEST_NONE)
		task_liveness(sa, now);
	task_run_next(sa, now);
}

/* The peer has no way to follow. What it still has there is deleted, as far as that can be told. */
static void make_again(struct ike_sa *sa, const struct ike_path *path, uint64_t now)
{
	set_path(sa, path);
	if (sa->established) {
		task_free(sa->request.kind == REQUEST_NONE ? NULL : exchange_take_request(sa));
		if (!task_queue_ike_delete(sa))
			task_run_next(sa, now);
	}
	ike_sa_destroy(sa, CAUSE_MOVED, 0, "our address has changed and the peer cannot follow");
}

/* The way is as before. */
static void stay(struct ike_sa *sa, uint64_t now)
{
	if (sa->mobike.stale) {
		sa->mobike.stale = false;
		report_log(sa->engine, sa, NULL, LOG_IKE, 1, "the peer can be reached again");
		exchange_resend(sa, now);
	}
	if (!sa->mobike.on || sa->state != IKE_ESTABLISHED || !mobike_has_news(sa))
		return;
	task_queue_mobike(sa, TASK_MOBIKE_ADDRESSES);
	task_run_next(sa, now);
}

static void wait_for_route(struct ike_sa *sa)
{
	char to[IP_ADDR_STRLEN];

	report_log(sa->engine, sa, NULL, LOG_IKE, 1, "no route to %s%s",
		   ip_addr_format(&sa->remote.addr, to, sizeof(to)),
		   sa->mobike.on ? ", the address update waits" : "");
	sa->mobike.stale = sa->mobike.on;
}

/* True if the addresses of this SA are not ours to change. */
static bool is_fixed(const struct ike_sa *sa)
{
	const struct ike_conn *conn = sa->conn;
	size_t i;

	if (!conn || sa->unborn || sa->state == IKE_DESTROYING || sa->state == IKE_CREATED ||
	    (sa->state == IKE_CONNECTING && !sa->initiator))
		return true;
	for (i = 0; i < conn->n_local_addrs && !sa->mobike.on; i++)
		if (ip_addr_eq(&conn->local_addrs[i].lo, &sa->local.addr) &&
		    ip_addr_eq(&conn->local_addrs[i].hi, &sa->local.addr))
			return true;
	return false;
}

static void move(struct ike_sa *sa, const struct ike_path *path, uint64_t now)
{
	if (sa->mobike.on && sa->mobike.decides)
		update(sa, path, now);
	else if (!sa->mobike.on && sa->initiator && (!sa->established || !sa->nat_local))
		make_again(sa, path, now);
	else
		go_on_from(sa, path, now);
}

bool roam_run(struct ike_sa *sa, uint64_t now)
{
	struct ike_path paths[PATHS_MAX], current = {sa->local, sa->remote};

	sa->roam_at = DEADLINE_NEVER;
	if (!sa->engine->env.source_for || is_fixed(sa))
		return true;
	if (!list_paths(sa, paths))
		wait_for_route(sa);
	else if (same_path(&paths[0], &current) || keeps_address(sa))
		stay(sa, now);
	else
		move(sa, &paths[0], now);
	return sa->by_spi.object != NULL;
}

/* The path after the one in use, round and round; false: there is no other. */
static bool next_path(const struct ike_sa *sa, struct ike_path *ret_path)
{
	const struct mobike *m = &sa->mobike;
	struct ike_path v[PATHS_MAX];
	size_t i, n = 0;

	add_path(sa, &m->confirmed.remote.addr, v, &n);
	for (i = 0; i < m->peer.n; i++)
		add_path(sa, &m->peer.v[i], v, &n);
	add_path(sa, &sa->remote.addr, v, &n);
	for (i = 0; i < n; i++)
		if (ip_addr_eq(&v[i].remote.addr, &sa->remote.addr))
			break;
	if (n < 2)
		return false;
	*ret_path = v[(i + 1) % n];
	return true;
}

void roam_before_retransmission(struct ike_sa *sa)
{
	struct ike_path path;
	char to[ENDPOINT_STRLEN];

	if (!sa->mobike.on || !sa->mobike.decides || sa->request.tries < PATH_SUSPECT_TRIES ||
	    !next_path(sa, &path))
		return;
	sa->local = path.local;
	sa->remote = path.remote;
	sa->mobike.moves++;
	sa->mobike.probing = true;
	report_log(sa->engine, sa, NULL, LOG_IKE, 1, "no answer, trying the peer's address %s",
		   endpoint_format(&path.remote, to, sizeof(to)));
}

void roam_heard(struct ike_sa *sa)
{
	if (!sa->mobike.probing)
		return;
	sa->local = sa->heard.local;
	sa->remote = sa->heard.remote;
	sa->mobike.probing = false;
	task_queue_mobike(sa, TASK_MOBIKE_UPDATE);
}

void roam_refused(struct ike_sa *sa, uint64_t now)
{
	struct ike_path back;

	if (!path_to(sa, &sa->mobike.confirmed.remote.addr, &back) ||
	    !ip_addr_eq(&back.local.addr, &sa->mobike.confirmed.local.addr))
		return;
	set_path(sa, &sa->mobike.confirmed);
	child_install_all_moved(sa);
	exchange_resend(sa, now);
}

static bool is_told(const struct ike_sa *sa, const struct ip_addr *addr)
{
	size_t i;

	for (i = 0; i < sa->mobike.peer.n; i++)
		if (ip_addr_eq(&sa->mobike.peer.v[i], addr))
			return true;
	return false;
}

void roam_peer_addresses(struct ike_sa *sa, uint64_t now)
{
	struct ike_path path;

	if (ip_addr_eq(&sa->remote.addr, &sa->heard.remote.addr) || is_told(sa, &sa->remote.addr) ||
	    !path_to(sa, &sa->heard.remote.addr, &path))
		return;
	path.remote = sa->heard.remote;
	update(sa, &path, now);
}
