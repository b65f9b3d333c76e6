/* params.h - the parameters of an expectation, from the text of a scenario to what checks take. */
#ifndef HARNESS_PARAMS_H
#define HARNESS_PARAMS_H

#include "harness/checks/checks.h"
#include "harness/scenario.h"

/* That the check exists and its parameters can be read; for scenario.c. ERR_SYNTAX. */
int params_validate(struct doc *doc, const struct sc_expectation *expectation, struct err_msg *msg);
/* Adds the parameters to *params (places and MTU stay). ERR_SYNTAX, ERR_NOMEM. */
int params_read(struct doc *doc, const struct pair_list *with, struct check_params *params,
		struct err_msg *msg);
void params_clear(struct check_params *params);
/* The keys, for the test that each is documented; NULL: no more. */
const char *params_key(size_t index);

#endif
