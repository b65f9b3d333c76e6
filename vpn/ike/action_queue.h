/* action_queue.h - the actions that handlers have queued and the owner has not fetched. */
#ifndef VPN_IKE_ACTION_QUEUE_H
#define VPN_IKE_ACTION_QUEUE_H

#include "vpn/base/list.h"
#include "vpn/ike/action.h"

struct action_queue {
	struct list items;
	struct queued *out; /* the one that the owner looks at */
	unsigned lost;	    /* could not be queued for want of memory */
};

void action_queue_init(struct action_queue *q);
/* Frees and wipes everything. */
void action_queue_clear(struct action_queue *q);
const struct ike_action *action_queue_next(struct action_queue *q);

/* Copies what the action points at, as far as the queue must own it: datagrams, texts, SAs, keys.
 * Events keep their views of SAs, which the engine keeps alive until the queue is empty. */
void action_queue_push(struct action_queue *q, const struct ike_action *action);

#endif
