/* timers.h - every timer of an IKE SA; for vpn/ike/ alone. The list is in timers.c. */
#ifndef VPN_IKE_TIMERS_H
#define VPN_IKE_TIMERS_H

#include "vpn/ike/ike_sa.h"

/* The earliest point at which something of this SA is due; DEADLINE_NEVER. */
uint64_t timers_next(const struct ike_sa *sa);
/* Does what is due. The SA may be gone afterwards. */
void timers_run(struct ike_sa *sa, uint64_t now);

#endif
