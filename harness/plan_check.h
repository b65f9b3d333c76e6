/* plan_check.h - whether the parts of a plan fit one another: for plan.c alone. */
#ifndef HARNESS_PLAN_CHECK_H
#define HARNESS_PLAN_CHECK_H

#include "harness/plan.h"

/* Nodes, wires, places, connections and children that steps and expectations name must exist, and
 * each end's configuration must be readable. ERR_SYNTAX: "FILE:LINE: ...", ERR_NOMEM. */
int plan_check(const struct plan *plan, struct err_msg *msg);

/* plan_config.c: the connections and children of an end's configuration, read as `--load-all` does.
 */
struct config_names {
	char *children, *connections; /* names with blanks between */
};

int config_names_read(const struct plan *plan, const struct plan_endpoint *endpoint,
		      struct config_names *ret_names, struct err_msg *msg);
void config_names_free(struct config_names *names);

#endif
