/* result_explain.c - the expectation `explain: ID`. See the header.
 *
 * Notes do not count: they are about what works. The captures are those that the facts are of, in
 * its order, so what a scenario expects is what `beetlab explain RUN/captures/...` says to the
 * person who looks at the run. */
#include "harness/result_explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/explain/findings.h"

#define KEY_KEYS "keys"

static const struct rule *find_rule(const char *id)
{
	const struct rule *table;
	size_t i, n;

	table = rules_table(&n);
	for (i = 0; i < n; i++)
		if (strcmp(table[i].id, id) == 0)
			return &table[i];
	return NULL;
}

static const struct pair *find_param(const struct sc_expectation *e)
{
	return e->with.count ? &e->with.items[0] : NULL;
}

int explain_validate(struct doc *doc, const struct sc_expectation *e, struct err_msg *msg)
{
	const struct pair *param = find_param(e);

	if (strcmp(e->explain, EXPLAIN_NOTHING) != 0 && !find_rule(e->explain))
		return doc_error(doc, e->line, msg,
				 "no finding '%s' ('beetlab explain --list' has them all; '%s' is "
				 "that there is none)",
				 e->explain, EXPLAIN_NOTHING);
	if (e->verdict)
		return doc_error(doc, e->line, msg, "'explain' takes no 'verdict'");
	if (param && (e->with.count > 1 || strcmp(param->key, KEY_KEYS) != 0 ||
		      (strcmp(param->value, "yes") != 0 && strcmp(param->value, "no") != 0)))
		return doc_error(doc, param->line, msg,
				 "'explain' takes one parameter, 'keys': yes or no");
	return 0;
}

static int read_survey(const struct sc_expectation *e, const struct capture_set *set,
		       const char *dir, struct survey *ret_survey, struct err_msg *msg)
{
	const struct pair *param = find_param(e);
	char keys[4096], *paths[CAPTURE_PLACES_MAX];
	bool with_keys = dir && !(param && strcmp(param->value, "no") == 0);
	size_t i;

	snprintf(keys, sizeof(keys), "%s/keys", dir ? dir : "");
	for (i = 0; i < set->n_places; i++)
		paths[i] = set->places[i].path;
	return survey_read(paths, set->n_places, with_keys ? keys : NULL, ret_survey, msg);
}

static const struct finding *first_fault(const struct findings *f)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (f->v[i].rule->kind != RULE_NOTE)
			return &f->v[i];
	return NULL;
}

static json_t *evidence_json(const struct survey *s, const struct finding *f)
{
	json_t *frames = json_array();
	size_t i;

	for (i = 0; f && i < f->n_evidence; i++)
		json_array_append_new(frames,
				      json_pack("{s:s, s:I}", "place",
						s->f.set.places[f->evidence[i].at.place].name,
						"frame", (json_int_t)f->evidence[i].at.number));
	return frames;
}

static void compare(const struct sc_expectation *e, const struct survey *s,
		    const struct findings *found, struct explained *out)
{
	const struct finding *first = first_fault(found);
	const char *id = first ? first->rule->id : EXPLAIN_NOTHING;
	const struct rule *wanted = find_rule(e->explain);

	out->is_met = strcmp(id, e->explain) == 0;
	out->is_absence = !first;
	if (!first)
		snprintf(out->text, sizeof(out->text), "nothing is found");
	else if (out->is_met)
		snprintf(out->text, sizeof(out->text), "found first");
	else
		snprintf(out->text, sizeof(out->text), "%s is found first: %s", id,
			 first->rule->title);
	out->entry = json_pack(
	    "{s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "kind", "explain", "name", e->explain, "title",
	    wanted ? wanted->title : "beetlab explain finds nothing", "wanted", "pass", "verdict",
	    out->is_met ? "pass" : "fail", "summary", out->text, "frames", evidence_json(s, first));
}

int explain_judge(const struct sc_expectation *e, const struct facts *facts, const char *dir,
		  struct explained *ret_explained, struct err_msg *msg)
{
	struct explained out = {.entry = NULL};
	struct findings found = {0};
	struct survey s = {0};
	int err = read_survey(e, &facts->set, dir, &s, msg);

	if (err)
		return err;
	err = findings_find(&s, &found);
	if (!err)
		compare(e, &s, &found, &out);
	if (!err && !out.entry)
		err = ERR_NOMEM;
	findings_free(&found);
	survey_free(&s);
	if (err)
		return err_set(msg, err, "explain: %s", err_text(err));
	*ret_explained = out;
	return 0;
}
