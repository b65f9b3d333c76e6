/* roam.h - which addresses an IKE SA uses while the host's and the peer's change. For vpn/ike/
 * alone. */
#ifndef VPN_IKE_ROAM_H
#define VPN_IKE_ROAM_H

#include "vpn/ike/ike_sa.h"

/* The host's addresses, links or routes have changed. False: the SA is gone. */
bool roam_run(struct ike_sa *sa, uint64_t now);
/* A request is about to be sent again: perhaps on another path. */
void roam_before_retransmission(struct ike_sa *sa);
/* An authenticated response has come: the path that it came by works. */
void roam_heard(struct ike_sa *sa);
/* The peer does not want us at the new addresses (RFC 4555 §3.5). */
void roam_refused(struct ike_sa *sa, uint64_t now);
/* The peer has told its addresses: the one in use may be gone (RFC 4555 §3.5). */
void roam_peer_addresses(struct ike_sa *sa, uint64_t now);

#endif
