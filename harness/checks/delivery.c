/* delivery.c - what hosts send is what hosts get: nothing lost on the way, nothing twice.
 *
 * Both ends are wires inside, where packets are in the clear: a packet with the TTL that hosts give
 * has just been sent, one that routers (the gateways are some) have counted down has come out of
 * the tunnel. The two are the same packet if they agree in all that routers leave alone; an IPv4
 * identification, or a payload that counts, tells one from the next. So nothing here trusts the
 * programs that sent or received. */
#include "harness/checks/internal.h"
#include "harness/dissect/map.h"

struct tally {
	struct map sent, delivered; /* hash -> how often */
	struct map where;	    /* hash -> a frame where it was sent */
	size_t lost, twice, refused;
};

static bool is_in_pair(const struct ts_pair *pair, const struct ts_packet *p)
{
	struct ts_list i = {.v = (struct ts *)(uintptr_t)&pair->i, .n = 1};
	struct ts_list r = {.v = (struct ts *)(uintptr_t)&pair->r, .n = 1};

	return ts_lists_match(&i, &r, p) || ts_lists_match(&r, &i, p);
}

static bool is_looked_at(const struct check_params *p, const struct fact_frame *frame)
{
	size_t i;

	for (i = 0; i < p->n_selectors; i++)
		if (is_in_pair(&p->selectors[i], &frame->ip.sel))
			return true;
	return p->n_selectors == 0;
}

static void count_frame(struct check_result *r, struct tally *t, const struct facts *f, size_t i)
{
	const struct fact_frame *frame = &f->frames[i];
	uint64_t key = check_packet_hash(frame->packet, &frame->ip);

	if (!frame_is_as_sent(frame)) {
		check_count_up(&t->delivered, key, r);
		return;
	}
	r->examined++;
	check_count_up(&t->sent, key, r);
	if (map_put(&t->where, key, i))
		r->err = ERR_NOMEM;
}

static size_t count_of(const struct map *m, uint64_t key)
{
	size_t n = map_get(m, key);

	return n == SIZE_MAX ? 0 : n;
}

/* A packet that does not fit is not lost: its sender was told (RFC 4301 §8.2.1). */
static bool is_refused(const struct facts *f, const struct fact_frame *frame)
{
	size_t i;

	for (i = 0; i < f->n_icmp_errors; i++) {
		const struct icmp_error_fact *icmp = &f->icmp_errors[i];

		if (icmp->frame != FACT_NONE && f->frames[icmp->frame].place == frame->place &&
		    icmp->mtu && frame->packet.len > icmp->mtu &&
		    ip_addr_eq(&icmp->about.src, &frame->ip.sel.src) &&
		    ip_addr_eq(&icmp->about.dst, &frame->ip.sel.dst) &&
		    icmp->about.proto == frame->ip.sel.proto)
			return true;
	}
	return false;
}

/* Each packet is judged once: at the last frame that sent it. */
static void judge_frame(struct check_result *r, struct tally *t, const struct facts *f, size_t i)
{
	const struct fact_frame *frame = &f->frames[i];
	uint64_t key = check_packet_hash(frame->packet, &frame->ip);
	size_t sent, delivered;
	char text[128];

	if (map_get(&t->where, key) != i)
		return;
	sent = count_of(&t->sent, key);
	delivered = count_of(&t->delivered, key);
	if (delivered < sent && is_refused(f, frame)) {
		t->refused += sent - delivered;
		return;
	}
	t->lost += delivered < sent ? sent - delivered : 0;
	t->twice += delivered > sent ? delivered - sent : 0;
	if (delivered != sent)
		check_note(r, i, "%s: sent %zu times, delivered %zu times",
			   ip_packet_describe(&frame->ip, text, sizeof(text)), sent, delivered);
}

/* The packets that make the number too large are its evidence. */
static void blame(struct check_result *r, const char *what, size_t n, size_t allowed)
{
	if (n <= allowed)
		return;
	check_fault(r, r->n_notes ? r->notes[0].frames[0] : FACT_NONE,
		    "%zu packets %s, more than %zu", n, what, allowed);
}

void check_delivery(const struct facts *f, const struct check_params *p, struct check_result *r)
{
	struct tally t = {.lost = 0};
	bool outer[CAPTURE_PLACES_MAX];
	size_t i, frame;

	for (i = 0; i < f->set.n_places; i++)
		outer[i] = place_is_outer(f, p, i);
	for (i = 0; i < f->n_clear && !r->err; i++) {
		frame = f->clear[i].frame;
		if (!outer[f->frames[frame].place] && is_looked_at(p, &f->frames[frame]))
			count_frame(r, &t, f, frame);
	}
	for (i = 0; i < f->n_clear && !r->err; i++)
		judge_frame(r, &t, f, f->clear[i].frame);
	blame(r, "lost", t.lost, p->lost);
	blame(r, "delivered more than once", t.twice, p->twice);
	map_free(&t.sent);
	map_free(&t.delivered);
	map_free(&t.where);
	check_conclude(
	    r, "no packet of a host was captured inside, or none in these selectors",
	    "%zu packets of hosts: %zu lost, %zu delivered more than once; %zu refused as "
	    "too big",
	    r->examined, t.lost, t.twice, t.refused);
}
