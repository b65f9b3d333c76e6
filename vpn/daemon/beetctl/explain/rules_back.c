/* rules_back.c - findings of forwarding and of reverse path filters: whether what comes out of the
 * tunnel is let in, and let through.
 *
 *	tunnel device --- [reverse path filter] --- [forwarding] --- local net
 *
 * The kernel's own decisions are the facts; a way that was not asked for proves nothing. */
#include "vpn/daemon/beetctl/explain/findings.h"

#include <stdio.h>
#include <string.h>

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

/* What has to be changed is the variable that holds the value. */
static void show_filter(struct finding *found, const struct facts *f, const struct fact_link *in)
{
	if (in->rp_filter == 1)
		live_finding_show(found, "net.ipv4.conf.%s.rp_filter = 1 (strict)", in->name);
	if (f->rp_filter_all == 1)
		live_finding_show(found,
				  "net.ipv4.conf.all.rp_filter = 1 (strict), of %s %d: the greater "
				  "is in force",
				  in->name, in->rp_filter);
	live_finding_detail(found, "Here: sysctl net.ipv4.conf.%s.rp_filter=2", in->name);
}

/* Strict: a packet must come in where the way back to its source leads out (RFC 3704 §2.2). */
static void judge_filter(struct findings *out, const struct facts *f, const struct fact_link *in,
			 const struct fact_way *back, const char *what)
{
	bool grows = fact_grown(&f->rp_filtered) > 0;
	struct finding *found;

	if (!in || live_rp_filter(f, in) != 1 || back->kind != WAY_OUT || back->to.family != 4 ||
	    !strcmp(back->dev, in->name))
		return;
	found =
	    live_finding_add(out, grows ? CERTAIN : LIKELY,
			     "%s on %s are dropped: the way back to their sender leads out by %s.",
			     what, in->name, back->dev);
	show_filter(found, f, in);
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

		for (k = 0; live_needs_way(f, c) && k < c->n_remote; k++)
			judge_filter(out, f, tunnel, &c->remote[k].way, "Decrypted packets");
	}
	judge_filter(out, f, live_link(f, f->peer.dev), &f->peer_back, "The peer's packets");
}

RULES(
    back,
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
     .unless = "S15 LIVE-route LIVE-link LIVE-overlap",
     .title = "The reverse path filter drops what the tunnel brings",
     .why = "Decrypted packets appear on another interface than the one that the route back names "
	    "(or the peer's outer packets do); a strict filter takes them for forged.",
     .remedy = "sysctl net.ipv4.conf.DEVICE.rp_filter=2 (loose); the greater of this and "
	       "net.ipv4.conf.all.rp_filter is in force.",
     .clause = "RFC 3704 §2.2, §2.4",
     .find = find_filter});
