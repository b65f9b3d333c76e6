/* internal.h - struct node, and what its parts offer to one another.
 *
 *     node.c       owns the engine; data, time and actions through it
 *     loading.c    what loading and unloading connections and credentials sets in motion
 *     initiate.c   from configuration names to addresses to the engine
 *     attempts.c   who is to be brought up, when, and how often it was tried
 *     react.c      what an event sets in motion: attempts, uniqueness
 *     terminate.c  selecting SAs, and ending them
 *     traps.c      selectors whose first packet brings a child up
 *     outbox.c     the node's own actions
 *     names.c      connections whose addresses are DNS names
 *     conns.c, creds.c, pools.c   the stores
 */
#ifndef VPN_NODE_INTERNAL_H
#define VPN_NODE_INTERNAL_H

#include "vpn/base/list.h"
#include "vpn/ike/engine.h"
#include "vpn/node/conns.h"
#include "vpn/node/creds.h"
#include "vpn/node/node.h"
#include "vpn/node/pools.h"

/* Who is to be brought up. */
struct attempt {
	struct list link;
	char *conn;
	char *child;	 /* NULL: the IKE SA alone */
	uint32_t ike_id; /* that works on it; 0: nothing does, it waits for `due` */
	uint64_t due;
	unsigned tries;	 /* sequences that ended without an answer */
	unsigned delays; /* since the last one that could be sent: for the backoff */
	bool told;	 /* that it cannot be sent was logged */
	bool has_packet; /* that has asked for it */
	struct ts_packet packet;
	bool restores; /* what was up before and is always to be: no limit */
};

struct trap {
	struct list link;
	uint32_t id;
	struct ike_conn *conn; /* a reference; cfg is one of its children */
	const struct child_cfg *cfg;
	struct ts_list local_ts, remote_ts; /* without "dynamic" */
	bool guard;			    /* until the child is back */
	bool waiting;			    /* for addresses; not set yet */
};

/* An event, as far as the node reacts to it. */
struct reaction {
	struct list link;
	enum ike_event_kind kind;
	enum ike_cause cause;
	uint32_t ike_id;
	uint32_t old_id;  /* of EVENT_IKE_REKEYED */
	bool established; /* the IKE SA was */
	bool refused;	  /* a notify says why */
	char *conn;
	char *child; /* NULL */
};

struct outbox {
	struct list waiting;
	struct outbox_item *handed_out; /* the owner still looks at it */
};

struct node {
	struct node_env env;
	struct ike_options options;
	struct ike_engine *engine;
	struct conns conns;
	struct creds creds;
	struct pools pools;
	struct list attempts;
	struct list traps;
	struct list reactions;
	struct outbox outbox;
	uint32_t last_trap_id;
	uint64_t traps_due; /* UINT64_MAX: none waits */
	uint64_t names_due; /* UINT64_MAX: there are none */
	bool stopping;
	uint64_t now; /* the last that the owner told us */
};

/* A child without interface IDs has the connection's (swanctl.conf(5) if_id_in). */
static inline uint32_t child_if_id_in(const struct ike_conn *conn, const struct child_cfg *child)
{
	return child->if_id_in ? child->if_id_in : conn->if_id_in;
}

static inline uint32_t child_if_id_out(const struct ike_conn *conn, const struct child_cfg *child)
{
	return child->if_id_out ? child->if_id_out : conn->if_id_out;
}

/* --- outbox.c: all are dropped, with no other effect, if memory is out --- */
void outbox_init(struct outbox *outbox);
void outbox_free(struct outbox *outbox);
const struct ike_action *outbox_next(struct outbox *outbox); /* NULL: empty */
void outbox_interface(struct outbox *outbox, uint32_t if_id);
void outbox_trap(struct outbox *outbox, const struct trap *trap, bool add);
void outbox_log(struct outbox *outbox, enum ike_log_group group, int level, const char *conn,
		const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* --- initiate.c --- */
/* Where conn would be initiated from and to. ERR_INVALID: it cannot be, as configured; ERR_AGAIN: a
 * name is being looked up or there is no route now. */
int initiate_endpoints(struct node *node, const struct ike_conn *conn, struct endpoint *ret_local,
		       struct endpoint *ret_remote, struct err_msg *msg);
/* Where conn's SA with a peer at `remote` would send from now; `current` as long as that is good.
 */
bool initiate_source(struct node *node, const struct ike_conn *conn, const struct ip_addr *remote,
		     const struct ip_addr *current, struct ip_addr *ret_local);
/* packet: that has asked for the child; NULL. */
int initiate(struct node *node, struct ike_conn *conn, const struct child_cfg *child,
	     const struct ts_packet *packet, uint32_t *ret_ike_id, struct err_msg *msg);

/* --- names.c --- */
/* True if the name has an address: the newest that is known, in lo and hi. */
bool name_resolve(struct node *node, struct host_spec *spec);
/* True while its first look-up is under way. */
bool name_is_asked(struct node *node, const char *name);
/* Asks for all names of all connections. */
void names_refresh(struct node *node);
void names_expire(struct node *node);

/* --- attempts.c --- */
/* Brings it up as soon as node_expire is called; nothing if that is under way. */
void attempt_start(struct node *node, const char *conn, const char *child);
/* The same for a packet that has hit a trap. */
void attempt_start_for(struct node *node, const char *conn, const char *child,
		       const struct ts_packet *packet);
/* The same for a child that was up and is wanted up (start_action = start). */
void attempt_restore(struct node *node, const char *conn, const char *child);
/* The same for what was initiated already. */
void attempt_follow(struct node *node, const char *conn, const char *child, uint32_t ike_id);
/* Forgets what matches; NULL and 0 match everything. Returns how many of them no IKE SA worked on.
 */
size_t attempts_forget(struct node *node, const char *conn, const char *child, uint32_t ike_id);
void attempts_expire(struct node *node);
uint64_t attempts_deadline(const struct node *node);
/* What waits for a route or an address is tried at once. */
void attempts_hurry(struct node *node);
void attempts_react(struct node *node, const struct reaction *r);

/* --- react.c --- */
void react_note(struct node *node, const struct ike_event *ev);
void react_all(struct node *node);
void react_free(struct node *node);

/* --- terminate.c --- */
/* True if a child of that configuration, or with child NULL an IKE SA, is up or on its way. */
bool sa_is_up(const struct node *node, const char *conn, const char *child);

/* --- traps.c --- */
void trap_add(struct node *node, struct ike_conn *conn, const struct child_cfg *child);
/* Until the child is up again; nothing if it has a trap. */
void trap_guard(struct node *node, struct ike_conn *conn, const struct child_cfg *child);
void trap_unguard(struct node *node, const char *conn, const char *child);
void traps_expire(struct node *node);
/* All of a connection; NULL: all. */
void traps_remove(struct node *node, const char *conn);

#endif
