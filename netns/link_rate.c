/* link_rate.c - serialization at a rate, and a drop-tail queue in packets and octets.
 *
 * A packet of L octets takes 8 L / rate, rounded up to a nanosecond, from when it arrives or the
 * one before it has left. The one that is being sent does not wait and does not count for the
 * queue.
 *
 *	arrives  waits    begins   sent
 *	   |-------|---------|-------|
 *	           ^ free_at of the ones before
 *
 * Ownership: the ring of waiting packets' lengths belongs to struct link_rate. */
#include "netns/link_rate.h"
#include <stdlib.h>

static void forget_begun(struct link_rate *rate, int64_t now)
{
	while (rate->count > 0 && rate->waiting[rate->first].begins <= now) {
		rate->octets -= rate->waiting[rate->first].len;
		rate->first = (rate->first + 1) % rate->cap;
		rate->count--;
	}
}

static int grow(struct link_rate *rate)
{
	size_t i, cap = rate->cap ? rate->cap * 2 : 64;
	struct link_waiting *waiting = calloc(cap, sizeof(*waiting));

	if (!waiting)
		return ERR_NOMEM;
	for (i = 0; i < rate->count; i++)
		waiting[i] = rate->waiting[(rate->first + i) % rate->cap];
	free(rate->waiting);
	rate->waiting = waiting;
	rate->cap = cap;
	rate->first = 0;
	return 0;
}

static int wait_until_begins(struct link_rate *rate, int64_t begins, size_t len)
{
	if (rate->count == rate->cap && grow(rate) < 0)
		return ERR_NOMEM;
	rate->waiting[(rate->first + rate->count) % rate->cap] =
	    (struct link_waiting){.begins = begins, .len = len};
	rate->count++;
	rate->octets += len;
	return 0;
}

static bool has_room(const struct link_rate *rate, const struct link_params *params, size_t len)
{
	return (params->queue_packets == 0 || rate->count < params->queue_packets) &&
	       (params->queue_octets == 0 || rate->octets + len <= params->queue_octets);
}

int link_rate_take(struct link_rate *rate, const struct link_params *params, size_t len,
		   int64_t now, int64_t *ret_sent)
{
	uint64_t bits_ns = (uint64_t)len * 8 * (uint64_t)LINK_S;
	int64_t begins = now;

	forget_begun(rate, now);
	if (params->rate == 0) {
		*ret_sent = now;
		return 0;
	}
	if (rate->free_at > now) {
		begins = rate->free_at;
		if (!has_room(rate, params, len))
			return ERR_SPACE;
		if (wait_until_begins(rate, begins, len) < 0)
			return ERR_NOMEM;
	}
	rate->free_at = begins + (int64_t)((bits_ns + params->rate - 1) / params->rate);
	*ret_sent = rate->free_at;
	return 0;
}

void link_rate_free(struct link_rate *rate)
{
	free(rate->waiting);
	*rate = (struct link_rate){0};
}
