/* cases_path.c - what the path does to the VPN: it loses packets, the NAT box gets another address,
 * the peer is gone. Each case also shows that its condition happened. */
#include "vpn/tests/integration/cases.h"
#include "netns/netlink.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEW_ISP_ADDR "198.51.100.3"

static void open_pair(struct lab *lab, const struct lab_options *options, const char *extra,
		      const char *child_extra, const struct peer_driver *gw,
		      const struct peer_driver *vps)
{
	struct conf gw_conf, vps_conf;

	lab_open(lab, options, gw, vps);
	lab_inner_addresses(lab, false);
	lab_pair_confs(&gw_conf, &vps_conf);
	lab_use_psk(&gw_conf, &vps_conf);
	gw_conf.extra = extra;
	gw_conf.children[0].extra = child_extra;
	gw_conf.children[1] = (struct conf_child){
	    .name = "net6", .local_ts = GW_TUN6 "/128", .remote_ts = VPS_TUN6 "/128"};
	vps_conf.children[1] = (struct conf_child){
	    .name = "net6", .local_ts = VPS_TUN6 "/128", .remote_ts = GW_TUN6 "/128"};
	lab_set_confs(lab, &gw_conf, &vps_conf);
	lab_start(lab);
}

static void initiate(struct lab *lab, const char *child)
{
	struct err_msg msg = {{0}};

	lab_ok(lab, peer_initiate(lab->gw, child, 30000, &msg), &msg, child);
}

/* What a counter of nftables in the internet router stands at. */
static unsigned lost_packets(struct lab *lab)
{
	static const char *const argv[] = {"nft", "list", "counter", "ip", "lossy", "lost", NULL};
	const struct process_spec spec = {.node = "inet", .argv = argv};
	struct process_output output = {0};
	struct err_msg msg = {{0}};
	unsigned packets = 0;
	const char *at;
	int status = 0;

	lab_ok(lab, process_run(lab->net, &spec, 10000, &status, &output, &msg), &msg, "nft");
	at = strstr(output.text, "packets ");
	if (!at || sscanf(at, "packets %u", &packets) != 1)
		lab_fail(lab, "nft: %s", output.text);
	process_output_free(&output);
	return packets;
}

/* Every third IKE datagram is lost, in both directions: retransmission brings everything up
 * (RFC 7296 §2.1). */
static void run_loss(const struct it_case *it, const struct peer_driver *gw,
		     const struct peer_driver *vps)
{
	const struct lab_options options = {.nat = SEED_NAT_RANDOM};
	struct err_msg msg = {{0}};
	struct lab lab;

	(void)it;
	open_pair(&lab, &options, NULL, NULL, gw, vps);
	lab_nft(
	    &lab, "inet",
	    "table ip lossy { counter lost { }; chain forward { type filter hook forward priority "
	    "-10; udp dport != 9 numgen inc mod 3 == 0 counter name lost drop; }; }\n");
	initiate(&lab, "net");
	initiate(&lab, "net6");
	lab_wait_children(&lab, 2);
	lab_ok(&lab, peer_terminate(lab.gw, &(struct peer_sa_name){.ike = "pair"}, 30000, &msg),
	       &msg, "terminate");
	lab_ok(&lab, peer_wait_sas(lab.gw, 0, 30000, &msg), &msg, "lab-gw");
	lab_ok(&lab, peer_wait_sas(lab.vps, 0, 30000, &msg), &msg, "vps");
	if (lost_packets(&lab) < 3)
		lab_fail(&lab, "%u datagrams lost: no loss, no proof", lost_packets(&lab));
	lab_close(&lab);
}

static void note_remote(const struct vici_node *sa, void *arg)
{
	const char *host = vici_text(sa, "remote-host");

	snprintf(arg, 64, "%s", host ? host : "");
}

static bool follows(void *arg, char *seen, size_t cap)
{
	struct peer *vps = arg;
	char host[64] = "";

	peer_list_sas(vps, note_remote, host, NULL);
	snprintf(seen, cap, "remote host %s", host);
	return strcmp(host, NEW_ISP_ADDR) == 0;
}

static void change_isp_address(struct lab *lab)
{
	struct nl_sock *isp = net_node_netlink(lab->net, "isp");
	struct err_msg msg = {{0}};
	struct ip_addr old;

	ip_addr_parse("198.51.100.2", &old);
	lab_ok(lab, netlink_del_address(isp, "wan", &old, 24, &msg), &msg, "isp");
	lab_ok(lab, net_add_address(lab->net, "isp", "wan", NEW_ISP_ADDR "/24", &msg), &msg, "isp");
	lab_ok(lab, net_add_route(lab->net, "isp", "default", "198.51.100.1", NULL, &msg), &msg,
	       "isp");
}

struct probe {
	struct lab *lab;
	struct capture *capture;
};

static bool seen_from_new_address(void *arg, char *seen, size_t cap)
{
	static const char *const argv[] = {"ping", "-n", "-c1", "-W1", VPS_TUN, NULL};
	const struct process_spec spec = {.node = "lab-gw", .argv = argv};
	const struct probe *probe = arg;
	struct process_output output = {0};
	int status;

	process_run(probe->lab->net, &spec, 10000, &status, &output, NULL);
	process_output_free(&output);
	snprintf(seen, cap, "%llu packets", (unsigned long long)capture_count(probe->capture));
	return capture_count(probe->capture) > 0;
}

/* The box forgets its old mappings a little later: sends until the VPS sees the new address. */
static void wait_for_new_mapping(struct lab *lab)
{
	const struct capture_spec spec = {.node = "vps",
					  .ifname = "eth0",
					  .filter = "src host " NEW_ISP_ADDR " and udp port 4500"};
	struct probe probe = {.lab = lab};
	struct err_msg msg = {{0}};

	lab_ok(lab, capture_start(lab->net, &spec, &probe.capture, &msg), &msg, "capture");
	lab_ok(lab, wait_until(seen_from_new_address, &probe, UP_MS, "new mapping", &msg), &msg,
	       "isp");
	lab_ok(lab, capture_stop(probe.capture, NULL, &msg), &msg, "capture");
}

/* The ISP gives its box another address. The VPS must send where authenticated packets come from
 * now (RFC 7296 §2.23): beetd already after a packet of ESP, strongSwan's libipsec after one of
 * IKE. */
static void run_nat_address_change(const struct it_case *it, const struct peer_driver *gw,
				   const struct peer_driver *vps)
{
	const struct lab_options options = {.nat = SEED_NAT_RANDOM};
	struct err_msg msg = {{0}};
	struct lab lab;

	(void)it;
	open_pair(&lab, &options, NULL, NULL, gw, vps);
	initiate(&lab, "net");
	lab_wait_children(&lab, 1);
	lab_ping(&lab, "lab-gw", VPS_TUN);
	change_isp_address(&lab);
	wait_for_new_mapping(&lab);
	if (strcmp(peer_name(lab.vps), "beetd") != 0)
		initiate(&lab, "net6");
	lab_ping(&lab, "lab-gw", VPS_TUN);
	lab_ok(&lab, wait_until(follows, lab.vps, UP_MS, "the VPS follows", &msg), &msg, "vps");
	lab_ping(&lab, "vps", GW_TUN);
	lab_terminate(&lab, "pair");
	lab_close(&lab);
}

/* Nobody answers any more: liveness checks (RFC 7296 §2.4) find it, and the SA goes. */
static void run_dead_peer(const struct it_case *it, const struct peer_driver *gw,
			  const struct peer_driver *vps)
{
	static const char *const beetd_args[] = {"--retransmit-tries", "3", NULL};
	const struct lab_options options = {
	    .nat = SEED_NAT_RANDOM,
	    .gw = {.strongswan_conf = "retransmit_tries = 3", .beetd_args = beetd_args}};
	struct err_msg msg = {{0}};
	struct lab lab;

	(void)it;
	open_pair(&lab, &options, "dpd_delay = 1s", "dpd_action = clear", gw, vps);
	initiate(&lab, "net");
	lab_wait_children(&lab, 1);
	lab_block(&lab, true);
	lab_ok(&lab, peer_wait_sas(lab.gw, 0, 30000, &msg), &msg, "lab-gw");
	if (peer_count_sas(lab.vps) != 1)
		lab_fail(&lab, "the VPS heard of it, so it was not dead");
	lab_close(&lab);
}

const struct it_case cases_path[] = {
    {"loss", run_loss, NULL},
    {"nat-address-change", run_nat_address_change, NULL},
    {"dead-peer", run_dead_peer, NULL},
    {NULL, NULL, NULL},
};
