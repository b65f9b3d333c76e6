/* cases_rekey.c - rekeying on request, from either end, with traffic that runs through (RFC 7296
 * §2.8, §2.18). */
#include "vpn/tests/integration/cases.h"

#include <stdio.h>
#include <string.h>

#include "harness/traffic.h"
#include "netns/wait.h"
#include "vpn/vici/value.h"

#define ROUNDS 3

/* Which end rekeys what. */
struct rekeying {
	const char *node; /* "lab-gw" or "vps" */
	const char *what; /* swanctl's option */
	const char *name;
};

static struct peer *peer_at(struct lab *lab, const char *node)
{
	return strcmp(node, "vps") == 0 ? lab->vps : lab->gw;
}

static void child_spi(struct lab *lab, char *ret_spi, size_t cap)
{
	if (peer_child_value(lab->gw, "net", "spi-in", ret_spi, cap))
		lab_fail(lab, "the gateway has no child 'net'");
}

static void ike_spi(const struct vici_node *sa, void *arg)
{
	snprintf(arg, 32, "%s", vici_text(sa, "initiator-spi"));
}

static void rekey(struct lab *lab, const struct rekeying *r)
{
	const char *const args[] = {"--rekey", r->what, r->name, NULL};
	struct process_output output = {0};
	struct err_msg msg = {{0}};
	int status = 0;

	lab_ok(lab, peer_swanctl(peer_at(lab, r->node), args, &status, &output, &msg), &msg,
	       "swanctl --rekey");
	if (status)
		lab_fail(lab, "swanctl --rekey: exit %d: %s", status, output.text);
	process_output_free(&output);
}

struct watched {
	struct lab *lab;
	bool child;
	char before[32], now[32];
};

/* True once the SPI of what is rekeyed has changed. */
static bool has_changed(void *arg, char *seen, size_t cap)
{
	struct watched *w = arg;
	struct err_msg msg;

	snprintf(seen, cap, "SPI %s", w->now);
	if (!w->child)
		return !peer_list_sas(w->lab->gw, ike_spi, w->now, &msg) &&
		       strcmp(w->before, w->now) != 0;
	return !peer_child_value(w->lab->gw, "net", "spi-in", w->now, sizeof(w->now)) &&
	       strcmp(w->before, w->now) != 0;
}

static void run_rekey(const struct it_case *it, const struct peer_driver *gw,
		      const struct peer_driver *vps)
{
	const struct rekeying *r = it->data;
	const struct lab_options options = {.nat = SEED_NAT_RANDOM};
	struct conf gw_conf, vps_conf;
	struct watched w = {.child = strcmp(r->what, "--child") == 0};
	struct err_msg msg = {{0}};
	struct lab lab;
	int round;

	lab_open(&lab, &options, gw, vps);
	lab_pair_confs(&gw_conf, &vps_conf);
	lab_use_psk(&gw_conf, &vps_conf);
	lab_inner_addresses(&lab, false);
	lab_set_confs(&lab, &gw_conf, &vps_conf);
	lab_start(&lab);
	lab_ok(&lab, peer_initiate(lab.gw, "net", UP_MS, &msg), &msg, "initiate");
	lab_wait_children(&lab, 1);
	w.lab = &lab;
	for (round = 0; round < ROUNDS; round++) {
		if (w.child)
			child_spi(&lab, w.before, sizeof(w.before));
		else
			lab_ok(&lab, peer_list_sas(lab.gw, ike_spi, w.before, &msg), &msg,
			       "list-sas");
		rekey(&lab, r);
		lab_ok(&lab, wait_until(has_changed, &w, UP_MS, "another SPI", &msg), &msg,
		       "rekeying");
		lab_ping(&lab, "vps", GW_TUN);
		lab_tcp(&lab, "vps", "lab-gw", GW_TUN, 100000);
	}
	lab_terminate(&lab, "pair");
	lab_close(&lab);
}

static const struct rekeying child_by_initiator = {"lab-gw", "--child", "net"};
static const struct rekeying child_by_responder = {"vps", "--child", "net"};
static const struct rekeying ike_by_initiator = {"lab-gw", "--ike", "pair"};
static const struct rekeying ike_by_responder = {"vps", "--ike", "pair"};

const struct it_case cases_rekey[] = {
    {"rekey-child-by-initiator", run_rekey, &child_by_initiator},
    {"rekey-child-by-responder", run_rekey, &child_by_responder},
    {"rekey-ike-by-initiator", run_rekey, &ike_by_initiator},
    {"rekey-ike-by-responder", run_rekey, &ike_by_responder},
    {NULL, NULL, NULL},
};
