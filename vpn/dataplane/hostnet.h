/* hostnet.h - the host's own network as the kernel has it: its addresses, the way to a peer, and
 * when either changes. By rtnetlink; changes nothing. One thread. */
#ifndef VPN_DATAPLANE_HOSTNET_H
#define VPN_DATAPLANE_HOSTNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vpn/base/addr.h"
#include "vpn/base/err.h"

#define HOSTNET_ADDRESSES 64 /* of the host; further ones are not seen */

struct hostnet;

struct hostnet_config {
	uint32_t fwmark;	  /* of our packets: routes are asked for with it */
	const char *tun_name;	  /* our own devices, which are no network: this one, */
	const char *if_id_prefix; /* and this with a number behind */
};

/* ERR_IO, ERR_NOMEM. The config's texts are copied. */
int hostnet_new(const struct hostnet_config *cfg, struct hostnet **ret_net, struct err_msg *msg);
void hostnet_free(struct hostnet *net); /* NULL is fine */

/* To be polled for reading; then hostnet_changed, which never waits: true if an address, a link or
 * a route has changed that is not our own doing. */
int hostnet_fd(const struct hostnet *net);
bool hostnet_changed(struct hostnet *net);

/* Where the kernel would send from to `remote`; false: no route. */
bool hostnet_source(struct hostnet *net, const struct ip_addr *remote, struct ip_addr *ret_local);
/* True if `local` is an address of ours with which packets to `remote` leave by the device that has
 * it (or by any, if it stands on the loopback device): elsewhere a network's ingress filter would
 * drop them (RFC 2827). */
bool hostnet_can_send_from(struct hostnet *net, const struct ip_addr *local,
			   const struct ip_addr *remote);
/* True if it is an address of ours, on a link that is up and has its carrier. */
bool hostnet_has(const struct hostnet *net, const struct ip_addr *addr);
/* Usable global addresses of links that are up, none of our own devices'; false past the end. */
bool hostnet_address(const struct hostnet *net, size_t i, struct ip_addr *ret_addr);

#endif
