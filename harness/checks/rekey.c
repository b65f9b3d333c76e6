/* rekey.c - an SA is replaced before it is taken away, and what replaces it is new.
 *
 *	CREATE_CHILD_SA request  ------>	N(REKEY_SA) names the old SA
 *	               <------ response		from here on the new SA carries traffic ...
 *	ESP, new SA    <----->			... and not before
 *	ESP, old SA    <----->			the old one may, for what is on the way
 *	INFORMATIONAL, Delete --------->	of the old SA: only now
 *	               <------ response		from here on nobody seals with the old one
 *
 * "On the wire" is the sender's own: half-way to the peer, packets may have overtaken each other.
 * Even there: IKE and ESP are different threads of many a daemon, and what was sealed when the
 * answer was written may leave behind it. SEALED_US later there is no such packet any more.
 * Nonces and SPIs are compared over everything captured (RFC 7296 §2.10, §2.8). */
#include <stdlib.h>
#include <string.h>

#include "harness/checks/internal.h"
#include "vpn/wire/payload.h"

#define SEALED_US UINT64_C(100000) /* a loaded machine's threads */

/* What one direction of a child carried, at its sender. */
struct traffic {
	size_t place;
	size_t first, last; /* ESP packets; FACT_NONE */
	uint64_t octets;
};

struct rekeying {
	struct traffic (*children)[2]; /* by facts.children: with spi_i, spi_r */
	struct map spis, nonces;
	size_t count;
};

static bool weigh(const struct facts *f, struct rekeying *s)
{
	size_t i;
	int dir;

	s->children = calloc(f->n_children + 1, sizeof(*s->children));
	if (!s->children)
		return false;
	for (i = 0; i < f->n_children; i++)
		for (dir = 0; dir < 2; dir++)
			s->children[i][dir] = (struct traffic){
			    .place = facts_sender_place(f, dir ? f->children[i].spi_r
							       : f->children[i].spi_i),
			    .first = FACT_NONE,
			    .last = FACT_NONE};
	for (i = 0; i < f->n_esp; i++) {
		const struct esp_fact *e = &f->esp[i];
		struct traffic *t;

		if (e->child == FACT_NONE || e->sealed != FACT_OPEN)
			continue;
		t = &s->children[e->child][e->spi != f->children[e->child].spi_i];
		if (f->frames[e->frame].place != t->place)
			continue;
		if (t->first == FACT_NONE)
			t->first = i;
		t->last = i;
		t->octets += e->payload_len;
	}
	return true;
}

/* The child that REKEY_SA named: its SPI is one that the sender of the request receives by. */
static size_t find_replaced(const struct facts *f, size_t k)
{
	const struct child_sa_fact *c = &f->children[k];
	size_t root = check_sa_root(f, c->ike_sa);

	while (k-- > 0)
		if ((f->children[k].spi_i == c->rekeys || f->children[k].spi_r == c->rekeys) &&
		    check_sa_root(f, f->children[k].ike_sa) == root)
			return k;
	return FACT_NONE;
}

static void judge_order(const struct facts *f, struct check_result *r, size_t made, size_t deleted,
			const char *what)
{
	if (deleted == FACT_NONE ||
	    check_time(f, f->ike[deleted].frame) > check_time(f, f->ike[made].frame))
		return;
	check_fault(r, f->ike[deleted].frame, "%s is deleted before the new one is there", what);
	check_fault_frame(r, f->ike[made].frame);
}

/* Nothing in the new SA before the answer that makes it. */
static void judge_start(const struct facts *f, struct check_result *r, const struct rekeying *s,
			size_t k)
{
	const struct child_sa_fact *c = &f->children[k];
	int dir;

	for (dir = 0; dir < 2; dir++) {
		const struct traffic *t = &s->children[k][dir];
		size_t answer;

		if (t->first == FACT_NONE)
			continue;
		answer = check_message_at(f, &f->ike[c->response_msg], t->place);
		if (answer == FACT_NONE ||
		    check_time(f, f->esp[t->first].frame) >= check_time(f, f->ike[answer].frame))
			continue;
		check_fault(r, f->esp[t->first].frame,
			    "SPI %08x is used before the answer that makes it",
			    f->esp[t->first].spi);
		check_fault_frame(r, f->ike[answer].frame);
	}
}

/* Nothing is sealed with the old SA behind the answer to its Delete. */
static void judge_last(const struct facts *f, struct check_result *r, size_t last, size_t answer)
{
	const struct esp_fact *e = &f->esp[last];
	uint64_t used = check_time(f, e->frame), answered = check_time(f, f->ike[answer].frame);

	if (used > answered + SEALED_US) {
		check_fault(r, e->frame, "SPI %08x is used after its Delete was answered", e->spi);
		check_fault_frame(r, f->ike[answer].frame);
	} else if (used > answered) {
		check_note(r, e->frame,
			   "SPI %08x: a packet left %.1f ms behind the answer to the Delete, "
			   "sealed before it",
			   e->spi, (double)(used - answered) / 1000);
		check_note_frame(r, f->ike[answer].frame);
	}
}

static void judge_stop(const struct facts *f, struct check_result *r, const struct rekeying *s,
		       size_t old)
{
	const struct child_sa_fact *c = &f->children[old];
	int dir;

	for (dir = 0; dir < 2 && c->end == CHILD_DELETED; dir++) {
		const struct traffic *t = &s->children[old][dir];
		size_t answer = t->last == FACT_NONE
				    ? FACT_NONE
				    : check_answer_at(f, &f->ike[c->delete_msg], t->place);

		if (answer != FACT_NONE)
			judge_last(f, r, t->last, answer);
	}
}

static void judge_child(const struct facts *f, struct check_result *r, struct rekeying *s, size_t k)
{
	const struct child_sa_fact *c = &f->children[k];
	size_t old = find_replaced(f, k);

	s->count++;
	judge_start(f, r, s, k);
	if (old == FACT_NONE) {
		check_note(r, f->ike[c->request_msg].frame, "the child with SPI %08x was not seen",
			   c->rekeys);
		return;
	}
	judge_order(f, r, c->response_msg, f->children[old].delete_msg, "the old child");
	judge_stop(f, r, s, old);
	if (f->children[old].end == CHILD_OPEN)
		check_fault(r, f->ike[c->response_msg].frame,
			    "the child with SPI %08x is replaced, and never deleted", c->rekeys);
}

static void judge_limits(const struct facts *f, const struct check_params *p,
			 struct check_result *r, const struct rekeying *s, size_t k)
{
	const struct child_sa_fact *c = &f->children[k];
	uint64_t made = check_time(f, f->ike[c->response_msg].frame), age;
	int dir;

	for (dir = 0; dir < 2; dir++) {
		const struct traffic *t = &s->children[k][dir];

		if (t->last == FACT_NONE)
			continue;
		if (p->octets && t->octets > p->octets)
			check_fault(r, f->esp[t->last].frame,
				    "SPI %08x carried %llu octets, more than %llu",
				    f->esp[t->last].spi, (unsigned long long)t->octets,
				    (unsigned long long)p->octets);
		age = check_time(f, f->esp[t->last].frame) - made;
		if (p->life_ms && age > p->life_ms * UINT64_C(1000))
			check_fault(r, f->esp[t->last].frame,
				    "SPI %08x is used at an age of %.1f s", f->esp[t->last].spi,
				    seconds(age));
	}
}

static void judge_spi(const struct facts *f, struct check_result *r, struct rekeying *s, size_t k,
		      uint32_t spi)
{
	const struct child_sa_fact *c = &f->children[k];
	uint64_t key = hash_number(hash_number(HASH_START, check_sa_root(f, c->ike_sa)), spi);
	size_t before = map_get(&s->spis, key);

	if (before == SIZE_MAX) {
		r->err |= map_put(&s->spis, key, k);
		return;
	}
	check_fault(r, f->ike[c->response_msg].frame, "SPI %08x is negotiated a second time", spi);
	check_fault_frame(r, f->ike[f->children[before].response_msg].frame);
}

static void judge_ike_sa(const struct facts *f, struct check_result *r, struct rekeying *s,
			 const struct ike_sa_fact *sa)
{
	const struct ike_sa_fact *old;
	char text[64];

	if (sa->rekeyed_from == FACT_NONE || sa->established_msg == FACT_NONE)
		return;
	s->count++;
	old = &f->ike_sas[sa->rekeyed_from];
	judge_order(f, r, sa->established_msg, old->delete_msg, "the old IKE SA");
	if (old->end == IKE_SA_OPEN)
		check_fault(r, f->ike[sa->established_msg].frame,
			    "%s is replaced, and never deleted",
			    ike_sa_describe(old, text, sizeof(text)));
}

/* One message, wherever and however often it was seen. */
static uint64_t message_identity(const struct ike_msg *m)
{
	uint64_t h = hash_number(hash_number(HASH_START, m->hdr.exchange), m->ike_sa);

	return hash_number(h, (uint64_t)m->hdr.message_id << 2 | (uint64_t)m->request << 1 |
				  m->from_initiator);
}

/* RFC 7296 §2.10: each nonce is chosen anew. A request made anew for a cookie or a group keeps its
 * own. */
static void judge_nonce(const struct facts *f, struct check_result *r, struct map *seen, size_t i)
{
	const struct ike_msg *m = &f->ike[i];
	const struct ike_payload *p = ike_payload_find(ike_msg_payloads(m), PAYLOAD_NONCE, 0);
	size_t before;
	uint64_t key;

	if (!p || m->ike_sa == FACT_NONE || m->sealed == FACT_WRONG_KEY)
		return;
	key = hash_octets(HASH_START, p->body.p, p->body.len);
	before = map_get(seen, key);
	if (before == SIZE_MAX) {
		r->err |= map_put(seen, key, i);
	} else if (message_identity(&f->ike[before]) != message_identity(m)) {
		check_fault(r, m->frame, "a nonce is used a second time");
		check_fault_frame(r, f->ike[before].frame);
	}
}

static void judge_all(const struct facts *f, const struct check_params *p, struct check_result *r,
		      struct rekeying *s)
{
	size_t i;

	for (i = 0; i < f->n_children && !r->err; i++) {
		judge_spi(f, r, s, i, f->children[i].spi_i);
		judge_spi(f, r, s, i, f->children[i].spi_r);
		judge_limits(f, p, r, s, i);
		if (f->children[i].rekeys)
			judge_child(f, r, s, i);
	}
	for (i = 0; i < f->n_ike_sas; i++)
		judge_ike_sa(f, r, s, &f->ike_sas[i]);
	for (i = 0; i < f->n_ike && !r->err; i++)
		judge_nonce(f, r, &s->nonces, i);
	if (s->count < p->rekeys)
		check_fault(r, FACT_NONE, "%zu rekeying%s, fewer than %zu", s->count,
			    plural(s->count), p->rekeys);
}

void check_rekey(const struct facts *f, const struct check_params *p, struct check_result *r)
{
	struct rekeying s = {.count = 0};

	if (!weigh(f, &s)) {
		r->err = ERR_NOMEM;
		return;
	}
	judge_all(f, p, r, &s);
	map_free(&s.spis);
	map_free(&s.nonces);
	free(s.children);
	r->examined = s.count;
	check_conclude(r, "nothing was rekeyed",
		       "%zu rekeying%s: made before broken, with new SPIs and nonces", s.count,
		       plural(s.count));
}
