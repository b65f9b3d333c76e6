/* cases.h - the cases by name, each run by a pair of daemons. */
#ifndef VPN_TESTS_INTEGRATION_CASES_H
#define VPN_TESTS_INTEGRATION_CASES_H

#include "vpn/tests/integration/lab.h"

struct it_case {
	const char *name;
	void (*run)(const struct it_case *it, const struct peer_driver *gw,
		    const struct peer_driver *vps);
	/* For cases of a kind, what makes the difference; see the kind. */
	const char *proposals, *esp_proposals;
	const char *text;
	int number;
};

/* Tables ended by an entry without a name. */
extern const struct it_case cases_seed[];
extern const struct it_case cases_algorithm[];

#endif
