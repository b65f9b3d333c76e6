/* event.h - the queue of events from the data-plane thread to the control thread. Bounded; with an
 * eventfd that is readable while there is something to take. */
#ifndef VPN_DATAPLANE_EVENT_H
#define VPN_DATAPLANE_EVENT_H

#include "vpn/dataplane/dataplane.h"

/* A burst of handshakes or of acquires; at 1 kB each the queue stays below a megabyte. */
#define DP_EVENTS_MAX 1024

struct event_queue;

int event_queue_new(struct event_queue **ret_queue); /* ERR_NOMEM, ERR_IO */
void event_queue_free(struct event_queue *q);
int event_queue_fd(const struct event_queue *q);

/* Takes *ev over with its data, also when it fails (ERR_LIMIT: the queue is full). */
int event_queue_put(struct event_queue *q, struct dp_event *ev);
bool event_queue_take(struct event_queue *q, struct dp_event *ret_event);

#endif
