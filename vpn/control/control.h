/* control.h - the server side of vici on a node: strongSwan's commands and events, without sockets.
 *
 * The owner accepts connections and makes a session for each: octets in, octets out. It hands every
 * action of the node (node_next_action) to control_action before it performs it, and calls
 * control_expire when control_next_deadline has come. Commands act on the node, so after
 * control_session_input and control_expire there are new actions to fetch. `now` is the node's
 * clock, microseconds.
 *
 * Debian's swanctl 5.9.8 is the client that this is written for; names of commands, events and
 * fields are strongSwan's. Refused, with a reason: redirect, install, uninstall, load-token. Of our
 * own: the event beetd-event, list-sas's mode-reason, list-conns's last-failure, if-id and tcp-mss,
 * get-counters's drops. */
#ifndef VPN_CONTROL_CONTROL_H
#define VPN_CONTROL_CONTROL_H

#include <stddef.h>
#include <stdint.h>

#include "vpn/base/err.h"
#include "vpn/node/node.h"
#include "vpn/vici/vici.h"

#define CONTROL_SESSIONS_MAX 256u /* each costs a buffer; a stuck client must not take them all */
#define CONTROL_OUT_MAX	     (64u << 20) /* octets a client has not read: list-sas of 20,000 SAs */
#define CONTROL_OUT_LOSSY    (1u << 20)	 /* from here on it gets no log events, which may be lost */

#define CONTROL_DROPS_MAX    64u

/* Packets that went no further for one reason. */
struct control_drop {
	const char *reason; /* "no-policy" */
	uint64_t count;
};

/* What the owner tells of itself; strings must outlive the control. */
struct control_env {
	void *ctx;
	const char *daemon, *version;		  /* "beetd", "0.1.0" */
	const char *sysname, *release, *machine;  /* uname(2) */
	int64_t (*wall)(void *ctx, uint64_t now); /* Unix time in seconds */
	/* A sentence for the daemon's log, level as in ike/action.h; may be NULL. */
	void (*log)(void *ctx, int level, const char *text);
	/* What the data plane has dropped, at most CONTROL_DROPS_MAX reasons; may be NULL. */
	size_t (*drops)(void *ctx, struct control_drop *ret_drops);
};

struct control;
struct control_session;

struct control *control_new(struct node *node, const struct control_env *env, uint64_t now);
void control_free(struct control *control); /* and all its sessions */

/* NULL: out of memory or CONTROL_SESSIONS_MAX. */
struct control_session *control_session_new(struct control *control);
void control_session_free(struct control_session *session); /* the client is gone; NULL is fine */
/* Octets from the client. On failure the session is of no more use: what is still in its output may
 * be sent, then the owner closes. ERR_SYNTAX: not vici; ERR_LIMIT; ERR_NOMEM. */
int control_session_input(struct control_session *session, struct view octets, uint64_t now);
/* What waits to be sent, good until the next call with this session; and that n octets of it were
 * sent. */
struct view control_session_output(const struct control_session *session);
void control_session_sent(struct control_session *session, size_t n);
/* True if the session failed outside of its input (memory, a client that does not read): close it.
 */
bool control_session_failed(const struct control_session *session);

/* What the node wants done, before the owner does it: events, logs and datagrams sent are of
 * interest. */
void control_action(struct control *control, const struct ike_action *action, uint64_t now);
/* An IKE datagram that came in, for get-counters. */
void control_received(struct control *control, struct view datagram);

uint64_t control_next_deadline(const struct control *control); /* UINT64_MAX: none */
void control_expire(struct control *control, uint64_t now);

/* The connection that a load-conn message describes: `conn` is the section of its name. *msg names
 * the option. ERR_SYNTAX, ERR_UNSUPPORTED, ERR_NOMEM, and what cert_load and proposal_parse say.
 * warn may be NULL. */
int control_conn_from_vici(const struct vici_node *conn, void (*warn)(void *ctx, const char *text),
			   void *ctx, struct ike_conn **ret_conn, struct err_msg *msg);

#endif
