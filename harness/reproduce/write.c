/* write.c - a scenario out of a profile: chooses the lever, and has the parts written.
 *
 * What is written is the seed document's network, whatever the addresses in the captures were: the
 * initiator is lab-gw behind the ISP's box, the responder is vps. The head of the file says who is
 * who. */
#include "harness/reproduce/write.h"

#include "vpn/base/err.h"

const char *outer_address(const struct profile *p, bool initiator)
{
	if (p->family == 6)
		return initiator ? "2001:db8:192::2" : "2001:db8:203::10";
	return initiator ? "192.168.1.2" : "203.0.113.10";
}

bool has_nat(const struct writing *w)
{
	return w->p->nat != NAT_ABSENT && !(w->l->flags & LEVER_NO_NAT);
}

int reproduce_write(const struct profile *p, FILE *out, bool *ret_is_whole)
{
	struct writing w = {.p = p, .l = lever_healthy(), .out = out};

	if (p->first && lever_find(p->first->rule->id))
		w.l = lever_find(p->first->rule->id);
	write_head(&w);
	write_network(&w);
	write_ends(&w);
	write_steps(&w);
	write_expect(&w);
	if (fflush(out) || ferror(out))
		return ERR_NOMEM;
	*ret_is_whole = p->first ? w.l != lever_healthy() : p->works;
	return 0;
}
