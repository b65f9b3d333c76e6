/* fuzz_scenario.c - any text is a scenario with its plan, or an error with a line; never a crash.
 */
#include "harness/plan.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct plan_options options = {.seed = 1};
	struct err_msg msg = {{0}};
	struct scenario *scenario;
	struct plan plan;

	if (scenario_parse("/nonexistent/fuzz.yaml", (const char *)data, size, &scenario, &msg) <
	    0) {
		if (!msg.text[0])
			abort();
		return 0;
	}
	if (plan_make(scenario, &options, &plan, &msg) < 0) {
		if (!msg.text[0])
			abort();
	} else {
		FILE *out = fopen("/dev/null", "we");

		if (out) {
			plan_print(&plan, out);
			fclose(out);
		}
	}
	scenario_free(scenario);
	return 0;
}
