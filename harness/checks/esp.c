/* esp.c - checks of ESP packets: opened, inside their selectors, numbered and sealed as they must
 * be, delivered once. */
#include <stdio.h>
#include <string.h>

#include "harness/checks/internal.h"
#include "harness/dissect/map.h"
#include "vpn/base/proto.h"
#include "vpn/wire/packet/octets.h"

/* A damaged packet is looked for among all others: as many bits, and as often, as is worth it. */
#define DAMAGED_BITS	 4
#define DAMAGED_SEARCHES 256

static unsigned bits_apart(const struct view a, const struct view b, unsigned enough)
{
	unsigned bits = 0;
	size_t i;

	for (i = 0; i < a.len && bits < enough; i++)
		bits += (unsigned)__builtin_popcount(a.p[i] ^ b.p[i]);
	return bits;
}

/* A copy of a packet that was opened, at another place, but for a few bits: its SPI was damaged, so
 * that no key is known. */
static bool is_damaged_copy(const struct facts *f, const struct esp_fact *e)
{
	size_t i;

	for (i = 0; i < f->n_esp; i++)
		if (f->esp[i].sealed == FACT_OPEN && f->esp[i].octets.len == e->octets.len &&
		    bits_apart(f->esp[i].octets, e->octets, DAMAGED_BITS + 1) <= DAMAGED_BITS)
			return true;
	return false;
}

static void judge_sealed(struct check_result *r, enum fact_unopened why, bool damaged, size_t frame,
			 const char *what)
{
	if (why == FACT_NOT_SEALED)
		return;
	r->examined++;
	if (damaged)
		check_note(r, frame, "%s: damaged on the way, it was opened elsewhere", what);
	else if (why == FACT_WRONG_KEY)
		check_note(r, frame, "%s: %s; damaged on the way, or forged", what,
			   fact_unopened_text(why));
	else if (why == FACT_DAMAGED)
		check_note(r, frame, "%s: %s", what, fact_unopened_text(why));
	else if (why != FACT_OPEN && why != FACT_FRAGMENT)
		check_fault(r, frame, "%s: %s", what, fact_unopened_text(why));
}

void check_opened(const struct facts *f, const struct check_params *p, struct check_result *r)
{
	size_t i, searches = 0;
	char what[64];
	bool damaged;

	(void)p;
	for (i = 0; i < f->n_ike; i++)
		judge_sealed(r, f->ike[i].sealed, false, f->ike[i].frame, "IKE message");
	for (i = 0; i < f->n_esp; i++) {
		const struct esp_fact *e = &f->esp[i];

		damaged = e->sealed == FACT_NO_KEY && searches++ < DAMAGED_SEARCHES &&
			  is_damaged_copy(f, e);
		snprintf(what, sizeof(what), "ESP SPI %08x number %u", e->spi, e->seq);
		judge_sealed(r, e->sealed, damaged, e->frame, what);
	}
	check_conclude(r, "nothing sealed was seen", "%zu sealed messages and packets opened",
		       r->examined);
}

/* Selectors of the direction that this packet belongs to, negotiated or as logged with its key. */
static bool selectors_of(const struct facts *f, const struct esp_fact *e,
			 const struct ts_list **ret_src, const struct ts_list **ret_dst)
{
	size_t i;

	if (e->child != FACT_NONE) {
		const struct child_sa_fact *c = &f->children[e->child];

		child_direction(c, c->spi_i == e->spi, ret_src, ret_dst);
		return true;
	}
	for (i = 0; i < f->keys.n_esp; i++) {
		const struct esp_key *k = &f->keys.esp[i];

		if (k->spi != e->spi || !k->have_sa)
			continue;
		*ret_src = &k->src_ts;
		*ret_dst = &k->dst_ts;
		return true;
	}
	return false;
}

void check_inner_selectors(const struct facts *f, const struct check_params *p,
			   struct check_result *r)
{
	const struct ts_list *src, *dst;
	char text[128];
	size_t i;

	(void)p;
	for (i = 0; i < f->n_esp; i++) {
		const struct esp_fact *e = &f->esp[i];

		if (!e->inner.len || !selectors_of(f, e, &src, &dst))
			continue;
		r->examined++;
		if (!ts_lists_match(src, dst, &e->in.sel))
			check_fault(r, e->frame, "SPI %08x carries %s, outside its selectors",
				    e->spi, ip_packet_describe(&e->in, text, sizeof(text)));
	}
	check_conclude(r, "no opened ESP packet of a known negotiation was seen",
		       "%zu inner packets, each inside the selectors of its SA", r->examined);
}

static bool same_octets(const struct esp_fact *a, const struct esp_fact *b)
{
	return a->octets.len == b->octets.len &&
	       memcmp(a->octets.p, b->octets.p, a->octets.len) == 0;
}

/* Also in its file. Frames that two CPUs hand to a capture stand in one order there and may be
 * stamped in the other, as they may be when the clock is set: then nobody can tell which came
 * first.
 */
static bool stands_behind(const struct facts *f, const struct esp_fact *late,
			  const struct esp_fact *first)
{
	return f->frames[late->frame].number > f->frames[first->frame].number;
}

/* At other places packets may come late or twice through no fault of the sender; but two different
 * packets of one number are the sender's fault wherever they are seen. */
static void judge_number(const struct facts *f, struct check_result *r, struct map *seen,
			 struct map *top, size_t i, bool at_sender)
{
	const struct esp_fact *e = &f->esp[i];
	uint64_t key = hash_number(hash_number(HASH_START, e->spi), e->seq64);
	size_t place = f->frames[e->frame].place, before, highest;

	before = map_get(seen, hash_number(key, place));
	highest = map_get(top, e->spi);
	if (map_put(seen, hash_number(key, place), i) ||
	    (at_sender && (highest == SIZE_MAX || f->esp[highest].seq64 < e->seq64) &&
	     map_put(top, e->spi, i))) {
		r->err = ERR_NOMEM;
		return;
	}
	if (before != SIZE_MAX && (at_sender || !same_octets(&f->esp[before], e))) {
		check_fault(r, e->frame, "SPI %08x: number %llu a second time", e->spi,
			    (unsigned long long)e->seq64);
		check_fault_frame(r, f->esp[before].frame);
	} else if (at_sender && highest != SIZE_MAX && f->esp[highest].seq64 > e->seq64 &&
		   stands_behind(f, e, &f->esp[highest])) {
		check_fault(r, e->frame, "SPI %08x: number %llu sent behind number %llu", e->spi,
			    (unsigned long long)e->seq64,
			    (unsigned long long)f->esp[highest].seq64);
		check_fault_frame(r, f->esp[highest].frame);
	}
}

void check_esp_sequence(const struct facts *f, const struct check_params *p, struct check_result *r)
{
	struct map seen = {0}, top = {0}, senders = {0};
	size_t i, unknown = 0;

	(void)p;
	for (i = 0; i < f->n_esp && !r->err; i++) {
		const struct esp_fact *e = &f->esp[i];
		size_t place = map_get(&senders, e->spi);

		if (place == SIZE_MAX) {
			place = facts_sender_place(f, e->spi);
			unknown += place == FACT_NONE;
			place = place == FACT_NONE ? CAPTURE_PLACES_MAX : place;
			r->err = map_put(&senders, e->spi, place);
		}
		/* A packet that nobody sent under the key says nothing of the sender. */
		if (e->sealed == FACT_WRONG_KEY || e->sealed == FACT_DAMAGED)
			continue;
		r->examined++;
		judge_number(f, r, &seen, &top, i, f->frames[e->frame].place == place);
	}
	map_free(&seen);
	map_free(&top);
	map_free(&senders);
	if (unknown)
		check_note(
		    r, FACT_NONE,
		    "%zu SPI%s not captured at the sender: only numbers used twice are judged",
		    unknown, plural(unknown));
	check_conclude(r, "no ESP packet was seen", "%zu ESP packets, numbers rising", r->examined);
}

void check_esp_iv(const struct facts *f, const struct check_params *p, struct check_result *r)
{
	struct map seen = {0};
	size_t i, before;
	uint64_t key;

	(void)p;
	for (i = 0; i < f->n_esp && !r->err; i++) {
		const struct esp_fact *e = &f->esp[i];

		if (e->sealed != FACT_OPEN || !e->iv.len)
			continue;
		r->examined++;
		key = hash_octets(hash_number(HASH_START, e->spi), e->iv.p, e->iv.len);
		before = map_get(&seen, key);
		if (before == SIZE_MAX) {
			r->err = map_put(&seen, key, i);
		} else if (!same_octets(&f->esp[before], e)) {
			check_fault(r, e->frame,
				    "SPI %08x: the IV of number %u, used again for "
				    "number %u",
				    e->spi, f->esp[before].seq, e->seq);
			check_fault_frame(r, f->esp[before].frame);
		}
	}
	map_free(&seen);
	check_conclude(r, "no opened ESP packet was seen", "%zu ESP packets, each IV used once",
		       r->examined);
}

uint64_t check_packet_hash(struct view packet, const struct ip_info *info)
{
	enum { V4_CHECKED = 8, V4_ADDRS = 12, V6_ADDRS = 8 };
	uint64_t h = hash_number(HASH_START, info->version);
	size_t addrs = info->version == 4 ? V4_ADDRS : V6_ADDRS;

	if (info->version == 4)
		h = hash_octets(h, packet.p + 2, V4_CHECKED - 2);
	return hash_octets(h, packet.p + addrs, packet.len - addrs);
}

size_t check_count_up(struct map *m, uint64_t key, struct check_result *r)
{
	size_t n = map_get(m, key);

	n = n == SIZE_MAX ? 1 : n + 1;
	if (map_put(m, key, n))
		r->err = ERR_NOMEM;
	return n;
}

/* Packets sent, each counted by its number, and those that a place saw twice. */
static void count_sent(const struct facts *f, struct check_result *r, struct map *sent,
		       struct map *replayed)
{
	struct map numbers = {0}, at_place = {0};
	size_t i;

	for (i = 0; i < f->n_esp && !r->err; i++) {
		const struct esp_fact *e = &f->esp[i];
		uint64_t key = hash_number(hash_number(HASH_START, e->spi), e->seq64), content;

		if (!e->inner.len)
			continue;
		content = check_packet_hash(e->inner, &e->in);
		if (check_count_up(&numbers, key, r) == 1)
			check_count_up(sent, content, r);
		if (check_count_up(&at_place, hash_number(key, f->frames[e->frame].place), r) ==
		    2) {
			r->examined++;
			if (map_put(replayed, content, e->frame))
				r->err = ERR_NOMEM;
		}
	}
	map_free(&numbers);
	map_free(&at_place);
}

void check_replay(const struct facts *f, const struct check_params *p, struct check_result *r)
{
	struct map sent = {0}, replayed = {0}, delivered = {0};
	bool outer[CAPTURE_PLACES_MAX];
	size_t i, inside = 0;
	char text[128];

	for (i = 0; i < f->set.n_places; i++)
		outer[i] = place_is_outer(f, p, i);
	count_sent(f, r, &sent, &replayed);
	for (i = 0; i < f->n_clear && !r->err; i++) {
		const struct fact_frame *frame = &f->frames[f->clear[i].frame];
		uint64_t key = check_packet_hash(frame->packet, &frame->ip);
		size_t allowed = map_get(&sent, key), n;

		if (allowed == SIZE_MAX || outer[frame->place])
			continue;
		inside++;
		n = check_count_up(&delivered, hash_number(key, frame->place), r);
		if (n <= allowed || map_get(&replayed, key) == SIZE_MAX)
			continue;
		check_fault(r, f->clear[i].frame, "%s delivered %zu times, though sent %zu times",
			    ip_packet_describe(&frame->ip, text, sizeof(text)), n, allowed);
		check_fault_frame(r, map_get(&replayed, key));
	}
	map_free(&sent);
	map_free(&replayed);
	map_free(&delivered);
	if (!inside)
		r->examined = 0;
	check_conclude(r, "no ESP packet came twice at a place, or none was captured inside",
		       "%zu ESP packet%s came twice, and what is inside was delivered once",
		       r->examined, plural(r->examined));
}
