/* lab.h - the stage of a case: the seed's network, a peer at lab-gw and one at vps, their
 * configurations.
 *
 * A failed expectation ends the program: lab_fail prints what was expected, the peers' last words
 * and where the artefacts are, and takes the network down. So a case reads as a list of steps. */
#ifndef VPN_TESTS_INTEGRATION_LAB_H
#define VPN_TESTS_INTEGRATION_LAB_H

#include "netns/capture.h"
#include "netns/seed_topology.h"
#include "harness/conf.h"
#include "harness/credentials.h"
#include "harness/peer.h"

#define VPS_ADDR  "203.0.113.10"
#define VPS_ADDR6 "2001:db8:203::10"
#define GW_ADDR	  "192.168.1.2"
#define GW_ADDR6  "2001:db8:192::2"
#define VPS_TUN	  "10.254.0.1"
#define GW_TUN	  "10.254.0.2"
#define VPS_TUN6  "fdc0:beef:1::1"
#define GW_TUN6	  "fdc0:beef:2::1"
#define VPS_ID	  "C=FR, O=inetdoc.net, CN=vps"
#define GW_ID	  "C=FR, O=inetdoc.net, CN=lab-gw"

#define UP_MS	  15000 /* a handshake on a busy machine */

struct lab {
	struct net *net;
	struct peer *gw; /* behind the NAT box; the initiator unless a case says otherwise */
	struct peer *vps;
	struct capture *outer; /* of the VPS's outer interface; NULL: not running */
	char outer_path[PEER_PATH_MAX];
	char gw_conf[CONF_TEXT_MAX], vps_conf[CONF_TEXT_MAX];
	/* Links, addresses, routes and rules of each node before its daemon started. */
	char *gw_before, *vps_before;
};

struct lab_options {
	enum seed_nat nat;
	struct peer_options gw, vps;
};

/* The calls below that return void fail the test themselves. */

void lab_open(struct lab *lab, const struct lab_options *options, const struct peer_driver *gw,
	      const struct peer_driver *vps);
/* Ends the daemons, which must end well: status 0, and a beetd leaves its node's links, addresses,
 * routes and rules as it found them. */
void lab_close(struct lab *lab);
void lab_fail(struct lab *lab, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), noreturn));
/* Ends the program with lab_fail if err is negative. */
void lab_ok(struct lab *lab, int err, const struct err_msg *msg, const char *what);

/* The addresses inside the tunnel, at both ends: on xfrm1 (made as a TUN device for the daemon to
 * adopt, with the routes through it) where the daemon is beetd and if_id is set, else on lo. */
void lab_inner_addresses(struct lab *lab, bool if_id);

/* Self-signed Ed25519 certificates for both, each end having the other's, as the document does. */
void lab_seed_keys(struct lab *lab);
/* Gives a peer a file that keys.h made: NAME-SUFFIX.pem into its KIND/ ("x509", "private"). */
void lab_install(struct lab *lab, struct peer *peer, const char *kind, const char *name,
		 const char *suffix);
/* The document's two files with the addresses filled in, in gw_conf and vps_conf. */
void lab_seed_confs(struct lab *lab);
/* One child between the tunnel's addresses, certificates; both ends alike. */
void lab_pair_confs(struct conf *ret_gw, struct conf *ret_vps);
/* Turns both into a pre-shared key between two domain names. */
void lab_use_psk(struct conf *gw, struct conf *vps);
void lab_set_confs(struct lab *lab, const struct conf *gw, const struct conf *vps);

/* Links, addresses, routes and rules of the peer's node, as text for the caller to free; without
 * what the kernel changes by itself (multicast, link-local addresses, routes of a device that loses
 * its carrier when nobody holds it open). */
char *lab_node_state(struct lab *lab, const struct peer *peer);

/* Starts both daemons and loads both configurations, the responder (vps) first. */
void lab_start(struct lab *lab);
/* Starts both daemons, configurations written but not loaded. */
void lab_start_unloaded(struct lab *lab);
void lab_wait_children(struct lab *lab, unsigned count);
void lab_ping(struct lab *lab, const char *from, const char *addr);
void lab_tcp(struct lab *lab, const char *from, const char *to, const char *to_addr, size_t octets);
/* Expects the value of list-sas at both ends. */
void lab_expect_child(struct lab *lab, struct peer *peer, const char *child, const char *key,
		      const char *value);

void lab_capture_outer(struct lab *lab);
void lab_stop_capture(struct lab *lab);
/* Stops the capture and expects no packet with an inner address on the outer wire, and at least
 * min_esp ESP packets. */
void lab_expect_no_clear_text(struct lab *lab, unsigned min_esp);
/* Packets of a capture file that match a filter. */
unsigned lab_count_packets(struct lab *lab, const char *path, const char *filter);

/* Expects a line with all the words (ended by NULL) in the peer's log, now or soon. */
void lab_expect_log(struct lab *lab, struct peer *peer, const char *const *words);
/* Expects that the sender sent a notify in a message ("IKE_AUTH response"), by what both ends say
 * that they sent and received; a foreign end's word counts for the wire. */
void lab_expect_notify(struct lab *lab, struct peer *sender, const char *message,
		       const char *notify);
/* Loads nftables rules in a node. */
void lab_nft(struct lab *lab, const char *node, const char *text);
/* Loses, on the internet router, every IPv4 packet from the VPS. */
void lab_block(struct lab *lab, bool on);

/* Terminates from the gateway and expects both ends to have no SA left and to run still. */
void lab_terminate(struct lab *lab, const char *ike);

#endif
