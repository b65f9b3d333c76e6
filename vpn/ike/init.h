/* init.h - the IKE_SA_INIT exchange (RFC 7296 §1.2). For vpn/ike/ alone. */
#ifndef VPN_IKE_INIT_H
#define VPN_IKE_INIT_H

#include "vpn/ike/ike_sa.h"

/* Initiator: sends the first message of a new SA. */
int init_begin(struct ike_sa *sa, uint64_t now);
/* The payloads of a response, in the clear. `datagram` becomes RealMessage2. */
void init_response(struct ike_sa *sa, const struct ike_header *hdr, const struct ike_payloads *p,
		   struct view datagram, const struct endpoint *local,
		   const struct endpoint *remote, uint64_t now);
/* Responder: a first message. */
void init_request(struct ike_engine *e, const struct ike_header *hdr, struct view datagram,
		  const struct endpoint *local, const struct endpoint *remote, uint64_t now);

#endif
