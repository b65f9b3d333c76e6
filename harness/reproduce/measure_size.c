/* measure_size.c - what fits: the path's MTU, sizes that alone are lost, the link of an end that
 * sends IP fragments, and whether ICMP said anything (RFC 1191 §4, RFC 4459 §3).
 *
 * A router that says "too big" gives the number itself. Where nobody does, the MTU lies between the
 * longest ESP packet that two places saw and the shortest that one of them never did. */
#include <string.h>

#include "harness/explain/rule.h"
#include "harness/reproduce/measure.h"
#include "vpn/base/proto.h"

#define USUAL_MTU    1400 /* where the captures leave it open: a tunnel or PPPoE on the way */
#define LOST_MIN     3
#define SIZE_LOW_MIN 500 /* shorter ones are not lost for their size */

static int measure_icmp(struct profile *p)
{
	const struct facts *f = &p->s->f;
	size_t i, said = FACT_NONE;

	for (i = 0; i < f->n_icmp_errors; i++)
		if (f->icmp_errors[i].mtu && f->icmp_errors[i].frame != FACT_NONE &&
		    (said == FACT_NONE || f->icmp_errors[i].mtu < f->icmp_errors[said].mtu))
			said = i;
	if (said == FACT_NONE)
		return 0;
	p->icmp_told = true;
	p->path_mtu = f->icmp_errors[said].mtu;
	return profile_say(p, MEASURED, "path MTU", seen_frame(p->s, f->icmp_errors[said].frame),
			   NOT_SEEN, "%u octets, as a router says in ICMP, which passes",
			   p->path_mtu);
}

/* Sizes of which the sender's place has some and the other none. */
struct lost_sizes {
	unsigned low, high, above; /* octets; above: the shortest longer one that arrives, or 0 */
	uint64_t n;
};

static struct lost_sizes compare(const struct esp_flow *a, const struct esp_flow *b)
{
	struct lost_sizes l = {0};
	unsigned c;

	for (c = SIZE_LOW_MIN / SIZE_STEP; c < SIZE_CLASSES; c++) {
		if (a->sizes[c] > 1 && !b->sizes[c]) {
			l.low = l.low ? l.low : c * SIZE_STEP;
			l.high = c * SIZE_STEP + SIZE_STEP - 1;
			l.n += a->sizes[c];
		}
	}
	for (c = SIZE_CLASSES; l.low && c-- > l.high / SIZE_STEP + 1;)
		if (b->sizes[c])
			l.above = c * SIZE_STEP;
	return l;
}

static int note_sizes(struct profile *p, const struct esp_flow *a, const struct esp_flow *b,
		      const struct lost_sizes *l)
{
	if (l->above) {
		p->band_low = l->low;
		p->band_high = l->high;
		return profile_say(p, MEASURED, "sizes lost", a->first, b->largest,
				   "ESP packets of %u to %u octets; shorter and longer ones pass",
				   l->low, l->high);
	}
	p->path_mtu = b->largest_len;
	if (b->largest_len < USUAL_MTU && l->low > USUAL_MTU)
		p->path_mtu = USUAL_MTU;
	return profile_say(p, MEASURED, "path MTU", a->largest, b->largest,
			   "%u octets: packets of %u arrive, of %u and more do not, and no ICMP "
			   "says why",
			   p->path_mtu, b->largest_len, l->low);
}

/* a is nearer to the sender than b, and b still saw others of it after the longest. */
static bool is_on_the_way(const struct esp_flow *a, const struct esp_flow *b)
{
	return a->place != b->place && a->sizes && b->sizes && a->n > b->n &&
	       a->first.time_us <= b->first.time_us && b->last.time_us > a->largest.time_us;
}

static int measure_lost_sizes(struct profile *p)
{
	const struct survey *s = p->s;
	size_t i, k;

	for (i = 0; i < s->n_esp; i++)
		for (k = esp_of_spi(s, s->esp[i].spi); k != FACT_NONE; k = s->esp[k].prev) {
			const struct esp_flow *a = &s->esp[i], *b = &s->esp[k];
			struct lost_sizes l;

			if (!is_on_the_way(a, b))
				continue;
			l = compare(a, b);
			if (l.n >= LOST_MIN)
				return note_sizes(p, a, b, &l);
		}
	return 0;
}

/* An end that sends fragments has a link of about that MTU: their payload is a multiple of 8. */
static unsigned link_mtu(unsigned fragment_len)
{
	static const unsigned usual[] = {1280, 1400, 1420, 1492, 1500};
	size_t i;

	for (i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (usual[i] >= fragment_len && usual[i] < fragment_len + 8)
			return usual[i];
	return fragment_len;
}

static int measure_fragments(struct profile *p)
{
	const struct facts *f = &p->s->f;
	const struct fact_frame *longest = NULL;
	size_t i;

	for (i = 0; i < f->n_frames; i++) {
		const struct fact_frame *frame = &f->frames[i];

		if ((frame->kind == FRAME_FRAGMENT || frame->n_fragments) &&
		    frame->place == p->at_initiator &&
		    (!longest || frame->ip_len > longest->ip_len))
			longest = frame;
	}
	if (!longest)
		return 0;
	p->lan_mtu = link_mtu(longest->ip_len);
	return profile_say(p, MEASURED, "IP fragments",
			   (struct seen){longest->place, longest->number, longest->time_us},
			   NOT_SEEN,
			   "the initiator's side sends some of up to %u octets: its link "
			   "has %u",
			   longest->ip_len, p->lan_mtu);
}

int measure_size(struct profile *p)
{
	bool is_black_hole = p->first && strcmp(p->first->rule->id, "F15") == 0;
	int err = measure_icmp(p);

	if (!err && !p->icmp_told)
		err = measure_lost_sizes(p);
	if (!err && !p->path_mtu && is_black_hole) {
		p->path_mtu = USUAL_MTU;
		err = profile_say(p, ASSUMED, "path MTU", NOT_SEEN, NOT_SEEN,
				  "%u octets: a long segment is stuck, and one place does not tell "
				  "where",
				  p->path_mtu);
	}
	if (!err && !p->path_mtu && !p->band_low)
		err = profile_say(p, UNKNOWN, "path MTU", NOT_SEEN, NOT_SEEN,
				  "nothing is lost for its size: 1500 octets");
	return err ? err : measure_fragments(p);
}
