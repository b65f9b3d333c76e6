/* auth.h - the IKE_AUTH exchange (RFC 7296 §1.2). For vpn/ike/ alone. */
#ifndef VPN_IKE_AUTH_H
#define VPN_IKE_AUTH_H

#include "vpn/ike/ike_sa.h"

/* Initiator: IKE_SA_INIT is done. The SA may be gone afterwards. */
void auth_begin(struct ike_sa *sa, uint64_t now);
void auth_response(struct ike_sa *sa, const struct ike_payloads *p, uint64_t now);
struct verdict auth_request(struct ike_sa *sa, const struct ike_payloads *p,
			    struct ike_builder *reply, uint64_t now);

#endif
