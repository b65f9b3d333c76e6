/* result_judge.c - every check and every expectation, with its evidence.
 *
 * A standing check that the scenario names is run as the scenario says, with its parameters and the
 * verdict that it expects, and not a second time. A named check that found nothing to judge has not
 * shown anything: that is a failure.
 *
 * After a step that failed, what should have followed did not: an expectation that is unmet because
 * something is absent would bury the cause, and is not judged. What packets show counts. */
#include "harness/checks/json.h"
#include "harness/params.h"
#include "harness/result.h"
#include "harness/result_explain.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACES_MAX CAPTURE_PLACES_MAX

struct judge {
	json_t *result;
	const struct plan *plan;
	const struct evidence *evidence;
	struct place_param places[PLACES_MAX];
	char names[PLACES_MAX][PLAN_NAME_MAX + 3];
	size_t places_count;
	int failed_step; /* 0: none */
	struct err_msg *msg;
};

/* Of both directions; 0: as wide as the link. */
static unsigned narrowest(const struct sc_impairment *impairment)
{
	const struct sc_towards *towards = impairment->towards.items;
	unsigned mtu = impairment->both.mtu;
	size_t i;

	for (i = 0; i < impairment->towards.count; i++)
		if (towards[i].treatment.mtu && (!mtu || towards[i].treatment.mtu < mtu))
			mtu = towards[i].treatment.mtu;
	return mtu;
}

static void add_place(struct judge *j, const struct plan_wire *wire, const char *suffix)
{
	static const enum tristate outer[] = {
	    [WIRE_AUTO] = UNSTATED, [WIRE_OUTER] = YES, [WIRE_INSIDE] = NO};
	const struct topo_link *link = &j->plan->topology.links[wire->link];

	if (j->places_count == PLACES_MAX)
		return;
	snprintf(j->names[j->places_count], sizeof(j->names[0]), "%s%s", wire->name, suffix);
	j->places[j->places_count] =
	    (struct place_param){.name = j->names[j->places_count],
				 .mtu = link->mtu ? link->mtu : 1500,
				 .lets_through = narrowest(&wire->impairment),
				 .outer = outer[wire->place]};
	j->places_count++;
}

static void fill_places(struct judge *j)
{
	size_t i;

	for (i = 0; i < j->plan->wires_count; i++) {
		const struct plan_wire *wire = &j->plan->wires[i];

		if (wire->impairment.is_set) {
			add_place(j, wire, "-a");
			add_place(j, wire, "-b");
		} else {
			add_place(j, wire, "");
		}
	}
}

static void add_scenario_words(json_t *entry, const struct sc_expectation *e)
{
	size_t i;
	json_t *with;

	if (!e)
		return;
	if (e->finding)
		json_object_set_new(entry, "finding", json_string(e->finding));
	if (e->because)
		json_object_set_new(entry, "because", json_string(e->because));
	json_object_set_new(entry, "line", json_integer(e->line));
	with = json_object();
	for (i = 0; i < e->with.count; i++)
		json_object_set_new(with, e->with.items[i].key,
				    json_string(e->with.items[i].value));
	json_object_set_new(entry, "with", with);
}

static void append(struct judge *j, json_t *entry, bool is_met, const char *name,
		   const char *summary)
{
	char reason[512];

	json_object_set_new(entry, "met", json_boolean(is_met));
	json_array_append_new(json_object_get(j->result, "expectations"), entry);
	if (is_met)
		return;
	snprintf(reason, sizeof(reason), "%s: %s", name, summary);
	result_set_verdict(j->result, RUN_FAIL, reason);
}

static bool has_evidence(const struct check_result *r)
{
	size_t i;

	for (i = 0; i < r->n_faults; i++)
		if (r->faults[i].n_frames > 0)
			return true;
	return false;
}

/* An absence: unmet, unless a step that failed is to blame. */
static void append_absence(struct judge *j, json_t *entry, const char *name, const char *summary)
{
	char text[64];

	if (j->failed_step == 0) {
		append(j, entry, false, name, summary);
		return;
	}
	snprintf(text, sizeof(text), "not judged: step %d failed", j->failed_step);
	json_object_set_new(entry, "verdict", json_string("not-judged"));
	json_object_set_new(entry, "summary", json_string(text));
	json_object_set_new(entry, "met", json_false());
	json_object_del(entry, "faults");
	json_object_del(entry, "notes");
	json_array_append_new(json_object_get(j->result, "expectations"), entry);
}

static int first_failed_step(const json_t *result)
{
	json_t *step;
	size_t i;

	json_array_foreach(json_object_get(result, "steps"), i, step)
	{
		if (strcmp(json_string_value(json_object_get(step, "verdict")), "pass") != 0)
			return (int)i + 1;
	}
	return 0;
}

/* e: NULL for a standing check that the scenario does not name. */
static int judge_check(struct judge *j, const struct check *check, const struct sc_expectation *e)
{
	struct check_params params = {.places = j->places, .n_places = j->places_count};
	enum wanted_verdict said = e ? (enum wanted_verdict)e->verdict : WANTED_PASS;
	enum verdict wanted = said == WANTED_FAIL ? VERDICT_FAIL : VERDICT_PASS;
	struct check_result r;
	bool is_met;
	json_t *entry;
	int err = e ? params_read(j->plan->scenario->doc, &e->with, &params, j->msg) : 0;

	if (err < 0)
		return err;
	check_run(check, j->evidence->facts, &params, &r);
	is_met = r.err == 0 && (r.verdict == wanted || said == WANTED_ANY ||
				(!e && r.verdict == VERDICT_NOT_APPLICABLE));
	entry = check_result_json(j->evidence->facts, &r);
	json_object_set_new(entry, "kind", json_string("check"));
	json_object_set_new(entry, "standing", json_boolean(check->standing));
	json_object_set_new(entry, "wanted",
			    json_string(said == WANTED_ANY ? "any" : verdict_name(wanted)));
	add_scenario_words(entry, e);
	if (e && !is_met && !r.err && !has_evidence(&r))
		append_absence(j, entry, check->name, r.summary);
	else
		append(j, entry, is_met, check->name, r.summary);
	err = r.err;
	check_result_free(&r);
	params_clear(&params);
	return err < 0 ? err_set(j->msg, err, "check %s: %s", check->name, err_text(err)) : 0;
}

static void judge_occurred(struct judge *j, const struct sc_expectation *e)
{
	struct occurrence o;
	json_t *entry, *frames = json_array();
	size_t i;

	occurred_count(e, j->evidence, &o);
	for (i = 0; i < o.frames_count; i++)
		json_array_append_new(frames, frame_json(j->evidence->facts, o.frames[i]));
	entry = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:o}", "kind", "occurred", "name",
			  e->occurred, "title", o.title, "wanted", "pass", "verdict",
			  o.is_met ? "pass" : "fail", "summary", o.text, "count",
			  (json_int_t)o.count, "frames", frames);
	add_scenario_words(entry, e);
	if (o.count < o.min)
		append_absence(j, entry, o.title, o.text);
	else
		append(j, entry, o.is_met, o.title, o.text);
}

static int judge_explain(struct judge *j, const struct sc_expectation *e)
{
	struct explained x;
	int err = explain_judge(e, j->evidence->facts, j->evidence->dir, &x, j->msg);

	if (err < 0)
		return err;
	add_scenario_words(x.entry, e);
	if (!x.is_met && x.is_absence)
		append_absence(j, x.entry, e->explain, x.text);
	else
		append(j, x.entry, x.is_met, "explain", x.text);
	return 0;
}

static bool is_named(const struct scenario *sc, const char *check)
{
	const struct sc_expectation *e = sc->expect.items;
	size_t i;

	for (i = 0; i < sc->expect.count; i++)
		if (e[i].check && strcmp(e[i].check, check) == 0)
			return true;
	return false;
}

int result_judge(json_t *result, const struct plan *plan, const struct evidence *evidence,
		 struct err_msg *msg)
{
	struct judge *j = calloc(1, sizeof(*j));
	const struct sc_expectation *e = plan->scenario->expect.items;
	const struct check *table;
	size_t i, n;
	int err = 0;

	if (!j)
		return err_set(msg, ERR_NOMEM, "out of memory");
	*j = (struct judge){.result = result,
			    .plan = plan,
			    .evidence = evidence,
			    .failed_step = first_failed_step(result),
			    .msg = msg};
	fill_places(j);
	for (i = 0; i < plan->scenario->expect.count && err == 0; i++) {
		if (e[i].check)
			err = judge_check(j, check_find(e[i].check), &e[i]);
		else if (e[i].explain)
			err = judge_explain(j, &e[i]);
		else
			judge_occurred(j, &e[i]);
	}
	table = checks_table(&n);
	for (i = 0; i < n && err == 0; i++)
		if (table[i].standing && !is_named(plan->scenario, table[i].name))
			err = judge_check(j, &table[i], NULL);
	free(j);
	return err;
}
