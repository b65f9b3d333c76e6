/* rules_firewall.c - findings of nftables on this host: IKE and ESP dropped, traffic dropped
 * between the tunnel and the network behind it, addresses translated before the tunnel sees them,
 * the MSS clamped on the wrong hook.
 *
 * Packets that nobody has sent are led through the rule set (nft.h); what it does for certain is
 * told, what may be is not. */
#include "vpn/daemon/beetctl/explain/findings.h"

#include <stdio.h>
#include <string.h>

#include "vpn/base/proto.h"

#define SSH_PORT 22 /* stands for a new TCP connection */

/* --- IKE and ESP --- */

static struct nft_packet outer_packet(const struct facts *f, bool in, uint8_t proto, uint16_t port)
{
	const struct fact_sa *sa = live_sa(f);
	const struct ip_addr *peer = &f->peer.to;
	const struct ip_addr *own =
	    sa && ip_addr_is_set(&sa->local.addr) ? &sa->local.addr : &f->peer.src;
	struct nft_packet p = {.src = in ? *peer : *own,
			       .dst = in ? *own : *peer,
			       .proto = proto,
			       .dport = port,
			       .ct = NFT_CT_NEW};

	if (in)
		p.iif = f->peer.dev;
	else
		p.oif = f->peer.dev;
	/* What we begin is answered: the answers belong to a connection that is known. */
	if (in && (!sa || sa->initiator) && proto == IP_PROTO_UDP)
		p.ct = NFT_CT_ESTABLISHED;
	p.sport = proto == IP_PROTO_UDP && p.ct == NFT_CT_ESTABLISHED ? port : 0;
	return p;
}

static void judge_outer(const struct facts *f, struct findings *out, bool in, uint8_t proto,
			uint16_t port)
{
	struct nft_packet p = outer_packet(f, in, proto, port);
	struct nft_outcome o = nft_filter(f->nft, in ? "input" : "output", &p);
	char what[24] = "ESP (protocol 50)";

	if (o.does != NFT_DROPS)
		return;
	if (proto == IP_PROTO_UDP)
		snprintf(what, sizeof(what), "UDP port %u", port);
	live_finding_show(live_finding_add(out, CERTAIN, "%s %s the peer is dropped on this host.",
					   what, in ? "from" : "to"),
			  "%s", o.rule);
}

static bool uses_native_esp(const struct facts *f)
{
	size_t i;

	for (i = 0; i < f->n_children; i++)
		if (f->children[i].installed && !f->children[i].encap)
			return true;
	return false;
}

static void find_outer_drop(const struct facts *f, struct findings *out)
{
	bool in;
	int i;

	for (i = 0; f->nft && f->peer.kind == WAY_OUT && i < 2; i++) {
		in = i == 1;
		judge_outer(f, out, in, IP_PROTO_UDP, IKE_PORT);
		judge_outer(f, out, in, IP_PROTO_UDP, IKE_NATT_PORT);
		if (uses_native_esp(f))
			judge_outer(f, out, in, IP_PROTO_ESP, 0);
	}
}

/* --- Between the tunnel and a network behind this host --- */

/* One local and one remote host of a child, and the devices that lead to them. */
struct pair {
	const struct fact_child *child;
	const struct fact_net *local, *remote;
	const char *lan, *tunnel;
	const char *out; /* by which forwarded packets leave: the tunnel's, or not */
};

typedef void pair_fn(const struct facts *f, struct findings *out, const struct pair *pair);

/* Where policies without a device carry the traffic it leaves by the outer device. */
static const char *tunnel_name(const struct facts *f, const struct fact_child *c)
{
	const struct fact_link *l = live_tunnel(f, c);

	if (l)
		return l->name;
	return c->if_id || !live_has_kernel_policies(f) ? NULL : f->peer.dev;
}

static bool is_pair(const struct pair *p)
{
	return p->tunnel && p->local->way.kind == WAY_OUT && p->remote->way.kind == WAY_OUT &&
	       p->local->way.to.family == p->remote->way.to.family &&
	       strcmp(p->local->way.dev, p->tunnel) != 0 && !strcmp(p->remote->way.dev, p->tunnel);
}

static void for_each_pair(const struct facts *f, struct findings *out, pair_fn *judge)
{
	size_t i, k, m;

	for (i = 0; f->nft && i < f->n_children; i++) {
		const struct fact_child *c = &f->children[i];

		for (k = 0; k < c->n_local; k++) {
			for (m = 0; m < c->n_remote; m++) {
				struct pair p = {.child = c,
						 .local = &c->local[k],
						 .remote = &c->remote[m],
						 .lan = c->local[k].way.dev,
						 .tunnel = tunnel_name(f, c)};

				p.out = c->forwarded[k][m].kind == WAY_OUT ? c->forwarded[k][m].dev
									   : p.tunnel;

				if (is_pair(&p))
					judge(f, out, &p);
			}
		}
	}
}

static struct nft_packet forwarded(const struct pair *p, bool into_tunnel)
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

static void judge_forward(const struct facts *f, struct findings *out, const struct pair *p)
{
	struct nft_packet in = forwarded(p, true), from = forwarded(p, false);
	struct nft_outcome to_tunnel = nft_filter(f->nft, "forward", &in);
	struct nft_outcome from_tunnel = nft_filter(f->nft, "forward", &from);
	bool both = to_tunnel.does == NFT_DROPS && from_tunnel.does == NFT_DROPS;
	struct finding *found;

	if (to_tunnel.does != NFT_DROPS && from_tunnel.does != NFT_DROPS)
		return;
	found = live_finding_add(out, both ? LIKELY : POSSIBLE,
				 both ? "New TCP connections between %s and %s are dropped."
				      : "New TCP connections %s are dropped in one direction (%s).",
				 both ? p->lan : "through the tunnel",
				 both			       ? p->tunnel
				 : to_tunnel.does == NFT_DROPS ? "into it"
							       : "out of it");
	if (to_tunnel.does == NFT_DROPS)
		live_finding_show(found, "%s > %s: %s", p->lan, p->tunnel, to_tunnel.rule);
	if (from_tunnel.does == NFT_DROPS)
		live_finding_show(found, "%s > %s: %s", p->tunnel, p->lan, from_tunnel.rule);
}

static void find_forward_drop(const struct facts *f, struct findings *out)
{
	for_each_pair(f, out, judge_forward);
}

/* --- Address translation --- */

/* What masquerade takes: an address of the device that the packet leaves by. */
static bool device_address(const struct facts *f, const char *dev, uint8_t family,
			   struct ip_addr *ret_addr)
{
	const struct fact_link *l = live_link(f, dev);
	size_t i;

	for (i = 0; l && i < f->n_addrs; i++) {
		if (f->addrs[i].ifindex != l->index || f->addrs[i].addr.family != family)
			continue;
		*ret_addr = f->addrs[i].addr;
		return true;
	}
	return false;
}

static bool in_selectors(const struct fact_child *c, const struct ip_addr *addr)
{
	size_t i;

	for (i = 0; i < c->n_local; i++)
		if (ts_matches(&c->local[i].ts, addr, c->local[i].ts.proto, c->local[i].ts.port_lo,
			       true))
			return true;
	return false;
}

/* The new source; false if the rules leave the packet alone, or nobody can say. */
static bool translated(const struct facts *f, const struct pair *p, struct nft_outcome *ret_outcome,
		       struct ip_addr *ret_to)
{
	struct nft_packet packet = forwarded(p, true);

	packet.oif = p->out;
	*ret_outcome = nft_source_nat(f->nft, &packet);
	*ret_to = ret_outcome->to;
	if (ret_outcome->does != NFT_REWRITES)
		return false;
	return ip_addr_is_set(ret_to) || device_address(f, p->out, packet.src.family, ret_to);
}

static void show_translation(struct finding *found, const struct pair *p,
			     const struct nft_outcome *o, const struct ip_addr *to)
{
	char from[IP_ADDR_STRLEN], new[IP_ADDR_STRLEN];

	live_finding_show(found, "%s", o->rule);
	live_finding_show(found, "from %s, as an example, by %s: the source becomes %s",
			  ip_addr_format(&p->local->way.to, from, sizeof(from)), p->out,
			  ip_addr_format(to, new, sizeof(new)));
}

static bool passes_tunnel_by(const struct pair *p)
{
	return strcmp(p->out, p->tunnel) != 0;
}

static void judge_nat(const struct facts *f, struct findings *out, const struct pair *p)
{
	const char *by =
	    passes_tunnel_by(p) ? "and leave in the clear" : "and then fit none of its selectors";
	struct nft_outcome o;
	struct ip_addr to;
	char ts[TS_STRLEN];

	if (!translated(f, p, &o, &to) || (!passes_tunnel_by(p) && in_selectors(p->child, &to)))
		return;
	show_translation(
	    live_finding_add(
		out, CERTAIN,
		"Packets from %s are given another source before child %s sees them, %s.",
		ts_format(&p->local->ts, ts, sizeof(ts)), p->child->name, by),
	    p, &o, &to);
}

static void find_nat(const struct facts *f, struct findings *out)
{
	for_each_pair(f, out, judge_nat);
}

static void judge_hidden(const struct facts *f, struct findings *out, const struct pair *p)
{
	struct nft_outcome o;
	struct ip_addr to;
	char ts[TS_STRLEN];

	if (passes_tunnel_by(p) || !translated(f, p, &o, &to) || !in_selectors(p->child, &to))
		return;
	show_translation(live_finding_add(out, CERTAIN,
					  "Hosts of %s appear to the other end as this gateway.",
					  ts_format(&p->local->ts, ts, sizeof(ts))),
			 p, &o, &to);
}

static void find_hidden(const struct facts *f, struct findings *out)
{
	for_each_pair(f, out, judge_hidden);
}

/* --- The MSS --- */

static bool forwards_any(const struct facts *f)
{
	size_t i, k;

	for (i = 0; i < f->n_children; i++)
		for (k = 0; k < f->children[i].n_local; k++)
			if (f->children[i].local[k].way.kind == WAY_OUT)
				return true;
	return false;
}

static bool clamps_itself(const struct facts *f)
{
	size_t i;

	for (i = 0; i < f->n_children; i++)
		if (!f->children[i].tcp_mss)
			return false;
	return true;
}

static void find_wrong_hook(const struct facts *f, struct findings *out)
{
	char rule[NFT_RULE_STRLEN], other[NFT_RULE_STRLEN];

	if (!f->nft || !forwards_any(f) || clamps_itself(f) ||
	    !nft_clamps_mss(f->nft, "output", NULL, rule, sizeof(rule)) ||
	    nft_clamps_mss(f->nft, "forward", NULL, other, sizeof(other)) ||
	    nft_clamps_mss(f->nft, "postrouting", NULL, other, sizeof(other)))
		return;
	live_finding_show(live_finding_add(out, LIKELY,
					   "The MSS is clamped on the output hook alone: only "
					   "SYNs that this host itself makes pass there."),
			  "%s", rule);
}

/* By a chain that forwarded packets pass: forward, or what leaves by a device. */
static bool is_clamped(const struct facts *f, const struct nft_packet *p, char *rule, size_t cap)
{
	return nft_clamps_mss(f->nft, "forward", p, rule, cap) ||
	       nft_clamps_mss(f->nft, "postrouting", p, rule, cap);
}

static void judge_clamp(const struct facts *f, struct findings *out, const struct pair *p)
{
	struct nft_packet in = forwarded(p, true), from = forwarded(p, false);
	char rule[NFT_RULE_STRLEN] = "";
	bool clamps_in = is_clamped(f, &in, rule, sizeof(rule));
	bool clamps_out = is_clamped(f, &from, rule, sizeof(rule));

	if (p->child->tcp_mss || clamps_in == clamps_out)
		return;
	live_finding_show(live_finding_add(out, LIKELY,
					   "The MSS of what is forwarded %s the tunnel is clamped, "
					   "that of the other direction is not.",
					   clamps_in ? "into" : "out of"),
			  "%s", rule);
}

static void find_one_clamp(const struct facts *f, struct findings *out)
{
	find_wrong_hook(f, out);
	for_each_pair(f, out, judge_clamp);
}

RULES(
    firewall,
    {.id = "LIVE-firewall",
     .names = "F06; negotiation failure map 1; troubleshooting flow 1; document 4: firewall",
     .kind = RULE_FAULT,
     .rank = 2,
     .unless = "",
     .title = "This host's firewall drops IKE or ESP",
     .why =
	 "The most common cause of a tunnel that does not come up: a packet filter at one of the "
	 "ends.",
     .remedy = "Accept UDP 500 and 4500, and protocol 50, from and to the peer, before the rule "
	       "that drops them.",
     .clause = "RFC 7296 §2, RFC 3948 §2, RFC 4303 §2",
     .find = find_outer_drop},
    {.id = "S16",
     .names = "F32; negotiation failure map 5; troubleshooting flow 6",
     .kind = RULE_FAULT,
     .rank = 20,
     .unless = "",
     .title = "The forward chain drops traffic of the tunnel",
     .why = "What comes out of the tunnel is forwarded like any other packet; a rule for "
	    "oifname alone, or for ICMP alone, leaves the other half to the policy. Pings may "
	    "pass and hide it.",
     .remedy = "Accept new connections for iifname and for oifname of the tunnel, as far as they "
	       "are wanted.",
     .clause = "RFC 4301 §5.2",
     .find = find_forward_drop},
    {.id = "F31",
     .names = "S4; negotiation failure map 5; document 4: NAT",
     .kind = RULE_FAULT,
     .rank = 9,
     .unless = "",
     .title = "Packets are masqueraded before IPsec looks at them",
     .why = "NAT comes before the policy lookup (and before the tunnel's device), and then the "
	    "source is outside the selectors: the packet is dropped, or leaves in the clear.",
     .remedy =
	 "Except the tunnel from NAT (nft: ip daddr of the remote networks accept, or oifname "
	 "of the tunnel accept, before masquerade), or name the outer interface in the rule.",
     .clause = "RFC 4301 §4.4.1, §5.1",
     .find = find_nat},
    {.id = "LIVE-hidden",
     .names = "S17",
     .kind = RULE_NOTE,
     .rank = 74,
     .unless = "",
     .title = "The network behind this gateway is hidden from the other end",
     .why = "A masquerade rule also catches what goes into the tunnel. It works in one direction, "
	    "and it hides that hosts have no route back.",
     .remedy = "If the other end should see the hosts, except the tunnel from NAT.",
     .clause = "RFC 4301 §5.1",
     .find = find_hidden},
    {.id = "F18",
     .names = "S2, S3",
     .kind = RULE_FAULT,
     .rank = 28,
     .unless = "",
     .title = "The MSS is clamped in one direction only",
     .why = "The rule sits on a hook that only one of SYN and SYN/ACK passes (output instead of "
	    "forward, or one direction of an interface). The other direction sends segments that "
	    "do not fit.",
     .remedy = "Clamp on the forward hook for iifname and oifname of the tunnel, and on output for "
	       "the gateway's own connections; or tcp_mss at the child.",
     .clause = "RFC 9293 §3.7.1, RFC 4301 §8.2",
     .find = find_one_clamp});
