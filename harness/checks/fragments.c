/* fragments.c - the check of IKE fragmentation (RFC 7383), of every message that an IKE SA's peers
 * have sealed.
 *
 *	announced	both ends of the SA have said IKEV2_FRAGMENTATION_SUPPORTED (§2.4)
 *	numbered	1 to the total; the first payload's type in the first alone (§2.5)
 *	newer sets	of the same message have a larger total (§2.5.2)
 *	sizes		no IKE message of such an SA needs IP fragments, and no fragment is larger
 *			than the parameter fragment_size, if there is one (§2.5.1)
 *
 * That a fragment which is sent again is the same octet by octet, `requests` checks. A set that
 * stays incomplete is a note: the wire may have lost the rest. An SA whose first exchange was not
 * captured may have announced anything. */
#include <stdlib.h>

#include "harness/checks/internal.h"
#include "harness/dissect/map.h"
#include "vpn/wire/payload.h"

/* One message of one sender at one place, as far as it came in fragments. */
struct set {
	size_t last;	/* message fact */
	uint16_t total; /* of the newest set */
	uint16_t seen;	/* different fragments of it */
	bool complete;	/* that one, or one before */
};

struct state {
	uint8_t *announced; /* beside facts.ike_sas: 1 the request, 2 the response, 4 unknown */
	struct map by_message, by_fragment;
	struct set *sets;
	size_t n_sets;
};

static size_t first_sa(const struct facts *f, size_t sa)
{
	size_t steps = 0;

	while (f->ike_sas[sa].rekeyed_from != FACT_NONE && steps++ < f->n_ike_sas)
		sa = f->ike_sas[sa].rekeyed_from;
	return sa;
}

static void read_announcements(const struct facts *f, struct state *s)
{
	struct payload_notify n;
	size_t i;

	for (i = 0; i < f->n_ike_sas; i++)
		if (f->ike_sas[i].init_msg == FACT_NONE)
			s->announced[i] = 4;
	for (i = 0; i < f->n_ike; i++) {
		const struct ike_msg *m = &f->ike[i];

		if (m->hdr.exchange == IKE_SA_INIT && m->ike_sa != FACT_NONE && m->outer &&
		    payloads_find_notify(m->outer, N_IKEV2_FRAGMENTATION_SUPPORTED, &n))
			s->announced[m->ike_sa] |= m->request ? 1 : 2;
	}
}

/* Both ends have said so, or may have. */
static bool is_negotiated(const struct facts *f, const struct state *s, const struct ike_msg *m)
{
	uint8_t said = s->announced[first_sa(f, m->ike_sa)];

	return said & 4 || said == 3;
}

static void judge_size(const struct facts *f, const struct check_params *p, struct check_result *r,
		       const struct state *s, const struct ike_msg *m)
{
	const struct fact_frame *frame = ike_msg_frame(f, m);
	char text[256];

	if (frame->n_fragments && is_negotiated(f, s, m) && !(s->announced[m->ike_sa] & 4))
		(frame_is_as_sent(frame) ? check_fault : check_note)(
		    r, m->frame, "%zu octets in IP fragments, of an SA that may fragment: %s",
		    frame->packet.len, ike_msg_describe(m, text, sizeof(text)));
	if (m->fragments && p->fragment_size && frame->packet.len > p->fragment_size)
		check_fault(r, m->frame, "a fragment in a datagram of %zu octets, above %u",
			    frame->packet.len, p->fragment_size);
}

static void judge_header(const struct facts *f, struct check_result *r, const struct state *s,
			 const struct ike_msg *m)
{
	if (!is_negotiated(f, s, m))
		check_fault(r, m->frame, "a fragment, and not both peers have announced RFC 7383");
	if (m->fragment > 1 && m->outer->v[m->outer->n - 1].inner_first != PAYLOAD_NONE)
		check_fault(r, m->frame,
			    "fragment %u of %u names a first payload; only the first does",
			    m->fragment, m->fragments);
}

static uint64_t message_hash(const struct facts *f, const struct ike_msg *m)
{
	uint64_t h = hash_number(HASH_START, f->frames[m->frame].place);

	h = hash_number(h, m->ike_sa);
	return hash_number(h, (uint64_t)m->hdr.message_id << 2 | (unsigned)m->request << 1 |
				  m->from_initiator);
}

static struct set *set_of(const struct facts *f, struct check_result *r, struct state *s, size_t i)
{
	uint64_t h = message_hash(f, &f->ike[i]);
	size_t at = map_get(&s->by_message, h);

	if (at != SIZE_MAX)
		return &s->sets[at];
	if (!ARRAY_ADD(s->sets, s->n_sets) || map_put(&s->by_message, h, s->n_sets - 1)) {
		r->err = ERR_NOMEM;
		return NULL;
	}
	r->examined++;
	s->sets[s->n_sets - 1] = (struct set){.last = i};
	return &s->sets[s->n_sets - 1];
}

/* RFC 7383 §2.5.2. */
static void count_fragment(const struct facts *f, struct check_result *r, struct state *s, size_t i)
{
	const struct ike_msg *m = &f->ike[i];
	struct set *set = set_of(f, r, s, i);
	uint64_t h = hash_number(message_hash(f, m), (unsigned)m->fragments << 16 | m->fragment);
	bool again = map_get(&s->by_fragment, h) != SIZE_MAX;

	if (!set || (r->err = map_put(&s->by_fragment, h, i)) != 0)
		return;
	if (m->fragments > set->total) {
		set->total = m->fragments;
		set->seen = 0;
	} else if (m->fragments < set->total && !again) {
		check_fault(r, m->frame, "a set of %u fragments behind one of %u", m->fragments,
			    set->total);
		check_fault_frame(r, f->ike[set->last].frame);
		return;
	}
	set->seen += !again;
	set->complete |= set->seen == set->total;
	set->last = i;
}

static void judge_message(const struct facts *f, const struct check_params *p,
			  struct check_result *r, struct state *s, size_t i)
{
	const struct ike_msg *m = &f->ike[i];

	if (m->ike_sa == FACT_NONE || m->sealed == FACT_NOT_SEALED || m->sealed == FACT_WRONG_KEY ||
	    !m->outer)
		return;
	judge_size(f, p, r, s, m);
	if (!m->fragments)
		return;
	judge_header(f, r, s, m);
	count_fragment(f, r, s, i);
}

static void note_incomplete(const struct facts *f, struct check_result *r, const struct state *s)
{
	size_t i;

	for (i = 0; i < s->n_sets; i++)
		if (!s->sets[i].complete)
			check_note(r, f->ike[s->sets[i].last].frame,
				   "%u of %u fragments were seen here", s->sets[i].seen,
				   s->sets[i].total);
}

void check_fragments(const struct facts *f, const struct check_params *p, struct check_result *r)
{
	struct state s = {.announced = calloc(f->n_ike_sas + 1, 1)};
	size_t i;

	if (!s.announced) {
		r->err = ERR_NOMEM;
		return;
	}
	read_announcements(f, &s);
	for (i = 0; i < f->n_ike && !r->err; i++)
		judge_message(f, p, r, &s, i);
	note_incomplete(f, r, &s);
	map_free(&s.by_message);
	map_free(&s.by_fragment);
	free(s.sets);
	free(s.announced);
	check_conclude(r, "no IKE message came in fragments",
		       "%zu message%s in fragments, numbered and announced as they should be",
		       r->examined, plural(r->examined));
}
