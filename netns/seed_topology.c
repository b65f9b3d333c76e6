/* seed_topology.c - the tables of the seed document's network. See the header for the picture.
 *
 * The addresses are those of the documentation ranges (RFC 5737, RFC 3849). The internet router has
 * no route to 192.168.1.0/24, so that nothing from the lab can arrive by its inner address. The ISP
 * box drops what comes in unasked, as such boxes do; pings of its outer address are answered.
 *
 * The sysctls are those of the document's step 1 where it sets them (vps, lab-gw): rp_filter 2,
 * since decrypted packets appear on another interface than the one that the route back names. */
#include "netns/seed_topology.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char *const nodes[] = {"vps", "inet", "isp", "lab-gw", "host28", "host200"};

#define ROUTER(node)                                      \
	{node, "net.ipv4.ip_forward", "1"},               \
	{                                                 \
		node, "net.ipv6.conf.all.forwarding", "1" \
	}
#define VPN_GATEWAY(node)                                             \
	ROUTER(node), {node, "net.ipv4.conf.default.rp_filter", "2"}, \
	{                                                             \
		node, "net.ipv4.conf.all.rp_filter", "2"              \
	}

static const struct topo_sysctl sysctls[] = {
    VPN_GATEWAY("vps"),
    VPN_GATEWAY("lab-gw"),
    ROUTER("inet"),
    ROUTER("isp"),
};

static const struct topo_link links[] = {
    {.a = {"vps", "eth0"}, .b = {"inet", "vps0"}},
    {.a = {"inet", "isp0"}, .b = {"isp", "wan"}},
    {.a = {"isp", "lan1"}, .b = {"lab-gw", "eth0"}},
    {.a = {"isp", "lan2"}, .b = {"host28", "eth0"}},
    {.a = {"isp", "lan3"}, .b = {"host200", "eth0"}},
};

static const struct topo_bridge bridges[] = {
    {.node = "isp", .ifname = "br-lan", .ports = {"lan1", "lan2", "lan3"}},
};

static const struct topo_address addresses[] = {
    {"vps", "eth0", "203.0.113.10/24"},	     {"vps", "eth0", "2001:db8:203::10/64"},
    {"inet", "vps0", "203.0.113.1/24"},	     {"inet", "vps0", "2001:db8:203::1/64"},
    {"inet", "isp0", "198.51.100.1/24"},     {"inet", "isp0", "2001:db8:198::1/64"},
    {"isp", "wan", "198.51.100.2/24"},	     {"isp", "wan", "2001:db8:198::2/64"},
    {"isp", "br-lan", "192.168.1.1/24"},     {"isp", "br-lan", "2001:db8:192::1/64"},
    {"lab-gw", "eth0", "192.168.1.2/24"},    {"lab-gw", "eth0", "2001:db8:192::2/64"},
    {"host28", "eth0", "192.168.1.28/24"},   {"host28", "eth0", "2001:db8:192::28/64"},
    {"host200", "eth0", "192.168.1.200/24"}, {"host200", "eth0", "2001:db8:192::200/64"},
};

static const struct topo_route routes[] = {
    {"vps", "default", "203.0.113.1", NULL},
    {"vps", "default", "2001:db8:203::1", NULL},
    {"inet", "2001:db8:192::/64", "2001:db8:198::2", NULL},
    {"isp", "default", "198.51.100.1", NULL},
    {"isp", "default", "2001:db8:198::1", NULL},
    {"isp", "10.254.0.0/30", "192.168.1.2", NULL},
    {"lab-gw", "default", "192.168.1.1", NULL},
    {"lab-gw", "default", "2001:db8:192::1", NULL},
    {"host28", "default", "192.168.1.1", NULL},
    {"host28", "default", "2001:db8:192::1", NULL},
    {"host28", "10.254.0.0/30", "192.168.1.2", NULL},
    {"host200", "default", "192.168.1.1", NULL},
    {"host200", "default", "2001:db8:192::1", NULL},
    {"host200", "10.254.0.0/30", "192.168.1.2", NULL},
};

#define ISP_RULES(masquerade)                                                     \
	"table ip nat {\n"                                                        \
	"	chain postrouting {\n"                                                  \
	"		type nat hook postrouting priority srcnat; policy accept;\n"           \
	"		ip saddr 192.168.1.0/24 oifname \"wan\" " masquerade "\n" \
	"	}\n"                                                                    \
	"}\n"                                                                     \
	"table ip filter {\n"                                                     \
	"	chain input {\n"                                                        \
	"		type filter hook input priority filter; policy accept;\n"              \
	"		ct state established,related accept\n"                                 \
	"		iifname \"wan\" ip protocol != icmp drop\n"                            \
	"	}\n"                                                                    \
	"	chain forward {\n"                                                      \
	"		type filter hook forward priority filter; policy accept;\n"            \
	"		ct state established,related accept\n"                                 \
	"		iifname \"wan\" drop\n"                                                \
	"	}\n"                                                                    \
	"}\n"

static const struct topo_rules rules_preserve[] = {
    {.node = "isp", .text = ISP_RULES("masquerade")}};
static const struct topo_rules rules_random[] = {
    {.node = "isp", .text = ISP_RULES("masquerade fully-random")}};

void seed_topology(enum seed_nat nat, struct topology *ret_topo)
{
	*ret_topo = (struct topology){
	    .nodes = nodes,
	    .nodes_count = COUNT(nodes),
	    .sysctls = sysctls,
	    .sysctls_count = COUNT(sysctls),
	    .links = links,
	    .links_count = COUNT(links),
	    .bridges = bridges,
	    .bridges_count = COUNT(bridges),
	    .addresses = addresses,
	    .addresses_count = COUNT(addresses),
	    .routes = routes,
	    .routes_count = COUNT(routes),
	    .rules = nat == SEED_NAT_RANDOM ? rules_random : rules_preserve,
	    .rules_count = 1,
	};
}
