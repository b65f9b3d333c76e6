/* natd.h - NAT detection (RFC 7296 §2.23): the hashes, and what they tell. */
#ifndef VPN_IKE_NATD_H
#define VPN_IKE_NATD_H

#include "vpn/ike/ike_sa.h"

/* Appends NAT_DETECTION_SOURCE_IP and _DESTINATION_IP; with `fake` the source is a lie, so that the
 * peer sees a NAT and encapsulates (encap = yes). */
void natd_encode(struct ike_builder *b, uint64_t spi_i, uint64_t spi_r,
		 const struct endpoint *local, const struct endpoint *remote, bool fake);

struct natd_result {
	bool supported;	 /* the peer sent the notifies */
	bool nat_local;	 /* we are behind a NAT */
	bool nat_remote; /* the peer is, or pretends to be */
};
struct natd_result natd_check(const struct ike_payloads *p, uint64_t spi_i, uint64_t spi_r,
			      const struct endpoint *local, const struct endpoint *remote);

#endif
