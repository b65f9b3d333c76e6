/* result_explain.h - the expectation `explain: ID`: that `beetlab explain` of the run's own
 * captures names ID first, or, with ID "nothing", finds nothing wrong.
 *
 * `with: {keys: "no"}` asks without the run's keys, as somebody does who has none. */
#ifndef HARNESS_RESULT_EXPLAIN_H
#define HARNESS_RESULT_EXPLAIN_H

#include <jansson.h>
#include "harness/dissect/facts.h"
#include "harness/scenario.h"

#define EXPLAIN_NOTHING "nothing"

/* That there is such a finding, and the parameters can be read; for scenario.c. ERR_SYNTAX. */
int explain_validate(struct doc *doc, const struct sc_expectation *expectation,
		     struct err_msg *msg);

struct explained {
	bool is_met;
	bool is_absence; /* it is not there; false: something else is */
	json_t *entry;	 /* of result.json; the caller's */
	char text[256];
};

/* Reads the captures that the facts are of again, from their files; dir: of the run, where the keys
 * are, or NULL. ERR_IO, ERR_NOMEM. */
int explain_judge(const struct sc_expectation *expectation, const struct facts *facts,
		  const char *dir, struct explained *ret_explained, struct err_msg *msg);

#endif
