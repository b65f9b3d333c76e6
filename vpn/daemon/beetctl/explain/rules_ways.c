/* rules_ways.c - findings of links, addresses, routes and reverse path filters: whether packets get
 * into the tunnel, and whether those that come out of it are let in.
 *
 *	local net --- [forwarding] --- this host --- way to the remote selector --- tunnel device
 *	                                   '-------- way to the peer -------------- outer device
 *
 * The kernel's own decisions are the facts; a way that was not asked for proves nothing. */
#include "vpn/daemon/beetctl/explain/findings.h"

#include <stdio.h>
#include <string.h>

/* --- Into the tunnel --- */

/* Routes of children without an interface ID come with the SA, or with its trap. */
static bool needs_way(const struct facts *f, const struct fact_child *c)
{
	if (c->if_id)
		return true;
	return !live_has_kernel_policies(f) && (c->installed || !strcmp(c->start_action, "trap"));
}

static void find_link(const struct facts *f, struct findings *out)
{
	const struct fact_child *c;
	const struct fact_link *l;
	size_t i;

	for (i = 0; f->n_links && i < f->n_children; i++) {
		c = &f->children[i];
		l = live_tunnel(f, c);
		if (!c->if_id || (l && l->up))
			continue;
		live_finding_show(live_finding_add(out, CERTAIN, "The tunnel's device %s %s.",
						   l ? l->name : "of the interface ID",
						   l ? "is down" : "does not exist"),
				  "child %s: interface ID %u, ip link: %s", c->name, c->if_id,
				  l ? "down" : "none with that ID");
	}
}

static bool leads_astray(const struct facts *f, const struct fact_child *c,
			 const struct fact_net *net)
{
	const struct fact_link *tunnel = live_tunnel(f, c);

	if (net->way.kind == WAY_NOT_ASKED || net->way.kind == WAY_LOCAL)
		return false;
	if (net->way.kind == WAY_NONE)
		return true;
	return tunnel ? strcmp(net->way.dev, tunnel->name) != 0 : !c->if_id;
}

static void judge_way(const struct facts *f, struct findings *out, const struct fact_child *c,
		      const struct fact_net *net)
{
	const struct fact_link *tunnel = live_tunnel(f, c);
	char ts[TS_STRLEN];
	struct finding *found;

	ts_format(&net->ts, ts, sizeof(ts));
	found = live_finding_add(
	    out, CERTAIN, "Packets for %s, which is behind child %s, %s%s%s.", ts, c->name,
	    net->way.kind == WAY_NONE ? "have no route" : "leave by ",
	    net->way.kind == WAY_NONE ? "" : net->way.dev, tunnel ? " and not by the tunnel" : "");
	live_show_way(found, &net->way);
	if (tunnel)
		live_finding_detail(found, "Here: ip route add %s dev %s", ts, tunnel->name);
}

/* This host's own packets go right, and those that it forwards do not: a rule is in between. */
static void judge_forwarded(const struct facts *f, struct findings *out, const struct fact_child *c,
			    const struct fact_net *local, const struct fact_way *way)
{
	const struct fact_link *tunnel = live_tunnel(f, c);
	struct finding *found;
	char ts[TS_STRLEN];

	if (way->kind != WAY_OUT || !tunnel || !strcmp(way->dev, tunnel->name) ||
	    !strcmp(local->way.dev, tunnel->name))
		return;
	found = live_finding_add(
	    out, CERTAIN,
	    "What this host forwards from %s into child %s leaves by %s and not by the tunnel.",
	    ts_format(&local->ts, ts, sizeof(ts)), c->name, way->dev);
	live_show_way(found, way);
	live_finding_detail(found, "Here: ip rule shows which rule asks for iif %s.", way->iif);
}

static void find_route_of_forwarded(const struct facts *f, struct findings *out,
				    const struct fact_child *c)
{
	size_t k, m;

	for (k = 0; k < c->n_local; k++)
		for (m = 0; m < c->n_remote; m++)
			if (!leads_astray(f, c, &c->remote[m]))
				judge_forwarded(f, out, c, &c->local[k], &c->forwarded[k][m]);
}

static void find_route(const struct facts *f, struct findings *out)
{
	size_t i, k;

	for (i = 0; i < f->n_children; i++) {
		const struct fact_child *c = &f->children[i];

		for (k = 0; needs_way(f, c) && k < c->n_remote; k++)
			if (leads_astray(f, c, &c->remote[k]))
				judge_way(f, out, c, &c->remote[k]);
		if (needs_way(f, c))
			find_route_of_forwarded(f, out, c);
	}
}

static bool is_host_route_device(const struct facts *f, const struct fact_addr *a,
				 const struct fact_link *tunnel)
{
	size_t i;

	for (i = 0; i < f->n_links; i++)
		if (f->links[i].index == a->ifindex)
			return f->links[i].loopback || &f->links[i] == tunnel;
	return true;
}

/* A network of this host's own, on another device, that lies within the remote selector. */
static const struct fact_addr *overlapping(const struct facts *f, const struct fact_child *c,
					   const struct fact_net *net)
{
	size_t i;

	for (i = 0; i < f->n_addrs && !ip_addr_is_any(&net->ts.lo); i++) {
		const struct fact_addr *a = &f->addrs[i];

		if (ts_matches(&net->ts, &a->addr, net->ts.proto, net->ts.port_lo, true) &&
		    !is_host_route_device(f, a, live_tunnel(f, c)))
			return a;
	}
	return NULL;
}

static void find_overlap(const struct facts *f, struct findings *out)
{
	char ts[TS_STRLEN], addr[IP_ADDR_STRLEN];
	size_t i, k;

	for (i = 0; i < f->n_children; i++) {
		const struct fact_child *c = &f->children[i];

		for (k = 0; k < c->n_remote; k++) {
			const struct fact_addr *a = overlapping(f, c, &c->remote[k]);

			if (!a)
				continue;
			ip_addr_format(&a->addr, addr, sizeof(addr));
			ts_format(&c->remote[k].ts, ts, sizeof(ts));
			live_finding_show(
			    live_finding_add(out, LIKELY,
					     "%s is said to be behind child %s, and this "
					     "host has %s/%u itself.",
					     ts, c->name, addr, a->bits),
			    "ip address: %s/%u", addr, a->bits);
		}
	}
}

static bool in_local(const struct fact_child *c, const struct ip_addr *addr)
{
	size_t i;

	for (i = 0; i < c->n_local; i++)
		if (ts_matches(&c->local[i].ts, addr, c->local[i].ts.proto, c->local[i].ts.port_lo,
			       true))
			return true;
	return false;
}

/* Only this host's own packets take the address that the kernel chooses. */
static void find_source(const struct facts *f, struct findings *out)
{
	char src[IP_ADDR_STRLEN];
	size_t i, k;

	for (i = 0; i < f->n_children; i++) {
		const struct fact_child *c = &f->children[i];

		for (k = 0; c->installed && k < c->n_remote; k++) {
			const struct fact_way *w = &c->remote[k].way;
			const struct fact_link *tunnel = live_tunnel(f, c);

			if (w->kind != WAY_OUT || !ip_addr_is_set(&w->src) || !tunnel ||
			    strcmp(w->dev, tunnel->name) != 0 || in_local(c, &w->src))
				continue;
			ip_addr_format(&w->src, src, sizeof(src));
			live_show_way(
			    live_finding_add(out, CERTAIN,
					     "What this host itself sends into child %s carries "
					     "%s, which is outside its local selectors.",
					     c->name, src),
			    w);
		}
	}
}

/* --- Out of the tunnel --- */

/* Local networks behind another device: packets between it and the tunnel are forwarded. */
static const struct fact_link *behind(const struct facts *f, const struct fact_child *c,
				      const struct fact_net *net)
{
	const struct fact_link *l;

	if (net->way.kind != WAY_OUT)
		return NULL;
	l = live_link(f, net->way.dev);
	return l && !l->loopback && l != live_tunnel(f, c) ? l : NULL;
}

static bool forwards(const struct fact_link *l, uint8_t family)
{
	return !l || (family == 6 ? l->forward6 : l->forward4);
}

static void judge_forwarding(const struct facts *f, struct findings *out,
			     const struct fact_child *c, const struct fact_net *net)
{
	const struct fact_link *lan = behind(f, c, net), *tunnel = live_tunnel(f, c);
	uint8_t family = ts_family(&net->ts);
	struct finding *found;
	char ts[TS_STRLEN];

	if (!lan || (forwards(lan, family) && forwards(tunnel, family)))
		return;
	found = live_finding_add(
	    out, CERTAIN, "%s is behind this host (%s), and the kernel does not forward %s.",
	    ts_format(&net->ts, ts, sizeof(ts)), lan->name, family == 6 ? "IPv6" : "IPv4");
	if (!forwards(lan, family))
		live_finding_show(found, "net.ipv%u.conf.%s.forwarding = 0", family, lan->name);
	if (!forwards(tunnel, family))
		live_finding_show(found, "net.ipv%u.conf.%s.forwarding = 0", family, tunnel->name);
	live_finding_detail(found, "Here: sysctl -w %s=1",
			    family == 6 ? "net.ipv6.conf.all.forwarding" : "net.ipv4.ip_forward");
}

static void find_forwarding(const struct facts *f, struct findings *out)
{
	size_t i, k;

	for (i = 0; i < f->n_children; i++)
		for (k = 0; k < f->children[i].n_local; k++)
			judge_forwarding(f, out, &f->children[i], &f->children[i].local[k]);
}

/* Strict: a packet must come in where the way back to its source leads out (RFC 3704 §2.2). */
static void judge_filter(struct findings *out, const struct facts *f, const struct fact_link *in,
			 const struct fact_way *back, const char *what)
{
	bool grows = fact_grown(&f->rp_filtered) > 0;
	struct finding *found;

	if (!in || in->rp_filter != 1 || back->kind != WAY_OUT || back->to.family != 4 ||
	    !strcmp(back->dev, in->name))
		return;
	found =
	    live_finding_add(out, grows ? CERTAIN : LIKELY,
			     "%s on %s are dropped: the way back to their sender leads out by %s.",
			     what, in->name, back->dev);
	live_finding_show(found, "net.ipv4.conf.%s.rp_filter = 1 (strict)", in->name);
	live_show_way(found, back);
	if (f->rp_filtered.now)
		live_finding_show(found, "nstat: TcpExtIPReversePathFilter %llu",
				  (unsigned long long)f->rp_filtered.now);
}

static void find_filter(const struct facts *f, struct findings *out)
{
	size_t i, k;

	for (i = 0; i < f->n_children; i++) {
		const struct fact_child *c = &f->children[i];
		const struct fact_link *tunnel = live_tunnel(f, c);

		for (k = 0; k < c->n_remote; k++)
			judge_filter(out, f, tunnel, &c->remote[k].way, "Decrypted packets");
	}
	judge_filter(out, f, live_link(f, f->peer.dev), &f->peer_back, "The peer's packets");
}

RULES(
    ways,
    {.id = "LIVE-link",
     .names = "",
     .kind = RULE_FAULT,
     .rank = 5,
     .unless = "",
     .title = "The tunnel's device is down, or not there",
     .why = "Traffic of a child with an interface ID goes through a device of that ID. Routes "
	    "through a device that is down are not used.",
     .remedy = "ip link set DEVICE up. beetd makes the device (or adopts a TUN device of that "
	       "name); for strongSwan: ip link add NAME type xfrm if_id ID.",
     .clause = "RFC 4301 §4.4.1",
     .find = find_link},
    {.id = "S15",
     .names = "F31; negotiation failure map 5; troubleshooting flow 4",
     .kind = RULE_FAULT,
     .rank = 12,
     .unless = "LIVE-link LIVE-overlap",
     .title = "There is no route into the tunnel",
     .why = "The kernel's route (or a rule before it) leads elsewhere, mostly to the default "
	    "gateway: packets then leave in the clear. IPsec with interface IDs installs no "
	    "routes.",
     .remedy =
	 "Add the route through the tunnel's interface, with an inner source address. Look at "
	 "ip rule, too.",
     .clause = "RFC 4301 §4.4.1, §5.1",
     .find = find_route},
    {.id = "LIVE-overlap",
     .names = "document 3: overlapping private ranges",
     .kind = RULE_FAULT,
     .rank = 11,
     .unless = "",
     .title = "Both ends use the same private network",
     .why =
	 "The network at home and the one behind the tunnel overlap: the kernel takes the nearer "
	 "one, and never asks the tunnel.",
     .remedy = "Renumber one of the networks, name smaller prefixes in remote_ts, or translate one "
	       "of them (NETMAP).",
     .clause = "RFC 4301 §4.4.1, RFC 1918 §3",
     .find = find_overlap},
    {.id = "LIVE-source",
     .names = "document 3: source address selection",
     .kind = RULE_NOTE,
     .rank = 72,
     .unless = "",
     .title = "This host's own packets do not fit the tunnel",
     .why = "The kernel gives them the address of the device, or the route's src. Forwarded "
	    "packets are not concerned, but ping from the gateway is.",
     .remedy =
	 "Name a source in the route (ip route ... src ADDRESS), or test with ping -I ADDRESS.",
     .clause = "RFC 4301 §5.1",
     .find = find_source},
    {.id = "LIVE-forwarding",
     .names = "F32; negotiation failure map 5; troubleshooting flow 6",
     .kind = RULE_FAULT,
     .rank = 10,
     .unless = "",
     .title = "The gateway does not forward",
     .why = "A kernel that does not forward drops what is not for itself, without a word: packets "
	    "from the network behind it never reach the tunnel, those out of the tunnel never "
	    "reach the network.",
     .remedy = "Switch forwarding on, and keep it so (/etc/sysctl.d).",
     .clause = "RFC 1812 §5.2, RFC 4301 §5",
     .find = find_forwarding},
    {.id = "F32",
     .names = "S10; negotiation failure map 5; troubleshooting flow 6",
     .kind = RULE_FAULT,
     .rank = 13,
     .unless = "S15 LIVE-overlap",
     .title = "The reverse path filter drops what the tunnel brings",
     .why = "Decrypted packets appear on another interface than the one that the route back names "
	    "(or the peer's outer packets do); a strict filter takes them for forged.",
     .remedy = "sysctl net.ipv4.conf.DEVICE.rp_filter=2 (loose); the greater of this and "
	       "net.ipv4.conf.all.rp_filter is in force.",
     .clause = "RFC 3704 §2.2, §2.4",
     .find = find_filter});
