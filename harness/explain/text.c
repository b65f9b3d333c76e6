/* text.c - findings as a person reads them on a terminal: what, evidence, why, what to do. Lines
 * are broken at 90 columns. And where nothing was found, what can be said then, and no more. */
#include "harness/explain/text.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

#define PLACES_MAX 12

static void clock_text(uint64_t time_us, char *buf, size_t cap)
{
	time_t t = (time_t)(time_us / 1000000);
	struct tm tm;
	char hms[32];

	gmtime_r(&t, &tm);
	strftime(hms, sizeof(hms), "%H:%M:%S", &tm);
	snprintf(buf, cap, "%s.%03u", hms, (unsigned)(time_us / 1000 % 1000));
}

static void print_evidence(FILE *out, const struct survey *s, const struct evidence *e)
{
	char when[40], line[1400];

	if (e->file) {
		snprintf(line, sizeof(line), "%s:%u: %s", e->file, e->line, e->text);
		print_wrapped(out, WRAP_INDENT + WRAP_LABEL, "", line);
		return;
	}
	clock_text(e->at.time_us, when, sizeof(when));
	snprintf(line, sizeof(line), "%s %u, %s: %s", s->f.set.places[e->at.place].name,
		 e->at.number, when, e->text);
	print_wrapped(out, WRAP_INDENT + WRAP_LABEL, "", line);
}

static const char *kind_text(const struct finding *f)
{
	return f->rule->kind == RULE_NOTE ? "note" : certainty_name(f->certainty);
}

static void print_finding(FILE *out, const struct survey *s, const struct finding *f, size_t number,
			  bool colour)
{
	char cases[48] = "";
	size_t i;

	if (f->cases > 1)
		snprintf(cases, sizeof(cases), ", %u cases", f->cases);
	fprintf(out, "\n%s%2zu. %s%s  [%s, %s%s]\n", colour ? "\033[1m" : "", number,
		f->rule->title, colour ? "\033[0m" : "", f->rule->id, kind_text(f), cases);
	print_wrapped(out, WRAP_INDENT, "what", f->what);
	for (i = 0; i < f->n_evidence; i++) {
		if (!i)
			fprintf(out, "%*s%s\n", WRAP_INDENT, "",
				f->evidence[0].file ? "seen" : "frames");
		print_evidence(out, s, &f->evidence[i]);
	}
	print_wrapped(out, WRAP_INDENT, "why", f->rule->why);
	print_wrapped(out, WRAP_INDENT, "do", f->rule->remedy);
	if (f->detail)
		print_wrapped(out, WRAP_INDENT, "", f->detail);
	print_wrapped(out, WRAP_INDENT, "see", f->rule->clause);
}

static void print_places(FILE *out, const struct survey *s)
{
	size_t i;

	for (i = 0; i < s->n_places; i++) {
		const struct place_sum *p = &s->places[i];
		char begin[40], end[40];

		clock_text(p->begin_us, begin, sizeof(begin));
		clock_text(p->end_us, end, sizeof(end));
		fprintf(out, "%s: %u frames", s->f.set.places[i].path, p->frames);
		if (p->frames)
			fprintf(out, ", %s to %s", begin, end);
		fprintf(out, "\n");
		if (p->broken[0])
			fprintf(out, "    broken off: %s\n", p->broken);
		if (p->cut)
			fprintf(out,
				"    %u frames are cut short by the capture (snapshot length)\n",
				p->cut);
		if (p->left_out)
			fprintf(out, "    %u frames of floods are counted but not looked into\n",
				p->left_out);
	}
}

static uint64_t esp_packets(const struct survey *s)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < s->n_esp; i++)
		n += s->esp[i].n;
	return n;
}

static void print_sum(FILE *out, const struct survey *s)
{
	uint64_t opened = 0;
	size_t i;

	for (i = 0; i < s->n_esp; i++)
		opened += s->esp[i].opened;
	fprintf(out, "%zu IKE messages, %zu IKE SAs, %llu ESP packets", s->f.n_ike, s->f.n_ike_sas,
		(unsigned long long)esp_packets(s));
	if (s->have_keys)
		fprintf(out, " (%llu opened), %zu Child SAs", (unsigned long long)opened,
			s->f.n_children);
	fprintf(out, "%s\n",
		s->have_keys	  ? ""
		: s->keys_missing ? "; no keys found there: only what shows from outside"
				  : "; no keys: only what shows from outside");
}

/* What the captures do not show, and what would. */
static void print_unseen(FILE *out, const struct survey *s)
{
	const char *what;
	char more[256];
	size_t i;

	print_wrapped(out, 0, "",
		      "Nothing wrong shows from here. That the tunnel works does not show either; "
		      "there is");
	for (i = 0; (what = survey_unseen(s, i)); i++)
		print_wrapped(out, WRAP_INDENT, "", what);
	snprintf(more, sizeof(more),
		 "More would tell:%s%s a capture from before the start to behind "
		 "the failure.",
		 s->n_places < 2 ? " a capture of the other end at the same time;" : "",
		 s->have_keys ? "" : " keys (--keys);");
	print_wrapped(out, 0, "", more);
}

static void print_nothing_found(FILE *out, const struct survey *s)
{
	static const char *const texts[] = {
	    [SURVEY_NOTHING] =
		"There is neither IKE nor ESP in this capture (UDP 500, UDP 4500, IP "
		"protocol 50), so there is nothing to explain. If there should be some, "
		"it was captured at another place than where it goes, or nothing "
		"starts the tunnel.",
	    [SURVEY_WORKS] =
		"No fault found. What is in the captures works: the IKE SA is complete, and ESP "
		"goes both ways to the end.",
	};
	fprintf(out, "\n");
	if (!s->n_places)
		print_wrapped(out, 0, "",
			      "No fault found in the file. Captures would show whether the daemon "
			      "and its peer agree.");
	else if (survey_state(s) == SURVEY_UNREMARKABLE)
		print_unseen(out, s);
	else
		print_wrapped(out, 0, "", texts[survey_state(s)]);
}

void findings_print(FILE *out, const struct survey *s, const struct findings *f, bool colour)
{
	bool fault = false;
	size_t i;

	print_places(out, s);
	if (s->n_places)
		print_sum(out, s);
	for (i = 0; i < f->n; i++)
		fault = fault || f->v[i].rule->kind != RULE_NOTE;
	if (!fault)
		print_nothing_found(out, s);
	for (i = 0; i < f->n; i++)
		print_finding(out, s, &f->v[i], i + 1, colour);
}

static json_t *evidence_json(const struct survey *s, const struct evidence *e)
{
	if (e->file)
		return json_pack("{s:s, s:i, s:s}", "file", e->file, "line", (int)e->line, "text",
				 e->text);
	return json_pack("{s:s, s:i, s:f, s:s}", "place", s->f.set.places[e->at.place].name,
			 "frame", (int)e->at.number, "time", (double)e->at.time_us / 1e6, "text",
			 e->text);
}

static json_t *finding_json(const struct survey *s, const struct finding *f)
{
	static const char *const kinds[] = {"fault", "symptom", "note"};
	json_t *list = json_array(), *o;
	size_t i;

	for (i = 0; i < f->n_evidence; i++)
		json_array_append_new(list, evidence_json(s, &f->evidence[i]));
	o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:o}", "id", f->rule->id,
		      "names", f->rule->names, "kind", kinds[f->rule->kind], "certainty",
		      certainty_name(f->certainty), "title", f->rule->title, "what", f->what,
		      "cases", (int)f->cases, "why", f->rule->why, "remedy", f->rule->remedy,
		      "clause", f->rule->clause, "evidence", list);
	if (o && f->detail)
		json_object_set_new(o, "detail", json_string(f->detail));
	return o;
}

static json_t *place_json(const struct survey *s, size_t i)
{
	const struct place_sum *p = &s->places[i];
	json_t *o = json_pack("{s:s, s:s, s:i, s:i, s:i}", "place", s->f.set.places[i].name, "file",
			      s->f.set.places[i].path, "frames", (int)p->frames, "cut", (int)p->cut,
			      "left_out", (int)p->left_out);

	if (o && p->broken[0])
		json_object_set_new(o, "broken", json_string(p->broken));
	return o;
}

json_t *findings_json(const struct survey *s, const struct findings *f)
{
	static const char *const states[] = {"nothing", "works", "unremarkable"};
	json_t *places = json_array(), *list = json_array(), *unseen = json_array();
	const char *what;
	size_t i;

	for (i = 0; (what = survey_unseen(s, i)); i++)
		json_array_append_new(unseen, json_string(what));
	for (i = 0; i < s->n_places; i++)
		json_array_append_new(places, place_json(s, i));
	for (i = 0; i < f->n; i++)
		json_array_append_new(list, finding_json(s, &f->v[i]));
	return json_pack("{s:i, s:o, s:b, s:s, s:o, s:o}", "version", 1, "captures", places, "keys",
			 s->have_keys, "state", states[survey_state(s)], "unseen", unseen,
			 "findings", list);
}
