/* reauth.h - an IKE SA made anew, from IKE_SA_INIT on (RFC 7296 §2.8.3, RFC 4478). For vpn/ike/
 * alone. */
#ifndef VPN_IKE_REAUTH_H
#define VPN_IKE_REAUTH_H

#include "vpn/ike/ike_sa.h"

/* Makes a new IKE SA with the same children, before or after the deletion of this one, which may be
 * gone afterwards. ERR_STATE: the peer has begun it, so it is the peer's to repeat, or it is not
 * established; ERR_NOMEM and others: nothing has changed. */
int reauth_begin(struct ike_sa *sa, uint64_t now);
/* The peer has refused a rekeying for good: then all is made anew, if we may. */
void reauth_instead(struct ike_sa *sa, const struct ike_payloads *p, uint64_t now);
/* An answer has come in `sa`: if it is the new one and has all that it needs, the old one goes. */
void reauth_settle(struct ike_sa *sa, uint64_t now);
/* `sa` has failed: the one that it was to replace goes on. */
void reauth_failed(struct ike_sa *sa);
/* `next` has taken the place of `old` by rekeying (RFC 7296 §2.18). */
void reauth_follow(const struct ike_sa *old, struct ike_sa *next);

/* AUTH_LIFETIME: the responder's time limit (RFC 4478 §2). */
void reauth_encode_lifetime(const struct ike_sa *sa, uint64_t now, struct ike_builder *b);
void reauth_read_lifetime(struct ike_sa *sa, const struct ike_payloads *p, uint64_t now);

#endif
