/* levers.c - the table: finding, who is at fault, how to make it again.
 *
 * The network does what it can be made to do on a wire (aims, MTU) and at a node (nftables,
 * conntrack); an end is configured otherwise, or is a daemon that has the fault. What no end here
 * can be made to do stands in the second table, with what it would take. */
#include "harness/reproduce/levers.h"

#include <stddef.h>
#include <string.h>

#define PING	  "  - ping: {from: lab-gw, address: @r@}\n"
#define PING_BACK "  - ping: {from: vps, address: @i@}\n"
/* The mapping is lost after as much silence as in the capture. */
#define MAPPING_ENDS PING "@silence@  - nat-reboot: isp\n"
/* Whether an answer comes is not asked. */
#define PINGS_FROM_LAB "  - shell: {node: lab-gw, run: \"ping -c 8 -i 0.5 -W 1 @r@; true\"}\n"
#define TRANSFER_STALLS                                                                      \
	"  - tcp: {from: @sender@, to: @taker@, address: @taken_at@, octets: 100k, expect: " \
	"fail}\n"
#define VPS_IS_GONE                                                                         \
	"  - impair: {wire: inet-isp, to: {aims: [{drop: {filter: \"@family@ and dst host " \
	"@vps@\"}}]}}\n"

static const struct lever healthy = {
    .finding = "", .party = "nobody", .how = "nothing is wrong", .flags = LEVER_NETWORK_OK};

static const struct lever levers[] = {
    {.finding = "F06",
     .party = "the network",
     .how = "UDP port 4500 is dropped between the ends",
     .flags = LEVER_FAILS,
     .aims = "drop: {filter: udp port 4500}\n"},
    {.finding = "MAP-init",
     .party = "the network",
     .how = "UDP ports 500 and 4500 are dropped on the way to the responder",
     .flags = LEVER_FAILS,
     .aims = "drop: {filter: udp dst port 500 or udp dst port 4500}\n"},
    {.finding = "MAP-refused",
     .party = "the responder",
     .how = "its host is there, and no daemon listens",
     .flags = LEVER_FAILS | LEVER_NO_RESPONDER},
    {.finding = "MAP-version",
     .party = "the initiator",
     .how = "it speaks IKEv1 (strongSwan), and the responder IKEv2 alone",
     .flags = LEVER_FAILS | LEVER_IKEV1,
     .initiator_peer = "strongswan"},
    {.finding = "F45",
     .party = "the responder",
     .how = "it leaves its address after a first tunnel, and nothing there answers",
     .flags = LEVER_LEFT_UP | LEVER_WIRE,
     .steps = PING "  - terminate: {node: lab-gw, ike: pair}\n"
		   "  - wait: {node: lab-gw, sas: 0}\n"
		   "  - wait: {node: vps, sas: 0}\n" VPS_IS_GONE
		   "  - initiate: {node: lab-gw, child: net, expect: fail}\n"},
    {.finding = "MAP-unanswered",
     .party = "the responder",
     .how = "it is switched off while the tunnel is up, and liveness checks find out",
     .flags = LEVER_LEFT_UP | LEVER_WIRE,
     .steps = PING VPS_IS_GONE "  - kill: vps\n"
			       "  - wait: {node: lab-gw, sas: 0, within: 60s}\n",
     .initiator_conn = "dpd_delay = 1s\n",
     .may_fail = "no-sa-left"},
    {.finding = "F27",
     .party = "the initiator's host",
     .how = "its firewall drops the responses that arrive",
     .flags = LEVER_FAILS,
     .setup = "  - shell: {node: lab-gw, run: \"nft 'add table inet fault; add chain inet fault "
	      "input { type filter hook input priority 0; }; add rule inet fault input udp sport "
	      "{ 500, 4500 } drop'\"}\n"},
    {.finding = "MAP-proposal",
     .party = "the responder",
     .how = "its IKE proposal has nothing in common with the initiator's",
     .flags = LEVER_FAILS | LEVER_OTHER_IKE | LEVER_NETWORK_OK},
    {.finding = "MAP-esp-proposal",
     .party = "the responder",
     .how = "its ESP proposal has nothing in common with the initiator's",
     .flags = LEVER_FAILS | LEVER_OTHER_ESP | LEVER_NETWORK_OK},
    {.finding = "MAP-auth",
     .party = "an end",
     .how = "the ends have different secrets",
     .flags = LEVER_FAILS | LEVER_OTHER_SECRET | LEVER_NETWORK_OK},
    {.finding = "MAP-refusal",
     .party = "an end",
     .how =
	 "the ends have different secrets (without keys it does not show why IKE_AUTH is refused)",
     .flags = LEVER_FAILS | LEVER_OTHER_SECRET | LEVER_NETWORK_OK},
    {.finding = "F41",
     .party = "the initiator",
     .how = "its identity is an address written as a name, which its certificate does not have",
     .flags = LEVER_FAILS | LEVER_CERTIFICATES | LEVER_NETWORK_OK,
     .initiator_id = "@192.168.1.2"},
    {.finding = "F43",
     .party = "the initiator",
     .how = "its certificate has expired",
     .flags = LEVER_FAILS | LEVER_CERTIFICATES | LEVER_EXPIRED | LEVER_NETWORK_OK},
    {.finding = "F37",
     .party = "the responder",
     .how = "it has other selectors for the initiator's side",
     .flags = LEVER_FAILS | LEVER_OTHER_TS | LEVER_NETWORK_OK,
     .steps = "  - terminate: {node: lab-gw, ike: pair}\n  - wait: {node: vps, sas: 0}\n"},
    {.finding = "F36",
     .party = "the responder",
     .how = "it takes the first of several selectors",
     .flags = LEVER_NETWORK_OK,
     .steps = PING},
    {.finding = "F19",
     .party = "the ends",
     .how = "their ESP proposals name different groups, which the first rekeying shows",
     .flags = LEVER_OTHER_GROUP | LEVER_NETWORK_OK,
     .steps = PING "  - rekey: {nodes: [@rekeyer@], child: net, detached: true}\n"
		   "  - idle: 3s\n"},
    {.finding = "F20",
     .party = "the initiator",
     .how = "two rekeyings of the child meet with their first request and the first deletion lost, "
	    "and strongSwan there goes on sending by the SA that the responder has let go",
     .aims = "drop: {message: CREATE_CHILD_SA, kind: request, nth: 1, to: inet}\n"
	     "drop: {message: INFORMATIONAL, kind: request, nth: 1, to: isp}\n",
     .steps = PING "  - rekey: {nodes: [lab-gw, vps], child: net, detached: true}\n"
		   "  - idle: 5s\n"
		   "  - shell: {node: vps, run: \"ping -c 5 -i 0.3 -W 1 @i@ && exit 1; true\"}\n",
     .initiator_conn = "rekey_time = 0\n",
     .responder_conn = "rekey_time = 0\n",
     .initiator_peer = "strongswan",
     .may_fail = "cleartext"},
    {.finding = "F25",
     .party = "the responder",
     .how = "it keeps an IKE SA that the initiator has given up without its hearing of that, and "
	    "begins a child there beside that of the new IKE SA",
     .flags = LEVER_KNOWN_PEER | LEVER_LEFT_UP,
     .steps = PING
     "  - shell: {node: isp, run: \"nft 'add table inet fault; add chain inet fault forward { type "
     "filter hook forward priority -300; }; add rule inet fault forward @family@ saddr @vps@ "
     "drop'\"}\n"
     "  - rekey: {nodes: [lab-gw], ike: pair, detached: true}\n"
     "  - wait: {node: lab-gw, sas: 0, within: 90s}\n"
     "  - shell: {node: isp, run: nft delete table inet fault}\n"
     "  - initiate: {node: lab-gw, child: net}\n" PING
     "  - initiate: {node: vps, child: net}\n" PING "  - terminate: {node: lab-gw, ike: pair}\n"
     "  - wait: {node: lab-gw, sas: 0}\n",
     .may_fail = "no-sa-left"},
    {.finding = "F26",
     .party = "the ends",
     .how = "both begin within one round trip, and keep both IKE SAs",
     .flags = LEVER_KNOWN_PEER | LEVER_BEGINS | LEVER_NO_NAT,
     .steps = "  - initiate: {node: lab-gw, child: net, detached: true}\n"
	      "  - initiate: {node: vps, child: net, detached: true}\n"
	      "  - wait: {node: lab-gw, sas: 2}\n"
	      "  - wait: {node: vps, sas: 2}\n"
	      "  - wait: {node: lab-gw, children: 2}\n" PING PING_BACK "  - idle: 3s\n",
     .initiator_conn = "unique = never\n",
     .responder_conn = "unique = never\n"},
    {.finding = "F28",
     .party = "the responder",
     .how = "it cuts the tag of HMAC-SHA2-256 to 96 bits",
     .flags = LEVER_NETWORK_OK,
     .steps = PINGS_FROM_LAB
     "  - shell: {node: vps, run: \"ping -c 8 -i 0.2 -W 1 @i@ && exit 1; true\"}\n",
     .responder_child = "sha256_96 = yes\n"},
    {.finding = "F01",
     .party = "the responder",
     .how = "the NAT box forgets its mappings, and strongSwan with kernel-libipsec, which follows "
	    "packets of IKE alone, goes on sending to the old port",
     .flags = LEVER_LEFT_UP,
     .steps = MAPPING_ENDS PINGS_FROM_LAB,
     .responder_peer = "strongswan"},
    {.finding = "F02",
     .party = "the responder",
     .how = "the NAT box gets another address, and strongSwan with kernel-libipsec, which follows "
	    "packets of IKE alone, goes on sending to the old one",
     .flags = LEVER_LEFT_UP,
     .steps = PING
     "@silence@"
     "  - shell: {node: isp, run: \"ip addr add 198.51.100.7/24 dev wan && nft flush chain ip nat "
     "postrouting && nft add rule ip nat postrouting ip saddr 192.168.1.0/24 oifname wan snat to "
     "198.51.100.7\"}\n"
     "  - nat-reboot: isp\n" PINGS_FROM_LAB,
     .responder_peer = "strongswan"},
    {.finding = "F03",
     .party = "the network",
     .how = "the NAT box forgets its mappings while the tunnel is idle, and keep-alives alone "
	    "make new ones",
     .flags = LEVER_LEFT_UP,
     .steps = MAPPING_ENDS "  - idle: 5s\n"
			   "  - shell: {node: vps, run: \"ping -c 6 -i 0.5 -W 1 @i@; true\"}\n",
     .initiator_args = ", --keepalive, \"2\""},
    {.finding = "MAP-expired",
     .party = "the network",
     .how = "the NAT box forgets its mappings while the tunnel is idle, and the responder speaks "
	    "first",
     .steps = MAPPING_ENDS "  - idle: 6s\n"
			   "  - shell: {node: vps, run: \"ping -c 4 -i 0.5 -W 1 @i@ && exit 1; "
			   "true\"}\n" PING},
    {.finding = "F04",
     .party = "the network",
     .how = "a firewall without NAT lets in what belongs to a flow from inside, and forgets the "
	    "flow in 3 s",
     .flags = LEVER_LEFT_UP | LEVER_NO_NAT,
     .setup =
	 "  - shell: {node: isp, run: \"nft 'add table inet cpe; add chain inet cpe forward { "
	 "type filter hook forward priority 0; policy drop; }; add rule inet cpe forward "
	 "iifname br-lan accept; add rule inet cpe forward ct state established,related "
	 "accept; add rule inet cpe forward meta l4proto { icmp, ipv6-icmp } accept' && sysctl "
	 "-w net.netfilter.nf_conntrack_udp_timeout=3 "
	 "net.netfilter.nf_conntrack_udp_timeout_stream=3 "
	 "net.netfilter.nf_conntrack_generic_timeout=3\"}\n",
     .steps = PING "  - idle: 12s\n"
		   "  - rekey: {nodes: [vps], child: net, detached: true}\n"
		   "  - idle: 12s\n"},
    {.finding = "F11",
     .party = "the network",
     .how = "IP fragments are dropped, and certificates make IKE_AUTH longer than the initiator's "
	    "link carries",
     .flags = LEVER_FAILS | LEVER_CERTIFICATES | LEVER_SMALL_LINK,
     .setup = "  - shell: {node: isp, run: \"nft 'add table inet fault; add chain inet fault pre { "
	      "type filter hook prerouting priority -450; }; add rule inet fault pre ip frag-off & "
	      "0x3fff != 0 drop'\"}\n",
     .initiator_conn = "fragmentation = no\n",
     .responder_conn = "fragmentation = no\n"},
    {.finding = "F14",
     .party = "the network",
     .how = "IP packets of the measured sizes are dropped",
     .aims = "drop: {filter: \"ip[2:2] >= @low@ and ip[2:2] <= @high@\"}\n",
     .steps = PING_BACK
     "  - shell: {node: vps, run: \"for s in @below@; do ping -c2 -W1 -s $s @i@ || exit 1; "
     "done\"}\n"
     "  - shell: {node: vps, run: \"for s in @within@; do ping -c2 -W1 -s $s @i@ && exit 1; done; "
     "true\"}\n"
     "  - shell: {node: vps, run: \"for s in @above@; do ping -c2 -W1 -s $s @i@ || exit 1; "
     "done\"}\n"},
    {.finding = "F15",
     .party = "the network",
     .how = "packets above the path's MTU are dropped, and no ICMP says so",
     .flags = LEVER_PATH_MTU | LEVER_LEFT_UP,
     .steps = PING_BACK TRANSFER_STALLS PING_BACK},
    {.finding = "F17",
     .party = "the sender's host",
     .how = "the router says in ICMP what fits, and a rule drops that before IPsec takes note",
     .flags = LEVER_PATH_MTU | LEVER_LEFT_UP,
     .setup =
	 "  - shell: {node: @sender@, run: \"nft 'add table inet fault; add chain inet fault "
	 "pre { type filter hook prerouting priority -450; }; add rule inet fault pre icmp type "
	 "destination-unreachable drop'\"}\n",
     .steps = PING_BACK TRANSFER_STALLS},
    {.finding = "F18",
     .party = "the initiator's gateway",
     .how = "its rule clamps the MSS of what leaves by the tunnel, and not of what comes in by it",
     .flags = LEVER_LAN | LEVER_DEVICES,
     .steps = "  - shell: {node: vps, run: \"ip link set xfrm1 mtu 1500\"}\n"
	      "  - shell: {node: lab-gw, run: \"nft 'add table inet fault; add chain inet fault "
	      "forward { type filter hook forward priority -150; }; add rule inet fault forward "
	      "oifname xfrm1 tcp flags syn tcp option maxseg size set 1200'\"}\n"
	      "  - tcp: {from: host28, to: vps, address: @r@, octets: 20k}\n"},
    {.finding = "F31",
     .party = "the initiator's gateway",
     .how =
	 "it masquerades what it forwards before IPsec looks at it (policy routing stands for the "
	 "kernel's order)",
     .flags = LEVER_LAN | LEVER_LEFT_UP,
     .setup = "  - shell: {node: host28, run: ip route replace @r@/32 via 192.168.1.2}\n"
	      "  - shell: {node: isp, run: ip route del 10.254.0.0/30}\n"
	      "  - shell: {node: lab-gw, run: \"nft 'add table ip fault; add chain ip fault "
	      "postrouting { type nat hook postrouting priority srcnat; }; add rule ip fault "
	      "postrouting oifname eth0 ip daddr @r@ masquerade' && ip rule add pref 100 "
	      "iif eth0 to @r@ lookup main\"}\n",
     .steps = "  - shell: {node: host28, run: \"ping -c 3 -i 0.3 -W 1 @r@ && exit 1; true\"}\n"
	      "  - terminate: {node: lab-gw, ike: pair}\n",
     .may_fail = "cleartext"},
    {.finding = "S15",
     .party = "a gateway",
     .how = "the responder's has no route into the tunnel (policy routing stands for that)",
     .flags = LEVER_LEFT_UP,
     .steps = "  - shell: {node: vps, run: \"ip rule add pref 100 to @i@ lookup main && ping -c 3 "
	      "-i 0.3 -W 1 -I 203.0.113.10 @i@ && exit 1; true\"}\n"
	      "  - terminate: {node: lab-gw, ike: pair}\n",
     .may_fail = "cleartext"},
    {.finding = "F32",
     .party = "the responder's gateway",
     .how = "a rule drops what comes out of the tunnel",
     .flags = LEVER_DEVICES,
     .steps = "  - shell: {node: vps, run: \"nft 'add table inet fault; add chain inet fault pre { "
	      "type filter hook prerouting priority -150; }; add rule inet fault pre iifname xfrm1 "
	      "drop'\"}\n"
	      "  - shell: {node: lab-gw, run: \"ping -c 6 -i 0.3 -W 1 @r@ && exit 1; true\"}\n"},
    {.finding = "MAP-oneway",
     .party = "the responder's gateway",
     .how = "a rule drops what comes out of the tunnel (without keys it does not show where)",
     .flags = LEVER_DEVICES,
     .steps = "  - shell: {node: vps, run: \"nft 'add table inet fault; add chain inet fault pre { "
	      "type filter hook prerouting priority -150; }; add rule inet fault pre iifname xfrm1 "
	      "drop'\"}\n"
	      "  - shell: {node: lab-gw, run: \"ping -c 6 -i 0.3 -W 1 @r@ && exit 1; true\"}\n"},
    {.finding = "MAP-esp-blocked",
     .party = "the network",
     .how = "ESP is dropped, IKE is not",
     .aims = "drop: {packet: esp}\n",
     .steps = "  - shell: {node: lab-gw, run: \"ping -c 5 -i 0.3 -W 1 @r@ && exit 1; true\"}\n"},
    {.finding = "F44",
     .party = "the initiator",
     .how = "the responder restarts, and the initiator, which checks no liveness, goes on with "
	    "keep-alives",
     .flags = LEVER_LEFT_UP,
     .steps = PING "  - kill: vps\n"
		   "  - start: vps\n"
		   "  - load: vps\n"
		   "  - shell: {node: lab-gw, run: \"ping -c 3 -i 0.5 -W 1 @r@; true\"}\n"
		   "  - idle: 26s\n",
     .initiator_args = ", --keepalive, \"2\""},
    {.finding = "F48",
     .party = "the network",
     .how = "a queue holds long packets back, and short ones overtake them by far",
     .aims = "delay: {filter: \"udp and greater 500\", by: 200ms}\n",
     .steps = PING_BACK "  - traffic: {name: calls, protocol: udp, from: vps, to: lab-gw, address: "
			"@i@, size: 64, rate: "
			"30k}\n"
			"  - shell: {node: vps, run: \"ping -c 6 -i 0.2 -s 800 -W 1 @i@; true\"}\n"
			"  - finish: {traffic: calls}\n"},
    {.finding = "ESP-damaged",
     .party = "the network",
     .how = "a bit of every fourth packet of ESP is changed",
     .aims = "corrupt: {packet: esp, to: isp, nth: 4}\n"
	     "corrupt: {packet: esp, to: isp, nth: 8}\n"
	     "corrupt: {packet: esp, to: isp, nth: 12}\n"
	     "corrupt: {packet: esp, to: isp, nth: 16}\n",
     .steps = "  - shell: {node: lab-gw, run: \"ping -c 20 -i 0.1 -W 1 @r@; true\"}\n"},
};

static const struct {
	const char *finding, *takes;
} missing[] = {
    {"F09", "two clients with transport mode, which beetd does not have"},
    {"F10", "two clients behind one NAT box, and a responder that looks them up by address"},
    {"F13", "an end that has ML-KEM and does not fragment IKE_INTERMEDIATE"},
    {"F35", "an end that sends in an SA what its selectors do not cover (field/F35 has one)"},
    {"MAP-no-auth", "the initiator's side too: whether IKE_AUTH was sent does not show"},
    {"MAP-forgotten",
     "an end that answers what it does not know with INVALID_SPI (beetd is silent)"},
    {"S13", "an end that makes packets in another mode than the one that it agreed on"},
    {"F40", "an end that puts a key exchange into the ESP proposal of IKE_AUTH"},
};

const struct lever *lever_at(unsigned index)
{
	return index < sizeof(levers) / sizeof(levers[0]) ? &levers[index] : NULL;
}

const struct lever *lever_find(const char *finding)
{
	unsigned i;

	for (i = 0; lever_at(i); i++)
		if (strcmp(levers[i].finding, finding) == 0)
			return &levers[i];
	return NULL;
}

const struct lever *lever_healthy(void)
{
	return &healthy;
}

const char *lever_missing(const char *finding)
{
	size_t i;

	for (i = 0; i < sizeof(missing) / sizeof(missing[0]); i++)
		if (strcmp(missing[i].finding, finding) == 0)
			return missing[i].takes;
	return "a lever that nobody has made yet";
}
