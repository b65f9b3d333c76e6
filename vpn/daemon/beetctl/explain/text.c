/* text.c - findings as a person reads them on a terminal, in the shape of `beetlab explain`: what,
 * evidence, why, what to do. And what was asked, and what could not be. */
#include <string.h>

#include "vpn/daemon/beetctl/explain/print.h"

static const char *kind_text(const struct finding *f)
{
	return f->rule->kind == RULE_NOTE ? "note" : certainty_name(f->certainty);
}

static void print_finding(FILE *out, const struct finding *f, size_t number)
{
	char cases[48] = "";
	size_t i;

	if (f->cases > 1)
		snprintf(cases, sizeof(cases), ", %u cases", f->cases);
	fprintf(out, "\n%2zu. %s  [%s, %s%s]\n", number, f->rule->title, f->rule->id, kind_text(f),
		cases);
	print_wrapped(out, WRAP_INDENT, "what", f->what);
	for (i = 0; i < f->n_evidence; i++) {
		if (!i)
			fprintf(out, "%*sseen\n", WRAP_INDENT, "");
		print_wrapped(out, WRAP_INDENT + WRAP_LABEL, "", f->evidence[i]);
	}
	print_wrapped(out, WRAP_INDENT, "why", f->rule->why);
	print_wrapped(out, WRAP_INDENT, "do", f->rule->remedy);
	if (f->detail[0])
		print_wrapped(out, WRAP_INDENT + WRAP_LABEL, "", f->detail);
	print_wrapped(out, WRAP_INDENT, "see", f->rule->clause);
}

static unsigned children_up(const struct facts *f)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < f->n_children; i++)
		n += f->children[i].installed > 0;
	return n;
}

static void print_sum(FILE *out, const struct facts *f)
{
	const struct fact_sa *sa = live_sa(f);
	char remote[ENDPOINT_STRLEN];

	fprintf(out, "%s with %s %s: ", f->conn, *f->daemon ? f->daemon : "?", f->version);
	if (sa)
		fprintf(out, "IKE SA %s with %s", sa->state,
			endpoint_format(&sa->remote, remote, sizeof(remote)));
	else
		fprintf(out, "no IKE SA");
	fprintf(out, ", %u of %zu children up\n", children_up(f), f->n_children);
	if (f->kernel_known)
		fprintf(out, "asked: the daemon%s, %zu links, %zu addresses, ways, sysctls%s\n",
			f->watched ? " twice" : "", f->n_links, f->n_addrs,
			f->nft ? ", nftables" : "");
}

static void print_nothing_found(FILE *out, const struct facts *f)
{
	fprintf(out, "\n");
	if (!f->kernel_known && live_is_up(f)) {
		print_wrapped(out, 0, "",
			      "Nothing is wrong in what the daemon says; this network was not "
			      "asked.");
		return;
	}
	print_wrapped(out, 0, "",
		      live_is_up(f)
			  ? "No fault found on this host. If something does not work, ask at the "
			    "other end, too, watch counters while it fails (--watch 10), or "
			    "capture at both ends (beetlab explain)."
			  : "I do not know. Nothing here fits a known fault, but the tunnel is not "
			    "up either.");
}

void live_print(FILE *out, const struct facts *f, const struct findings *found)
{
	size_t i;

	print_sum(out, f);
	for (i = 0; i < f->n_limits; i++)
		print_wrapped(out, 0, "", f->limits[i]);
	if (!live_have_fault(found))
		print_nothing_found(out, f);
	for (i = 0; i < found->n; i++)
		print_finding(out, &found->v[i], i + 1);
}
