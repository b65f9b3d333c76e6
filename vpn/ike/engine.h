/* engine.h - IKEv2 as a pure engine: datagrams, commands and time in, actions out (RFC 7296).
 *
 * The engine owns its IKE SAs, they own their Child SAs. It has no socket, clock, file or random
 * source: `now` is a parameter (microseconds, monotonic), everything else comes through struct
 * ike_env. It never acts: it queues actions (action.h), which the owner fetches with
 * ike_engine_next_action after every call until it gets NULL. What an action points at is good
 * until the next call of any other engine function. Not safe for two threads. */
#ifndef VPN_IKE_ENGINE_H
#define VPN_IKE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vpn/crypto/ke.h"
#include "vpn/ike/action.h"
#include "vpn/ike/conn.h"
#include "vpn/ike/info.h"
#include "vpn/ike/options.h"

#define SHARED_SECRET_MAX 512

/* What the owner lends; every function may be called from inside an engine call, none may call
 * back. */
struct ike_env {
	void *ctx;
	random_fn random;
	/* Unix time in seconds at `now`. */
	int64_t (*wall)(void *ctx, uint64_t now);
	/* The loaded connections, in the order of loading; NULL past the end. */
	struct ike_conn *(*conn)(void *ctx, size_t i);
	/* The shared key for this pair of identities, copied to secret (SHARED_SECRET_MAX octets,
	 * which the engine wipes). The best match wins, as in strongSwan. ERR_NOT_FOUND. */
	int (*shared_key)(void *ctx, const struct identity *local, const struct identity *remote,
			  uint8_t *secret, size_t *ret_len);
	/* The private key of a certificate, NULL if we do not have it. Borrowed. */
	struct privkey *(*private_key)(void *ctx, const struct cert *cert);
	/* Certificates that were loaded beside connections: ours and peers' (x509), and CAs
	 * (x509ca). Borrowed; NULL past the end. */
	struct cert *(*cert)(void *ctx, size_t i);
	struct cert *(*ca)(void *ctx, size_t i);
	/* The address to send from to `remote` over this connection, by the host's routes as they
	 * are now: `current` as long as it is good for that. False: there is no route. NULL: the
	 * host's addresses never change. */
	bool (*source_for)(void *ctx, const struct ike_conn *conn, const struct ip_addr *remote,
			   const struct ip_addr *current, struct ip_addr *ret_local);
	/* True if it is an address of the host's, on a link that is up. NULL: what source_for says
	 * decides alone. */
	bool (*has_addr)(void *ctx, const struct ip_addr *addr);
	/* The host's addresses that a peer may be told of (RFC 4555 §3.4); false past the end.
	 * NULL: none. */
	bool (*local_addr)(void *ctx, size_t i, struct ip_addr *ret_addr);
	/* Use of an installed SA; false if it is not installed. */
	bool (*sa_stats)(void *ctx, uint32_t spi, bool inbound, struct ipsec_sa_stats *ret_stats);
};

struct ike_engine;

struct ike_engine *ike_engine_new(const struct ike_env *env, const struct ike_options *options);
void ike_engine_free(struct ike_engine *e); /* wipes; sends nothing; NULL is fine */
/* Keys as actions (IKE_ACTION_KEYS), for the key log. Off at first. */
void ike_engine_log_keys(struct ike_engine *e, bool on);

void ike_engine_input(struct ike_engine *e, const struct endpoint *local,
		      const struct endpoint *remote, struct view datagram, uint64_t now);
const struct ike_action *ike_engine_next_action(struct ike_engine *e);
uint64_t ike_engine_next_deadline(const struct ike_engine *e); /* UINT64_MAX: none */
void ike_engine_expire(struct ike_engine *e, uint64_t now);
/* An authenticated packet of inbound SA `spi` came from `remote` (RFC 7296 §2.23). */
void ike_engine_peer_moved(struct ike_engine *e, uint32_t spi, const struct endpoint *remote,
			   uint64_t now);

/* Addresses, links or routes of the host have changed: each IKE SA looks for its path, soon. */
void ike_engine_network_changed(struct ike_engine *e, uint64_t now);

/* Makes a Child SA (child may be NULL: the IKE SA alone) of conn, over an existing IKE SA of a
 * connection of that name or a new one from `local` to `remote`. *ret_ike_id is the IKE SA that
 * works on it; the outcome is an event. ERR_NOMEM, ERR_INVALID (addresses of two families),
 * ERR_CRYPTO. */
int ike_engine_initiate(struct ike_engine *e, struct ike_conn *conn, const struct child_cfg *child,
			const struct endpoint *local, const struct endpoint *remote, uint64_t now,
			uint32_t *ret_ike_id);
/* The same for a packet that has asked for the child: its selectors come first in TSi and TSr
 * (RFC 7296 §2.9). packet may be NULL. */
int ike_engine_acquire(struct ike_engine *e, struct ike_conn *conn, const struct child_cfg *child,
		       const struct ts_packet *packet, const struct endpoint *local,
		       const struct endpoint *remote, uint64_t now, uint32_t *ret_ike_id);
/* Deletes with the peer; `force`: the delete is sent once and nothing is waited for. ERR_NOT_FOUND.
 */
int ike_engine_terminate_ike(struct ike_engine *e, uint32_t ike_id, bool force, uint64_t now);
int ike_engine_terminate_child(struct ike_engine *e, uint32_t child_id, bool force, uint64_t now);
/* Rekeying by command, or because a volume limit was reached (`hard`: the SA carries nothing any
 * more and is deleted). ERR_NOT_FOUND. */
int ike_engine_rekey_ike(struct ike_engine *e, uint32_t ike_id, uint64_t now);
/* A new IKE SA with the same children in its place (RFC 7296 §2.8.3). ERR_STATE if the peer has
 * begun it, or it is under way already. */
int ike_engine_reauth(struct ike_engine *e, uint32_t ike_id, uint64_t now);
int ike_engine_rekey_child(struct ike_engine *e, uint32_t child_id, uint64_t now);
int ike_engine_sa_limit(struct ike_engine *e, uint32_t child_id, bool hard, uint64_t now);
/* The data plane could not install an SA of this child: the child is deleted. */
void ike_engine_install_failed(struct ike_engine *e, uint32_t child_id, const char *why,
			       uint64_t now);

/* Walking; i counts from 0, false past the end. SAs that only linger for retransmissions are left
 * out. */
bool ike_engine_sa(const struct ike_engine *e, size_t i, struct ike_sa_info *ret_info);
bool ike_engine_sa_by_id(const struct ike_engine *e, uint32_t ike_id, struct ike_sa_info *ret_info);
bool ike_engine_child(const struct ike_engine *e, uint32_t ike_id, size_t i,
		      struct child_sa_info *ret_info);
size_t ike_engine_half_open(const struct ike_engine *e);

#endif
