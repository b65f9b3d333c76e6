/* test_stream.c - when a stream is finished, it is finished at both ends: what ends the tunnel next
 * takes nothing of it away. */
#include "harness/traffic.h"
#include "netns/link_wire.h"
#include "netns/tests/support.h"

#define LAST_ACK 9 /* as /proc/net/tcp counts states */

static const char *const nodes[] = {"a", "b"};
static const struct topo_link links[] = {
    {.a = {"a", "eth0"}, .b = {"b", "eth0"}, .impaired = true}};
static const struct topo_address addresses[] = {{"a", "eth0", "192.0.2.1/24"},
						{"b", "eth0", "192.0.2.2/24"}};

/* Run in a node: the sockets there in that state. */
static int count_last_acks(void *arg)
{
	FILE *file = fopen("/proc/thread-self/net/tcp", "re");
	char line[512];
	unsigned state;
	int n = 0;

	(void)arg;
	if (!file)
		return 100;
	while (fgets(line, sizeof(line), file))
		n += sscanf(line, "%*s %*s %*s %x", &state) == 1 && state == LAST_ACK;
	fclose(file);
	return n;
}

static void test_tcp_ends_with_its_last_acknowledgement(void **state)
{
	const struct topology topo = {.nodes = nodes,
				      .nodes_count = 2,
				      .links = links,
				      .links_count = 1,
				      .addresses = addresses,
				      .addresses_count = 2};
	struct link_wire_spec spec = {.name = "wan", .a = links[0].a, .b = links[0].b, .seed = 1};
	struct link_wire *wire = NULL;
	struct net *net = NULL;
	struct err_msg msg = {{0}};
	int left = -1;

	(void)state;
	assert_ok(net_build(&topo, &net, &msg), &msg);
	spec.ab.delay = 200 * LINK_MS;
	assert_ok(link_wire_start(net, &spec, &wire, &msg), &msg);
	assert_ok(traffic_tcp(net, "a", "b", "192.0.2.2", 1000, &msg), &msg);
	assert_ok(net_call(net, "b", count_last_acks, NULL, &left, &msg), &msg);
	assert_int_equal(left, 0);
	assert_ok(link_wire_stop(wire, NULL, &msg), &msg);
	free_net(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_tcp_ends_with_its_last_acknowledgement),
	};

	skip_without_root();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
