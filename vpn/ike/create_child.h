/* create_child.h - CREATE_CHILD_SA for further Child SAs (RFC 7296 §1.3). For vpn/ike/ alone. */
#ifndef VPN_IKE_CREATE_CHILD_H
#define VPN_IKE_CREATE_CHILD_H

#include "vpn/ike/ike_sa.h"

int create_child_begin(struct ike_sa *sa, struct task *task, uint64_t now);
/* Owns the task. */
void create_child_response(struct ike_sa *sa, struct task *task, const struct ike_payloads *p,
			   uint64_t now);
struct verdict create_child_request(struct ike_sa *sa, const struct ike_payloads *p,
				    struct ike_builder *reply, uint64_t now);

#endif
