/* result.h - what a run came to, as one JSON value: reports/result.schema.json describes it.
 *
 * Every report (HTML, Markdown, JUnit, the terminal) is made from this value and from nothing
 * else. */
#ifndef HARNESS_RESULT_H
#define HARNESS_RESULT_H

#include <jansson.h>
#include "harness/occurred.h"
#include "harness/plan.h"

enum run_verdict { RUN_PASS, RUN_FAIL, RUN_SKIPPED, RUN_ERROR };
const char *run_verdict_name(enum run_verdict verdict); /* "pass", "fail", "skipped", "error" */

/* The head: scenario, purpose, seed, endpoints, environment. NULL if memory is short. */
json_t *result_new(const struct plan *plan, const char *command);
/* Of the worst that was said: pass < skipped < fail < error. The first reason stays. */
void result_set_verdict(json_t *result, enum run_verdict verdict, const char *reason);
enum run_verdict result_verdict(const json_t *result);

void result_add_step(json_t *result, const struct sc_step *step, bool ok, double seconds,
		     uint64_t octets, const char *seen, const char *error);
void result_add_wires(json_t *result, const struct wire_truth *wires, size_t count);

/* Runs the standing checks and the scenario's expectations on the facts, and writes them down with
 * their evidence. ERR_NOMEM. */
int result_judge(json_t *result, const struct plan *plan, const struct evidence *evidence,
		 struct err_msg *msg);
/* Captures, SAs, message ladder, packets over time: for people to look at. */
void result_add_facts(json_t *result, const struct plan *plan, const struct facts *facts);
void result_add_ladder(json_t *result, const struct plan *plan, const struct facts *facts);
void result_add_series(json_t *result, const struct facts *facts, const char *dir);

#endif
