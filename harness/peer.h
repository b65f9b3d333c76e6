/* peer.h - one end of a VPN under test: a daemon in a node, driven through vici.
 *
 * beetd and strongSwan speak the same control protocol and read the same swanctl.conf, so a driver
 * is no more than how the daemon is started; loading goes through Debian's own swanctl, everything
 * else through our vici client. A peer sees a /etc/swanctl of its own. */
#ifndef HARNESS_PEER_H
#define HARNESS_PEER_H

#include "netns/net.h"
#include "netns/process.h"
#include "vpn/vici/vici.h"

#define PEER_PATH_MAX 128
#define PEER_LOG_MAX  65536

struct peer;

#define PEER_TEXTS 8

struct peer_options {
	/* strongSwan's settings at the place of charon { ... }; beetd's further arguments. */
	const char *strongswan_conf;
	const char *const *beetd_args; /* ended by NULL; may be NULL */
	bool own_clock;		       /* peer_shift_clock will be called; see peer_clock_missing */
	bool quiet; /* errors alone in the log, no key log: where time is measured */
};

/* The daemon's command: filled by a driver, which may write files into dir first. */
struct peer_command {
	const char *argv[32];
	const char *env[8];
	char text[PEER_TEXTS][PEER_PATH_MAX * 2]; /* room for what argv and env point to */
};

struct peer_driver {
	const char *name;
	/* NULL if the daemon can be run here, else why not. */
	const char *(*missing)(void);
	int (*command)(const char *dir, const struct peer_options *options,
		       struct peer_command *ret_command, struct err_msg *msg);
	bool may_hang_at_end; /* SIGKILL is as good an end as any */
};

extern const struct peer_driver peer_beetd;
extern const struct peer_driver peer_strongswan;
/* By name; NULL if there is none. */
const struct peer_driver *peer_driver_find(const char *name);
/* The path of beetd's executable. */
const char *peer_beetd_path(void);

/* Makes the peer's directory (net_dir/NODE) with an empty swanctl tree; options may be NULL. The
 * daemon is not started yet. */
int peer_create(struct net *net, const char *node, const struct peer_driver *driver,
		const struct peer_options *options, struct peer **ret_peer, struct err_msg *msg);
/* Starts the daemon and waits for its vici socket. */
int peer_start(struct peer *peer, struct err_msg *msg);
/* Ends the daemon; its exit status, or 128 + the signal. 5 s after SIGTERM comes SIGKILL. */
int peer_stop(struct peer *peer);
/* SIGKILL: as a crash ends it. */
void peer_kill(struct peer *peer);
/* SIGSTOP and SIGCONT: as a machine that sleeps, or is too busy. ERR_IO. */
int peer_pause(struct peer *peer, bool pause, struct err_msg *msg);
/* The daemon's wall clock is so far from the host's from now on. Also
 * before it is started. ERR_IO. */
int peer_shift_clock(struct peer *peer, int64_t seconds, struct err_msg *msg);
/* NULL if a daemon can be given a clock of its own here, else why not. */
const char *peer_clock_missing(void);
/* Whether the daemon can write to files, until it is stopped. ERR_STATE, ERR_IO. */
int peer_fill_disk(struct peer *peer, bool full, struct err_msg *msg);
void peer_free(struct peer *peer); /* stops it; NULL is fine */

const char *peer_node(const struct peer *peer);
const char *peer_name(const struct peer *peer); /* the driver's */
const char *peer_dir(const struct peer *peer);
const char *peer_uri(const struct peer *peer); /* of its vici socket */
pid_t peer_pid(const struct peer *peer);       /* while it is started */
bool peer_is_running(struct peer *peer);

/* Octets of memory that the daemon has in use, now and at most so far. ERR_STATE. */
int peer_memory(struct peer *peer, uint64_t *ret_now, uint64_t *ret_most);
/* What was in use when it was asked for the first time; 0: not yet. */
uint64_t peer_first_memory(const struct peer *peer);

/* Writes a file of the peer's /etc/swanctl: "swanctl.conf", "x509/vps-cert.pem". */
int peer_write(struct peer *peer, const char *name, const void *data, size_t len,
	       struct err_msg *msg);
/* Puts a file of this machine there. */
int peer_copy(struct peer *peer, const char *name, const char *from, struct err_msg *msg);
int peer_remove(struct peer *peer, const char *name, struct err_msg *msg);

/* Writes swanctl.conf and has swanctl load all of it; msg holds swanctl's words on failure. */
int peer_load(struct peer *peer, const char *conf, struct err_msg *msg);
/* Runs swanctl with further arguments (ended by NULL) against the daemon. */
int peer_swanctl(struct peer *peer, const char *const *args, int *ret_status,
		 struct process_output *ret_output, struct err_msg *msg);

/* Brings a child up; ERR_STATE with the daemon's words when it says no. */
int peer_initiate(struct peer *peer, const char *child, unsigned timeout_ms, struct err_msg *msg);
/* Without waiting for the outcome. */
int peer_initiate_async(struct peer *peer, const char *child, struct err_msg *msg);

struct peer_sa_name { /* the SAs of a child, or if that is NULL the IKE SAs of a connection */
	const char *child, *ike;
};

int peer_terminate(struct peer *peer, const struct peer_sa_name *sa, unsigned timeout_ms,
		   struct err_msg *msg);
/* Forgets them at once, whatever the other end says. */
int peer_kill_sa(struct peer *peer, const struct peer_sa_name *sa, struct err_msg *msg);

/* Asks for a rekeying of the child of that name, or if child is NULL of the IKE SA, and no more.
 * The name must stay. ERR_STATE: not one such SA is there. */
int peer_rekey_async(struct peer *peer, const char *child, const char *ike, struct err_msg *msg);
/* Waits until only the new one is there of what peer_rekey_async last asked for. ERR_AGAIN,
 * ERR_STATE. */
int peer_wait_rekeyed(struct peer *peer, unsigned timeout_ms, struct err_msg *msg);
/* Both. */
int peer_rekey(struct peer *peer, const char *child, const char *ike, unsigned timeout_ms,
	       struct err_msg *msg);
/* Waits until one SA of that name is there, and none that is to be deleted. */
int peer_wait_settled(struct peer *peer, const char *child, const char *ike, unsigned timeout_ms,
		      struct err_msg *msg);

/* Calls fn for every IKE SA: its name and the section that list-sas has on it. */
typedef void peer_sa_fn(const struct vici_node *sa, void *arg);
int peer_list_sas(struct peer *peer, peer_sa_fn *fn, void *arg, struct err_msg *msg);
/* What list-sas says on an installed child: "mode", "encap", "local-ts", ...; a
 * list's items with blanks between. ERR_NOT_FOUND. */
int peer_child_value(struct peer *peer, const char *child, const char *key, char *ret_value,
		     size_t cap);
unsigned peer_count_children(struct peer *peer); /* installed */
unsigned peer_count_sas(struct peer *peer);	 /* IKE SAs, in any state */
int peer_wait_children(struct peer *peer, unsigned count, unsigned timeout_ms, struct err_msg *msg);
int peer_wait_sas(struct peer *peer, unsigned count, unsigned timeout_ms, struct err_msg *msg);

/* The daemon's log so far, or its last PEER_LOG_MAX octets; the caller frees it. */
char *peer_log(const struct peer *peer);
/* Waits until a line of the log has all the words (at most 4, ended by NULL), in any order: for
 * what a foreign peer tells in no other way. */
int peer_wait_log(struct peer *peer, const char *const *words, unsigned timeout_ms,
		  struct err_msg *msg);

#endif
