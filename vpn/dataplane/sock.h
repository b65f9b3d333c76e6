/* sock.h - the outer sockets: UDP on the IKE and NAT-T ports, raw protocol 50; IPv4 and IPv6.
 *
 * A socket belongs to the data-plane thread once that runs. */
#ifndef VPN_DATAPLANE_SOCK_H
#define VPN_DATAPLANE_SOCK_H

#include <netinet/in.h>
#include <sys/uio.h>

#include "vpn/base/addr.h"
#include "vpn/base/err.h"
#include "vpn/esp/packet.h"

enum sock_kind { SOCK_IKE, SOCK_NATT, SOCK_ESP };

struct dp_sock {
	int fd; /* -1: not open */
	uint8_t family;
	enum sock_kind kind;
	uint16_t port;
	bool gso; /* UDP_SEGMENT works */
	bool gro; /* UDP_GRO is on */
	int df;	  /* what IP_MTU_DISCOVER is set to; -1: unknown */
};

/* port 0: any. A family that the kernel lacks leaves fd -1 and is no error. ERR_PERM, ERR_EXISTS
 * (the port is in use), ERR_IO. */
int sock_open(struct dp_sock *s, uint8_t family, enum sock_kind kind, uint16_t port,
	      uint32_t fwmark, bool offload, struct err_msg *msg);
void sock_close(struct dp_sock *s);

/* Room for the control messages of one datagram, in either direction. */
#define SOCK_CONTROL_MAX 256

/* One datagram to be sent, or with `segment` a train of them: all of that size but the last. */
struct sock_out {
	struct endpoint local; /* addr may be unset */
	struct endpoint remote;
	struct outer_hdr hdr; /* ttl 0: the system's default */
	uint32_t mark;	      /* in place of the socket's own; 0: the socket's own */
	uint16_t segment;
	struct iovec *iov;
	size_t iovlen;
};

struct sock_msg {
	struct sockaddr_storage to;
	union {
		struct cmsghdr align;
		uint8_t octets[SOCK_CONTROL_MAX];
	} control;
};

/* Fills *hdr and *room for sendmsg or sendmmsg; both point into `out` and `room`. */
void sock_fill(const struct dp_sock *s, const struct sock_out *out, struct msghdr *hdr,
	       struct sock_msg *room);
/* Sets whether outer packets carry DF; a system call only when that changes. For IPv6, whether the
 * source may fragment. */
void sock_set_df(struct dp_sock *s, bool df);

/* What the control messages of a received datagram say. */
struct sock_in {
	struct endpoint from;
	struct endpoint to;
	struct outer_hdr hdr;
	size_t segment; /* 0, or the datagrams' size in a train */
};
void sock_read_control(const struct dp_sock *s, struct msghdr *hdr, struct sock_in *ret_in);

/* An unbound helper for route queries; negative errno as sock_open. */
struct route_answer {
	struct ip_addr src;
	uint32_t mtu;
};
int sock_route_query(const struct ip_addr *dst, uint32_t fwmark, struct route_answer *ret);

#endif
