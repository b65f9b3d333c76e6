/* measure_loss.c - which share of ESP packets is lost, comes twice, or is overtaken (RFC 4303
 * §3.4.3: the sequence numbers tell).
 *
 * With two places on the way a packet that one has and the other has not is lost; with one, beside
 * the receiver, a number that is missing is. What a finding explains (a port that is blocked, a
 * size that does not fit) is no share: the writer asks for these numbers only where nothing else
 * explains them. */
#include "harness/reproduce/measure.h"

#define PACKETS_MIN 50

struct sums {
	uint64_t sent, arrived, twice, overtaken;
	struct seen from, to;
};

/* Most of an SPI at one place, and what another place has of it. */
static const struct esp_flow *other_place(const struct survey *s, const struct esp_flow *e)
{
	size_t i;

	for (i = esp_of_spi(s, e->spi); i != FACT_NONE; i = s->esp[i].prev)
		if (s->esp[i].place != e->place)
			return &s->esp[i];
	return NULL;
}

/* Numbers behind the last that arrived may be on their way: one of the captures ends earlier. */
static uint64_t under_way(const struct esp_flow *before, const struct esp_flow *behind)
{
	uint64_t ahead = before->top > behind->top ? before->top - behind->top : 0;
	uint64_t n = before->n - before->n_repeated;

	return ahead < n ? ahead : n;
}

static void add_pair(struct sums *sums, const struct esp_flow *a, const struct esp_flow *b)
{
	const struct esp_flow *before = a->first.time_us <= b->first.time_us ? a : b;
	const struct esp_flow *behind = before == a ? b : a;

	sums->sent += before->n - before->n_repeated - under_way(before, behind);
	sums->arrived += behind->n - behind->n_repeated;
	sums->twice +=
	    behind->n_repeated > before->n_repeated ? behind->n_repeated - before->n_repeated : 0;
	sums->overtaken += behind->n_behind;
	if (!sums->from.number) {
		sums->from = before->first;
		sums->to = behind->last;
	}
}

/* A child that is negotiated in the capture begins with number 1. */
static void add_single(struct sums *sums, const struct esp_flow *e)
{
	if (e->child == FACT_NONE || e->top < e->n - e->n_repeated)
		return;
	sums->sent += e->top;
	sums->arrived += e->n - e->n_repeated;
	sums->twice += e->n_repeated;
	sums->overtaken += e->n_behind;
	if (!sums->from.number) {
		sums->from = e->first;
		sums->to = e->last;
	}
}

static struct sums sum_up(const struct survey *s)
{
	struct sums sums = {0};
	size_t i;

	for (i = 0; i < s->n_esp; i++) {
		const struct esp_flow *e = &s->esp[i], *other = other_place(s, e);

		if (other && other < e)
			continue;
		if (other)
			add_pair(&sums, e, other);
		else
			add_single(&sums, e);
	}
	return sums;
}

static double share(uint64_t part, uint64_t of)
{
	return of ? (double)part / (double)of : 0;
}

int measure_loss(struct profile *p)
{
	struct sums sums = sum_up(p->s);
	uint64_t lost = sums.sent > sums.arrived ? sums.sent - sums.arrived : 0;

	if (sums.sent < PACKETS_MIN)
		return profile_say(p, UNKNOWN, "loss", NOT_SEEN, NOT_SEEN,
				   "%llu ESP packets are too few to tell a share of loss, "
				   "reordering or duplication",
				   (unsigned long long)sums.sent);
	p->loss = share(lost, sums.sent);
	p->duplicate = share(sums.twice, sums.arrived);
	p->reorder = share(sums.overtaken, sums.arrived);
	return profile_say(p, MEASURED, "loss", sums.from, sums.to,
			   "of %llu ESP packets %llu were lost, %llu came twice, %llu were "
			   "overtaken",
			   (unsigned long long)sums.sent, (unsigned long long)lost,
			   (unsigned long long)sums.twice, (unsigned long long)sums.overtaken);
}
