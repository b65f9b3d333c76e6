/* replay.c - the anti-replay window, a ring of 64-bit words as RFC 6479 describes it.
 *
 * Sequence number s has bit s % 64 of word s / 64, and word w lives in ring slot w % words. The
 * ring has one word more than the window needs, so that moving on means clearing whole words and
 * never shifting:
 *
 *        top - size + 1                        top
 *             |<----------- window ------------>|
 *     ...|....xxxxxxxx|xxxxxxxxxxxx|xxxxxxxxxxxxx...|      words of 64
 *          old          seen or not                 ^ bits above top are always zero
 *
 * With extended sequence numbers the wire shows the low 32 bits only. RFC 4303 appendix A2.1 finds
 * the high ones from where the window lies: in case A it is inside one cycle of 2^32, in case B it
 * spans two:
 *
 *     A:  |-----[=====T]--------|            low < window bottom: next cycle (Th + 1), else this
 * one B:  |==T]-------------[===|            low >= bottom: the cycle before (Th - 1), else this
 * one */
#include "vpn/esp/replay.h"

#include <stdlib.h>

#include "vpn/base/err.h"

#define WORD_BITS 64

struct replay {
	uint64_t top; /* highest number seen; 0 before the first packet (numbers start at 1) */
	uint32_t size;
	uint32_t words;
	uint64_t ring[];
};

int replay_new(uint32_t size, struct replay **ret_replay)
{
	uint32_t words = (size + WORD_BITS - 1) / WORD_BITS + 1;
	struct replay *r;

	if (size > REPLAY_WINDOW_MAX)
		return ERR_INVALID;
	r = calloc(1, sizeof(*r) + words * sizeof(r->ring[0]));
	if (!r)
		return ERR_NOMEM;
	r->size = size;
	r->words = words;
	*ret_replay = r;
	return 0;
}

void replay_free(struct replay *r)
{
	free(r);
}

uint64_t replay_highest(const struct replay *r)
{
	return r->top;
}

bool replay_infer(const struct replay *r, bool esn, uint32_t low, uint64_t *ret_seq)
{
	/* With the check off the nearest number is the best guess. */
	uint32_t window = r->size ? r->size : 1U << 31;
	uint32_t top_low = (uint32_t)r->top;
	uint64_t high = r->top >> 32;
	uint32_t bottom = top_low - window + 1;

	if (!esn) {
		*ret_seq = low;
		return true;
	}
	if (top_low >= window - 1) {
		if (low < bottom)
			high++;
	} else if (low >= bottom) {
		if (high == 0)
			return false;
		high--;
	}
	if (high > UINT32_MAX)
		return false;
	*ret_seq = high << 32 | low;
	return true;
}

static uint64_t *word_of(const struct replay *r, uint64_t seq)
{
	return (uint64_t *)&r->ring[seq / WORD_BITS % r->words];
}

static uint64_t bit_of(uint64_t seq)
{
	return 1ULL << seq % WORD_BITS;
}

enum replay_verdict replay_check(const struct replay *r, uint64_t seq)
{
	if (r->size == 0)
		return REPLAY_OK;
	if (seq == 0) /* RFC 4303 §3.3.3: the first packet has number 1 */
		return REPLAY_OLD;
	if (seq > r->top)
		return REPLAY_OK;
	if (r->top - seq >= r->size)
		return REPLAY_OLD;
	return *word_of(r, seq) & bit_of(seq) ? REPLAY_SEEN : REPLAY_OK;
}

static void advance(struct replay *r, uint64_t seq)
{
	uint64_t word = r->top / WORD_BITS;
	uint64_t last = seq / WORD_BITS;

	if (last - word > r->words)
		word = last - r->words;
	while (word < last)
		r->ring[++word % r->words] = 0;
	r->top = seq;
}

enum replay_verdict replay_commit(struct replay *r, uint64_t seq)
{
	enum replay_verdict v = replay_check(r, seq);

	if (v != REPLAY_OK)
		return v;
	if (seq > r->top)
		advance(r, seq);
	if (r->size)
		*word_of(r, seq) |= bit_of(seq);
	return REPLAY_OK;
}
