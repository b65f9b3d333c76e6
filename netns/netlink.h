/* netlink.h - links, addresses and routes of a namespace, through libnl.
 *
 * A socket belongs to the namespace that it was opened in, so the caller's own does not matter
 * after netlink_open. All functions return 0 or ERR_IO with the kernel's reason in msg. */
#ifndef NETNS_NETLINK_H
#define NETNS_NETLINK_H

#include <stdbool.h>
#include "vpn/base/addr.h"
#include "vpn/base/err.h"

struct nl_sock;

int netlink_open(int ns_fd, struct nl_sock **ret_sock, struct err_msg *msg);
void netlink_close(struct nl_sock *sock);

/* One end here, the peer in the namespace of peer_ns_fd. */
int netlink_add_veth(struct nl_sock *sock, const char *ifname, int peer_ns_fd,
		     const char *peer_ifname, unsigned mtu, struct err_msg *msg);
/* A persistent TUN device, down, in the namespace that the thread is in: what an administrator
 * makes for a daemon to adopt. */
int netlink_add_tun(const char *ifname, struct err_msg *msg);
/* The same for a TAP, with an MTU, through the socket of that namespace. */
int netlink_add_tap(struct nl_sock *sock, const char *ifname, unsigned mtu, struct err_msg *msg);
int netlink_add_bridge(struct nl_sock *sock, const char *ifname, struct err_msg *msg);
int netlink_add_port(struct nl_sock *sock, const char *bridge, const char *ifname,
		     struct err_msg *msg);
int netlink_set_up(struct nl_sock *sock, const char *ifname, bool up, struct err_msg *msg);
/* IFF_UP, IFF_RUNNING and the like. */
int netlink_get_flags(struct nl_sock *sock, const char *ifname, unsigned *ret_flags,
		      struct err_msg *msg);
/* Until the kernel has noticed a carrier, which it does by and by, it drops what the node sends.
 * Waits for that, a second at most, if the interface is up. */
void netlink_wait_carrier(struct nl_sock *sock, const char *ifname);
/* An IPv6 address is usable at once: no duplicate address detection. */
int netlink_add_address(struct nl_sock *sock, const char *ifname, const struct ip_addr *addr,
			unsigned bits, struct err_msg *msg);
int netlink_del_address(struct nl_sock *sock, const char *ifname, const struct ip_addr *addr,
			unsigned bits, struct err_msg *msg);
/* via may be unset, or ifname NULL, but not both. Replaces a route to the same destination. */
int netlink_add_route(struct nl_sock *sock, const struct ip_addr *dst, unsigned bits,
		      const struct ip_addr *via, const char *ifname, struct err_msg *msg);

/* Switches checksum and segmentation offloads off, in the namespace that the thread is in. What the
 * interface does not have is passed over. */
int netlink_offloads_off(const char *ifname, struct err_msg *msg);

#endif
