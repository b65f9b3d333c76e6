/* mark.h - firewall marks on decrypted packets (set_mark_in).
 *
 * The kernel's own ESP writes a mark into a packet when it has decrypted it. What is written to a
 * TUN device carries none; so a table of our own ("inet beetd") marks it at the earliest hook,
 * before connection tracking and routing look: packets from that device, between those selectors.
 * Belongs to the control thread. */
#ifndef VPN_DATAPLANE_MARK_H
#define VPN_DATAPLANE_MARK_H

#include <stdint.h>

#include "vpn/base/err.h"
#include "vpn/base/ts.h"

struct marker;

/* Of one inbound SA. The mark becomes (mark & ~mask) | value, as `ip xfrm` has it. */
struct mark_rule {
	const char *ifname;
	const struct ts_list *local_ts, *remote_ts;
	uint32_t value, mask;
};

/* Removes the table that a killed predecessor left. ERR_NOMEM. Without nftables, in this build or
 * in the kernel, marker_add fails and nothing else does. */
int marker_new(struct marker **ret_marker);
/* Removes all that was added. NULL is fine. */
void marker_free(struct marker *m);

/* Each add is undone by one del of an equal rule; equal rules (a rekeyed SA beside its predecessor)
 * are counted. ERR_UNSUPPORTED (no nftables), ERR_NOMEM; then nothing has changed. */
int marker_add(struct marker *m, const struct mark_rule *rule, struct err_msg *msg);
void marker_del(struct marker *m, const struct mark_rule *rule);

#endif
