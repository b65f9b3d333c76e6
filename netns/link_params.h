/* link_params.h - how a link misbehaves, as plain data: one set of parameters for each direction.
 *
 * All zero is a perfect link. Times are nanoseconds, rates bits a second, probabilities 0 to 1.
 * Nothing here points anywhere, but for the callback of an aim: a set can be copied and sent to
 * another process. */
#ifndef NETNS_LINK_PARAMS_H
#define NETNS_LINK_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "vpn/base/addr.h"
#include "vpn/base/err.h"

#define LINK_US	   INT64_C(1000)
#define LINK_MS	   INT64_C(1000000)
#define LINK_S	   INT64_C(1000000000)
#define LINK_NEVER INT64_MAX

enum link_dir { LINK_AB, LINK_BA };

/* What a sender hears of a packet that is too large for the link. */
enum link_icmp {
	LINK_ICMP_DELIVERED, /* "fragmentation needed", "packet too big" */
	LINK_ICMP_FILTERED,  /* nothing: a black hole */
	LINK_ICMP_LIMITED,   /* icmp_per_second of them at most */
};

/* Gilbert-Elliott: a channel that is good or bad, and changes between two packets. */
struct link_burst {
	double to_bad; /* probability, per packet, of good -> bad; 0: no bursts */
	double to_good;
	double loss_bad; /* of each packet while bad; 0 is taken for 1 */
	double loss_good;
};

/* A packet meets them in this order: down, aims, fragments, MTU, rate and queue, loss, corruption,
 * duplication, delay and jitter, reordering. So a lost packet has used its share of the rate, and a
 * duplicate has not. */
struct link_params {
	bool down;	     /* everything is lost, neighbour discovery too */
	bool drop_fragments; /* any IP fragment that arrives at the link */
	unsigned mtu;	     /* largest IP packet; 0: no limit. IPv4 without DF is fragmented */
	enum link_icmp icmp;
	double icmp_per_second;
	/* The router that sends the ICMP; unset: the packet's own destination. */
	struct ip_addr icmp_source4, icmp_source6;

	uint64_t rate;		/* of IP octets; 0: no limit */
	unsigned queue_packets; /* that wait for their turn, besides the one being sent; 0: any */
	size_t queue_octets;	/* the same, by IP octets */

	double loss;
	struct link_burst burst;
	double corrupt;
	unsigned corrupt_bits; /* flipped behind the transport header; 0 is taken for 1 */
	bool corrupt_resum;    /* make TCP's, UDP's and ICMP's checksums right again */
	double duplicate;

	int64_t delay;
	int64_t jitter; /* delay is uniform in delay - jitter .. delay + jitter, not below 0 */
	bool jitter_reorders; /* else a packet waits for the one before it */
	double reorder;	      /* probability of being held back ... */
	unsigned reorder_gap; /* ... until so many later packets have passed; 0 is taken for 1 */
	int64_t reorder_wait; /* ... but no longer than this; 0 is taken for 100 ms */
};

/* ERR_INVALID; msg names the parameter. */
int link_params_check(const struct link_params *params, struct err_msg *msg);

enum link_act {
	LINK_ACT_DROP,
	LINK_ACT_DELAY,	    /* by `delay`, others do not wait */
	LINK_ACT_HOLD,	    /* until released; `delay`, if not 0, is the longest */
	LINK_ACT_DUPLICATE, /* `gap` more copies (0: one) */
	LINK_ACT_REORDER,   /* behind `gap` later packets (0: one), at most `delay` (0: 100 ms) */
	LINK_ACT_CORRUPT,   /* as corrupt_bits and corrupt_resum say */
};

enum link_fragment {
	LINK_FRAGMENT_ANY,   /* does not matter */
	LINK_FRAGMENT_NONE,  /* whole packets */
	LINK_FRAGMENT_FIRST, /* offset 0 of a fragmented one */
	LINK_FRAGMENT_LATER,
};

/* The packet's meaning, from whoever can tell (a dissector with keys). ip: the IP packet. */
typedef bool link_match_fn(void *arg, const uint8_t *ip, size_t len);

#define LINK_AIM_NAME_MAX   31
#define LINK_AIM_FILTER_MAX 255

/* Something done to chosen packets. A packet is chosen that satisfies all of filter, fragment,
 * match and time, and is the first-th of these, or one of the count from there. Packets are counted
 * where they arrive at the link, whatever becomes of them. Of several aims the first in order of
 * addition that chooses a packet acts on it; all of them count it. */
struct link_aim {
	char name[LINK_AIM_NAME_MAX + 1]; /* letters, digits, "-_. "; for the log and for release */
	enum link_act act;
	char filter[LINK_AIM_FILTER_MAX + 1]; /* pcap-filter(7); empty: every packet */
	enum link_fragment fragment;
	link_match_fn *match; /* may be NULL */
	void *arg;
	int64_t from, until; /* until = 0: for ever */
	unsigned first;	     /* from 1; 0 is taken for 1 */
	unsigned count;	     /* 0: all from the first on */
	int64_t delay;
	unsigned gap;
};

int link_aim_check(const struct link_aim *aim, struct err_msg *msg);

#endif
