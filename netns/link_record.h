/* link_record.h - the ground truth of a link: what happened to each packet, and how often. */
#ifndef NETNS_LINK_RECORD_H
#define NETNS_LINK_RECORD_H

#include "netns/link_params.h"

/* Why a packet did not arrive. */
#define LINK_REASONS(X)                \
	X(LINK_DELIVERED, "delivered") \
	X(LINK_DOWN, "down")           \
	X(LINK_AIMED, "aim")           \
	X(LINK_FRAGMENT, "fragment")   \
	X(LINK_TOO_BIG, "mtu")         \
	X(LINK_QUEUE, "queue")         \
	X(LINK_LOSS, "loss")           \
	X(LINK_BURST, "burst")         \
	X(LINK_STOP, "stop")           \
	X(LINK_REFUSED, "refused")

enum link_reason {
#define X(name, text) name,
	LINK_REASONS(X)
#undef X
	    LINK_REASON_COUNT
};

/* What was done to it; bits of link_record.did. */
#define LINK_EFFECTS(X)                         \
	X(LINK_DID_NEIGHBOUR, 0, "neighbour")   \
	X(LINK_DID_ICMP, 1, "icmp")             \
	X(LINK_DID_FRAGMENTED, 2, "fragmented") \
	X(LINK_DID_CORRUPT, 3, "corrupt")       \
	X(LINK_DID_DUPLICATE, 4, "duplicate")   \
	X(LINK_DID_DELAY, 5, "delay")           \
	X(LINK_DID_REORDER, 6, "reorder")       \
	X(LINK_DID_HOLD, 7, "hold")

enum link_effect {
#define X(name, bit, text) name = 1 << (bit),
	LINK_EFFECTS(X)
#undef X
};

/* One for each packet that came in and did not get out, and for each that got out: a duplicate and
 * each fragment has its own, and so has an ICMP error that the link itself made. */
struct link_record {
	enum link_dir dir; /* of the packet that came in; an ICMP error goes the other way */
	uint64_t number;   /* of the IP packet in its direction, from 1. 0: neighbour discovery, ARP
			      and the like, which only an outage touches */
	uint64_t frame_in; /* what the caller gave with it: its place in the capture */
	uint64_t frame_out; /* for the caller to fill in; 0: did not get out */
	unsigned copy;	    /* 0: the packet itself */
	unsigned fragment;  /* from 0 */
	int64_t time_in;
	int64_t time_due; /* when it should get out; LINK_NEVER: held when it was dropped */
	int64_t time_out; /* when it got out */
	size_t len_in;	  /* as given: with the Ethernet header, if there is one */
	size_t len_out;
	enum link_reason reason;
	unsigned did;
	char aim[LINK_AIM_NAME_MAX + 1]; /* that chose it; empty: none */
};

/* At rest (nothing pending or held), in + duplicates + fragments = delivered + all dropped. ICMP
 * errors and neighbour discovery are in none of these. */
struct link_counters {
	uint64_t in;	    /* IP packets */
	uint64_t delivered; /* with duplicates, and fragments one by one */
	uint64_t dropped[LINK_REASON_COUNT];
	uint64_t duplicates;
	uint64_t fragments; /* made, less the packets that they were made of */
	uint64_t corrupted, reordered, delayed_by_aim, held_by_aim;
	uint64_t icmp;		/* made and delivered */
	uint64_t neighbours_in; /* and what became of them */
	uint64_t neighbours_out;
	uint64_t pending; /* on the way now */
	uint64_t held;	  /* waiting for release now */
};

const char *link_reason_text(enum link_reason reason);

/* One JSON object, without a newline or a zero; returns its length, or 0 if cap is too small. */
size_t link_record_format(const struct link_record *record, char *buf, size_t cap);

#endif
