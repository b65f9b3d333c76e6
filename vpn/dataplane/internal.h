/* internal.h - what the files of the data plane share. Nobody else includes it.
 *
 * Threads: the control thread makes and frees SAs, devices and routes and keeps their lists; the
 * data-plane thread uses them. Every change of what the data-plane thread sees goes through
 * call_run(), which executes a function in that thread between two batches; so no lock guards a
 * packet. */
#ifndef VPN_DATAPLANE_INTERNAL_H
#define VPN_DATAPLANE_INTERNAL_H

#include <pthread.h>
#include <sys/socket.h>

#include "vpn/base/list.h"
#include "vpn/dataplane/dataplane.h"
#include "vpn/dataplane/event.h"
#include "vpn/dataplane/hold.h"
#include "vpn/dataplane/mark.h"
#include "vpn/dataplane/route.h"
#include "vpn/dataplane/sock.h"
#include "vpn/dataplane/tun.h"
#include "vpn/esp/gso.h"
#include "vpn/esp/open.h"
#include "vpn/esp/reass.h"
#include "vpn/esp/sad.h"
#include "vpn/esp/seal.h"
#include "vpn/esp/spd.h"

#define SOCKS_MAX 6 /* IKE, NAT-T, ESP; IPv4 and IPv6 */

/* An installed SA: the ESP state with what the data plane adds. */
struct dp_sa {
	struct list node;
	struct esp_sa *esp;
	struct dp_tun *tun;
	bool routed;		  /* its remote selectors are routed into our own device */
	bool marks;		  /* inbound: its decrypted packets are marked */
	bool passes;		  /* outbound: its mark is known to the router */
	uint32_t mark;		  /* outbound: of its packets, if not the socket's own; else 0 */
	struct endpoint moved_to; /* inbound: the new place that was last reported */
	uint64_t mtu_asked;	  /* outbound: when the path MTU was last asked for */
};

struct dp_trap {
	struct list node;
	uint32_t reqid, if_id;
	struct ts_list local_ts, remote_ts;
	bool routed;
	uint64_t told; /* when it last raised an acquire */
};

/* Sealed packets of one SA on their way to a socket. */
#define OUT_PACKETS 128
#define OUT_ARENA   (512 << 10)

struct outbound {
	struct dp_sa *sa; /* of what is gathered */
	size_t n;
	size_t used; /* of the arena */
	struct packet pkts[OUT_PACKETS];
	struct iovec iov[OUT_PACKETS];
	struct mmsghdr msgs[OUT_PACKETS];
	struct sock_msg room[OUT_PACKETS];
	uint16_t count[OUT_PACKETS]; /* packets in message i */
	uint8_t *arena;
	uint8_t *read_buf; /* TUN_READ_MAX: what a device hands over */
	struct reass *reass;
};

/* Received datagrams, the ESP packets in them, and what becomes of them. */
#define IN_MESSAGES 32
#define IN_PACKETS  512
#define IN_BUFFER   (65536 + 128)

struct inbound {
	struct mmsghdr msgs[IN_MESSAGES];
	struct iovec msg_iov[IN_MESSAGES];
	struct sock_msg room[IN_MESSAGES];
	struct sock_in info[IN_MESSAGES];
	struct packet pkts[IN_PACKETS];
	uint8_t from[IN_PACKETS]; /* index of its message */
	struct gro_run runs[IN_PACKETS];
	size_t next[IN_PACKETS];
	struct iovec iov[IN_PACKETS + 2];
	size_t n;
	uint8_t *buffers; /* IN_MESSAGES of IN_BUFFER */
	uint8_t *spare;	  /* packets that need more room around them than a train leaves */
	size_t spare_used;
};

struct call;

struct dataplane {
	struct dp_config cfg;
	struct event_queue *events;
	struct router *router; /* control thread */
	struct marker *marker; /* control thread */
	struct list tuns;      /* control thread */
	struct list sas;       /* control thread */
	struct list traps;     /* control thread */

	/* from here on the data-plane thread's */
	struct dp_sock socks[SOCKS_MAX];
	struct sad *sad;
	struct spd *spd;
	struct dp_counters counters;
	uint64_t now; /* CLOCK_MONOTONIC in microseconds, read once per wake-up and batch */
	uint64_t ptb_tokens_at;
	unsigned ptb_tokens;
	struct outbound *out;
	struct hold hold;
	struct inbound *in;
	int epoll;
	int wake;

	pthread_t thread;
	bool running;
	pthread_mutex_t call_lock;
	pthread_cond_t call_done;
	struct call *call;
	bool quit;
};

/* thread.c */
typedef void call_fn(struct dataplane *dp, void *arg);

int thread_start(struct dataplane *dp);
void thread_stop(struct dataplane *dp);
/* Runs fn in the data-plane thread and returns when it is done. */
void call_run(struct dataplane *dp, call_fn *fn, void *arg);
void thread_watch_tun(struct dataplane *dp, struct dp_tun *tun);
void dp_update_clock(struct dataplane *dp);

/* install.c */
void install_free_sa(struct dataplane *dp, struct dp_sa *sa);
void install_free_trap(struct dataplane *dp, struct dp_trap *trap);

/* outbound.c */
int outbound_new(struct outbound **ret_out);
void outbound_free(struct outbound *out);
/* Reads the device until it is empty or the batch is large enough, seals and sends. */
void outbound_run(struct dataplane *dp, struct dp_tun *tun);
/* An SA has come: sends what has waited for it. */
void outbound_release(struct dataplane *dp);
/* One datagram of the control plane's, in the clear. 0 or ERR_IO. */
int outbound_datagram(struct dp_sock *s, const struct endpoint *local,
		      const struct endpoint *remote, struct iovec *iov, size_t iovlen);
/* Asks the route for the path MTU of an outbound SA. */
void outbound_learn_mtu(struct dataplane *dp, struct dp_sa *sa);

/* transmit.c */
void transmit(struct dataplane *dp, struct dp_sa *sa, struct outbound *out);

/* inbound.c */
int inbound_new(struct inbound **ret_in);
void inbound_free(struct inbound *in);
void inbound_run(struct dataplane *dp, struct dp_sock *s);

/* report.c: events and counters from the data-plane thread */
void report_drop(struct dataplane *dp, enum esp_drop drop);
void report_sa_events(struct dataplane *dp, struct dp_sa *sa);
void report_moved(struct dataplane *dp, struct dp_sa *sa, const struct sock_in *in);
void report_ike(struct dataplane *dp, const struct sock_in *in, const uint8_t *data, size_t len);
void report_acquire(struct dataplane *dp, struct dp_trap *trap, const struct ts_packet *pkt);
void report_mtu(struct dataplane *dp, struct dp_sa *sa);

static inline struct dp_sa *dp_sa_of(struct esp_sa *esp)
{
	return (struct dp_sa *)esp->user;
}

#endif
