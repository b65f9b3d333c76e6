/* link_rate.h - the sender of a link: one packet after the other at the link's rate, the rest in a
 * queue that drops at its tail. */
#ifndef NETNS_LINK_RATE_H
#define NETNS_LINK_RATE_H

#include "netns/link_params.h"

struct link_waiting {
	int64_t begins; /* when its first bit leaves, and it no longer waits */
	size_t len;
};

struct link_rate {
	int64_t free_at;	      /* when the last bit of all that was taken has left */
	struct link_waiting *waiting; /* a ring, in order of `begins` */
	size_t first, count, cap;
	size_t octets;
};

/* When the packet's last bit has left. ERR_SPACE: the queue is full. ERR_NOMEM. */
int link_rate_take(struct link_rate *rate, const struct link_params *params, size_t len,
		   int64_t now, int64_t *ret_sent);
void link_rate_free(struct link_rate *rate);

#endif
