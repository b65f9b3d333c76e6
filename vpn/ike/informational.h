/* informational.h - the INFORMATIONAL exchange: deletes, liveness, errors (RFC 7296 §1.4). For
 * vpn/ike/ alone. */
#ifndef VPN_IKE_INFORMATIONAL_H
#define VPN_IKE_INFORMATIONAL_H

#include "vpn/ike/ike_sa.h"

/* Each sends the task's request (0: the task is owned by it) or says why not. */
int informational_delete_child(struct ike_sa *sa, struct task *task, uint64_t now);
int informational_delete_ike(struct ike_sa *sa, struct task *task, uint64_t now);
int informational_liveness(struct ike_sa *sa, struct task *task, uint64_t now);
int informational_auth_failed(struct ike_sa *sa, struct task *task, uint64_t now);

void informational_child_deleted(struct ike_sa *sa, const struct task *task, uint64_t now);
struct verdict informational_request(struct ike_sa *sa, const struct ike_payloads *p,
				     struct ike_builder *reply, uint64_t now);

#endif
