/* facts.c - all facts of one connection, in the order in which they build on one another: the
 * daemon names selectors and the peer, the kernel is asked about those, sysctls and rules about its
 * links.
 *
 * The kernel is asked only if this process shares its network namespace with the daemon: another
 * namespace's routes say nothing. */
#include "vpn/daemon/beetctl/explain/facts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "vpn/vici/client/client.h"

#define SETTLE_SECONDS 1 /* a handshake that works is over by then */

void live_limit(struct facts *f, const char *fmt, ...)
{
	va_list args;

	if (f->n_limits == FACT_LIMITS_MAX)
		return;
	va_start(args, fmt);
	vsnprintf(f->limits[f->n_limits++], FACT_TEXT_MAX, fmt, args);
	va_end(args);
}

/* --- Looking things up --- */

const struct fact_link *live_link(const struct facts *f, const char *name)
{
	size_t i;

	for (i = 0; i < f->n_links; i++)
		if (!strcmp(f->links[i].name, name))
			return &f->links[i];
	return NULL;
}

bool live_is_own(const struct facts *f, const struct ip_addr *addr)
{
	size_t i;

	for (i = 0; i < f->n_addrs; i++)
		if (ip_addr_eq(&f->addrs[i].addr, addr))
			return true;
	return false;
}

bool live_has_kernel_policies(const struct facts *f)
{
	return strcmp(f->daemon, "beetd") != 0;
}

static const struct fact_link *link_of_if_id(const struct facts *f, uint32_t if_id)
{
	size_t i;

	for (i = 0; i < f->n_links; i++)
		if (f->links[i].if_id == if_id)
			return &f->links[i];
	return NULL;
}

const struct fact_link *live_tunnel(const struct facts *f, const struct fact_child *c)
{
	const struct fact_link *link;
	size_t i;

	if (c->if_id)
		return link_of_if_id(f, c->if_id);
	if (live_has_kernel_policies(f))
		return NULL;
	link = live_link(f, BEETD_DEVICE);
	if (link && !strcmp(link->kind, "tun"))
		return link;
	for (i = 0; i < c->n_remote; i++) {
		link = live_link(f, c->remote[i].way.dev);
		if (link && !strcmp(link->kind, "tun"))
			return link;
	}
	return NULL;
}

bool live_needs_way(const struct facts *f, const struct fact_child *c)
{
	if (c->if_id)
		return true;
	return !live_has_kernel_policies(f) && (c->installed || !strcmp(c->start_action, "trap"));
}

/* Linux ip-sysctl, rp_filter: the greater of the link's own and of "all". */
int live_rp_filter(const struct facts *f, const struct fact_link *link)
{
	return link->rp_filter > f->rp_filter_all ? link->rp_filter : f->rp_filter_all;
}

const struct fact_sa *live_sa(const struct facts *f)
{
	size_t i;

	for (i = 0; i < f->n_sas; i++)
		if (!strcmp(f->sas[i].state, "ESTABLISHED") || !strcmp(f->sas[i].state, "REKEYING"))
			return &f->sas[i];
	return f->n_sas ? &f->sas[0] : NULL;
}

bool live_is_up(const struct facts *f)
{
	const struct fact_sa *sa = live_sa(f);

	return sa && (!strcmp(sa->state, "ESTABLISHED") || !strcmp(sa->state, "REKEYING"));
}

const struct fact_count *live_drops(const struct facts *f, const char *reason)
{
	size_t i;

	for (i = 0; i < f->n_drops; i++)
		if (!strcmp(f->drops[i].reason, reason))
			return &f->drops[i].count;
	return NULL;
}

/* --- Gathering --- */

static bool is_same_file(const char *a, const char *b)
{
	struct stat sa, sb;

	return !stat(a, &sa) && !stat(b, &sb) && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

/* A UNIX socket reaches over the borders of network namespaces. */
static bool lives_with_daemon(struct vici_client *client, struct facts *f)
{
	struct ucred peer = {0};
	socklen_t len = sizeof(peer);
	char path[64];

	if (getsockopt(vici_client_fd(client), SOL_SOCKET, SO_PEERCRED, &peer, &len) ||
	    peer.pid <= 0) {
		live_limit(f, "It is not known where the daemon runs (control over TCP, or "
			      "another PID namespace): this host's network was not asked.");
		return false;
	}
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)peer.pid);
	if (is_same_file("/proc/self/ns/net", path))
		return true;
	live_limit(f,
		   "The daemon lives in another network namespace, or this is not root: its "
		   "network was not asked (nsenter -t %d -n beetctl explain ...).",
		   (int)peer.pid);
	return false;
}

static void wait_seconds(unsigned seconds)
{
	struct timespec left = {.tv_sec = (time_t)seconds};

	while (nanosleep(&left, &left))
		;
}

static bool is_connecting(const struct facts *f)
{
	const struct fact_sa *sa = live_sa(f);

	return sa && !live_is_up(f);
}

static int ask_over_time(struct vici_client *client, struct facts *f, unsigned watch,
			 struct err_msg *msg)
{
	unsigned seconds = watch ? watch : is_connecting(f) ? SETTLE_SECONDS : 0;

	if (!seconds)
		return 0;
	wait_seconds(seconds);
	f->watched = watch > 0;
	f->seconds = seconds;
	if (f->kernel_known)
		live_ask_sysctls_again(f);
	return live_ask_again(client, f, msg);
}

int live_gather(struct vici_client *client, const char *conn, unsigned watch,
		struct facts **ret_facts, struct err_msg *msg)
{
	struct facts *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return err_set(msg, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	snprintf(f->conn, sizeof(f->conn), "%s", conn);
	err = live_ask_daemon(client, f, msg);
	if (!err)
		f->kernel_known = lives_with_daemon(client, f);
	if (!err && f->kernel_known) {
		live_ask_kernel(f);
		live_ask_sysctls(f);
	}
	if (!err)
		err = ask_over_time(client, f, watch, msg);
	if (!err && f->kernel_known)
		live_ask_nft(f);
	if (err)
		live_free(f);
	else
		*ret_facts = f;
	return err;
}

void live_free(struct facts *facts)
{
	if (!facts)
		return;
	nft_ruleset_free(facts->nft);
	free(facts);
}
