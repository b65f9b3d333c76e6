/* measure_loss.c - which share of ESP packets is lost, comes twice, or is overtaken (RFC 4303
 * §3.4.3: the sequence numbers tell).
 *
 * With two places on the way a packet that one has and the other has not is lost; with one, beside
 * the receiver, a number that is missing is. What a finding explains (a port that is blocked, a
 * size that does not fit) is no share: the writer asks for these numbers only where nothing else
 * explains them. */
#include "harness/reproduce/measure.h"

#define PACKETS_MIN 50
#define SHARE_MAX   0.4 /* nobody works with more: the capture leaves packets out */

struct sums {
	uint64_t sent, arrived, twice, overtaken;
	struct seen from, to;
};

/* Of an SPI's flows the one that was seen first: no packet of it was seen before. */
static bool is_first_seen(const struct survey *s, const struct esp_flow *e)
{
	size_t i;

	for (i = esp_of_spi(s, e->spi); i != FACT_NONE; i = s->esp[i].prev)
		if (s->esp[i].first.time_us < e->first.time_us ||
		    (s->esp[i].first.time_us == e->first.time_us && &s->esp[i] < e))
			return false;
	return true;
}

/* The place that its packets reach last; NULL: no other place has any. */
static const struct esp_flow *last_place(const struct survey *s, const struct esp_flow *e)
{
	const struct esp_flow *last = NULL;
	size_t i;

	for (i = esp_of_spi(s, e->spi); i != FACT_NONE; i = s->esp[i].prev)
		if (s->esp[i].place != e->place &&
		    (!last || s->esp[i].first.time_us >= last->first.time_us))
			last = &s->esp[i];
	return last;
}

/* Numbers behind the last that arrived may be on their way: one of the captures ends earlier. */
static uint64_t under_way(const struct esp_flow *before, const struct esp_flow *behind)
{
	uint64_t ahead = before->top > behind->top ? before->top - behind->top : 0;
	uint64_t n = before->n - before->n_repeated;

	return ahead < n ? ahead : n;
}

static void add_pair(struct sums *sums, const struct esp_flow *before,
		     const struct esp_flow *behind)
{
	sums->sent += before->n - before->n_repeated - under_way(before, behind);
	sums->arrived += behind->n - behind->n_repeated;
	sums->twice +=
	    behind->n_repeated > before->n_repeated ? behind->n_repeated - before->n_repeated : 0;
	sums->overtaken +=
	    behind->n_behind > before->n_behind ? behind->n_behind - before->n_behind : 0;
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

/* Without keys any ESP may be of these ends. */
static bool is_foreign(const struct profile *p, const struct esp_flow *e)
{
	return e->child != FACT_NONE && !is_between_ends(p, p->s->f.children[e->child].ike_sa);
}

static struct sums sum_up(const struct profile *p)
{
	const struct survey *s = p->s;
	struct sums sums = {0};
	size_t i;

	for (i = 0; i < s->n_esp; i++) {
		const struct esp_flow *e = &s->esp[i], *other = last_place(s, e);

		if (is_foreign(p, e) || !is_first_seen(s, e))
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
	struct sums sums = sum_up(p);
	uint64_t lost = sums.sent > sums.arrived ? sums.sent - sums.arrived : 0;

	if (sums.sent < PACKETS_MIN)
		return profile_say(p, UNKNOWN, "loss", NOT_SEEN, NOT_SEEN,
				   "%llu ESP packets are too few to tell a share of loss, "
				   "reordering or duplication",
				   (unsigned long long)sums.sent);
	if (share(lost, sums.sent) > SHARE_MAX)
		return profile_say(
		    p, UNKNOWN, "loss", sums.from, sums.to,
		    "%llu of %llu ESP packets are missing, too many for chance: they "
		    "are taken for what a finding explains, or the capture leaves out",
		    (unsigned long long)lost, (unsigned long long)sums.sent);
	p->loss = share(lost, sums.sent);
	p->duplicate = share(sums.twice, sums.arrived);
	p->reorder = share(sums.overtaken, sums.arrived);
	return profile_say(p, MEASURED, "loss", sums.from, sums.to,
			   "of %llu ESP packets %llu were lost, %llu came twice, %llu were "
			   "overtaken",
			   (unsigned long long)sums.sent, (unsigned long long)lost,
			   (unsigned long long)sums.twice, (unsigned long long)sums.overtaken);
}
