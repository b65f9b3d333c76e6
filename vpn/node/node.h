/* node.h - one VPN endpoint: its connections, credentials and pools, and what they do over time.
 *
 * The node owns the IKE engine. It does no I/O: datagrams and time come in, actions (ike/action.h)
 * come out through node_next_action; the daemon performs them, or the simulator. Not safe for two
 * threads. `now` is monotonic, in microseconds. */
#ifndef VPN_NODE_NODE_H
#define VPN_NODE_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vpn/base/addr.h"
#include "vpn/base/err.h"
#include "vpn/crypto/ke.h"
#include "vpn/crypto/pki.h"
#include "vpn/ike/action.h"
#include "vpn/ike/conn.h"
#include "vpn/ike/info.h"
#include "vpn/ike/options.h"

struct node;

/* What the owner lends. */
struct node_env {
	void *ctx;
	random_fn random;
	/* Unix time in seconds at `now`, for certificates. */
	int64_t (*wall)(void *ctx, uint64_t now);
	/* The address from which the host would send to `remote`; false if there is no route. */
	bool (*source_for)(void *ctx, const struct ip_addr *remote, struct ip_addr *ret_local);
	/* True if packets from `local` to `remote` would leave by the device that has `local`, so
	 * that an SA which uses that address may keep it. NULL: only what source_for says. */
	bool (*can_send_from)(void *ctx, const struct ip_addr *local, const struct ip_addr *remote);
	/* True if it is an address of the host's, on a link that is up. NULL: as if never asked. */
	bool (*has_addr)(void *ctx, const struct ip_addr *addr);
	/* The host's addresses that peers may be told of (RFC 4555); false past the end. NULL:
	 * none. */
	bool (*local_addr)(void *ctx, size_t i, struct ip_addr *ret_addr);
	/* Use of an installed SA, for list-sas and liveness; false if it is not installed. */
	bool (*sa_stats)(void *ctx, uint32_t spi, bool inbound, struct ipsec_sa_stats *ret_stats);
	/* The address of a DNS name, as last looked up; ERR_AGAIN while a look-up is under way,
	 * ERR_NOT_FOUND. Must not wait. NULL: names are not resolved. */
	int (*resolve)(void *ctx, const char *name, struct ip_addr *ret_addr);
};

struct node *node_new(const struct node_env *env, const struct ike_options *options);
void node_free(struct node *node); /* wipes; NULL is fine; emits nothing */

/* Data and time in, actions out. Call node_next_action until NULL after every other call; the
 * action and what it points at are good until the next call of any node function. */
void node_input(struct node *node, const struct endpoint *local, const struct endpoint *remote,
		struct view datagram, uint64_t now);
const struct ike_action *node_next_action(struct node *node);
uint64_t node_next_deadline(const struct node *node); /* UINT64_MAX: none */
void node_expire(struct node *node, uint64_t now);
/* The data plane saw an authenticated packet of inbound SA `spi` come from another place. */
void node_peer_moved(struct node *node, uint32_t spi, const struct endpoint *remote, uint64_t now);
/* Addresses, links or routes of the host have changed. SAs look for their way (MOBIKE), what waits
 * for a route is tried at once. */
void node_network_changed(struct node *node, uint64_t now);
/* What the data plane has to say about an action: this child could not be installed (it is
 * deleted); a volume limit of its SA was reached (hard: the SA carries nothing any more); a trap
 * was hit. */
void node_install_failed(struct node *node, uint32_t child_id, const char *why, uint64_t now);
void node_sa_limit(struct node *node, uint32_t child_id, bool hard, uint64_t now);
/* packet: the one that has hit the trap. */
void node_acquire(struct node *node, uint32_t trap_id, const struct ts_packet *packet,
		  uint64_t now);
/* Keys as actions (IKE_ACTION_KEYS), for the key log. Off at first. */
void node_log_keys(struct node *node, bool on);

/* Connections. node_load_conn takes the reference (on failure, too) and replaces a connection of
 * the same name; SAs of the old one live on. Children with start_action = start are initiated
 * unless they are up; node_expire does it, at once. Unloading ends what start actions began
 * (swanctl.conf(5) start_action). */
int node_load_conn(struct node *node, struct ike_conn *conn, uint64_t now);
int node_unload_conn(struct node *node, const char *name); /* ERR_NOT_FOUND */
size_t node_conn_count(const struct node *node);
const struct ike_conn *node_conn(const struct node *node, size_t i);

/* Credentials. Certificates and keys are referenced; secrets are copied. */
enum cert_use { CERT_X509, CERT_X509_CA };
int node_add_cert(struct node *node, struct cert *cert, enum cert_use use);
size_t node_cert_count(const struct node *node);
struct cert *node_cert(const struct node *node, size_t i, enum cert_use *ret_use);
int node_add_key(struct node *node, struct privkey *key);
int node_remove_key(struct node *node, const uint8_t id[20]);
size_t node_key_count(const struct node *node);
struct privkey *node_key(const struct node *node, size_t i);
bool node_has_key_for(const struct node *node, const struct cert *cert);
/* A shared key of `owners` (none: anybody's); uid names it for replacing and unloading. */
int node_add_shared(struct node *node, const char *uid, const struct identity *owners,
		    size_t n_owners, struct view secret);
int node_remove_shared(struct node *node, const char *uid);
size_t node_shared_count(const struct node *node);
const char *node_shared_uid(const struct node *node, size_t i);
void node_clear_creds(struct node *node);

/* Pools (their addresses are not yet handed out: RFC 7296 §3.15 comes with address assignment). */
int node_load_pool(struct node *node, const char *name, const struct ip_addr *first,
		   const struct ip_addr *last);
int node_unload_pool(struct node *node, const char *name);
size_t node_pool_count(const struct node *node);
const char *node_pool(const struct node *node, size_t i, struct ip_addr *ret_first,
		      struct ip_addr *ret_last);

/* Commands. ike and child are configuration names, either may be NULL. On success *ret_ike_id is
 * the IKE SA that works on it; its outcome arrives as events (ike/action.h). */
int node_initiate(struct node *node, const char *ike, const char *child, uint64_t now,
		  uint32_t *ret_ike_id, struct err_msg *msg);

/* True if node_initiate says ERR_AGAIN only because a name of that connection is being looked up.
 */
bool node_is_resolving(struct node *node, const char *ike, const char *child);

struct node_match { /* what terminate and list-sas select by; zero and NULL match everything */
	const char *ike;
	const char *child;
	uint32_t ike_id;
	uint32_t child_id;
};
/* Begins the deletion of all that matches; `force` does not wait for the peer. *ret_count: SAs, and
 * tries that have no IKE SA just now (between two of them, or in the middle of reauthentication).
 */
int node_terminate(struct node *node, const struct node_match *match, bool force, uint64_t now,
		   size_t *ret_count);

/* Begins the rekeying of all that matches: of children if one is named, else of IKE SAs. */
int node_rekey(struct node *node, const struct node_match *match, uint64_t now, size_t *ret_count);
/* The IKE SAs that match and that we have begun (engine.h). */
int node_reauth(struct node *node, const struct node_match *match, uint64_t now, size_t *ret_count);

/* Begins the deletion of everything and starts nothing any more. Done when node_ike_sa(node, 0) is
 * false. */
void node_stop(struct node *node, uint64_t now);

/* Walking the SAs: i counts from 0; false when there is none. Children of the IKE SA by id. */
bool node_ike_sa(const struct node *node, size_t i, struct ike_sa_info *ret_info);
bool node_ike_sa_by_id(const struct node *node, uint32_t ike_id, struct ike_sa_info *ret_info);
bool node_child_sa(const struct node *node, uint32_t ike_id, size_t i,
		   struct child_sa_info *ret_info);
bool node_sa_stats(const struct node *node, uint32_t spi, bool inbound,
		   struct ipsec_sa_stats *ret_stats);
size_t node_half_open(const struct node *node);

#endif
