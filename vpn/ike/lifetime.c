/* lifetime.c - points in time, spread at random so that two ends seldom rekey at once and a
 * restarted gateway does not rekey all its SAs in one second (RFC 7296 §2.8). */
#include "vpn/ike/lifetime.h"

#define SECONDS UINT64_C(1000000)

static uint64_t random_below(struct ike_engine *e, uint64_t n)
{
	uint8_t b[8];
	struct reader r;

	if (!n || e->env.random(e->env.ctx, b, sizeof(b)))
		return 0;
	r = rd_init(b, sizeof(b));
	return rd_u64(&r) % n;
}

uint64_t lifetime_soft(struct ike_engine *e, uint64_t soft, uint64_t rand)
{
	if (!soft)
		return 0;
	return soft - random_below(e, rand < soft ? rand + 1 : soft);
}

uint64_t lifetime_at(uint64_t start, uint64_t seconds)
{
	return seconds ? start + seconds * SECONDS : DEADLINE_NEVER;
}

uint64_t lifetime_retry(struct ike_engine *e, uint64_t now)
{
	return now + REKEY_RETRY + random_below(e, REKEY_RETRY);
}
