/* rules_peer.c - findings of the way to the peer: no route, a route into the tunnel itself, a local
 * address that this host does not have. */
#include "vpn/daemon/beetctl/explain/findings.h"

#include <stdio.h>
#include <string.h>

/* With it went its routes; an IPv4 address stays. */
static const struct fact_link *link_that_is_down(const struct facts *f)
{
	size_t i, k;

	for (i = 0; i < f->n_links; i++)
		for (k = 0; k < f->n_addrs && !f->links[i].up && !f->links[i].loopback; k++)
			if (f->addrs[k].ifindex == f->links[i].index)
				return &f->links[i];
	return NULL;
}

static void find_peer_route(const struct facts *f, struct findings *out)
{
	const struct fact_link *down = link_that_is_down(f);
	struct finding *found;
	char to[IP_ADDR_STRLEN];

	if (f->peer.kind != WAY_NONE)
		return;
	found =
	    live_finding_add(out, CERTAIN, "There is no route to the peer %s%s%s%s.",
			     ip_addr_format(&f->peer.to, to, sizeof(to)), down ? ": the link " : "",
			     down ? down->name : "", down ? " is down" : "");
	live_show_way(found, &f->peer);
	if (down) {
		live_finding_show(found, "ip link: %s is down", down->name);
		live_finding_detail(found, "Here: ip link set %s up, and its routes again",
				    down->name);
	}
}

static void find_peer_inside(const struct facts *f, struct findings *out)
{
	const struct fact_link *l = live_link(f, f->peer.dev);
	size_t i;

	if (f->peer.kind != WAY_OUT || !l)
		return;
	for (i = 0; i < f->n_children; i++) {
		if (live_tunnel(f, &f->children[i]) != l)
			continue;
		live_show_way(live_finding_add(out, CERTAIN,
					       "The peer is routed into its own tunnel (%s).",
					       l->name),
			      &f->peer);
		return;
	}
}

/* Numeric addresses, of which the host has none. */
static void find_local_address(const struct facts *f, struct findings *out)
{
	char list[FACT_TEXT_MAX], *at, *word;
	struct ip_addr addr;
	bool any = false;

	snprintf(list, sizeof(list), "%s", f->local_addrs);
	for (word = strtok_r(list, " ", &at); word; word = strtok_r(NULL, " ", &at)) {
		if (ip_addr_parse(word, &addr) || ip_addr_is_any(&addr) || live_is_own(f, &addr))
			return;
		any = true;
	}
	if (any && f->n_addrs)
		live_finding_show(live_finding_add(out, CERTAIN,
						   "This host has none of the addresses that "
						   "the connection says are its own."),
				  "local_addrs = %s; ip address: none of them", f->local_addrs);
}

RULES(
    peer,
    {.id = "LIVE-peer-route",
     .names = "negotiation failure map 1; troubleshooting flow 1",
     .kind = RULE_FAULT,
     .rank = 3,
     .unless = "",
     .title = "There is no route to the peer",
     .why = "Without one nothing leaves this host.",
     .remedy = "Look at ip route, at the uplink, and at the address in remote_addrs.",
     .clause = "RFC 1122 §3.3.1",
     .find = find_peer_route},
    {.id = "LIVE-peer-inside",
     .names = "",
     .kind = RULE_FAULT,
     .rank = 4,
     .unless = "",
     .title = "The peer's own address is routed into the tunnel",
     .why = "ESP packets to the peer would have to go through the SA that makes them.",
     .remedy = "Add a host route to the peer through the outer interface, or narrow the selectors.",
     .clause = "RFC 4301 §4.4.1",
     .find = find_peer_inside},
    {.id = "LIVE-local-address",
     .names = "",
     .kind = RULE_FAULT,
     .rank = 3,
     .unless = "",
     .title = "This host does not have the connection's local address",
     .why = "local_addrs names an address that is not, or no longer, on any of its links (a new "
	    "lease, another host's file). Behind a NAT the private address belongs there.",
     .remedy = "Correct local_addrs, or leave it out: the kernel then chooses.",
     .clause = "RFC 7296 §2.23",
     .find = find_local_address});
