/* route.c - links, routes and rules through libnl.
 *
 * A selector may be any range of addresses; it is covered by the fewest prefixes that make it up
 * exactly. Several SAs may want one prefix (a rekeyed SA beside its predecessor), so each route has
 * a count.
 *
 * The rule is "not fwmark MARK lookup TABLE": the outer packets, which carry the mark, never see
 * our routes. libnl has no call for inverted rules, so that message is put together from its
 * attributes. */
#include "vpn/dataplane/route.h"

#include <linux/fib_rules.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/route.h>
#include <netlink/route/rule.h>
#include <stdlib.h>
#include <string.h>

#include "vpn/base/list.h"

struct prefix {
	struct ip_addr net;
	unsigned bits;
};

struct owned_route {
	struct list node;
	struct prefix to;
	int ifindex;
	unsigned users;
};

struct owned_mark {
	struct list node;
	uint32_t mark;
	unsigned users;
};

struct router {
	struct nl_sock *sock;
	uint32_t table, pref, fwmark;
	bool rule4, rule6;
	struct list routes;
	struct list marks; /* that our SAs' outer packets carry in place of fwmark */
};

static int af_of(uint8_t family)
{
	return family == 6 ? AF_INET6 : AF_INET;
}

/* --- rules --- */

struct rule {
	uint8_t family;
	uint8_t action; /* FR_ACT_... */
	bool invert;
	uint32_t pref, mark, table;
};

static int rule_message(const struct rule *rule, int type, int flags, struct nl_msg **ret_msg)
{
	struct fib_rule_hdr h = {.family = (uint8_t)af_of(rule->family),
				 .action = rule->action,
				 .flags = rule->invert ? FIB_RULE_INVERT : 0,
				 .table =
				     rule->table < 256 ? (uint8_t)rule->table : RT_TABLE_UNSPEC};
	struct nl_msg *m = nlmsg_alloc_simple(type, flags);

	if (!m)
		return ERR_NOMEM;
	if (nlmsg_append(m, &h, sizeof(h), NLMSG_ALIGNTO) ||
	    nla_put_u32(m, FRA_PRIORITY, rule->pref) || nla_put_u32(m, FRA_FWMARK, rule->mark) ||
	    (rule->table && nla_put_u32(m, FRA_TABLE, rule->table)) ||
	    nla_put_u8(m, FRA_PROTOCOL, DP_ROUTE_PROTOCOL)) {
		nlmsg_free(m);
		return ERR_NOMEM;
	}
	*ret_msg = m;
	return 0;
}

/* 0, or a negative libnl error. */
static int change_rule(struct router *r, const struct rule *rule, bool add)
{
	struct nl_msg *m;

	if (rule_message(rule, add ? RTM_NEWRULE : RTM_DELRULE, add ? NLM_F_CREATE | NLM_F_EXCL : 0,
			 &m))
		return -NLE_NOMEM;
	return nl_send_sync(r->sock, m); /* frees m */
}

static struct rule own_rule(const struct router *r, uint8_t family)
{
	return (struct rule){.family = family,
			     .action = FR_ACT_TO_TBL,
			     .invert = true,
			     .pref = r->pref,
			     .mark = r->fwmark,
			     .table = r->table};
}

static void remove_rules(struct router *r)
{
	struct rule v4 = own_rule(r, 4), v6 = own_rule(r, 6);

	if (r->rule4)
		change_rule(r, &v4, false);
	if (r->rule6)
		change_rule(r, &v6, false);
	r->rule4 = r->rule6 = false;
}

static int need_rule(struct router *r, uint8_t family, struct err_msg *msg)
{
	bool *have = family == 6 ? &r->rule6 : &r->rule4;
	struct rule rule = own_rule(r, family);
	int err;

	if (*have)
		return 0;
	err = change_rule(r, &rule, true);
	if (err && err != -NLE_EXIST)
		return err_set(msg, err == -NLE_PERM ? ERR_PERM : ERR_IO, "IPv%u rule %u: %s",
			       family, r->pref, nl_geterror(err));
	*have = true;
	return 0;
}

/* --- marks that pass --- */

/* Asked before our table: the mark's packets go by the main table, or nowhere. Were they left to go
 * on when the main table has no route for them, our table would lead them back into our device. */
static int change_pass(struct router *r, uint8_t family, uint32_t mark, bool add)
{
	struct rule pass = {.family = family,
			    .action = FR_ACT_TO_TBL,
			    .pref = r->pref - 1,
			    .mark = mark,
			    .table = RT_TABLE_MAIN};
	struct rule stop = {
	    .family = family, .action = FR_ACT_UNREACHABLE, .pref = r->pref - 1, .mark = mark};
	int err = change_rule(r, &pass, add);

	return err && add ? err : change_rule(r, &stop, add);
}

static struct owned_mark *find_mark(struct router *r, uint32_t mark)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &r->marks) {
		struct owned_mark *o = list_entry(pos, struct owned_mark, node);

		if (o->mark == mark)
			return o;
	}
	return NULL;
}

static void drop_mark(struct router *r, struct owned_mark *o)
{
	change_pass(r, 4, o->mark, false);
	change_pass(r, 6, o->mark, false);
	list_remove(&o->node);
	free(o);
}

int router_pass_add(struct router *r, uint32_t mark, struct err_msg *msg)
{
	struct owned_mark *o = find_mark(r, mark);
	int err;

	if (o) {
		o->users++;
		return 0;
	}
	o = calloc(1, sizeof(*o));
	if (!o)
		return err_set(msg, ERR_NOMEM, "out of memory");
	*o = (struct owned_mark){.mark = mark, .users = 1};
	list_append(&r->marks, &o->node);
	err = change_pass(r, 4, mark, true);
	if (!err)
		change_pass(r, 6, mark, true); /* a kernel without IPv6 is no error */
	if (!err)
		return 0;
	drop_mark(r, o);
	return err_set(msg, err == -NLE_PERM ? ERR_PERM : ERR_IO, "rule for mark 0x%x: %s", mark,
		       nl_geterror(err));
}

void router_pass_del(struct router *r, uint32_t mark)
{
	struct owned_mark *o = find_mark(r, mark);

	if (o && --o->users == 0)
		drop_mark(r, o);
}

/* --- source addresses --- */

struct src_search {
	const struct ts_list *local_ts;
	struct ip_addr *src;
};

static void try_address(struct nl_object *obj, void *arg)
{
	struct src_search *s = (struct src_search *)arg;
	struct nl_addr *n = rtnl_addr_get_local((struct rtnl_addr *)obj);
	struct ip_addr a;
	size_t i;

	if (!n || (nl_addr_get_family(n) != AF_INET && nl_addr_get_family(n) != AF_INET6))
		return;
	a = nl_addr_get_family(n) == AF_INET6 ? ip_addr_from_v6(nl_addr_get_binary_addr(n))
					      : ip_addr_from_v4(nl_addr_get_binary_addr(n));
	for (i = 0; i < s->local_ts->n; i++)
		if (a.family == ts_family(&s->local_ts->v[i]) &&
		    ip_addr_cmp(&a, &s->local_ts->v[i].lo) >= 0 &&
		    ip_addr_cmp(&a, &s->local_ts->v[i].hi) <= 0 &&
		    !ip_addr_is_set(&s->src[a.family == 6]))
			s->src[a.family == 6] = a;
}

/* An address of this machine inside the local selectors, of each family. */
static void find_sources(struct router *r, const struct ts_list *local_ts, struct ip_addr src[2])
{
	struct src_search s = {.local_ts = local_ts, .src = src};
	struct nl_cache *cache;

	if (rtnl_addr_alloc_cache(r->sock, &cache))
		return;
	nl_cache_foreach(cache, try_address, &s);
	nl_cache_free(cache);
}

/* --- routes --- */

static struct nl_addr *to_nl(const struct ip_addr *a, unsigned bits)
{
	struct nl_addr *n = nl_addr_build(af_of(a->family), a->b, ip_addr_len(a));

	if (n)
		nl_addr_set_prefixlen(n, (int)bits);
	return n;
}

static int fill_route(struct rtnl_route *route, const struct router *r, const struct prefix *to,
		      const struct ip_addr *src, int ifindex)
{
	struct nl_addr *dst = to_nl(&to->net, to->bits);
	struct nl_addr *pref = ip_addr_is_set(src) ? to_nl(src, ip_addr_bits(src)) : NULL;
	struct rtnl_nexthop *nh = rtnl_route_nh_alloc();
	int err = dst && nh ? 0 : ERR_NOMEM;

	rtnl_route_set_family(route, (uint8_t)af_of(to->net.family));
	rtnl_route_set_table(route, r->table);
	rtnl_route_set_protocol(route, DP_ROUTE_PROTOCOL);
	rtnl_route_set_scope(route, RT_SCOPE_LINK);
	if (dst)
		rtnl_route_set_dst(route, dst);
	if (pref)
		rtnl_route_set_pref_src(route, pref);
	if (nh) {
		rtnl_route_nh_set_ifindex(nh, ifindex);
		rtnl_route_add_nexthop(route, nh);
	}
	nl_addr_put(dst);
	nl_addr_put(pref);
	return err;
}

static int change_route(struct router *r, const struct prefix *to, const struct ip_addr *src,
			int ifindex, bool add)
{
	struct rtnl_route *route = rtnl_route_alloc();
	int err;

	if (!route)
		return -NLE_NOMEM;
	err = fill_route(route, r, to, src, ifindex) ? -NLE_NOMEM : 0;
	if (!err && add)
		err = rtnl_route_add(r->sock, route, NLM_F_CREATE | NLM_F_REPLACE);
	else if (!err)
		err = rtnl_route_delete(r->sock, route, 0);
	rtnl_route_put(route);
	return err;
}

static struct owned_route *find_route(struct router *r, const struct prefix *to)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &r->routes) {
		struct owned_route *o = list_entry(pos, struct owned_route, node);

		if (o->to.bits == to->bits && ip_addr_eq(&o->to.net, &to->net))
			return o;
	}
	return NULL;
}

struct add_args {
	const struct ts_list *local_ts;
	struct ip_addr src[2]; /* IPv4, IPv6: from have_src on */
	bool have_src;
	int ifindex;
	struct err_msg *msg;
};

static int new_route(struct router *r, const struct prefix *to, struct add_args *a)
{
	const struct ip_addr *src = &a->src[to->net.family == 6];
	char text[IP_ADDR_STRLEN];
	int err = need_rule(r, to->net.family, a->msg);

	if (err)
		return err;
	/* Asked for late: with many SAs to one network most need no route, and this takes long. */
	if (!a->have_src)
		find_sources(r, a->local_ts, a->src);
	a->have_src = true;
	err = change_route(r, to, src, a->ifindex, true);
	if (err)
		return err_set(a->msg, err == -NLE_PERM ? ERR_PERM : ERR_IO, "route to %s/%u: %s",
			       ip_addr_format(&to->net, text, sizeof(text)), to->bits,
			       nl_geterror(err));
	return 0;
}

static int add_prefix(struct router *r, const struct prefix *to, void *arg)
{
	struct add_args *a = (struct add_args *)arg;
	struct owned_route *o = find_route(r, to);
	int err;

	if (o) {
		o->users++;
		return 0;
	}
	o = calloc(1, sizeof(*o));
	if (!o)
		return err_set(a->msg, ERR_NOMEM, "out of memory");
	err = new_route(r, to, a);
	if (err) {
		free(o);
		return err;
	}
	*o = (struct owned_route){.to = *to, .ifindex = a->ifindex, .users = 1};
	list_append(&r->routes, &o->node);
	return 0;
}

static void drop_route(struct router *r, struct owned_route *o)
{
	static const struct ip_addr none;

	change_route(r, &o->to, &none, o->ifindex, false);
	list_remove(&o->node);
	free(o);
}

static void del_prefix(struct router *r, const struct prefix *to)
{
	struct owned_route *o = find_route(r, to);

	if (o && --o->users == 0)
		drop_route(r, o);
}

/* The largest prefix that starts at lo and does not go beyond hi. */
static struct prefix first_prefix(const struct ip_addr *lo, const struct ip_addr *hi)
{
	struct prefix p = {.net = *lo, .bits = ip_addr_bits(lo)};
	struct ip_addr first, last;

	while (p.bits > 0) {
		first = ip_addr_first(lo, p.bits - 1);
		last = ip_addr_last(lo, p.bits - 1);
		if (!ip_addr_eq(&first, lo) || ip_addr_cmp(&last, hi) > 0)
			break;
		p.bits--;
	}
	return p;
}

typedef int prefix_fn(struct router *r, const struct prefix *p, void *arg);

/* Calls fn for each prefix of the selectors, until it fails; *done counts the calls that did not.
 */
static int each_prefix(struct router *r, const struct ts_list *list, prefix_fn *fn, void *arg,
		       size_t limit, size_t *done)
{
	struct ip_addr at, last;
	struct prefix p;
	size_t i;
	int err;

	for (i = 0; i < list->n; i++) {
		at = list->v[i].lo;
		do {
			if (*done == limit)
				return 0;
			p = first_prefix(&at, &list->v[i].hi);
			err = fn(r, &p, arg);
			if (err)
				return err;
			++*done;
			last = ip_addr_last(&p.net, p.bits);
		} while (ip_addr_cmp(&last, &list->v[i].hi) < 0 && ip_addr_next(&last, &at));
	}
	return 0;
}

static int del_one(struct router *r, const struct prefix *p, void *arg)
{
	(void)arg;
	del_prefix(r, p);
	return 0;
}

/* --- public --- */

int router_add(struct router *r, const struct ts_list *local_ts, const struct ts_list *remote_ts,
	       int ifindex, struct err_msg *msg)
{
	struct add_args args = {.local_ts = local_ts, .ifindex = ifindex, .msg = msg};
	size_t done = 0, undone = 0;
	int err = each_prefix(r, remote_ts, add_prefix, &args, SIZE_MAX, &done);

	if (err)
		each_prefix(r, remote_ts, del_one, NULL, done, &undone);
	return err;
}

void router_del(struct router *r, const struct ts_list *remote_ts)
{
	size_t done = 0;

	each_prefix(r, remote_ts, del_one, NULL, SIZE_MAX, &done);
}

int router_link_up(struct router *r, int ifindex, uint32_t mtu, struct err_msg *msg)
{
	struct rtnl_link *old = NULL, *changes = rtnl_link_alloc();
	int err = changes ? rtnl_link_get_kernel(r->sock, ifindex, NULL, &old) : -NLE_NOMEM;

	if (!err) {
		rtnl_link_set_flags(changes, IFF_UP);
		if (mtu) {
			rtnl_link_set_mtu(changes, mtu);
			rtnl_link_set_txqlen(changes, ROUTER_LINK_QUEUE);
		}
		err = rtnl_link_change(r->sock, old, changes, 0);
	}
	rtnl_link_put(old);
	rtnl_link_put(changes);
	if (err)
		return err_set(msg, err == -NLE_PERM ? ERR_PERM : ERR_IO, "link %d: %s", ifindex,
			       nl_geterror(err));
	return 0;
}

static void flush_one(struct nl_object *obj, void *arg)
{
	struct router *r = (struct router *)arg;
	struct rtnl_route *route = (struct rtnl_route *)obj;

	if (rtnl_route_get_table(route) == r->table &&
	    rtnl_route_get_protocol(route) == DP_ROUTE_PROTOCOL)
		rtnl_route_delete(r->sock, route, 0);
}

static void flush_rule(struct nl_object *obj, void *arg)
{
	struct router *r = (struct router *)arg;
	struct rtnl_rule *rule = (struct rtnl_rule *)obj;
	uint32_t pref = rtnl_rule_get_prio(rule);
	uint8_t protocol;

	if (rtnl_rule_get_protocol(rule, &protocol) == 0 && protocol == DP_ROUTE_PROTOCOL &&
	    (pref == r->pref || pref == r->pref - 1))
		rtnl_rule_delete(r->sock, rule, 0);
}

/* Routes through a device go with it, but the rules of a killed predecessor stay. */
static void remove_leftovers(struct router *r)
{
	struct nl_cache *cache;

	if (rtnl_route_alloc_cache(r->sock, AF_UNSPEC, 0, &cache) == 0) {
		nl_cache_foreach(cache, flush_one, r);
		nl_cache_free(cache);
	}
	if (rtnl_rule_alloc_cache(r->sock, AF_UNSPEC, &cache) == 0) {
		nl_cache_foreach(cache, flush_rule, r);
		nl_cache_free(cache);
	}
}

int router_new(uint32_t table, uint32_t rule_pref, uint32_t fwmark, struct router **ret_router,
	       struct err_msg *msg)
{
	struct router *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return err_set(msg, ERR_NOMEM, "out of memory");
	*r = (struct router){
	    .sock = nl_socket_alloc(), .table = table, .pref = rule_pref, .fwmark = fwmark};
	list_init(&r->routes);
	list_init(&r->marks);
	err = r->sock ? nl_connect(r->sock, NETLINK_ROUTE) : -NLE_NOMEM;
	if (err) {
		router_free(r);
		return err_set(msg, ERR_IO, "netlink: %s", nl_geterror(err));
	}
	remove_leftovers(r);
	*ret_router = r;
	return 0;
}

void router_free(struct router *r)
{
	struct list *pos, *tmp;

	if (!r)
		return;
	list_for_each (pos, tmp, &r->routes)
		drop_route(r, list_entry(pos, struct owned_route, node));
	list_for_each (pos, tmp, &r->marks)
		drop_mark(r, list_entry(pos, struct owned_mark, node));
	if (r->sock)
		remove_rules(r);
	nl_socket_free(r->sock);
	free(r);
}
