/* lifetime.h - when an SA is to be rekeyed and when it ends, with strongSwan's random share
 * (swanctl.conf(5) rand_time, rand_bytes, rand_packets). For vpn/ike/ alone. */
#ifndef VPN_IKE_LIFETIME_H
#define VPN_IKE_LIFETIME_H

#include "vpn/ike/ike_sa.h"

/* soft less a random part of rand, at least 1; 0 stays 0. */
uint64_t lifetime_soft(struct ike_engine *e, uint64_t soft, uint64_t rand);
/* A point in time that many seconds after start, DEADLINE_NEVER for 0. */
uint64_t lifetime_at(uint64_t start, uint64_t seconds);
/* When to try a rekeying again that failed for now: REKEY_RETRY to twice that from now. */
uint64_t lifetime_retry(struct ike_engine *e, uint64_t now);

#endif
