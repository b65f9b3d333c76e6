/* report.c - what the data-plane thread tells: counters and events. Events that find the queue full
 * are counted; the control plane asks for the state of an SA often enough to notice. */
#include "vpn/dataplane/internal.h"

#include <stdlib.h>
#include <string.h>

#define ACQUIRE_INTERVAL 1000000 /* microseconds between two acquires of one trap */

void report_drop(struct dataplane *dp, enum esp_drop drop)
{
	dp->counters.drops[drop]++;
}

static void put(struct dataplane *dp, struct dp_event *ev)
{
	if (event_queue_put(dp->events, ev))
		dp->counters.events_lost++;
}

static struct dp_event sa_event(enum dp_event_type type, const struct dp_sa *sa)
{
	const struct ipsec_sa *d = &sa->esp->desc;

	return (struct dp_event){.type = type,
				 .sa = {d->spi, d->child_id, d->inbound},
				 .local = d->local,
				 .remote = d->remote,
				 .reqid = d->reqid,
				 .if_id = d->if_id};
}

void report_sa_events(struct dataplane *dp, struct dp_sa *sa)
{
	static const struct {
		enum esp_sa_event bit;
		enum dp_event_type type;
	} map[] = {{ESP_SA_SOFT, DP_EVENT_SOFT_LIMIT},
		   {ESP_SA_HARD, DP_EVENT_HARD_LIMIT},
		   {ESP_SA_SEQ, DP_EVENT_SEQ_EXHAUSTED}};
	struct dp_event ev;
	size_t i;

	for (i = 0; i < sizeof(map) / sizeof(map[0]); i++) {
		if (!(sa->esp->events & map[i].bit))
			continue;
		ev = sa_event(map[i].type, sa);
		put(dp, &ev);
	}
	sa->esp->events = 0;
}

void report_moved(struct dataplane *dp, struct dp_sa *sa, const struct sock_in *in)
{
	struct dp_event ev;

	if (endpoint_eq(&sa->moved_to, &in->from))
		return;
	sa->moved_to = in->from;
	ev = sa_event(DP_EVENT_PEER_MOVED, sa);
	ev.old_remote = ev.remote;
	ev.remote = in->from;
	ev.local = in->to;
	put(dp, &ev);
}

void report_ike(struct dataplane *dp, const struct sock_in *in, const uint8_t *data, size_t len)
{
	struct dp_event ev = {
	    .type = DP_EVENT_IKE, .local = in->to, .remote = in->from, .len = len};

	dp->counters.ike_in++;
	ev.data = malloc(len ? len : 1);
	if (!ev.data) {
		dp->counters.events_lost++;
		return;
	}
	memcpy(ev.data, data, len);
	put(dp, &ev);
}

void report_acquire(struct dataplane *dp, struct dp_trap *trap, const struct ts_packet *pkt)
{
	struct dp_event ev = {
	    .type = DP_EVENT_ACQUIRE, .reqid = trap->reqid, .if_id = trap->if_id, .packet = *pkt};

	if (trap->told && dp->now - trap->told < ACQUIRE_INTERVAL)
		return;
	trap->told = dp->now;
	put(dp, &ev);
}

void report_mtu(struct dataplane *dp, struct dp_sa *sa)
{
	struct dp_event ev = sa_event(DP_EVENT_PATH_MTU, sa);

	ev.mtu = sa->esp->path_mtu;
	put(dp, &ev);
}
