/* text.h - findings for people and for programs. */
#ifndef HARNESS_EXPLAIN_TEXT_H
#define HARNESS_EXPLAIN_TEXT_H

#include <jansson.h>
#include <stdio.h>

#include "harness/explain/findings.h"

/* At most 90 columns. */
void findings_print(FILE *out, const struct survey *s, const struct findings *f, bool colour);
/* As reports/explain.schema.json has it; NULL: no memory. */
json_t *findings_json(const struct survey *s, const struct findings *f);

/* state.c: whether the captures prove a tunnel that works. UNREMARKABLE: they do not. */
enum survey_state { SURVEY_NOTHING, SURVEY_WORKS, SURVEY_UNREMARKABLE };
enum survey_state survey_state(const struct survey *s);
/* The i-th thing of a working tunnel that the captures do not show; NULL past the last. */
const char *survey_unseen(const struct survey *s, size_t i);

#endif
