/* rules_nat.c - findings of nftables' address translation: packets that get another source before
 * the tunnel sees them.
 *
 * A packet that a host behind this one might send is led through the NAT chains of postrouting.
 * Masquerade takes an address of the device that the packet leaves by: for ESP in userspace the TUN
 * device, which often has none; the kernel then borrows one of another device. This host's own
 * packets have an address already, and are not asked about. */
#include "vpn/daemon/beetctl/explain/findings.h"

#include <string.h>

#include "vpn/daemon/beetctl/explain/pair.h"

struct translation {
	struct nft_outcome rule;
	struct ip_addr to; /* unset: there is no address to give, and the packet is dropped */
	bool borrowed;	   /* of another device than the one that it leaves by */
};

/* 127.0.0.0/8, ::1 and fe80::/10 are of no use elsewhere: the kernel gives none of them. */
static bool can_be_given(const struct ip_addr *a, uint8_t family)
{
	if (a->family != family)
		return false;
	if (family == 4)
		return a->b[0] != 127;
	return !(a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80) && (a->b[0] || a->b[15] != 1);
}

static bool device_address(const struct facts *f, const struct fact_link *l, uint8_t family,
			   struct ip_addr *ret_addr)
{
	size_t i;

	for (i = 0; i < f->n_addrs; i++) {
		if (f->addrs[i].ifindex != l->index || !can_be_given(&f->addrs[i].addr, family))
			continue;
		*ret_addr = f->addrs[i].addr;
		return true;
	}
	return false;
}

/* The kernel asks the loopback device first, and then each in its turn. */
static void borrow_address(const struct facts *f, uint8_t family, struct translation *t)
{
	size_t i;
	int pass;

	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < f->n_links; i++) {
			if (f->links[i].loopback != (pass == 0) || !f->links[i].up ||
			    !device_address(f, &f->links[i], family, &t->to))
				continue;
			t->borrowed = true;
			return;
		}
	}
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

/* False if the rules leave the packet alone, or nobody can say. */
static bool translate(const struct facts *f, const struct live_pair *p, struct translation *ret_t)
{
	struct nft_packet packet = live_forwarded(p, true);
	const struct fact_link *out = live_link(f, p->out);
	struct translation t = {.borrowed = false};

	packet.oif = p->out;
	t.rule = nft_source_nat(f->nft, &packet);
	t.to = t.rule.to;
	if (t.rule.does != NFT_REWRITES || !out)
		return false;
	if (!ip_addr_is_set(&t.to) && !device_address(f, out, packet.src.family, &t.to))
		borrow_address(f, packet.src.family, &t);
	*ret_t = t;
	return !ip_addr_eq(&t.to, &packet.src);
}

static void show_translation(struct finding *found, const struct live_pair *p,
			     const struct translation *t)
{
	char from[IP_ADDR_STRLEN], to[IP_ADDR_STRLEN];

	live_finding_show(found, "%s", t->rule.rule);
	ip_addr_format(&p->local->way.to, from, sizeof(from));
	if (ip_addr_is_set(&t->to))
		live_finding_show(found, "from %s, as an example, by %s: the source becomes %s",
				  from, p->out, ip_addr_format(&t->to, to, sizeof(to)));
	if (t->borrowed)
		live_finding_show(found,
				  "ip address: none on %s, so the kernel takes another "
				  "device's",
				  p->out);
	else if (!ip_addr_is_set(&t->to))
		live_finding_show(found, "ip address: none on %s, and none elsewhere", p->out);
}

static bool passes_tunnel_by(const struct live_pair *p)
{
	return strcmp(p->out, p->tunnel) != 0;
}

static const char *consequence(const struct live_pair *p, const struct translation *t)
{
	if (!ip_addr_is_set(&t->to))
		return "and, as there is none to give, are dropped";
	if (passes_tunnel_by(p))
		return "and leave in the clear";
	if (in_selectors(p->child, &t->to))
		return "which is inside its selectors only by chance";
	return "and then fit none of its selectors";
}

/* It stays inside the selectors, by a rule or an address that somebody has set up for it. */
static bool is_hidden(const struct live_pair *p, const struct translation *t)
{
	return !passes_tunnel_by(p) && !t->borrowed && in_selectors(p->child, &t->to);
}

static void judge_nat(const struct facts *f, struct findings *out, const struct live_pair *p)
{
	struct translation t;
	char ts[TS_STRLEN];
	bool by_chance;

	if (!translate(f, p, &t) || is_hidden(p, &t))
		return;
	by_chance = !passes_tunnel_by(p) && in_selectors(p->child, &t.to);
	show_translation(
	    live_finding_add(
		out, by_chance ? LIKELY : CERTAIN,
		"Packets from %s are given another source before child %s sees them, %s.",
		ts_format(&p->local->ts, ts, sizeof(ts)), p->child->name, consequence(p, &t)),
	    p, &t);
}

static void find_nat(const struct facts *f, struct findings *out)
{
	live_each_pair(f, out, judge_nat);
}

static void judge_hidden(const struct facts *f, struct findings *out, const struct live_pair *p)
{
	struct translation t;
	char ts[TS_STRLEN];

	if (!translate(f, p, &t) || !is_hidden(p, &t))
		return;
	show_translation(live_finding_add(out, CERTAIN,
					  "Hosts of %s appear to the other end as this gateway.",
					  ts_format(&p->local->ts, ts, sizeof(ts))),
			 p, &t);
}

static void find_hidden(const struct facts *f, struct findings *out)
{
	live_each_pair(f, out, judge_hidden);
}

RULES(
    nat,
    {.id = "F31",
     .names = "S4; negotiation failure map 5; document 4: NAT",
     .kind = RULE_FAULT,
     .rank = 9,
     .unless = "",
     .title = "Packets are masqueraded before IPsec looks at them",
     .why = "NAT comes before the policy lookup (and before the tunnel's device sees the packet). "
	    "With a source outside the selectors it is dropped, or leaves in the clear; with "
	    "another one inside them the other end sees this gateway in place of the host.",
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
     .find = find_hidden});
