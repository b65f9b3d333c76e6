/* clear.c - checks of what is on the wires beside IKE and ESP: packets that should have been inside
 * a tunnel, and packets that no link should carry. */
#include <pcap/dlt.h>

#include "harness/checks/internal.h"

static bool in_list(const struct ts_list *list, const struct ts_packet *sel)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (ts_matches(&list->v[i], &sel->src, sel->proto, sel->src_port, false) ||
		    ts_matches(&list->v[i], &sel->dst, sel->proto, sel->dst_port, false))
			return true;
	return false;
}

/* While the child was up: from the response that made it to the Delete. */
static bool is_up(const struct facts *f, const struct child_sa_fact *c, size_t frame)
{
	return f->ike[c->response_msg].frame < frame &&
	       (c->delete_msg == FACT_NONE || frame < f->ike[c->delete_msg].frame);
}

static bool belongs_inside(const struct facts *f, size_t frame)
{
	const struct ts_packet *sel = &f->frames[frame].ip.sel;
	size_t i;

	for (i = 0; i < f->n_children; i++) {
		const struct child_sa_fact *c = &f->children[i];

		if (is_up(f, c, frame) && (ts_lists_match(&c->ts_i, &c->ts_r, sel) ||
					   ts_lists_match(&c->ts_r, &c->ts_i, sel)))
			return true;
	}
	return false;
}

void check_cleartext(const struct facts *f, const struct check_params *p, struct check_result *r)
{
	bool outer[CAPTURE_PLACES_MAX];
	char text[128];
	size_t i, esp = 0;

	for (i = 0; i < f->set.n_places; i++)
		outer[i] = place_is_outer(f, p, i);
	for (i = 0; i < f->n_frames; i++) {
		const struct fact_frame *frame = &f->frames[i];

		if (!outer[frame->place] || !frame->packet.len)
			continue;
		r->examined++;
		esp += frame->kind == FRAME_ESP;
		if (frame->kind != FRAME_CLEAR && frame->kind != FRAME_ICMP_ERROR &&
		    frame->kind != FRAME_FRAGMENT)
			continue;
		if (p->tunnel_nets.n ? in_list(&p->tunnel_nets, &frame->ip.sel)
				     : belongs_inside(f, i))
			check_fault(r, i, "in the clear: %s",
				    ip_packet_describe(&frame->ip, text, sizeof(text)));
	}
	if (!p->tunnel_nets.n && !f->n_children)
		r->examined = 0;
	check_conclude(r, "no child was negotiated, and no inner network is named",
		       "%zu packets on outer wires, %zu of them ESP, none that belongs inside",
		       r->examined, esp);
}

/* A capture of a TUN device shows what the host hands over in one piece, which no link carries;
 * there the MTU must be stated. */
static bool has_mtu(const struct facts *f, const struct check_params *p, size_t place,
		    unsigned *ret_mtu)
{
	int linktype = f->set.places[place].linktype;
	bool stated;

	*ret_mtu = place_mtu(f, p, place, &stated);
	return stated || linktype == DLT_EN10MB || place_is_outer(f, p, place);
}

void check_mtu(const struct facts *f, const struct check_params *p, struct check_result *r)
{
	unsigned mtu[CAPTURE_PLACES_MAX];
	bool judged[CAPTURE_PLACES_MAX];
	uint32_t largest = 0;
	char text[128];
	size_t i;

	for (i = 0; i < f->set.n_places; i++)
		judged[i] = has_mtu(f, p, i, &mtu[i]);
	for (i = 0; i < f->n_frames; i++) {
		const struct fact_frame *frame = &f->frames[i];

		if (!frame->ip_len || !judged[frame->place])
			continue;
		r->examined++;
		largest = frame->ip_len > largest ? frame->ip_len : largest;
		if (frame->ip_len > mtu[frame->place])
			check_fault(r, i, "%u octets on a link of %u: %s", frame->ip_len,
				    mtu[frame->place],
				    ip_packet_describe(&frame->ip, text, sizeof(text)));
	}
	check_conclude(r, "no IP packet on a link whose MTU is known",
		       "%zu packets, the largest of %u octets", r->examined, largest);
}
