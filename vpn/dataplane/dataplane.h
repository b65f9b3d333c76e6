/* dataplane.h - where ESP SAs are installed: userspace ESP between TUN devices and UDP or raw
 * sockets.
 *
 * A data plane runs one thread of its own, which alone touches the sockets (UDP 500 and 4500, raw
 * protocol 50), the TUN devices and the SAs. All functions below may be called from any one other
 * thread (the daemon's loop); each hands a command to the data-plane thread and waits for its
 * answer, some tens of microseconds. What the thread has to say comes back as events: poll
 * dataplane_event_fd() for reading, then call dp_next_event() until it returns false.
 *
 * Needs CAP_NET_ADMIN (TUN, routes, SO_MARK) and CAP_NET_RAW (native ESP). */
#ifndef VPN_DATAPLANE_DATAPLANE_H
#define VPN_DATAPLANE_DATAPLANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vpn/base/err.h"
#include "vpn/base/ipsec_sa.h"
#include "vpn/esp/drop.h"

#define DP_IFNAME_MAX 16

struct dataplane;

struct dp_config {
	uint16_t port;	    /* IKE; 0: any free port */
	uint16_t port_natt; /* IKE with non-ESP marker, and ESP (RFC 3948) */
	bool ipv4,
	    ipv6; /* which families to open; a family that the kernel lacks is left out silently */
	bool raw_esp;	      /* open raw sockets for native ESP (protocol 50) */
	bool offload;	      /* TUN and UDP segmentation offloads, where the kernel has them */
	uint32_t fwmark;      /* on every outer packet; keeps them out of our own routes */
	uint32_t route_table; /* for SAs without an interface ID: routes go here, */
	uint32_t rule_pref;   /* and a rule of this preference leads to them */
	uint16_t tun_mtu;     /* of devices that we make; 0: what the SAs on them can carry */
	char tun_name[DP_IFNAME_MAX];	  /* the device for SAs without an interface ID: "beet0" */
	char if_id_prefix[DP_IFNAME_MAX]; /* the device for interface ID N is this followed by N:
					     "xfrm" */
};

/* Ports 500 and 4500, both families, everything on; mark, table and preference 220 as strongSwan
 * has them. */
void dp_config_init(struct dp_config *ret_cfg);

/* Opens the sockets and starts the thread. On failure nothing is left behind: ERR_PERM
 * (privileges), ERR_EXISTS (port in use), ERR_IO, ERR_NOMEM. Routes and rules that a killed
 * predecessor left in our table are removed first (they carry a route protocol number of their
 * own). */
int dataplane_new(const struct dp_config *cfg, struct dataplane **ret_dp, struct err_msg *msg);
/* Removes all SAs, routes, rules and the devices that we made; adopted devices stay. NULL is fine.
 */
void dataplane_free(struct dataplane *dp);

/* The ports really bound. */
uint16_t dataplane_port(const struct dataplane *dp, bool natt);

/* --- SAs --- */

/* Names an installed SA. The SPI alone names an inbound SA; outbound SPIs are the peers' choice and
 * may repeat between peers, there child_id decides too. */
struct dp_sa_ref {
	uint32_t spi;
	uint32_t child_id;
	bool inbound;
};

/* Copies sa. With an if_id the device PREFIX<if_id> is made, or adopted if a TUN device of that
 * name exists. An outbound SA with if_id 0 also routes its remote selectors into our own device. Of
 * several outbound SAs that match a packet the one with the narrowest selectors is used, and of
 * equal ones the newest: a rekeyed SA is installed beside its predecessor.
 *
 * With a mark_mask the mark of outbound SAs is that of their outer packets, and that of inbound SAs
 * is put on decrypted packets by a table of nftables, before anything else sees them. Where
 * nftables cannot be had, the SA is installed without: *msg then says so, and is empty on every
 * other success.
 *
 * ERR_EXISTS (SPI), ERR_UNSUPPORTED (cipher, mode), ERR_INVALID (BEET without host selectors),
 * ERR_PERM or ERR_IO (device, route), ERR_NOMEM. On failure nothing has changed. */
int dp_install(struct dataplane *dp, const struct ipsec_sa *sa, struct err_msg *msg);
int dp_remove(struct dataplane *dp, const struct dp_sa_ref *ref); /* ERR_NOT_FOUND */
/* New outer endpoints for one SA. Sequence numbers, window and keys go on. */
int dp_update(struct dataplane *dp, const struct dp_sa_ref *ref, const struct endpoint *local,
	      const struct endpoint *remote, bool encap);
int dp_query(struct dataplane *dp, const struct dp_sa_ref *ref, struct ipsec_sa_stats *ret_stats);

/* A trap: a packet on that interface which these selectors cover and no SA takes waits
 * for one (hold.h says how many, and how long; the others are counted as dropped) and raises
 * DP_EVENT_ACQUIRE, at most once per second. With if_id 0 the remote selectors are routed, too. */
int dp_trap_add(struct dataplane *dp, uint32_t reqid, uint32_t if_id,
		const struct ts_list *local_ts, const struct ts_list *remote_ts,
		struct err_msg *msg);
int dp_trap_remove(struct dataplane *dp, uint32_t reqid);

/* Makes or adopts the device of an interface ID before any SA needs it (when a connection is
 * loaded), so that addresses and routes can be put on it. Idempotent. A device that we made
 * goes with the data plane, addresses and routes too; one that was there before (ip tuntap add dev
 * xfrm1 mode tun) stays. */
int dp_interface_add(struct dataplane *dp, uint32_t if_id, struct err_msg *msg);

/* --- IKE on the same sockets --- */

/* local->port picks the socket (ERR_INVALID if it is neither of ours); local->addr may be unset.
 * The non-ESP marker (RFC 3948 §2.2) is added on the NAT-T port. Never waits for the network. */
int dp_send_ike(struct dataplane *dp, const struct endpoint *local, const struct endpoint *remote,
		const void *data, size_t len);
/* One octet 0xFF (RFC 3948 §2.3). */
int dp_send_keepalive(struct dataplane *dp, const struct endpoint *local,
		      const struct endpoint *remote);

/* What the kernel would do with a packet to dst from one of our sockets. */
struct dp_route {
	struct ip_addr src;
	uint32_t mtu;
};
int dp_route_query(struct dataplane *dp, const struct ip_addr *dst, struct dp_route *ret_route);

/* --- events --- */

enum dp_event_type {
	DP_EVENT_IKE,	     /* local, remote, data, len: a datagram, without the non-ESP marker */
	DP_EVENT_PEER_MOVED, /* sa (inbound), local, remote, old_remote: an authenticated packet
			      * came from another place than the SA says; the SA itself is unchanged
			      * until dp_update */
	DP_EVENT_SOFT_LIMIT, /* sa: once */
	DP_EVENT_HARD_LIMIT, /* sa: once; the SA carries nothing any more */
	DP_EVENT_SEQ_EXHAUSTED, /* sa (outbound): once; the SA carries nothing any more */
	DP_EVENT_ACQUIRE,	/* reqid, if_id, packet: a trap was hit */
	DP_EVENT_PATH_MTU,	/* sa (outbound), mtu: the outer path MTU has changed */
};

struct dp_event {
	enum dp_event_type type;
	struct dp_sa_ref sa;
	struct endpoint local;
	struct endpoint remote;
	struct endpoint old_remote;
	struct ts_packet packet;
	uint32_t reqid;
	uint32_t if_id;
	uint32_t mtu;
	uint8_t *data; /* the event's; NULL but for DP_EVENT_IKE */
	size_t len;
};

int dataplane_event_fd(const struct dataplane *dp);
/* False when there is none. The caller owns *ret_event: dp_event_clear. */
bool dp_next_event(struct dataplane *dp, struct dp_event *ret_event);
void dp_event_clear(struct dp_event *ev);
const char *dp_event_name(enum dp_event_type type); /* "ike", "peer-moved", ... */

/* --- counters --- */

struct dp_counters {
	uint64_t drops[ESP_DROP_COUNT]; /* by reason; esp_drop_text() says it in words */
	uint64_t esp_in, esp_out;	/* ESP packets opened and sealed */
	uint64_t ike_in, ike_out;
	uint64_t keepalives_in, keepalives_out;
	uint64_t ptb_sent;    /* ICMP fragmentation needed and packet too big, to the inner side */
	uint64_t events_lost; /* the queue was full */
};

void dp_get_counters(struct dataplane *dp, struct dp_counters *ret_counters);

#endif
