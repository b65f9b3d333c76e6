/* hostnet.c - rtnetlink as a listener and as an oracle.
 *
 * One socket listens to the groups of links, addresses and routes; what our own data plane does
 * (its devices, its routes by their protocol number) and the kernel's caches are not news. The
 * other asks: which way would a packet with our mark take (RTM_GETROUTE, with a source or without),
 * and which addresses are there. The list of addresses is read again with every change.
 *
 * A listener that the kernel had to drop messages for (ENOBUFS) counts as a change. */
#include "vpn/dataplane/hostnet.h"

#include <ctype.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <stdlib.h>
#include <string.h>

#include "vpn/dataplane/route.h"

struct host_address {
	struct ip_addr addr;
	int ifindex;
	bool loopback; /* the device is */
	bool running;  /* it has a carrier */
	bool told;     /* peers may be told of it */
};

struct hostnet {
	uint32_t fwmark;
	char tun_name[IF_NAMESIZE], if_id_prefix[IF_NAMESIZE];
	struct nl_sock *listener, *query;
	bool changed;
	struct host_address addrs[HOSTNET_ADDRESSES];
	size_t n_addrs;
};

static bool is_ours(const struct hostnet *net, int ifindex)
{
	char name[IF_NAMESIZE];
	size_t len = strlen(net->if_id_prefix);

	if (ifindex <= 0 || !if_indextoname((unsigned)ifindex, name))
		return false;
	if (strcmp(name, net->tun_name) == 0)
		return true;
	return strncmp(name, net->if_id_prefix, len) == 0 && name[len] &&
	       strspn(name + len, "0123456789") == strlen(name + len);
}

/* --- addresses --- */

struct walk {
	struct hostnet *net;
	struct nl_cache *links;
};

static struct ip_addr from_nl(struct nl_addr *a)
{
	return nl_addr_get_family(a) == AF_INET6 ? ip_addr_from_v6(nl_addr_get_binary_addr(a))
						 : ip_addr_from_v4(nl_addr_get_binary_addr(a));
}

static unsigned link_flags(struct nl_cache *links, int ifindex)
{
	struct rtnl_link *link = rtnl_link_get(links, ifindex);
	unsigned flags = link ? rtnl_link_get_flags(link) : 0;

	rtnl_link_put(link);
	return flags;
}

static void add_address(struct nl_object *obj, void *arg)
{
	struct walk *walk = arg;
	struct hostnet *net = walk->net;
	struct rtnl_addr *a = (struct rtnl_addr *)obj;
	struct nl_addr *local = rtnl_addr_get_local(a);
	struct host_address *new = &net->addrs[net->n_addrs];
	unsigned dev = link_flags(walk->links, rtnl_addr_get_ifindex(a));
	bool usable = !(rtnl_addr_get_flags(a) & (IFA_F_TENTATIVE | IFA_F_DADFAILED));

	if (net->n_addrs == HOSTNET_ADDRESSES || !local || !usable || !(dev & IFF_UP) ||
	    rtnl_addr_get_scope(a) >= RT_SCOPE_LINK)
		return;
	if (nl_addr_get_family(local) != AF_INET && nl_addr_get_family(local) != AF_INET6)
		return;
	*new = (struct host_address){.addr = from_nl(local),
				     .ifindex = rtnl_addr_get_ifindex(a),
				     .loopback = (dev & IFF_LOOPBACK) != 0,
				     .running = (dev & IFF_RUNNING) != 0};
	new->told = new->running && !(rtnl_addr_get_flags(a) & IFA_F_DEPRECATED) &&
		    !is_ours(net, new->ifindex);
	net->n_addrs++;
}

static void read_addresses(struct hostnet *net)
{
	struct walk walk = {.net = net};
	struct nl_cache *addrs;

	if (rtnl_link_alloc_cache(net->query, AF_UNSPEC, &walk.links))
		return;
	if (rtnl_addr_alloc_cache(net->query, &addrs) == 0) {
		net->n_addrs = 0;
		nl_cache_foreach(addrs, add_address, &walk);
		nl_cache_free(addrs);
	}
	nl_cache_free(walk.links);
}

bool hostnet_has(const struct hostnet *net, const struct ip_addr *addr)
{
	size_t i;

	for (i = 0; i < net->n_addrs; i++)
		if (net->addrs[i].running && ip_addr_eq(&net->addrs[i].addr, addr))
			return true;
	return false;
}

bool hostnet_address(const struct hostnet *net, size_t i, struct ip_addr *ret_addr)
{
	size_t k;

	for (k = 0; k < net->n_addrs; k++) {
		if (!net->addrs[k].told || i--)
			continue;
		*ret_addr = net->addrs[k].addr;
		return true;
	}
	return false;
}

/* --- routes --- */

struct answer {
	bool there;
	int ifindex;
	struct ip_addr src;
};

static int take_answer(struct nl_msg *m, void *arg)
{
	struct answer *answer = arg;
	struct nlmsghdr *hdr = nlmsg_hdr(m);
	const struct rtmsg *rt = nlmsg_data(hdr);
	struct nlattr *attrs[RTA_MAX + 1];

	if (hdr->nlmsg_type != RTM_NEWROUTE ||
	    nlmsg_parse(hdr, sizeof(*rt), attrs, RTA_MAX, NULL) < 0)
		return NL_SKIP;
	answer->there = rt->rtm_type == RTN_UNICAST || rt->rtm_type == RTN_LOCAL;
	if (attrs[RTA_OIF])
		answer->ifindex = (int)nla_get_u32(attrs[RTA_OIF]);
	if (attrs[RTA_PREFSRC] && nla_len(attrs[RTA_PREFSRC]) == 4)
		answer->src = ip_addr_from_v4(nla_data(attrs[RTA_PREFSRC]));
	else if (attrs[RTA_PREFSRC] && nla_len(attrs[RTA_PREFSRC]) == 16)
		answer->src = ip_addr_from_v6(nla_data(attrs[RTA_PREFSRC]));
	return NL_OK;
}

static struct nl_msg *question(const struct hostnet *net, const struct ip_addr *remote,
			       const struct ip_addr *local)
{
	struct rtmsg rt = {.rtm_family = remote->family == 6 ? AF_INET6 : AF_INET,
			   .rtm_dst_len = (uint8_t)ip_addr_bits(remote),
			   .rtm_src_len = local ? (uint8_t)ip_addr_bits(local) : 0};
	struct nl_msg *m = nlmsg_alloc_simple(RTM_GETROUTE, NLM_F_REQUEST);

	if (m && (nlmsg_append(m, &rt, sizeof(rt), NLMSG_ALIGNTO) ||
		  nla_put(m, RTA_DST, (int)ip_addr_len(remote), remote->b) ||
		  (local && nla_put(m, RTA_SRC, (int)ip_addr_len(local), local->b)) ||
		  (net->fwmark && nla_put_u32(m, RTA_MARK, net->fwmark)))) {
		nlmsg_free(m);
		return NULL;
	}
	return m;
}

/* False: there is no route, or not with that source. */
static bool ask(struct hostnet *net, const struct ip_addr *remote, const struct ip_addr *local,
		struct answer *ret_answer)
{
	struct nl_msg *m = question(net, remote, local);
	struct answer answer = {.there = false};
	int err;

	if (!m)
		return false;
	nl_socket_modify_cb(net->query, NL_CB_VALID, NL_CB_CUSTOM, take_answer, &answer);
	err = nl_send_auto(net->query, m);
	nlmsg_free(m);
	if (err >= 0)
		err = nl_recvmsgs_default(net->query);
	nl_socket_modify_cb(net->query, NL_CB_VALID, NL_CB_DEFAULT, NULL, NULL);
	if (err < 0 || !answer.there)
		return false;
	*ret_answer = answer;
	return true;
}

bool hostnet_source(struct hostnet *net, const struct ip_addr *remote, struct ip_addr *ret_local)
{
	struct answer answer;

	if (!ask(net, remote, NULL, &answer) || !ip_addr_is_set(&answer.src))
		return false;
	*ret_local = answer.src;
	return true;
}

bool hostnet_can_send_from(struct hostnet *net, const struct ip_addr *local,
			   const struct ip_addr *remote)
{
	struct answer answer;
	size_t i;

	if (!ask(net, remote, local, &answer))
		return false;
	for (i = 0; i < net->n_addrs; i++) {
		const struct host_address *a = &net->addrs[i];

		if (ip_addr_eq(&a->addr, local) && (a->ifindex == answer.ifindex || a->loopback))
			return true;
	}
	return false;
}

/* --- news --- */

static bool is_news_of_route(const struct hostnet *net, struct nlmsghdr *hdr)
{
	const struct rtmsg *rt = nlmsg_data(hdr);
	struct nlattr *attrs[RTA_MAX + 1];

	if (rt->rtm_protocol == DP_ROUTE_PROTOCOL || rt->rtm_flags & RTM_F_CLONED ||
	    rt->rtm_table == RT_TABLE_LOCAL ||
	    nlmsg_parse(hdr, sizeof(*rt), attrs, RTA_MAX, NULL) < 0)
		return false;
	return !attrs[RTA_OIF] || !is_ours(net, (int)nla_get_u32(attrs[RTA_OIF]));
}

static int take_news(struct nl_msg *m, void *arg)
{
	struct hostnet *net = arg;
	struct nlmsghdr *hdr = nlmsg_hdr(m);
	bool news = false;

	switch (hdr->nlmsg_type) {
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		news = is_news_of_route(net, hdr);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		news = !is_ours(net, (int)((struct ifaddrmsg *)nlmsg_data(hdr))->ifa_index);
		break;
	case RTM_NEWLINK:
	case RTM_DELLINK:
		news = !is_ours(net, ((struct ifinfomsg *)nlmsg_data(hdr))->ifi_index);
		break;
	}
	net->changed = net->changed || news;
	return NL_OK;
}

bool hostnet_changed(struct hostnet *net)
{
	bool changed;
	int err;

	do {
		err = nl_recvmsgs_default(net->listener);
	} while (err == 0);
	changed = net->changed || (err != -NLE_AGAIN && err != -NLE_INTR);
	net->changed = false;
	if (changed)
		read_addresses(net);
	return changed;
}

int hostnet_fd(const struct hostnet *net)
{
	return nl_socket_get_fd(net->listener);
}

static int open_sockets(struct hostnet *net)
{
	int err;

	net->listener = nl_socket_alloc();
	net->query = nl_socket_alloc();
	if (!net->listener || !net->query)
		return -NLE_NOMEM;
	nl_socket_disable_seq_check(net->listener);
	nl_socket_modify_cb(net->listener, NL_CB_VALID, NL_CB_CUSTOM, take_news, net);
	nl_socket_disable_auto_ack(net->query);
	err = nl_connect(net->listener, NETLINK_ROUTE);
	if (!err)
		err = nl_connect(net->query, NETLINK_ROUTE);
	if (!err)
		err = nl_socket_set_nonblocking(net->listener);
	if (!err)
		err = nl_socket_add_memberships(net->listener, RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR,
						RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
						RTNLGRP_IPV6_ROUTE, 0);
	return err;
}

int hostnet_new(const struct hostnet_config *cfg, struct hostnet **ret_net, struct err_msg *msg)
{
	struct hostnet *net = calloc(1, sizeof(*net));
	int err;

	if (!net)
		return err_set(msg, ERR_NOMEM, "out of memory");
	net->fwmark = cfg->fwmark;
	strncpy(net->tun_name, cfg->tun_name, sizeof(net->tun_name) - 1);
	strncpy(net->if_id_prefix, cfg->if_id_prefix, sizeof(net->if_id_prefix) - 1);
	err = open_sockets(net);
	if (err) {
		hostnet_free(net);
		return err_set(msg, ERR_IO, "netlink: %s", nl_geterror(err));
	}
	read_addresses(net);
	*ret_net = net;
	return 0;
}

void hostnet_free(struct hostnet *net)
{
	if (!net)
		return;
	nl_socket_free(net->listener);
	nl_socket_free(net->query);
	free(net);
}
