/* json.c - findings for programs; the fields are those of `beetlab explain --json`, with a line of
 * text as evidence in place of a frame. */
#include "vpn/daemon/beetctl/explain/print.h"

static json_t *finding_json(const struct finding *f)
{
	static const char *const kinds[] = {"fault", "symptom", "note"};
	json_t *list = json_array(), *o;
	size_t i;

	for (i = 0; i < f->n_evidence; i++)
		json_array_append_new(list, json_pack("{s:s}", "text", f->evidence[i]));
	o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:o}", "id", f->rule->id,
		      "names", f->rule->names, "kind", kinds[f->rule->kind], "certainty",
		      certainty_name(f->certainty), "title", f->rule->title, "what", f->what,
		      "cases", (int)f->cases, "why", f->rule->why, "remedy", f->rule->remedy,
		      "clause", f->rule->clause, "evidence", list);
	if (o && f->detail[0])
		json_object_set_new(o, "detail", json_string(f->detail));
	return o;
}

json_t *live_json(const struct facts *f, const struct findings *found)
{
	json_t *findings = json_array(), *limits = json_array();
	const struct fact_sa *sa = live_sa(f);
	size_t i;

	for (i = 0; i < found->n; i++)
		json_array_append_new(findings, finding_json(&found->v[i]));
	for (i = 0; i < f->n_limits; i++)
		json_array_append_new(limits, json_string(f->limits[i]));
	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:i, s:o, s:o}", "connection", f->conn,
			 "daemon", f->daemon, "version", f->version, "state",
			 sa ? sa->state : "none", "kernel", f->kernel_known, "watched",
			 f->watched ? (int)f->seconds : 0, "limits", limits, "findings", findings);
}
