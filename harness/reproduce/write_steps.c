/* write_steps.c - what happens, and what must come out: the same first finding. */
#include <string.h>

#include "harness/reproduce/write.h"

#define TERMINATE_STEPS                              \
	"  - terminate: {node: lab-gw, ike: pair}\n" \
	"  - wait: {node: lab-gw, sas: 0}\n"         \
	"  - wait: {node: vps, sas: 0}\n"

/* As much as went through the tunnel in the capture. */
static void write_traffic(const struct writing *w)
{
	const struct profile *p = w->p;

	if (p->pings > 1)
		fprintf(w->out, "  - ping: {from: lab-gw, address: %.*s, count: %u}\n",
			(int)strcspn(p->got_r.inner[0], "/"), p->got_r.inner[0], p->pings);
	else
		write_words(w, "  - ping: {from: lab-gw, address: @r@}\n");
	if (!p->tcp_octets)
		return;
	write_words(w, "  - tcp: {from: @sender@, to: @taker@, address: @taken_at@, octets: ");
	fprintf(w->out, "%llu}\n", (unsigned long long)p->tcp_octets);
}

void write_steps(const struct writing *w)
{
	unsigned flags = w->l->flags;
	const char *nodes = flags & LEVER_NO_RESPONDER ? "lab-gw" : "vps, lab-gw";

	fputs("steps:\n", w->out);
	if (w->l->setup)
		write_words(w, w->l->setup);
	fprintf(w->out, "  - start: [%s]\n  - load: [%s]\n", nodes, nodes);
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
