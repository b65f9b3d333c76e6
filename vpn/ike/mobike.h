/* mobike.h - MOBIKE's messages (RFC 4555): agreed on in IKE_AUTH, address lists, address updates,
 * return routability. Which path is to be used is decided in roam.c. For vpn/ike/ alone. */
#ifndef VPN_IKE_MOBIKE_H
#define VPN_IKE_MOBIKE_H

#include "vpn/ike/ike_sa.h"

/* IKE_AUTH: what we say, and what the peer has said. The initiator says it if its connection
 * allows, the responder if both do. */
void mobike_encode_auth(struct ike_sa *sa, struct ike_builder *b);
void mobike_read_auth(struct ike_sa *sa, const struct ike_payloads *p);
/* True if the peer forbids NATs and there is one (§3.9). */
bool mobike_meets_nat(const struct ike_sa *sa, const struct ike_payloads *p);

/* The tasks TASK_MOBIKE_*: begin one, take its response. */
int mobike_begin(struct ike_sa *sa, struct task *task, uint64_t now);
void mobike_response(struct ike_sa *sa, struct task *task, const struct ike_payloads *p,
		     uint64_t now);
/* NAT detection in a liveness check: the peer's answer shows how it sees us (§3.8). */
void mobike_encode_liveness(const struct ike_sa *sa, struct ike_builder *b);
void mobike_liveness_response(struct ike_sa *sa, const struct ike_payloads *p, uint64_t now);

/* Whatever an INFORMATIONAL request of the peer's says about addresses; the answer to that. */
void mobike_request(struct ike_sa *sa, const struct ike_payloads *p, struct ike_builder *reply,
		    uint64_t now);

/* True if the peer was not yet told of the addresses that we have now. */
bool mobike_has_news(const struct ike_sa *sa);
/* A rekeyed IKE SA goes on where the old one is. */
void mobike_inherit(const struct ike_sa *old, struct ike_sa *next);

#endif
