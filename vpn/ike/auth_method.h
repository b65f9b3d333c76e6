/* auth_method.h - proving who we are and checking who the peer is (RFC 7296 §2.15, RFC 7427). For
 * vpn/ike/ alone. */
#ifndef VPN_IKE_AUTH_METHOD_H
#define VPN_IKE_AUTH_METHOD_H

#include "vpn/ike/ike_sa.h"

/* Our identity on this connection: the configured one, or the certificate's subject, or our
 * address. */
int auth_local_identity(const struct ike_sa *sa, const struct ike_conn *conn,
			struct identity *ret_id);

/* The certificate that we would authenticate with; NULL if none has a private key. Borrowed. */
struct cert *auth_local_cert(const struct ike_sa *sa, const struct ike_conn *conn);

/* Appends the AUTH payload over our half of IKE_SA_INIT. ERR_NOT_FOUND: no key; *msg says which. */
int auth_build(struct ike_sa *sa, struct ike_builder *b, struct err_msg *msg);

/* Checks the peer's AUTH payload, as the peer of `conn`. idx is its ID payload as it came. ERR_AUTH
 * with the reason. */
int auth_verify(struct ike_sa *sa, const struct ike_conn *conn, const struct identity *peer_id,
		struct view id_payload, const struct ike_payloads *p, uint64_t now,
		struct err_msg *msg);

/* False for the one method that signs with SHA-1 (RSA Digital Signature, RFC 7296 §3.8) from a peer
 * that has announced better hashes (RFC 7427 §4): it has no reason to use it, somebody in the
 * middle has. */
bool auth_method_allowed(uint8_t method, unsigned peer_hashes);

/* Appends CERTREQ with the CAs that we trust for this connection, if there are any. */
void auth_encode_certreq(struct ike_sa *sa, const struct ike_conn *conn, struct ike_builder *b);
/* Appends our CERT payloads, if the connection and the peer want them. */
void auth_encode_certs(struct ike_sa *sa, struct ike_builder *b);

#endif
