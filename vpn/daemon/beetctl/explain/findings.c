/* findings.c - runs the rules and orders what they find: causes hide their symptoms, the surer
 * comes first, then the lower rank. */
#include "vpn/daemon/beetctl/explain/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *live_certainty(enum certainty c)
{
	return c == CERTAIN ? "certain" : c == LIKELY ? "likely" : "possible";
}

static struct finding *own_finding(struct findings *out)
{
	return out->n && out->v[out->n - 1].rule == out->rule ? &out->v[out->n - 1] : NULL;
}

struct finding *live_finding_add(struct findings *out, enum certainty certainty, const char *what,
				 ...)
{
	struct finding *f = own_finding(out);
	unsigned cases = f ? f->cases : 0;
	va_list args;

	if (f && certainty <= f->certainty) {
		f->cases++;
		return f;
	}
	if (!f && out->n == FINDINGS_MAX)
		return NULL;
	f = f ? f : &out->v[out->n++];
	*f = (struct finding){.rule = out->rule, .certainty = certainty, .cases = cases + 1};
	va_start(args, what);
	vsnprintf(f->what, sizeof(f->what), what, args);
	va_end(args);
	return f;
}

void live_finding_show(struct finding *f, const char *text, ...)
{
	va_list args;

	if (!f || f->n_evidence == EVIDENCE_MAX)
		return;
	va_start(args, text);
	vsnprintf(f->evidence[f->n_evidence++], WORDS_MAX, text, args);
	va_end(args);
}

void live_finding_detail(struct finding *f, const char *text, ...)
{
	va_list args;

	if (!f || f->detail[0])
		return;
	va_start(args, text);
	vsnprintf(f->detail, sizeof(f->detail), text, args);
	va_end(args);
}

/* "dev eth0 src 192.0.2.1", "unreachable". Returns buf. */
static const char *way_text(const struct fact_way *w, char *buf, size_t cap)
{
	char src[IP_ADDR_STRLEN];

	if (w->kind == WAY_NONE)
		snprintf(buf, cap, "unreachable");
	else if (w->kind == WAY_LOCAL)
		snprintf(buf, cap, "local");
	else
		snprintf(buf, cap, "dev %s%s%s", w->dev, ip_addr_is_set(&w->src) ? " src " : "",
			 ip_addr_is_set(&w->src) ? ip_addr_format(&w->src, src, sizeof(src)) : "");
	return buf;
}

void live_show_way(struct finding *found, const struct fact_way *w)
{
	char to[IP_ADDR_STRLEN], from[IP_ADDR_STRLEN], text[80];

	ip_addr_format(&w->to, to, sizeof(to));
	way_text(w, text, sizeof(text));
	if (ip_addr_is_set(&w->from))
		live_finding_show(found, "ip route get %s from %s iif %s: %s", to,
				  ip_addr_format(&w->from, from, sizeof(from)), w->iif, text);
	else
		live_finding_show(found, "ip route get %s: %s", to, text);
}

/* ids: names with spaces between them. */
static bool names_one(const char *ids, const char *id)
{
	size_t len = strlen(id);
	const char *at = ids;

	while ((at = strstr(at, id))) {
		if ((at == ids || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
			return true;
		at += len;
	}
	return false;
}

static bool is_explained(const struct findings *f, const struct finding *one)
{
	size_t i;

	for (i = 0; i < f->n; i++) {
		const struct rule *r = f->v[i].rule;

		if (r == one->rule)
			continue;
		if (one->rule->kind == RULE_SYMPTOM && r->kind == RULE_FAULT &&
		    f->v[i].certainty >= LIKELY)
			return true;
		if (names_one(one->rule->unless, r->id))
			return true;
	}
	return false;
}

/* What explains may itself be explained: all is decided before anything is left out. */
static void leave_out_explained(struct findings *f)
{
	bool out[FINDINGS_MAX];
	size_t i, kept = 0;

	for (i = 0; i < f->n; i++)
		out[i] = is_explained(f, &f->v[i]);
	for (i = 0; i < f->n; i++)
		if (!out[i])
			f->v[kept++] = f->v[i];
	f->n = kept;
}

static int weight(const struct finding *f)
{
	return (int)f->rule->kind * 100000 + (CERTAIN - (int)f->certainty) * 10000 +
	       (int)f->rule->rank;
}

static int by_weight(const void *a, const void *b)
{
	return weight(a) - weight(b);
}

void live_find(const struct facts *f, struct findings *ret_findings)
{
	size_t i;

	ret_findings->n = 0;
#define X(family)                                             \
	for (i = 0; i < n_live_rules_##family; i++) {         \
		ret_findings->rule = &live_rules_##family[i]; \
		live_rules_##family[i].find(f, ret_findings); \
	}
	RULE_FAMILIES(X)
#undef X
	leave_out_explained(ret_findings);
	qsort(ret_findings->v, ret_findings->n, sizeof(ret_findings->v[0]), by_weight);
}

bool live_have_fault(const struct findings *f)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (f->v[i].rule->kind != RULE_NOTE)
			return true;
	return false;
}
