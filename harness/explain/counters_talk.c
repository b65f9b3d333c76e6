/* counters_talk.c - who speaks ESP with whom, and who spoke last: one record for each two addresses
 * at each place, so that it outlives rekeyings and moved ports.
 *
 *	a > b   1 2 3 4 5 6 7
 *	b > a   1 2			run: 5, from a; before: b's second
 *
 * ESP packets are not answered by themselves (RFC 4303); what is odd about a run is for the rules.
 */
#include "harness/explain/counters.h"

static int talk_of(struct survey *s, const struct ip_addr *a, const struct ip_addr *b, size_t place,
		   struct talk **ret_talk)
{
	uint64_t h = hash_number(HASH_START, place);
	size_t at;
	struct talk *t;

	h = hash_octets(hash_octets(h, a, sizeof(*a)), b, sizeof(*b));
	at = map_get(&s->talk_index, h);
	if (at == SIZE_MAX) {
		t = ARRAY_ADD(s->talks, s->n_talks);
		if (!t || map_put(&s->talk_index, h, s->n_talks - 1))
			return ERR_NOMEM;
		*t = (struct talk){.place = place, .ends = {*a, *b}};
		at = s->n_talks - 1;
	}
	*ret_talk = &s->talks[at];
	return 0;
}

int count_talk(struct survey *s, const struct ip_addr *src, const struct ip_addr *dst,
	       struct seen at)
{
	unsigned from = ip_addr_cmp(src, dst) > 0;
	struct talk *t;

	if (talk_of(s, from ? dst : src, from ? src : dst, at.place, &t))
		return ERR_NOMEM;
	if (!t->run || t->run_from != from) {
		t->before = t->run_last;
		t->run = 0;
		t->run_first = at;
		t->run_from = from;
	}
	t->n[from]++;
	t->run++;
	t->run_last = at;
	return 0;
}
