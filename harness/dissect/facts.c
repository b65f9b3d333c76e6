/* facts.c - the container of facts, and what is asked of them.
 *
 * Ownership: struct facts owns the capture set, the keys and an arena; views point into frames or
 * the arena, so facts may be moved but not copied and then freed twice. */
#include "harness/dissect/facts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/dissect/internal.h"

int add_problem(struct facts *f, size_t frame, const char *fmt, ...)
{
	char text[512];
	struct problem_fact *p;
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	p = ARRAY_ADD(f->problems, f->n_problems);
	if (!p)
		return ERR_NOMEM;
	p->frame = frame;
	p->text = arena_copy(&f->arena, text, strlen(text) + 1);
	return p->text ? 0 : ERR_NOMEM;
}

void facts_free(struct facts *f)
{
	size_t i;

	for (i = 0; i < f->n_children; i++) {
		ts_list_free(&f->children[i].ts_i);
		ts_list_free(&f->children[i].ts_r);
		ts_list_free(&f->children[i].asked_ts_i);
		ts_list_free(&f->children[i].asked_ts_r);
	}
	free(f->frames);
	free(f->ike);
	free(f->natd);
	free(f->ike_sas);
	free(f->children);
	free(f->refusals);
	free(f->esp);
	free(f->keepalives);
	free(f->icmp_errors);
	free(f->clear);
	free(f->tcp);
	free(f->problems);
	arena_free(&f->arena);
	keys_free(&f->keys);
	capture_set_free(&f->set);
	*f = (struct facts){0};
}

const struct ike_payloads *ike_msg_payloads(const struct ike_msg *m)
{
	static const struct ike_payloads none;

	return m->inner ? m->inner : m->outer ? m->outer : &none;
}

const struct fact_frame *ike_msg_frame(const struct facts *f, const struct ike_msg *m)
{
	return &f->frames[m->frame];
}

size_t facts_child_by_spi(const struct facts *f, uint32_t spi, size_t frame, bool *ret_to_initiator)
{
	size_t i, best = FACT_NONE;

	for (i = 0; i < f->n_children; i++) {
		const struct child_sa_fact *c = &f->children[i];

		if (c->spi_i != spi && c->spi_r != spi)
			continue;
		/* The first packets may be sent before the response was seen everywhere. */
		if (best != FACT_NONE && f->ike[c->request_msg].frame > frame)
			break;
		best = i;
		if (ret_to_initiator)
			*ret_to_initiator = c->spi_i == spi;
	}
	return best;
}

size_t facts_child_packets(const struct facts *f, size_t child, bool to_initiator)
{
	const struct child_sa_fact *c = &f->children[child];
	size_t counts[CAPTURE_PLACES_MAX] = {0}, i, most = 0;

	for (i = 0; i < f->n_esp; i++) {
		size_t *count = &counts[f->frames[f->esp[i].frame].place];

		if (f->esp[i].child == child &&
		    f->esp[i].spi == (to_initiator ? c->spi_i : c->spi_r) && ++*count > most)
			most = *count;
	}
	return most;
}

void child_direction(const struct child_sa_fact *c, bool to_initiator,
		     const struct ts_list **ret_src, const struct ts_list **ret_dst)
{
	*ret_src = to_initiator ? &c->ts_r : &c->ts_i;
	*ret_dst = to_initiator ? &c->ts_i : &c->ts_r;
}

static bool ttl_is_initial(uint8_t ttl)
{
	return ttl == 64 || ttl == 128 || ttl == 255;
}

size_t facts_sender_place(const struct facts *f, uint32_t spi)
{
	const struct fact_frame *first = NULL;
	bool one_place = true, fresh = true;
	size_t i;

	for (i = 0; i < f->n_esp; i++) {
		const struct fact_frame *frame = &f->frames[f->esp[i].frame];

		if (f->esp[i].spi != spi)
			continue;
		if (!first)
			first = frame;
		one_place = one_place && frame->place == first->place;
		if (frame->place == first->place)
			fresh = fresh && ttl_is_initial(frame->ip.ttl);
	}
	return first && (!one_place || fresh) ? first->place : FACT_NONE;
}
