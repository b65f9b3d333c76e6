/* creds.c - the credential store.
 *
 * Certificates and keys are reference-counted objects of crypto/pki.h; shared secrets are copied
 * and wiped when they go. Nothing is verified here: who trusts which CA is decided by the
 * connection and the engine.
 *
 * Which of several shared secrets is used follows strongSwan, so that one secrets section means the
 * same to both: every owner is compared with the peer's and with our own identity; the best match
 * of the peer's identity wins, then the best match of ours; a secret without owners fits everybody,
 * but worse than any that names one. */
#include "vpn/node/creds.h"

#include <stdlib.h>
#include <string.h>

#include "vpn/base/err.h"
#include "vpn/base/secret.h"

#define KEY_ID_LEN 20

/* What identity_match yields for %any: the rank of a secret without owners. */
#define MATCH_ANYBODY 1

static void *grown(void *v, size_t n, size_t size)
{
	return reallocarray(v, n + 1, size);
}

static void clear_certs(struct cert ***certs, size_t *n)
{
	while (*n)
		cert_unref((*certs)[--*n]);
	free(*certs);
	*certs = NULL;
}

static void shared_clear(struct shared *s)
{
	while (s->n_owners)
		identity_clear(&s->owners[--s->n_owners]);
	free(s->owners);
	free(s->uid);
	if (s->secret)
		secret_wipe(s->secret, s->len);
	free(s->secret);
	*s = (struct shared){0};
}

void creds_clear(struct creds *creds)
{
	clear_certs(&creds->certs, &creds->n_certs);
	clear_certs(&creds->cas, &creds->n_cas);
	while (creds->n_keys)
		privkey_unref(creds->keys[--creds->n_keys]);
	free(creds->keys);
	while (creds->n_shared)
		shared_clear(&creds->shared[--creds->n_shared]);
	free(creds->shared);
	*creds = (struct creds){0};
}

static int add_cert_to(struct cert ***certs, size_t *n, struct cert *cert)
{
	struct cert **v;
	size_t i;

	for (i = 0; i < *n; i++) {
		if (cert_eq((*certs)[i], cert))
			return 0;
	}
	v = grown(*certs, *n, sizeof(struct cert *));
	if (!v)
		return ERR_NOMEM;
	*certs = v;
	v[(*n)++] = cert_ref(cert);
	return 0;
}

int creds_add_cert(struct creds *creds, struct cert *cert)
{
	return add_cert_to(&creds->certs, &creds->n_certs, cert);
}

int creds_add_ca(struct creds *creds, struct cert *cert)
{
	return add_cert_to(&creds->cas, &creds->n_cas, cert);
}

static size_t key_index(const struct creds *creds, const uint8_t *id)
{
	size_t i;

	for (i = 0; i < creds->n_keys; i++) {
		if (memcmp(privkey_id(creds->keys[i]), id, KEY_ID_LEN) == 0)
			break;
	}
	return i;
}

int creds_add_key(struct creds *creds, struct privkey *key)
{
	struct privkey **v;

	if (key_index(creds, privkey_id(key)) < creds->n_keys)
		return 0;
	v = grown(creds->keys, creds->n_keys, sizeof(struct privkey *));
	if (!v)
		return ERR_NOMEM;
	creds->keys = v;
	v[creds->n_keys++] = privkey_ref(key);
	return 0;
}

int creds_remove_key(struct creds *creds, const uint8_t id[20])
{
	size_t i = key_index(creds, id);

	if (i == creds->n_keys)
		return ERR_NOT_FOUND;
	privkey_unref(creds->keys[i]);
	creds->n_keys--;
	memmove(&creds->keys[i], &creds->keys[i + 1],
		(creds->n_keys - i) * sizeof(struct privkey *));
	return 0;
}

struct privkey *creds_key_for(const struct creds *creds, const struct cert *cert)
{
	size_t i;

	for (i = 0; i < creds->n_keys; i++) {
		if (cert_matches_key(cert, creds->keys[i]))
			return creds->keys[i];
	}
	return NULL;
}

static bool owners_eq(const struct shared *s, const struct identity *owners, size_t n)
{
	size_t i;

	if (s->n_owners != n)
		return false;
	for (i = 0; i < n; i++) {
		if (!identity_eq(&s->owners[i], &owners[i]))
			return false;
	}
	return true;
}

/* The secret that the new one stands for: of the same uid, or unnamed with the same owners. */
static size_t shared_index(const struct creds *creds, const char *uid,
			   const struct identity *owners, size_t n_owners)
{
	const struct shared *s;
	size_t i;

	for (i = 0; i < creds->n_shared; i++) {
		s = &creds->shared[i];
		if (uid && s->uid && strcmp(s->uid, uid) == 0)
			break;
		if (!uid && !s->uid && owners_eq(s, owners, n_owners))
			break;
	}
	return i;
}

static int shared_copy_owners(struct shared *s, const struct identity *owners, size_t n)
{
	s->owners = calloc(n ? n : 1, sizeof(*s->owners));
	if (!s->owners)
		return ERR_NOMEM;
	for (; s->n_owners < n; s->n_owners++) {
		if (identity_copy(&owners[s->n_owners], &s->owners[s->n_owners]))
			return ERR_NOMEM;
	}
	return 0;
}

static int shared_make(const char *uid, const struct identity *owners, size_t n_owners,
		       struct view secret, struct shared *ret_shared)
{
	struct shared s = {.uid = uid ? strdup(uid) : NULL, .secret = malloc(secret.len)};

	if (!s.secret || (uid && !s.uid))
		goto fail;
	memcpy(s.secret, secret.p, secret.len);
	s.len = secret.len;
	if (shared_copy_owners(&s, owners, n_owners))
		goto fail;
	*ret_shared = s;
	return 0;
fail:
	shared_clear(&s);
	return ERR_NOMEM;
}

int creds_add_shared(struct creds *creds, const char *uid, const struct identity *owners,
		     size_t n_owners, struct view secret)
{
	size_t i = shared_index(creds, uid, owners, n_owners);
	struct shared s, *v;
	int err;

	if (!secret.len)
		return ERR_INVALID;
	err = shared_make(uid, owners, n_owners, secret, &s);
	if (err)
		return err;
	if (i < creds->n_shared) {
		shared_clear(&creds->shared[i]);
		creds->shared[i] = s;
		return 0;
	}
	v = grown(creds->shared, creds->n_shared, sizeof(*v));
	if (!v) {
		shared_clear(&s);
		return ERR_NOMEM;
	}
	creds->shared = v;
	v[creds->n_shared++] = s;
	return 0;
}

int creds_remove_shared(struct creds *creds, const char *uid)
{
	size_t i = shared_index(creds, uid, NULL, 0);

	if (i == creds->n_shared)
		return ERR_NOT_FOUND;
	shared_clear(&creds->shared[i]);
	creds->n_shared--;
	memmove(&creds->shared[i], &creds->shared[i + 1],
		(creds->n_shared - i) * sizeof(*creds->shared));
	return 0;
}

/* How well the owners of s fit id; 0: not at all. */
static int shared_match(const struct shared *s, const struct identity *id)
{
	int best = s->n_owners ? 0 : MATCH_ANYBODY;
	size_t i;

	for (i = 0; id && i < s->n_owners; i++) {
		int match = identity_match(id, &s->owners[i]);

		best = match > best ? match : best;
	}
	return best;
}

const struct shared *creds_find_shared(const struct creds *creds, const struct identity *local,
				       const struct identity *remote)
{
	const struct shared *best = NULL;
	int best_local = 0, best_remote = 0;
	size_t i;

	for (i = 0; i < creds->n_shared; i++) {
		int l = shared_match(&creds->shared[i], local);
		int r = shared_match(&creds->shared[i], remote);

		if (!l && !r)
			continue;
		if (!best || r > best_remote || (r == best_remote && l > best_local)) {
			best = &creds->shared[i];
			best_local = l;
			best_remote = r;
		}
	}
	return best;
}
