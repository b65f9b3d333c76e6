/* test_netns_hostnet.c - the host's network as rtnetlink tells it, in a namespace of its own with
 * two uplinks. Exits with 77 where namespaces cannot be had.
 *
 *     up1 192.0.2.1/24, 2001:db8:1::1/64     up2 198.51.100.1/24     lo 203.0.113.1/32
 *     xfrm7 10.9.0.1/24, which is ours: no network */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <poll.h>
#include <sched.h>

#include "vpn/dataplane/hostnet.h"
#include "vpn/dataplane/route.h"

#define DEADLINE_MS 5000
#define SKIP	    77

static struct hostnet *net;

static void run(const char *cmd)
{
	if (system(cmd))
		fail_msg("failed: %s", cmd);
}

static struct ip_addr addr(const char *text)
{
	struct ip_addr a;

	assert_int_equal(ip_addr_parse(text, &a), 0);
	return a;
}

/* Waits until the listener has something; what was told before is read away first. */
static bool changes_by(const char *cmd)
{
	struct pollfd p = {.fd = hostnet_fd(net), .events = POLLIN};

	hostnet_changed(net);
	run(cmd);
	if (poll(&p, 1, DEADLINE_MS) != 1)
		return false;
	return hostnet_changed(net);
}

static int setup(void **state)
{
	static const struct hostnet_config cfg = {
	    .fwmark = 0xdc, .tun_name = "beet0", .if_id_prefix = "xfrm"};

	(void)state;
	run("ip link add up1 type veth peer name far1 && ip link add up2 type veth peer name far2 "
	    "&& ip link add xfrm7 type veth peer name far7");
	run("for i in lo up1 far1 up2 far2 xfrm7 far7; do ip link set $i up; done");
	run("ip addr add 192.0.2.1/24 dev up1 && ip addr add 198.51.100.1/24 dev up2 && "
	    "ip addr add 10.9.0.1/24 dev xfrm7 && ip addr add 203.0.113.1/32 dev lo && "
	    "ip addr add 2001:db8:1::1/64 dev up1 nodad");
	run("ip route add default via 192.0.2.254 metric 10 && "
	    "ip route add default via 198.51.100.254 metric 20");
	return hostnet_new(&cfg, &net, NULL);
}

static int teardown(void **state)
{
	(void)state;
	hostnet_free(net);
	run("ip link del up1; ip link del up2; ip link del xfrm7; "
	    "ip addr del 203.0.113.1/32 dev lo");
	return 0;
}

static void assert_source(const char *remote, const char *want)
{
	struct ip_addr to = addr(remote), from = {0};
	char text[IP_ADDR_STRLEN];
	bool there = hostnet_source(net, &to, &from);

	assert_string_equal(there ? ip_addr_format(&from, text, sizeof(text)) : "none", want);
}

static void the_source_is_the_best_routes(void **state)
{
	(void)state;
	assert_source("9.9.9.9", "192.0.2.1");
	assert_source("198.51.100.9", "198.51.100.1");
	assert_source("2001:db8:9::9", "none");
	assert_true(changes_by("ip link set up1 down"));
	assert_source("9.9.9.9", "198.51.100.1");
	assert_true(changes_by("ip link set up2 down"));
	assert_source("9.9.9.9", "none");
}

/* The mark keeps these packets out of our own table (rule 220). */
static void our_own_routes_do_not_count(void **state)
{
	(void)state;
	run("ip rule add not fwmark 0xdc lookup 220 pref 220 && "
	    "ip route add 9.9.9.9 dev xfrm7 src 10.9.0.1 table 220");
	assert_source("9.9.9.9", "192.0.2.1");
	run("ip rule del pref 220");
}

static void an_address_is_good_on_its_own_device(void **state)
{
	static const struct {
		const char *local, *remote;
		bool good;
	} table[] = {
	    {"192.0.2.1", "9.9.9.9", true},	    {"198.51.100.1", "9.9.9.9", false},
	    {"198.51.100.1", "198.51.100.9", true}, {"203.0.113.1", "9.9.9.9", true},
	    {"192.0.2.77", "9.9.9.9", false},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct ip_addr local = addr(table[i].local), remote = addr(table[i].remote);

		if (hostnet_can_send_from(net, &local, &remote) != table[i].good)
			fail_msg("%s to %s", table[i].local, table[i].remote);
	}
}

/* Routes of a table by source: the second uplink is as good as the first. */
static void policy_routing_keeps_an_address(void **state)
{
	struct ip_addr local = addr("198.51.100.1"), remote = addr("9.9.9.9");

	(void)state;
	run("ip rule add from 198.51.100.1 lookup 77 pref 77 && "
	    "ip route add default via 198.51.100.254 table 77");
	assert_true(hostnet_can_send_from(net, &local, &remote));
	run("ip rule del pref 77");
}

static void peers_are_told_of_usable_global_addresses(void **state)
{
	static const char *const want[] = {"203.0.113.1", "192.0.2.1", "198.51.100.1",
					   "2001:db8:1::1"};
	char text[IP_ADDR_STRLEN];
	struct ip_addr a;
	size_t i, k, n = 0;

	(void)state;
	for (i = 0; hostnet_address(net, i, &a); i++) {
		ip_addr_format(&a, text, sizeof(text));
		for (k = 0; k < 4; k++)
			n += strcmp(text, want[k]) == 0;
	}
	assert_int_equal(i, 4);
	assert_int_equal(n, 4);
	a = addr("198.51.100.1");
	assert_true(hostnet_has(net, &a));
	assert_true(changes_by("ip link set far2 down"));
	while (hostnet_has(net, &a))
		assert_true(changes_by("true"));
	assert_true(hostnet_address(net, 2, &a));
	assert_false(hostnet_address(net, 3, &a));
}

static void news_is_what_others_do(void **state)
{
	char cmd[128];

	(void)state;
	assert_true(changes_by("ip addr add 192.0.2.2/24 dev up1"));
	assert_true(changes_by("ip addr del 192.0.2.2/24 dev up1"));
	assert_true(changes_by("ip route add 10.0.0.0/8 via 192.0.2.254"));
	assert_true(changes_by("ip route del 10.0.0.0/8"));
	assert_false(changes_by("ip addr add 10.9.0.2/24 dev xfrm7"));
	snprintf(cmd, sizeof(cmd), "ip route add 10.8.0.0/16 via 192.0.2.254 proto %d",
		 DP_ROUTE_PROTOCOL);
	assert_false(changes_by(cmd));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	    CASE(the_source_is_the_best_routes),
	    CASE(our_own_routes_do_not_count),
	    CASE(an_address_is_good_on_its_own_device),
	    CASE(policy_routing_keeps_an_address),
	    CASE(peers_are_told_of_usable_global_addresses),
	    CASE(news_is_what_others_do),
	};

	if (unshare(CLONE_NEWNET))
		return SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
