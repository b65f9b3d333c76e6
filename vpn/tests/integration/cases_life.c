/* cases_life.c - ends that come, go and come again. */
#include "vpn/tests/integration/cases.h"
#include "harness/traffic.h"
#include <stdio.h>
#include <string.h>

static void open_pair(struct lab *lab, struct conf *gw_conf, struct conf *vps_conf,
		      const struct peer_driver *gw, const struct peer_driver *vps)
{
	const struct lab_options options = {.nat = SEED_NAT_RANDOM};

	lab_open(lab, &options, gw, vps);
	lab_pair_confs(gw_conf, vps_conf);
	lab_use_psk(gw_conf, vps_conf);
}

static void start_pair(struct lab *lab, const struct conf *gw_conf, const struct conf *vps_conf)
{
	lab_inner_addresses(lab, false);
	lab_set_confs(lab, gw_conf, vps_conf);
	lab_start(lab);
}

static void up(struct lab *lab)
{
	struct err_msg msg = {{0}};

	lab_ok(lab, peer_initiate(lab->gw, "net", UP_MS, &msg), &msg, "initiate");
	lab_wait_children(lab, 1);
	lab_ping(lab, "vps", GW_TUN);
}

static void restart(struct lab *lab, struct peer *peer, const char *conf)
{
	struct err_msg msg = {{0}};

	lab_ok(lab, peer_start(peer, &msg), &msg, "starting again");
	lab_ok(lab, peer_load(peer, conf, &msg), &msg, "loading again");
}

/* A killed initiator says no good-bye. Its successor's INITIAL_CONTACT (RFC 7296 §2.4) tells the
 * VPS to drop what it has of the old one, and finds no trouble in what the old one left in the
 * kernel. */
static void run_killed_initiator(const struct it_case *it, const struct peer_driver *gw,
				 const struct peer_driver *vps)
{
	struct conf gw_conf, vps_conf;
	struct err_msg msg = {{0}};
	struct lab lab;

	(void)it;
	open_pair(&lab, &gw_conf, &vps_conf, gw, vps);
	start_pair(&lab, &gw_conf, &vps_conf);
	up(&lab);
	peer_kill(lab.gw);
	if (peer_count_sas(lab.vps) != 1)
		lab_fail(&lab, "the VPS noticed, so nobody was killed");
	restart(&lab, lab.gw, lab.gw_conf);
	up(&lab);
	lab_ok(&lab, peer_wait_sas(lab.vps, 1, UP_MS, &msg), &msg, "the old SA goes");
	lab_terminate(&lab, "pair");
	lab_close(&lab);
}

/* A responder that is stopped deletes its SAs at the other end (RFC 7296 §1.4.1), and can be called
 * again. */
static void run_stopped_responder(const struct it_case *it, const struct peer_driver *gw,
				  const struct peer_driver *vps)
{
	struct conf gw_conf, vps_conf;
	struct err_msg msg = {{0}};
	struct lab lab;
	int status;

	(void)it;
	open_pair(&lab, &gw_conf, &vps_conf, gw, vps);
	start_pair(&lab, &gw_conf, &vps_conf);
	up(&lab);
	status = peer_stop(lab.vps);
	if (status != 0)
		lab_fail(&lab, "the VPS ended with status %d", status);
	lab_ok(&lab, peer_wait_sas(lab.gw, 0, UP_MS, &msg), &msg, "lab-gw hears of the end");
	restart(&lab, lab.vps, lab.vps_conf);
	up(&lab);
	lab_terminate(&lab, "pair");
	lab_close(&lab);
}

/* The first packet brings the tunnel up. */
static void run_trap(const struct it_case *it, const struct peer_driver *gw,
		     const struct peer_driver *vps)
{
	struct conf gw_conf, vps_conf;
	struct lab lab;

	(void)it;
	open_pair(&lab, &gw_conf, &vps_conf, gw, vps);
	gw_conf.children[0].extra = "start_action = trap";
	start_pair(&lab, &gw_conf, &vps_conf);
	if (peer_count_sas(lab.gw) > 0)
		lab_fail(&lab, "up before anything was sent");
	lab_capture_outer(&lab);
	lab_ping(&lab, "lab-gw", VPS_TUN);
	lab_expect_no_clear_text(&lab, 2);
	lab_wait_children(&lab, 1);
	lab_terminate(&lab, "pair");
	lab_close(&lab);
}

static void add_addresses_of_device(struct lab *lab, const char *node, const char *prefix)
{
	struct err_msg msg = {{0}};

	lab_ok(lab, net_add_address(lab->net, node, "xfrm1", prefix, &msg), &msg,
	       "the device that the daemon made");
}

/* An interface ID without an interface: the daemon makes it, and takes it away at its end
 * (lab_close). */
static void run_made_device(const struct it_case *it, const struct peer_driver *gw,
			    const struct peer_driver *vps)
{
	struct conf gw_conf, vps_conf;
	struct err_msg msg = {{0}};
	struct lab lab;

	(void)it;
	open_pair(&lab, &gw_conf, &vps_conf, gw, vps);
	gw_conf.children[0].extra = vps_conf.children[0].extra = "if_id_in = 1\nif_id_out = 1";
	lab_set_confs(&lab, &gw_conf, &vps_conf);
	lab_start(&lab);
	lab_ok(&lab, peer_initiate(lab.gw, "net", UP_MS, &msg), &msg, "initiate");
	lab_wait_children(&lab, 1);
	add_addresses_of_device(&lab, "lab-gw", GW_TUN "/30");
	add_addresses_of_device(&lab, "vps", VPS_TUN "/30");
	lab_ping(&lab, "vps", GW_TUN);
	lab_tcp(&lab, "vps", "lab-gw", GW_TUN, 1000000);
	lab_terminate(&lab, "pair");
	lab_close(&lab);
}

const struct it_case cases_life[] = {
    {"killed-initiator", run_killed_initiator, NULL},
    {"stopped-responder", run_stopped_responder, NULL},
    {"trap", run_trap, NULL},
    {"made-device", run_made_device, NULL},
    {NULL, NULL, NULL},
};
