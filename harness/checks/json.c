/* json.c - facts and results as JSON. Keys of SAs are never part of it. */
#include "harness/checks/json.h"

#include <stdio.h>

#include "vpn/crypto/alg.h"
#include "vpn/wire/payload.h"

/* Takes the value over; NULL leaves the member out. */
static void put(json_t *o, const char *name, json_t *value)
{
	if (value)
		json_object_set_new(o, name, value);
}

static json_t *spi32(uint32_t spi)
{
	return json_sprintf("%08x", spi);
}

static json_t *spi64(uint64_t spi)
{
	return json_sprintf("%016llx", (unsigned long long)spi);
}

static json_t *endpoint(const struct endpoint *e)
{
	char text[ENDPOINT_STRLEN];

	return ip_addr_is_set(&e->addr) ? json_string(endpoint_format(e, text, sizeof(text)))
					: NULL;
}

static json_t *selectors(const struct ts_list *list)
{
	json_t *array = json_array();
	char text[TS_STRLEN];
	size_t i;

	for (i = 0; i < list->n; i++)
		json_array_append_new(array,
				      json_string(ts_format(&list->v[i], text, sizeof(text))));
	return array;
}

static json_t *alg(const struct ipsec_alg *a)
{
	char text[96];

	return json_string(ipsec_alg_describe(a, text, sizeof(text)));
}

static json_t *seconds_json(uint64_t us)
{
	return json_real((double)us / 1e6);
}

json_t *frame_json(const struct facts *f, size_t frame)
{
	if (frame >= f->n_frames)
		return NULL;
	return json_pack("{s:s, s:i}", "place", f->set.places[f->frames[frame].place].name, "frame",
			 (int)f->frames[frame].number);
}

static json_t *msg_frame(const struct facts *f, size_t msg)
{
	return msg == FACT_NONE ? NULL : frame_json(f, f->ike[msg].frame);
}

static json_t *findings(const struct facts *f, const struct finding *v, size_t n)
{
	json_t *array = json_array(), *o, *frames;
	size_t i, k;

	for (i = 0; i < n; i++) {
		o = json_object();
		frames = json_array();
		put(o, "text", json_string(v[i].text));
		for (k = 0; k < v[i].n_frames; k++)
			json_array_append_new(frames, frame_json(f, v[i].frames[k]));
		put(o, "frames", frames);
		json_array_append_new(array, o);
	}
	return array;
}

json_t *check_result_json(const struct facts *f, const struct check_result *r)
{
	json_t *o = json_object();

	put(o, "name", json_string(r->check->name));
	put(o, "title", json_string(r->check->title));
	put(o, "clause", json_string(r->check->clause));
	put(o, "verdict", json_string(verdict_name(r->verdict)));
	put(o, "summary", json_string(r->summary));
	put(o, "examined", json_integer((json_int_t)r->examined));
	put(o, "fault_count", json_integer((json_int_t)r->n_faults_all));
	put(o, "faults", findings(f, r->faults, r->n_faults));
	put(o, "notes", findings(f, r->notes, r->n_notes));
	return o;
}

static json_t *place_json(const struct capture_place *p)
{
	json_t *o = json_object();

	put(o, "name", json_string(p->name));
	put(o, "path", json_string(p->path));
	put(o, "frames", json_integer(p->frames));
	put(o, "problem", p->problem ? json_string(p->problem) : NULL);
	return o;
}

static json_t *payloads_json(const struct ike_payloads *p)
{
	json_t *array = json_array();
	char text[512];
	size_t i;

	for (i = 0; i < p->n; i++)
		json_array_append_new(
		    array, json_string(ike_payload_describe(&p->v[i], text, sizeof(text))));
	return array;
}

static json_t *message_json(const struct facts *f, const struct ike_msg *m)
{
	const struct fact_frame *frame = &f->frames[m->frame];
	json_t *o = frame_json(f, m->frame);
	char text[48];

	put(o, "time", seconds_json(frame->time_us));
	put(o, "src", endpoint(&frame->src));
	put(o, "dst", endpoint(&frame->dst));
	put(o, "spi_i", spi64(m->hdr.spi_i));
	put(o, "spi_r", spi64(m->hdr.spi_r));
	put(o, "exchange",
	    json_string(ike_exchange_name(m->hdr.exchange, text, (unsigned)sizeof(text))));
	put(o, "message_id", json_integer(m->hdr.message_id));
	put(o, "request", json_boolean(m->request));
	put(o, "from_initiator", json_boolean(m->from_initiator));
	put(o, "size", json_integer((json_int_t)m->octets.len));
	put(o, "sealed", json_string(fact_unopened_text(m->sealed)));
	put(o, "payloads", payloads_json(ike_msg_payloads(m)));
	put(o, "retransmission_of", msg_frame(f, m->retransmission_of));
	put(o, "answers", msg_frame(f, m->request_of));
	if (m->fragments)
		put(o, "fragment", json_pack("[i,i]", (int)m->fragment, (int)m->fragments));
	return o;
}

static json_t *suite_json(const struct ike_sa_fact *sa)
{
	const struct ike_suite *s = &sa->suite;
	char a[48], b[48], c[48];

	if (!sa->have_suite)
		return NULL;
	alg_format(TRANSFORM_ENCR, s->encr, s->encr_bits, a, sizeof(a));
	alg_format(s->integ ? TRANSFORM_INTEG : TRANSFORM_PRF, s->integ ? s->integ : s->prf, 0, b,
		   sizeof(b));
	alg_format(TRANSFORM_KE, s->ke, 0, c, sizeof(c));
	return json_sprintf("%s/%s/%s", a, b, c);
}

static json_t *ike_sa_json(const struct facts *f, const struct ike_sa_fact *sa)
{
	static const char *const ends[] = {"open", "deleted", "failed"};
	json_t *o = json_object();

	put(o, "spi_i", spi64(sa->spi_i));
	put(o, "spi_r", spi64(sa->spi_r));
	put(o, "initiator", endpoint(&sa->addr_i));
	put(o, "responder", endpoint(&sa->addr_r));
	put(o, "suite", suite_json(sa));
	put(o, "id_i", sa->id_i[0] ? json_string(sa->id_i) : NULL);
	put(o, "id_r", sa->id_r[0] ? json_string(sa->id_r) : NULL);
	put(o, "opened", json_boolean(sa->key != FACT_NONE));
	put(o, "first", msg_frame(f, sa->init_msg));
	put(o, "established", msg_frame(f, sa->established_msg));
	put(o, "end", json_string(ends[sa->end]));
	put(o, "ended", msg_frame(f, sa->delete_msg));
	put(o, "end_confirmed", msg_frame(f, sa->deleted_msg));
	if (sa->rekeyed_from != FACT_NONE)
		put(o, "rekeys", spi64(f->ike_sas[sa->rekeyed_from].spi_i));
	return o;
}

static json_t *child_json(const struct facts *f, const struct child_sa_fact *c)
{
	static const char *const ends[] = {"open", "deleted", "with-ike-sa"};
	json_t *o = json_object();

	put(o, "ike_spi_i", spi64(f->ike_sas[c->ike_sa].spi_i));
	put(o, "spi_i", spi32(c->spi_i));
	put(o, "spi_r", spi32(c->spi_r));
	put(o, "asked", json_string(ipsec_mode_name(c->asked)));
	put(o, "mode", json_string(ipsec_mode_name(c->mode)));
	put(o, "alg", alg(&c->alg));
	put(o, "ts_i", selectors(&c->ts_i));
	put(o, "ts_r", selectors(&c->ts_r));
	put(o, "asked_ts_i", selectors(&c->asked_ts_i));
	put(o, "asked_ts_r", selectors(&c->asked_ts_r));
	put(o, "keys",
	    json_string(c->key_from_log	 ? "logged"
			: c->key_derived ? "derived"
					 : "unknown"));
	put(o, "rekeys", c->rekeys ? spi32(c->rekeys) : NULL);
	put(o, "request", msg_frame(f, c->request_msg));
	put(o, "response", msg_frame(f, c->response_msg));
	put(o, "end", json_string(ends[c->end]));
	put(o, "ended", msg_frame(f, c->delete_msg));
	put(o, "packets_to_initiator", json_integer((json_int_t)c->n_esp[0]));
	put(o, "packets_to_responder", json_integer((json_int_t)c->n_esp[1]));
	return o;
}

static json_t *esp_json(const struct facts *f, const struct esp_fact *e)
{
	const struct fact_frame *frame = &f->frames[e->frame];
	json_t *o = frame_json(f, e->frame);
	char text[128];

	put(o, "time", seconds_json(frame->time_us));
	put(o, "spi", spi32(e->spi));
	put(o, "seq", json_integer((json_int_t)e->seq64));
	put(o, "encap", json_boolean(e->encap));
	put(o, "outer_size", json_integer(frame->ip_len));
	put(o, "sealed", json_string(fact_unopened_text(e->sealed)));
	if (e->sealed == FACT_OPEN)
		put(o, "next_header", json_integer(e->next_header));
	if (e->have_wire_mode)
		put(o, "mode", json_string(ipsec_mode_name(e->wire_mode)));
	if (e->inner.len) {
		put(o, "inner", json_string(ip_packet_describe(&e->in, text, sizeof(text))));
		put(o, "inner_size", json_integer((json_int_t)e->inner.len));
	}
	return o;
}

static json_t *side_json(const struct tcp_side *s)
{
	json_t *o = json_object();

	if (s->have_mss)
		put(o, "mss", json_integer(s->mss));
	put(o, "octets", json_integer((json_int_t)s->octets));
	put(o, "gap", json_boolean(s->gap));
	put(o, "fin", json_boolean(s->fin));
	put(o, "segments", json_integer(s->segments));
	put(o, "retransmissions", json_integer(s->retransmissions));
	put(o, "max_segment", json_integer(s->max_segment));
	return o;
}

static json_t *tcp_json(const struct facts *f, const struct tcp_flow *t)
{
	json_t *o = json_object();

	put(o, "place", json_string(f->set.places[t->place].name));
	put(o, "inside", json_boolean(t->inside));
	put(o, "a", endpoint(&t->a));
	put(o, "b", endpoint(&t->b));
	put(o, "first", frame_json(f, t->first_frame));
	put(o, "last", frame_json(f, t->last_frame));
	put(o, "reset", json_boolean(t->reset));
	put(o, "forth", side_json(&t->side[0]));
	put(o, "back", side_json(&t->side[1]));
	return o;
}

static json_t *icmp_json(const struct facts *f, const struct icmp_error_fact *e)
{
	json_t *o = frame_json(f, e->frame);
	char text[IP_ADDR_STRLEN];

	put(o, "inside", json_boolean(e->esp != FACT_NONE));
	put(o, "type", json_integer(e->type));
	put(o, "code", json_integer(e->code));
	put(o, "mtu", e->mtu ? json_integer(e->mtu) : NULL);
	put(o, "about_dst", json_string(ip_addr_format(&e->about.dst, text, sizeof(text))));
	return o;
}

static json_t *refusal_json(const struct facts *f, const struct refusal_fact *r)
{
	json_t *o = msg_frame(f, r->msg);
	char text[64];

	put(o, "notify", json_string(ike_notify_name(r->notify, text, (unsigned)sizeof(text))));
	return o;
}

static json_t *problem_json(const struct facts *f, const struct problem_fact *p)
{
	json_t *o = p->frame == FACT_NONE ? json_object() : frame_json(f, p->frame);

	put(o, "text", json_string(p->text));
	return o;
}

#define PUT_LIST(o, name, count, item)                     \
	do {                                               \
		json_t *list = json_array();               \
		size_t i;                                  \
                                                           \
		for (i = 0; i < (count); i++)              \
			json_array_append_new(list, item); \
		put(o, name, list);                        \
	} while (0)

json_t *facts_json(const struct facts *f)
{
	json_t *o = json_object();

	PUT_LIST(o, "places", f->set.n_places, place_json(&f->set.places[i]));
	PUT_LIST(o, "ike_sas", f->n_ike_sas, ike_sa_json(f, &f->ike_sas[i]));
	PUT_LIST(o, "children", f->n_children, child_json(f, &f->children[i]));
	PUT_LIST(o, "messages", f->n_ike, message_json(f, &f->ike[i]));
	PUT_LIST(o, "refusals", f->n_refusals, refusal_json(f, &f->refusals[i]));
	PUT_LIST(o, "esp", f->n_esp, esp_json(f, &f->esp[i]));
	PUT_LIST(o, "keepalives", f->n_keepalives, frame_json(f, f->keepalives[i].frame));
	PUT_LIST(o, "icmp_errors", f->n_icmp_errors, icmp_json(f, &f->icmp_errors[i]));
	PUT_LIST(o, "tcp", f->n_tcp, tcp_json(f, &f->tcp[i]));
	PUT_LIST(o, "problems", f->n_problems, problem_json(f, &f->problems[i]));
	return o;
}
