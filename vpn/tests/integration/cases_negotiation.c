/* cases_negotiation.c - what the two ends settle between them: narrowed selectors, a second try
 * with another group, cookies, several children on demand. */
#include "vpn/tests/integration/cases.h"

static void open_pair(struct lab *lab, const struct lab_options *options, struct conf *gw_conf,
		      struct conf *vps_conf, const struct peer_driver *gw,
		      const struct peer_driver *vps)
{
	lab_open(lab, options, gw, vps);
	lab_inner_addresses(lab, false);
	lab_pair_confs(gw_conf, vps_conf);
	lab_use_psk(gw_conf, vps_conf);
}

static void up(struct lab *lab)
{
	struct err_msg msg = {{0}};

	lab_ok(lab, peer_initiate(lab->gw, "net", UP_MS, &msg), &msg, "initiate");
	lab_wait_children(lab, 1);
	lab_ping(lab, "vps", GW_TUN);
}

static void down(struct lab *lab)
{
	lab_terminate(lab, "pair");
	lab_close(lab);
}

struct narrowing {
	const char *gw_local, *gw_remote;
	const char *vps_local, *vps_remote;
	const char *local, *remote; /* what must come out, as the gateway sees it */
};

static void run_narrowing(const struct it_case *it, const struct peer_driver *gw,
			  const struct peer_driver *vps)
{
	const struct lab_options options = {.nat = SEED_NAT_RANDOM};
	const struct narrowing *n = it->data;
	struct conf gw_conf, vps_conf;
	struct lab lab;

	open_pair(&lab, &options, &gw_conf, &vps_conf, gw, vps);
	gw_conf.children[0].local_ts = n->gw_local;
	gw_conf.children[0].remote_ts = n->gw_remote;
	vps_conf.children[0].local_ts = n->vps_local;
	vps_conf.children[0].remote_ts = n->vps_remote;
	lab_set_confs(&lab, &gw_conf, &vps_conf);
	lab_start(&lab);
	up(&lab);
	lab_expect_child(&lab, lab.gw, "net", "local-ts", n->local);
	lab_expect_child(&lab, lab.gw, "net", "remote-ts", n->remote);
	lab_expect_child(&lab, lab.vps, "net", "local-ts", n->remote);
	lab_expect_child(&lab, lab.vps, "net", "remote-ts", n->local);
	down(&lab);
}

/* The initiator's guess of the group is refused, and the second try carries the group asked for
 * (RFC 7296 §1.2, §2.7). */
static void run_invalid_ke(const struct it_case *it, const struct peer_driver *gw,
			   const struct peer_driver *vps)
{
	const struct lab_options options = {.nat = SEED_NAT_RANDOM};
	struct conf gw_conf, vps_conf;
	struct lab lab;

	(void)it;
	open_pair(&lab, &options, &gw_conf, &vps_conf, gw, vps);
	gw_conf.proposals = "aes128gcm16-prfsha256-curve25519-ecp256";
	vps_conf.proposals = "aes128gcm16-prfsha256-ecp256";
	lab_set_confs(&lab, &gw_conf, &vps_conf);
	lab_start(&lab);
	up(&lab);
	lab_expect_notify(&lab, lab.vps, "IKE_SA_INIT response", "INVALID_KE_PAYLOAD");
	down(&lab);
}

/* The VPS has a half-open SA, since its answer to the first attempt is lost, and so it asks the
 * second attempt for a cookie (RFC 7296 §2.6). */
static void run_cookie(const struct it_case *it, const struct peer_driver *gw,
		       const struct peer_driver *vps)
{
	static const char *const beetd_args[] = {"--cookie-threshold", "1", NULL};
	const struct lab_options options = {
	    .nat = SEED_NAT_RANDOM,
	    .vps = {.strongswan_conf = "cookie_threshold = 1", .beetd_args = beetd_args}};
	struct conf gw_conf, vps_conf;
	struct err_msg msg = {{0}};
	struct lab lab;

	(void)it;
	open_pair(&lab, &options, &gw_conf, &vps_conf, gw, vps);
	lab_set_confs(&lab, &gw_conf, &vps_conf);
	lab_start(&lab);
	lab_block(&lab, true);
	lab_ok(&lab, peer_initiate_async(lab.gw, "net", &msg), &msg, "first attempt");
	lab_ok(&lab, peer_wait_sas(lab.vps, 1, UP_MS, &msg), &msg, "half-open SA");
	lab_ok(&lab, peer_kill_sa(lab.gw, &(struct peer_sa_name){.ike = "pair"}, &msg), &msg,
	       "giving the first attempt up");
	lab_block(&lab, false);
	lab_ok(&lab, peer_initiate(lab.gw, "net", UP_MS, &msg), &msg, "second attempt");
	lab_ok(&lab, peer_wait_children(lab.gw, 1, UP_MS, &msg), &msg, "lab-gw");
	lab_ping(&lab, "vps", GW_TUN);
	lab_expect_notify(&lab, lab.vps, "IKE_SA_INIT response", "COOKIE");
	lab_close(&lab);
}

/* One CREATE_CHILD_SA exchange for each further child. */
static void run_further_children(const struct it_case *it, const struct peer_driver *gw,
				 const struct peer_driver *vps)
{
	const struct lab_options options = {.nat = SEED_NAT_RANDOM};
	struct conf gw_conf, vps_conf;
	struct err_msg msg = {{0}};
	struct lab lab;

	(void)it;
	open_pair(&lab, &options, &gw_conf, &vps_conf, gw, vps);
	gw_conf.children[1] = (struct conf_child){
	    .name = "net6", .local_ts = GW_TUN6 "/128", .remote_ts = VPS_TUN6 "/128"};
	vps_conf.children[1] = (struct conf_child){
	    .name = "net6", .local_ts = VPS_TUN6 "/128", .remote_ts = GW_TUN6 "/128"};
	/* With a key exchange of its own (RFC 7296 §1.3.1). */
	gw_conf.children[1].esp_proposals = vps_conf.children[1].esp_proposals =
	    "aes256gcm16-curve25519";
	lab_set_confs(&lab, &gw_conf, &vps_conf);
	lab_start(&lab);
	up(&lab);
	lab_ok(&lab, peer_initiate(lab.gw, "net6", UP_MS, &msg), &msg, "second child");
	lab_wait_children(&lab, 2);
	lab_expect_child(&lab, lab.vps, "net6", "dh-group", "CURVE_25519");
	lab_ping(&lab, "vps", GW_TUN6);
	lab_ping(&lab, "vps", GW_TUN);
	down(&lab);
}

/* The VPS initiates; both outer addresses are IPv6. */
static void run_ipv6_outside(const struct it_case *it, const struct peer_driver *gw,
			     const struct peer_driver *vps)
{
	const struct lab_options options = {.nat = SEED_NAT_RANDOM};
	struct conf gw_conf, vps_conf;
	struct err_msg msg = {{0}};
	struct lab lab;

	(void)it;
	open_pair(&lab, &options, &gw_conf, &vps_conf, gw, vps);
	gw_conf.local_addrs = vps_conf.remote_addrs = GW_ADDR6;
	gw_conf.remote_addrs = vps_conf.local_addrs = VPS_ADDR6;
	lab_set_confs(&lab, &gw_conf, &vps_conf);
	lab_start(&lab);
	lab_ok(&lab, peer_initiate(lab.vps, "net", UP_MS, &msg), &msg, "initiate");
	lab_wait_children(&lab, 1);
	lab_ping(&lab, "lab-gw", VPS_TUN);
	lab_tcp(&lab, "vps", "lab-gw", GW_TUN, 100000);
	down(&lab);
}

#define NARROWING(name, ...)                                   \
	{                                                      \
		name, run_narrowing, &(const struct narrowing) \
		{                                              \
			__VA_ARGS__                            \
		}                                              \
	}

const struct it_case cases_negotiation[] = {
    NARROWING("narrowed-by-responder", GW_TUN "/32,10.9.0.0/16", "10.254.0.0/24", "10.254.0.0/30",
	      GW_TUN "/32", GW_TUN "/32", "10.254.0.0/30"),
    NARROWING("narrowed-by-initiator", GW_TUN "/32", VPS_TUN "/32", "10.254.0.0/16", "10.0.0.0/8",
	      GW_TUN "/32", VPS_TUN "/32"),
    NARROWING("narrowed-to-protocol", GW_TUN "/32[icmp]", VPS_TUN "/32[icmp]", VPS_TUN "/32",
	      GW_TUN "/32", GW_TUN "/32[icmp]", VPS_TUN "/32[icmp]"),
    {"invalid-ke", run_invalid_ke, NULL},
    {"cookie", run_cookie, NULL},
    {"further-children", run_further_children, NULL},
    {"ipv6-outside", run_ipv6_outside, NULL},
    {NULL, NULL, NULL},
};
