/* keys.h - keys and certificates for a case, made with strongSwan's pki.
 *
 * All land in a directory, as NAME-key.pem and NAME-cert.pem, subject "C=FR, O=inetdoc.net,
 * CN=NAME". */
#ifndef VPN_TESTS_INTEGRATION_KEYS_H
#define VPN_TESTS_INTEGRATION_KEYS_H

#include "netns/net.h"

enum keys_kind { KEYS_ED25519, KEYS_RSA, KEYS_ECDSA };

enum keys_validity { KEYS_VALID, KEYS_EXPIRED };

/* As the seed document's gen-ecc-secrets.sh does: self-signed, server and client flags. */
int keys_self_signed(struct net *net, const char *dir, const char *name, enum keys_kind kind,
		     struct err_msg *msg);
int keys_ca(struct net *net, const char *dir, const char *name, enum keys_kind kind,
	    struct err_msg *msg);
/* A certificate issued by the CA of that name. */
int keys_issued(struct net *net, const char *dir, const char *name, const char *ca,
		enum keys_kind kind, enum keys_validity validity, struct err_msg *msg);

#endif
