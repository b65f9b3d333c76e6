/* rules_ways.c - findings of links, addresses and routes: whether packets get into the tunnel.
 *
 *	local net --- [forwarding] --- this host --- way to the remote selector --- tunnel device
 *	                                   '-------- way to the peer -------------- outer device
 *
 * The kernel's own decisions are the facts; a way that was not asked for proves nothing. */
#include "vpn/daemon/beetctl/explain/findings.h"

#include <stdio.h>
#include <string.h>

/* --- The tunnel's device --- */

/* beetd's own device: its routes are beetd's, too, and the kernel forgets them with the link. */
static void judge_own_link(struct findings *out, const struct fact_child *c,
			   const struct fact_link *l)
{
	struct finding *found;

	if (l && l->up)
		return;
	found = live_finding_add(out, CERTAIN, "The tunnel's device %s %s.",
				 l ? l->name : BEETD_DEVICE, l ? "is down" : "does not exist");
	live_finding_show(found, "child %s is installed, ip link: %s %s", c->name,
			  l ? l->name : BEETD_DEVICE, l ? "down" : "is not there");
	if (l)
		live_finding_detail(found,
				    "Here: ip link set %s up; its routes went with it, and come "
				    "again with the child: beetctl down %s, beetctl up %s.",
				    l->name, c->name, c->name);
	else
		live_finding_detail(found, "Here: restart beetd, which makes it.");
}

static void find_link(const struct facts *f, struct findings *out)
{
	const struct fact_child *c;
	const struct fact_link *l;
	size_t i;

	for (i = 0; f->n_links && i < f->n_children; i++) {
		c = &f->children[i];
		l = live_tunnel(f, c);
		if (!c->if_id && c->installed && live_needs_way(f, c))
			judge_own_link(out, c, l);
		if (!c->if_id || (l && l->up))
			continue;
		live_finding_show(live_finding_add(out, CERTAIN, "The tunnel's device %s %s.",
						   l ? l->name : "of the interface ID",
						   l ? "is down" : "does not exist"),
				  "child %s: interface ID %u, ip link: %s", c->name, c->if_id,
				  l ? "down" : "none with that ID");
	}
}

/* --- Routes --- */

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

		for (k = 0; c->if_id && k < c->n_remote; k++)
			if (leads_astray(f, c, &c->remote[k]))
				judge_way(f, out, c, &c->remote[k]);
		if (live_needs_way(f, c))
			find_route_of_forwarded(f, out, c);
	}
}

/* --- The routes that beetd makes --- */

static void judge_own_way(const struct facts *f, struct findings *out, const struct fact_child *c,
			  const struct fact_net *net)
{
	bool v6 = ts_family(&net->ts) == 6, ruled = v6 ? f->rule6 : f->rule4;
	bool gone = f->rules_known && !ruled;
	struct finding *found;
	char ts[TS_STRLEN];

	ts_format(&net->ts, ts, sizeof(ts));
	found = gone ? live_finding_add(out, CERTAIN,
					"The rule %d that leads into the tunnel is gone: packets "
					"for %s do not get there.",
					BEETD_TABLE, ts)
		     : live_finding_add(out, CERTAIN,
					"The route into the tunnel for %s is gone, or something "
					"before rule %d leads elsewhere.",
					ts, BEETD_TABLE);
	live_show_way(found, &net->way);
	if (f->rules_known)
		live_finding_show(found, "ip %srule: %s for table %d", v6 ? "-6 " : "",
				  ruled ? "there is one" : "none", BEETD_TABLE);
	if (gone)
		live_finding_detail(
		    found,
		    "Here: ip %srule add pref %d not fwmark %d lookup %d protocol %d (beetd "
		    "makes it once).",
		    v6 ? "-6 " : "", BEETD_TABLE, BEETD_TABLE, BEETD_TABLE, BEETD_TABLE);
	else
		live_finding_detail(found,
				    "Here: ip %sroute show table %d; beetd makes it again with the "
				    "child: beetctl down %s, beetctl up %s.",
				    v6 ? "-6 " : "", BEETD_TABLE, c->name, c->name);
}

static void find_own_route(const struct facts *f, struct findings *out)
{
	size_t i, k;

	for (i = 0; i < f->n_children; i++) {
		const struct fact_child *c = &f->children[i];

		for (k = 0; !c->if_id && live_needs_way(f, c) && k < c->n_remote; k++)
			if (leads_astray(f, c, &c->remote[k]))
				judge_own_way(f, out, c, &c->remote[k]);
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

RULES(
    ways,
    {.id = "LIVE-link",
     .names = "",
     .kind = RULE_FAULT,
     .rank = 5,
     .unless = "",
     .title = "The tunnel's device is down, or not there",
     .why = "Traffic of a child with an interface ID goes through a device of that ID, that of "
	    "others through beetd's own. Routes through a device that is down are not used.",
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
    {.id = "LIVE-route",
     .names = "S15, F31; negotiation failure map 5; troubleshooting flow 4",
     .kind = RULE_FAULT,
     .rank = 12,
     .unless = "LIVE-link LIVE-overlap",
     .title = "beetd's own route into the tunnel is not in force",
     .why = "For children without an interface ID beetd makes routes in a table of its own, and "
	    "a rule that leads there. Something has removed one of them (a network manager, ip "
	    "route flush), or another rule comes before: packets then leave in the clear.",
     .remedy = "Restore it, and keep the network manager from foreign rules and routes "
	       "(systemd-networkd: ManageForeignRoutingPolicyRules=no).",
     .clause = "RFC 4301 §4.4.1, §5.1",
     .find = find_own_route},
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
     .find = find_source});
