/* plan_network.h - what a scenario says of its network, against itself: for plan.c alone.
 *
 * The whole is topology_check's to judge; here is what can be told with the line of its cause. */
#ifndef HARNESS_PLAN_NETWORK_H
#define HARNESS_PLAN_NETWORK_H

#include "harness/plan.h"

/* Before the scenario's nodes are merged with the base's: names can be used, and stand once.
 * ERR_SYNTAX: "FILE:LINE: ...". */
int plan_check_names(const struct scenario *scenario, struct err_msg *msg);
/* When plan->topology is whole: interfaces, addresses, routes and NAT boxes fit one another.
 * ERR_SYNTAX, ERR_NOMEM. */
int plan_check_network(const struct plan *plan, struct err_msg *msg);

#endif
