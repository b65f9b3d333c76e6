/* json.h - facts and results of checks as JSON: what `beetlab check --json` prints, and what
 * result.json takes over. Frames are {"place": NAME, "frame": NUMBER}; times are seconds since
 * 1970; SPIs are hexadecimal text. */
#ifndef HARNESS_CHECKS_JSON_H
#define HARNESS_CHECKS_JSON_H

#include <jansson.h>

#include "harness/checks/checks.h"

/* {"name", "title", "clause", "verdict", "summary", "examined", "faults": [{"text", "frames"}],
 * "notes"} */
json_t *check_result_json(const struct facts *f, const struct check_result *r);
/* {"places", "messages", "ike_sas", "children", "esp", "keepalives", "icmp_errors", "tcp",
 * "refusals", "problems"} */
json_t *facts_json(const struct facts *f);
json_t *frame_json(const struct facts *f, size_t frame);

#endif
