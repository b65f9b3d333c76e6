/* action.h - what the engine asks of its owner. Handlers never act: they queue these.
 *
 *   SEND        a datagram; the owner adds the non-ESP marker when local.port is the NAT-T port
 *   KEEPALIVE   the one-octet NAT keep-alive (RFC 3948 §2.3)
 *   SA_INSTALL  one direction of a Child SA; the key is wiped after the action was fetched
 *   SA_REMOVE   one direction, by SPI
 *   SA_UPDATE   both directions of a Child SA have new outer endpoints (RFC 7296 §2.23)
 *   EVENT       something that people and programs want to know
 *   LOG         a sentence for people
 *   KEYS        the keys of an IKE SA, for the key log; only if it was asked for
 *
 * A node (node/node.h) passes these on and adds its own:
 *
 *   INTERFACE    a connection that uses this interface ID was loaded: its device should exist
 *   TRAP_ADD     report the first packet that these selectors cover and no SA takes
 *   TRAP_REMOVE  no longer, by number
 *
 * An action and what it points at belong to the engine and are good until it is called again. */
#ifndef VPN_IKE_ACTION_H
#define VPN_IKE_ACTION_H

#include <stdbool.h>
#include <stdint.h>

#include "vpn/base/addr.h"
#include "vpn/base/ipsec_sa.h"
#include "vpn/base/reader.h"
#include "vpn/ike/info.h"

enum ike_action_type {
	IKE_ACTION_SEND,
	IKE_ACTION_KEEPALIVE,
	IKE_ACTION_SA_INSTALL,
	IKE_ACTION_SA_REMOVE,
	IKE_ACTION_SA_UPDATE,
	IKE_ACTION_EVENT,
	IKE_ACTION_LOG,
	IKE_ACTION_KEYS,
	IKE_ACTION_INTERFACE,
	IKE_ACTION_TRAP_ADD,
	IKE_ACTION_TRAP_REMOVE,
};

/* name, as it stands in the JSON events */
#define IKE_EVENTS(X)                                                                              \
	X(EVENT_IKE_STATE, "ike-state")	      /* text: "A -> B, reason" */                         \
	X(EVENT_CHILD_STATE, "child-state")   /* text: "A -> B, reason" */                         \
	X(EVENT_IKE_UP, "ike-up")	      /* established */                                    \
	X(EVENT_IKE_DOWN, "ike-down")	      /* text: why */                                      \
	X(EVENT_IKE_FAILED, "ike-failed")     /* never came up; text: why; notify: on the wire */  \
	X(EVENT_CHILD_UP, "child-up")	      /* installed */                                      \
	X(EVENT_CHILD_DOWN, "child-down")     /* text: why */                                      \
	X(EVENT_CHILD_FAILED, "child-failed") /* text: why; notify */                              \
	X(EVENT_IKE_REKEYED, "ike-rekeyed")   /* ike: the new one; number: the old one's id */     \
	X(EVENT_IKE_REAUTH, "ike-reauth")     /* reauthentication begins; text: which way */       \
	X(EVENT_CHILD_REKEYED, "child-rekeyed") /* child: the new one; number: the old one's id */ \
	X(EVENT_MODE_FALLBACK, "mode-fallback") /* BEET was asked for, tunnel came; text: why */   \
	X(EVENT_TS_NARROWED, "ts-narrowed")	/* the SA's selectors are less than configured */  \
	X(EVENT_PEER_MOVED, "peer-moved")	/* text: "from -> to" */                           \
	X(EVENT_LOCAL_MOVED, "local-moved")	/* our own address; text: "from -> to" */          \
	X(EVENT_PATH_CONFIRMED, "path-confirmed") /* the peer uses the new addresses; text */      \
	X(EVENT_RETRANSMIT, "retransmit")	  /* number: which try */                          \
	X(EVENT_TIMEOUT, "timeout")		  /* a request was given up */                     \
	X(EVENT_DROPPED, "dropped")		  /* an IKE datagram; text: reason */

#define X(name, text) name,
enum ike_event_kind { IKE_EVENTS(X) };
#undef X

const char *ike_event_name(enum ike_event_kind kind);

/* Why an SA ended or never came up: what dpd_action, close_action and keyingtries decide by. */
enum ike_cause {
	CAUSE_NONE,
	CAUSE_LOCAL,	/* a command of ours, or our configuration forbids it */
	CAUSE_PEER,	/* the peer deleted it or refused it */
	CAUSE_TIMEOUT,	/* a request was never answered */
	CAUSE_EXPIRED,	/* its lifetime is over */
	CAUSE_REPLACED, /* a successor carries on: rekeying */
	CAUSE_MOVED,	/* our address is gone and the peer cannot be told: it is made again */
	CAUSE_REAUTH,	/* it is authenticated again: made anew, or about to be */
	CAUSE_ERROR,	/* anything else that went wrong here, as a failed installation */
};
const char *ike_cause_name(enum ike_cause cause); /* "timeout"; NULL for CAUSE_NONE */

/* Log groups are strongSwan's. Level 0: always; 1: audit of what happened; 2: why; 3: dumps. */
enum ike_log_group { LOG_MGR, LOG_IKE, LOG_CHD, LOG_CFG, LOG_NET, LOG_ENC, LOG_KNL, LOG_DMN };
const char *ike_log_group_name(enum ike_log_group group); /* "IKE" */

struct ike_event {
	enum ike_event_kind kind;
	enum ike_cause cause; /* of IKE_DOWN, IKE_FAILED, CHILD_DOWN, CHILD_FAILED */
	bool have_ike, have_child;
	struct ike_sa_info ike;
	struct child_sa_info child;
	uint16_t notify; /* 0, or the notify's number that was sent or received */
	uint32_t number;
	const char *text; /* never NULL */
};

struct ike_log {
	enum ike_log_group group;
	int level;
	uint32_t ike_id;      /* 0: of no SA */
	const char *ike_name; /* connection, or NULL */
	uint32_t child_id;    /* 0 */
	const char *text;
};

#define IKE_SK_MAX 128

struct ike_keys_info { /* RFC 7296 §2.14 */
	uint64_t spi_i, spi_r;
	uint16_t encr, encr_bits, integ, prf;
	struct view sk_d, sk_ai, sk_ar, sk_ei, sk_er, sk_pi, sk_pr;
};

struct ike_action {
	enum ike_action_type type;
	uint32_t ike_id;
	union {
		struct {
			struct endpoint local, remote;
			struct view datagram;
		} send; /* also keepalive, with an empty datagram */
		struct ipsec_sa *install;
		struct {
			uint32_t child_id;
			uint32_t spi;
			bool inbound;
			struct ip_addr remote;
		} remove;
		struct {
			uint32_t child_id;
			uint32_t spi_in, spi_out;
			bool encap;
			struct endpoint local, remote;
		} update;
		struct ike_event event;
		struct ike_log log;
		struct ike_keys_info keys;
		uint32_t if_id; /* interface */
		struct {
			uint32_t id; /* the node's number for it */
			uint32_t if_id;
			const struct ts_list *local_ts; /* remove: NULL */
			const struct ts_list *remote_ts;
		} trap;
	};
};

#endif
