/* text.c - the terminal's view: captures, SAs, ladder, verdicts. */
#include "harness/checks/text.h"

#include <pcap/pcap.h>

#include "harness/checks/internal.h"
#include "vpn/crypto/alg.h"

#define FAULTS_SHOWN 10

static void print_place(FILE *out, const struct facts *f, size_t place)
{
	const struct capture_place *p = &f->set.places[place];
	const char *link = pcap_datalink_val_to_name(p->linktype);
	uint64_t first = 0, last = 0;
	size_t i;

	for (i = 0; i < f->n_frames; i++) {
		if (f->frames[i].place != place)
			continue;
		first = first ? first : f->frames[i].time_us;
		last = f->frames[i].time_us;
	}
	fprintf(out, "%s: %u frames in %.1f s, %s\n", p->name, p->frames, seconds(last - first),
		link ? link : "?");
}

static void print_list(FILE *out, const struct ts_list *list)
{
	char text[TS_STRLEN];
	size_t i;

	for (i = 0; i < list->n; i++)
		fprintf(out, "%s%s", i ? " " : "", ts_format(&list->v[i], text, sizeof(text)));
}

static void print_msg_ref(FILE *out, const struct facts *f, const char *what, size_t msg)
{
	char text[96];

	if (msg != FACT_NONE)
		fprintf(out, ", %s in %s", what,
			fact_frame_ref(f, f->ike[msg].frame, text, sizeof(text)));
}

static void print_child(FILE *out, const struct facts *f, size_t child)
{
	const struct child_sa_fact *c = &f->children[child];
	char text[96];

	fprintf(out, "  child %08x %08x  %s, %s, ", c->spi_i, c->spi_r, ipsec_mode_name(c->mode),
		ipsec_alg_describe(&c->alg, text, sizeof(text)));
	print_list(out, &c->ts_i);
	fprintf(out, " and ");
	print_list(out, &c->ts_r);
	fprintf(out, "\n    %zu packets forth, %zu back", facts_child_packets(f, child, false),
		facts_child_packets(f, child, true));
	if (c->asked != c->mode)
		fprintf(out, ", %s was asked for", ipsec_mode_name(c->asked));
	if (c->rekeys)
		fprintf(out, ", in place of %08x", c->rekeys);
	print_msg_ref(out, f, "made", c->response_msg);
	print_msg_ref(out, f, "ended", c->delete_msg);
	fprintf(out, "\n");
}

static void print_suite(FILE *out, const struct ike_suite *s)
{
	char text[48];

	fprintf(out, ", %s", alg_format(TRANSFORM_ENCR, s->encr, s->encr_bits, text, sizeof(text)));
	if (s->integ)
		fprintf(out, "/%s", alg_format(TRANSFORM_INTEG, s->integ, 0, text, sizeof(text)));
	if (s->prf)
		fprintf(out, "/%s", alg_format(TRANSFORM_PRF, s->prf, 0, text, sizeof(text)));
	if (s->ke)
		fprintf(out, "/%s", alg_format(TRANSFORM_KE, s->ke, 0, text, sizeof(text)));
}

static void print_ike_sa(FILE *out, const struct facts *f, size_t at)
{
	const struct ike_sa_fact *sa = &f->ike_sas[at];
	char text[ENDPOINT_STRLEN];
	size_t i;

	fprintf(out, "\nIKE SA %016llx_i %016llx_r", (unsigned long long)sa->spi_i,
		(unsigned long long)sa->spi_r);
	if (sa->have_suite)
		print_suite(out, &sa->suite);
	fprintf(out, "\n  %s", endpoint_format(&sa->addr_i, text, sizeof(text)));
	fprintf(out, " and %s", endpoint_format(&sa->addr_r, text, sizeof(text)));
	if (sa->id_i[0] || sa->id_r[0])
		fprintf(out, "; %s; %s", sa->id_i, sa->id_r);
	fprintf(out, "\n  %s",
		sa->key != FACT_NONE ? "opened" : "not opened: there is no key that fits");
	print_msg_ref(out, f, "established", sa->established_msg);
	print_msg_ref(out, f, sa->end == IKE_SA_FAILED ? "refused" : "deleted", sa->delete_msg);
	fprintf(out, "\n");
	for (i = 0; i < f->n_children; i++)
		if (f->children[i].ike_sa == at)
			print_child(out, f, i);
}

void facts_print(FILE *out, const struct facts *f)
{
	char text[96];
	size_t i;

	for (i = 0; i < f->set.n_places; i++)
		print_place(out, f, i);
	for (i = 0; i < f->n_ike_sas; i++)
		print_ike_sa(out, f, i);
	for (i = 0; i < f->n_refusals; i++)
		fprintf(out, "\n%s: a child was refused: %s\n",
			fact_frame_ref(f, f->ike[f->refusals[i].msg].frame, text, sizeof(text)),
			ike_notify_name(f->refusals[i].notify, (char[64]){0}, 64));
	if (f->n_problems)
		fprintf(out, "\nNot readable:\n");
	for (i = 0; i < f->n_problems; i++)
		fprintf(out, "  %s%s%s\n",
			f->problems[i].frame == FACT_NONE
			    ? ""
			    : fact_frame_ref(f, f->problems[i].frame, text, sizeof(text)),
			f->problems[i].frame == FACT_NONE ? "" : ": ", f->problems[i].text);
}

/* A run of ESP packets that waits to be written. */
struct run {
	size_t n, first, last;
	uint64_t octets;
};

static void print_run(FILE *out, const struct facts *f, struct run *run)
{
	const struct fact_frame *first = &f->frames[run->first];

	if (!run->n)
		return;
	if (run->n == 1)
		fprintf(out, "%8u %9.3f   ===  ESP, %llu octets\n", first->number,
			seconds(first->time_us - f->frames[0].time_us),
			(unsigned long long)run->octets);
	else
		fprintf(out, "%8u %9.3f   ===  ESP, %zu packets, %llu octets, to frame %u\n",
			first->number, seconds(first->time_us - f->frames[0].time_us), run->n,
			(unsigned long long)run->octets, f->frames[run->last].number);
	run->n = 0;
	run->octets = 0;
}

static void print_line(FILE *out, const struct facts *f, size_t i)
{
	const struct fact_frame *frame = &f->frames[i];
	const struct ike_msg *m = frame->kind == FRAME_IKE ? &f->ike[frame->index] : NULL;
	char text[512];

	fprintf(out, "%8u %9.3f   ", frame->number, seconds(frame->time_us - f->frames[0].time_us));
	if (m)
		fprintf(out, "%s  %s%s\n", m->from_initiator ? "-->" : "<--",
			ike_msg_describe(m, text, sizeof(text)),
			m->retransmission_of != FACT_NONE ? " (again)" : "");
	else if (frame->kind == FRAME_KEEPALIVE)
		fprintf(out, " .   keep-alive\n");
	else
		fprintf(out, " !   ICMP error: %s\n",
			ip_packet_describe(&frame->ip, text, sizeof(text)));
}

void facts_print_ladder(FILE *out, const struct facts *f, size_t place)
{
	struct run run = {0};
	size_t i;

	for (i = 0; i < f->n_frames; i++) {
		const struct fact_frame *frame = &f->frames[i];

		if (frame->place != place)
			continue;
		if (frame->kind == FRAME_ESP) {
			run.first = run.n ? run.first : i;
			run.last = i;
			run.octets += frame->ip_len;
			run.n++;
		} else if (frame->kind == FRAME_IKE || frame->kind == FRAME_KEEPALIVE ||
			   frame->kind == FRAME_ICMP_ERROR) {
			print_run(out, f, &run);
			print_line(out, f, i);
		}
	}
	print_run(out, f, &run);
}

static void print_findings(FILE *out, const struct facts *f, const char *label,
			   const struct finding *v, size_t n)
{
	char text[96];
	size_t i, k;

	for (i = 0; i < n && i < FAULTS_SHOWN; i++) {
		fprintf(out, "         %s%s", label, v[i].text);
		for (k = 0; k < v[i].n_frames; k++)
			fprintf(out, "%s%s", k ? ", " : " [",
				fact_frame_ref(f, v[i].frames[k], text, sizeof(text)));
		fprintf(out, "%s\n", v[i].n_frames ? "]" : "");
	}
	if (n > FAULTS_SHOWN)
		fprintf(out, "         %sand %zu more\n", label, n - FAULTS_SHOWN);
}

void check_results_print(FILE *out, const struct facts *f, const struct check_result *results,
			 size_t n, bool colour)
{
	static const char *const words[] = {"pass", "FAIL", "n/a"};
	static const char *const colours[] = {"\033[32m", "\033[31m", "\033[2m"};
	size_t i;

	for (i = 0; i < n; i++) {
		const struct check_result *r = &results[i];

		fprintf(out, "  %s%-5s%s  %s: %s (%s): ", colour ? colours[r->verdict] : "",
			words[r->verdict], colour ? "\033[0m" : "", r->check->name, r->check->title,
			r->check->clause);
		if (r->n_faults_all)
			fprintf(out, "%zu fault%s\n", r->n_faults_all,
				r->n_faults_all == 1 ? "" : "s");
		else
			fprintf(out, "%s\n", r->summary);
		print_findings(out, f, "", r->faults, r->n_faults);
		print_findings(out, f, "note: ", r->notes, r->n_notes);
	}
}
