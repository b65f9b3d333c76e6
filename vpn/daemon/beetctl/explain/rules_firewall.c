/* rules_firewall.c - findings of nftables on this host: IKE and ESP dropped, traffic dropped
 * between the tunnel and the network behind it, the MSS clamped on the wrong hook.
 *
 * Packets that nobody has sent are led through the rule set (nft.h); what it does for certain is
 * told, what may be is not. */
#include "vpn/daemon/beetctl/explain/findings.h"

#include <stdio.h>
#include <string.h>

#include "vpn/base/proto.h"
#include "vpn/daemon/beetctl/explain/pair.h"

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

/* Not even the answers of a connection that the other direction has begun get through. */
static bool is_closed(const struct facts *f, struct nft_packet p)
{
	p.ct = NFT_CT_ESTABLISHED;
	p.sport = p.dport;
	return nft_filter(f->nft, "forward", &p).does == NFT_DROPS;
}

struct judged_way {
	struct nft_packet packet;
	struct nft_outcome does;
	const char *words; /* "into it" */
	bool closed;
};

static struct judged_way judge_direction(const struct facts *f, const struct live_pair *p,
					 bool into_tunnel)
{
	struct judged_way w = {.packet = live_forwarded(p, into_tunnel),
			       .words = into_tunnel ? "into it" : "out of it"};

	w.does = nft_filter(f->nft, "forward", &w.packet);
	w.closed = w.does.does == NFT_DROPS && is_closed(f, w.packet);
	return w;
}

static void show_direction(struct finding *found, const struct judged_way *w)
{
	if (w->does.does == NFT_DROPS)
		live_finding_show(found, "IPv%u, %s > %s: %s", w->packet.src.family, w->packet.iif,
				  w->packet.oif, w->does.rule);
}

static void judge_forward(const struct facts *f, struct findings *out, const struct live_pair *p)
{
	struct judged_way in = judge_direction(f, p, true), from = judge_direction(f, p, false);
	const struct judged_way *dropped = in.does.does == NFT_DROPS ? &in : &from;
	struct finding *found;

	if (dropped->does.does != NFT_DROPS)
		return;
	if (in.does.does == from.does.does)
		found = live_finding_add(out, LIKELY,
					 "New TCP connections between %s and %s are dropped.",
					 p->lan, p->tunnel);
	else if (dropped->closed)
		found = live_finding_add(out, LIKELY,
					 "TCP through the tunnel is dropped in one direction (%s), "
					 "answers too.",
					 dropped->words);
	else
		found = live_finding_add(out, POSSIBLE,
					 "New TCP connections through the tunnel are dropped in "
					 "one direction (%s).",
					 dropped->words);
	show_direction(found, &in);
	show_direction(found, &from);
}

static void find_forward_drop(const struct facts *f, struct findings *out)
{
	live_each_pair(f, out, judge_forward);
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

static void judge_clamp(const struct facts *f, struct findings *out, const struct live_pair *p)
{
	struct nft_packet in = live_forwarded(p, true), from = live_forwarded(p, false);
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
	live_each_pair(f, out, judge_clamp);
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
