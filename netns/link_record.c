/* link_record.c - the ground truth as text: one JSON object a record.
 *
 *	{"dir":"ab","n":12,"in":1700000000.000000001,"len":98,"fate":"delivered","due":...,
 *	 "out":...,"len_out":98,"frame_in":12,"frame_out":11,"did":["delay"]}
 *
 * A key stands only where it says something: n not for neighbour discovery, due, out, len_out and
 * frame_out only of what got out, copy and fragment from 1. Written by hand, since a busy link
 * writes tens of thousands a second and nothing in it needs escaping (link_aim_check). */
#include "netns/link_record.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct text {
	char *buf;
	size_t len, cap;
	bool failed;
};

static void add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *t, const char *fmt, ...)
{
	va_list args;
	int len;

	if (t->failed)
		return;
	va_start(args, fmt);
	len = vsnprintf(t->buf + t->len, t->cap - t->len, fmt, args);
	va_end(args);
	if (len < 0 || (size_t)len >= t->cap - t->len)
		t->failed = true;
	else
		t->len += (size_t)len;
}

static void add_time(struct text *t, const char *key, int64_t time)
{
	add(t, ",\"%s\":%" PRId64 ".%09" PRId64, key, time / LINK_S, time % LINK_S);
}

static void add_effects(struct text *t, unsigned did)
{
	static const struct {
		unsigned bit;
		const char *name;
	} effects[] = {
#define X(id, bit, text) {1U << (bit), text},
	    LINK_EFFECTS(X)
#undef X
	};
	const char *separator = "";
	size_t i;

	add(t, ",\"did\":[");
	for (i = 0; i < sizeof(effects) / sizeof(effects[0]); i++) {
		if (!(did & effects[i].bit))
			continue;
		add(t, "%s\"%s\"", separator, effects[i].name);
		separator = ",";
	}
	add(t, "]");
}

static void add_way_out(struct text *t, const struct link_record *record)
{
	add_time(t, "due", record->time_due);
	add_time(t, "out", record->time_out);
	add(t, ",\"len_out\":%zu,\"frame_out\":%" PRIu64, record->len_out, record->frame_out);
}

const char *link_reason_text(enum link_reason reason)
{
	static const char *const texts[] = {
#define X(name, text) [name] = text,
	    LINK_REASONS(X)
#undef X
	};

	return reason < LINK_REASON_COUNT ? texts[reason] : "unknown";
}

size_t link_record_format(const struct link_record *record, char *buf, size_t cap)
{
	struct text t = {.buf = buf, .cap = cap};

	add(&t, "{\"dir\":\"%s\"", record->dir == LINK_AB ? "ab" : "ba");
	if (record->number)
		add(&t, ",\"n\":%" PRIu64, record->number);
	add_time(&t, "in", record->time_in);
	add(&t, ",\"len\":%zu,\"frame_in\":%" PRIu64 ",\"fate\":\"%s\"", record->len_in,
	    record->frame_in, link_reason_text(record->reason));
	if (record->reason == LINK_DELIVERED)
		add_way_out(&t, record);
	if (record->copy)
		add(&t, ",\"copy\":%u", record->copy);
	if (record->did & LINK_DID_FRAGMENTED)
		add(&t, ",\"fragment\":%u", record->fragment);
	if (record->did)
		add_effects(&t, record->did);
	if (record->aim[0])
		add(&t, ",\"aim\":\"%s\"", record->aim);
	add(&t, "}");
	return t.failed ? 0 : t.len;
}
