/* exchanges.c - IKE messages as exchanges: a request, how often it was sent, whether it was
 * answered (RFC 7296 §2.1, §2.4). One for each place that saw it; fragments of a message count as
 * one transmission, by the first of them (RFC 7383 §2.5). */
#include <stdlib.h>

#include "harness/explain/counters.h"

#define AFTER_US 300000 /* a request that crosses its response is no sign of anything */

static uint64_t exchange_hash(const struct survey *s, const struct ike_msg *m, bool by_initiator)
{
	uint64_t h = hash_number(HASH_START, s->f.frames[m->frame].place);

	h = hash_number(h, m->ike_sa);
	return hash_number(h, (uint64_t)m->hdr.message_id << 1 | by_initiator);
}

static int find_exchange(struct survey *s, struct map *index, size_t i, struct exchange **ret_x)
{
	const struct ike_msg *m = &s->f.ike[i];
	bool by_initiator = m->request == m->from_initiator;
	uint64_t h = exchange_hash(s, m, by_initiator);
	size_t at = map_get(index, h);
	struct exchange *x;

	if (at == SIZE_MAX) {
		x = ARRAY_ADD(s->exchanges, s->n_exchanges);
		if (!x || map_put(index, h, s->n_exchanges - 1))
			return ERR_NOMEM;
		*x = (struct exchange){.place = s->f.frames[m->frame].place,
				       .ike_sa = m->ike_sa,
				       .type = m->hdr.exchange,
				       .id = m->hdr.message_id,
				       .by_initiator = by_initiator,
				       .first_request = FACT_NONE,
				       .last_request = FACT_NONE,
				       .first_response = FACT_NONE,
				       .last_response = FACT_NONE};
		at = s->n_exchanges - 1;
	}
	*ret_x = &s->exchanges[at];
	return 0;
}

static uint64_t same_hash(const struct exchange *x)
{
	uint64_t h = hash_number(HASH_START, x->ike_sa);

	return hash_number(h, (uint64_t)x->id << 9 | (uint64_t)x->type << 1 | x->by_initiator);
}

/* Chains what several places have seen of one exchange. */
static int link_places(struct survey *s)
{
	struct map last = {0};
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->n_exchanges; i++) {
		struct exchange *x = &s->exchanges[i];
		size_t before = map_get(&last, same_hash(x));

		x->next = FACT_NONE;
		x->first = before == SIZE_MAX;
		if (!x->first)
			s->exchanges[before].next = i;
		err = map_put(&last, same_hash(x), i);
	}
	map_free(&last);
	return err;
}

static uint64_t time_of(const struct survey *s, size_t msg)
{
	return s->f.frames[s->f.ike[msg].frame].time_us;
}

static void add_request(const struct survey *s, struct exchange *x, size_t i)
{
	const struct ike_msg *m = &s->f.ike[i];
	const struct fact_frame *frame = &s->f.frames[m->frame];

	if (m->octets.len > x->largest)
		x->largest = m->octets.len;
	if (frame->n_fragments > x->ip_fragments)
		x->ip_fragments = frame->n_fragments;
	if (m->fragment > 1)
		return;
	x->sent++;
	if (x->first_request == FACT_NONE)
		x->first_request = i;
	x->last_request = i;
	if (x->first_response != FACT_NONE && m->retransmission_of != FACT_NONE &&
	    frame->time_us > time_of(s, x->first_response) + AFTER_US)
		x->after++;
}

static void add_response(struct exchange *x, size_t i)
{
	x->answered++;
	if (x->first_response == FACT_NONE)
		x->first_response = i;
	x->last_response = i;
}

int exchanges_sum(struct survey *s)
{
	struct map index = {0};
	struct exchange *x;
	size_t i;
	int err = 0;

	for (i = 0; !err && i < s->f.n_ike; i++) {
		if (s->f.ike[i].ike_sa == FACT_NONE)
			continue;
		err = find_exchange(s, &index, i, &x);
		if (!err && s->f.ike[i].request)
			add_request(s, x, i);
		else if (!err)
			add_response(x, i);
	}
	map_free(&index);
	return err ? err : link_places(s);
}
