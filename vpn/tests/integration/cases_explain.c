/* cases_explain.c - `beetctl explain` on a tunnel that works, is broken in a real way, and mended:
 * the fault is found first, and nothing is found before and after.
 *
 *	vps 10.254.0.1 ==== tunnel, xfrm1 at both ends ==== lab-gw --- 192.168.1.0/24
 *
 * What is broken is broken by the tools that people use; that it matters is not asked here, where
 * cases of scenarios/field show it. */
#include "vpn/tests/integration/cases.h"
#include <jansson.h>
#include <stdio.h>
#include <string.h>

struct breakage {
	const char *id; /* of the finding that comes first */
	bool at_vps;
	const char *breaks, *mends; /* shell */
};

static const struct breakage breakages[] = {
    {"LIVE-forwarding", false, "sysctl -qw net.ipv4.ip_forward=0",
     "sysctl -qw net.ipv4.ip_forward=1"},
    {"S15", true, "ip route del 192.168.1.0/24 dev xfrm1", "ip route add 192.168.1.0/24 dev xfrm1"},
    {"S15", false,
     "ip route add default via 192.168.1.1 table 99; ip rule add pref 100 iif eth0 lookup 99",
     "ip rule del pref 100; ip route flush table 99"},
    {"F31", false,
     "nft add table ip t; nft 'add chain ip t c { type nat hook postrouting priority 100; }'; "
     "nft add rule ip t c masquerade",
     "nft delete table ip t"},
    {"LIVE-decrypted", true,
     "nft add table inet t; nft 'add chain inet t c { type filter hook prerouting priority -150; "
     "}'; "
     "nft add rule inet t c iifname xfrm1 drop",
     "nft delete table inet t"},
    {"S16", false,
     "nft add table ip t; nft 'add chain ip t c { type filter hook forward priority 0; policy "
     "drop; }'; nft add rule ip t c ct state established,related accept; "
     "nft add rule ip t c oifname xfrm1 accept; nft add rule ip t c ip protocol icmp accept",
     "nft delete table ip t"},
    {"LIVE-firewall", true,
     "nft add table inet t; nft 'add chain inet t c { type filter hook input priority 0; }'; "
     "nft add rule inet t c udp dport 4500 drop",
     "nft delete table inet t"},
    {"LIVE-link", true, "ip link set xfrm1 down",
     "ip link set xfrm1 up; ip route add 192.168.1.0/24 dev xfrm1; "
     "ip address add " VPS_TUN6 "/128 dev xfrm1 nodad; ip route add fdc0:beef:2::/64 dev xfrm1"},
    {"F18", false,
     "nft add table ip t; nft 'add chain ip t forward { type filter hook output priority -150; }'; "
     "nft add rule ip t forward tcp flags syn tcp option maxseg size set 1380",
     "nft delete table ip t"},
    {"F18", false,
     "nft add table ip t; nft 'add chain ip t c { type filter hook forward priority -150; }'; "
     "nft add rule ip t c oifname xfrm1 tcp flags syn tcp option maxseg size set 1200",
     "nft delete table ip t"},
    {"LIVE-overlap", true,
     "ip link add lan9 type veth peer lan9p; ip address add 192.168.1.9/24 dev lan9; "
     "ip link set lan9 up",
     "ip link del lan9"},
};

/* The same without an interface ID: beetd's own device, routes and rule. */
#define AGAIN "$BEETCTL down net --uri $URI >/dev/null; $BEETCTL up net --uri $URI >/dev/null"
#define NAT                    \
	"nft add table ip t; " \
	"nft 'add chain ip t c { type nat hook postrouting priority 100; }'; nft add rule ip t c "
#define FILTER(hook)                                                             \
	"nft add table inet t; nft 'add chain inet t c { type filter hook " hook \
	" priority 0; }'; nft add rule inet t c "
#define FLUSH4 "nft delete table ip t"
#define FLUSH  "nft delete table inet t"

static const struct breakage own_breakages[] = {
    {"F31", false, NAT "masquerade", FLUSH4},
    {"F31", false, NAT "oifname beet0 masquerade", FLUSH4},
    {"F31", false, NAT "ip saddr 192.168.1.0/24 masquerade", FLUSH4},
    {"F31", false, NAT "ip daddr != 172.16.0.0/12 masquerade", FLUSH4},
    {"", false, NAT "ip daddr != 10.0.0.0/8 masquerade", FLUSH4},
    {"S16", false, FILTER("forward") "iifname 'beet*' drop", FLUSH},
    {"LIVE-decrypted", true, FILTER("input") "iifname beet0 drop", FLUSH},
    {"LIVE-decrypted", true, FILTER("input") "ip protocol icmp drop", FLUSH},
    {"LIVE-route", false, "ip rule del pref 220",
     "ip rule add pref 220 not fwmark 220 lookup 220 protocol 220"},
    {"LIVE-route", false, "ip route flush table 220", AGAIN},
    {"LIVE-link", false, "ip link set beet0 down", "ip link set beet0 up; " AGAIN},
};

static void run_in(struct lab *lab, struct peer *peer, const char *script, int *ret_status,
		   struct process_output *ret_output)
{
	char uri[PEER_PATH_MAX + 40], beetctl[512];
	const char *const env[] = {beetctl, uri, NULL};
	const char *const argv[] = {"sh", "-c", script, NULL};
	const struct process_spec spec = {.node = peer_node(peer), .argv = argv, .env = env};
	struct err_msg msg = {{0}};

	snprintf(beetctl, sizeof(beetctl), "BEETCTL=%s", BEETCTL_BUILT);
	snprintf(uri, sizeof(uri), "URI=%s", peer_uri(peer));
	lab_ok(lab, process_run(lab->net, &spec, 30000, ret_status, ret_output, &msg), &msg,
	       script);
}

static void run_well(struct lab *lab, struct peer *peer, const char *script)
{
	struct process_output output = {0};
	int status = -1;

	run_in(lab, peer, script, &status, &output);
	if (status != 0)
		lab_fail(lab, "%s: status %d: %s", script, status, output.text);
	process_output_free(&output);
}

/* The first finding that is no note; "" if there is none. */
static const char *first_fault(const json_t *findings)
{
	const json_t *one;
	size_t i;

	json_array_foreach(
	    (json_t *)findings, i,
	    one) if (strcmp(json_string_value(json_object_get(one, "kind")), "note") !=
		     0) return json_string_value(json_object_get(one, "id"));
	return "";
}

/* The exit status says the same as the findings; and the kernel was asked. */
static void expect_finding_of(struct lab *lab, struct peer *peer, const char *script,
			      const char *id, const char *when)
{
	struct process_output output = {0};
	int status = -1;
	json_t *json;
	bool same;

	run_in(lab, peer, script, &status, &output);
	json = json_loads(output.text, 0, NULL);
	if (!json || !json_is_true(json_object_get(json, "kernel")) ||
	    json_array_size(json_object_get(json, "limits")) > 0)
		lab_fail(lab, "%s: no whole answer: %s", when, output.text);
	same = !strcmp(first_fault(json_object_get(json, "findings")), id);
	if (!same || status != (*id ? 1 : 0))
		lab_fail(lab, "%s: expected the finding \"%s\", status %d: %s", when, id, status,
			 output.text);
	json_decref(json);
	process_output_free(&output);
}

static void expect_finding(struct lab *lab, struct peer *peer, const char *id, const char *when)
{
	expect_finding_of(lab, peer, "$BEETCTL explain pair --json --uri $URI", id, when);
}

/* The same while packets to an address are sent, with two looks at the counters. */
static void expect_while_pinging(struct lab *lab, const char *to, const char *id)
{
	char script[256];

	snprintf(script, sizeof(script),
		 "ping -q -i 0.1 -w 10 %s >/dev/null & "
		 "$BEETCTL explain pair --watch 1 --json --uri $URI; status=$?; kill $!; "
		 "exit $status",
		 to);
	expect_finding_of(lab, lab->vps, script, id, to);
}

static void open_tunnel(struct lab *lab, const struct peer_driver *gw,
			const struct peer_driver *vps, bool if_id)
{
	const struct lab_options options = {.nat = SEED_NAT_RANDOM};
	struct conf gw_conf, vps_conf;

	lab_open(lab, &options, gw, vps);
	lab_inner_addresses(lab, if_id);
	lab_pair_confs(&gw_conf, &vps_conf);
	lab_use_psk(&gw_conf, &vps_conf);
	gw_conf.children[0].local_ts = vps_conf.children[0].remote_ts = "192.168.1.0/24";
	if (if_id)
		gw_conf.children[0].extra = vps_conf.children[0].extra =
		    "if_id_in = 1\nif_id_out = 1\n";
	lab_set_confs(lab, &gw_conf, &vps_conf);
	lab_start(lab);
}

static void bring_up(struct lab *lab)
{
	struct err_msg msg = {{0}};

	lab_ok(lab, peer_initiate(lab->gw, "net", UP_MS, &msg), &msg, "initiate");
	lab_wait_children(lab, 1);
}

static void break_and_mend(struct lab *lab, const struct breakage *b, size_t n)
{
	struct peer *peer;
	size_t i;

	for (i = 0; i < n; i++) {
		peer = b[i].at_vps ? lab->vps : lab->gw;
		run_well(lab, peer, b[i].breaks);
		expect_finding(lab, peer, b[i].id, b[i].breaks);
		run_well(lab, peer, b[i].mends);
		expect_finding(lab, peer, "", b[i].mends);
	}
}

static void run_explain(const struct it_case *it, const struct peer_driver *gw,
			const struct peer_driver *vps)
{
	struct lab lab;

	(void)it;
	open_tunnel(&lab, gw, vps, true);
	bring_up(&lab);
	lab_ping(&lab, "vps", "192.168.1.28");
	expect_finding(&lab, lab.gw, "", "it works");
	expect_finding(&lab, lab.vps, "", "it works");
	break_and_mend(&lab, breakages, sizeof(breakages) / sizeof(breakages[0]));
	run_well(&lab, lab.vps, "ip route add 10.9.0.0/24 dev xfrm1");
	expect_while_pinging(&lab, "192.168.1.28", "");
	expect_while_pinging(&lab, "10.9.0.1", "LIVE-no-policy");
	run_well(&lab, lab.vps, "ip route del 10.9.0.0/24 dev xfrm1");
	lab_terminate(&lab, "pair");
	lab_close(&lab);
}

/* A rule's counter is quoted as it is after the traffic: more than what came before the wait. */
static void expect_counted_drops(struct lab *lab)
{
	run_well(lab, lab->vps, FILTER("input") "iifname beet0 counter drop");
	run_well(lab, lab->vps,
		 "ping -q -i 0.1 -w 10 192.168.1.28 >/dev/null & "
		 "$BEETCTL explain pair --watch 2 --json --uri $URI | "
		 "grep -q 'counter packets [1-9][0-9]'; status=$?; kill $!; exit $status");
	run_well(lab, lab->vps, FLUSH);
}

/* From a network that is not the daemon's: no verdict on it, and another status. */
static void expect_no_verdict_from_elsewhere(struct lab *lab)
{
	run_well(lab, lab->vps,
		 "out=$(unshare -n $BEETCTL explain pair --uri $URI); test $? = 5 && "
		 "! echo \"$out\" | grep -q 'No fault found'");
}

static void run_explain_own_device(const struct it_case *it, const struct peer_driver *gw,
				   const struct peer_driver *vps)
{
	struct lab lab;

	(void)it;
	open_tunnel(&lab, gw, vps, false);
	bring_up(&lab);
	lab_ping(&lab, "vps", "192.168.1.28");
	expect_finding(&lab, lab.gw, "", "it works");
	expect_finding(&lab, lab.vps, "", "it works");
	expect_no_verdict_from_elsewhere(&lab);
	break_and_mend(&lab, own_breakages, sizeof(own_breakages) / sizeof(own_breakages[0]));
	lab_ping(&lab, "vps", "192.168.1.28");
	expect_counted_drops(&lab);
	lab_terminate(&lab, "pair");
	lab_close(&lab);
}

/* Nobody answers; then somebody does, and refuses; then all is well. */
static void run_explain_silence(const struct it_case *it, const struct peer_driver *gw,
				const struct peer_driver *vps)
{
	static const struct peer_sa_name pair = {.ike = "pair"};
	struct err_msg msg = {{0}};
	struct lab lab;

	(void)it;
	open_tunnel(&lab, gw, vps, true);
	expect_finding(&lab, lab.gw, "LIVE-down", "nobody has started it");
	lab_block(&lab, true);
	lab_ok(&lab, peer_initiate_async(lab.gw, "net", &msg), &msg, "initiate");
	expect_finding(&lab, lab.gw, "MAP-init", "the VPS is not heard");
	lab_ok(&lab, peer_kill_sa(lab.gw, &pair, &msg), &msg, "forget");
	lab_block(&lab, false);
	conf_replace(lab.vps_conf, "remote_ts = 192.168.1.0/24", "remote_ts = 192.168.2.0/24");
	lab_ok(&lab, peer_load(lab.vps, lab.vps_conf, &msg), &msg, "load");
	lab_ok(&lab, peer_initiate_async(lab.gw, "net", &msg), &msg, "initiate");
	lab_expect_notify(&lab, lab.vps, "IKE_AUTH response", "TS_UNACCEPTABLE");
	expect_finding(&lab, lab.gw, "F37", "other selectors at the VPS");
	lab_ok(&lab, peer_terminate(lab.gw, &pair, UP_MS, &msg), &msg, "terminate");
	conf_replace(lab.vps_conf, "remote_ts = 192.168.2.0/24", "remote_ts = 192.168.1.0/24");
	lab_ok(&lab, peer_load(lab.vps, lab.vps_conf, &msg), &msg, "load");
	lab_ok(&lab, peer_initiate(lab.gw, "net", UP_MS, &msg), &msg, "initiate");
	expect_finding(&lab, lab.gw, "", "it works at last");
	lab_close(&lab);
}

const struct it_case cases_explain[] = {
    {"explain", run_explain, NULL},
    {"explain-own-device", run_explain_own_device, NULL},
    {"explain-silence", run_explain_silence, NULL},
    {NULL, NULL, NULL},
};
