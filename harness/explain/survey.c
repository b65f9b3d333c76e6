/* survey.c - reads captures into a survey, each file twice.
 *
 *	first reading    IKE, ICMP errors, IP fragments -> capture set -> facts (SAs, keys)
 *	second reading   everything else -> counters; ESP is opened with the keys of the facts
 *
 * Of what is kept there is a limit for each flow, so that a flood of one kind stays a flood and
 * does not fill the memory; what is left out is counted and told. */
#include "harness/explain/survey.h"

#include <pcap/dlt.h>
#include <stdlib.h>
#include <string.h>

#include "harness/dissect/map.h"
#include "harness/explain/counters.h"
#include "vpn/base/proto.h"

/* Kept of each flow: months of liveness checks, and more than any finding needs. */
#define KEEP_IKE       20000
#define KEEP_ICMP      256
#define KEEP_FRAGMENTS 1024

struct keeping {
	struct survey *s;
	struct capture_set *set;
	struct map kept;
	size_t place;
};

static size_t keep_limit(enum packet_kind kind)
{
	switch (kind) {
	case PACKET_IKE:
		return KEEP_IKE;
	case PACKET_ICMP_ERROR:
		return KEEP_ICMP;
	case PACKET_FRAGMENT:
		return KEEP_FRAGMENTS;
	default:
		return 0;
	}
}

static uint64_t keep_hash(const struct packet *p, size_t place)
{
	uint64_t h = hash_number(HASH_START, place << 8 | p->kind);

	h = hash_octets(h, &p->src.addr, sizeof(p->src.addr));
	h = hash_octets(h, &p->dst.addr, sizeof(p->dst.addr));
	return hash_number(h, (uint64_t)p->src.port << 16 | p->dst.port);
}

static int keep(struct keeping *k, const struct packet *p, size_t limit)
{
	uint64_t h = keep_hash(p, k->place);
	size_t n = map_get(&k->kept, h);
	struct capture_frame frame = {.place = k->place,
				      .number = p->number,
				      .time_us = p->time_us,
				      .len = (uint32_t)p->octets.len,
				      .wire_len = p->wire_len,
				      .data = (uint8_t *)(uintptr_t)p->octets.p};

	n = n == SIZE_MAX ? 1 : n + 1;
	if (n > limit) {
		k->s->places[k->place].left_out++;
		return 0;
	}
	return map_put(&k->kept, h, n) ? ERR_NOMEM : capture_set_add_frame(k->set, &frame);
}

static int first_reading(void *arg, const struct packet *p)
{
	struct keeping *k = arg;
	struct place_sum *sum = &k->s->places[k->place];
	size_t limit = keep_limit(p->kind);

	if (!sum->begin_us || p->time_us < sum->begin_us)
		sum->begin_us = p->time_us;
	if (p->time_us > sum->end_us)
		sum->end_us = p->time_us;
	sum->cut += p->cut;
	sum->not_ip += p->kind == PACKET_NOT_IP;
	sum->ip += p->kind != PACKET_NOT_IP;
	return limit ? keep(k, p, limit) : 0;
}

static int count_frame(void *arg, const struct packet *p)
{
	return count_packet(arg, p);
}

static int read_first(struct keeping *k, const char *path, struct err_msg *msg)
{
	struct stream_end end = {0};
	int err = stream_read(path, first_reading, k, &end, msg);

	if (err)
		return err;
	k->s->places[k->place].frames = end.frames;
	k->set->places[k->place].linktype = end.linktype;
	k->set->places[k->place].frames = end.frames;
	memcpy(k->s->places[k->place].broken, end.broken, sizeof(end.broken));
	return 0;
}

static int read_control(struct survey *s, char *const *paths, size_t n, const char *keys_path,
			struct err_msg *msg)
{
	struct capture_set set = {0};
	struct key_store keys = {0};
	struct keeping k = {.s = s, .set = &set};
	int err = 0;

	for (k.place = 0; !err && k.place < n; k.place++) {
		size_t place;

		err = capture_set_add_place(&set, paths[k.place], DLT_EN10MB, &place, msg);
		if (!err)
			err = read_first(&k, paths[k.place], msg);
	}
	map_free(&k.kept);
	if (!err && keys_path)
		err = keys_load(&keys, keys_path, msg);
	/* A run that failed early has logged none; there is much to say without. */
	s->keys_missing = err == ERR_NOT_FOUND;
	if (err && err != ERR_NOT_FOUND) {
		capture_set_free(&set);
		keys_free(&keys);
		return err;
	}
	s->have_keys = keys_path && !s->keys_missing;
	err = facts_dissect(&set, &keys, &s->f);
	return err ? err_set(msg, err, "dissection: %s", err_text(err)) : 0;
}

static int read_data(struct survey *s, char *const *paths, size_t n, struct err_msg *msg)
{
	struct counting c;
	struct stream_end end;
	int err = counting_begin(&c, s);

	for (c.place = 0; !err && c.place < n; c.place++)
		err = stream_read(paths[c.place], count_frame, &c, &end, msg);
	counting_end(&c);
	return err;
}

int survey_read(char *const *paths, size_t n, const char *keys_path, struct survey *ret_survey,
		struct err_msg *msg)
{
	struct survey s = {.n_places = n};
	int err;

	s.places = calloc(n ? n : 1, sizeof(*s.places));
	if (!s.places)
		return err_set(msg, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	err = read_control(&s, paths, n, keys_path, msg);
	if (!err)
		err = read_data(&s, paths, n, msg);
	if (!err && exchanges_sum(&s))
		err = err_set(msg, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	if (err)
		survey_free(&s);
	else
		*ret_survey = s;
	return err;
}

void survey_free(struct survey *s)
{
	size_t i;

	for (i = 0; i < s->n_esp; i++)
		free(s->esp[i].sizes);
	free(s->esp);
	free(s->places);
	free(s->paths);
	free(s->flows);
	free(s->talks);
	free(s->exchanges);
	free(s->inner_icmp);
	map_free(&s->flow_index);
	map_free(&s->path_index);
	map_free(&s->address_index);
	map_free(&s->pair_index);
	map_free(&s->talk_index);
	map_free(&s->spi_index);
	facts_free(&s->f);
	*s = (struct survey){0};
}

struct seen seen_frame(const struct survey *s, size_t frame)
{
	const struct fact_frame *f = &s->f.frames[frame];

	return (struct seen){f->place, f->number, f->time_us};
}

struct seen seen_msg(const struct survey *s, size_t msg)
{
	return seen_frame(s, s->f.ike[msg].frame);
}

const struct ip_flow *flow_reverse(const struct survey *s, const struct ip_flow *flow)
{
	struct endpoint src = flow->dst, dst = flow->src;
	size_t at;

	if (flow->proto == IP_PROTO_ICMP || flow->proto == IP_PROTO_ICMP6) {
		bool echo = flow->src.port == (flow->proto == IP_PROTO_ICMP ? 8 << 8 : 128 << 8);

		src.port = flow->proto == IP_PROTO_ICMP ? (echo ? 0 : 8 << 8)
							: (echo ? 129 << 8 : 128 << 8);
		dst.port = 0;
	}
	at = map_get(&s->flow_index, flow_hash(flow->place, flow->inside, flow->proto, &src, &dst));
	return at == SIZE_MAX ? NULL : &s->flows[at];
}

double survey_rest(const struct survey *s, size_t place, uint64_t time_us)
{
	uint64_t end = s->places[place].end_us;

	return end > time_us ? (double)(end - time_us) / 1e6 : 0;
}
