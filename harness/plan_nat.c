/* plan_nat.c - NAT boxes: what a node that is one needs.
 *
 * The kernel's own masquerading maps and filters by address and port (RFC 4787 §4.1, §5): the usual
 * box is that, with its rules. Every other behaviour is the wire's at its outside interface
 * (netns/nat_box.h): the node then only forwards, and its kernel tracks no connections. */
#include "harness/plan_internal.h"

#include <string.h>

#include "netns/link_rng.h"
#include "netns/nat_box.h"

#define NAT_TIMEOUT (120 * LINK_S) /* RFC 4787 §4.3 REQ-5: not less */

static const char masquerading[] =
    "table ip nat {\n"
    "	chain postrouting {\n"
    "		type nat hook postrouting priority srcnat; policy accept;\n"
    "		ip saddr %s oifname \"%s\" masquerade%s\n"
    "	}\n"
    "}\n"
    "table ip filter {\n"
    "	chain input {\n"
    "		type filter hook input priority filter; policy accept;\n"
    "		ct state established,related accept\n"
    "		iifname \"%s\" ip protocol != icmp drop\n"
    "	}\n"
    "	chain forward {\n"
    "		type filter hook forward priority filter; policy accept;\n"
    "		ct state established,related accept\n"
    "		iifname \"%s\" drop\n"
    "	}\n"
    "}\n";

static int add_timeout(struct plan_making *m, const struct sc_node *node)
{
	char *seconds = doc_alloc(m->doc, 16);
	int err;

	if (!seconds)
		return plan_no_memory(m);
	snprintf(seconds, 16, "%u", (node->nat.udp_ms + 999) / 1000);
	err = plan_add_sysctl(m, node->name, "net.netfilter.nf_conntrack_udp_timeout", seconds);
	return err < 0 ? err
		       : plan_add_sysctl(m, node->name,
					 "net.netfilter.nf_conntrack_udp_timeout_stream", seconds);
}

static int add_masquerading(struct plan_making *m, const struct sc_node *node)
{
	const struct sc_nat *nat = &node->nat;
	size_t cap = sizeof(masquerading) + 256;
	char *text = doc_alloc(m->doc, cap);
	int err;

	if (!text)
		return plan_no_memory(m);
	snprintf(text, cap, masquerading, nat->inside, nat->outside,
		 nat->ports == NAT_PORTS_RANDOM ? " fully-random" : "", nat->outside, nat->outside);
	err = plan_add_rules(m, node->name, text, NULL, 0);
	return err < 0 || !nat->udp_ms ? err : add_timeout(m, node);
}

/* What inside hosts send to the outside address leaves towards the wire, and what comes back from
 * there has that address as its source. */
static const char hairpinning[] =
    "table ip hairpin {\n"
    "	chain prerouting {\n"
    "		type filter hook prerouting priority raw; policy accept;\n"
    "		ip saddr %s ip daddr %s notrack ip daddr set " NAT_BOX_HAIRPIN "\n"
    "	}\n"
    "}\n";

static int add_hairpinning(struct plan_making *m, const struct sc_node *node)
{
	size_t cap = sizeof(hairpinning) + 256;
	char *text = doc_alloc(m->doc, cap);
	char outside[IP_ADDR_STRLEN];
	struct nat_params params;
	int err;

	if (!text)
		return plan_no_memory(m);
	err = plan_nat_params(m->plan, node->name, &node->nat, &params, m->msg);
	if (err < 0)
		return err;
	snprintf(text, cap, hairpinning, node->nat.inside,
		 ip_addr_format(&params.outside, outside, sizeof(outside)));
	err = plan_add_rules(m, node->name, text, NULL, 0);
	return err < 0 ? err
		       : plan_add_sysctl(m, node->name, "net.ipv4.conf.all.accept_local", "1");
}

int plan_add_nat(struct plan_making *m, const struct sc_node *node)
{
	int err;

	if (!node->nat.inside)
		return 0;
	err = plan_add_sysctl(m, node->name, "net.ipv4.ip_forward", "1");
	if (err < 0)
		return err;
	if (!sc_nat_is_modelled(&node->nat))
		return add_masquerading(m, node);
	return node->nat.hairpin ? add_hairpinning(m, node) : 0;
}

bool sc_nat_is_modelled(const struct sc_nat *nat)
{
	return nat->inside && (nat->mapping || nat->filtering || nat->hairpin || nat->pass_through);
}

/* The first IPv4 address of an interface. */
static bool find_outside(const struct topology *topo, const char *node, const char *ifname,
			 struct ip_addr *ret_addr)
{
	unsigned bits;
	size_t i;

	for (i = 0; i < topo->addresses_count; i++)
		if (strcmp(topo->addresses[i].node, node) == 0 &&
		    strcmp(topo->addresses[i].ifname, ifname) == 0 &&
		    topology_parse_prefix(topo->addresses[i].prefix, ret_addr, &bits) == 0 &&
		    ret_addr->family == 4)
			return true;
	return false;
}

int plan_nat_params(const struct plan *plan, const char *node, const struct sc_nat *nat,
		    struct nat_params *ret_params, struct err_msg *msg)
{
	struct nat_params params = {
	    .mapping = (enum nat_behaviour)(NAT_ADDRESS_AND_PORT_DEPENDENT - nat->mapping),
	    .filtering = (enum nat_behaviour)(NAT_ADDRESS_AND_PORT_DEPENDENT - nat->filtering),
	    .preserve_ports = nat->ports == NAT_PORTS_PRESERVE,
	    .hairpin = nat->hairpin,
	    .pass_through = nat->pass_through,
	    .refresh_in = true,
	    .timeout = nat->udp_ms ? nat->udp_ms * LINK_MS : NAT_TIMEOUT,
	};

	if (!find_outside(&plan->topology, node, nat->outside, &params.outside))
		return doc_error(plan->scenario->doc, nat->line, msg,
				 "%s has no IPv4 address on %s, for a NAT box to speak from", node,
				 nat->outside);
	params.seed = plan->seed;
	*ret_params = params;
	return 0;
}
