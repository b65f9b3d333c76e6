/* cases_algorithm.c - every algorithm, as the only proposal for IKE and for ESP: it is negotiated,
 * and it carries. */
#include "vpn/tests/integration/cases.h"

struct algorithm {
	const char *ike;
	const char *esp;
};

static void run_algorithm(const struct it_case *it, const struct peer_driver *gw,
			  const struct peer_driver *vps)
{
	const struct algorithm *algorithm = it->data;
	const struct lab_options options = {.nat = SEED_NAT_RANDOM};
	struct conf gw_conf, vps_conf;
	struct err_msg msg = {{0}};
	struct lab lab;

	lab_open(&lab, &options, gw, vps);
	lab_inner_addresses(&lab, false);
	lab_seed_keys(&lab);
	lab_pair_confs(&gw_conf, &vps_conf);
	gw_conf.proposals = vps_conf.proposals = algorithm->ike;
	gw_conf.children[0].esp_proposals = vps_conf.children[0].esp_proposals = algorithm->esp;
	lab_set_confs(&lab, &gw_conf, &vps_conf);
	lab_capture_outer(&lab);
	lab_start(&lab);
	lab_ok(&lab, peer_initiate(lab.gw, "net", UP_MS, &msg), &msg, "initiate");
	lab_wait_children(&lab, 1);
	lab_ping(&lab, "vps", GW_TUN);
	lab_tcp(&lab, "lab-gw", "vps", VPS_TUN, 100000);
	lab_expect_no_clear_text(&lab, 80);
	lab_terminate(&lab, "pair");
	lab_close(&lab);
}

#define ALGORITHM(name, ike, esp)                              \
	{                                                      \
		name, run_algorithm, &(const struct algorithm) \
		{                                              \
			ike, esp                               \
		}                                              \
	}

const struct it_case cases_algorithm[] = {
    ALGORITHM("aes128gcm16-x25519", "aes128gcm16-prfsha256-curve25519", "aes128gcm16"),
    ALGORITHM("aes256gcm16-ecp384", "aes256gcm16-prfsha384-ecp384", "aes256gcm16"),
    ALGORITHM("aes128-sha256-ecp256", "aes128-sha256-ecp256", "aes128-sha256"),
    ALGORITHM("aes256-sha384-modp2048", "aes256-sha384-modp2048", "aes256-sha384"),
    ALGORITHM("aes256-sha512-modp3072", "aes256-sha512-modp3072", "aes256-sha512"),
    ALGORITHM("chacha20poly1305-prfsha512", "chacha20poly1305-prfsha512-curve25519",
	      "chacha20poly1305"),
    {NULL, NULL, NULL},
};
