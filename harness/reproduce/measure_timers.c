/* measure_timers.c - the ends' own clocks: retransmissions (RFC 7296 §2.1, §2.4), liveness checks
 * and keep-alives (RFC 3948 §4). */
#include "harness/explain/rule.h"
#include "harness/reproduce/measure.h"

#define TRIES_SHOWN 3 /* transmissions that show a timer */

static const struct exchange *longest_try(const struct profile *p)
{
	const struct survey *s = p->s;
	const struct exchange *best = NULL;
	size_t i;

	for (i = 0; i < s->n_exchanges; i++)
		if (s->exchanges[i].sent >= TRIES_SHOWN &&
		    is_between_ends(p, s->exchanges[i].ike_sa) &&
		    (!best || s->exchanges[i].sent > best->sent))
			best = &s->exchanges[i];
	return best;
}

/* The transmission that follows the first one, at the same place. */
static size_t second_request(const struct survey *s, const struct exchange *x)
{
	const struct ike_msg *first = &s->f.ike[x->first_request];
	size_t i;

	for (i = x->first_request + 1; i < s->f.n_ike; i++) {
		const struct ike_msg *m = &s->f.ike[i];

		if (m->ike_sa == x->ike_sa && m->request &&
		    m->from_initiator == first->from_initiator && m->hdr.message_id == x->id &&
		    m->fragment <= 1 && msg_frame(s, i)->place == x->place)
			return i;
	}
	return FACT_NONE;
}

static int measure_retransmission(struct profile *p)
{
	const struct exchange *x = longest_try(p);
	size_t second = x && x->first_request != FACT_NONE ? second_request(p->s, x) : FACT_NONE;
	uint64_t us;

	if (second == FACT_NONE)
		return profile_say(p, UNKNOWN, "retransmission", NOT_SEEN, NOT_SEEN,
				   "nothing was sent three times: the timers are the daemon's");
	us = msg_frame(p->s, second)->time_us - msg_frame(p->s, x->first_request)->time_us;
	p->timeout_ms = (unsigned)(us / 1000);
	p->tries = x->sent - 1;
	return profile_say(p, MEASURED, "retransmission", seen_msg(p->s, x->first_request),
			   seen_msg(p->s, x->last_request),
			   "after %.1f s for the first time, %u times", (double)us / 1e6, p->tries);
}

/* Requests of one end, as far apart as the timer says; the first two tell. */
static int measure_dpd(struct profile *p)
{
	const struct survey *s = p->s;
	const struct exchange *last = NULL;
	uint64_t apart;
	size_t i;

	for (i = 0; i < s->n_exchanges; i++) {
		const struct exchange *x = &s->exchanges[i];

		if (x->type != INFORMATIONAL || x->first_request == FACT_NONE ||
		    !is_between_ends(p, x->ike_sa) ||
		    (last && (x->place != last->place || x->by_initiator != last->by_initiator)))
			continue;
		if (!last || last->id + 1 != x->id) {
			last = x;
			continue;
		}
		apart = msg_frame(s, x->first_request)->time_us -
			msg_frame(s, last->first_request)->time_us;
		p->dpd_ms = (unsigned)(apart / 1000);
		return profile_say(p, MEASURED, "liveness checks", seen_msg(s, last->first_request),
				   seen_msg(s, x->first_request),
				   "INFORMATIONAL requests %.1f s apart", (double)apart / 1e6);
	}
	return 0;
}

static int measure_keepalive(struct profile *p)
{
	const struct path *most = NULL;
	uint64_t us;
	size_t i;

	for (i = 0; i < p->s->n_paths; i++)
		if (p->s->paths[i].n_keepalive > 1 &&
		    (!most || p->s->paths[i].n_keepalive > most->n_keepalive))
			most = &p->s->paths[i];
	if (!most)
		return 0;
	us = (most->last_keepalive.time_us - most->first_keepalive.time_us) /
	     (most->n_keepalive - 1);
	p->keepalive_ms = (unsigned)(us / 1000);
	return profile_say(p, MEASURED, "keep-alives", most->first_keepalive, most->last_keepalive,
			   "%llu, %.1f s apart", (unsigned long long)most->n_keepalive,
			   (double)us / 1e6);
}

int measure_timers(struct profile *p)
{
	int err = measure_retransmission(p);

	if (!err)
		err = measure_dpd(p);
	return err ? err : measure_keepalive(p);
}
