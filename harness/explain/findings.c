/* findings.c - the registry of rules, and what they find, in its order (diagnosis.h). */
#include "harness/explain/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX  1024
#define RULES_MAX 128

const struct rule *rules_table(size_t *ret_n)
{
	static struct rule table[RULES_MAX];
	static size_t n;

	if (!n) {
#define X(family)                                                               \
	memcpy(table + n, rules_##family, n_rules_##family * sizeof(table[0])); \
	n += n_rules_##family;
		RULE_FAMILIES(X)
#undef X
	}
	*ret_n = n;
	return table;
}

static char *format(struct arena *a, const char *fmt, va_list args)
    __attribute__((format(printf, 2, 0)));

static char *format(struct arena *a, const char *fmt, va_list args)
{
	char text[TEXT_MAX];

	vsnprintf(text, sizeof(text), fmt, args);
	return arena_copy(a, text, strlen(text) + 1);
}

static struct finding *find_own(struct findings *out)
{
	return out->n && out->v[out->n - 1].rule == out->rule ? &out->v[out->n - 1] : NULL;
}

struct finding *finding_add(struct findings *out, enum certainty certainty, const char *what, ...)
{
	struct finding *f = find_own(out);
	bool surer = !f || certainty > f->certainty;
	va_list args;

	if (!f) {
		f = ARRAY_ADD(out->v, out->n);
		if (!f)
			return NULL;
		f->rule = out->rule;
	}
	f->cases = f->cases ? f->cases : 1;
	f->is_new_case = true;
	if (!surer)
		return f;
	f->certainty = certainty;
	f->n_evidence = 0;
	f->detail = NULL;
	va_start(args, what);
	f->what = format(&out->arena, what, args);
	va_end(args);
	return f->what ? f : NULL;
}

static void count_case(struct finding *f, const struct evidence *e)
{
	unsigned *n = e->file ? &f->in_file : &f->at_place[e->at.place];

	if (f->is_new_case && ++*n > f->cases)
		f->cases = *n;
	f->is_new_case = false;
}

static int add_evidence(struct finding *f, const struct evidence *e)
{
	if (!f || !e->text)
		return ERR_NOMEM;
	count_case(f, e);
	if (f->n_evidence < EVIDENCE_MAX)
		f->evidence[f->n_evidence++] = *e;
	return 0;
}

int finding_show(struct findings *out, struct finding *f, struct seen at, const char *text, ...)
{
	struct evidence e = {.at = at};
	va_list args;

	va_start(args, text);
	e.text = format(&out->arena, text, args);
	va_end(args);
	return add_evidence(f, &e);
}

int finding_cite(struct findings *out, struct finding *f, struct conf_place at, const char *text,
		 ...)
{
	struct evidence e = {.file = at.file, .line = at.line};
	va_list args;

	va_start(args, text);
	e.text = format(&out->arena, text, args);
	va_end(args);
	return add_evidence(f, &e);
}

int finding_detail(struct findings *out, struct finding *f, const char *text, ...)
{
	va_list args;

	if (!f)
		return ERR_NOMEM;
	if (f->detail)
		return 0;
	va_start(args, text);
	f->detail = format(&out->arena, text, args);
	va_end(args);
	return f->detail ? 0 : ERR_NOMEM;
}

/* Keeps what stands, in its order. */
static int put_in_order(struct findings *f)
{
	size_t i, n, count = f->n ? f->n : 1;
	struct finding *ordered = calloc(count, sizeof(*ordered));
	struct claim *claims = calloc(count, sizeof(*claims));
	size_t *order = calloc(count, sizeof(*order));
	int err = ordered && claims && order ? 0 : ERR_NOMEM;

	for (i = 0; !err && i < f->n; i++) {
		const struct rule *r = f->v[i].rule;

		claims[i] = (struct claim){r->id, r->unless, r->kind, f->v[i].certainty, r->rank};
	}
	n = err ? 0 : claims_order(claims, f->n, order);
	for (i = 0; i < n; i++)
		ordered[i] = f->v[order[i]];
	if (n)
		memcpy(f->v, ordered, n * sizeof(*ordered));
	f->n = err ? f->n : n;
	free(order);
	free(claims);
	free(ordered);
	return err;
}

int findings_find(const struct survey *s, struct findings *ret_findings)
{
	struct findings f = {0};
	size_t i, n;
	const struct rule *rules = rules_table(&n);
	int err = 0;

	for (i = 0; !err && i < n; i++) {
		f.rule = &rules[i];
		err = rules[i].find(s, &f);
	}
	if (!err)
		err = put_in_order(&f);
	if (err) {
		findings_free(&f);
		return err;
	}
	*ret_findings = f;
	return 0;
}

void findings_free(struct findings *f)
{
	free(f->v);
	arena_free(&f->arena);
	*f = (struct findings){0};
}
