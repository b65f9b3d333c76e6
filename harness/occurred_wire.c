/* occurred_wire.c - counts what impaired wires did, by their own word: the totals, and the records
 * (link_record.h) of packets that an aim chose. */
#include "harness/occurred_internal.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void count_wire(struct count *c, size_t offset)
{
	size_t i;

	for (i = 0; i < c->ev->wires_count; i++)
		if (fits(c, "wire", c->ev->wires[i].name))
			c->o->count +=
			    *(const uint64_t *)(const void *)((const char *)&c->ev->wires[i] +
							      offset);
}

void count_lost(struct count *c)
{
	count_wire(c, offsetof(struct wire_truth, lost));
}

void count_too_big(struct count *c)
{
	count_wire(c, offsetof(struct wire_truth, too_big));
}

void count_reordered(struct count *c)
{
	count_wire(c, offsetof(struct wire_truth, reordered));
}

void count_corrupted(struct count *c)
{
	count_wire(c, offsetof(struct wire_truth, corrupted));
}

void count_duplicated(struct count *c)
{
	count_wire(c, offsetof(struct wire_truth, duplicated));
}

/* A record with the aim that chose its packet: link_record.h. */
static bool is_by_aim(const char *line, const char *wanted)
{
	json_t *record = json_loads(line, 0, NULL);
	const char *aim = json_string_value(json_object_get(record, "aim"));
	bool is = aim && (!wanted || strcmp(aim, wanted) == 0);

	json_decref(record);
	return is;
}

static void count_records(struct count *c, const char *wire)
{
	char path[4096], *line = NULL;
	size_t cap = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/captures/%s.jsonl", c->ev->dir, wire);
	file = fopen(path, "re");
	if (!file)
		return;
	while (getline(&line, &cap, file) > 0)
		c->o->count += strstr(line, "\"aim\"") && is_by_aim(line, count_param(c->e, "aim"));
	free(line);
	fclose(file);
}

void count_aimed(struct count *c)
{
	size_t i;

	for (i = 0; i < c->ev->wires_count && c->ev->dir; i++)
		if (fits(c, "wire", c->ev->wires[i].name))
			count_records(c, c->ev->wires[i].name);
}
