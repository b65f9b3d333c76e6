/* cases_mode.c - how packets look on the wire: tunnel mode, BEET, in UDP and native, measured in
 * octets.
 *
 * With ChaCha20-Poly1305 a ping of 56 octets is 100 octets of ESP in BEET mode, and 120 (IPv4) or
 * 140 (IPv6) in tunnel mode: SPI 4, sequence number 4, IV 8, payload, trailer 2 and padding,
 * ICV 16. Two beetd only: no other peer here has BEET or native ESP in userspace. */
#include "vpn/tests/integration/cases.h"
#include <stdio.h>

#define UDP_HEADER 8

struct mode {
	const char *mode;      /* of the configuration */
	const char *listed;    /* by list-sas */
	unsigned ping4, ping6; /* octets of ESP */
};

static void open_hosts(struct lab *lab, const char *mode, bool ipv6, const struct peer_driver *gw,
		       const struct peer_driver *vps)
{
	const struct lab_options options = {.nat = SEED_NAT_RANDOM};
	struct conf gw_conf, vps_conf;
	size_t i;

	lab_open(lab, &options, gw, vps);
	lab_inner_addresses(lab, false);
	lab_pair_confs(&gw_conf, &vps_conf);
	lab_use_psk(&gw_conf, &vps_conf);
	gw_conf.children[1] = (struct conf_child){
	    .name = "net6", .local_ts = GW_TUN6 "/128", .remote_ts = VPS_TUN6 "/128"};
	vps_conf.children[1] = (struct conf_child){
	    .name = "net6", .local_ts = VPS_TUN6 "/128", .remote_ts = GW_TUN6 "/128"};
	for (i = 0; i < 2; i++) {
		gw_conf.children[i].mode = vps_conf.children[i].mode = mode;
		gw_conf.children[i].esp_proposals = "chacha20poly1305";
		vps_conf.children[i].esp_proposals = "chacha20poly1305";
	}
	if (ipv6) {
		gw_conf.local_addrs = vps_conf.remote_addrs = GW_ADDR6;
		gw_conf.remote_addrs = vps_conf.local_addrs = VPS_ADDR6;
	}
	lab_set_confs(lab, &gw_conf, &vps_conf);
	lab_start(lab);
}

static void bring_up(struct lab *lab)
{
	struct err_msg msg = {{0}};

	lab_ok(lab, peer_initiate(lab->gw, "net", UP_MS, &msg), &msg, "initiate");
	lab_ok(lab, peer_initiate(lab->gw, "net6", UP_MS, &msg), &msg, "initiate");
	lab_wait_children(lab, 2);
}

static unsigned count_udp_of(struct lab *lab, unsigned octets)
{
	char filter[80];

	snprintf(filter, sizeof(filter), "ip and udp port 4500 and udp[8:4] != 0 and udp[4:2] = %u",
		 octets + UDP_HEADER);
	return lab_count_packets(lab, lab->outer_path, filter);
}

static void run_mode(const struct it_case *it, const struct peer_driver *gw,
		     const struct peer_driver *vps)
{
	const struct mode *mode = it->data;
	struct lab lab;

	open_hosts(&lab, mode->mode, false, gw, vps);
	bring_up(&lab);
	lab_expect_child(&lab, lab.gw, "net", "mode", mode->listed);
	lab_expect_child(&lab, lab.vps, "net6", "mode", mode->listed);
	lab_capture_outer(&lab);
	lab_ping(&lab, "vps", GW_TUN);
	lab_ping(&lab, "lab-gw", VPS_TUN6);
	lab_stop_capture(&lab);
	/* Two pings, request and answer. */
	if (count_udp_of(&lab, mode->ping4) < 4 || count_udp_of(&lab, mode->ping6) < 4)
		lab_fail(&lab, "%u packets of %u octets and %u of %u, where 4 each were expected",
			 count_udp_of(&lab, mode->ping4), mode->ping4,
			 count_udp_of(&lab, mode->ping6), mode->ping6);
	lab_tcp(&lab, "vps", "lab-gw", GW_TUN, 1000000);
	lab_tcp(&lab, "lab-gw", "vps", VPS_TUN6, 1000000);
	lab_terminate(&lab, "pair");
	lab_close(&lab);
}

/* No NAT between them and no encapsulation asked for: protocol 50 over IPv6. */
static void run_native(const struct it_case *it, const struct peer_driver *gw,
		       const struct peer_driver *vps)
{
	const struct mode *mode = it->data;
	struct lab lab;

	open_hosts(&lab, mode->mode, true, gw, vps);
	lab_capture_outer(&lab);
	bring_up(&lab);
	lab_expect_child(&lab, lab.gw, "net", "mode", mode->listed);
	lab_ping(&lab, "vps", GW_TUN);
	lab_tcp(&lab, "vps", "lab-gw", GW_TUN, 1000000);
	lab_tcp(&lab, "lab-gw", "vps", VPS_TUN6, 1000000);
	lab_expect_no_clear_text(&lab, 1000);
	if (lab_count_packets(&lab, lab.outer_path, "ip6 proto 50") < 1000)
		lab_fail(&lab, "not native ESP");
	lab_terminate(&lab, "pair");
	lab_close(&lab);
}

static const struct mode tunnel = {"tunnel", "TUNNEL", 120, 140};
static const struct mode beet = {"beet", "BEET", 100, 100};

const struct it_case cases_mode[] = {
    {"tunnel-octets", run_mode, &tunnel},
    {"beet-octets", run_mode, &beet},
    {"tunnel-native", run_native, &tunnel},
    {"beet-native", run_native, &beet},
    {NULL, NULL, NULL},
};
