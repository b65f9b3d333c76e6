/* auth_method.c - the AUTH payload: what is signed, with what, and whom a peer's signature proves
 * (RFC 7296 §2.15, RFC 7427 §3, RFC 8420).
 *
 *     initiator signs  RealMessage1 | Nr | prf(SK_pi, IDi')
 *     responder signs  RealMessage2 | Ni | prf(SK_pr, IDr')
 *
 * A peer's certificate counts if it carries the peer's identity, is trusted (pinned by the
 * connection, loaded beside it, or chained to a CA) and verifies the signature. If the peer sent no
 * certificate, those that we have for its identity are tried: that is how two ends with exchanged
 * self-signed certificates work. */
#include "vpn/ike/auth_method.h"

#include <stdlib.h>
#include <string.h>

#include "vpn/base/secret.h"
#include "vpn/ike/report.h"

#define KEY_PAD "Key Pad for IKEv2" /* RFC 7296 §2.15 */

struct cert *auth_local_cert(const struct ike_sa *sa, const struct ike_conn *conn)
{
	const struct ike_env *env = &sa->engine->env;
	const struct auth_cfg *local = &conn->local;
	struct cert *cert;
	size_t i;

	for (i = 0; i < local->certs.n; i++)
		if (env->private_key(env->ctx, local->certs.v[i]))
			return local->certs.v[i];
	if (local->certs.n || local->id.type == ID_ANY)
		return NULL;
	for (i = 0; (cert = env->cert(env->ctx, i)) != NULL; i++)
		if (cert_has_identity(cert, &local->id) && env->private_key(env->ctx, cert))
			return cert;
	return NULL;
}

int auth_local_identity(const struct ike_sa *sa, const struct ike_conn *conn,
			struct identity *ret_id)
{
	struct cert *cert;

	if (conn->local.id.type != ID_ANY)
		return identity_copy(&conn->local.id, ret_id);
	cert = conn->local.auth == AUTH_CLASS_PSK ? NULL : auth_local_cert(sa, conn);
	if (cert)
		return identity_copy(cert_subject(cert), ret_id);
	return identity_from_addr(&sa->local.addr, ret_id);
}

/* The octets that one end signs; `by_us` tells which. */
struct signed_octets {
	uint8_t *p;
	size_t len;
};

static int signed_octets(const struct ike_sa *sa, bool by_us, struct view id_payload,
			 struct signed_octets *ret)
{
	bool by_initiator = by_us == sa->initiator;
	const struct handshake *h = sa->handshake;
	const struct octets *message = by_initiator ? &h->message_i : &h->message_r;
	const struct nonce *nonce = by_initiator ? &h->nr : &h->ni;
	const uint8_t *sk_p = by_initiator ? sa->keys.sk_pi : sa->keys.sk_pr;
	size_t cap = message->len + nonce->len + sa->keys.prf_len;
	uint8_t *buf = malloc(cap);
	struct writer w;

	if (!buf)
		return ERR_NOMEM;
	w = wr_init(buf, cap);
	wr_bytes(&w, message->p, message->len);
	wr_bytes(&w, nonce->octets, nonce->len);
	if (prf_compute(sa->suite.prf, (struct view){sk_p, sa->keys.prf_len}, &id_payload, 1,
			wr_room(&w, sa->keys.prf_len))) {
		free(buf);
		return ERR_CRYPTO;
	}
	*ret = (struct signed_octets){buf, w.len};
	return 0;
}

/* AUTH = prf(prf(Shared Secret, "Key Pad for IKEv2"), <SignedOctets>). */
static int psk_tag(const struct ike_sa *sa, const struct identity *local,
		   const struct identity *remote, const struct signed_octets *octets,
		   uint8_t tag[PRF_MAX_LEN])
{
	const struct ike_env *env = &sa->engine->env;
	uint8_t secret[SHARED_SECRET_MAX], key[PRF_MAX_LEN];
	struct view pad = {(const uint8_t *)KEY_PAD, sizeof(KEY_PAD) - 1};
	struct view all = {octets->p, octets->len};
	size_t len;
	int err;

	err = env->shared_key(env->ctx, local, remote, secret, &len);
	if (!err)
		err = prf_compute(sa->suite.prf, (struct view){secret, len}, &pad, 1, key);
	if (!err)
		err =
		    prf_compute(sa->suite.prf, (struct view){key, sa->keys.prf_len}, &all, 1, tag);
	secret_wipe(secret, sizeof(secret));
	secret_wipe(key, sizeof(key));
	return err;
}

static int build_psk(struct ike_sa *sa, const struct signed_octets *octets, struct ike_builder *b,
		     struct err_msg *msg)
{
	uint8_t tag[PRF_MAX_LEN];
	char local[IDENTITY_STRLEN], remote[IDENTITY_STRLEN];
	const struct identity *peer = sa->remote_id.type ? &sa->remote_id : &sa->conn->remote.id;
	int err = psk_tag(sa, &sa->local_id, peer, octets, tag);

	if (err)
		return err_set(msg, err, "no shared key for '%s' - '%s'",
			       identity_format(&sa->local_id, local, sizeof(local)),
			       identity_format(peer, remote, sizeof(remote)));
	payload_auth_encode(b, AUTH_SHARED_KEY, (struct view){tag, sa->keys.prf_len});
	secret_wipe(tag, sizeof(tag));
	return 0;
}

static int build_signature(struct ike_sa *sa, const struct signed_octets *octets,
			   struct ike_builder *b, struct err_msg *msg)
{
	const struct ike_env *env = &sa->engine->env;
	struct cert *cert = auth_local_cert(sa, sa->conn);
	struct privkey *key = cert ? env->private_key(env->ctx, cert) : NULL;
	char id[IDENTITY_STRLEN];
	uint8_t data[SIG_MAX], method;
	size_t len;
	int err;

	if (!key)
		return err_set(msg, ERR_NOT_FOUND, "no certificate with a private key for '%s'",
			       identity_format(&sa->local_id, id, sizeof(id)));
	err = privkey_sign(key, sa->peer_hashes, (struct view){octets->p, octets->len}, &method,
			   data, &len);
	if (err)
		return err_set(msg, err, "signing with the %s key of '%s' failed: %s",
			       key_type_name(privkey_type(key)),
			       identity_format(&sa->local_id, id, sizeof(id)),
			       err == ERR_UNSUPPORTED ? "the peer supports no method for it"
						      : err_text(err));
	payload_auth_encode(b, method, (struct view){data, len});
	return 0;
}

/* The ID payload's body as it enters the MAC: type, three reserved octets, data (RFC 7296 §2.15).
 */
static size_t id_body(const struct identity *id, uint8_t *buf, size_t cap)
{
	struct writer w = wr_init(buf, cap);

	wr_u8(&w, id->type);
	wr_zero(&w, 3);
	wr_bytes(&w, id->data, id->len);
	return wr_ok(&w) ? w.len : 0;
}

int auth_build(struct ike_sa *sa, struct ike_builder *b, struct err_msg *msg)
{
	uint8_t body[IDENTITY_MAX + 4];
	struct view id = {body, id_body(&sa->local_id, body, sizeof(body))};
	struct signed_octets octets;
	int err;

	if (!id.len)
		return err_set(msg, ERR_LIMIT, "our identity is too long");
	err = signed_octets(sa, true, id, &octets);
	if (err)
		return err_set(msg, err, "%s", err_text(err));
	err = sa->conn->local.auth == AUTH_CLASS_PSK ? build_psk(sa, &octets, b, msg)
						     : build_signature(sa, &octets, b, msg);
	free(octets.p);
	return err;
}

static int verify_psk(struct ike_sa *sa, const struct ike_conn *conn,
		      const struct identity *peer_id, const struct payload_auth *auth,
		      const struct signed_octets *octets, struct err_msg *msg)
{
	uint8_t tag[PRF_MAX_LEN];
	char peer[IDENTITY_STRLEN];
	struct identity mine;
	bool same;
	int err;

	err = auth_local_identity(sa, conn, &mine);
	if (err)
		return err_set(msg, err, "%s", err_text(err));
	err = psk_tag(sa, &mine, peer_id, octets, tag);
	identity_clear(&mine);
	if (err)
		return err_set(msg, ERR_AUTH, "no shared key for '%s'",
			       identity_format(peer_id, peer, sizeof(peer)));
	same = auth->data.len == sa->keys.prf_len && secret_eq(tag, auth->data.p, sa->keys.prf_len);
	secret_wipe(tag, sizeof(tag));
	if (!same)
		return err_set(msg, ERR_AUTH, "the shared key of '%s' is not ours (MAC mismatch)",
			       identity_format(peer_id, peer, sizeof(peer)));
	return 0;
}

/* Certificates that a peer sent: the first is its own, the others may help to build a chain. */
struct sent_certs {
	struct cert *v[LIMIT_CERTS];
	size_t n;
};

#define TRUST_MAX 256 /* loaded certificates that are looked at in one authentication */

static bool has_octets(struct cert *cert, struct view der)
{
	struct view have = cert_der(cert);

	return have.len == der.len && memcmp(have.p, der.p, der.len) == 0;
}

/* Most peers send a certificate that is configured here: no need to read it again, which is the
 * dearest step of an authentication. NULL if it is not. */
static struct cert *find_loaded(const struct ike_sa *sa, const struct ike_conn *conn,
				struct view der)
{
	const struct ike_env *env = &sa->engine->env;
	struct cert *cert;
	size_t i;

	for (i = 0; i < conn->remote.certs.n; i++)
		if (has_octets(conn->remote.certs.v[i], der))
			return cert_ref(conn->remote.certs.v[i]);
	for (i = 0; i < TRUST_MAX && (cert = env->cert(env->ctx, i)) != NULL; i++)
		if (has_octets(cert, der))
			return cert_ref(cert);
	return NULL;
}

static void load_sent_certs(const struct ike_sa *sa, const struct ike_conn *conn,
			    const struct ike_payloads *p, struct sent_certs *ret)
{
	const struct ike_payload *payload;
	size_t i;

	ret->n = 0;
	for (i = 0; ret->n < LIMIT_CERTS && (payload = ike_payload_find(p, PAYLOAD_CERT, i)); i++) {
		struct payload_cert pc;

		if (payload_cert_decode(payload->body, &pc) ||
		    pc.encoding != CERT_ENCODING_X509_SIGNATURE)
			continue;
		ret->v[ret->n] = find_loaded(sa, conn, pc.data);
		if (ret->v[ret->n] || !cert_load(pc.data, &ret->v[ret->n], NULL))
			ret->n++;
	}
}

static void free_sent_certs(struct sent_certs *certs)
{
	while (certs->n > 0)
		cert_unref(certs->v[--certs->n]);
}

static size_t gather(struct cert *(*get)(void *, size_t), void *ctx, struct cert **v)
{
	size_t n = 0;

	while (n < TRUST_MAX && (v[n] = get(ctx, n)) != NULL)
		n++;
	return n;
}

static int check_candidate(struct ike_sa *sa, const struct ike_conn *conn,
			   const struct identity *peer_id, struct cert *leaf,
			   const struct sent_certs *sent, const struct payload_auth *auth,
			   const struct signed_octets *octets, uint64_t now, struct err_msg *msg)
{
	const struct ike_env *env = &sa->engine->env;
	struct cert *loaded[TRUST_MAX], *cas[TRUST_MAX];
	struct cert_set untrusted = {(struct cert **)sent->v, sent->n};
	struct cert_set pinned = conn->remote.certs, trusted = conn->remote.cacerts;
	char peer[IDENTITY_STRLEN], subject[IDENTITY_STRLEN];
	int err;

	if (!pinned.n && !trusted.n)
		pinned = (struct cert_set){loaded, gather(env->cert, env->ctx, loaded)};
	if (!conn->remote.certs.n && !trusted.n)
		trusted = (struct cert_set){cas, gather(env->ca, env->ctx, cas)};
	if (!cert_has_identity(leaf, peer_id))
		return err_set(msg, ERR_AUTH, "certificate '%s' does not carry the identity '%s'",
			       identity_format(cert_subject(leaf), subject, sizeof(subject)),
			       identity_format(peer_id, peer, sizeof(peer)));
	err = cert_verify(leaf, &untrusted, &pinned, &trusted, env->wall(env->ctx, now), msg);
	if (err)
		return err;
	return pubkey_verify(cert_pubkey(leaf), auth->method, auth->data,
			     (struct view){octets->p, octets->len}, msg);
}

static int verify_signature(struct ike_sa *sa, const struct ike_conn *conn,
			    const struct identity *peer_id, const struct ike_payloads *p,
			    const struct payload_auth *auth, const struct signed_octets *octets,
			    uint64_t now, struct err_msg *msg)
{
	const struct ike_env *env = &sa->engine->env;
	struct sent_certs sent;
	struct cert *cert;
	char peer[IDENTITY_STRLEN];
	size_t i;
	int err;

	err = err_set(msg, ERR_AUTH, "no certificate for '%s', sent or loaded",
		      identity_format(peer_id, peer, sizeof(peer)));
	load_sent_certs(sa, conn, p, &sent);
	if (sent.n) {
		err = check_candidate(sa, conn, peer_id, sent.v[0], &sent, auth, octets, now, msg);
		goto out;
	}
	for (i = 0; err && i < conn->remote.certs.n; i++)
		err = check_candidate(sa, conn, peer_id, conn->remote.certs.v[i], &sent, auth,
				      octets, now, msg);
	for (i = 0; err && !conn->remote.certs.n && (cert = env->cert(env->ctx, i)) != NULL; i++)
		if (cert_has_identity(cert, peer_id))
			err =
			    check_candidate(sa, conn, peer_id, cert, &sent, auth, octets, now, msg);
out:
	free_sent_certs(&sent);
	return err;
}

bool auth_method_allowed(uint8_t method, unsigned peer_hashes)
{
	return method != AUTH_RSA_SIG || !peer_hashes;
}

int auth_verify(struct ike_sa *sa, const struct ike_conn *conn, const struct identity *peer_id,
		struct view id_payload, const struct ike_payloads *p, uint64_t now,
		struct err_msg *msg)
{
	const struct ike_payload *payload = ike_payload_find(p, PAYLOAD_AUTH, 0);
	struct signed_octets octets;
	struct payload_auth auth;
	bool psk;
	int err;

	if (!payload)
		return err_set(msg, ERR_AUTH, "the peer wants EAP, which is not supported");
	if (payload_auth_decode(payload->body, &auth))
		return err_set(msg, ERR_AUTH, "AUTH payload is malformed");
	psk = auth.method == AUTH_SHARED_KEY;
	if (conn->remote.auth != AUTH_CLASS_ANY && psk != (conn->remote.auth == AUTH_CLASS_PSK))
		return err_set(
		    msg, ERR_AUTH, "the peer authenticates with %s, the configuration demands %s",
		    psk ? "a shared key" : "a signature", psk ? "a signature" : "a shared key");
	if (!auth_method_allowed(auth.method, sa->peer_hashes))
		return err_set(msg, ERR_AUTH,
			       "the peer announced RFC 7427 but signs with the old RSA method");
	err = signed_octets(sa, false, id_payload, &octets);
	if (err)
		return err_set(msg, err, "%s", err_text(err));
	err = psk ? verify_psk(sa, conn, peer_id, &auth, &octets, msg)
		  : verify_signature(sa, conn, peer_id, p, &auth, &octets, now, msg);
	free(octets.p);
	return err;
}

void auth_encode_certreq(struct ike_sa *sa, const struct ike_conn *conn, struct ike_builder *b)
{
	const struct ike_env *env = &sa->engine->env;
	uint8_t hashes[64 * 20];
	struct writer w = wr_init(hashes, sizeof(hashes));
	struct cert *cas[TRUST_MAX];
	struct cert_set trusted = conn->remote.cacerts;
	size_t i;

	if (!conn->send_certreq || conn->remote.auth == AUTH_CLASS_PSK)
		return;
	if (!trusted.n)
		trusted = (struct cert_set){cas, gather(env->ca, env->ctx, cas)};
	for (i = 0; i < trusted.n && i < 64; i++)
		wr_bytes(&w, cert_key_hash(trusted.v[i]), 20);
	if (w.len)
		payload_cert_encode(b, PAYLOAD_CERTREQ, CERT_ENCODING_X509_SIGNATURE,
				    (struct view){hashes, w.len});
}

static void encode_cert(struct ike_builder *b, const struct cert *cert)
{
	payload_cert_encode(b, PAYLOAD_CERT, CERT_ENCODING_X509_SIGNATURE, cert_der(cert));
}

/* The issuer of cert among the loaded CAs, unless it is a root: roots are the peer's to have. */
static struct cert *intermediate_of(const struct ike_sa *sa, const struct cert *cert)
{
	const struct ike_env *env = &sa->engine->env;
	struct cert *ca;
	size_t i;

	for (i = 0; (ca = env->ca(env->ctx, i)) != NULL; i++)
		if (identity_eq(cert_subject(ca), cert_issuer(cert)) && !cert_is_self_signed(ca))
			return ca;
	return NULL;
}

void auth_encode_certs(struct ike_sa *sa, struct ike_builder *b)
{
	const struct ike_conn *conn = sa->conn;
	struct cert *cert;
	size_t n;

	if (conn->local.auth == AUTH_CLASS_PSK || conn->send_cert == SEND_CERT_NEVER ||
	    (conn->send_cert == SEND_CERT_IFASKED && !sa->handshake->certreq))
		return;
	cert = auth_local_cert(sa, conn);
	for (n = 0; cert && n < LIMIT_CERTS; n++) {
		encode_cert(b, cert);
		cert = cert_is_self_signed(cert) ? NULL : intermediate_of(sa, cert);
	}
}
