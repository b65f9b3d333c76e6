/* retransmit.c - how messages are sent again: as they were, ever later, only while nobody answers,
 * and not for ever; and answers only when they are asked for again.
 *
 *	request ---------> x		RFC 7296 §2.1: the requester repeats ...
 *	        timeout
 *	request ---------> x
 *	        timeout * base		... with growing intervals (§2.4) ...
 *	request --------->
 *	        <--------- response	... until it is answered, or gives up
 *	request ---------> (late)
 *	        <--------- response	the responder repeats when the request comes again,
 *					and only then
 *
 * Each message is judged on the wire of the end that sends it. */
#include <stdlib.h>
#include <string.h>

#include "harness/checks/internal.h"

#define SLACK_US	   UINT64_C(200000) /* a loaded machine's timers */
#define ON_THE_WAY_US	   UINT64_C(20000)  /* an answer that the sender has not read yet */
#define SHRINKS(gap, last) ((gap) < (last) - (last) / 10 && (gap) + SLACK_US < (last))

/* One message and its repetitions so far. */
struct series {
	uint64_t key;
	size_t first, last; /* messages */
	size_t copies;
	uint64_t gap_us; /* between the last two */
};

struct all {
	struct map by_key;
	struct series *v;
	size_t n;
	struct map places; /* of the senders, by IKE SA and side */
	size_t repeated;
};

static uint64_t key_of(const struct ike_msg *m)
{
	uint64_t h = hash_number(HASH_START, m->ike_sa);

	h = hash_number(h, (unsigned)m->fragments << 16 | m->fragment);
	h = hash_number(hash_number(h, m->hdr.message_id), m->hdr.exchange);
	/* An IKE_SA_INIT request with a cookie or another group is another message (§2.6, §1.3). */
	if (m->hdr.exchange == IKE_SA_INIT)
		h = hash_octets(h, m->octets.p, m->octets.len);
	return hash_number(h, (unsigned)m->request << 1 | m->from_initiator);
}

static bool is_at_sender(const struct facts *f, struct check_result *r, struct all *all,
			 const struct ike_msg *m)
{
	uint64_t key = hash_number(hash_number(HASH_START, m->ike_sa), m->from_initiator);
	size_t place = map_get(&all->places, key);

	if (place == SIZE_MAX) {
		place = check_side_place(f, m->ike_sa, m->from_initiator);
		if (map_put(&all->places, key, place))
			r->err = ERR_NOMEM;
	}
	return f->frames[m->frame].place == place;
}

static struct series *series_of(struct check_result *r, struct all *all, const struct ike_msg *m,
				size_t i)
{
	uint64_t key = key_of(m);
	size_t at = map_get(&all->by_key, key);

	if (at != SIZE_MAX)
		return &all->v[at];
	if (!ARRAY_ADD(all->v, all->n) || map_put(&all->by_key, key, all->n - 1)) {
		r->err = ERR_NOMEM;
		return NULL;
	}
	all->v[all->n - 1] = (struct series){.key = key, .first = i, .last = i};
	return &all->v[all->n - 1];
}

static void judge_octets(const struct facts *f, struct check_result *r, const struct series *s,
			 size_t i)
{
	const struct ike_msg *m = &f->ike[i], *first = &f->ike[s->first];

	if (m->octets.len == first->octets.len &&
	    memcmp(m->octets.p, first->octets.p, m->octets.len) == 0)
		return;
	check_fault(r, m->frame, "sent again with other octets");
	check_fault_frame(r, first->frame);
}

/* The interval that the parameters ask for before the so-manieth repetition, from 1. */
static uint64_t expected_gap(const struct check_params *p, size_t repetition)
{
	double ms = p->timeout_ms;

	while (--repetition > 0)
		ms *= p->base;
	return (uint64_t)(ms * 1000);
}

static void judge_gap(const struct facts *f, const struct check_params *p, struct check_result *r,
		      const struct series *s, size_t i, uint64_t gap)
{
	uint64_t want = p->timeout_ms && p->base > 0 ? expected_gap(p, s->copies) : 0;
	uint64_t off = gap > want ? gap - want : want - gap;

	if (s->copies > 1 && SHRINKS(gap, s->gap_us)) {
		check_fault(r, f->ike[i].frame,
			    "sent again after %.2f s, and before that after %.2f s", seconds(gap),
			    seconds(s->gap_us));
		check_fault_frame(r, f->ike[s->last].frame);
	}
	if (want && off > want / 5 + SLACK_US) {
		check_fault(r, f->ike[i].frame, "repetition %zu after %.2f s, not %.2f s",
			    s->copies, seconds(gap), seconds(want));
		check_fault_frame(r, f->ike[s->last].frame);
	}
	if (p->tries && s->copies > p->tries)
		check_fault(r, f->ike[i].frame, "sent again %zu times, more than %u", s->copies,
			    p->tries);
}

static void judge_answered(const struct facts *f, struct check_result *r, size_t i)
{
	const struct ike_msg *m = &f->ike[i];
	size_t answer = check_answer_at(f, m, f->frames[m->frame].place);
	uint64_t now = check_time(f, m->frame);

	/* What answers IKE_SA_INIT may be a demand for another one. */
	if (answer == FACT_NONE || m->hdr.exchange == IKE_SA_INIT ||
	    check_time(f, f->ike[answer].frame) + ON_THE_WAY_US >= now)
		return;
	check_fault(r, m->frame, "sent again %.2f s after the answer",
		    seconds(now - check_time(f, f->ike[answer].frame)));
	check_fault_frame(r, f->ike[answer].frame);
}

static size_t requests_until(const struct facts *f, const struct ike_msg *response, size_t until)
{
	size_t i, n = 0;

	for (i = 0; i < until; i++) {
		const struct ike_msg *m = &f->ike[i];

		n += m->request && m->ike_sa == response->ike_sa &&
		     m->hdr.message_id == response->hdr.message_id &&
		     m->from_initiator != response->from_initiator && m->fragment <= 1 &&
		     f->frames[m->frame].place == f->frames[response->frame].place;
	}
	return n;
}

/* RFC 7296 §2.1: "a responder never sends a message that it was not asked for". */
static void judge_response(const struct facts *f, struct check_result *r, const struct series *s,
			   size_t i)
{
	size_t asked = requests_until(f, &f->ike[i], i);

	if (s->copies + 1 <= asked)
		return;
	check_fault(r, f->ike[i].frame, "answered %zu times, though asked %zu times", s->copies + 1,
		    asked);
	check_fault_frame(r, f->ike[s->last].frame);
}

static void judge_copy(const struct facts *f, const struct check_params *p, struct check_result *r,
		       struct series *s, size_t i)
{
	const struct ike_msg *m = &f->ike[i];
	uint64_t gap = check_time(f, m->frame) - check_time(f, f->ike[s->last].frame);

	r->examined++;
	judge_octets(f, r, s, i);
	if (m->request) {
		judge_gap(f, p, r, s, i, gap);
		judge_answered(f, r, i);
	} else {
		judge_response(f, r, s, i);
	}
	s->gap_us = gap;
}

static void take(const struct facts *f, const struct check_params *p, struct check_result *r,
		 struct all *all, size_t i)
{
	const struct ike_msg *m = &f->ike[i];
	struct series *s;

	if (m->ike_sa == FACT_NONE || m->sealed == FACT_WRONG_KEY || !m->outer ||
	    !is_at_sender(f, r, all, m))
		return;
	s = series_of(r, all, m, i);
	if (!s)
		return;
	if (s->copies > 0) {
		all->repeated += s->copies == 1;
		judge_copy(f, p, r, s, i);
	}
	s->copies++;
	s->last = i;
}

void check_retransmit(const struct facts *f, const struct check_params *p, struct check_result *r)
{
	struct all all = {.n = 0};
	size_t i;

	for (i = 0; i < f->n_ike && !r->err; i++)
		take(f, p, r, &all, i);
	map_free(&all.by_key);
	map_free(&all.places);
	free(all.v);
	check_conclude(r, "no IKE message was sent again",
		       "%zu message%s sent again, %zu time%s in all, unchanged", all.repeated,
		       plural(all.repeated), r->examined, plural(r->examined));
}
