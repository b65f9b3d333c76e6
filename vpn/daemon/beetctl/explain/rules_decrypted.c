/* rules_decrypted.c - findings of nftables on what comes out of the tunnel, before it is routed.
 *
 * That a host lets in no new connections is its own business; a drop that hits answers, too, is
 * not. Of the input chain only a tunnel that ends at the host itself is judged: elsewhere the
 * traffic is forwarded past it. */
#include "vpn/daemon/beetctl/explain/findings.h"

#include "vpn/base/proto.h"

#define SSH_PORT   22	 /* stands for a new TCP connection */
#define LOCAL_PORT 40000 /* of a connection that this host has begun */
#define ENOUGH	   3	 /* packets that are more than an accident */

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

/* --- The host's own input --- */

/* An answer of a TCP server, or of ping. */
static struct nft_outcome answer_in(const struct facts *f, struct nft_packet p, uint8_t proto)
{
	p.proto = proto;
	p.ct = NFT_CT_ESTABLISHED;
	p.sport = SSH_PORT;
	p.dport = LOCAL_PORT;
	return nft_filter(f->nft, "input", &p);
}

static struct nft_outcome request_in(const struct facts *f, struct nft_packet p, uint8_t proto)
{
	p.proto = proto;
	p.dport = SSH_PORT;
	return nft_filter(f->nft, "input", &p);
}

static bool is_mute_now(const struct facts *f, const struct fact_child *c)
{
	return f->watched && fact_grown(&c->packets_in) >= ENOUGH && !fact_grown(&c->packets_out);
}

static void judge_input(const struct facts *f, struct findings *out, const struct fact_child *c,
			const struct nft_packet *p)
{
	uint8_t icmp = p->src.family == 6 ? IP_PROTO_ICMP6 : IP_PROTO_ICMP;
	struct nft_outcome tcp_back = answer_in(f, *p, IP_PROTO_TCP);
	struct nft_outcome ping_back = answer_in(f, *p, icmp), ping = request_in(f, *p, icmp);

	if (tcp_back.does == NFT_DROPS && ping_back.does == NFT_DROPS)
		live_finding_show(live_finding_add(out, CERTAIN,
						   "What %s brings is dropped at the host that it "
						   "is for: this one.",
						   p->iif),
				  "%s", tcp_back.rule);
	else if (ping_back.does == NFT_DROPS)
		live_finding_show(live_finding_add(out, POSSIBLE,
						   "ICMP that %s brings for this host is dropped: "
						   "ping fails, and errors are not heard.",
						   p->iif),
				  "%s", ping_back.rule);
	else if (ping.does == NFT_DROPS && is_mute_now(f, c))
		live_finding_show(live_finding_add(out, POSSIBLE,
						   "What %s brings may be dropped on this host: "
						   "nothing that the peer begins is let in.",
						   p->iif),
				  "%s", ping.rule);
}

/* --- Each selector --- */

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
	else if (local->way.kind == WAY_NOT_ASKED)
		judge_input(f, out, c, &p);
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
