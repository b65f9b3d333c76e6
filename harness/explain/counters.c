/* counters.c - the second reading: each packet counted in the record of its path, its ESP SA, its
 * flow; ESP opened where there is a key (RFC 4303 §2, §3.4.3; RFC 3948 §2.3).
 *
 *	seq  .. 17 18 20 19 21 22 ..	a window of 64 below the highest number tells
 *			  ^^ late by 1	what came late, by how much, and what came twice
 *
 * Opened packets live in an arena that is emptied every few packets. */
#include "harness/explain/counters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vpn/base/proto.h"
#include "vpn/crypto/cipher.h"

#define RESET_EVERY    64
#define INNER_ICMP_MAX 4096

int counting_begin(struct counting *c, struct survey *s)
{
	*c = (struct counting){.s = s};
	if (!s->have_keys || (!s->f.keys.n_esp && !s->f.n_children))
		return 0;
	c->open.frames = calloc(1, sizeof(*c->open.frames));
	c->open.esp = calloc(1, sizeof(*c->open.esp));
	return c->open.frames && c->open.esp ? esp_opener_new(&c->opener) : ERR_NOMEM;
}

static void forget_opened(struct counting *c)
{
	arena_free(&c->open.arena);
	free(c->open.problems);
	free(c->open.icmp_errors);
	c->open.arena = (struct arena){0};
	c->open.problems = NULL;
	c->open.icmp_errors = NULL;
	c->open.n_problems = c->open.n_icmp_errors = 0;
	c->since_reset = 0;
}

void counting_end(struct counting *c)
{
	forget_opened(c);
	free(c->open.frames);
	free(c->open.esp);
	esp_opener_free(c->opener);
	map_free(&c->esp_index);
}

static struct seen seen_of(const struct counting *c, const struct packet *p)
{
	return (struct seen){c->place, p->number, p->time_us};
}

static uint64_t pair_hash(const struct ip_addr *src, const struct ip_addr *dst)
{
	return hash_octets(hash_octets(HASH_START, src, sizeof(*src)), dst, sizeof(*dst));
}

static uint64_t address_hash(size_t place, const struct ip_addr *addr)
{
	return hash_octets(hash_number(HASH_START, place), addr, sizeof(*addr));
}

size_t path_between(const struct survey *s, const struct ip_addr *src, const struct ip_addr *dst)
{
	return map_get(&s->pair_index, pair_hash(src, dst));
}

size_t esp_of_spi(const struct survey *s, uint32_t spi)
{
	return map_get(&s->spi_index, spi);
}

bool is_end_at(const struct survey *s, size_t place, const struct ip_addr *addr)
{
	return map_get(&s->address_index, address_hash(place, addr)) != SIZE_MAX;
}

static int index_path(struct survey *s, size_t at)
{
	struct path *p = &s->paths[at];
	uint64_t pair = pair_hash(&p->src.addr, &p->dst.addr);

	p->prev = map_get(&s->pair_index, pair);
	if (map_put(&s->pair_index, pair, at) ||
	    map_put(&s->address_index, address_hash(p->place, &p->src.addr), at) ||
	    map_put(&s->address_index, address_hash(p->place, &p->dst.addr), at))
		return ERR_NOMEM;
	return 0;
}

static int path_of(struct counting *c, const struct packet *p, struct path **ret_path)
{
	struct survey *s = c->s;
	uint64_t h = flow_hash(c->place, false, 0, &p->src, &p->dst);
	size_t at = map_get(&s->path_index, h);
	struct path *path;

	if (at == SIZE_MAX) {
		path = ARRAY_ADD(s->paths, s->n_paths);
		if (!path || map_put(&s->path_index, h, s->n_paths - 1))
			return ERR_NOMEM;
		at = s->n_paths - 1;
		path->place = c->place;
		path->src = p->src;
		path->dst = p->dst;
		if (index_path(s, at))
			return ERR_NOMEM;
		path->reverse =
		    map_get(&s->path_index, flow_hash(c->place, false, 0, &p->dst, &p->src));
		if (path->reverse != FACT_NONE)
			s->paths[path->reverse].reverse = at;
		path->first = seen_of(c, p);
	}
	*ret_path = &s->paths[at];
	return 0;
}

static uint64_t silence_before(const struct alone *a)
{
	return a->n >= ALONE_MIN && a->before.number ? a->first.time_us - a->before.time_us : 0;
}

static void end_alone(struct path *path)
{
	if (silence_before(&path->alone) > silence_before(&path->alone_after_silence))
		path->alone_after_silence = path->alone;
	path->alone = (struct alone){.n = 0};
}

/* A silence of both begins anew: what was alone before it was a last word. */
static void count_alone(struct survey *s, struct path *path, bool esp, struct seen at)
{
	struct path *reverse = path->reverse == FACT_NONE ? NULL : &s->paths[path->reverse];
	struct seen before = path->last;

	if (reverse && reverse->alone.n)
		end_alone(reverse);
	if (!esp)
		return;
	if (reverse && reverse->last.time_us > before.time_us)
		before = reverse->last;
	if (path->alone.n && at.time_us > before.time_us + SILENCE_US)
		end_alone(path);
	if (!path->alone.n++) {
		path->alone.first = at;
		path->alone.before = before;
	}
	path->alone.last = at;
}

static int count_path(struct counting *c, const struct packet *p)
{
	struct seen at = seen_of(c, p);
	struct path *path;

	if (path_of(c, p, &path))
		return ERR_NOMEM;
	count_alone(c->s, path, p->kind == PACKET_ESP, at);
	path->last = at;
	if (p->kind == PACKET_IKE) {
		if (!path->n_ike++)
			path->first_ike = at;
		path->last_ike = at;
	} else if (p->kind == PACKET_ESP) {
		if (!path->n_esp++)
			path->first_esp = at;
		path->last_esp = at;
	} else {
		if (!path->n_keepalive++)
			path->first_keepalive = at;
		path->last_keepalive = at;
	}
	return 0;
}

static int esp_of(struct counting *c, const struct packet *p, uint32_t spi,
		  struct esp_flow **ret_flow)
{
	struct survey *s = c->s;
	uint64_t h =
	    hash_number(flow_hash(c->place, p->encap, IP_PROTO_ESP, &p->src, &p->dst), spi);
	size_t at = map_get(&c->esp_index, h);
	struct esp_flow *e;

	if (at == SIZE_MAX) {
		e = ARRAY_ADD(s->esp, s->n_esp);
		if (!e || map_put(&c->esp_index, h, s->n_esp - 1))
			return ERR_NOMEM;
		at = s->n_esp - 1;
		*e = (struct esp_flow){.place = c->place,
				       .src = p->src,
				       .dst = p->dst,
				       .spi = spi,
				       .encap = p->encap,
				       .first = seen_of(c, p),
				       .late_flow = FACT_NONE};
		e->prev = map_get(&s->spi_index, spi);
		if (map_put(&s->spi_index, spi, at))
			return ERR_NOMEM;
		e->child = facts_child_by_spi(&s->f, spi, SIZE_MAX, &e->to_initiator);
	}
	*ret_flow = &s->esp[at];
	return 0;
}

/* The window is of what was seen, not of what a receiver would take: it never closes. */
static void count_sequence(struct esp_flow *e, uint32_t seq, struct seen at)
{
	uint32_t behind = e->top - seq;

	if (!e->n || (int32_t)(seq - e->top) > 0) {
		uint32_t ahead = e->n ? seq - e->top : 64;

		if (!e->n)
			e->first_seq = seq;
		else if (ahead - 1 > e->gap) {
			e->gap = ahead - 1;
			e->behind_gap = at;
		}
		e->window = ahead < 64 ? e->window << ahead | 1 : 1;
		e->top = seq;
		return;
	}
	e->n_behind += behind >= 64 || !(e->window >> behind & 1);
	if (behind < 64) {
		e->n_repeated += e->window >> behind & 1;
		e->window |= (uint64_t)1 << behind;
	}
	e->n_late[0] += behind >= 32;
	e->n_late[1] += behind >= 64;
	if (behind > e->late_by) {
		e->late_by = behind;
		e->late = at;
	}
}

static int count_sizes(struct esp_flow *e, const struct packet *p, struct seen at)
{
	size_t len = p->info.total_len, class = len / SIZE_STEP;

	if (!e->sizes)
		e->sizes = calloc(SIZE_CLASSES, sizeof(*e->sizes));
	if (!e->sizes)
		return ERR_NOMEM;
	e->sizes[class < SIZE_CLASSES ? class : SIZE_CLASSES - 1]++;
	e->octets += len;
	if (!p->cut)
		e->residue[p->body.len % 16]++;
	if (len > e->largest_len) {
		e->largest_len = (uint32_t)len;
		e->largest = at;
	}
	return 0;
}

static void note_outside(const struct counting *c, struct esp_flow *e, const struct esp_fact *fact,
			 struct seen at)
{
	const struct ts_list *src, *dst;
	const struct child_sa_fact *child;

	if (e->child == FACT_NONE || !fact->inner.len)
		return;
	child = &c->s->f.children[e->child];
	child_direction(child, e->to_initiator, &src, &dst);
	if (ts_lists_match(src, dst, &fact->in.sel))
		return;
	if (!e->n_outside++) {
		e->outside = at;
		ip_packet_describe(&fact->in, e->outside_what, sizeof(e->outside_what));
	}
}

static int take_inner_icmp(struct counting *c, uint32_t spi, struct seen at)
{
	struct survey *s = c->s;
	struct inner_icmp *i;
	size_t k;

	for (k = 0; k < c->open.n_icmp_errors && s->n_inner_icmp < INNER_ICMP_MAX; k++) {
		i = ARRAY_ADD(s->inner_icmp, s->n_inner_icmp);
		if (!i)
			return ERR_NOMEM;
		*i = (struct inner_icmp){at, spi, c->open.icmp_errors[k]};
	}
	c->open.n_icmp_errors = 0;
	return 0;
}

static int take_opened(struct counting *c, struct esp_flow *e, struct seen at)
{
	size_t flow;
	int err;

	const struct esp_fact *fact = c->open.esp;

	if (fact->sealed == FACT_WRONG_KEY && !e->wrong_icv++)
		e->wrong = at;
	if (fact->sealed != FACT_OPEN)
		return 0;
	e->opened++;
	if (fact->have_wire_mode)
		e->by_mode[fact->wire_mode]++;
	note_outside(c, e, fact, at);
	if (take_inner_icmp(c, e->spi, at))
		return ERR_NOMEM;
	if (!fact->inner.len)
		return 0;
	err = count_ip(c->s, at, fact->inner, &fact->in, true, e->child, e->spi, &flow);
	if (!err && e->late.number == at.number)
		e->late_flow = flow;
	return err;
}

static int open_esp(struct counting *c, struct esp_flow *e, const struct packet *p, uint32_t seq)
{
	const struct facts *f = &c->s->f;
	struct facts *open = &c->open;
	int err;

	if (++c->since_reset > RESET_EVERY)
		forget_opened(c);
	open->keys = f->keys;
	open->children = f->children;
	open->n_children = f->n_children;
	open->frames[0] = (struct fact_frame){.place = c->place,
					      .number = p->number,
					      .time_us = p->time_us,
					      .octets = p->octets,
					      .packet = p->ip,
					      .ip = p->info,
					      .src = p->src,
					      .dst = p->dst};
	open->esp[0] = (struct esp_fact){.child = e->child,
					 .spi = e->spi,
					 .seq = seq,
					 .seq64 = seq,
					 .encap = p->encap,
					 .octets = p->body};
	err = esp_opener_open(c->opener, open, 0);
	return err ? err : take_opened(c, e, seen_of(c, p));
}

static int count_esp(struct counting *c, const struct packet *p)
{
	struct reader r = rd_init(p->body.p, p->body.len);
	uint32_t spi = rd_u32(&r), seq = rd_u32(&r);
	struct esp_flow *e;

	if (!rd_ok(&r) || esp_of(c, p, spi, &e))
		return rd_ok(&r) ? ERR_NOMEM : 0;
	count_sequence(e, seq, seen_of(c, p));
	e->n++;
	e->last = seen_of(c, p);
	if (count_sizes(e, p, e->last))
		return ERR_NOMEM;
	return c->opener && !p->cut ? open_esp(c, e, p, seq) : 0;
}

int count_packet(struct counting *c, const struct packet *p)
{
	size_t flow;
	int err;

	switch (p->kind) {
	case PACKET_ESP:
		err = count_path(c, p);
		if (!err)
			err = count_talk(c->s, &p->src.addr, &p->dst.addr, seen_of(c, p));
		return err ? err : count_esp(c, p);
	case PACKET_IKE:
	case PACKET_KEEPALIVE:
		return count_path(c, p);
	case PACKET_OTHER:
		return count_ip(c->s, seen_of(c, p), p->ip, &p->info, false, FACT_NONE, 0, &flow);
	default:
		return 0;
	}
}
