/* child_negotiation.h - what IKE_AUTH and CREATE_CHILD_SA share: offering a Child SA, answering an
 * offer, taking the answer (RFC 7296 §1.2, §1.3.1, §2.9). For vpn/ike/ alone. */
#ifndef VPN_IKE_CHILD_NEGOTIATION_H
#define VPN_IKE_CHILD_NEGOTIATION_H

#include "vpn/ike/ike_sa.h"

/* Initiator. An offer for IKE_AUTH has neither nonce nor key exchange of its own. group: the key
 * exchange to begin with, 0: the proposals' first. */
int child_offer_new(struct ike_sa *sa, struct ike_conn *conn, const struct child_cfg *cfg,
		    bool in_auth, uint16_t group, struct child_offer **ret_offer);
void child_offer_free(struct child_offer *offer); /* NULL is fine */
void child_offer_encode(const struct child_offer *offer, bool in_auth, struct ike_builder *b);

/* Why a negotiation failed: the notify that was or is to be sent, and words. */
struct child_failure {
	uint16_t notify;
	const char *why;
};

/* The response's payloads against the offer; installs the child. False with *ret_failure. */
bool child_offer_take_answer(struct ike_sa *sa, const struct child_offer *offer, bool in_auth,
			     const struct ike_payloads *p, uint64_t now,
			     struct child_failure *ret_failure);

/* Responder: answers the offer in p and installs the child. On success the payloads of the answer
 * stand in b. On failure nothing does, and ret_failure->notify is what to send (its data in
 * notify_data, for INVALID_KE_PAYLOAD). `conn` is the IKE SA's. `only`: the one configuration that
 * may be used, for rekeying; NULL: the best. */
bool child_answer_offer(struct ike_sa *sa, const struct child_cfg *only, bool in_auth,
			const struct ike_payloads *p, struct ike_builder *b, uint64_t now,
			struct child_sa **ret_child, struct child_failure *ret_failure,
			uint16_t *ret_group);

#endif
