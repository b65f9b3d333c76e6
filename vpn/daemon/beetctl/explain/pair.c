/* pair.c - the pairs of hosts that a child connects through this host, by the ways that the kernel
 * has named (facts_kernel.c). A selector without a host behind this one makes no pair: its packets
 * are not forwarded. */
#include "vpn/daemon/beetctl/explain/pair.h"

#include <string.h>

#include "vpn/base/proto.h"

#define SSH_PORT 22 /* stands for a new TCP connection */

/* Where policies without a device carry the traffic it leaves by the outer device. */
static const char *tunnel_name(const struct facts *f, const struct fact_child *c)
{
	const struct fact_link *l = live_tunnel(f, c);

	if (l)
		return l->name;
	return c->if_id || !live_has_kernel_policies(f) ? NULL : f->peer.dev;
}

static bool is_pair(const struct live_pair *p)
{
	return p->tunnel && p->local->way.kind == WAY_OUT && p->remote->way.kind == WAY_OUT &&
	       p->local->way.to.family == p->remote->way.to.family &&
	       strcmp(p->local->way.dev, p->tunnel) != 0 && !strcmp(p->remote->way.dev, p->tunnel);
}

static void judge_child(const struct facts *f, struct findings *out, live_pair_fn *judge,
			const struct fact_child *c)
{
	struct live_pair p = {.child = c, .tunnel = tunnel_name(f, c)};
	const struct fact_way *way;
	size_t k, m;

	for (k = 0; k < c->n_local; k++) {
		for (m = 0; m < c->n_remote; m++) {
			way = &c->forwarded[k][m];
			p.local = &c->local[k];
			p.remote = &c->remote[m];
			p.lan = p.local->way.dev;
			p.out = way->kind == WAY_OUT ? way->dev : p.tunnel;
			if (is_pair(&p))
				judge(f, out, &p);
		}
	}
}

void live_each_pair(const struct facts *f, struct findings *out, live_pair_fn *judge)
{
	size_t i;

	for (i = 0; f->nft && i < f->n_children; i++)
		judge_child(f, out, judge, &f->children[i]);
}

struct nft_packet live_forwarded(const struct live_pair *p, bool into_tunnel)
{
	const struct ip_addr *local = &p->local->way.to, *remote = &p->remote->way.to;

	return (struct nft_packet){.src = into_tunnel ? *local : *remote,
				   .dst = into_tunnel ? *remote : *local,
				   .proto = IP_PROTO_TCP,
				   .dport = SSH_PORT,
				   .iif = into_tunnel ? p->lan : p->tunnel,
				   .oif = into_tunnel ? p->tunnel : p->lan,
				   .ct = NFT_CT_NEW};
}
