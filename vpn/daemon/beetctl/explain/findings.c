/* findings.c - runs the rules, and puts what they find in order (diagnosis.h). */
#include "vpn/daemon/beetctl/explain/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* Keeps what stands, in its order. */
static void put_in_order(struct findings *f)
{
	struct finding *ordered = malloc((f->n + 1) * sizeof(*ordered));
	struct claim claims[FINDINGS_MAX];
	size_t order[FINDINGS_MAX], i, n;

	if (!ordered)
		return;
	for (i = 0; i < f->n; i++) {
		const struct rule *r = f->v[i].rule;

		claims[i] = (struct claim){r->id, r->unless, r->kind, f->v[i].certainty, r->rank};
	}
	n = claims_order(claims, f->n, order);
	for (i = 0; i < n; i++)
		ordered[i] = f->v[order[i]];
	memcpy(f->v, ordered, n * sizeof(*ordered));
	f->n = n;
	free(ordered);
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
	put_in_order(ret_findings);
}

bool live_have_fault(const struct findings *f)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (f->v[i].rule->kind != RULE_NOTE)
			return true;
	return false;
}
