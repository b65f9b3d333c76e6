/* link_record.c - the ground truth as text: one JSON object a record.
 *
 *	{"dir":"ab","n":12,"in":1700000000.000000001,"len":98,"fate":"delivered","due":...,
 *	 "out":...,"len_out":98,"frame_in":12,"frame_out":11,"did":["delay"]}
 *
 * A key stands only where it says something: n not for neighbour discovery, due, out, len_out and
 * frame_out only of what got out, copy and fragment from 1. Written by hand, since a busy link
 * writes tens of thousands a second and nothing in it needs escaping (link_aim_check). */
#include "netns/link_record.h"
#include "vpn/base/writer.h"
#include <string.h>

#define DIGITS_MAX 20

static void add_text(struct writer *w, const char *text)
{
	wr_bytes(w, text, strlen(text));
}

/* With zeros in front up to `width` digits. */
static void add_number(struct writer *w, uint64_t value, unsigned width)
{
	char digits[DIGITS_MAX];
	unsigned count = 0;

	do {
		digits[DIGITS_MAX - ++count] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0 || count < width);
	wr_bytes(w, digits + DIGITS_MAX - count, count);
}

static void add_count(struct writer *w, const char *key, uint64_t value)
{
	add_text(w, key);
	add_number(w, value, 1);
}

static void add_time(struct writer *w, const char *key, int64_t time)
{
	add_count(w, key, (uint64_t)(time / LINK_S));
	wr_u8(w, '.');
	add_number(w, (uint64_t)(time % LINK_S), 9);
}

static void add_effects(struct writer *w, unsigned did)
{
	static const struct {
		unsigned bit;
		const char *name;
	} effects[] = {
#define X(id, bit, text) {1U << (bit), "\"" text "\""},
	    LINK_EFFECTS(X)
#undef X
	};
	const char *separator = "";
	size_t i;

	add_text(w, ",\"did\":[");
	for (i = 0; i < sizeof(effects) / sizeof(effects[0]); i++) {
		if (!(did & effects[i].bit))
			continue;
		add_text(w, separator);
		add_text(w, effects[i].name);
		separator = ",";
	}
	wr_u8(w, ']');
}

static void add_way_out(struct writer *w, const struct link_record *record)
{
	add_time(w, ",\"due\":", record->time_due);
	add_time(w, ",\"out\":", record->time_out);
	add_count(w, ",\"len_out\":", record->len_out);
	add_count(w, ",\"frame_out\":", record->frame_out);
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
	struct writer w = wr_init(buf, cap);

	add_text(&w, record->dir == LINK_AB ? "{\"dir\":\"ab\"" : "{\"dir\":\"ba\"");
	if (record->number)
		add_count(&w, ",\"n\":", record->number);
	add_time(&w, ",\"in\":", record->time_in);
	add_count(&w, ",\"len\":", record->len_in);
	add_count(&w, ",\"frame_in\":", record->frame_in);
	add_text(&w, ",\"fate\":\"");
	add_text(&w, link_reason_text(record->reason));
	wr_u8(&w, '"');
	if (record->reason == LINK_DELIVERED)
		add_way_out(&w, record);
	if (record->copy)
		add_count(&w, ",\"copy\":", record->copy);
	if (record->did & LINK_DID_FRAGMENTED)
		add_count(&w, ",\"fragment\":", record->fragment);
	if (record->did)
		add_effects(&w, record->did);
	if (record->aim[0]) {
		add_text(&w, ",\"aim\":\"");
		add_text(&w, record->aim);
		wr_u8(&w, '"');
	}
	add_text(&w, "}");
	return wr_ok(&w) ? w.len : 0;
}
