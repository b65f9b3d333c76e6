/* create_child.h - the CREATE_CHILD_SA exchange for further Child SAs (RFC 7296 §1.3.1), and its
 * dispatch; rekeying is in rekey_child.h and rekey_ike.h. For vpn/ike/ alone. */
#ifndef VPN_IKE_CREATE_CHILD_H
#define VPN_IKE_CREATE_CHILD_H

#include "vpn/ike/child_negotiation.h"

int create_child_begin(struct ike_sa *sa, struct task *task, uint64_t now);
/* Owns the task. */
void create_child_response(struct ike_sa *sa, struct task *task, const struct ike_payloads *p,
			   uint64_t now);
struct verdict create_child_request(struct ike_sa *sa, const struct ike_payloads *p,
				    struct ike_builder *reply, uint64_t now);

/* Sends an offer as the SA's request; 0: the SA owns the offer and the request the task. */
int create_child_send(struct ike_sa *sa, const struct child_wish *wish, struct task *task,
		      uint64_t now);
/* Takes the offer out of the SA. The caller frees it. */
struct child_offer *create_child_take_offer(struct ike_sa *sa);
/* The group that INVALID_KE_PAYLOAD in p asks for, if `proposals` has it and it is not `tried`; 0
 * if not. */
uint16_t create_child_wanted_group(const struct proposal_list *proposals, uint16_t tried,
				   const struct ike_payloads *p);
/* The verdict for an offer that could not be accepted. */
struct verdict create_child_refuse(struct ike_sa *sa, const struct child_answer *answer,
				   struct ike_builder *reply);
void create_child_notify_group(struct ike_builder *b, uint16_t group);

#endif
