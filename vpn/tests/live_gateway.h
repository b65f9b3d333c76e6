/* live_gateway.h - the facts of a gateway that is well, and tables of changes to them with the
 * finding that each must give first: for the tests of `beetctl explain`'s rules.
 *
 *	192.168.1.0/24 --- eth1 [gateway] eth0 --- 203.0.113.10, the peer
 *	                        xfrm1 ============ 10.2.0.0/16, behind the peer */
#ifndef VPN_TESTS_LIVE_GATEWAY_H
#define VPN_TESTS_LIVE_GATEWAY_H

#include "vpn/daemon/beetctl/explain/print.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static inline struct ip_addr addr(const char *text)
{
	struct ip_addr a;

	assert_int_equal(ip_addr_parse(text, &a), 0);
	return a;
}

static inline struct ts selector(const char *text)
{
	struct ts ts;

	assert_int_equal(ts_parse(text, &ts, NULL), 0);
	return ts;
}

static inline struct fact_way way(const char *to, const char *dev, const char *src)
{
	struct fact_way w = {.kind = WAY_OUT, .to = addr(to), .src = addr(src)};

	snprintf(w.dev, sizeof(w.dev), "%s", dev);
	return w;
}

static inline struct fact_child well_child(void)
{
	struct fact_child c = {.name = "lan",
			       .mode = "TUNNEL",
			       .sa_mode = "TUNNEL",
			       .start_action = "start",
			       .configured = true,
			       .if_id = 1,
			       .installed = 1,
			       .encap = true,
			       .age = 100,
			       .n_cfg_local = 1,
			       .n_cfg_remote = 1,
			       .n_local = 1,
			       .n_remote = 1,
			       .packets_in = {1000, 1000},
			       .packets_out = {1000, 1000}};

	c.cfg_local[0] = c.local[0].ts = selector("192.168.1.0/24");
	c.cfg_remote[0] = c.remote[0].ts = selector("10.2.0.0/16");
	c.local[0].way = way("192.168.1.2", "eth1", "192.168.1.1");
	c.remote[0].way = way("10.2.0.1", "xfrm1", "192.168.1.1");
	c.forwarded[0][0] = (struct fact_way){.kind = WAY_OUT,
					      .to = addr("10.2.0.1"),
					      .dev = "xfrm1",
					      .from = addr("192.168.1.2"),
					      .iif = "eth1"};
	return c;
}

static const struct fact_link links[] = {
    {.name = "eth0", .index = 2, .mtu = 1500, .up = true, .forward4 = true, .rp_filter = 2},
    {.name = "eth1", .index = 3, .mtu = 1500, .up = true, .forward4 = true, .rp_filter = 2},
    {.name = "xfrm1",
     .kind = "tun",
     .index = 4,
     .mtu = 1400,
     .up = true,
     .forward4 = true,
     .rp_filter = 2,
     .if_id = 1},
};
enum { OUTER, LAN, TUNNEL };

static inline struct fact_sa well_sa(void)
{
	return (struct fact_sa){.id = 1,
				.state = "ESTABLISHED",
				.initiator = true,
				.answered = true,
				.local = {addr("198.51.100.2"), 4500},
				.remote = {addr("203.0.113.10"), 4500},
				.remote_id = "peer"};
}

static inline struct facts *well(void)
{
	struct facts *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	*f = (struct facts){.conn = "home",
			    .daemon = "beetd",
			    .local_addrs = "198.51.100.2",
			    .remote_addrs = "203.0.113.10",
			    .n_sas = 1,
			    .n_children = 1,
			    .n_links = COUNT(links),
			    .kernel_known = true,
			    .init_out = {1, 1},
			    .init_in = {1, 1}};
	f->sas[0] = well_sa();
	f->children[0] = well_child();
	memcpy(f->links, links, sizeof(links));
	f->addrs[f->n_addrs++] = (struct fact_addr){addr("198.51.100.2"), 24, 2};
	f->addrs[f->n_addrs++] = (struct fact_addr){addr("192.168.1.1"), 24, 3};
	f->peer = f->peer_back = way("203.0.113.10", "eth0", "198.51.100.2");
	return f;
}

/* --- Changes --- */

struct change {
	const char *name;
	void (*make)(struct facts *f);
	const char *first;	  /* finding; "": none */
	enum certainty certainty; /* of it */
};

#define CHANGE(fn, first, certainty)      \
	{                                 \
#fn, fn, first, certainty \
	}
static struct findings found;

static inline void find_in(const struct change *c)
{
	struct facts *f = well();

	c->make(f);
	live_find(f, &found);
	live_free(f);
}

static inline void expect_first(const struct change *c)
{
	const char *first;
	size_t k;

	find_in(c);
	first = found.n ? found.v[0].rule->id : "";
	if (strcmp(first, c->first) != 0)
		fail_msg("%s: \"%s\" in place of \"%s\"", c->name, first, c->first);
	if (found.n && found.v[0].certainty != c->certainty)
		fail_msg("%s: %s", c->name, certainty_name(found.v[0].certainty));
	for (k = 0; k < found.n; k++)
		if (!found.v[k].n_evidence || !found.v[k].what[0])
			fail_msg("%s: %s without evidence", c->name, found.v[k].rule->id);
}

static inline bool gives(const struct change *changes, size_t n, const char *id)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!strcmp(changes[i].first, id))
			return true;
	return false;
}

/* Every rule of a family has a change that gives it. */
static inline void expect_family(const struct rule *table, size_t n_rules,
				 const struct change *changes, size_t n)
{
	size_t i;

	for (i = 0; i < n_rules; i++) {
		if (!gives(changes, n, table[i].id))
			fail_msg("no case gives %s", table[i].id);
		assert_true(table[i].title[0] && table[i].why[0] && table[i].remedy[0] &&
			    table[i].clause[0]);
	}
}

#endif
