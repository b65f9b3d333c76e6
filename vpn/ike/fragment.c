/* fragment.c - reassembly of a peer's message from its fragments (RFC 7383 §2.6, §2.6.1).
 *
 *     SKF 2/3   kept             (each fragment was opened before: nothing forged is ever kept)
 *     SKF 2/3   there already: not even opened
 *     SKF 1/5   a newer set, in smaller pieces (§2.5.2): what was there goes
 *     SKF 3/3   of a set that was given up: not opened
 *     ...
 *     SKF 5/5   complete: joined, and handled as if it had come whole
 *
 * An SA has at most two sets: the peer's next request, and the response that we wait for. Bounded
 * are the fragments of a set, the octets of a message, and the octets of all sets of the engine. A
 * request that stays incomplete is forgotten after the time in which its sender gives up; a
 * response, with our request. */
#include "vpn/ike/fragment.h"

#include <stdlib.h>
#include <string.h>

#include "vpn/ike/exchange.h"

struct fragments {
	uint32_t message_id;
	uint16_t total, have;
	uint8_t first;	/* type of the first payload */
	size_t held;	/* what counts against the engine's limit */
	size_t octets;	/* of content */
	size_t largest; /* message */
	uint64_t give_up_at;
	struct octets v[]; /* `total`; p is NULL where one is missing */
};

bool fragment_is_wanted(const struct fragments *set, uint32_t message_id,
			const struct payload_skf *f)
{
	if (f->total > LIMIT_FRAGMENTS)
		return false;
	if (!set || set->message_id != message_id)
		return true;
	/* RFC 7383 §2.6: not from an older set, and not twice. */
	return f->total > set->total || (f->total == set->total && !set->v[f->number - 1].p);
}

void fragments_free(struct ike_engine *e, struct fragments **set)
{
	struct fragments *s = *set;
	uint16_t i;

	if (!s)
		return;
	for (i = 0; i < s->total; i++)
		octets_free(&s->v[i]);
	e->fragments_held -= s->held;
	free(s);
	*set = NULL;
}

/* Counts `n` more octets, or refuses. */
static bool charge(struct ike_engine *e, struct fragments *s, size_t n)
{
	if (e->fragments_held + n > LIMIT_FRAGMENTS_HELD)
		return false;
	e->fragments_held += n;
	s->held += n;
	return true;
}

static int begin(struct ike_engine *e, struct fragments **set, uint32_t message_id, uint16_t total,
		 uint64_t now)
{
	size_t size = sizeof(struct fragments) + total * sizeof(struct octets);
	struct fragments *s = calloc(1, size);

	if (!s)
		return ERR_NOMEM;
	if (!charge(e, s, size)) {
		free(s);
		return ERR_LIMIT;
	}
	s->message_id = message_id;
	s->total = total;
	s->give_up_at = now + exchange_patience(e);
	fragments_free(e, set);
	*set = s;
	return 0;
}

int fragment_keep(struct ike_sa *sa, struct fragments **set, uint32_t message_id,
		  const struct payload_skf *f, uint8_t first, size_t ike_len, struct view chain,
		  uint64_t now)
{
	struct ike_engine *e = sa->engine;
	struct fragments *s = *set;
	int err = 0;

	/* RFC 7383 §2.6: a larger total is a newer set. */
	if (!s || s->message_id != message_id || s->total < f->total)
		err = begin(e, set, message_id, f->total, now);
	s = *set;
	if (!err && s->octets + chain.len > IKE_MESSAGE_MAX)
		err = ERR_LIMIT;
	if (!err && !charge(e, s, chain.len))
		err = ERR_LIMIT;
	if (!err)
		err = octets_set(&s->v[f->number - 1], chain);
	if (err)
		return err;
	if (f->number == 1)
		s->first = first;
	s->octets += chain.len;
	s->largest = ike_len > s->largest ? ike_len : s->largest;
	s->have++;
	return 0;
}

bool fragments_complete(const struct fragments *set)
{
	return set && set->have == set->total;
}

int fragments_join(const struct fragments *set, struct octets *ret_chain, uint8_t *ret_first,
		   size_t *ret_largest)
{
	struct octets all = {malloc(set->octets + 1), set->octets};
	struct writer w;
	uint16_t i;

	if (!all.p)
		return ERR_NOMEM;
	w = wr_init(all.p, all.len);
	for (i = 0; i < set->total; i++)
		wr_bytes(&w, set->v[i].p, set->v[i].len);
	*ret_chain = all;
	*ret_first = set->first;
	*ret_largest = set->largest;
	return 0;
}

uint64_t fragments_give_up_at(const struct fragments *set)
{
	return set ? set->give_up_at : DEADLINE_NEVER;
}
