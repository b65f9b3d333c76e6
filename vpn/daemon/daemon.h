/* daemon.h - beetd: the node, its data plane and its control socket on one event loop.
 *
 *     main.c         start and end, in the order that leaves nothing half done
 *     options.c      the command line
 *     loop.c         timers, signals, the data plane's events: time and data to the node
 *     perform.c      the node's actions to the data plane and to those who listen
 *     env.c          what the daemon lends to the node
 *     network.c      the host's addresses and routes, and their changes
 *     installed.c    which SAs the data plane has
 *     vici_server.c  control connections
 *     load.c         --config
 *     events.c, keylog.c, keylog_wireshark.c, describe.c, log.c   what goes to files
 *     preflight.c    whether TUN devices can be made here
 *     instance.c     PID file, service manager
 *     resolver.c     DNS names
 */
#ifndef VPN_DAEMON_DAEMON_H
#define VPN_DAEMON_DAEMON_H

#include <uv.h>

#include "vpn/daemon/events.h"
#include "vpn/daemon/installed.h"
#include "vpn/daemon/instance.h"
#include "vpn/daemon/keylog.h"
#include "vpn/daemon/log.h"
#include "vpn/daemon/options.h"
#include "vpn/daemon/resolver.h"
#include "vpn/dataplane/dataplane.h"
#include "vpn/node/node.h"

struct control;
struct control_drop;
struct hostnet;
struct vici_server;

#define DAEMON_SIGNALS 4

/* Dropped datagrams that are told of in one second; the rest is counted and told with the next. */
#define DROPS_TOLD_PER_SECOND 10

struct drop_limit {
	uint64_t second;
	unsigned told, suppressed;
};

struct daemon {
	const struct beetd_options *options;
	struct log *log;
	struct events events;
	struct keylog keylog;
	struct instance instance;

	struct dataplane *dp;
	struct hostnet *hostnet;
	struct node *node;
	struct control *control;
	struct vici_server *server;
	struct installed_table installed;
	struct resolver resolver;
	struct drop_limit drop_limit;

	uv_loop_t loop;
	uv_timer_t timer;
	uv_timer_t stop_timer;
	uv_poll_t dp_poll;
	uv_poll_t net_poll;
	uv_signal_t signals[DAEMON_SIGNALS];
	bool stopping;
};

/* The engine's clock: monotonic, microseconds. */
uint64_t daemon_now(void);
/* Unix time in microseconds. */
uint64_t daemon_unix_time(void);
void daemon_log(struct daemon *d, enum ike_log_group group, int level, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* env.c */
struct node_env daemon_env(struct daemon *d);
size_t env_drops(void *ctx, struct control_drop *ret_drops); /* for struct control_env */

/* network.c */
int network_open(struct daemon *d, struct err_msg *msg);
int network_watch(struct daemon *d); /* from the loop */
void network_close(struct daemon *d);
/* For struct node_env. */
bool network_source(void *ctx, const struct ip_addr *remote, struct ip_addr *ret_local);
bool network_can_send_from(void *ctx, const struct ip_addr *local, const struct ip_addr *remote);
bool network_has(void *ctx, const struct ip_addr *addr);
bool network_address(void *ctx, size_t i, struct ip_addr *ret_addr);

/* perform.c: carries out all actions that are waiting. To be called after every call into the node
 * or the control. */
void daemon_perform(struct daemon *d);

/* loop.c */
int loop_init(struct daemon *d, struct err_msg *msg);
/* Watches the data plane, signals and time. */
int loop_start(struct daemon *d, struct err_msg *msg);
/* Runs until a signal, and then until the peers know. */
void loop_run(struct daemon *d);
/* Carries out what is waiting and sets the timer: the end of every callback of the loop. */
void loop_settle(struct daemon *d);
void loop_free(struct daemon *d);

/* load.c: what `swanctl --load-all` does. *msg is the first problem; further ones are logged. */
int daemon_load(struct daemon *d, struct err_msg *msg);

/* vici_server.c */
int vici_server_new(struct daemon *d, const char *uri, struct err_msg *msg);
void vici_server_flush(struct vici_server *server); /* sends what sessions have to say */
void vici_server_stop(struct vici_server *server);  /* closes all; the loop must run on to end it */
void vici_server_free(struct vici_server *server);

#endif
