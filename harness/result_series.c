/* result_series.c - packets and octets over time at each place, and losses of each impaired wire.
 *
 * The run is cut into at most BUCKETS equal parts. Losses come from the wires' own records, line by
 * line, since a capture cannot show what did not arrive. */
#include "harness/result.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 120

struct series {
	double start, step; /* seconds since 1970, seconds */
	size_t buckets;
};

static size_t bucket_of(const struct series *s, double time)
{
	double at = (time - s->start) / s->step;

	if (!(at > 0))
		return 0;
	return at < (double)s->buckets ? (size_t)at : s->buckets - 1;
}

static json_t *numbers_json(const double *values, size_t count)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < count; i++)
		json_array_append_new(list, json_integer((json_int_t)values[i]));
	return list;
}

struct columns {
	double ike[BUCKETS], esp[BUCKETS], other[BUCKETS], octets[BUCKETS];
};

static json_t *place_json(const struct facts *f, const struct series *s, size_t place)
{
	struct columns *c = calloc(1, sizeof(*c));
	json_t *out;
	size_t i;

	for (i = 0; c && i < f->n_frames; i++) {
		const struct fact_frame *frame = &f->frames[i];
		size_t b = bucket_of(s, (double)frame->time_us / 1e6);

		if (frame->place != place)
			continue;
		if (frame->kind == FRAME_IKE)
			c->ike[b]++;
		else if (frame->kind == FRAME_ESP)
			c->esp[b]++;
		else
			c->other[b]++;
		c->octets[b] += frame->wire_len;
	}
	if (!c)
		return json_null();
	out = json_pack("{s:s, s:o, s:o, s:o, s:o}", "place", f->set.places[place].name, "ike",
			numbers_json(c->ike, s->buckets), "esp", numbers_json(c->esp, s->buckets),
			"other", numbers_json(c->other, s->buckets), "octets",
			numbers_json(c->octets, s->buckets));
	free(c);
	return out;
}

/* One record of a wire's log: a packet that did not get out. */
static void add_loss(const char *line, const struct series *s, double *lost)
{
	json_t *record = json_loads(line, 0, NULL);
	const char *fate = json_string_value(json_object_get(record, "fate"));

	if (fate && strcmp(fate, "delivered") != 0 && strcmp(fate, "stop") != 0)
		lost[bucket_of(s, json_number_value(json_object_get(record, "in")))]++;
	json_decref(record);
}

static void add_wire_losses(json_t *list, const struct series *s, const char *dir, const char *name)
{
	double lost[BUCKETS] = {0};
	char path[4096], *line = NULL;
	size_t cap = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/captures/%s.jsonl", dir, name);
	file = fopen(path, "re");
	if (!file)
		return;
	while (getline(&line, &cap, file) > 0)
		add_loss(line, s, lost);
	free(line);
	fclose(file);
	json_array_append_new(
	    list, json_pack("{s:s, s:o}", "wire", name, "lost", numbers_json(lost, s->buckets)));
}

void result_add_series(json_t *result, const struct facts *f, const char *dir)
{
	struct series s = {.buckets = BUCKETS};
	json_t *places = json_array(), *losses = json_array(), *wire;
	double length;
	size_t i;

	if (f->n_frames == 0) {
		json_decref(places);
		json_decref(losses);
		return;
	}
	s.start = (double)f->frames[0].time_us / 1e6;
	length = (double)f->frames[f->n_frames - 1].time_us / 1e6 - s.start;
	s.step = fmax(length / BUCKETS, 0.01);
	s.buckets = (size_t)fmin(BUCKETS, floor(length / s.step) + 1);
	for (i = 0; i < f->set.n_places; i++)
		json_array_append_new(places, place_json(f, &s, i));
	json_array_foreach(json_object_get(result, "wires"), i, wire)
	    add_wire_losses(losses, &s, dir, json_string_value(json_object_get(wire, "name")));
	json_object_set_new(result, "series",
			    json_pack("{s:f, s:f, s:o, s:o}", "start", s.start, "step", s.step,
				      "places", places, "losses", losses));
}
