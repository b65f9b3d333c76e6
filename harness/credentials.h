/* credentials.h - keys and certificates for a case, made with strongSwan's pki.
 *
 * All land in a directory, as NAME-key.pem and NAME-cert.pem, subject "C=FR, O=inetdoc.net,
 * CN=NAME". */
#ifndef HARNESS_CREDENTIALS_H
#define HARNESS_CREDENTIALS_H

#include "netns/net.h"

enum credential_key { CREDENTIAL_ED25519, CREDENTIAL_RSA, CREDENTIAL_ECDSA, CREDENTIAL_RSA4096 };

enum credential_validity { CREDENTIAL_VALID, CREDENTIAL_EXPIRED };

/* As the seed document's gen-ecc-secrets.sh does: self-signed, server and client flags. */
int credentials_self_signed(struct net *net, const char *dir, const char *name,
			    enum credential_key kind, struct err_msg *msg);
int credentials_ca(struct net *net, const char *dir, const char *name, enum credential_key kind,
		   struct err_msg *msg);
/* A certificate issued by the CA of that name. */
int credentials_issued(struct net *net, const char *dir, const char *name, const char *ca,
		       enum credential_key kind, enum credential_validity validity,
		       struct err_msg *msg);

#endif
