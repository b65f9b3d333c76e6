/* test_net.c - the seed's network carries what it should, and translates what it should. */
#include "netns/tests/support.h"
#include "netns/capture.h"
#include "netns/netlink.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>

static int set_up(void **state)
{
	*state = build_seed(SEED_NAT_RANDOM);
	return 0;
}

static int tear_down(void **state)
{
	free_net(*state);
	return 0;
}

static void test_lab_reaches_vps_through_the_nat_box(void **state)
{
	assert_int_equal(ping(*state, "host28", "203.0.113.10"), 0);
	assert_int_equal(ping(*state, "lab-gw", "203.0.113.10"), 0);
	assert_int_equal(ping(*state, "host200", "192.168.1.2"), 0);
}

static void test_vps_does_not_reach_the_lab(void **state)
{
	const char *const argv[] = {"ping", "-n", "-c1", "-W1", "192.168.1.28", NULL};

	assert_int_equal(ping(*state, "vps", "198.51.100.2"), 0);
	assert_int_equal(run(*state, "vps", argv), 1);
}

static void test_ipv6_goes_through_untranslated(void **state)
{
	assert_int_equal(ping(*state, "vps", "2001:db8:192::28"), 0);
	assert_int_equal(ping(*state, "lab-gw", "2001:db8:203::10"), 0);
}

static int send_from_port_4500(void *arg)
{
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_port = htons(4500)};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(4500)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	(void)arg;
	inet_pton(AF_INET, "203.0.113.10", &to.sin_addr);
	if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof(from)) < 0)
		return 1;
	return sendto(fd, "beet", 4, 0, (struct sockaddr *)&to, sizeof(to)) == 4 ? 0 : 2;
}

struct source {
	struct in_addr addr;
	uint16_t port;
};

static void note_source(const uint8_t *packet, size_t len, void *arg)
{
	struct source *source = arg;

	/* Ethernet 14, IPv4 20: the source address at 26, the UDP source port at 34. */
	if (len < 36)
		return;
	memcpy(&source->addr, packet + 26, 4);
	source->port = (uint16_t)(packet[34] << 8 | packet[35]);
}

static bool saw_one(void *arg, char *seen, size_t cap)
{
	snprintf(seen, cap, "%llu packets", (unsigned long long)capture_count(arg));
	return capture_count(arg) >= 1;
}

/* Address and port of a datagram that left lab-gw's port 4500, as the VPS sees them. */
static struct source seen_by_vps(struct net *net)
{
	struct source source = {.port = 0};
	const struct capture_spec spec = {.node = "vps",
					  .ifname = "eth0",
					  .filter = "udp",
					  .on_packet = note_source,
					  .arg = &source};
	struct capture *capture;
	struct err_msg msg = {{0}};
	int status = -1;

	assert_ok(capture_start(net, &spec, &capture, &msg), &msg);
	assert_ok(net_call(net, "lab-gw", send_from_port_4500, NULL, &status, &msg), &msg);
	assert_int_equal(status, 0);
	assert_ok(wait_until(saw_one, capture, 5000, "a datagram at the VPS", &msg), &msg);
	assert_ok(capture_stop(capture, NULL, &msg), &msg);
	return source;
}

static void test_random_nat_changes_address_and_port(void **state)
{
	struct source source = seen_by_vps(*state);

	assert_string_equal(inet_ntoa(source.addr), "198.51.100.2");
	assert_int_not_equal(source.port, 4500);
}

static void test_preserving_nat_changes_the_address_only(void **state)
{
	struct net *net = build_seed(SEED_NAT_PRESERVE);
	struct source source = seen_by_vps(net);

	(void)state;
	free_net(net);
	assert_string_equal(inet_ntoa(source.addr), "198.51.100.2");
	assert_int_equal(source.port, 4500);
}

static void test_two_networks_at_once_do_not_meet(void **state)
{
	struct net *other = build_seed(SEED_NAT_PRESERVE);

	assert_string_not_equal(net_run(*state), net_run(other));
	assert_int_equal(ping(*state, "host28", "203.0.113.10"), 0);
	assert_int_equal(ping(other, "host28", "203.0.113.10"), 0);
	free_net(other);
	assert_int_equal(ping(*state, "host28", "203.0.113.10"), 0);
}

static void test_addresses_change_while_it_stands(void **state)
{
	struct nl_sock *sock = net_node_netlink(*state, "vps");
	struct err_msg msg = {{0}};
	struct ip_addr addr;

	ip_addr_parse("203.0.113.77", &addr);
	assert_ok(netlink_add_address(sock, "eth0", &addr, 24, &msg), &msg);
	assert_int_equal(ping(*state, "host28", "203.0.113.77"), 0);
	assert_ok(netlink_del_address(sock, "eth0", &addr, 24, &msg), &msg);
	assert_true(netlink_del_address(sock, "eth0", &addr, 24, &msg) < 0);
}

static void test_what_the_kernel_refuses_is_named(void **state)
{
	static const char *const nodes[] = {"alone"};
	const struct topo_sysctl sysctl = {"alone", "net.ipv4.no_such_thing", "1"};
	const struct topo_rules rules = {.node = "alone",
					 .text = "table ip x { chain y { frobnicate } }\n",
					 .file = "t.yaml",
					 .line = 7};
	const struct topo_route route = {.node = "alone", .dst = "default", .via = "9.9.9.9"};
	struct topology topo = {.nodes = nodes, .nodes_count = 1};
	struct err_msg msg = {{0}};
	struct net *net = NULL;

	(void)state;
	topo.sysctls = &sysctl, topo.sysctls_count = 1;
	assert_int_equal(net_build(&topo, &net, &msg), ERR_NOT_FOUND);
	assert_non_null(strstr(msg.text, "no_such_thing"));
	topo.sysctls_count = 0, topo.rules = &rules, topo.rules_count = 1;
	assert_int_equal(net_build(&topo, &net, &msg), ERR_INVALID);
	assert_int_equal(strncmp(msg.text, "t.yaml:7: alone: nft refuses the rules: Error:", 46),
			 0);
	assert_non_null(strstr(msg.text, "frobnicate"));
	topo.rules_count = 0, topo.routes = &route, topo.routes_count = 1;
	assert_int_equal(net_build(&topo, &net, &msg), ERR_IO);
	assert_int_equal(strncmp(msg.text, "alone: route default via 9.9.9.9: ", 34), 0);
	assert_null(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lab_reaches_vps_through_the_nat_box),
	    cmocka_unit_test(test_vps_does_not_reach_the_lab),
	    cmocka_unit_test(test_ipv6_goes_through_untranslated),
	    cmocka_unit_test(test_random_nat_changes_address_and_port),
	    cmocka_unit_test(test_preserving_nat_changes_the_address_only),
	    cmocka_unit_test(test_two_networks_at_once_do_not_meet),
	    cmocka_unit_test(test_addresses_change_while_it_stands),
	    cmocka_unit_test(test_what_the_kernel_refuses_is_named),
	};

	skip_without_root();
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
