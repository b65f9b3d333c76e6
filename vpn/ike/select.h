/* select.h - which connection a peer may use (as strongSwan chooses). For vpn/ike/ alone. */
#ifndef VPN_IKE_SELECT_H
#define VPN_IKE_SELECT_H

#include "vpn/ike/ike_sa.h"

#define CANDIDATES_MAX \
	64 /* connections that fit one pair of addresses; beyond, the first ones win */

struct candidates {
	size_t n;
	struct ike_conn *v[CANDIDATES_MAX]; /* best first; borrowed */
};

/* By addresses alone: named addresses before ranges before %any, then the order of loading. */
void select_by_address(struct ike_engine *e, const struct endpoint *local,
		       const struct endpoint *remote, struct candidates *ret_candidates);
/* Those of them that also fit the identities (idr may be NULL: the peer did not say whom it wants)
 * and whose proposals allow the suite that was chosen; best match first. */
void select_by_identity(struct ike_sa *sa, const struct identity *idi, const struct identity *idr,
			struct candidates *ret_candidates);

#endif
