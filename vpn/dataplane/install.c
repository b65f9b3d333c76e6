/* install.c - devices, SAs and traps: the control plane's commands.
 *
 * What may fail or take long (ciphers, devices, netlink) is done here, in the control thread; the
 * data-plane thread only links and unlinks what is ready (call_run). A command that fails undoes
 * its own steps. An SA is unlinked in the data-plane thread before it is freed here, so no packet
 * can still meet it. */
#include "vpn/dataplane/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TUN_MTU_MAX 1500

/* --- marks --- */

static struct mark_rule mark_rule_of(const struct dp_sa *sa)
{
	const struct ipsec_sa *d = &sa->esp->desc;

	return (struct mark_rule){.ifname = sa->tun->name,
				  .local_ts = &d->local_ts,
				  .remote_ts = &d->remote_ts,
				  .value = d->mark,
				  .mask = d->mark_mask};
}

/* An SA whose packets cannot be marked is used all the same; the caller says so. */
static void mark_inbound(struct dataplane *dp, struct dp_sa *sa, struct err_msg *msg)
{
	struct mark_rule rule = mark_rule_of(sa);

	sa->marks = marker_add(dp->marker, &rule, msg) == 0;
}

static void unmark(struct dataplane *dp, struct dp_sa *sa)
{
	struct mark_rule rule;

	if (!sa->marks)
		return;
	rule = mark_rule_of(sa);
	marker_del(dp->marker, &rule);
}

/* The mark that the sockets carry keeps outer packets out of our own routes; where an SA's mark
 * takes its place, a rule for that mark does. */
static int mark_outbound(struct dataplane *dp, struct dp_sa *sa, struct err_msg *msg)
{
	const struct ipsec_sa *d = &sa->esp->desc;
	uint32_t mark = (dp->cfg.fwmark & ~d->mark_mask) | (d->mark & d->mark_mask);
	int err;

	if (mark == dp->cfg.fwmark || !mark)
		return 0;
	err = router_pass_add(dp->router, mark, msg);
	if (err)
		return err;
	sa->mark = mark;
	sa->passes = true;
	return 0;
}

void install_free_sa(struct dataplane *dp, struct dp_sa *sa)
{
	if (sa->routed)
		router_del(dp->router, &sa->esp->desc.remote_ts);
	if (sa->passes)
		router_pass_del(dp->router, sa->mark);
	unmark(dp, sa);
	list_remove(&sa->node);
	esp_sa_free(sa->esp);
	free(sa);
}

void install_free_trap(struct dataplane *dp, struct dp_trap *trap)
{
	if (trap->routed)
		router_del(dp->router, &trap->remote_ts);
	list_remove(&trap->node);
	ts_list_free(&trap->local_ts);
	ts_list_free(&trap->remote_ts);
	free(trap);
}

/* --- devices --- */

static struct dp_tun *find_tun(struct dataplane *dp, uint32_t if_id)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &dp->tuns) {
		struct dp_tun *tun = list_entry(pos, struct dp_tun, node);

		if (tun->if_id == if_id)
			return tun;
	}
	return NULL;
}

static void watch_tun(struct dataplane *dp, void *arg)
{
	thread_watch_tun(dp, (struct dp_tun *)arg);
}

static int make_tun(struct dataplane *dp, uint32_t if_id, struct dp_tun **ret_tun,
		    struct err_msg *msg)
{
	struct dp_tun *tun = calloc(1, sizeof(*tun));
	char name[DP_IFNAME_MAX + 12];
	int err;

	if (!tun)
		return err_set(msg, ERR_NOMEM, "out of memory");
	if (if_id)
		snprintf(name, sizeof(name), "%s%u", dp->cfg.if_id_prefix, if_id);
	else
		snprintf(name, sizeof(name), "%s", dp->cfg.tun_name);
	if (strlen(name) >= DP_IFNAME_MAX)
		err = err_set(msg, ERR_INVALID, "interface name %s is too long", name);
	else
		err = tun_open(name, dp->cfg.offload, tun, msg);
	if (err) {
		free(tun);
		return err;
	}
	tun->if_id = if_id;
	tun->mtu = !tun->made ? 0 : dp->cfg.tun_mtu ? dp->cfg.tun_mtu : TUN_MTU_MAX;
	err = router_link_up(dp->router, tun->ifindex, tun->mtu, msg);
	if (err) {
		tun_close(tun);
		free(tun);
		return err;
	}
	*ret_tun = tun;
	return 0;
}

static int need_tun(struct dataplane *dp, uint32_t if_id, struct dp_tun **ret_tun,
		    struct err_msg *msg)
{
	struct dp_tun *tun = find_tun(dp, if_id);
	int err;

	if (!tun) {
		err = make_tun(dp, if_id, &tun, msg);
		if (err)
			return err;
		list_append(&dp->tuns, &tun->node);
		call_run(dp, watch_tun, tun);
	}
	*ret_tun = tun;
	return 0;
}

int dp_interface_add(struct dataplane *dp, uint32_t if_id, struct err_msg *msg)
{
	struct dp_tun *tun;

	return need_tun(dp, if_id, &tun, msg);
}

/* A device of ours, unless its MTU was configured, gets the smallest that an SA on it carries: then
 * the kernel itself tells the senders, by the book and with an address of its own. What shrinks
 * later (path MTU discovery outside) is told by our ICMP. Below 1280 a device would lose IPv6. */
static void fit_device(struct dataplane *dp, struct dp_tun *tun, const struct esp_sa *esp)
{
	uint8_t family = ts_family(&esp->desc.local_ts.v[0]);
	size_t mtu = esp_inner_mtu(esp, family);

	if (!tun->made || dp->cfg.tun_mtu || mtu >= tun->mtu)
		return;
	if (mtu < IPV6_MIN_MTU)
		mtu = IPV6_MIN_MTU;
	tun->mtu = (uint32_t)mtu;
	router_link_up(dp->router, tun->ifindex, tun->mtu, NULL);
}

/* --- SAs --- */

struct link_args {
	struct dp_sa *sa;
	int err;
};

static void link_sa(struct dataplane *dp, void *arg)
{
	struct link_args *a = (struct link_args *)arg;
	struct esp_sa *esp = a->sa->esp;
	struct spd_entry e = {.if_id = esp->desc.if_id,
			      .reqid = esp->desc.reqid,
			      .local_ts = &esp->desc.local_ts,
			      .remote_ts = &esp->desc.remote_ts,
			      .sa = esp,
			      .user = a->sa};

	a->err = esp->desc.inbound ? sad_add(dp->sad, esp) : spd_add(dp->spd, &e);
	if (!a->err && !esp->desc.inbound)
		outbound_release(dp);
}

static void unlink_sa(struct dataplane *dp, void *arg)
{
	struct dp_sa *sa = (struct dp_sa *)arg;

	if (sa->esp->desc.inbound)
		sad_remove(dp->sad, sa->esp);
	else
		spd_remove(dp->spd, sa->esp, 0);
}

static struct dp_sa *find_sa(struct dataplane *dp, const struct dp_sa_ref *ref)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &dp->sas) {
		struct dp_sa *sa = list_entry(pos, struct dp_sa, node);
		const struct ipsec_sa *d = &sa->esp->desc;

		if (d->spi == ref->spi && d->inbound == ref->inbound &&
		    (d->inbound || d->child_id == ref->child_id))
			return sa;
	}
	return NULL;
}

static int check_sa(const struct ipsec_sa *sa, struct err_msg *msg)
{
	if (!sa->local_ts.n || !sa->remote_ts.n)
		return err_set(msg, ERR_INVALID, "SA %08x has no traffic selectors", sa->spi);
	if (!ip_addr_is_set(&sa->remote.addr))
		return err_set(msg, ERR_INVALID, "SA %08x has no remote address", sa->spi);
	return 0;
}

static int make_sa(const struct ipsec_sa *desc, struct dp_sa **ret_sa, struct err_msg *msg)
{
	struct dp_sa *sa;
	int err = check_sa(desc, msg);

	if (err)
		return err;
	sa = calloc(1, sizeof(*sa));
	if (!sa)
		return err_set(msg, ERR_NOMEM, "out of memory");
	err = esp_sa_new(desc, &sa->esp);
	if (err) {
		free(sa);
		return err_set(msg, err, "SA %08x: %s", desc->spi, err_text(err));
	}
	sa->esp->user = sa;
	list_init(&sa->node);
	*ret_sa = sa;
	return 0;
}

/* The path MTU as the route has it now; the data-plane thread looks again from time to time. */
static void first_mtu(struct dataplane *dp, struct dp_sa *sa)
{
	struct route_answer route = {.mtu = TUN_MTU_MAX};

	sock_route_query(&sa->esp->desc.remote.addr, sa->mark ? sa->mark : dp->cfg.fwmark, &route);
	sa->esp->path_mtu = route.mtu < UINT16_MAX ? route.mtu : UINT16_MAX;
}

static int install(struct dataplane *dp, struct dp_sa *sa, struct err_msg *msg)
{
	const struct ipsec_sa *d = &sa->esp->desc;
	struct link_args args = {.sa = sa};
	int err;

	err = need_tun(dp, d->if_id, &sa->tun, msg);
	if (err)
		return err;
	if (d->mark_mask && !d->inbound)
		err = mark_outbound(dp, sa, msg);
	if (err)
		return err;
	first_mtu(dp, sa);
	if (!d->inbound && d->if_id == 0) {
		err = router_add(dp->router, &d->local_ts, &d->remote_ts, sa->tun->ifindex, msg);
		if (err)
			return err;
		sa->routed = true;
	}
	if (!d->inbound)
		fit_device(dp, sa->tun, sa->esp);
	call_run(dp, link_sa, &args);
	if (args.err)
		return err_set(msg, args.err, "SA %08x: %s", d->spi, err_text(args.err));
	list_append(&dp->sas, &sa->node);
	if (d->mark_mask && d->inbound)
		mark_inbound(dp, sa, msg);
	return 0;
}

int dp_install(struct dataplane *dp, const struct ipsec_sa *desc, struct err_msg *msg)
{
	struct dp_sa *sa = NULL;
	int err;

	if (msg)
		msg->text[0] = '\0';
	err = make_sa(desc, &sa, msg);
	if (err)
		return err;
	err = install(dp, sa, msg);
	if (err)
		install_free_sa(dp, sa);
	return err;
}

int dp_remove(struct dataplane *dp, const struct dp_sa_ref *ref)
{
	struct dp_sa *sa = find_sa(dp, ref);

	if (!sa)
		return ERR_NOT_FOUND;
	call_run(dp, unlink_sa, sa);
	install_free_sa(dp, sa);
	return 0;
}

struct update_args {
	struct dp_sa *sa;
	const struct endpoint *local, *remote;
	bool encap;
};

static void update_sa(struct dataplane *dp, void *arg)
{
	struct update_args *a = (struct update_args *)arg;
	struct ipsec_sa *d = &a->sa->esp->desc;

	d->local = *a->local;
	d->remote = *a->remote;
	d->encap = a->encap;
	a->sa->moved_to = (struct endpoint){0};
	if (!d->inbound)
		outbound_learn_mtu(dp, a->sa);
}

int dp_update(struct dataplane *dp, const struct dp_sa_ref *ref, const struct endpoint *local,
	      const struct endpoint *remote, bool encap)
{
	struct update_args args = {find_sa(dp, ref), local, remote, encap};

	if (!args.sa)
		return ERR_NOT_FOUND;
	call_run(dp, update_sa, &args);
	return 0;
}

struct query_args {
	const struct dp_sa *sa;
	struct ipsec_sa_stats stats;
};

static void query_sa(struct dataplane *dp, void *arg)
{
	struct query_args *a = (struct query_args *)arg;

	(void)dp;
	a->stats = a->sa->esp->stats;
}

int dp_query(struct dataplane *dp, const struct dp_sa_ref *ref, struct ipsec_sa_stats *ret_stats)
{
	struct query_args args = {.sa = find_sa(dp, ref)};

	if (!args.sa)
		return ERR_NOT_FOUND;
	call_run(dp, query_sa, &args);
	*ret_stats = args.stats;
	return 0;
}

/* --- traps --- */

struct trap_args {
	struct dp_trap *trap;
	int err;
};

static void link_trap(struct dataplane *dp, void *arg)
{
	struct trap_args *a = (struct trap_args *)arg;
	struct spd_entry e = {.if_id = a->trap->if_id,
			      .reqid = a->trap->reqid,
			      .local_ts = &a->trap->local_ts,
			      .remote_ts = &a->trap->remote_ts,
			      .user = a->trap};

	a->err = spd_add(dp->spd, &e);
}

static void unlink_trap(struct dataplane *dp, void *arg)
{
	spd_remove(dp->spd, NULL, ((struct dp_trap *)arg)->reqid);
}

static struct dp_trap *find_trap(struct dataplane *dp, uint32_t reqid)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &dp->traps) {
		struct dp_trap *trap = list_entry(pos, struct dp_trap, node);

		if (trap->reqid == reqid)
			return trap;
	}
	return NULL;
}

static int install_trap(struct dataplane *dp, struct dp_trap *trap, struct err_msg *msg)
{
	struct trap_args args = {.trap = trap};
	struct dp_tun *tun;
	int err;

	err = need_tun(dp, trap->if_id, &tun, msg);
	if (err)
		return err;
	if (trap->if_id == 0) {
		err = router_add(dp->router, &trap->local_ts, &trap->remote_ts, tun->ifindex, msg);
		if (err)
			return err;
		trap->routed = true;
	}
	call_run(dp, link_trap, &args);
	if (args.err)
		return err_set(msg, args.err, "trap %u: %s", trap->reqid, err_text(args.err));
	list_append(&dp->traps, &trap->node);
	return 0;
}

int dp_trap_add(struct dataplane *dp, uint32_t reqid, uint32_t if_id,
		const struct ts_list *local_ts, const struct ts_list *remote_ts,
		struct err_msg *msg)
{
	struct dp_trap *trap;
	int err;

	if (find_trap(dp, reqid))
		return err_set(msg, ERR_EXISTS, "trap %u exists already", reqid);
	trap = calloc(1, sizeof(*trap));
	if (!trap)
		return err_set(msg, ERR_NOMEM, "out of memory");
	trap->reqid = reqid;
	trap->if_id = if_id;
	list_init(&trap->node);
	if (ts_list_copy(local_ts, &trap->local_ts) || ts_list_copy(remote_ts, &trap->remote_ts))
		err = err_set(msg, ERR_NOMEM, "out of memory");
	else
		err = install_trap(dp, trap, msg);
	if (err)
		install_free_trap(dp, trap);
	return err;
}

int dp_trap_remove(struct dataplane *dp, uint32_t reqid)
{
	struct dp_trap *trap = find_trap(dp, reqid);

	if (!trap)
		return ERR_NOT_FOUND;
	call_run(dp, unlink_trap, trap);
	install_free_trap(dp, trap);
	return 0;
}
