/* write_steps.c - what happens, and what must come out: the same first finding. */
#include <string.h>

#include "harness/reproduce/write.h"

#define DATAGRAM_MIN 32 /* of the step: its number and its check */

#define TERMINATE_STEPS                              \
	"  - terminate: {node: lab-gw, ike: pair}\n" \
	"  - wait: {node: lab-gw, sas: 0}\n"         \
	"  - wait: {node: vps, sas: 0}\n"

static void write_pings(const struct writing *w)
{
	write_words(w, "  - ping: {from: lab-gw, address: @r@");
	if (w->p->pings > 1)
		fprintf(w->out, ", count: %u", w->p->pings);
	fputs("}\n", w->out);
}

/* Datagrams are not sent again: as many may be lost as the wire loses, and some by chance. */
static void write_udp(const struct writing *w)
{
	const struct profile *p = w->p;

	fprintf(w->out,
		"  - udp: {from: %s, to: %s, address: ", p->udp_from_responder ? "vps" : "lab-gw",
		p->udp_from_responder ? "lab-gw" : "vps");
	write_words(w, p->udp_from_responder ? "@i@" : "@r@");
	fprintf(w->out, ", size: %u, count: %u",
		p->datagram_size < DATAGRAM_MIN ? DATAGRAM_MIN : p->datagram_size, p->datagrams);
	if (p->loss > 0)
		fprintf(w->out, ", lost: %.0f%%", 5 + p->loss * 200);
	fputs("}\n", w->out);
}

/* As much as went through the tunnel in the capture. */
static void write_traffic(const struct writing *w)
{
	const struct profile *p = w->p;

	write_pings(w);
	if (p->tcp_octets) {
		write_words(w,
			    "  - tcp: {from: @sender@, to: @taker@, address: @taken_at@, octets: ");
		fprintf(w->out, "%llu}\n", (unsigned long long)p->tcp_octets);
	}
	if (p->datagrams)
		write_udp(w);
}

void write_steps(const struct writing *w)
{
	unsigned flags = w->l->flags;
	const char *nodes = flags & LEVER_NO_RESPONDER ? "lab-gw" : "vps, lab-gw";

	fputs("steps:\n", w->out);
	if (w->l->setup)
		write_words(w, w->l->setup);
	fprintf(w->out, "  - start: [%s]\n  - load: [%s]\n", nodes, nodes);
	if (!(flags & LEVER_BEGINS))
		fprintf(w->out, "  - initiate: {node: lab-gw, child: net%s}\n",
			flags & LEVER_FAILS ? ", expect: fail" : "");
	if (w->l->steps)
		write_words(w, w->l->steps);
	else if (!(flags & LEVER_FAILS))
		write_traffic(w);
	if (!(flags & (LEVER_FAILS | LEVER_LEFT_UP)))
		fputs(TERMINATE_STEPS, w->out);
}

static void write_may_fail(const struct writing *w)
{
	const char *name = w->l->may_fail;
	size_t len;

	for (; name && *name; name += len) {
		name += strspn(name, " ");
		len = strcspn(name, " ");
		fprintf(w->out, "  - check: %.*s\n    verdict: any\n", (int)len, name);
	}
}

void write_expect(const struct writing *w)
{
	const struct finding *first = w->p->first;
	bool is_made = !first || w->l != lever_healthy();

	fputs("expect:\n", w->out);
	fprintf(w->out, "  - explain: %s\n", first && is_made ? first->rule->id : "nothing");
	if (!w->p->s->have_keys)
		fputs("    with: {keys: \"no\"}\n", w->out);
	write_may_fail(w);
}
