/* cases_seed.c - the seed document: its two configurations, three children, traffic both ways.
 *
 * What the document leaves out is added (routes through xfrm1 at the VPS; the lab hosts know the
 * way back); what it shows is expected: three children in tunnel mode in UDP, pings VPS to gateway
 * over IPv4 and IPv6, VPS to both lab hosts. Beyond the document: TCP both ways compared octet by
 * octet, and nothing in the clear on the outer wire. */
#include "vpn/tests/integration/cases.h"

#define MEGABYTE (1024u * 1024u)

static void expect_document_children(struct lab *lab, struct peer *peer)
{
	static const char *const names[] = {"beet-vpn-ipv4-self", "beet-vpn-ipv4",
					    "beet-vpn-ipv6-self"};
	size_t i;

	for (i = 0; i < 3; i++) {
		/* The document's selectors are no hosts, so BEET is not to be had. */
		lab_expect_child(lab, peer, names[i], "mode", "TUNNEL");
		lab_expect_child(lab, peer, names[i], "encap", "yes");
		lab_expect_child(lab, peer, names[i], "encr-alg", "CHACHA20_POLY1305");
	}
}

static void send_traffic(struct lab *lab)
{
	lab_ping(lab, "vps", GW_TUN);
	lab_ping(lab, "vps", GW_TUN6);
	lab_ping(lab, "lab-gw", VPS_TUN6);
	lab_ping(lab, "vps", "192.168.1.28");
	lab_ping(lab, "vps", "192.168.1.200");
	lab_ping(lab, "host28", VPS_TUN);
	lab_tcp(lab, "vps", "host28", "192.168.1.28", MEGABYTE);
	lab_tcp(lab, "host28", "vps", VPS_TUN, MEGABYTE);
	lab_tcp(lab, "lab-gw", "vps", VPS_TUN6, MEGABYTE);
}

static void run_seed(const struct it_case *it, const struct peer_driver *gw,
		     const struct peer_driver *vps)
{
	const struct lab_options options = {.nat = *(const enum seed_nat *)it->data};
	struct lab lab;

	lab_open(&lab, &options, gw, vps);
	lab_inner_addresses(&lab, true);
	lab_seed_keys(&lab);
	lab_seed_confs(&lab);
	lab_capture_outer(&lab);
	lab_start(&lab);
	lab_wait_children(&lab, 3);
	expect_document_children(&lab, lab.gw);
	expect_document_children(&lab, lab.vps);
	send_traffic(&lab);
	lab_expect_no_clear_text(&lab, 1000);
	lab_terminate(&lab, "vps-cloud");
	lab_close(&lab);
}

static const enum seed_nat nat_random = SEED_NAT_RANDOM;
static const enum seed_nat nat_preserve = SEED_NAT_PRESERVE;

const struct it_case cases_seed[] = {
    {"seed", run_seed, &nat_random},
    {"seed-port-preserving-nat", run_seed, &nat_preserve},
    {NULL, NULL, NULL},
};
