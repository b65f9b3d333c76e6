/* mobike.c - MOBIKE's messages, both roles (RFC 4555).
 *
 *     original initiator                                        original responder
 *     IKE_AUTH  ... N(MOBIKE_SUPPORTED) N(ADDITIONAL_*)      ->
 *                  <-  ... N(MOBIKE_SUPPORTED) N(ADDITIONAL_*)
 *     its address changes:
 *     N(UPDATE_SA_ADDRESSES) N(NATD) N(NATD) N(COOKIE2)      ->  the IKE SA moves
 *     the Child SAs are moved          <-  N(NATD) N(NATD) N(COOKIE2)
 *                                      <-  N(COOKIE2)            can you hear me there? (§3.7)
 *     N(COOKIE2)                                             ->  the Child SAs are moved
 *
 * The invariant: nothing changes but by an authenticated message, and no Child SA of a responder
 * goes to an address before that address has answered. What an answer says counts only if the
 * addresses have not changed since its request was made (`moves`).
 *
 * The initiator's own Child SAs leave from a new address at once (roam.c): the responder's address
 * is known to be good. NO_NATS_ALLOWED is said only to a peer that does not detect NATs (§3.9).
 * §3.11's five minutes of patience are the configuration's to give. */
#include "vpn/ike/mobike.h"

#include <string.h>

#include "vpn/base/secret.h"
#include "vpn/ike/child_install.h"
#include "vpn/ike/exchange.h"
#include "vpn/ike/natd.h"
#include "vpn/ike/report.h"
#include "vpn/ike/roam.h"
#include "vpn/ike/task.h"

#define COOKIE2_MIN 8 /* RFC 4555 §4.2.5 */
#define COOKIE2_MAX 64

/* --- lists of addresses (§3.4, §3.6) --- */

static bool covers(const struct ts_list *list, const struct ip_addr *addr)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (!list->v[i].dynamic && list->v[i].lo.family == addr->family &&
		    ip_addr_cmp(&list->v[i].lo, addr) <= 0 &&
		    ip_addr_cmp(addr, &list->v[i].hi) <= 0)
			return true;
	return false;
}

/* True if it is an address inside the tunnel: selectors cover it, and not the one that we use
 * outside. */
static bool is_inner(const struct ike_sa *sa, const struct ip_addr *addr)
{
	size_t i;

	for (i = 0; i < sa->conn->n_children; i++) {
		const struct ts_list *list = &sa->conn->children[i].local_ts;

		if (covers(list, addr) && !covers(list, &sa->local.addr))
			return true;
	}
	return false;
}

static void own_addresses(const struct ike_sa *sa, struct addresses *ret_list)
{
	const struct ike_env *env = &sa->engine->env;
	struct ip_addr addr;
	size_t i;

	*ret_list = (struct addresses){.n = 0};
	for (i = 0; env->local_addr && ret_list->n < LIMIT_ADDRESSES; i++) {
		if (!env->local_addr(env->ctx, i, &addr))
			break;
		if (!ip_addr_eq(&addr, &sa->local.addr) && !is_inner(sa, &addr))
			ret_list->v[ret_list->n++] = addr;
	}
}

bool mobike_has_news(const struct ike_sa *sa)
{
	struct addresses now;
	size_t i;

	own_addresses(sa, &now);
	if (now.n != sa->mobike.told.n)
		return true;
	for (i = 0; i < now.n; i++)
		if (!ip_addr_eq(&now.v[i], &sa->mobike.told.v[i]))
			return true;
	return false;
}

static void encode_addresses(struct ike_sa *sa, struct ike_builder *b)
{
	struct addresses *told = &sa->mobike.told;
	size_t i;

	own_addresses(sa, told);
	for (i = 0; i < told->n; i++) {
		const struct ip_addr *a = &told->v[i];

		payload_notify_simple(
		    b, a->family == 6 ? N_ADDITIONAL_IP6_ADDRESS : N_ADDITIONAL_IP4_ADDRESS,
		    (struct view){a->b, ip_addr_len(a)});
	}
}

static bool read_address(const struct payload_notify *n, struct ip_addr *ret_addr)
{
	if (n->type == N_ADDITIONAL_IP4_ADDRESS && n->data.len == 4)
		*ret_addr = ip_addr_from_v4(n->data.p);
	else if (n->type == N_ADDITIONAL_IP6_ADDRESS && n->data.len == 16)
		*ret_addr = ip_addr_from_v6(n->data.p);
	else
		return false;
	return true;
}

/* The complete list each time (§3.6). False: the message has none. */
static bool read_addresses(const struct ike_payloads *p, struct addresses *ret_list)
{
	struct addresses list = {.n = 0};
	struct payload_notify n;
	bool said = false;
	size_t i;

	for (i = 0; i < p->n; i++) {
		if (p->v[i].type != PAYLOAD_NOTIFY || payload_notify_decode(p->v[i].body, &n))
			continue;
		said = said || n.type == N_NO_ADDITIONAL_ADDRESSES;
		if (list.n < LIMIT_ADDRESSES && read_address(&n, &list.v[list.n])) {
			list.n++;
			said = true;
		}
	}
	if (said)
		*ret_list = list;
	return said;
}

/* --- NAT prohibition (§3.9, §4.2.6) --- */

static void no_nats(const struct ike_path *path, struct writer *w)
{
	const struct ip_addr *src = &path->local.addr, *dst = &path->remote.addr;

	wr_bytes(w, src->b, ip_addr_len(src));
	wr_bytes(w, dst->b, ip_addr_len(dst));
	wr_u16(w, path->local.port);
	wr_u16(w, path->remote.port);
}

static void encode_no_nats(const struct ike_sa *sa, struct ike_builder *b)
{
	struct ike_path path = {sa->local, sa->remote};
	uint8_t buf[36];
	struct writer w = wr_init(buf, sizeof(buf));

	if (sa->natt)
		return;
	no_nats(&path, &w);
	payload_notify_simple(b, N_NO_NATS_ALLOWED, (struct view){buf, w.len});
}

bool mobike_meets_nat(const struct ike_sa *sa, const struct ike_payloads *p)
{
	struct ike_path seen = {sa->heard.remote, sa->heard.local}; /* as its sender saw it */
	struct payload_notify n;
	uint8_t buf[36];
	struct writer w = wr_init(buf, sizeof(buf));

	if (!payloads_find_notify(p, N_NO_NATS_ALLOWED, &n))
		return false;
	no_nats(&seen, &w);
	return n.data.len != w.len || memcmp(n.data.p, buf, w.len) != 0;
}

/* --- IKE_AUTH (§3.2, §3.4) --- */

void mobike_encode_auth(struct ike_sa *sa, struct ike_builder *b)
{
	if (sa->initiator ? !sa->conn->mobike : !sa->mobike.on)
		return;
	payload_notify_simple(b, N_MOBIKE_SUPPORTED, (struct view){0});
	encode_addresses(sa, b);
	if (sa->initiator)
		encode_no_nats(sa, b);
}

void mobike_read_auth(struct ike_sa *sa, const struct ike_payloads *p)
{
	struct payload_notify n;

	sa->mobike.decides = sa->initiator;
	sa->mobike.confirmed = (struct ike_path){sa->local, sa->remote};
	if (!sa->conn->mobike || !payloads_find_notify(p, N_MOBIKE_SUPPORTED, &n))
		return;
	sa->mobike.on = true;
	read_addresses(p, &sa->mobike.peer);
	report_log(sa->engine, sa, NULL, LOG_IKE, 1,
		   "peer supports MOBIKE and has %zu additional addresses", sa->mobike.peer.n);
}

void mobike_inherit(const struct ike_sa *old, struct ike_sa *next)
{
	next->local = old->local;
	next->remote = old->remote;
	next->heard = old->heard;
	next->natt = old->natt;
	next->nat_local = old->nat_local;
	next->nat_remote = old->nat_remote;
	next->nat_fake = old->nat_fake;
	next->mobike = old->mobike;
	next->roam_at = old->roam_at;
}

/* --- NAT detection (§3.8) --- */

static void encode_natd(const struct ike_sa *sa, const struct ike_path *path, struct ike_builder *b)
{
	if (sa->natt)
		natd_encode(b, sa->spi_i, sa->spi_r, &path->local, &path->remote, sa->nat_fake);
}

static bool has_natd(const struct ike_payloads *p)
{
	struct payload_notify n;

	return payloads_find_notify(p, N_NAT_DETECTION_SOURCE_IP, &n) &&
	       payloads_find_notify(p, N_NAT_DETECTION_DESTINATION_IP, &n);
}

/* NAT or no NAT on the path of this message, if it says so. */
static void apply_natd(struct ike_sa *sa, const struct ike_payloads *p)
{
	struct natd_result natd;

	if (!sa->natt || !has_natd(p))
		return;
	natd = natd_check(p, sa->spi_i, sa->spi_r, &sa->heard.local, &sa->heard.remote);
	if (natd.nat_local != sa->nat_local || natd.nat_remote != sa->nat_remote)
		report_log(sa->engine, sa, NULL, LOG_IKE, 1,
			   "NAT on the new path: %s here, %s at the peer",
			   natd.nat_local ? "yes" : "no", natd.nat_remote ? "yes" : "no");
	sa->nat_local = natd.nat_local;
	sa->nat_remote = natd.nat_remote;
}

/* True if the peer sees us elsewhere than before. */
static bool note_seen(struct ike_sa *sa, const struct ike_payloads *p)
{
	struct mobike *m = &sa->mobike;
	struct payload_notify n;
	bool same;

	if (!payloads_find_notify(p, N_NAT_DETECTION_DESTINATION_IP, &n) ||
	    n.data.len != sizeof(m->seen_as))
		return false;
	same = m->is_seen && memcmp(m->seen_as, n.data.p, sizeof(m->seen_as)) == 0;
	memcpy(m->seen_as, n.data.p, sizeof(m->seen_as));
	m->is_seen = true;
	return !same;
}

void mobike_encode_liveness(const struct ike_sa *sa, struct ike_builder *b)
{
	struct ike_path path = {sa->local, sa->remote};

	if (sa->mobike.on && sa->mobike.decides && sa->nat_local)
		encode_natd(sa, &path, b);
}

void mobike_liveness_response(struct ike_sa *sa, const struct ike_payloads *p, uint64_t now)
{
	if (!sa->mobike.on || !sa->mobike.decides || !note_seen(sa, p))
		return;
	report_log(sa->engine, sa, NULL, LOG_IKE, 1,
		   "the NAT mapping may have changed, telling the peer");
	task_queue_mobike(sa, TASK_MOBIKE_UPDATE);
	task_run_next(sa, now);
}

/* --- our requests --- */

static void encode_cookie2(const struct task *task, struct ike_builder *b)
{
	payload_notify_simple(b, N_COOKIE2, (struct view){task->cookie2, sizeof(task->cookie2)});
}

static void encode_list(struct ike_sa *sa, struct ike_builder *b)
{
	encode_addresses(sa, b);
	if (!sa->mobike.told.n)
		payload_notify_simple(b, N_NO_ADDITIONAL_ADDRESSES, (struct view){0});
	encode_no_nats(sa, b);
}

static void encode_update(struct ike_sa *sa, struct ike_builder *b)
{
	struct ike_path path = {sa->local, sa->remote};

	payload_notify_simple(b, N_UPDATE_SA_ADDRESSES, (struct view){0});
	encode_natd(sa, &path, b);
	encode_list(sa, b);
}

int mobike_begin(struct ike_sa *sa, struct task *task, uint64_t now)
{
	struct ike_env *env = &sa->engine->env;
	uint8_t buf[1024];
	struct ike_builder b = ike_builder_chain(buf, sizeof(buf));

	if (env->random(env->ctx, task->cookie2, sizeof(task->cookie2)))
		return ERR_CRYPTO;
	task->moves = sa->mobike.moves;
	if (task->type == TASK_MOBIKE_UPDATE)
		encode_update(sa, &b);
	else if (task->type == TASK_MOBIKE_ADDRESSES)
		encode_list(sa, &b);
	encode_cookie2(task, &b);
	return exchange_send_request(sa, INFORMATIONAL, &b, REQUEST_TASK, task, now);
}

/* --- their answers --- */

/* The Child SAs go where the IKE SA is, and the peer knows of it. */
static void confirm(struct ike_sa *sa)
{
	struct ike_path path = {sa->local, sa->remote};
	char from[ENDPOINT_STRLEN], to[ENDPOINT_STRLEN];

	sa->mobike.confirmed = path;
	child_install_all_moved(sa);
	endpoint_format(&sa->local, from, sizeof(from));
	endpoint_format(&sa->remote, to, sizeof(to));
	report_log(sa->engine, sa, NULL, LOG_IKE, 0, "IKE_SA %s[%u] uses %s...%s now",
		   sa->conn->name, sa->id, from, to);
	report_event(sa->engine, sa, NULL, EVENT_PATH_CONFIRMED, 0, sa->mobike.moves, "%s...%s, %s",
		     from, to, ike_sa_encap(sa) ? "UDP encapsulation" : "native ESP");
}

/* §3.9: an attacker who alters one packet must not make a path unusable. */
static void try_update_again(struct ike_sa *sa, unsigned tries)
{
	struct task *task;

	if (tries >= LIMIT_UPDATE_RETRIES) {
		report_log(sa->engine, sa, NULL, LOG_IKE, 0,
			   "the peer forbids NATs and there is one: the addresses stay");
		return;
	}
	task = task_queue_mobike(sa, TASK_MOBIKE_UPDATE);
	if (task)
		task->tries = tries + 1;
}

static void take_update_answer(struct ike_sa *sa, const struct task *task,
			       const struct ike_payloads *p, uint64_t now)
{
	struct payload_notify n;

	if (payloads_find_notify(p, N_UNEXPECTED_NAT_DETECTED, &n)) {
		try_update_again(sa, task->tries);
	} else if (payloads_find_notify(p, N_UNACCEPTABLE_ADDRESSES, &n)) {
		report_log(sa->engine, sa, NULL, LOG_IKE, 0, "the peer does not accept %s",
			   "our new addresses (UNACCEPTABLE_ADDRESSES)");
		roam_refused(sa, now);
	} else {
		apply_natd(sa, p);
		note_seen(sa, p);
		confirm(sa);
	}
}

/* §3.7: the same octets, or the peer has not seen the request. An error may come without. */
static bool shows_cookie2(const struct task *task, const struct ike_payloads *p)
{
	struct payload_notify n;

	if (!payloads_find_notify(p, N_COOKIE2, &n))
		return payloads_find_notify(p, N_UNACCEPTABLE_ADDRESSES, &n) ||
		       payloads_find_notify(p, N_UNEXPECTED_NAT_DETECTED, &n);
	return n.data.len == sizeof(task->cookie2) &&
	       secret_eq(n.data.p, task->cookie2, sizeof(task->cookie2));
}

void mobike_response(struct ike_sa *sa, struct task *task, const struct ike_payloads *p,
		     uint64_t now)
{
	if (!shows_cookie2(task, p)) {
		ike_sa_destroy(sa, CAUSE_ERROR, N_COOKIE2,
			       "the peer's answer does not show our COOKIE2");
		return;
	}
	if (task->moves != sa->mobike.moves) {
		/* §3.5: another update follows; §3.7: which address has answered is not known. */
		if (task->type == TASK_MOBIKE_CHECK)
			task_queue_mobike(sa, TASK_MOBIKE_CHECK);
		return;
	}
	if (task->type == TASK_MOBIKE_UPDATE)
		take_update_answer(sa, task, p, now);
	else if (task->type == TASK_MOBIKE_CHECK)
		confirm(sa);
}

/* --- the peer's requests --- */

static void copy_cookie2(const struct ike_payloads *p, struct ike_builder *reply)
{
	struct payload_notify n;

	if (payloads_find_notify(p, N_COOKIE2, &n) && n.data.len >= COOKIE2_MIN &&
	    n.data.len <= COOKIE2_MAX)
		payload_notify_simple(reply, N_COOKIE2, n.data);
}

/* §3.5: local policy is what the connection says of its peer's address. */
static bool is_acceptable(const struct ike_sa *sa)
{
	const struct ike_conn *conn = sa->conn;
	size_t i;

	for (i = 0; i < conn->n_remote_addrs; i++)
		if (host_spec_matches(&conn->remote_addrs[i], &sa->heard.remote.addr))
			return true;
	return !conn->n_remote_addrs;
}

/* §3.5, the responder: the IKE SA moves at once, the Child SAs after a new address has answered.
 * What was on its way to the old address is sent again. */
static void follow_update(struct ike_sa *sa, const struct ike_payloads *p, uint64_t now)
{
	bool known = ip_addr_eq(&sa->mobike.confirmed.remote.addr, &sa->heard.remote.addr);
	struct endpoint old = sa->remote;

	sa->local = sa->heard.local;
	sa->remote = sa->heard.remote;
	sa->mobike.moves++;
	apply_natd(sa, p);
	if (!endpoint_eq(&old, &sa->remote))
		report_moved_peer(sa, &old);
	exchange_resend(sa, now);
	if (known)
		confirm(sa);
	else
		task_queue_mobike(sa, TASK_MOBIKE_CHECK);
}

void mobike_request(struct ike_sa *sa, const struct ike_payloads *p, struct ike_builder *reply,
		    uint64_t now)
{
	struct ike_path back = {sa->heard.local, sa->heard.remote};
	struct addresses list;
	struct payload_notify n;
	bool update, lists;

	if (!sa->mobike.on)
		return;
	copy_cookie2(p, reply);
	lists = read_addresses(p, &list);
	update = payloads_find_notify(p, N_UPDATE_SA_ADDRESSES, &n) && !sa->mobike.decides;
	if ((lists || update) && mobike_meets_nat(sa, p)) {
		payload_notify_simple(reply, N_UNEXPECTED_NAT_DETECTED, (struct view){0});
		return;
	}
	if (update && !is_acceptable(sa)) {
		payload_notify_simple(reply, N_UNACCEPTABLE_ADDRESSES, (struct view){0});
		return;
	}
	if (has_natd(p))
		encode_natd(sa, &back, reply);
	if (lists)
		sa->mobike.peer = list;
	if (update)
		follow_update(sa, p, now);
	else if (lists && sa->mobike.decides)
		roam_peer_addresses(sa, now);
}
