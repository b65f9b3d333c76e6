/* result_facts.c - captures and SAs, for people to look at. */
#include "harness/result.h"
#include <inttypes.h>
#include <stdio.h>

static const char *mode_text(enum ipsec_mode mode)
{
	static const char *const texts[] = {
	    [IPSEC_TUNNEL] = "tunnel", [IPSEC_TRANSPORT] = "transport", [IPSEC_BEET] = "beet"};

	return texts[mode];
}

static json_t *captures_json(const struct facts *f)
{
	json_t *list = json_array();
	char file[128];
	size_t i;

	for (i = 0; i < f->set.n_places; i++) {
		snprintf(file, sizeof(file), "captures/%s.pcap", f->set.places[i].name);
		json_array_append_new(list, json_pack("{s:s, s:s, s:i}", "place",
						      f->set.places[i].name, "file", file, "frames",
						      (int)f->set.places[i].frames));
	}
	return list;
}

static json_t *selectors_json(const struct ts_list *list)
{
	json_t *out = json_array();
	char text[TS_STRLEN];
	size_t i;

	for (i = 0; i < list->n; i++)
		json_array_append_new(out, json_string(ts_format(&list->v[i], text, sizeof(text))));
	return out;
}

static json_t *ike_sa_json(const struct ike_sa_fact *sa)
{
	static const char *const ends[] = {
	    [IKE_SA_OPEN] = "open", [IKE_SA_DELETED] = "deleted", [IKE_SA_FAILED] = "failed"};
	char spi_i[20], spi_r[20], addr_i[ENDPOINT_STRLEN], addr_r[ENDPOINT_STRLEN];

	snprintf(spi_i, sizeof(spi_i), "%016" PRIx64, sa->spi_i);
	snprintf(spi_r, sizeof(spi_r), "%016" PRIx64, sa->spi_r);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s}", "spi_i", spi_i, "spi_r", spi_r,
			 "id_i", sa->id_i, "id_r", sa->id_r, "initiator",
			 endpoint_format(&sa->addr_i, addr_i, sizeof(addr_i)), "responder",
			 endpoint_format(&sa->addr_r, addr_r, sizeof(addr_r)), "established",
			 sa->established_msg != FACT_NONE, "end", ends[sa->end]);
}

static json_t *child_json(const struct facts *f, size_t child)
{
	const struct child_sa_fact *c = &f->children[child];
	char spi_i[12], spi_r[12], alg[64] = "unknown";

	snprintf(spi_i, sizeof(spi_i), "%08x", c->spi_i);
	snprintf(spi_r, sizeof(spi_r), "%08x", c->spi_r);
	if (c->have_alg)
		ipsec_alg_describe(&c->alg, alg, sizeof(alg));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:I, s:I}", "spi_i", spi_i, "spi_r",
			 spi_r, "asked", mode_text(c->asked), "mode", mode_text(c->mode),
			 "algorithm", alg, "ts_i", selectors_json(&c->ts_i), "ts_r",
			 selectors_json(&c->ts_r), "packets_to_i",
			 (json_int_t)facts_child_packets(f, child, true), "packets_to_r",
			 (json_int_t)facts_child_packets(f, child, false));
}

void result_add_facts(json_t *result, const struct plan *plan, const struct facts *f)
{
	json_t *ike = json_array(), *children = json_array(), *problems = json_array();
	size_t i;

	(void)plan;
	for (i = 0; i < f->n_ike_sas; i++)
		json_array_append_new(ike, ike_sa_json(&f->ike_sas[i]));
	for (i = 0; i < f->n_children; i++)
		json_array_append_new(children, child_json(f, i));
	for (i = 0; i < f->n_problems && i < 100; i++)
		json_array_append_new(problems, json_string(f->problems[i].text));
	json_object_set_new(result, "captures", captures_json(f));
	json_object_set_new(result, "ike_sas", ike);
	json_object_set_new(result, "child_sas", children);
	json_object_set_new(result, "problems", problems);
}
