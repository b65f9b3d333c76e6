/* netlink.c - links, addresses and routes through libnl-route.
 *
 * Each function is one request and its acknowledgement; nothing is cached, since a namespace has
 * few interfaces and they are asked for once. Offloads are not netlink's but ethtool's: on a pair
 * of virtual interfaces they let packets pass without checksums and in segments of up to 64 kB,
 * which no real wire would carry and no capture should show.
 *
 * Ownership: a socket belongs to the caller; every libnl object is released before return. */
#include "netns/netlink.h"
#include "netns/ns.h"
#include "netns/wait.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_addr.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/bridge.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Frames that wait for the process that reads them; what finds no room is lost. */
#define TAP_QUEUE_LEN 16384
#define CARRIER_MS    1000

static int failed(struct err_msg *msg, const char *what, const char *name, int nl_err)
{
	if (nl_err >= 0)
		return 0;
	return err_set(msg, ERR_IO, "%s %s: %s", what, name, nl_geterror(nl_err));
}

int netlink_open(int ns_fd, struct nl_sock **ret_sock, struct err_msg *msg)
{
	struct nl_sock *sock = nl_socket_alloc();
	int back, nl_err;

	if (!sock)
		return err_set(msg, ERR_NOMEM, "netlink socket: out of memory");
	if (ns_enter(ns_fd, &back) < 0) {
		nl_socket_free(sock);
		return err_set(msg, ERR_IO, "cannot enter the namespace: %s", strerror(errno));
	}
	nl_err = nl_connect(sock, NETLINK_ROUTE);
	ns_leave(back);
	if (nl_err < 0) {
		nl_socket_free(sock);
		return failed(msg, "netlink", "socket", nl_err);
	}
	*ret_sock = sock;
	return 0;
}

void netlink_close(struct nl_sock *sock)
{
	nl_socket_free(sock);
}

static int get_link(struct nl_sock *sock, const char *ifname, struct rtnl_link **ret_link,
		    struct err_msg *msg)
{
	return failed(msg, "interface", ifname, rtnl_link_get_kernel(sock, 0, ifname, ret_link));
}

int netlink_add_veth(struct nl_sock *sock, const char *ifname, int peer_ns_fd,
		     const char *peer_ifname, unsigned mtu, struct err_msg *msg)
{
	struct rtnl_link *link = rtnl_link_veth_alloc();
	struct rtnl_link *peer;
	int nl_err;

	if (!link)
		return err_set(msg, ERR_NOMEM, "link %s: out of memory", ifname);
	peer = rtnl_link_veth_get_peer(link);
	rtnl_link_set_name(link, ifname);
	rtnl_link_set_mtu(link, mtu);
	rtnl_link_set_name(peer, peer_ifname);
	rtnl_link_set_mtu(peer, mtu);
	rtnl_link_set_ns_fd(peer, peer_ns_fd);
	rtnl_link_put(peer);
	nl_err = rtnl_link_add(sock, link, NLM_F_CREATE | NLM_F_EXCL);
	rtnl_link_veth_release(link);
	return failed(msg, "link", ifname, nl_err);
}

static int add_tuntap(const char *ifname, short flags, struct err_msg *msg)
{
	struct ifreq request = {.ifr_flags = flags};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return err_set(msg, ERR_IO, "/dev/net/tun: %s", strerror(errno));
	strncpy(request.ifr_name, ifname, sizeof(request.ifr_name) - 1);
	if (ioctl(fd, TUNSETIFF, &request) < 0 || ioctl(fd, TUNSETPERSIST, 1) < 0)
		err = err_set(msg, ERR_IO, "TUN/TAP device %s: %s", ifname, strerror(errno));
	close(fd);
	return err;
}

int netlink_add_tun(const char *ifname, struct err_msg *msg)
{
	return add_tuntap(ifname, IFF_TUN | IFF_NO_PI, msg);
}

int netlink_add_tap(struct nl_sock *sock, const char *ifname, unsigned mtu, struct err_msg *msg)
{
	struct rtnl_link *link, *change;
	int err = add_tuntap(ifname, IFF_TAP | IFF_NO_PI, msg);

	if (err == 0)
		err = get_link(sock, ifname, &link, msg);
	if (err < 0)
		return err;
	change = rtnl_link_alloc();
	rtnl_link_set_mtu(change, mtu);
	rtnl_link_set_txqlen(change, TAP_QUEUE_LEN);
	err = failed(msg, "MTU and queue of", ifname, rtnl_link_change(sock, link, change, 0));
	rtnl_link_put(change);
	rtnl_link_put(link);
	return err;
}

int netlink_add_bridge(struct nl_sock *sock, const char *ifname, struct err_msg *msg)
{
	return failed(msg, "bridge", ifname, rtnl_link_bridge_add(sock, ifname));
}

int netlink_add_port(struct nl_sock *sock, const char *bridge, const char *ifname,
		     struct err_msg *msg)
{
	struct rtnl_link *master = NULL, *port = NULL;
	int err = get_link(sock, bridge, &master, msg);

	if (err == 0)
		err = get_link(sock, ifname, &port, msg);
	if (err == 0)
		err = failed(msg, "bridge port", ifname, rtnl_link_enslave(sock, master, port));
	rtnl_link_put(port);
	rtnl_link_put(master);
	return err;
}

int netlink_set_up(struct nl_sock *sock, const char *ifname, bool up, struct err_msg *msg)
{
	struct rtnl_link *link, *change;
	int err = get_link(sock, ifname, &link, msg);

	if (err < 0)
		return err;
	change = rtnl_link_alloc();
	if (up)
		rtnl_link_set_flags(change, IFF_UP);
	else
		rtnl_link_unset_flags(change, IFF_UP);
	err = failed(msg, "interface", ifname, rtnl_link_change(sock, link, change, 0));
	rtnl_link_put(change);
	rtnl_link_put(link);
	return err;
}

int netlink_get_flags(struct nl_sock *sock, const char *ifname, unsigned *ret_flags,
		      struct err_msg *msg)
{
	struct rtnl_link *link;
	int err = get_link(sock, ifname, &link, msg);

	if (err < 0)
		return err;
	*ret_flags = rtnl_link_get_flags(link);
	rtnl_link_put(link);
	return 0;
}

struct carrier {
	struct nl_sock *sock;
	const char *ifname;
};

/* The kernel opens the queue under the lock under which the state becomes "up". */
static bool has_carrier(void *arg, char *seen, size_t cap)
{
	const struct carrier *c = arg;
	struct rtnl_link *link;
	bool has;

	snprintf(seen, cap, "no carrier");
	if (rtnl_link_get_kernel(c->sock, 0, c->ifname, &link) < 0)
		return false;
	has = rtnl_link_get_operstate(link) == rtnl_link_str2operstate("up") ||
	      !(rtnl_link_get_flags(link) & IFF_UP);
	rtnl_link_put(link);
	return has;
}

void netlink_wait_carrier(struct nl_sock *sock, const char *ifname)
{
	struct carrier carrier = {sock, ifname};
	struct err_msg msg;

	wait_until(has_carrier, &carrier, CARRIER_MS, ifname, &msg);
}

static struct nl_addr *to_nl_addr(const struct ip_addr *addr, unsigned bits)
{
	int family = addr->family == 4 ? AF_INET : AF_INET6;
	struct nl_addr *nl = nl_addr_build(family, addr->b, ip_addr_len(addr));

	if (nl)
		nl_addr_set_prefixlen(nl, (int)bits);
	return nl;
}

static int make_address(struct nl_sock *sock, const char *ifname, const struct ip_addr *addr,
			unsigned bits, struct rtnl_addr **ret_addr, struct err_msg *msg)
{
	struct nl_addr *local = to_nl_addr(addr, bits);
	struct rtnl_addr *made = rtnl_addr_alloc();
	struct rtnl_link *link;
	int err = get_link(sock, ifname, &link, msg);

	if (err < 0) {
		rtnl_addr_put(made);
	} else {
		rtnl_addr_set_ifindex(made, rtnl_link_get_ifindex(link));
		rtnl_addr_set_local(made, local);
		rtnl_link_put(link);
		*ret_addr = made;
	}
	nl_addr_put(local);
	return err;
}

int netlink_add_address(struct nl_sock *sock, const char *ifname, const struct ip_addr *addr,
			unsigned bits, struct err_msg *msg)
{
	struct rtnl_addr *made;
	int err = make_address(sock, ifname, addr, bits, &made, msg);

	if (err < 0)
		return err;
	if (addr->family == 6)
		rtnl_addr_set_flags(made, IFA_F_NODAD);
	err = failed(msg, "address on", ifname, rtnl_addr_add(sock, made, 0));
	rtnl_addr_put(made);
	return err;
}

int netlink_del_address(struct nl_sock *sock, const char *ifname, const struct ip_addr *addr,
			unsigned bits, struct err_msg *msg)
{
	struct rtnl_addr *made;
	int err = make_address(sock, ifname, addr, bits, &made, msg);

	if (err < 0)
		return err;
	err = failed(msg, "address on", ifname, rtnl_addr_delete(sock, made, 0));
	rtnl_addr_put(made);
	return err;
}

static int make_nexthop(struct nl_sock *sock, const struct ip_addr *via, const char *ifname,
			struct rtnl_nexthop **ret_hop, struct err_msg *msg)
{
	struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
	struct rtnl_link *link;
	int err;

	if (ifname) {
		err = get_link(sock, ifname, &link, msg);
		if (err < 0) {
			rtnl_route_nh_free(hop);
			return err;
		}
		rtnl_route_nh_set_ifindex(hop, rtnl_link_get_ifindex(link));
		rtnl_link_put(link);
	}
	if (ip_addr_is_set(via)) {
		struct nl_addr *gateway = to_nl_addr(via, ip_addr_bits(via));

		rtnl_route_nh_set_gateway(hop, gateway);
		nl_addr_put(gateway);
	}
	*ret_hop = hop;
	return 0;
}

int netlink_add_route(struct nl_sock *sock, const struct ip_addr *dst, unsigned bits,
		      const struct ip_addr *via, const char *ifname, struct err_msg *msg)
{
	char text[IP_ADDR_STRLEN];
	struct rtnl_route *route;
	struct rtnl_nexthop *hop;
	struct nl_addr *to;
	int err = make_nexthop(sock, via, ifname, &hop, msg);

	if (err < 0)
		return err;
	route = rtnl_route_alloc();
	to = to_nl_addr(dst, bits);
	rtnl_route_set_family(route, dst->family == 4 ? AF_INET : AF_INET6);
	rtnl_route_set_scope(route, ip_addr_is_set(via) ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK);
	rtnl_route_set_dst(route, to);
	rtnl_route_add_nexthop(route, hop);
	err = failed(msg, "route to", ip_addr_format(dst, text, sizeof(text)),
		     rtnl_route_add(sock, route, NLM_F_CREATE | NLM_F_REPLACE));
	nl_addr_put(to);
	rtnl_route_put(route);
	return err;
}

int netlink_offloads_off(const char *ifname, struct err_msg *msg)
{
	static const uint32_t commands[] = {ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO,
					    ETHTOOL_STXCSUM, ETHTOOL_SRXCSUM};
	struct ethtool_value off = {.data = 0};
	struct ifreq request = {.ifr_data = (void *)&off};
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err = 0;
	size_t i;

	if (sock < 0)
		return err_set(msg, ERR_IO, "socket: %s", strerror(errno));
	strncpy(request.ifr_name, ifname, sizeof(request.ifr_name) - 1);
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]) && err == 0; i++) {
		off.cmd = commands[i];
		if (ioctl(sock, SIOCETHTOOL, &request) < 0 && errno != EOPNOTSUPP)
			err = err_set(msg, ERR_IO, "offloads of %s: %s", ifname, strerror(errno));
	}
	close(sock);
	return err;
}
