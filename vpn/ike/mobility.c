/* mobility.c - RFC 7296 §2.23: "... a host not behind a NAT SHOULD send all packets ... to the IP
 * address and port from the last valid authenticated packet from the other end".
 *
 *     peer ---[NAT: 10.0.0.2:4500 -> 198.51.100.2:1024]--- us        remote = 198.51.100.2[1024]
 *     peer ---[NAT reboots      -> 198.51.100.2:2048]----- us        an authenticated packet:
 * follow
 *
 * Callers call this after the integrity check alone. A host behind a NAT does not follow (it would
 * chase a spoofed path), and without any NAT addresses change by MOBIKE only. */
#include "vpn/ike/mobility.h"

#include "vpn/ike/child_install.h"
#include "vpn/ike/report.h"

static void move(struct ike_sa *sa, const struct endpoint *remote, uint64_t now)
{
	struct endpoint old = sa->remote;
	char from[ENDPOINT_STRLEN], to[ENDPOINT_STRLEN];
	struct list *pos, *tmp;

	sa->remote = *remote;
	sa->last_moved = now;
	report_log(sa->engine, sa, NULL, LOG_IKE, 0, "peer has moved from %s to %s",
		   endpoint_format(&old, from, sizeof(from)),
		   endpoint_format(remote, to, sizeof(to)));
	report_event(sa->engine, sa, NULL, EVENT_PEER_MOVED, 0, 0, "%s -> %s", from, to);
	list_for_each (pos, tmp, &sa->children)
		child_install_moved(sa, list_entry(pos, struct child_sa, node));
}

void mobility_follow(struct ike_sa *sa, const struct endpoint *local, const struct endpoint *remote,
		     uint64_t now)
{
	/* During the handshake the initiator floats to the NAT-T port (RFC 7296 §2.23). */
	if (sa->state == IKE_CONNECTING && !sa->initiator) {
		sa->local = *local;
		sa->remote = *remote;
		return;
	}
	if (endpoint_eq(remote, &sa->remote) || !sa->nat_remote || sa->nat_local)
		return;
	if (sa->last_moved && now - sa->last_moved < PEER_MOVE_INTERVAL)
		return;
	move(sa, remote, now);
}
