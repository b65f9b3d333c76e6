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

/* What the survey holds in a few words, and whether it shows a working tunnel. */
enum survey_state { SURVEY_NOTHING, SURVEY_WORKS, SURVEY_PARTIAL };
enum survey_state survey_state(const struct survey *s, const struct findings *f);

#endif
