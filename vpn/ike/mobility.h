/* mobility.h - following a peer whose NAT mapping changes (RFC 7296 §2.23). For vpn/ike/ alone. */
#ifndef VPN_IKE_MOBILITY_H
#define VPN_IKE_MOBILITY_H

#include "vpn/ike/ike_sa.h"

/* An authenticated message of this SA came from `remote` to `local`: follow it, if the rules allow.
 */
void mobility_follow(struct ike_sa *sa, const struct endpoint *local, const struct endpoint *remote,
		     uint64_t now);
/* The same for a packet of ESP. */
void mobility_follow_esp(struct ike_sa *sa, const struct endpoint *remote, uint64_t now);

#endif
