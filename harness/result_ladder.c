/* result_ladder.c - the message ladder: who sent what to whom, at the outer place that saw most of
 * the IKE messages.
 *
 * Lifelines are addresses, since that is what a wire shows; each is named for the node that has it.
 * ESP packets of one SA between two IKE messages are one rung, with their number and what was in
 * the first. */
#include "harness/result.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define RUNGS_MAX  400 /* what a person can look through */
#define HOSTS_MAX  8
#define DETAIL_MAX 24
#define RUNS_MAX   16

struct ladder {
	const struct facts *f;
	const struct plan *plan;
	size_t place;
	json_t *hosts, *rungs;
	struct ip_addr addrs[HOSTS_MAX];
	size_t hosts_count;
	struct run {
		uint32_t spi;
		json_t *rung;
	} runs[RUNS_MAX]; /* that further ESP packets belong to */
	size_t runs_count;
	uint64_t start_us;
	bool is_cut;
};

static size_t busiest_place(const struct facts *f)
{
	size_t counts[CAPTURE_PLACES_MAX] = {0}, i, best = FACT_NONE;

	for (i = 0; i < f->n_ike; i++)
		counts[f->frames[f->ike[i].frame].place]++;
	for (i = 0; i < f->set.n_places; i++)
		if (counts[i] && (best == FACT_NONE || counts[i] > counts[best]))
			best = i;
	return best;
}

static int host_of(struct ladder *l, const struct ip_addr *addr)
{
	char text[IP_ADDR_STRLEN];
	const char *node = plan_node_of(l->plan, addr);
	size_t i;

	for (i = 0; i < l->hosts_count; i++)
		if (ip_addr_eq(&l->addrs[i], addr))
			return (int)i;
	if (l->hosts_count == HOSTS_MAX)
		return -1;
	l->addrs[l->hosts_count] = *addr;
	json_array_append_new(l->hosts, json_pack("{s:s, s:s}", "address",
						  ip_addr_format(addr, text, sizeof(text)), "node",
						  node ? node : ""));
	return (int)l->hosts_count++;
}

static json_t *add_rung(struct ladder *l, const struct fact_frame *frame, const char *kind,
			const char *label)
{
	int from = host_of(l, &frame->src.addr), to = host_of(l, &frame->dst.addr);
	json_t *rung;

	if (from < 0 || to < 0 || json_array_size(l->rungs) == RUNGS_MAX) {
		l->is_cut = true;
		return NULL;
	}
	rung = json_pack("{s:f, s:i, s:i, s:i, s:i, s:i, s:s, s:s, s:i}", "time",
			 (double)(frame->time_us - l->start_us) / 1e6, "frame", (int)frame->number,
			 "from", from, "to", to, "port_from", (int)frame->src.port, "port_to",
			 (int)frame->dst.port, "kind", kind, "label", label, "count", 1);
	json_array_append_new(l->rungs, rung);
	return rung;
}

static void add_details(json_t *rung, const struct ike_msg *m)
{
	const struct ike_payloads *p = ike_msg_payloads(m);
	json_t *details = json_array();
	char text[256];
	size_t i;

	for (i = 0; i < p->n && i < DETAIL_MAX; i++)
		json_array_append_new(
		    details, json_string(ike_payload_describe(&p->v[i], text, sizeof(text))));
	if (m->sealed != FACT_OPEN && m->sealed != FACT_NOT_SEALED)
		json_array_append_new(details, json_string(fact_unopened_text(m->sealed)));
	json_object_set_new(rung, "details", details);
}

static void add_ike(struct ladder *l, const struct fact_frame *frame, const struct ike_msg *m)
{
	char label[512];
	json_t *rung;

	ike_msg_describe(m, label, sizeof(label));
	rung = add_rung(l, frame, "ike", label);
	if (!rung)
		return;
	add_details(rung, m);
	json_object_set_new(rung, "retransmission",
			    json_boolean(m->retransmission_of != FACT_NONE));
}

static struct run *find_run(struct ladder *l, uint32_t spi)
{
	size_t i;

	for (i = 0; i < l->runs_count; i++)
		if (l->runs[i].spi == spi)
			return &l->runs[i];
	return NULL;
}

static void add_esp(struct ladder *l, const struct fact_frame *frame, const struct esp_fact *e)
{
	struct run *run = find_run(l, e->spi);
	char label[256], inner[160] = "";
	json_t *rung;

	if (run) {
		json_t *count = json_object_get(run->rung, "count");

		json_integer_set(count, json_integer_value(count) + 1);
		json_object_set_new(run->rung, "last_frame", json_integer(frame->number));
		return;
	}
	if (e->inner.len)
		ip_packet_describe(&e->in, inner, sizeof(inner));
	else
		snprintf(inner, sizeof(inner), "%s",
			 e->dummy ? "dummy packet" : fact_unopened_text(e->sealed));
	snprintf(label, sizeof(label), "ESP %08x #%u%s: %s", e->spi, e->seq,
		 e->encap ? " in UDP" : "", inner);
	rung = add_rung(l, frame, "esp", label);
	if (rung && l->runs_count < RUNS_MAX)
		l->runs[l->runs_count++] = (struct run){e->spi, rung};
}

static void add_other(struct ladder *l, const struct fact_frame *frame)
{
	char label[160];

	if (frame->kind == FRAME_KEEPALIVE)
		add_rung(l, frame, "keepalive", "NAT keep-alive");
	else if (frame->kind == FRAME_ICMP_ERROR)
		add_rung(l, frame, "icmp", "ICMP error");
	else if (frame->kind == FRAME_CLEAR)
		add_rung(l, frame, "clear", ip_packet_describe(&frame->ip, label, sizeof(label)));
}

static void add_frame(struct ladder *l, const struct fact_frame *frame)
{
	if (frame->kind == FRAME_IKE)
		l->runs_count = 0;
	if (frame->kind == FRAME_IKE)
		add_ike(l, frame, &l->f->ike[frame->index]);
	else if (frame->kind == FRAME_ESP)
		add_esp(l, frame, &l->f->esp[frame->index]);
	else
		add_other(l, frame);
}

void result_add_ladder(json_t *result, const struct plan *plan, const struct facts *f)
{
	struct ladder l = {.f = f, .plan = plan, .place = busiest_place(f)};
	size_t i;

	if (l.place == FACT_NONE)
		return;
	l.hosts = json_array();
	l.rungs = json_array();
	l.start_us = f->frames[0].time_us;
	for (i = 0; i < f->n_frames; i++)
		if (f->frames[i].place == l.place)
			add_frame(&l, &f->frames[i]);
	json_object_set_new(result, "ladder",
			    json_pack("{s:s, s:o, s:o, s:b}", "place", f->set.places[l.place].name,
				      "hosts", l.hosts, "rungs", l.rungs, "cut", l.is_cut));
}
