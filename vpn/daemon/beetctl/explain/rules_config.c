/* rules_config.c - notes on what was negotiated, and the sizes of packets: things that work and are
 * not what somebody may think, and the MTU that a device promises and the tunnel cannot keep. */
#include "vpn/daemon/beetctl/explain/findings.h"

#include <stdio.h>
#include <string.h>

#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define UDP_HEADER  8
/* SPI, sequence number, IV of 8, padding length, next header, ICV of 16: the least that there is
 * (RFC 4303 §2, RFC 4106 §3, RFC 7634 §2). */
#define ESP_LEAST 34

/* --- Modes and selectors --- */

static void find_mode(const struct facts *f, struct findings *out)
{
	size_t i;

	for (i = 0; i < f->n_children; i++) {
		const struct fact_child *c = &f->children[i];

		if (c->mode_reason[0])
			live_finding_show(live_finding_add(out, CERTAIN,
							   "Child %s was to be %s and is %s.",
							   c->name, c->mode, c->sa_mode),
					  "list-sas, child %s: %s", c->name, c->mode_reason);
	}
}

static bool is_covered(const struct ts *ts, const struct fact_net *nets, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (ts_contains(&nets[i].ts, ts))
			return true;
	return false;
}

static void judge_narrowed(struct findings *out, const struct fact_child *c, const char *side,
			   const struct ts *cfg, size_t n_cfg, const struct fact_net *nets,
			   size_t n)
{
	char ts[TS_STRLEN];
	size_t i;

	for (i = 0; i < n_cfg; i++)
		if (!cfg[i].dynamic && !is_covered(&cfg[i], nets, n))
			live_finding_show(
			    live_finding_add(out, CERTAIN,
					     "Child %s carries less than it is configured for.",
					     c->name),
			    "list-sas, child %s: %s %s is configured and not, or not "
			    "whole, in the SA",
			    c->name, side, ts_format(&cfg[i], ts, sizeof(ts)));
}

static void find_narrowed(const struct facts *f, struct findings *out)
{
	size_t i;

	for (i = 0; i < f->n_children; i++) {
		const struct fact_child *c = &f->children[i];

		if (!c->installed || !c->configured)
			continue;
		judge_narrowed(out, c, "local_ts", c->cfg_local, c->n_cfg_local, c->local,
			       c->n_local);
		judge_narrowed(out, c, "remote_ts", c->cfg_remote, c->n_cfg_remote, c->remote,
			       c->n_remote);
	}
}

static void find_self(const struct facts *f, struct findings *out)
{
	char ts[TS_STRLEN];
	size_t i;

	for (i = 0; i < f->n_children; i++) {
		const struct fact_child *c = &f->children[i];

		if (c->n_local != 1 || c->n_remote != 1 ||
		    !ts_eq(&c->local[0].ts, &c->remote[0].ts) || ip_addr_is_any(&c->local[0].ts.lo))
			continue;
		ts_format(&c->local[0].ts, ts, sizeof(ts));
		live_finding_show(
		    live_finding_add(out, CERTAIN, "Child %s has %s at both ends.", c->name, ts),
		    "local_ts = remote_ts = %s", ts);
	}
}

/* --- Sizes --- */

static uint32_t overhead(const struct facts *f, const struct fact_child *c)
{
	uint32_t outer = f->peer.to.family == 6 ? IPV6_HEADER : IPV4_HEADER;

	return outer + (c->encap ? UDP_HEADER : 0) + ESP_LEAST;
}

/* BEET and transport leave the inner header out, so tunnel mode alone is sure to be longer. */
static void find_mtu(const struct facts *f, struct findings *out)
{
	const struct fact_link *outer = live_link(f, f->peer.dev), *tunnel;
	size_t i;

	for (i = 0; f->peer.kind == WAY_OUT && outer && i < f->n_children; i++) {
		const struct fact_child *c = &f->children[i];

		tunnel = live_tunnel(f, c);
		if (!c->installed || !tunnel || c->tcp_mss || strcmp(c->sa_mode, "TUNNEL") != 0 ||
		    tunnel->mtu + overhead(f, c) <= outer->mtu)
			continue;
		live_finding_show(
		    live_finding_add(out, CERTAIN,
				     "%s takes packets of %u octets; at most %u fit, and the "
				     "MSS is not clamped.",
				     tunnel->name, tunnel->mtu, outer->mtu - overhead(f, c)),
		    "ip link: %s mtu %u, %s mtu %u; the tunnel adds at least %u", tunnel->name,
		    tunnel->mtu, outer->name, outer->mtu, overhead(f, c));
	}
}

RULES(
    config,
    {.id = "S1",
     .names = "",
     .kind = RULE_NOTE,
     .rank = 75,
     .unless = "",
     .title = "The mode that was asked for was not agreed on",
     .why = "Mode is negotiated by a notify in both directions. strongSwan's BEET notify is "
	    "private, believed only from a peer that shows strongSwan's vendor ID, and needs one "
	    "host at each end; otherwise both fall back to tunnel mode in silence.",
     .remedy = "charon.send_vendor_id = yes at both ends, and the same mode in both "
	       "configurations.",
     .clause = "RFC 7296 §1.3.1",
     .find = find_mode},
    {.id = "MAP-narrowed",
     .names = "F36; negotiation failure map 4; troubleshooting flow 4",
     .kind = RULE_NOTE,
     .rank = 70,
     .unless = "",
     .title = "The responder has narrowed the selectors",
     .why =
	 "It allows less than was asked for (some devices know one subnet a child). What is left "
	 "out is not in the tunnel.",
     .remedy = "If more should be in, compare local_ts and remote_ts of both ends; one child for "
	       "each pair of subnets.",
     .clause = "RFC 7296 §2.9",
     .find = find_narrowed},
    {.id = "S5",
     .names = "",
     .kind = RULE_NOTE,
     .rank = 80,
     .unless = "",
     .title = "Local and remote selector of a child are the same",
     .why = "Both ends are inside one prefix. It works, and it hides every mistake that is not "
	    "symmetrical.",
     .remedy = "Name each end's own addresses.",
     .clause = "RFC 7296 §2.9",
     .find = find_self},
    {.id = "LIVE-mtu",
     .names = "F15, S11; troubleshooting flow 7; document 4: MTU",
     .kind = RULE_NOTE,
     .rank = 71,
     .unless = "F15",
     .title = "The tunnel's device promises more than fits",
     .why = "Longer packets are answered with ICMP, and everything depends on its arriving at the "
	    "sender.",
     .remedy = "tcp_mss = path at the child, or ip link set DEVICE mtu to what fits.",
     .clause = "RFC 4301 §8.2",
     .find = find_mtu});
