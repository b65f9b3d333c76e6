/* rule.c - questions that several rules ask of the survey. */
#include "harness/explain/rule.h"

#include <stdio.h>

#include "harness/explain/counters.h"

static bool same_exchange(const struct exchange *a, const struct exchange *b)
{
	return a->ike_sa == b->ike_sa && a->id == b->id && a->by_initiator == b->by_initiator &&
	       a->type == b->type;
}

struct exchange_sum exchange_everywhere(const struct survey *s, const struct exchange *x)
{
	struct exchange_sum sum = {.at_sender = x};
	const struct exchange *e = x;

	for (;;) {
		sum.seen_at += e->sent > 0;
		if (e->sent > sum.at_sender->sent)
			sum.at_sender = e;
		if (e->sent > sum.sent)
			sum.sent = e->sent;
		if (e->answered > sum.answered)
			sum.answered = e->answered;
		if (e->next == FACT_NONE)
			return sum;
		e = &s->exchanges[e->next];
	}
}

const struct exchange *exchange_find(const struct survey *s, size_t ike_sa, uint8_t type)
{
	size_t i;

	for (i = 0; i < s->n_exchanges; i++)
		if (s->exchanges[i].ike_sa == ike_sa && s->exchanges[i].type == type)
			return &s->exchanges[i];
	return NULL;
}

const struct fact_frame *msg_frame(const struct survey *s, size_t msg)
{
	return &s->f.frames[s->f.ike[msg].frame];
}

const char *msg_route(const struct survey *s, size_t msg, char *buf, size_t cap)
{
	const struct fact_frame *f = msg_frame(s, msg);
	char src[ENDPOINT_STRLEN], dst[ENDPOINT_STRLEN];

	snprintf(buf, cap, "%s > %s", endpoint_format(&f->src, src, sizeof(src)),
		 endpoint_format(&f->dst, dst, sizeof(dst)));
	return buf;
}

bool frame_is_fresh(const struct fact_frame *frame)
{
	return frame->ip.ttl == 64 || frame->ip.ttl == 128 || frame->ip.ttl == 255;
}

bool is_lost_between(const struct survey *s, const struct exchange *x)
{
	size_t i, k;

	for (i = 0; i < s->n_exchanges; i++) {
		const struct exchange *init = &s->exchanges[i];
		bool here = false;

		if (init->ike_sa != x->ike_sa || init->type != IKE_SA_INIT)
			continue;
		for (k = 0; k < s->n_exchanges; k++)
			here = here || (same_exchange(&s->exchanges[k], x) &&
					s->exchanges[k].place == init->place);
		if (!here)
			return true;
	}
	return false;
}

const struct path *path_find(const struct survey *s, size_t place, const struct endpoint *src,
			     const struct endpoint *dst)
{
	size_t at = map_get(&s->path_index, flow_hash(place, false, 0, src, dst));

	return at == SIZE_MAX ? NULL : &s->paths[at];
}

uint64_t esp_count_at(const struct survey *s, uint32_t spi, size_t place)
{
	uint64_t n = 0;
	size_t i;

	for (i = esp_of_spi(s, spi); i != FACT_NONE; i = s->esp[i].prev)
		n += s->esp[i].place == place ? s->esp[i].n : 0;
	return n;
}

static bool same_pair(const struct fact_frame *f, const struct esp_flow *e, bool ports)
{
	struct endpoint a = f->src, b = f->dst;

	if (!ports)
		a.port = b.port = e->src.port;
	if (!ports && e->src.port != e->dst.port)
		return false;
	return (endpoint_eq(&a, &e->src) && endpoint_eq(&b, &e->dst)) ||
	       (endpoint_eq(&a, &e->dst) && endpoint_eq(&b, &e->src));
}

/* The IKE SA under which that ESP goes: by the negotiation, or by the ports that they share;
 * several SAs between the same endpoints: none can be told. */
static size_t ike_sa_of(const struct survey *s, const struct esp_flow *e)
{
	size_t i, sa = FACT_NONE;

	if (e->child != FACT_NONE)
		return s->f.children[e->child].ike_sa;
	for (i = 0; i < s->f.n_ike; i++) {
		const struct ike_msg *m = &s->f.ike[i];

		if (m->ike_sa == FACT_NONE || s->f.frames[m->frame].place != e->place ||
		    !same_pair(&s->f.frames[m->frame], e, e->encap))
			continue;
		if (sa != FACT_NONE && sa != m->ike_sa)
			return FACT_NONE;
		sa = m->ike_sa;
	}
	return sa;
}

static bool sees_ike_of(const struct survey *s, size_t place, const struct esp_flow *e)
{
	size_t k, sa = ike_sa_of(s, e);

	for (k = 0; sa != FACT_NONE && k < s->n_exchanges; k++)
		if (s->exchanges[k].place == place && s->exchanges[k].ike_sa == sa)
			return true;
	return false;
}

bool esp_missing_at(const struct survey *s, const struct esp_flow *e, size_t *ret_place)
{
	size_t place;

	for (place = 0; place < s->n_places; place++) {
		if (place == e->place || esp_count_at(s, e->spi, place) ||
		    !sees_ike_of(s, place, e))
			continue;
		*ret_place = place;
		return true;
	}
	return false;
}

bool path_seen(const struct survey *s, const struct ip_addr *src, uint16_t src_port,
	       const struct ip_addr *dst)
{
	size_t i;

	for (i = path_between(s, src, dst); i != FACT_NONE; i = s->paths[i].prev)
		if (!src_port || s->paths[i].src.port == src_port)
			return true;
	return false;
}

uint16_t msg_error(const struct ike_msg *m)
{
	const struct ike_payloads *p = ike_msg_payloads(m);
	struct payload_notify n;
	size_t i;

	for (i = 0; i < p->n; i++)
		if (p->v[i].type == PAYLOAD_NOTIFY && !payload_notify_decode(p->v[i].body, &n) &&
		    n.type < N_FIRST_STATUS)
			return n.type;
	return 0;
}

const char *span_text(uint64_t from_us, uint64_t to_us, char *buf, size_t cap)
{
	double s = to_us > from_us ? (double)(to_us - from_us) / 1e6 : 0;

	if (s < 600)
		snprintf(buf, cap, "%.1f s", s);
	else
		snprintf(buf, cap, "%.0f min", s / 60);
	return buf;
}

const char *ordinal_suffix(unsigned n)
{
	static const char *const suffixes[] = {"th", "st", "nd", "rd"};

	return n % 10 > 3 || n % 100 / 10 == 1 ? "th" : suffixes[n % 10];
}
