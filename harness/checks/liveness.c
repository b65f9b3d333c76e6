/* liveness.c - when a peer is asked whether it lives (RFC 7296 §2.4): an INFORMATIONAL request with
 * nothing in it.
 *
 *	ESP, IKE  <------		what comes under the SA's keys proves that the peer lives
 *	   ...  interval		no question
 *	INFORMATIONAL, empty ------>	nothing has come for the interval: a question
 *	   ...  repeated		(how is for the check `retransmit`)
 *	   ...  dead			nobody has answered: the SA is given up, and all is quiet
 *
 * Each end is judged on its own wire, and only if it asks at all: liveness checks are an end's own
 * choice. Rekeyed IKE SAs are one with what replaced them. */
#include <string.h>

#include "harness/checks/internal.h"

#define TIMER_SLACK_US UINT64_C(500000)	 /* a loaded machine's */
#define LATE_SLACK_US  UINT64_C(1500000) /* and that of a daemon that counts in whole seconds */

/* One end of one IKE SA, while its frames go by. */
struct watch {
	size_t root, place;
	bool initiator;		 /* of the first IKE SA */
	struct ip_addr self;	 /* as it was first seen at its place */
	uint64_t lived_until_us; /* its last message */
	uint64_t heard_us;	 /* when something of the peer's came last; 0: not yet */
	size_t heard;		 /* frame */
	uint64_t open_us;	 /* first copy of a question that nobody has answered; 0: none */
	size_t open;		 /* message */
	uint64_t asked_us;	 /* when a request was sent last */
	bool over;
};

static bool is_own(const struct facts *f, const struct watch *w, size_t frame)
{
	return ip_addr_eq(&f->frames[frame].src.addr, &w->self);
}

/* Of a frame of the watched place: whether it belongs to the SA. */
static bool is_message_of(const struct facts *f, const struct watch *w, const struct ike_msg *m)
{
	/* What is not under the SA's keys proves nothing. */
	return check_sa_root(f, m->ike_sa) == w->root && m->sealed != FACT_NOT_SEALED &&
	       m->sealed != FACT_WRONG_KEY;
}

static bool is_packet_of(const struct facts *f, const struct watch *w, const struct esp_fact *e)
{
	return e->sealed == FACT_OPEN && e->child != FACT_NONE &&
	       check_sa_root(f, f->children[e->child].ike_sa) == w->root;
}

static bool is_question(const struct ike_msg *m)
{
	return m->request && m->hdr.exchange == INFORMATIONAL && m->inner && m->inner->n == 0;
}

/* Whether the end asks at all, and how long it is seen to live. */
static bool survey(const struct facts *f, struct watch *w)
{
	bool asks = false;
	size_t i;

	for (i = 0; i < f->n_frames; i++) {
		const struct fact_frame *frame = &f->frames[i];
		const struct ike_msg *m = frame->kind == FRAME_IKE ? &f->ike[frame->index] : NULL;

		if (frame->place != w->place || !is_own(f, w, i))
			continue;
		if (m && is_message_of(f, w, m)) {
			w->lived_until_us = frame->time_us;
			asks |= is_question(m);
		}
	}
	return asks;
}

static bool find_self(const struct facts *f, size_t sa, struct watch *w)
{
	size_t i;

	w->place = check_side_place(f, sa, w->initiator);
	for (i = 0; i < f->n_ike; i++) {
		const struct ike_msg *m = &f->ike[i];

		if (m->ike_sa != sa || m->from_initiator != w->initiator ||
		    f->frames[m->frame].place != w->place)
			continue;
		w->self = f->frames[m->frame].src.addr;
		return true;
	}
	return false;
}

static void judge_silence(const struct facts *f, const struct check_params *p,
			  struct check_result *r, const struct watch *w, uint64_t now)
{
	uint64_t limit = p->interval_ms * UINT64_C(1000), waited = now - w->heard_us;

	/* A daemon that is dead asks nobody. */
	if (!limit || !w->heard_us || w->over || now > w->lived_until_us)
		return;
	if (w->open_us || w->asked_us > w->heard_us || waited <= limit + limit / 5 + LATE_SLACK_US)
		return;
	check_fault(r, w->heard, "nothing came for %.1f s, and the peer was not asked: %s",
		    seconds(waited), f->set.places[w->place].name);
}

static void judge_question(const struct facts *f, const struct check_params *p,
			   struct check_result *r, struct watch *w, size_t i)
{
	uint64_t limit = p->interval_ms * UINT64_C(1000);
	uint64_t now = check_time(f, f->ike[i].frame), quiet = now - w->heard_us;

	r->examined++;
	w->open = i;
	w->open_us = now;
	if (!limit || !w->heard_us || quiet + limit / 5 + TIMER_SLACK_US >= limit)
		return;
	check_fault(r, f->ike[i].frame, "asked though the peer was heard %.1f s before",
		    seconds(quiet));
	check_fault_frame(r, w->heard);
}

static void judge_death(const struct facts *f, const struct check_params *p, struct check_result *r,
			const struct watch *w, size_t frame, const char *what)
{
	uint64_t since = check_time(f, frame) - w->open_us;

	if (!p->dead_ms || !w->open_us || since <= p->dead_ms * UINT64_C(1000) + TIMER_SLACK_US)
		return;
	check_fault(r, frame, "%s %.1f s after a question that nobody answered", what,
		    seconds(since));
	check_fault_frame(r, f->ike[w->open].frame);
}

static void hear(struct watch *w, const struct facts *f, size_t frame)
{
	w->heard_us = check_time(f, frame);
	w->heard = frame;
}

/* The Delete of an IKE SA that nothing replaces. */
static bool is_end(const struct facts *f, const struct ike_msg *m)
{
	const struct ike_sa_fact *sa = &f->ike_sas[m->ike_sa];
	size_t i;

	for (i = 0; i < f->n_ike_sas; i++)
		if (f->ike_sas[i].rekeyed_from == m->ike_sa)
			return false;
	return sa->delete_msg != FACT_NONE &&
	       f->ike[sa->delete_msg].hdr.message_id == m->hdr.message_id &&
	       f->ike[sa->delete_msg].from_initiator == m->from_initiator;
}

static void take_own(const struct facts *f, const struct check_params *p, struct check_result *r,
		     struct watch *w, size_t i)
{
	const struct ike_msg *m = &f->ike[i];

	if (!m->request)
		return;
	judge_death(f, p, r, w, m->frame, "still asked");
	if (is_question(m) && m->retransmission_of == FACT_NONE)
		judge_question(f, p, r, w, i);
	w->asked_us = check_time(f, m->frame);
}

static void take_message(const struct facts *f, const struct check_params *p,
			 struct check_result *r, struct watch *w, size_t i)
{
	const struct ike_msg *m = &f->ike[i];

	if (is_own(f, w, m->frame)) {
		take_own(f, p, r, w, i);
	} else {
		hear(w, f, m->frame);
		if (!m->request)
			w->open_us = 0;
	}
	w->over |= m->request && is_end(f, m);
}

static void take_esp(const struct facts *f, const struct check_params *p, struct check_result *r,
		     struct watch *w, const struct esp_fact *e)
{
	if (is_own(f, w, e->frame))
		judge_death(f, p, r, w, e->frame, "ESP is still sent");
	else
		hear(w, f, e->frame);
}

static void take_frame(const struct facts *f, const struct check_params *p, struct check_result *r,
		       struct watch *w, size_t i)
{
	const struct fact_frame *frame = &f->frames[i];

	if (frame->kind == FRAME_IKE && is_message_of(f, w, &f->ike[frame->index])) {
		judge_silence(f, p, r, w, frame->time_us);
		take_message(f, p, r, w, frame->index);
	} else if (frame->kind == FRAME_ESP && is_packet_of(f, w, &f->esp[frame->index])) {
		judge_silence(f, p, r, w, frame->time_us);
		take_esp(f, p, r, w, &f->esp[frame->index]);
	}
}

static void watch_side(const struct facts *f, const struct check_params *p, struct check_result *r,
		       size_t sa, bool initiator)
{
	struct watch w = {.root = sa, .initiator = initiator};
	size_t i;

	if (!find_self(f, sa, &w) || !survey(f, &w))
		return;
	for (i = 0; i < f->n_frames; i++)
		if (f->frames[i].place == w.place)
			take_frame(f, p, r, &w, i);
}

void check_dpd(const struct facts *f, const struct check_params *p, struct check_result *r)
{
	size_t i;

	for (i = 0; i < f->n_ike_sas; i++) {
		if (f->ike_sas[i].rekeyed_from != FACT_NONE)
			continue;
		watch_side(f, p, r, i, true);
		watch_side(f, p, r, i, false);
	}
	check_conclude(r, "nobody was asked whether it lives",
		       "%zu question%s, each when it was due", r->examined, plural(r->examined));
}
