/* rekey_child.h - rekeying of a Child SA (RFC 7296 §1.3.3, §2.8). For vpn/ike/ alone. */
#ifndef VPN_IKE_REKEY_CHILD_H
#define VPN_IKE_REKEY_CHILD_H

#include "vpn/ike/ike_sa.h"

/* The task names the child by id. */
int rekey_child_begin(struct ike_sa *sa, struct task *task, uint64_t now);
/* Owns the task. */
void rekey_child_response(struct ike_sa *sa, struct task *task, const struct ike_payloads *p,
			  uint64_t now);
/* The peer deletes `child`: if its own request made it, in a collision whose outcome we do not know
 * yet, the peer has conceded. */
void rekey_child_conceded(struct ike_sa *sa, struct child_sa *child);
struct verdict rekey_child_request(struct ike_sa *sa, const struct payload_notify *rekey,
				   const struct ike_payloads *p, struct ike_builder *reply,
				   uint64_t now);

#endif
