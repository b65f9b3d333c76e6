/* exchange.c - checks of IKE's exchanges: answered, repeated as they were, numbered, and ended. */
#include <stdlib.h>
#include <string.h>

#include "harness/checks/internal.h"
#include "harness/checks/mobility.h"
#include "harness/dissect/map.h"
#include "vpn/wire/payload.h"

/* Who says what: a message's place, SA, ID, direction and kind, and of a fragment its number. */
static uint64_t message_key(const struct facts *f, const struct ike_msg *m, bool request,
			    bool from_initiator)
{
	uint64_t h = hash_number(HASH_START, f->frames[m->frame].place);

	h = hash_number(h, m->ike_sa);
	h = hash_number(h, m->hdr.message_id);
	h = hash_number(h, (unsigned)m->fragments << 16 | m->fragment);
	return hash_number(h, (unsigned)request << 1 | from_initiator);
}

/* Of an SA, and not forged as far as can be told. */
static bool counts(const struct ike_msg *m)
{
	return m->ike_sa != FACT_NONE && m->sealed != FACT_WRONG_KEY && m->outer;
}

/* Other octets under the same ID. An IKE_SA_INIT request is made anew with a cookie or another
 * group (RFC 7296 §2.6, §1.3), and so is the answer to it. */
static void judge_repetition(const struct facts *f, struct check_result *r, struct map *first,
			     size_t i)
{
	const struct ike_msg *m = &f->ike[i];
	uint64_t key = message_key(f, m, m->request, m->from_initiator);
	size_t before = map_get(first, key);
	char text[256];

	if (before == SIZE_MAX) {
		r->err = map_put(first, key, i);
		return;
	}
	if (m->hdr.exchange == IKE_SA_INIT ||
	    (m->octets.len == f->ike[before].octets.len &&
	     !memcmp(m->octets.p, f->ike[before].octets.p, m->octets.len)))
		return;
	check_fault(r, m->frame, "sent again with other octets: %s",
		    ike_msg_describe(m, text, sizeof(text)));
	check_fault_frame(r, f->ike[before].frame);
}

struct request_state {
	struct map first, answered, last;
	uint64_t end_us[CAPTURE_PLACES_MAX]; /* last frame of each place */
};

/* RFC 7296 §2.8.2, §2.25.2: with an IKE SA end the requests that are still out in it. */
static bool sa_ended_within(const struct facts *f, const struct ike_msg *m, uint64_t limit_us)
{
	const struct ike_sa_fact *sa = &f->ike_sas[m->ike_sa];

	return sa->end == IKE_SA_DELETED && f->frames[f->ike[sa->delete_msg].frame].time_us <
						f->frames[m->frame].time_us + limit_us;
}

static void judge_unanswered(const struct facts *f, const struct check_params *p,
			     struct check_result *r, const struct request_state *s, size_t i)
{
	const struct ike_msg *m = &f->ike[i];
	uint64_t key = message_key(f, m, true, m->from_initiator), limit, waited;
	size_t last = map_get(&s->last, key);
	char text[256];

	limit = p->retransmit_s ? p->retransmit_s : DEFAULT_RETRANSMIT_S;
	waited = s->end_us[f->frames[m->frame].place] - f->frames[m->frame].time_us;
	ike_msg_describe(m, text, sizeof(text));
	if (last != i)
		check_note(r, m->frame, "never answered, but sent again: %s", text);
	else if (sa_ended_within(f, m, limit * 1000000))
		check_note(r, m->frame, "its IKE SA was deleted before an answer came: %s", text);
	else if (waited >= limit * 1000000)
		check_fault(r, m->frame,
			    "neither answered nor sent again in %.1f s until the capture's end: %s",
			    seconds(waited), text);
	else
		check_note(r, m->frame, "not answered when the capture ended: %s", text);
}

static void collect_requests(const struct facts *f, struct check_result *r, struct request_state *s)
{
	size_t i;

	for (i = 0; i < f->n_frames; i++)
		s->end_us[f->frames[i].place] = f->frames[i].time_us;
	for (i = 0; i < f->n_ike && !r->err; i++) {
		const struct ike_msg *m = &f->ike[i];

		if (!counts(m))
			continue;
		judge_repetition(f, r, &s->first, i);
		if (m->request)
			r->err |= map_put(&s->last, message_key(f, m, true, m->from_initiator), i);
		else /* one fragment of the answer answers */
			r->err |= map_put(&s->answered,
					  hash_number(f->frames[m->frame].place,
						      hash_number(m->ike_sa, m->hdr.message_id)) +
					      m->from_initiator,
					  i);
	}
}

static bool is_answered(const struct facts *f, const struct request_state *s,
			const struct ike_msg *m)
{
	return map_get(&s->answered, hash_number(f->frames[m->frame].place,
						 hash_number(m->ike_sa, m->hdr.message_id)) +
					 !m->from_initiator) != SIZE_MAX;
}

void check_requests(const struct facts *f, const struct check_params *p, struct check_result *r)
{
	struct request_state s = {0};
	size_t i, again = 0;

	collect_requests(f, r, &s);
	for (i = 0; i < f->n_ike && !r->err; i++) {
		const struct ike_msg *m = &f->ike[i];

		again += m->retransmission_of != FACT_NONE;
		if (!counts(m) || !m->request || m->retransmission_of != FACT_NONE)
			continue;
		r->examined++;
		if (!is_answered(f, &s, m))
			judge_unanswered(f, p, r, &s, i);
	}
	map_free(&s.first);
	map_free(&s.answered);
	map_free(&s.last);
	check_conclude(
	    r, "no IKE request was seen",
	    "%zu request%s answered or sent again; %zu message%s sent again octet by octet",
	    r->examined, plural(r->examined), again, plural(again));
}

/* How far one side of an SA has counted, at one place. */
struct counter {
	uint64_t key;
	uint32_t id;
	size_t msg;
	bool answered;
};

struct counters {
	struct map by_key;
	struct counter *v;
	size_t n;
	bool window; /* somebody said that more than one request may be open (RFC 7296 §2.3) */
};

static struct counter *counter_of(const struct facts *f, struct counters *cs,
				  const struct ike_msg *m, bool from_initiator)
{
	uint64_t key = hash_number(HASH_START, f->frames[m->frame].place);
	size_t at;

	key = hash_number(hash_number(key, m->ike_sa), from_initiator);
	at = map_get(&cs->by_key, key);
	if (at != SIZE_MAX)
		return &cs->v[at];
	if (!ARRAY_ADD(cs->v, cs->n) || map_put(&cs->by_key, key, cs->n - 1))
		return NULL;
	cs->v[cs->n - 1] = (struct counter){.key = key, .msg = FACT_NONE};
	return &cs->v[cs->n - 1];
}

/* A capture that begins in the middle of an SA's life begins with any number. */
static bool from_the_start(const struct facts *f, const struct ike_msg *m)
{
	const struct ike_sa_fact *sa = &f->ike_sas[m->ike_sa];

	return sa->init_msg != FACT_NONE || sa->rekeyed_from != FACT_NONE;
}

static void judge_first_id(const struct facts *f, struct check_result *r, const struct ike_msg *m)
{
	if (from_the_start(f, m) && m->hdr.message_id != 0 &&
	    !mobility_seen_elsewhere(f, m, m->hdr.message_id - 1))
		check_fault(r, m->frame, "the first request has message ID %u, not 0",
			    m->hdr.message_id);
}

static void judge_id(const struct facts *f, struct check_result *r, const struct counters *cs,
		     const struct counter *c, const struct ike_msg *m)
{
	uint32_t id = m->hdr.message_id;

	if (id == c->id)
		return;
	if (id != c->id + 1) {
		if (id > c->id && mobility_seen_elsewhere(f, m, id - 1))
			return; /* the SA was on another path meanwhile */
		check_fault(r, m->frame, "request with message ID %u behind %u", id, c->id);
		check_fault_frame(r, f->ike[c->msg].frame);
	} else if (!c->answered && !cs->window) {
		check_fault(r, m->frame, "request %u sent before request %u was answered", id,
			    c->id);
		check_fault_frame(r, f->ike[c->msg].frame);
	}
}

static void count_message(const struct facts *f, struct check_result *r, struct counters *cs,
			  size_t i)
{
	const struct ike_msg *m = &f->ike[i];
	struct counter *c = counter_of(f, cs, m, m->request == m->from_initiator);
	struct payload_notify n;

	if (!c) {
		r->err = ERR_NOMEM;
		return;
	}
	cs->window |= payloads_find_notify(ike_msg_payloads(m), N_SET_WINDOW_SIZE, &n);
	if (!m->request) {
		c->answered |= m->hdr.message_id == c->id;
		return;
	}
	r->examined++;
	if (c->msg == FACT_NONE)
		judge_first_id(f, r, m);
	else
		judge_id(f, r, cs, c, m);
	if (c->msg == FACT_NONE || m->hdr.message_id != c->id)
		c->answered = false;
	c->id = m->hdr.message_id;
	c->msg = i;
}

void check_message_ids(const struct facts *f, const struct check_params *p, struct check_result *r)
{
	struct counters cs = {0};
	size_t i;

	(void)p;
	for (i = 0; i < f->n_ike && !r->err; i++)
		if (counts(&f->ike[i]) &&
		    (!f->ike[i].request || f->ike[i].retransmission_of == FACT_NONE))
			count_message(f, r, &cs, i);
	map_free(&cs.by_key);
	free(cs.v);
	check_conclude(r, "no IKE request was seen", "%zu request%s, numbered without gap",
		       r->examined, plural(r->examined));
}

static void judge_end(const struct facts *f, struct check_result *r, const struct ike_sa_fact *sa)
{
	char text[64];
	size_t last =
	    sa->established_msg != FACT_NONE ? f->ike[sa->established_msg].frame : FACT_NONE;

	ike_sa_describe(sa, text, sizeof(text));
	if (sa->end == IKE_SA_OPEN)
		check_fault(r, last, "%s was never deleted", text);
	else if (sa->end == IKE_SA_DELETED && sa->deleted_msg == FACT_NONE)
		check_note(r, f->ike[sa->delete_msg].frame, "the Delete of %s was not answered",
			   text);
}

void check_no_sa_left(const struct facts *f, const struct check_params *p, struct check_result *r)
{
	size_t i;

	(void)p;
	for (i = 0; i < f->n_ike_sas; i++) {
		const struct ike_sa_fact *sa = &f->ike_sas[i];
		bool made_before = sa->init_msg == FACT_NONE && sa->rekeyed_from == FACT_NONE;

		/* What never came to be needs no Delete. */
		if (sa->established_msg == FACT_NONE && !made_before)
			continue;
		r->examined++;
		judge_end(f, r, sa);
	}
	check_conclude(r, "no IKE SA was established", "%zu IKE SA%s, none left", r->examined,
		       plural(r->examined));
}
