/* acquire.c - a child that a packet asked for: the packet stands first in the selectors, so that
 * the responder knows what it narrows for, and it is the first that goes through (RFC 7296 §2.9).
 *
 *	packet 10.1.0.5 > 10.2.0.9 UDP ...
 *	TSi ( 10.1.0.5 UDP, 10.1.0.0/16 )	TSr ( 10.2.0.9 UDP, 10.2.0.0/16 ) */
#include "harness/checks/internal.h"

/* What the initiator of the exchange asked for, as source and destination of its packets. */
static bool has_packet_first(const struct ts_list *asked)
{
	return asked->n > 1 && ip_addr_eq(&asked->v[0].lo, &asked->v[0].hi);
}

static size_t first_packet(const struct facts *f, size_t child)
{
	size_t i;

	for (i = 0; i < f->n_esp; i++)
		if (f->esp[i].child == child && f->esp[i].inner.len &&
		    f->esp[i].spi == f->children[child].spi_r)
			return i;
	return FACT_NONE;
}

static void judge_child(const struct facts *f, struct check_result *r, size_t k)
{
	const struct child_sa_fact *c = &f->children[k];
	struct ts_list src = {.v = c->asked_ts_i.v, .n = 1}, dst = {.v = c->asked_ts_r.v, .n = 1};
	size_t i = first_packet(f, k);
	char text[128];

	r->examined++;
	if (i == FACT_NONE) {
		check_fault(r, f->ike[c->response_msg].frame,
			    "the packet that asked for the child was never sent through it");
		return;
	}
	if (ts_lists_match(&src, &dst, &f->esp[i].in.sel))
		return;
	check_fault(r, f->esp[i].frame, "the first packet is %s, not the one that stands first",
		    ip_packet_describe(&f->esp[i].in, text, sizeof(text)));
	check_fault_frame(r, f->ike[c->request_msg].frame);
}

void check_first_packet(const struct facts *f, const struct check_params *p, struct check_result *r)
{
	size_t i;

	(void)p;
	for (i = 0; i < f->n_children; i++)
		if (!f->children[i].rekeys && has_packet_first(&f->children[i].asked_ts_i) &&
		    has_packet_first(&f->children[i].asked_ts_r))
			judge_child(f, r, i);
	check_conclude(r, "no child was asked for with a packet first in its selectors",
		       "%zu %s, each with the packet that asked for it first", r->examined,
		       children(r->examined));
}
