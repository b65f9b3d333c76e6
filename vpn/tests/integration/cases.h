/* cases.h - the cases by name, each run by a pair of daemons. */
#ifndef VPN_TESTS_INTEGRATION_CASES_H
#define VPN_TESTS_INTEGRATION_CASES_H

#include "vpn/tests/integration/lab.h"

struct it_case {
	const char *name;
	void (*run)(const struct it_case *it, const struct peer_driver *gw,
		    const struct peer_driver *vps);
	const void *data; /* what makes the difference between cases of a kind */
};

/* Tables ended by an entry without a name. */
extern const struct it_case cases_seed[];
extern const struct it_case cases_algorithm[];
extern const struct it_case cases_auth[];
extern const struct it_case cases_negotiation[];
extern const struct it_case cases_explain[];
extern const struct it_case cases_failure[];
extern const struct it_case cases_path[];
extern const struct it_case cases_tools[];
extern const struct it_case cases_mode[];
extern const struct it_case cases_life[];
extern const struct it_case cases_misuse[];
extern const struct it_case cases_rekey[];

#endif
