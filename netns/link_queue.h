/* link_queue.h - the packets on a link that have not got out yet, by the time when they do. */
#ifndef NETNS_LINK_QUEUE_H
#define NETNS_LINK_QUEUE_H

#include "netns/link_record.h"

struct link_item {
	struct link_item *next; /* among those set aside */
	int64_t due;
	uint64_t order;	 /* of entry; decides between equal times */
	unsigned behind; /* set aside: later packets that must pass first; 0: until released */
	bool back;	 /* to the side that it came from: an ICMP error */
	struct link_record record;
	size_t len;
	uint8_t data[];
};

struct link_queue {
	struct link_item **heap;
	size_t count, cap;
	struct link_item *aside; /* held; they leave at `due` at the latest */
	size_t aside_count;
	uint64_t entered;
};

/* Takes the item, which is freed on failure. ERR_NOMEM. */
int link_queue_push(struct link_queue *queue, struct link_item *item);
void link_queue_set_aside(struct link_queue *queue, struct link_item *item);
/* A packet has been pushed that leaves at `due`: what waits for it to pass may come nearer to its
 * turn, or leave just after it. *ret_moved: how many leave. ERR_NOMEM. */
int link_queue_passed(struct link_queue *queue, int64_t due, unsigned *ret_moved);
/* What the aim (NULL: any) holds until released leaves now. ERR_NOMEM. */
int link_queue_release(struct link_queue *queue, const char *aim, int64_t now,
		       unsigned *ret_released);
/* When the next one leaves; LINK_NEVER. */
int64_t link_queue_next(const struct link_queue *queue);
/* The next one if it is due, in order of time; NULL. It is then the caller's, to free(). */
struct link_item *link_queue_pop(struct link_queue *queue, int64_t now);
/* Any one, due or not; NULL when empty. */
struct link_item *link_queue_take_any(struct link_queue *queue);

#endif
