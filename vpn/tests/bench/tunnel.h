/* tunnel.h - a contestant of the throughput benchmark: two daemons on a stage of their own, a
 * tunnel between their inner addresses, and iperf3 through it. */
#ifndef VPN_TESTS_BENCH_TUNNEL_H
#define VPN_TESTS_BENCH_TUNNEL_H

#include "netns/process.h"
#include "vpn/tests/bench/wireguard.h"
#include "harness/peer.h"

enum tunnel_kind { TUNNEL_NONE, TUNNEL_IKE, TUNNEL_WIREGUARD };

struct tunnel_spec {
	const char *name;
	enum tunnel_kind kind; /* NONE: the bare cable */
	/* of TUNNEL_IKE: */
	const struct peer_driver *driver;
	const char *mode;
	const char *esp_proposals;
	struct peer_options options;
};

struct tunnel {
	const struct tunnel_spec *spec;
	struct net *net;
	struct peer *a, *b;
	struct wireguard wg;
	struct process *server;
};

struct load {
	unsigned streams;
	bool reverse; /* from b to a */
	unsigned seconds;
};

/* NULL if the contestant can take part here, else why not. */
const char *tunnel_missing(const struct tunnel_spec *spec);
/* On failure nothing is left. */
int tunnel_up(const struct tunnel_spec *spec, struct tunnel *ret_tunnel, struct err_msg *msg);
void tunnel_down(struct tunnel *tunnel);
/* What the receiver got. */
int tunnel_measure(struct tunnel *tunnel, const struct load *load, double *ret_gbits,
		   struct err_msg *msg);
/* Used so far by the daemons of both ends, not by iperf3. */
double tunnel_cpu_seconds(const struct tunnel *tunnel);

#endif
