/* rules_decrypted.c - findings of nftables on what comes out of the tunnel, before it is routed.
 *
 * That a host lets in no new connections is its own business, so the input chain is not judged; a
 * drop in prerouting hits everything, and answers too. */
#include "vpn/daemon/beetctl/explain/findings.h"

#include "vpn/base/proto.h"

#define SSH_PORT 22 /* stands for a new TCP connection */

/* An address of this host within the selector, or else a host behind it. */
static bool inner_host(const struct facts *f, const struct fact_net *local,
		       struct ip_addr *ret_host)
{
	size_t i;

	for (i = 0; i < f->n_addrs; i++) {
		const struct ip_addr *a = &f->addrs[i].addr;

		if (!ts_matches(&local->ts, a, local->ts.proto, local->ts.port_lo, true))
			continue;
		*ret_host = *a;
		return true;
	}
	*ret_host = local->way.to;
	return local->way.kind == WAY_OUT;
}

/* Neither an echo request nor a new TCP connection gets through. */
static struct nft_outcome before_routing(const struct facts *f, struct nft_packet p)
{
	struct nft_outcome o;

	p.proto = IP_PROTO_TCP;
	p.dport = SSH_PORT;
	o = nft_filter(f->nft, "prerouting", &p);
	p.proto = p.src.family == 6 ? IP_PROTO_ICMP6 : IP_PROTO_ICMP;
	return o.does == NFT_DROPS ? nft_filter(f->nft, "prerouting", &p) : o;
}

static void judge_decrypted(const struct facts *f, struct findings *out, const struct fact_child *c,
			    const struct fact_net *local, const struct fact_net *remote)
{
	const struct fact_link *tunnel = live_tunnel(f, c);
	struct nft_packet p = {.src = remote->way.to, .ct = NFT_CT_NEW};
	struct nft_outcome o;

	if (!tunnel || remote->way.kind == WAY_NOT_ASKED || !inner_host(f, local, &p.dst) ||
	    p.dst.family != p.src.family)
		return;
	p.iif = tunnel->name;
	o = before_routing(f, p);
	if (o.does == NFT_DROPS)
		live_finding_show(live_finding_add(out, CERTAIN,
						   "What %s brings is dropped before it is routed.",
						   tunnel->name),
				  "%s", o.rule);
}

static void find_decrypted_drop(const struct facts *f, struct findings *out)
{
	size_t i, k, m;

	for (i = 0; f->nft && i < f->n_children; i++) {
		const struct fact_child *c = &f->children[i];

		for (k = 0; k < c->n_local; k++)
			for (m = 0; m < c->n_remote; m++)
				judge_decrypted(f, out, c, &c->local[k], &c->remote[m]);
	}
}

RULES(
    decrypted,
    {.id = "LIVE-decrypted",
     .names = "F32; negotiation failure map 5; troubleshooting flow 6",
     .kind = RULE_FAULT,
     .rank = 8,
     .unless = "",
     .title = "The firewall drops what comes out of the tunnel",
     .why = "Decrypted packets come in by the tunnel's device like any other: a rule for it, or a "
	    "policy that knows the LAN alone, drops them.",
     .remedy = "Accept what comes in by the tunnel's device, as far as it is wanted, before the "
	       "rule that drops it.",
     .clause = "RFC 4301 §5.2",
     .find = find_decrypted_drop});
