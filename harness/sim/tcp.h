/* tcp.h - a transfer over TCP between two simulated hosts: what a user's connection does when the
 * tunnel loses, delays, reorders, or has no room for its segments (RFC 9293, RFC 5681, RFC 6582,
 * RFC 6298).
 *
 * Both hosts' halves are in one object, which learns nothing but what its packets carry from one to
 * the other. The octets follow from their place in the stream, so the receiver knows each; seen on
 * an outer wire they are a packet in the clear (probe.h). Nobody closes the connection. */
#ifndef HARNESS_SIM_TCP_H
#define HARNESS_SIM_TCP_H

#include "vpn/base/addr.h"
#include "vpn/wire/packet/ip.h"

struct tcp;

struct tcp_spec {
	struct endpoint client, server; /* the client sends */
	uint64_t octets;		/* 0: until tcp_finish */
	uint64_t rate;			/* octets a second; 0: as fast as it goes */
	/* Sends an IP packet. */
	void (*send)(void *arg, bool by_client, const uint8_t *ip, size_t len, int64_t now);
	void *arg;
};

struct tcp_seen {
	uint64_t octets; /* that have arrived without a gap */
	int64_t pause;	 /* longest time without progress, nanoseconds */
	bool damaged;	 /* an octet was not the one that was sent */
};

/* Begins with the SYN. ERR_NOMEM. */
int tcp_new(const struct tcp_spec *spec, int64_t now, struct tcp **ret_tcp);
void tcp_free(struct tcp *tcp); /* NULL is fine */

int64_t tcp_next(const struct tcp *tcp); /* LINK_NEVER */
void tcp_run(struct tcp *tcp, int64_t now);
/* A segment with a right checksum; false if it is of another connection. */
bool tcp_take(struct tcp *tcp, const uint8_t *data, const struct ip_info *ip, int64_t now);
/* A router says that the path to this host carries no more (RFC 1191, RFC 8201). */
void tcp_too_big(struct tcp *tcp, const struct ip_addr *to, unsigned mtu, int64_t now);

/* What was not sent yet is not sent any more. */
void tcp_finish(struct tcp *tcp);
/* All that was to be sent has been acknowledged. */
bool tcp_is_done(const struct tcp *tcp);
void tcp_look(const struct tcp *tcp, struct tcp_seen *ret_seen);

#endif
