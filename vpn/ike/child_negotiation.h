/* child_negotiation.h - what IKE_AUTH and CREATE_CHILD_SA share: offering a Child SA, answering an
 * offer, taking the answer (RFC 7296 §1.2, §1.3.1, §2.9). For vpn/ike/ alone. */
#ifndef VPN_IKE_CHILD_NEGOTIATION_H
#define VPN_IKE_CHILD_NEGOTIATION_H

#include "vpn/ike/ike_sa.h"

/* Initiator. What is to be offered. */
struct child_wish {
	struct ike_conn *conn;
	const struct child_cfg *cfg;
	bool in_auth;			/* no nonce and no key exchange of its own */
	const struct ts_packet *packet; /* that has asked for it; NULL: none */
	uint16_t group; /* the key exchange to begin with, 0: the proposals' first */
	const struct child_sa
	    *old; /* the child to be rekeyed: its selectors are offered (§2.9.2); NULL */
};
int child_offer_new(struct ike_sa *sa, const struct child_wish *wish,
		    struct child_offer **ret_offer);
void child_offer_free(struct child_offer *offer); /* NULL is fine */
void child_offer_encode(const struct child_offer *offer, bool in_auth, struct ike_builder *b);

/* Why a negotiation failed: the notify that was or is to be sent, and words. */
struct child_failure {
	uint16_t notify;
	const char *why;
};

/* The response's payloads against the offer; installs the child. False with *ret_failure. */
bool child_offer_take_answer(struct ike_sa *sa, struct child_offer *offer, bool in_auth,
			     const struct ike_payloads *p, uint64_t now,
			     struct child_sa **ret_child, struct child_failure *ret_failure);

/* Responder. What may be agreed to. */
struct child_terms {
	bool in_auth;
	const struct child_sa
	    *old; /* the child that the peer rekeys: its configuration alone; NULL */
};
struct child_answer {
	struct child_sa *child;
	struct nonce low; /* the lower of the exchange's two nonces */
	struct child_failure failure;
	uint16_t group; /* for INVALID_KE_PAYLOAD: the one that we want */
};

/* Answers the offer in p and installs the child. On success the payloads of the answer stand in b;
 * on failure nothing does, and ret_answer->failure says what to send. */
bool child_answer_offer(struct ike_sa *sa, const struct child_terms *terms,
			const struct ike_payloads *p, struct ike_builder *b, uint64_t now,
			struct child_answer *ret_answer);

#endif
