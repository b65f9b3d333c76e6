/* hub.h - many IKE SAs between two daemons: the initiator has COUNT connections alike, conn0 ...,
 * each with a child of its own inner address; the responder has one connection that takes them all.
 *
 * The same files, loaded by the same swanctl, for beetd and for strongSwan. */
#ifndef VPN_TESTS_BENCH_HUB_H
#define VPN_TESTS_BENCH_HUB_H

#include "harness/peer.h"

enum hub_auth { HUB_ED25519, HUB_PSK };

#define HUB_CONNS_MAX 4096

struct hub_spec {
	const char *name;
	const struct peer_driver *driver;
	enum hub_auth auth;
	struct peer_options options;
};

struct hub {
	struct net *net;
	struct peer *a, *b; /* initiator, responder */
	unsigned conns;
};

/* On failure nothing is left. */
int hub_up(const struct hub_spec *spec, unsigned conns, struct hub *ret_hub, struct err_msg *msg);
void hub_down(struct hub *hub);

/* Brings up connections [from, to), `parallel` at a time, each over a vici connection of its own
 * that waits until its child is up. Any that fails is an error. */
int hub_initiate(struct hub *hub, unsigned from, unsigned to, unsigned parallel,
		 double *ret_seconds, struct err_msg *msg);

#endif
