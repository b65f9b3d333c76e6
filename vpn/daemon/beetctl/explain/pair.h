/* pair.h - a host behind this one, a host behind the tunnel, and the devices between them: what
 * rules on forwarded packets are asked about. */
#ifndef VPN_DAEMON_BEETCTL_EXPLAIN_PAIR_H
#define VPN_DAEMON_BEETCTL_EXPLAIN_PAIR_H

#include "vpn/daemon/beetctl/explain/findings.h"

struct live_pair {
	const struct fact_child *child;
	const struct fact_net *local, *remote;
	const char *lan, *tunnel;
	const char *out; /* by which forwarded packets leave: the tunnel's, or not */
};

typedef void live_pair_fn(const struct facts *f, struct findings *out,
			  const struct live_pair *pair);

/* For each local and remote selector of each child whose hosts are led through this host and the
 * tunnel; none if the rules of nftables are not known. */
void live_each_pair(const struct facts *f, struct findings *out, live_pair_fn *judge);

/* A new TCP connection from the one host to the other, as the forward hook sees it. */
struct nft_packet live_forwarded(const struct live_pair *p, bool into_tunnel);

#endif
