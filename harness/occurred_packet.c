/* occurred_packet.c - counts packets: ESP, keep-alives, fragments, ICMP, TCP, and what was in the
 * clear. */
#include "harness/occurred_internal.h"
#include <stdio.h>
#include <string.h>

void count_ip_fragments(struct count *c)
{
	const struct facts *f = c->ev->facts;
	size_t i;

	for (i = 0; i < f->n_frames; i++)
		if ((f->frames[i].kind == FRAME_FRAGMENT || f->frames[i].n_fragments) &&
		    fits_place(c, i))
			count_add(c, i);
}

void count_esp(struct count *c)
{
	const struct facts *f = c->ev->facts;
	size_t i;

	for (i = 0; i < f->n_esp; i++) {
		const struct esp_fact *e = &f->esp[i];

		if (fits_place(c, e->frame) && fits_bool(c, "encap", e->encap) &&
		    (e->have_wire_mode ? fits(c, "mode", count_mode_text(e->wire_mode))
				       : !count_param(c->e, "mode")) &&
		    fits_number(c, "octets", e->octets.len) &&
		    fits_number(c, "next_header", e->next_header))
			count_add(c, e->frame);
	}
}

void count_keepalives(struct count *c)
{
	const struct facts *f = c->ev->facts;
	size_t i;

	for (i = 0; i < f->n_keepalives; i++)
		if (fits_place(c, f->keepalives[i].frame))
			count_add(c, f->keepalives[i].frame);
}

/* Addresses with ports that one place has seen the initiators' IKE and ESP come from. */
void count_mappings(struct count *c)
{
	const struct facts *f = c->ev->facts;
	struct endpoint seen[64];
	size_t i, j, n = 0;
	const char *address = count_param(c->e, "address");
	char text[IP_ADDR_STRLEN];

	for (i = 0; i < f->n_frames && n < 64; i++) {
		const struct fact_frame *frame = &f->frames[i];

		if ((frame->kind != FRAME_IKE && frame->kind != FRAME_ESP) || !fits_place(c, i) ||
		    !address ||
		    strcmp(ip_addr_format(&frame->src.addr, text, sizeof(text)), address) != 0)
			continue;
		for (j = 0; j < n && !endpoint_eq(&seen[j], &frame->src); j++)
			;
		if (j == n) {
			seen[n++] = frame->src;
			count_add(c, i);
		}
	}
}

void count_icmp(struct count *c)
{
	const struct facts *f = c->ev->facts;
	size_t i;

	for (i = 0; i < f->n_icmp_errors; i++) {
		const struct icmp_error_fact *icmp = &f->icmp_errors[i];
		size_t frame = icmp->frame != FACT_NONE ? icmp->frame : f->esp[icmp->esp].frame;

		if (fits_place(c, frame) && fits_number(c, "mtu", icmp->mtu) &&
		    fits_bool(c, "inside", icmp->frame == FACT_NONE))
			count_add(c, frame);
	}
}

/* SYNs and SYN/ACKs by the MSS that they carry. */
void count_mss(struct count *c)
{
	const struct facts *f = c->ev->facts;
	size_t i, side;

	for (i = 0; i < f->n_tcp; i++) {
		for (side = 0; side < 2; side++) {
			const struct tcp_side *s = &f->tcp[i].side[side];

			if (s->have_mss && s->syn_frame != FACT_NONE &&
			    fits_place(c, s->syn_frame) && fits_number(c, "mss", s->mss) &&
			    fits(c, "segment", side ? "synack" : "syn") &&
			    fits_bool(c, "inside", f->tcp[i].inside))
				count_add(c, s->syn_frame);
		}
	}
}

/* Connections that somebody tried to make, and nobody answered. */
void count_unanswered(struct count *c)
{
	const struct facts *f = c->ev->facts;
	size_t i;

	for (i = 0; i < f->n_tcp; i++) {
		const struct tcp_flow *flow = &f->tcp[i];

		if (flow->side[0].syn_frame != FACT_NONE && flow->side[1].syn_frame == FACT_NONE &&
		    !flow->reset && flow->side[1].segments == 0 &&
		    fits_place(c, flow->first_frame) && fits_bool(c, "inside", flow->inside))
			count_add(c, flow->first_frame);
	}
}

void count_clear(struct count *c)
{
	const struct facts *f = c->ev->facts;
	char src[IP_ADDR_STRLEN], dst[IP_ADDR_STRLEN];
	size_t i;

	for (i = 0; i < f->n_clear; i++) {
		const struct fact_frame *frame = &f->frames[f->clear[i].frame];

		if (fits_place(c, f->clear[i].frame) &&
		    fits(c, "src", ip_addr_format(&frame->src.addr, src, sizeof(src))) &&
		    fits(c, "dst", ip_addr_format(&frame->dst.addr, dst, sizeof(dst))) &&
		    fits_number(c, "protocol", frame->ip.proto))
			count_add(c, f->clear[i].frame);
	}
}

/* TCP connections that sent so many octets at least. */
void count_tcp(struct count *c)
{
	const struct facts *f = c->ev->facts;
	const char *octets = count_param(c->e, "octets");
	uint64_t least = 0;
	size_t i;

	if (octets)
		parse_octets(octets, &least);
	for (i = 0; i < f->n_tcp; i++)
		if (fits_place(c, f->tcp[i].first_frame) &&
		    fits_bool(c, "inside", f->tcp[i].inside) && f->tcp[i].side[0].octets >= least)
			count_add(c, f->tcp[i].first_frame);
}
