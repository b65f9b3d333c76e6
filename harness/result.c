/* result.c - the head of a result, its steps, and its verdict.
 *
 * jansson's calls fail only when memory is short; the value is then incomplete, and writing it out
 * reports that. */
#include "harness/result.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

static const char *const verdicts[] = {"pass", "fail", "skipped", "error"};

const char *run_verdict_name(enum run_verdict verdict)
{
	return verdicts[verdict];
}

enum run_verdict result_verdict(const json_t *result)
{
	const char *text = json_string_value(json_object_get(result, "verdict"));
	int i;

	for (i = 0; text && i < 4; i++)
		if (strcmp(verdicts[i], text) == 0)
			return (enum run_verdict)i;
	return RUN_ERROR;
}

static unsigned severity(enum run_verdict verdict)
{
	static const unsigned severities[] = {
	    [RUN_PASS] = 0, [RUN_SKIPPED] = 1, [RUN_FAIL] = 2, [RUN_ERROR] = 3};

	return severities[verdict];
}

void result_set_verdict(json_t *result, enum run_verdict verdict, const char *reason)
{
	if (severity(verdict) <= severity(result_verdict(result)))
		return;
	json_object_set_new(result, "verdict", json_string(verdicts[verdict]));
	json_object_set_new(result, "reason", json_string(reason));
}

static json_t *endpoints_json(const struct plan *plan)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < plan->endpoints_count; i++)
		json_array_append_new(list,
				      json_pack("{s:s, s:s}", "node", plan->endpoints[i].sc->node,
						"daemon", plan->endpoints[i].peer));
	return list;
}

static json_t *environment_json(void)
{
	struct utsname name;

	uname(&name);
	return json_pack("{s:s, s:s, s:s, s:s}", "world", "netns", "kernel", name.release,
			 "machine", name.machine, "beetlab", BEETLAB_VERSION);
}

/* The purpose reads as one paragraph, however the file breaks its lines. */
static json_t *paragraph(const char *text)
{
	char line[2048];
	size_t len = 0;

	for (; *text && len < sizeof(line) - 1; text++) {
		bool is_space = strchr(" \t\n", *text) != NULL;

		if (is_space && (len == 0 || line[len - 1] == ' '))
			continue;
		line[len++] = is_space ? ' ' : *text;
	}
	while (len > 0 && line[len - 1] == ' ')
		len--;
	return json_stringn(line, len);
}

json_t *result_new(const struct plan *plan, const char *command)
{
	const struct scenario *sc = plan->scenario;
	time_t now = time(NULL);
	char started[32], seed[32];
	struct tm tm;

	strftime(started, sizeof(started), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	snprintf(seed, sizeof(seed), "%" PRIu64, plan->seed);
	return json_pack("{s:i, s:s, s:s, s:o, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:[], s:[]}",
			 "format", 1, "scenario", sc->name, "file", sc->path, "purpose",
			 paragraph(sc->purpose), "verdict", "pass", "reason", "", "seed", seed,
			 "started", started, "command", command, "endpoints", endpoints_json(plan),
			 "environment", environment_json(), "steps", "expectations");
}

/* Text from programs may hold anything; JSON takes UTF-8 only. */
static json_t *safe_string(const char *text)
{
	json_t *value = json_string(text);
	char copy[1024];
	size_t i;

	if (value)
		return value;
	for (i = 0; text[i] && i < sizeof(copy) - 1; i++)
		copy[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
	copy[i] = 0;
	return json_string(copy);
}

void result_add_step(json_t *result, const struct sc_step *step, bool ok, double seconds,
		     uint64_t octets, const char *seen, const char *error)
{
	json_t *steps = json_object_get(result, "steps");
	char text[256];
	json_t *entry = json_pack(
	    "{s:i, s:s, s:s, s:i, s:s, s:f}", "number", (int)json_array_size(steps) + 1, "kind",
	    step_kind_name(step->kind), "text", step_describe(step, text, sizeof(text)), "line",
	    (int)step->line, "verdict", ok ? "pass" : "fail", "seconds", seconds);

	if (octets)
		json_object_set_new(entry, "octets", json_integer((json_int_t)octets));
	if (seen && *seen)
		json_object_set_new(entry, "seen", safe_string(seen));
	if (error && *error)
		json_object_set_new(entry, "error", safe_string(error));
	json_array_append_new(steps, entry);
}

static json_t *describe_nat(const struct nat_box_counters *c)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "out", (json_int_t)c->out, "in",
			 (json_int_t)c->in, "hairpinned", (json_int_t)c->hairpinned, "refused",
			 (json_int_t)c->refused, "filtered", (json_int_t)c->filtered);
}

static json_t *describe_wire(const struct wire_truth *w)
{
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o*}", "name", w->name, "in",
			 (json_int_t)w->in, "delivered", (json_int_t)w->delivered, "lost",
			 (json_int_t)w->lost, "too_big", (json_int_t)w->too_big, "duplicated",
			 (json_int_t)w->duplicated, "reordered", (json_int_t)w->reordered,
			 "corrupted", (json_int_t)w->corrupted, "nat",
			 w->has_nat ? describe_nat(&w->nat) : NULL);
}

void result_add_wires(json_t *result, const struct wire_truth *wires, size_t count)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < count; i++)
		json_array_append_new(list, describe_wire(&wires[i]));
	json_object_set_new(result, "wires", list);
}
