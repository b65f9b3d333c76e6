/* profile.c - runs the measures, and keeps what they say. */
#include "harness/reproduce/profile.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/explain/text.h"
#include "harness/reproduce/measure.h"

#define TEXT_MAX 512

int profile_say(struct profile *p, enum known known, const char *label, struct seen from,
		struct seen to, const char *text, ...)
{
	struct said *said = ARRAY_ADD(p->said, p->n_said);
	char buf[TEXT_MAX];
	va_list args;

	if (!said)
		return ERR_NOMEM;
	va_start(args, text);
	vsnprintf(buf, sizeof(buf), text, args);
	va_end(args);
	*said = (struct said){.known = known,
			      .label = label,
			      .text = arena_copy(&p->arena, buf, strlen(buf) + 1),
			      .from = from,
			      .to = to};
	return said->text ? 0 : ERR_NOMEM;
}

/* Notes are about what works. */
static const struct finding *first_fault(const struct findings *f)
{
	return f->n && f->v[0].rule->kind != RULE_NOTE ? &f->v[0] : NULL;
}

int profile_make(const struct survey *s, const struct findings *findings,
		 struct profile *ret_profile)
{
	static int (*const measures[])(struct profile *) = {
#define X(name) measure_##name,
	    MEASURES(X)
#undef X
	};
	struct profile p = {
	    .s = s, .first = first_fault(findings), .works = survey_state(s) == SURVEY_WORKS};
	size_t i;
	int err = 0;

	for (i = 0; !err && i < sizeof(measures) / sizeof(measures[0]); i++)
		err = measures[i](&p);
	if (err)
		profile_free(&p);
	else
		*ret_profile = p;
	return err;
}

void profile_free(struct profile *p)
{
	free(p->said);
	arena_free(&p->arena);
	*p = (struct profile){0};
}
