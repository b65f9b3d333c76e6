/* flight.h - a message of ours as it goes out: one datagram, or the fragments of one (RFC 7383
 * §2.5), kept to be sent again octet by octet. For vpn/ike/ alone. */
#ifndef VPN_IKE_FLIGHT_H
#define VPN_IKE_FLIGHT_H

#include "vpn/ike/ike_sa.h"

/* One message in the clear. ERR_NOMEM. */
int flight_set_clear(struct flight *f, struct view datagram);
/* Seals `inner`, in fragments if the SA may and the datagram would be too large. ERR_SPACE,
 * ERR_CRYPTO, ERR_NOMEM. */
int flight_seal(struct ike_sa *sa, const struct ike_header *hdr, const struct ike_builder *inner,
		struct flight *f);
/* Nothing came back: in smaller fragments, which the SA uses from now on (RFC 7383 §2.5.2). False
 * if it cannot be made smaller. */
bool flight_shrink(struct ike_sa *sa, struct flight *f);
void flight_send(const struct ike_sa *sa, const struct flight *f, const struct endpoint *local,
		 const struct endpoint *remote);
void flight_free(struct flight *f);

/* Both ends have said that they take fragments. */
void flight_allow_fragments(struct ike_sa *sa);
/* The largest fragment of the peer's message was a datagram of that many octets of IKE: ours need
 * not be larger (RFC 7383 §2.5.1). */
void flight_learn_size(struct ike_sa *sa, size_t ike_len);

#endif
