/* conn.h - a connection: what may be negotiated with whom, as swanctl.conf(5) describes it.
 *
 * Plain data, filled by whoever reads a configuration and immutable from then on: an IKE SA holds a
 * reference to the connection that it was made from, and a reload replaces the connection, not the
 * SA. Every pointer is owned by the struct. Times are in seconds, 0 switches a thing off. */
#ifndef VPN_IKE_CONN_H
#define VPN_IKE_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "vpn/base/addr.h"
#include "vpn/base/err.h"
#include "vpn/base/ipsec_sa.h"
#include "vpn/base/ts.h"
#include "vpn/crypto/identity.h"
#include "vpn/crypto/pki.h"
#include "vpn/wire/proposal.h"

#define CONN_CHILDREN_MAX 256
#define CONN_HOSTS_MAX	  32

enum auth_class { AUTH_CLASS_ANY, AUTH_CLASS_PUBKEY, AUTH_CLASS_PSK };

/* One end's authentication: the local or the remote section. */
struct auth_cfg {
	enum auth_class auth;
	struct identity
	    id; /* ID_ANY: local: from the certificate or the address; remote: anybody */
	struct cert_set
	    certs; /* local: ours, the first usable one is sent; remote: accepted as they are */
	struct cert_set cacerts; /* remote: the chain must end in one of these, if there are any */
};

enum child_action { ACTION_NONE, ACTION_TRAP, ACTION_START }; /* clear = none, restart = start */

struct mark {
	uint32_t value;
	uint32_t mask; /* 0: no mark */
};

struct child_lifetime {
	uint64_t rekey; /* soft: when to rekey */
	uint64_t life;	/* hard: when the SA is gone */
	uint64_t rand;	/* up to this much is taken off rekey */
};

struct child_cfg {
	char *name;
	struct ts_list local_ts; /* may hold "dynamic" */
	struct ts_list remote_ts;
	struct proposal_list proposals; /* ESP */
	enum ipsec_mode mode;
	uint32_t if_id_in, if_id_out; /* UINT32_MAX ("%unique") is not supported */
	struct mark mark_in, mark_out, set_mark_in, set_mark_out;
	enum child_action start_action, dpd_action, close_action;
	struct child_lifetime time, bytes, packets; /* seconds, octets, packets */
	uint32_t reqid;				    /* 0: given by us */
	uint32_t replay_window;			    /* packets; strongSwan's default is 32 */
	uint32_t inactivity;
	bool copy_df;
	bool sha256_96;
	bool copy_ecn;
	uint8_t copy_dscp;    /* enum ipsec_dscp bits */
	bool policies;	      /* false: no policies and routes of ours */
	uint16_t tfc_padding; /* UINT16_MAX: to the path MTU */
	uint16_t mss_clamp;   /* ipsec_sa.h; our own option tcp_mss = off | path | N */
};

/* An address, a range or prefix, anything, or a name still to be resolved. */
struct host_spec {
	struct ip_addr lo, hi; /* unset: %any, or of one family: %any4, %any6 as the whole range */
	char *name; /* a DNS name; lo and hi are then unset until the owner resolves it */
};

enum conn_unique { UNIQUE_NO, UNIQUE_NEVER, UNIQUE_KEEP, UNIQUE_REPLACE };
enum conn_send_cert { SEND_CERT_IFASKED, SEND_CERT_ALWAYS, SEND_CERT_NEVER };

/* Announce and use (RFC 7383), announce only, neither. "force" is of IKEv1 and means yes. */
enum conn_fragmentation { FRAGMENTATION_YES, FRAGMENTATION_ACCEPT, FRAGMENTATION_NO };

/* IKE SAs without a first child (RFC 6023): as responder all but never take them, force no others;
 * as initiator prefer and force begin so. */
enum conn_childless { CHILDLESS_ALLOW, CHILDLESS_PREFER, CHILDLESS_FORCE, CHILDLESS_NEVER };

struct ike_conn {
	unsigned refs;
	char *name;
	struct host_spec *local_addrs; /* none: %any */
	uint8_t n_local_addrs;
	struct host_spec *remote_addrs;
	uint8_t n_remote_addrs;
	uint16_t local_port;		/* 500 */
	uint16_t remote_port;		/* 500 */
	struct proposal_list proposals; /* IKE */
	struct auth_cfg local;
	struct auth_cfg remote;

	bool encap; /* force UDP encapsulation */
	bool mobike;
	bool send_certreq;
	enum conn_send_cert send_cert;
	enum conn_unique unique;
	enum conn_fragmentation fragmentation;
	enum conn_childless childless;
	uint32_t dpd_delay;
	uint32_t keyingtries; /* 0: for ever */
	uint32_t rekey_time, reauth_time, over_time, rand_time;
	uint32_t if_id_in, if_id_out; /* for children that have none */

	struct child_cfg *children;
	uint16_t n_children;
};

/* An empty connection with strongSwan's defaults, one reference. NULL: out of memory. */
struct ike_conn *ike_conn_new(const char *name);
struct ike_conn *ike_conn_ref(struct ike_conn *conn);
void ike_conn_unref(struct ike_conn *conn); /* frees with the last one; NULL is fine */
/* Appends a child with strongSwan's defaults, to be filled by the caller before the connection is
 * used. The pointer is good until the next call. NULL: out of memory or CONN_CHILDREN_MAX. */
struct child_cfg *ike_conn_add_child(struct ike_conn *conn, const char *name);
/* True if IKE begins on port 4500 at once (RFC 7296 §2.23): it is local_port, or it is remote_port,
 * where every message has the non-ESP marker and so must come from a port that gives it one. */
bool ike_conn_begins_on_4500(const struct ike_conn *conn);
const struct child_cfg *ike_conn_find_child(const struct ike_conn *conn, const char *name);

/* "203.0.113.10", "10.0.0.0/8", "10.0.0.1-10.0.0.9", "%any", "%any4", "%any6", or a DNS name. */
int host_spec_parse(const char *text, struct host_spec *ret_spec, struct err_msg *msg);
/* True if the address may be this host; an unresolved name matches nothing. */
bool host_spec_matches(const struct host_spec *spec, const struct ip_addr *addr);

/* Appends what one proposal text means ("chacha20poly1305-sha384-curve25519", "default") to list,
 * whose array is made with malloc; protocol is PROTOCOL_IKE or PROTOCOL_ESP. The text is read as
 * strongSwan reads it: an AEAD's superfluous hash token names the PRF in an IKE proposal and is
 * ignored in an ESP proposal. Errors name the token. */
int proposal_parse(uint8_t protocol, const char *text, struct proposal_list *list,
		   struct err_msg *msg);

#endif
