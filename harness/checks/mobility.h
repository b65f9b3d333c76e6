/* mobility.h - the address updates of a capture (RFC 4555), for the checks that ask where an SA was
 * at a time, and whether behind a NAT. */
#ifndef HARNESS_CHECKS_MOBILITY_H
#define HARNESS_CHECKS_MOBILITY_H

#include "harness/checks/internal.h"

/* One UPDATE_SA_ADDRESSES exchange, whichever places saw it. */
struct address_update {
	size_t root;	/* the IKE SA, or the one that it descends from by rekeying */
	size_t request; /* its message as first seen */
	size_t answer;	/* the first response that accepts it; FACT_NONE */
	uint64_t begun_us;
	uint64_t settled_us; /* what was on its way should have arrived by then */
	bool says_nat;	     /* there are NAT detection payloads, and ... */
	bool nat;	     /* ... one does not match */
};

struct address_updates {
	struct address_update *v;
	size_t n;
};

/* In the order of time; in r's arena. ERR_NOMEM is noted in r. */
struct address_updates mobility_updates(const struct facts *f, struct check_result *r);
/* The last one of that family of SAs that began before; NULL: none. */
const struct address_update *mobility_last(const struct address_updates *u, size_t root,
					   uint64_t time_us);
/* The SA whose IKE_SA_INIT began it all. */
size_t mobility_root(const struct facts *f, size_t ike_sa);
/* True if one that this side's addresses have moved to is at that frame's place for the first time:
 * a message with this ID was seen elsewhere. */
bool mobility_seen_elsewhere(const struct facts *f, const struct ike_msg *m, uint32_t id);

#endif
