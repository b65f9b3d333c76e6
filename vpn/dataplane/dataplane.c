/* dataplane.c - starting and stopping, datagrams of the control plane, events and counters.
 * Installing is in install.c.
 *
 * Ownership: the dataplane owns its SAs, traps and devices. A start that fails undoes its own
 * steps. */
#include "vpn/dataplane/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vpn/base/proto.h"
#include "vpn/wire/packet/natt.h"

void dp_config_init(struct dp_config *ret_cfg)
{
	*ret_cfg = (struct dp_config){.port = IKE_PORT,
				      .port_natt = IKE_NATT_PORT,
				      .ipv4 = true,
				      .ipv6 = true,
				      .raw_esp = true,
				      .offload = true,
				      .fwmark = 220,
				      .route_table = 220,
				      .rule_pref = 220,
				      .tun_name = "beet0",
				      .if_id_prefix = "xfrm"};
}

/* --- start and stop --- */

static int open_sockets(struct dataplane *dp, struct err_msg *msg)
{
	static const enum sock_kind kinds[] = {SOCK_IKE, SOCK_NATT, SOCK_ESP};
	const struct dp_config *c = &dp->cfg;
	size_t i;
	int err;

	for (i = 0; i < SOCKS_MAX; i++) {
		struct dp_sock *s = &dp->socks[i];
		enum sock_kind kind = kinds[i / 2];
		uint8_t family = i % 2 ? 6 : 4;
		uint16_t port = kind == SOCK_IKE ? c->port : kind == SOCK_NATT ? c->port_natt : 0;

		if (!(family == 6 ? c->ipv6 : c->ipv4) || (kind == SOCK_ESP && !c->raw_esp))
			continue;
		if (family == 6 && kind != SOCK_ESP && dp->socks[i - 1].fd >= 0)
			port = dp->socks[i - 1].port; /* "any" is the same for both families */
		err = sock_open(s, family, kind, port, c->fwmark, c->offload, msg);
		if (err)
			return err;
	}
	return 0;
}

static int make_parts(struct dataplane *dp, struct err_msg *msg)
{
	if (event_queue_new(&dp->events) || sad_new(&dp->sad) || spd_new(&dp->spd) ||
	    outbound_new(&dp->out) || inbound_new(&dp->in))
		return err_set(msg, ERR_NOMEM, "out of memory");
	return 0;
}

static int start(struct dataplane *dp, struct err_msg *msg)
{
	int err;

	err = make_parts(dp, msg);
	if (!err)
		err = open_sockets(dp, msg);
	if (!err)
		err = router_new(dp->cfg.route_table, dp->cfg.rule_pref, dp->cfg.fwmark,
				 &dp->router, msg);
	if (!err && marker_new(&dp->marker))
		err = err_set(msg, ERR_NOMEM, "out of memory");
	if (!err && thread_start(dp))
		err = err_set(msg, ERR_IO, "the data-plane thread does not start");
	return err;
}

int dataplane_new(const struct dp_config *cfg, struct dataplane **ret_dp, struct err_msg *msg)
{
	struct dataplane *dp = calloc(1, sizeof(*dp));
	size_t i;
	int err;

	if (!dp)
		return err_set(msg, ERR_NOMEM, "out of memory");
	dp->cfg = *cfg;
	dp->epoll = dp->wake = -1;
	list_init(&dp->tuns);
	list_init(&dp->sas);
	list_init(&dp->traps);
	hold_init(&dp->hold);
	for (i = 0; i < SOCKS_MAX; i++)
		dp->socks[i].fd = -1;
	pthread_mutex_init(&dp->call_lock, NULL);
	pthread_cond_init(&dp->call_done, NULL);
	dp_update_clock(dp);
	err = start(dp, msg);
	if (err) {
		dataplane_free(dp);
		return err;
	}
	*ret_dp = dp;
	return 0;
}

/* No thread uses any of it any more. */
static void free_lists(struct dataplane *dp)
{
	struct list *pos, *tmp;

	hold_clear(&dp->hold);
	list_for_each (pos, tmp, &dp->sas) {
		install_free_sa(dp, list_entry(pos, struct dp_sa, node));
	}
	list_for_each (pos, tmp, &dp->traps) {
		install_free_trap(dp, list_entry(pos, struct dp_trap, node));
	}
	router_free(dp->router);
	marker_free(dp->marker);
	list_for_each (pos, tmp, &dp->tuns) {
		struct dp_tun *tun = list_entry(pos, struct dp_tun, node);

		tun_close(tun);
		free(tun);
	}
}

void dataplane_free(struct dataplane *dp)
{
	size_t i;

	if (!dp)
		return;
	thread_stop(dp);
	free_lists(dp);
	for (i = 0; i < SOCKS_MAX; i++)
		sock_close(&dp->socks[i]);
	inbound_free(dp->in);
	outbound_free(dp->out);
	spd_free(dp->spd);
	sad_free(dp->sad);
	event_queue_free(dp->events);
	pthread_cond_destroy(&dp->call_done);
	pthread_mutex_destroy(&dp->call_lock);
	free(dp);
}

uint16_t dataplane_port(const struct dataplane *dp, bool natt)
{
	enum sock_kind kind = natt ? SOCK_NATT : SOCK_IKE;
	size_t i;

	for (i = 0; i < SOCKS_MAX; i++)
		if (dp->socks[i].fd >= 0 && dp->socks[i].kind == kind)
			return dp->socks[i].port;
	return 0;
}

int dataplane_event_fd(const struct dataplane *dp)
{
	return event_queue_fd(dp->events);
}

bool dp_next_event(struct dataplane *dp, struct dp_event *ret_event)
{
	return event_queue_take(dp->events, ret_event);
}

/* --- datagrams of the control plane --- */

struct send_args {
	const struct endpoint *local, *remote;
	const void *data;
	size_t len;
	bool keepalive;
	int err;
};

static struct dp_sock *sock_of_port(struct dataplane *dp, const struct send_args *a)
{
	size_t i;

	for (i = 0; i < SOCKS_MAX; i++)
		if (dp->socks[i].fd >= 0 && dp->socks[i].kind != SOCK_ESP &&
		    dp->socks[i].port == a->local->port &&
		    dp->socks[i].family == a->remote->addr.family)
			return &dp->socks[i];
	return NULL;
}

static void send_datagram(struct dataplane *dp, void *arg)
{
	static const uint8_t marker[NON_ESP_MARKER_LEN];
	struct send_args *a = (struct send_args *)arg;
	struct iovec iov[2] = {{(void *)marker, sizeof(marker)}, {(void *)a->data, a->len}};
	struct dp_sock *s = sock_of_port(dp, a);
	bool marked = s && s->kind == SOCK_NATT && !a->keepalive;

	if (!s) {
		a->err = ERR_INVALID;
		return;
	}
	a->err = outbound_datagram(s, a->local, a->remote, marked ? iov : iov + 1, marked ? 2 : 1);
	if (a->err)
		return;
	if (a->keepalive)
		dp->counters.keepalives_out++;
	else
		dp->counters.ike_out++;
}

int dp_send_ike(struct dataplane *dp, const struct endpoint *local, const struct endpoint *remote,
		const void *data, size_t len)
{
	struct send_args args = {.local = local, .remote = remote, .data = data, .len = len};

	call_run(dp, send_datagram, &args);
	return args.err;
}

int dp_send_keepalive(struct dataplane *dp, const struct endpoint *local,
		      const struct endpoint *remote)
{
	static const uint8_t octet = NATT_KEEPALIVE;
	struct send_args args = {
	    .local = local, .remote = remote, .data = &octet, .len = 1, .keepalive = true};

	call_run(dp, send_datagram, &args);
	return args.err;
}

int dp_route_query(struct dataplane *dp, const struct ip_addr *dst, struct dp_route *ret_route)
{
	struct route_answer route;
	int err = sock_route_query(dst, dp->cfg.fwmark, &route);

	if (err)
		return err;
	*ret_route = (struct dp_route){.src = route.src, .mtu = route.mtu};
	return 0;
}

static void copy_counters(struct dataplane *dp, void *arg)
{
	*(struct dp_counters *)arg = dp->counters;
}

void dp_get_counters(struct dataplane *dp, struct dp_counters *ret_counters)
{
	call_run(dp, copy_counters, ret_counters);
}
