/* measure_delay.c - the round trip: the quickest answer to a request that was sent once.
 *
 * Seen beside the end that asks, it is the whole way and the other end's work; seen elsewhere, a
 * part of it. So of each place and direction the quickest counts, and of these the slowest. What
 * one machine needs for its own work is no delay. */
#include "harness/explain/rule.h"
#include "harness/reproduce/measure.h"

#define OWN_WORK_MS 8 /* Diffie-Hellman and signatures, at both ends */

struct quickest {
	uint64_t us;
	size_t request, response;
};

static void take(const struct survey *s, const struct exchange *x, struct quickest *q)
{
	uint64_t begin, end;

	if (x->sent != 1 || !x->answered || x->first_request == FACT_NONE)
		return;
	begin = msg_frame(s, x->first_request)->time_us;
	end = msg_frame(s, x->first_response)->time_us;
	if (end <= begin || (q->us && end - begin >= q->us))
		return;
	*q = (struct quickest){end - begin, x->first_request, x->first_response};
}

static struct quickest quickest_at(const struct profile *p, size_t place, bool by_initiator)
{
	const struct survey *s = p->s;
	struct quickest q = {0};
	size_t i;

	for (i = 0; i < s->n_exchanges; i++)
		if (s->exchanges[i].place == place &&
		    s->exchanges[i].by_initiator == by_initiator &&
		    is_between_ends(p, s->exchanges[i].ike_sa))
			take(s, &s->exchanges[i], &q);
	return q;
}

int measure_delay(struct profile *p)
{
	struct quickest best = {0}, q;
	size_t place;
	int side;

	for (place = 0; place < p->s->n_places; place++)
		for (side = 0; side < 2; side++) {
			q = quickest_at(p, place, side);
			if (q.us > best.us)
				best = q;
		}
	if (!best.us)
		return profile_say(p, UNKNOWN, "round trip", NOT_SEEN, NOT_SEEN,
				   "no request was answered at once; none is written");
	p->rtt_ms = (unsigned)(best.us / 1000);
	if (p->rtt_ms < OWN_WORK_MS)
		p->rtt_ms = 0;
	return profile_say(p, MEASURED, "round trip", seen_msg(p->s, best.request),
			   seen_msg(p->s, best.response), "%.1f ms%s", (double)best.us / 1000,
			   p->rtt_ms ? "" : ", which is the ends' own work: no delay is written");
}
