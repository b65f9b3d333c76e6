/* event.c - a ring of events under a mutex. Both sides hold it for the copy of one event only. The
 * eventfd counts to one: it is written when the ring stops being empty and drained when it becomes
 * so. */
#include "vpn/dataplane/event.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct event_queue {
	pthread_mutex_t lock;
	int fd;
	size_t head, n;
	struct dp_event ring[DP_EVENTS_MAX];
};

int event_queue_new(struct event_queue **ret_queue)
{
	struct event_queue *q = calloc(1, sizeof(*q));

	if (!q)
		return ERR_NOMEM;
	q->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (q->fd < 0) {
		free(q);
		return ERR_IO;
	}
	pthread_mutex_init(&q->lock, NULL);
	*ret_queue = q;
	return 0;
}

void event_queue_free(struct event_queue *q)
{
	struct dp_event ev;

	if (!q)
		return;
	while (event_queue_take(q, &ev))
		dp_event_clear(&ev);
	close(q->fd);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

int event_queue_fd(const struct event_queue *q)
{
	return q->fd;
}

int event_queue_put(struct event_queue *q, struct dp_event *ev)
{
	uint64_t one = 1;
	int err = 0;

	pthread_mutex_lock(&q->lock);
	if (q->n == DP_EVENTS_MAX) {
		err = ERR_LIMIT;
	} else {
		q->ring[(q->head + q->n++) % DP_EVENTS_MAX] = *ev;
		if (q->n == 1 && write(q->fd, &one, sizeof(one)) < 0)
			err = 0; /* only possible when the counter is at its end, hence readable */
	}
	pthread_mutex_unlock(&q->lock);
	if (err)
		dp_event_clear(ev);
	return err;
}

bool event_queue_take(struct event_queue *q, struct dp_event *ret_event)
{
	uint64_t count;
	bool found;

	pthread_mutex_lock(&q->lock);
	found = q->n > 0;
	if (found) {
		*ret_event = q->ring[q->head];
		q->head = (q->head + 1) % DP_EVENTS_MAX;
		if (--q->n == 0 && read(q->fd, &count, sizeof(count)) < 0)
			count = 0; /* the caller has read it */
	}
	pthread_mutex_unlock(&q->lock);
	return found;
}

void dp_event_clear(struct dp_event *ev)
{
	free(ev->data);
	*ev = (struct dp_event){0};
}

const char *dp_event_name(enum dp_event_type type)
{
	static const char *const names[] = {
	    [DP_EVENT_IKE] = "ike",
	    [DP_EVENT_PEER_MOVED] = "peer-moved",
	    [DP_EVENT_SOFT_LIMIT] = "soft-limit",
	    [DP_EVENT_HARD_LIMIT] = "hard-limit",
	    [DP_EVENT_SEQ_EXHAUSTED] = "seq-exhausted",
	    [DP_EVENT_ACQUIRE] = "acquire",
	    [DP_EVENT_PATH_MTU] = "path-mtu",
	};

	return names[type];
}
