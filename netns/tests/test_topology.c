/* test_topology.c - what a description of a network may and may not say. */
#include "netns/topology.h"
#include "netns/seed_topology.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const char *const nodes[] = {"a", "b"};
static const struct topo_link links[] = {{.a = {"a", "eth0"}, .b = {"b", "eth0"}}};

/* Two nodes and a cable between them: sound. */
static struct topology small(void)
{
	return (struct topology){
	    .nodes = nodes, .nodes_count = 2, .links = links, .links_count = 1};
}

static void refuses(const struct topology *topo, const char *why)
{
	struct err_msg msg = {{0}};

	assert_int_equal(topology_check(topo, &msg), ERR_INVALID);
	if (!strstr(msg.text, why))
		fail_msg("\"%s\" does not say \"%s\"", msg.text, why);
}

static void test_seed_topology_is_sound(void **state)
{
	struct err_msg msg = {{0}};
	struct topology topo;

	(void)state;
	seed_topology(SEED_NAT_RANDOM, &topo);
	assert_int_equal(topology_check(&topo, &msg), 0);
	assert_true(strstr(topo.rules[0].text, "random") != NULL);
	seed_topology(SEED_NAT_PRESERVE, &topo);
	assert_int_equal(topology_check(&topo, &msg), 0);
	assert_true(strstr(topo.rules[0].text, "random") == NULL);
}

static void test_every_name_must_point_somewhere(void **state)
{
	const struct topo_sysctl sysctl = {"c", "net.ipv4.ip_forward", "1"};
	const struct topo_rules rules = {.node = "c", .text = ""};
	const struct topo_address address = {"a", "eth1", "192.0.2.1/24"};
	const struct topo_route route = {"c", "default", "192.0.2.1", NULL};
	const struct topo_link link = {.a = {"a", "eth1"}, .b = {"c", "eth0"}};
	const struct topo_bridge bridge = {"a", "br0", {"eth7"}};
	struct topology topo = small();

	(void)state;
	topo.sysctls = &sysctl, topo.sysctls_count = 1;
	refuses(&topo, "sysctl: no node named c");
	topo = small(), topo.rules = &rules, topo.rules_count = 1;
	refuses(&topo, "rules: no node named c");
	topo = small(), topo.addresses = &address, topo.addresses_count = 1;
	refuses(&topo, "address: a has no interface eth1");
	topo = small(), topo.routes = &route, topo.routes_count = 1;
	refuses(&topo, "route: no node named c");
	topo = small(), topo.links = &link;
	refuses(&topo, "link: no node named c");
	topo = small(), topo.bridges = &bridge, topo.bridges_count = 1;
	refuses(&topo, "bridge: a has no interface eth7");
}

static void test_nothing_stands_twice(void **state)
{
	static const char *const twice[] = {"a", "b", "a"};
	const struct topo_link both[] = {links[0], {.a = {"a", "eth0"}, .b = {"b", "eth1"}}};
	struct topology topo = small();

	(void)state;
	topo.nodes = twice, topo.nodes_count = 3;
	refuses(&topo, "node a stands twice");
	topo = small(), topo.links = both, topo.links_count = 2;
	refuses(&topo, "a has more than one interface eth0");
}

static void test_names_fit_the_kernel(void **state)
{
	static const char *const slash[] = {"../a"};
	static const char *const longer[] = {"seventeen-letters"};
	const struct topo_link link = {.a = {"a", "sixteen-letters-"}, .b = {"b", "eth0"}};
	struct topology topo = {.nodes = slash, .nodes_count = 1};

	(void)state;
	refuses(&topo, "not a usable name");
	topo.nodes = longer;
	refuses(&topo, "not a usable name");
	topo = small(), topo.links = &link;
	refuses(&topo, "not an interface name");
}

static void test_prefixes(void **state)
{
	static const struct {
		const char *text;
		int bits; /* -1: refused */
	} cases[] = {
	    {"192.168.1.2/24", 24},
	    {"192.168.1.2", 32},
	    {"fdc0:beef:1::1/128", 128},
	    {"::/0", 0},
	    {"192.168.1.2/33", -1},
	    {"192.168.1/24", -1},
	    {"::1/129", -1},
	    {"::1/", -1},
	    {"192.0.2.1/-1", -1},
	    {"192.0.2.1/8x", -1},
	    {"", -1},
	    {"/24", -1},
	};
	struct ip_addr addr;
	unsigned bits = 0;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int err = topology_parse_prefix(cases[i].text, &addr, &bits);

		if ((err == 0 ? (int)bits : -1) != cases[i].bits)
			fail_msg("%s: error %d, length %u", cases[i].text, err, bits);
	}
}

static void test_default_route_takes_the_family_of_its_gateway(void **state)
{
	const struct topo_route v4 = {"a", "default", "192.0.2.1", NULL};
	const struct topo_route v6 = {"a", "default", "2001:db8::1", NULL};
	const struct topo_route mixed = {"a", "192.0.2.0/24", "2001:db8::1", NULL};
	const struct topo_route nowhere = {"a", "192.0.2.0/24", NULL, NULL};
	struct ip_addr dst, via;
	unsigned bits = 1;

	(void)state;
	assert_int_equal(topology_parse_route(&v4, &dst, &bits, &via), 0);
	assert_int_equal(dst.family, 4);
	assert_int_equal(bits, 0);
	assert_int_equal(topology_parse_route(&v6, &dst, &bits, &via), 0);
	assert_int_equal(dst.family, 6);
	assert_int_equal(topology_parse_route(&mixed, &dst, &bits, &via), ERR_SYNTAX);
	assert_int_equal(topology_parse_route(&nowhere, &dst, &bits, &via), ERR_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_seed_topology_is_sound),
	    cmocka_unit_test(test_every_name_must_point_somewhere),
	    cmocka_unit_test(test_nothing_stands_twice),
	    cmocka_unit_test(test_names_fit_the_kernel),
	    cmocka_unit_test(test_prefixes),
	    cmocka_unit_test(test_default_route_takes_the_family_of_its_gateway),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
