/* rekey_ike.h - rekeying of the IKE SA (RFC 7296 §1.3.2, §2.18). For vpn/ike/ alone. */
#ifndef VPN_IKE_REKEY_IKE_H
#define VPN_IKE_REKEY_IKE_H

#include "vpn/ike/ike_sa.h"

int rekey_ike_begin(struct ike_sa *sa, struct task *task, uint64_t now);
/* Owns the task. */
void rekey_ike_response(struct ike_sa *sa, struct task *task, const struct ike_payloads *p,
			uint64_t now);
/* The SA ends: what its rekeying has begun ends with it, or takes over its children (RFC 7296
 * §2.8.2: the peer has made the successor and deletes the old SA before our own request was
 * answered). */
void rekey_ike_abandon(struct ike_sa *sa, uint64_t now);
/* The peer asks something about children over this SA: if our own rekeying has crossed the one that
 * made it, the peer knows who has won, or of no collision at all (RFC 7296 §2.8.2). */
void rekey_ike_used(struct ike_sa *sa, uint64_t now);
struct verdict rekey_ike_request(struct ike_sa *sa, const struct ike_payloads *p,
				 struct ike_builder *reply, uint64_t now);

#endif
