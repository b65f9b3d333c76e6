/* stream_internal.h - what the ends of a stream share with each other and with their owner. */
#ifndef HARNESS_STREAM_INTERNAL_H
#define HARNESS_STREAM_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/socket.h>
#include "harness/stream.h"

#define STREAM_ERROR_MAX 160

enum stream_end { STREAM_SENDER, STREAM_RECEIVER };

/* Memory of three processes; each member is written by one of them. */
struct stream_shared {
	atomic_bool stop;     /* by the owner: send no more */
	atomic_bool sent_all; /* by the sender: sent does not grow any more */
	atomic_uint_least64_t sent, arrived, duplicates, damaged, overtaken;
	atomic_uint pause_ms;
	char error[2][STREAM_ERROR_MAX]; /* by enum stream_end, before that end exits */
};

/* What both ends know, from before they were made. */
struct stream_job {
	struct stream_spec spec;
	struct sockaddr_storage addr; /* of the receiver, with its port */
	socklen_t addr_len;
	int fd; /* the receiver's socket: bound, and of TCP listening */
	struct stream_shared *shared;
};

/* Run in a process of the node; false: error[] says why. */
typedef bool stream_end_fn(const struct stream_job *job);
stream_end_fn stream_tcp_send, stream_tcp_receive; /* stream_tcp.c */
stream_end_fn stream_udp_send, stream_udp_receive; /* stream_udp.c */
stream_end_fn stream_flood_send;		   /* stream_flood.c */

/* False, for an end that fails; the text may end in strerror. */
bool stream_fail(const struct stream_job *job, enum stream_end end, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Sends at a rate: waits until it is time for what comes after so many octets. After a stall it
 * goes on from there, without making up for it. */
struct stream_pace {
	uint64_t rate; /* octets a second; 0: never waits */
	int64_t next_ns;
};
void stream_pace_wait(struct stream_pace *pace, size_t octets);

/* Keeps the longest pause between arrivals. */
struct stream_pause {
	int64_t last_ns;
};
void stream_pause_note(struct stream_pause *pause, struct stream_shared *shared);

#endif
