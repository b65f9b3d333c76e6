/* internal.h - what the files of vpn/control share. */
#ifndef VPN_CONTROL_INTERNAL_H
#define VPN_CONTROL_INTERNAL_H

#include "vpn/base/list.h"
#include "vpn/control/control.h"

/* Every event that a client may register for. beetd-event is ours: each event of the engine, as the
 * JSON log has it. */
#define CONTROL_EVENTS(X)                      \
	X(ON_LOG, "log")                       \
	X(ON_CONTROL_LOG, "control-log")       \
	X(ON_LIST_SA, "list-sa")               \
	X(ON_LIST_POLICY, "list-policy")       \
	X(ON_LIST_CONN, "list-conn")           \
	X(ON_LIST_CERT, "list-cert")           \
	X(ON_LIST_AUTHORITY, "list-authority") \
	X(ON_IKE_UPDOWN, "ike-updown")         \
	X(ON_IKE_REKEY, "ike-rekey")           \
	X(ON_IKE_UPDATE, "ike-update")         \
	X(ON_CHILD_UPDOWN, "child-updown")     \
	X(ON_CHILD_REKEY, "child-rekey")       \
	X(ON_ALERT, "alert")                   \
	X(ON_BEETD_EVENT, "beetd-event")

#define X(name, text) name,
enum control_event_id { CONTROL_EVENTS(X) N_CONTROL_EVENTS };
#undef X

struct authority {
	struct authority *next;
	char *name;
	struct cert *cacert;
};

/* Messages by exchange, direction and kind, as strongSwan's counters plugin names them. */
enum { COUNT_INIT, COUNT_AUTH, COUNT_CHILD, COUNT_INFO, N_EXCHANGES };

struct counters {
	uint64_t messages[N_EXCHANGES][2][2]; /* [exchange][out][response] */
	uint64_t ike_rekey_init, ike_rekey_resp, child_rekey;
	uint64_t invalid, invalid_spi;
};

/* trouble.c */
#define TROUBLES_MAX 64 /* of connections that failed last; beyond, the oldest is forgotten */

struct trouble {
	char *conn;  /* NULL: free */
	char *child; /* or NULL: the IKE SA */
	enum ike_cause cause;
	uint16_t notify; /* 0: none */
	char *text;
	uint64_t at;
};

struct control {
	struct node *node;
	struct control_env env;
	struct list sessions;
	struct trouble troubles[TROUBLES_MAX];
	unsigned n_sessions;
	struct authority *authorities;
	struct counters counters;
	uint64_t started;
};

enum waiting_for { WAITING_NOT, WAITING_NAME, WAITING_UP, WAITING_GONE };

/* A command whose answer comes later. */
struct waiting {
	enum waiting_for what;
	uint64_t deadline; /* UINT64_MAX: none */
	unsigned timeout_ms;
	int loglevel;
	char *child;	   /* WAITING_NAME and _UP: this child, or NULL: the IKE SA */
	char *ike;	   /* WAITING_NAME: the connection, or NULL: the child's */
	bool detached;	   /* WAITING_NAME: the answer does not wait for the SA */
	uint64_t retry_at; /* WAITING_NAME; else UINT64_MAX */
	uint32_t
	    *ike_ids; /* whose log lines are wanted; WAITING_GONE without children: what is to go */
	size_t n_ike_ids;
	uint32_t *child_ids; /* WAITING_GONE: what is to go */
	size_t n_child_ids;
};

struct control_session {
	struct list link;
	struct control *control;
	struct vici_stream in;
	struct {
		uint8_t *buf;
		size_t len, cap, sent;
	} out;
	uint32_t registered; /* bits of enum control_event_id */
	struct waiting waiting;
	uint64_t now;
	bool more; /* frames may be waiting in `in` */
	bool failed;
};

/* What a command's function returns: its reply is complete, or comes later. */
enum command_result { REPLY_NOW, REPLY_LATER };

typedef enum command_result (*command_fn)(struct control_session *s, const struct vici_node *args,
					  struct vici_writer *reply);

/* commands.c */
command_fn command_find(const char *name); /* NULL: unknown */

/* reply.c */
enum command_result reply_ok(struct vici_writer *reply);
enum command_result reply_error(struct vici_writer *reply, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* success, or errmsg with err_text. */
enum command_result reply_result(struct vici_writer *reply, int err, const char *what,
				 const char *name);
void put_yes(struct vici_writer *v, const char *key, bool yes); /* key = yes, or nothing */
void put_ts_list(struct vici_writer *v, const char *key, const struct ts_list *list);
void put_identity(struct vici_writer *v, const char *key, const struct identity *id);
/* A NUL-terminated name that must be in args; NULL: an error was written. */
const char *need_text(const struct vici_node *args, const char *key, struct vici_writer *reply);
/* A number that may be there; ERR_SYNTAX. */
int get_u32(const struct vici_node *args, const char *key, uint32_t *ret_value);

/* session.c */
bool session_wants(const struct control_session *s, enum control_event_id event);
/* Begins an event message / ends and queues it; the writer is empty again. */
void session_begin_event(struct vici_writer *v, enum control_event_id event);
void session_end_event(struct control_session *s, enum control_event_id event,
		       struct vici_writer *v);
void session_reply(struct control_session *s, struct vici_writer *reply); /* frees the writer */
void session_resume(struct control_session *s, uint64_t now);

/* trouble.c */
void trouble_event(struct control *control, const struct ike_event *event, uint64_t now);
/* last-failure and its particulars, if the connection's last attempt failed. */
void put_trouble(struct vici_writer *v, const struct control *control, const char *conn,
		 uint64_t now);
void troubles_free(struct control *control);

/* waiting.c */
void waiting_clear(struct waiting *w);
int waiting_add_ike(struct waiting *w, uint32_t id);
int waiting_add_child(struct waiting *w, uint32_t id);
bool waiting_has_ike(const struct waiting *w, uint32_t id);
/* Does what waits for a DNS name, if it has an address now. */
void waiting_retry(struct control_session *s, uint64_t now);
void waiting_event(struct control_session *s, const struct ike_event *event);
bool waiting_is_over(const struct control_session *s);
void waiting_expire(struct control_session *s, uint64_t now);

/* sa_message.c */
void put_ike_sa(struct vici_writer *v, const struct ike_sa_info *sa, uint64_t now);
void put_child_fields(struct vici_writer *v, const struct node *node,
		      const struct child_sa_info *child, uint64_t now);
void put_child_sa(struct vici_writer *v, const struct node *node, const struct child_sa_info *child,
		  uint64_t now);

/* The commands, by file. */
#define COMMANDS(X)                                     \
	/* info.c */                                    \
	X("version", command_version)                   \
	X("stats", command_stats)                       \
	X("get-algorithms", command_get_algorithms)     \
	X("get-counters", command_get_counters)         \
	X("reset-counters", command_reset_counters)     \
	X("reload-settings", command_reload_settings)   \
	/* creds.c */                                   \
	X("load-cert", command_load_cert)               \
	X("list-certs", command_list_certs)             \
	X("load-key", command_load_key)                 \
	X("unload-key", command_unload_key)             \
	X("get-keys", command_get_keys)                 \
	X("load-token", command_load_token)             \
	X("load-shared", command_load_shared)           \
	X("unload-shared", command_unload_shared)       \
	X("get-shared", command_get_shared)             \
	X("clear-creds", command_clear_creds)           \
	X("flush-certs", command_flush_certs)           \
	/* pools.c */                                   \
	X("load-authority", command_load_authority)     \
	X("unload-authority", command_unload_authority) \
	X("get-authorities", command_get_authorities)   \
	X("list-authorities", command_list_authorities) \
	X("load-pool", command_load_pool)               \
	X("unload-pool", command_unload_pool)           \
	X("get-pools", command_get_pools)               \
	/* conns.c */                                   \
	X("load-conn", command_load_conn)               \
	X("unload-conn", command_unload_conn)           \
	X("get-conns", command_get_conns)               \
	X("list-conns", command_list_conns)             \
	X("list-policies", command_list_policies)       \
	/* sas.c */                                     \
	X("list-sas", command_list_sas)                 \
	X("initiate", command_initiate)                 \
	X("terminate", command_terminate)               \
	X("rekey", command_rekey)                       \
	X("redirect", command_redirect)                 \
	X("install", command_install)                   \
	X("uninstall", command_install)

#define X(name, fn)                                                                     \
	enum command_result fn(struct control_session *s, const struct vici_node *args, \
			       struct vici_writer *reply);
COMMANDS(X)
#undef X

/* pools.c */
void authorities_free(struct control *control);

#endif
