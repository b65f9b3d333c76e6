/* mobility.c - RFC 7296 §2.23: "... a host not behind a NAT SHOULD send all packets ... to the IP
 * address and port from the last valid authenticated packet from the other end".
 *
 *     peer ---[NAT: 10.0.0.2:4500 -> 198.51.100.2:1024]--- us        remote = 198.51.100.2[1024]
 *     peer ---[NAT reboots      -> 198.51.100.2:2048]----- us        an authenticated packet:
 * follow
 *
 * Callers call this after the integrity check alone. A host behind a NAT does not follow (it would
 * chase a spoofed path), and without any NAT addresses change by MOBIKE only. With MOBIKE, messages
 * of IKE are not followed at all, packets of ESP are (RFC 4555 §3.8). */
#include "vpn/ike/mobility.h"

#include "vpn/ike/child_install.h"
#include "vpn/ike/report.h"

static void move(struct ike_sa *sa, const struct endpoint *remote, uint64_t now)
{
	struct endpoint old = sa->remote;

	sa->remote = *remote;
	sa->last_moved = now;
	report_moved_peer(sa, &old);
	child_install_all_moved(sa);
}

void mobility_follow_esp(struct ike_sa *sa, const struct endpoint *remote, uint64_t now)
{
	if (endpoint_eq(remote, &sa->remote) || !sa->nat_remote || sa->nat_local)
		return;
	/* A native ESP packet that a NAT let through, from before the SA was encapsulated. */
	if (!remote->port)
		return;
	if (sa->last_moved && now - sa->last_moved < PEER_MOVE_INTERVAL)
		return;
	move(sa, remote, now);
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
	if (!sa->mobike.on)
		mobility_follow_esp(sa, remote, now);
}
