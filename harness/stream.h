/* stream.h - traffic from one node to another that runs while something else is done, and is
 * verified as it arrives: a TCP stream octet by octet, UDP datagrams one by one.
 *
 * Sender and receiver are processes of their own in the two nodes; they die with their starter. */
#ifndef HARNESS_STREAM_H
#define HARNESS_STREAM_H

#include <stdint.h>
#include "netns/net.h"

#define STREAM_DATAGRAM_MIN  8
#define STREAM_DATAGRAM_MAX  65000
#define STREAM_DATAGRAMS_MAX (1U << 24) /* their receiver remembers each: 2 MiB */

/* STREAM_FLOOD: IKE_SA_INIT requests from addresses that do not exist; nobody receives. */
enum stream_protocol { STREAM_TCP, STREAM_UDP, STREAM_FLOOD };

struct stream_spec {
	const char *name; /* in messages; NULL: the protocol's */
	enum stream_protocol protocol;
	const char *from, *to; /* nodes */
	const char *address;   /* of the receiver */
	uint64_t octets;       /* TCP: ends after so many; 0: when stream_finish says so */
	unsigned count;	       /* UDP, flood: the same in datagrams */
	uint64_t seed;	       /* flood */
	unsigned size;	       /* UDP: octets of payload; 0: 1000 */
	uint64_t rate; /* octets a second; 0: TCP without limit, UDP 1000 datagrams a second */
};

/* Octets of TCP, datagrams of UDP. */
struct stream_result {
	uint64_t sent;
	uint64_t arrived;    /* whole and different */
	uint64_t duplicates; /* UDP */
	uint64_t damaged;    /* UDP: contents that are not what their number says */
	uint64_t overtaken;  /* UDP: came behind a later one */
	unsigned pause_ms;   /* the longest time that nothing arrived */
	uint64_t octets;     /* arrived */
};

struct stream;

/* Returns when the first octets have arrived; a flood has when it is sent. ERR_INVALID, ERR_AGAIN
 * (nothing arrived in time), or ERR_IO: msg says which end could not go on, and why. */
int stream_start(struct net *net, const struct stream_spec *spec, unsigned within_ms,
		 struct stream **ret_stream, struct err_msg *msg);
const char *stream_name(const struct stream *stream);
/* Ends a stream without limit, waits for one with a limit, and frees it in any case. ERR_IO if an
 * end failed, or octets of TCP are missing or changed; what is lost of UDP is the caller's to
 * judge.
 */
int stream_finish(struct stream *stream, unsigned within_ms, struct stream_result *ret_result,
		  struct err_msg *msg);
void stream_kill(struct stream *stream); /* NULL is fine */

#endif
