/* rule.c - questions that several rules ask of the survey. */
#include "harness/explain/rule.h"

#include <stdio.h>

static bool same_exchange(const struct exchange *a, const struct exchange *b)
{
	return a->ike_sa == b->ike_sa && a->id == b->id && a->by_initiator == b->by_initiator &&
	       a->type == b->type;
}

struct exchange_sum exchange_everywhere(const struct survey *s, const struct exchange *x)
{
	struct exchange_sum sum = {.at_sender = x};
	size_t i;

	for (i = 0; i < s->n_exchanges; i++) {
		const struct exchange *e = &s->exchanges[i];

		if (!same_exchange(e, x))
			continue;
		sum.seen_at += e->sent > 0;
		if (e->sent > sum.at_sender->sent)
			sum.at_sender = e;
		if (e->sent > sum.sent)
			sum.sent = e->sent;
		if (e->answered > sum.answered)
			sum.answered = e->answered;
	}
	return sum;
}

bool exchange_is_first(const struct survey *s, const struct exchange *x)
{
	const struct exchange *e;

	for (e = s->exchanges; e < x; e++)
		if (same_exchange(e, x))
			return false;
	return true;
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

bool path_seen(const struct survey *s, const struct ip_addr *src, uint16_t src_port,
	       const struct ip_addr *dst)
{
	size_t i;

	for (i = 0; i < s->n_paths; i++)
		if (ip_addr_eq(&s->paths[i].src.addr, src) &&
		    (!src_port || s->paths[i].src.port == src_port) &&
		    ip_addr_eq(&s->paths[i].dst.addr, dst))
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
