/* network.c - the host's network and the daemon: what changes there is told to the node, which asks
 * back what it needs. Nothing is decided here. */
#include "vpn/daemon/daemon.h"

#include "vpn/dataplane/hostnet.h"

static void on_network(uv_poll_t *poll, int status, int events)
{
	struct daemon *d = poll->data;

	(void)status;
	(void)events;
	if (!hostnet_changed(d->hostnet))
		return;
	daemon_log(d, LOG_KNL, 2, "addresses, links or routes of the host have changed");
	node_network_changed(d->node, daemon_now());
	loop_settle(d);
}

int network_open(struct daemon *d, struct err_msg *msg)
{
	const struct dp_config *dp = &d->options->dp;
	struct hostnet_config cfg = {
	    .fwmark = dp->fwmark, .tun_name = dp->tun_name, .if_id_prefix = dp->if_id_prefix};

	return hostnet_new(&cfg, &d->hostnet, msg);
}

int network_watch(struct daemon *d)
{
	d->net_poll.data = d;
	if (uv_poll_init(&d->loop, &d->net_poll, hostnet_fd(d->hostnet)))
		return ERR_IO;
	return uv_poll_start(&d->net_poll, UV_READABLE, on_network) ? ERR_IO : 0;
}

void network_close(struct daemon *d)
{
	hostnet_free(d->hostnet);
	d->hostnet = NULL;
}

bool network_source(void *ctx, const struct ip_addr *remote, struct ip_addr *ret_local)
{
	struct daemon *d = ctx;

	return hostnet_source(d->hostnet, remote, ret_local);
}

bool network_can_send_from(void *ctx, const struct ip_addr *local, const struct ip_addr *remote)
{
	struct daemon *d = ctx;

	return hostnet_can_send_from(d->hostnet, local, remote);
}

bool network_has(void *ctx, const struct ip_addr *addr)
{
	struct daemon *d = ctx;

	return hostnet_has(d->hostnet, addr);
}

bool network_address(void *ctx, size_t i, struct ip_addr *ret_addr)
{
	struct daemon *d = ctx;

	return hostnet_address(d->hostnet, i, ret_addr);
}
