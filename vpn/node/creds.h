/* creds.h - certificates, private keys and shared secrets, and which of them fits. */
#ifndef VPN_NODE_CREDS_H
#define VPN_NODE_CREDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vpn/base/reader.h"
#include "vpn/crypto/identity.h"
#include "vpn/crypto/pki.h"

struct shared {
	char *uid; /* NULL: unnamed */
	struct identity *owners;
	size_t n_owners;
	uint8_t *secret;
	size_t len;
};

struct creds {		     /* all-zero is empty */
	struct cert **certs; /* ours and peers' */
	size_t n_certs;
	struct cert **cas;
	size_t n_cas;
	struct privkey **keys;
	size_t n_keys;
	struct shared *shared;
	size_t n_shared;
};

void creds_clear(struct creds *creds); /* wipes */

/* References are taken by the store itself, the caller keeps his own. What is there already is not
 * added twice. ERR_NOMEM. */
int creds_add_cert(struct creds *creds, struct cert *cert);
int creds_add_ca(struct creds *creds, struct cert *cert);
int creds_add_key(struct creds *creds, struct privkey *key);
int creds_remove_key(struct creds *creds, const uint8_t id[20]); /* ERR_NOT_FOUND */
struct privkey *creds_key_for(const struct creds *creds, const struct cert *cert);

/* Copies. A secret of the same uid, or an equal one without uid, is replaced. ERR_NOMEM,
 * ERR_INVALID. */
int creds_add_shared(struct creds *creds, const char *uid, const struct identity *owners,
		     size_t n_owners, struct view secret);
int creds_remove_shared(struct creds *creds, const char *uid); /* ERR_NOT_FOUND */
/* The secret that fits the two identities best; either may be NULL (unknown). NULL: none fits. */
const struct shared *creds_find_shared(const struct creds *creds, const struct identity *local,
				       const struct identity *remote);

#endif
