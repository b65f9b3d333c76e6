/* test_link_undo.c - wires end with whoever started them, however that ends; and a wire may be a
 * bridge's port. */
#include "netns/tests/support.h"
#include "netns/link_wire.h"
#include "netns/procfs.h"
#include "netns/registry.h"
#include <pcap/pcap.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/*	a eth0 --- veth --- p0 br0 p1 --- wire "near" --- eth0 b eth1 --- wire "far" --- eth0 c	*/
static const char *const nodes[] = {"a", "sw", "b", "c"};
static const struct topo_link links[] = {
    {.a = {"a", "eth0"}, .b = {"sw", "p0"}},
    {.a = {"sw", "p1"}, .b = {"b", "eth0"}, .impaired = true},
    {.a = {"b", "eth1"}, .b = {"c", "eth0"}, .impaired = true},
};
static const struct topo_bridge bridges[] = {{"sw", "br0", {"p0", "p1"}}};
static const struct topo_address addresses[] = {
    {"a", "eth0", "192.0.2.1/24"},
    {"b", "eth0", "192.0.2.2/24"},
    {"b", "eth1", "198.51.100.1/24"},
    {"c", "eth0", "198.51.100.2/24"},
};
static const struct topo_route routes[] = {
    {"a", "default", "192.0.2.2", NULL},
    {"c", "default", "198.51.100.1", NULL},
};
static const struct topo_sysctl sysctls[] = {{"b", "net.ipv4.ip_forward", "1"}};

struct built {
	char run[64];
	pid_t wires[2];
};

static struct net *build(struct link_wire *ret_wires[2])
{
	const struct topology topo = {.nodes = nodes,
				      .nodes_count = 4,
				      .links = links,
				      .links_count = 3,
				      .bridges = bridges,
				      .bridges_count = 1,
				      .addresses = addresses,
				      .addresses_count = 4,
				      .routes = routes,
				      .routes_count = 2,
				      .sysctls = sysctls,
				      .sysctls_count = 1};
	struct link_wire_spec near = {.name = "near", .a = links[1].a, .b = links[1].b};
	struct link_wire_spec far = {.name = "far", .a = links[2].a, .b = links[2].b};
	struct err_msg msg = {{0}};
	struct net *net = NULL;

	assert_ok(net_build(&topo, &net, &msg), &msg);
	near.dir = far.dir = net_dir(net);
	assert_ok(link_wire_start(net, &near, &ret_wires[0], &msg), &msg);
	assert_ok(link_wire_start(net, &far, &ret_wires[1], &msg), &msg);
	return net;
}

static void test_wires_carry_across_a_bridge_and_a_router(void **state)
{
	struct link_wire *wires[2];
	struct net *net = build(wires);
	struct err_msg msg = {{0}};
	struct link_wire_state end;

	(void)state;
	assert_int_equal(ping(net, "a", "198.51.100.2"), 0);
	assert_ok(link_wire_stop(wires[0], &end, &msg), &msg);
	assert_int_equal(end.dir[LINK_AB].delivered, 1);
	assert_int_equal(end.dir[LINK_BA].delivered, 1);
	assert_ok(link_wire_stop(wires[1], NULL, &msg), &msg);
	free_net(net);
}

static bool has_died(void *wire, char *seen, size_t cap)
{
	struct err_msg msg = {{0}};

	snprintf(seen, cap, "it runs");
	return link_wire_died(wire, &msg);
}

static void test_network_may_go_before_its_wires(void **state)
{
	struct link_wire *wires[2];
	struct net *net = build(wires);
	struct err_msg msg = {{0}};

	(void)state;
	free_net(net);
	/* The kernel takes a namespace down in its own time. */
	assert_ok(wait_until(has_died, wires[0], 10000, "the wire's end", &msg), &msg);
	assert_int_equal(link_wire_stop(wires[0], NULL, &msg), ERR_STATE);
	assert_int_equal(link_wire_stop(wires[1], NULL, &msg), ERR_STATE);
}

static void build_and_wait(int out)
{
	struct link_wire *wires[2];
	struct net *net = build(wires);
	struct built built = {.wires = {link_wire_pid(wires[0]), link_wire_pid(wires[1])}};

	assert_int_equal(ping(net, "a", "198.51.100.2"), 0);
	snprintf(built.run, sizeof(built.run), "%s", net_run(net));
	if (write(out, &built, sizeof(built)) != sizeof(built))
		_exit(1);
	for (;;)
		pause();
}

static pid_t start_builder(struct built *ret_built)
{
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGSEGV, SIG_DFL); /* cmocka catches it */
		close(fds[0]);
		build_and_wait(fds[1]);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], ret_built, sizeof(*ret_built)), sizeof(*ret_built));
	close(fds[0]);
	return pid;
}

static bool is_alive(pid_t pid)
{
	struct procfs_stat stat;

	return procfs_read(pid, &stat) && stat.state != 'Z';
}

/* The guard is the builder's only child by that name. */
static pid_t guard_of(pid_t builder)
{
	char command[64];
	int guard = 0;
	FILE *pgrep;

	snprintf(command, sizeof(command), "pgrep -P %d -x bl-guard", (int)builder);
	pgrep = popen(command, "r");
	assert_int_equal(fscanf(pgrep, "%d", &guard), 1);
	pclose(pgrep);
	return guard;
}

static bool has_namespace(const char *run, const char *node)
{
	char path[160];

	snprintf(path, sizeof(path), "/run/netns/%s-%s", run, node);
	return access(path, F_OK) == 0;
}

static bool nothing_left(void *arg, char *seen, size_t cap)
{
	const struct built *built = arg;
	bool has_a = has_namespace(built->run, "a"), has_c = has_namespace(built->run, "c");
	bool near = is_alive(built->wires[0]), far = is_alive(built->wires[1]);

	snprintf(seen, cap, "namespaces %d %d, wires %d %d", has_a, has_c, near, far);
	return !has_a && !has_c && !near && !far;
}

/* With its process and its namespace gone, nothing holds a TAP. */
static void test_owner_s_end_leaves_no_wire(void **state)
{
	static const int signals[] = {SIGKILL, SIGTERM, SIGSEGV};
	struct err_msg msg = {{0}};
	struct built built;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		pid_t pid = start_builder(&built);

		assert_true(is_alive(built.wires[0]) && is_alive(built.wires[1]));
		assert_true(has_namespace(built.run, "a"));
		kill(pid, signals[i]);
		waitpid(pid, NULL, 0);
		assert_ok(wait_until(nothing_left, &built, 10000, "clean-up", &msg), &msg);
	}
}

static bool wires_ended(void *arg, char *seen, size_t cap)
{
	const struct built *built = arg;
	bool near = is_alive(built->wires[0]), far = is_alive(built->wires[1]);

	snprintf(seen, cap, "wires %d %d", near, far);
	return !near && !far;
}

/* Echo requests and replies of the capture. */
static unsigned count_echoes(const char *run, const char *name)
{
	char path[256], error[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *header;
	const u_char *bytes;
	unsigned count = 0;
	pcap_t *pcap;

	snprintf(path, sizeof(path), "/tmp/%s/%s.pcap", run, name);
	pcap = pcap_open_offline(path, error);
	assert_non_null(pcap);
	while (pcap_next_ex(pcap, &header, &bytes) == 1)
		count += header->caplen > 23 && bytes[12] == 8 && bytes[13] == 0 && bytes[23] == 1;
	pcap_close(pcap);
	return count;
}

/* Owner and guard are killed: nobody tells the wires, nobody kills them. */
static void test_wires_end_by_themselves_and_leave_whole_files(void **state)
{
	struct err_msg msg = {{0}};
	struct built built;
	pid_t pid = start_builder(&built);

	(void)state;
	kill(guard_of(pid), SIGKILL);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_ok(wait_until(wires_ended, &built, 10000, "the wires' end", &msg), &msg);
	assert_int_equal(count_echoes(built.run, "near-a"), 2);
	assert_int_equal(count_echoes(built.run, "far-b"), 2);
	assert_ok(registry_undo(built.run, &msg), &msg);
	assert_true(nothing_left(&built, (char[128]){0}, 128));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_wires_carry_across_a_bridge_and_a_router),
	    cmocka_unit_test(test_network_may_go_before_its_wires),
	    cmocka_unit_test(test_wires_end_by_themselves_and_leave_whole_files),
	    cmocka_unit_test(test_owner_s_end_leaves_no_wire),
	};

	skip_without_root();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
