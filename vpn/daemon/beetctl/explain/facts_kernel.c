/* facts_kernel.c - links and addresses, and for each selector and for the peer the way that the
 * kernel would choose, by rtnetlink.
 *
 * The kernel is asked for its decision (RTM_GETROUTE, which goes by rules, tables and metrics), not
 * for its tables: what is decided is what counts. */
#include "vpn/daemon/beetctl/explain/facts.h"

#include <ctype.h>
#include <linux/rtnetlink.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/xfrmi.h>
#include <netlink/route/rule.h>
#include <stdlib.h>
#include <string.h>

#define BEETD_MARK 220 /* of beetd's outer packets (dataplane.h) */

/* --- Links and addresses --- */

static uint32_t trailing_number(const char *name)
{
	const char *at = name + strlen(name);

	while (at > name && isdigit((unsigned char)at[-1]))
		at--;
	return (uint32_t)strtoul(at, NULL, 10);
}

static uint32_t read_if_id(struct rtnl_link *link, const char *kind)
{
	uint32_t if_id = 0;

	if (rtnl_link_is_xfrmi(link) && !rtnl_link_xfrmi_get_if_id(link, &if_id))
		return if_id;
	return strcmp(kind, "tun") == 0 ? trailing_number(rtnl_link_get_name(link)) : 0;
}

static void add_link(struct nl_object *obj, void *arg)
{
	struct rtnl_link *link = (struct rtnl_link *)obj;
	const char *kind = rtnl_link_get_type(link);
	struct facts *f = arg;
	struct fact_link *l = &f->links[f->n_links];

	if (f->n_links == FACT_LINKS_MAX)
		return;
	f->n_links++;
	kind = kind ? kind : "";
	*l = (struct fact_link){.index = rtnl_link_get_ifindex(link),
				.mtu = rtnl_link_get_mtu(link),
				.up = (rtnl_link_get_flags(link) & IFF_UP) != 0,
				.loopback = (rtnl_link_get_flags(link) & IFF_LOOPBACK) != 0,
				.if_id = read_if_id(link, kind)};
	strncpy(l->name, rtnl_link_get_name(link), sizeof(l->name) - 1);
	strncpy(l->kind, kind, sizeof(l->kind) - 1);
}

static struct ip_addr from_nl(struct nl_addr *a)
{
	return nl_addr_get_family(a) == AF_INET6 ? ip_addr_from_v6(nl_addr_get_binary_addr(a))
						 : ip_addr_from_v4(nl_addr_get_binary_addr(a));
}

static void add_addr(struct nl_object *obj, void *arg)
{
	struct rtnl_addr *a = (struct rtnl_addr *)obj;
	struct nl_addr *local = rtnl_addr_get_local(a);
	struct facts *f = arg;

	if (f->n_addrs == FACT_ADDRS_MAX || !local ||
	    (nl_addr_get_family(local) != AF_INET && nl_addr_get_family(local) != AF_INET6))
		return;
	f->addrs[f->n_addrs++] = (struct fact_addr){
	    .addr = from_nl(local),
	    .bits = (unsigned)rtnl_addr_get_prefixlen(a),
	    .ifindex = rtnl_addr_get_ifindex(a),
	};
}

static void read_links(struct nl_sock *sock, struct facts *f)
{
	struct nl_cache *cache;

	if (!rtnl_link_alloc_cache(sock, AF_UNSPEC, &cache)) {
		nl_cache_foreach(cache, add_link, f);
		nl_cache_free(cache);
	}
	if (!rtnl_addr_alloc_cache(sock, &cache)) {
		nl_cache_foreach(cache, add_addr, f);
		nl_cache_free(cache);
	}
	if (f->n_links == FACT_LINKS_MAX || f->n_addrs == FACT_ADDRS_MAX)
		live_limit(f, "Only %zu links and %zu addresses were looked at.", f->n_links,
			   f->n_addrs);
}

static void see_rule(struct nl_object *obj, void *arg)
{
	struct rtnl_rule *rule = (struct rtnl_rule *)obj;
	struct facts *f = arg;

	if (rtnl_rule_get_table(rule) != BEETD_TABLE)
		return;
	f->rule4 = f->rule4 || rtnl_rule_get_family(rule) == AF_INET;
	f->rule6 = f->rule6 || rtnl_rule_get_family(rule) == AF_INET6;
}

static void read_rules(struct nl_sock *sock, struct facts *f)
{
	struct nl_cache *cache;

	if (rtnl_rule_alloc_cache(sock, AF_UNSPEC, &cache))
		return;
	nl_cache_foreach(cache, see_rule, f);
	nl_cache_free(cache);
	f->rules_known = true;
}

/* --- Ways --- */

struct answer {
	struct fact_way *way;
};

static enum way_kind kind_of(unsigned char type)
{
	switch (type) {
	case RTN_UNICAST:
		return WAY_OUT;
	case RTN_LOCAL:
		return WAY_LOCAL;
	default:
		return WAY_NONE;
	}
}

static int take_answer(struct nl_msg *m, void *arg)
{
	struct answer *answer = arg;
	struct nlmsghdr *hdr = nlmsg_hdr(m);
	const struct rtmsg *rt = nlmsg_data(hdr);
	struct nlattr *attrs[RTA_MAX + 1];

	if (hdr->nlmsg_type != RTM_NEWROUTE ||
	    nlmsg_parse(hdr, sizeof(*rt), attrs, RTA_MAX, NULL) < 0)
		return NL_SKIP;
	answer->way->kind = kind_of(rt->rtm_type);
	if (attrs[RTA_OIF])
		if_indextoname(nla_get_u32(attrs[RTA_OIF]), answer->way->dev);
	if (attrs[RTA_PREFSRC] && nla_len(attrs[RTA_PREFSRC]) == 4)
		answer->way->src = ip_addr_from_v4(nla_data(attrs[RTA_PREFSRC]));
	else if (attrs[RTA_PREFSRC] && nla_len(attrs[RTA_PREFSRC]) == 16)
		answer->way->src = ip_addr_from_v6(nla_data(attrs[RTA_PREFSRC]));
	return NL_OK;
}

/* What is asked: way.to and, of a forwarded packet, way.from and way.iif. */
static struct nl_msg *question(const struct fact_way *way, uint32_t mark)
{
	const struct ip_addr *to = &way->to, *from = &way->from;
	struct rtmsg rt = {.rtm_family = to->family == 6 ? AF_INET6 : AF_INET,
			   .rtm_dst_len = (uint8_t)ip_addr_bits(to),
			   .rtm_src_len = (uint8_t)ip_addr_bits(from)};
	struct nl_msg *m = nlmsg_alloc_simple(RTM_GETROUTE, NLM_F_REQUEST);

	if (m && (nlmsg_append(m, &rt, sizeof(rt), NLMSG_ALIGNTO) ||
		  nla_put(m, RTA_DST, (int)ip_addr_len(to), to->b) ||
		  (ip_addr_is_set(from) && (nla_put(m, RTA_SRC, (int)ip_addr_len(from), from->b) ||
					    nla_put_u32(m, RTA_IIF, if_nametoindex(way->iif)))) ||
		  (mark && nla_put_u32(m, RTA_MARK, mark)))) {
		nlmsg_free(m);
		return NULL;
	}
	return m;
}

/* An error of the kernel (unreachable, blackhole) is an answer: there is no way. */
static void ask(struct nl_sock *sock, struct fact_way *way, uint32_t mark)
{
	struct answer answer = {.way = way};
	struct nl_msg *m = question(way, mark);

	if (!m)
		return;
	way->kind = WAY_NONE;
	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, take_answer, &answer);
	if (nl_send_auto(sock, m) >= 0)
		nl_recvmsgs_default(sock);
	nlmsg_free(m);
}

static struct fact_way ask_way(struct nl_sock *sock, const struct ip_addr *to, uint32_t mark)
{
	struct fact_way way = {.to = *to};

	ask(sock, &way, mark);
	return way;
}

/* Rules may ask by which device a packet has come in: forwarded ones can go another way. */
static void ask_forwarded(struct nl_sock *sock, const struct fact_net *local,
			  const struct fact_net *remote, struct fact_way *ret_way)
{
	if (local->way.kind != WAY_OUT || remote->way.kind == WAY_NOT_ASKED ||
	    local->way.to.family != remote->way.to.family)
		return;
	*ret_way = (struct fact_way){.to = remote->way.to, .from = local->way.to};
	memcpy(ret_way->iif, local->way.dev, sizeof(ret_way->iif));
	ask(sock, ret_way, 0);
}

/* --- Which host to ask for --- */

/* "Any" is asked for by an address that only a default route leads to (RFC 5737, RFC 3849). */
static struct ip_addr any_host(uint8_t family)
{
	struct ip_addr host = {0};

	if (ip_addr_parse(family == 6 ? "2001:db8::1" : "192.0.2.1", &host))
		host = (struct ip_addr){0};
	return host;
}

static bool is_probe(const struct facts *f, const struct ts *ts, const struct ip_addr *host)
{
	return ip_addr_cmp(host, &ts->lo) >= 0 && ip_addr_cmp(host, &ts->hi) <= 0 &&
	       !live_is_own(f, host);
}

/* The first host of a selector that is not this one; a network's own address is none. */
static bool pick_host(const struct facts *f, const struct ts *ts, struct ip_addr *ret_host)
{
	struct ip_addr host = ts->lo;
	unsigned tries;

	if (ip_addr_is_any(&ts->lo))
		host = any_host(ts_family(ts));
	else if (!ip_addr_eq(&ts->lo, &ts->hi))
		ip_addr_next(&ts->lo, &host);
	for (tries = 0; tries < 16; tries++) {
		if (is_probe(f, ts, &host)) {
			*ret_host = host;
			return true;
		}
		if (!ip_addr_next(&host, &host))
			break;
	}
	return false;
}

static void ask_net(struct nl_sock *sock, const struct facts *f, struct fact_net *net)
{
	struct ip_addr host;

	if (pick_host(f, &net->ts, &host))
		net->way = ask_way(sock, &host, 0);
}

static void ask_nets(struct nl_sock *sock, struct facts *f)
{
	size_t i, k, m;

	for (i = 0; i < f->n_children; i++) {
		struct fact_child *c = &f->children[i];

		for (k = 0; k < c->n_local; k++)
			ask_net(sock, f, &c->local[k]);
		for (k = 0; k < c->n_remote; k++)
			ask_net(sock, f, &c->remote[k]);
		for (k = 0; k < c->n_local; k++)
			for (m = 0; m < c->n_remote; m++)
				ask_forwarded(sock, &c->local[k], &c->remote[m],
					      &c->forwarded[k][m]);
	}
}

/* The SA's peer, or the first numeric address of the configuration. */
static bool peer_address(const struct facts *f, struct ip_addr *ret_addr)
{
	const struct fact_sa *sa = live_sa(f);
	size_t len = strcspn(f->remote_addrs, " ");
	char first[FACT_TEXT_MAX] = "";

	if (sa && ip_addr_is_set(&sa->remote.addr)) {
		*ret_addr = sa->remote.addr;
		return true;
	}
	memcpy(first, f->remote_addrs, len);
	return !ip_addr_parse(first, ret_addr);
}

static void ask_peer(struct nl_sock *sock, struct facts *f)
{
	struct ip_addr peer;

	if (!peer_address(f, &peer))
		return;
	f->peer = ask_way(sock, &peer, live_has_kernel_policies(f) ? 0 : BEETD_MARK);
	f->peer_back = ask_way(sock, &peer, 0);
}

void live_ask_kernel(struct facts *f)
{
	struct nl_sock *sock = nl_socket_alloc();

	if (!sock || nl_connect(sock, NETLINK_ROUTE)) {
		live_limit(f, "Links, addresses and routes could not be asked for.");
		nl_socket_free(sock);
		return;
	}
	read_links(sock, f);
	read_rules(sock, f);
	nl_socket_disable_auto_ack(sock);
	ask_nets(sock, f);
	ask_peer(sock, f);
	nl_socket_free(sock);
}
