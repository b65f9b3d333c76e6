/* test_capture.c - a capture has every packet, from its start to its stop, and no giant ones. */
#include "netns/tests/support.h"
#include "netns/capture.h"
#include "netns/wait.h"
#include <arpa/inet.h>
#include <pcap/pcap.h>
#include <sys/socket.h>

#define BURST 20000

static int set_up(void **state)
{
	*state = build_seed(SEED_NAT_PRESERVE);
	return 0;
}

static int tear_down(void **state)
{
	free_net(*state);
	return 0;
}

/* As fast as it goes, so that packets are still queued when the capture is told to stop. */
static int send_burst(void *arg)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
	uint8_t payload[64] = {0};
	int i, fd = socket(AF_INET, SOCK_DGRAM, 0);

	(void)arg;
	inet_pton(AF_INET, "203.0.113.1", &to.sin_addr);
	for (i = 0; i < BURST; i++)
		if (sendto(fd, payload, sizeof(payload), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
			return 1;
	return 0;
}

/* A capture is waited for until it has more than so many packets. */
struct growth {
	struct capture *capture;
	uint64_t than;
};

static unsigned count_file(const char *path)
{
	char error[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *header;
	const u_char *bytes;
	unsigned count = 0;
	pcap_t *pcap = pcap_open_offline(path, error);

	assert_non_null(pcap);
	while (pcap_next_ex(pcap, &header, &bytes) == 1)
		count++;
	pcap_close(pcap);
	return count;
}

static void test_stop_takes_what_is_still_queued(void **state)
{
	struct capture_spec spec = {.node = "vps", .ifname = "eth0", .filter = "udp port 9"};
	struct capture *capture;
	struct err_msg msg = {{0}};
	char path[128];
	uint64_t count;
	int status;

	snprintf(path, sizeof(path), "%s/burst.pcap", net_dir(*state));
	spec.path = path;
	assert_ok(capture_start(*state, &spec, &capture, &msg), &msg);
	assert_ok(net_call(*state, "vps", send_burst, NULL, &status, &msg), &msg);
	assert_int_equal(status, 0);
	assert_ok(capture_stop(capture, &count, &msg), &msg);
	assert_int_equal(count, BURST);
	assert_int_equal(count_file(path), BURST);
}

static void test_first_packet_after_start_is_seen(void **state)
{
	const struct capture_spec spec = {
	    .node = "host28", .ifname = "eth0", .filter = "icmp[icmptype] == icmp-echo"};
	struct capture *capture;
	struct err_msg msg = {{0}};
	uint64_t count;

	assert_ok(capture_start(*state, &spec, &capture, &msg), &msg);
	assert_int_equal(ping(*state, "host28", "203.0.113.10"), 0);
	assert_ok(capture_stop(capture, &count, &msg), &msg);
	assert_int_equal(count, 1);
}

static bool has_more(void *arg, char *seen, size_t cap)
{
	const struct growth *growth = arg;

	snprintf(seen, cap, "%llu packets", (unsigned long long)capture_count(growth->capture));
	return capture_count(growth->capture) > growth->than;
}

/* What comes while a capture begins, and its filter refuses, is not lost: it was not wanted. */
static void test_what_the_filter_refuses_is_not_lost(void **state)
{
	const char *const flood[] = {"ping", "-n", "-q", "-f", "203.0.113.1", NULL};
	const struct process_spec pinger = {.node = "vps", .argv = flood};
	const struct capture_spec everything = {.node = "vps", .ifname = "eth0"};
	const struct capture_spec none = {.node = "vps", .ifname = "eth0", .filter = "udp port 9"};
	struct growth growth = {NULL, 0};
	struct capture *capture;
	struct process *process;
	struct err_msg msg = {{0}};
	uint64_t count;
	int i;

	assert_ok(capture_start(*state, &everything, &growth.capture, &msg), &msg);
	assert_ok(process_start(*state, &pinger, &process, &msg), &msg);
	for (i = 0; i < 20; i++) {
		growth.than = capture_count(growth.capture);
		assert_ok(wait_until(has_more, &growth, 5000, "a packet", &msg), &msg);
		assert_ok(capture_start(*state, &none, &capture, &msg), &msg);
		growth.than = capture_count(growth.capture);
		assert_ok(wait_until(has_more, &growth, 5000, "a packet", &msg), &msg);
		assert_ok(capture_stop(capture, &count, &msg), &msg);
		assert_int_equal(count, 0);
	}
	process_stop(process, 1000);
	assert_ok(capture_stop(growth.capture, NULL, &msg), &msg);
}

static void note_largest(const uint8_t *packet, size_t len, void *arg)
{
	size_t *largest = arg;

	(void)packet;
	if (len > *largest)
		*largest = len;
}

/* iperf3 writes 128 kB at a time: with segmentation offloads the capture would hold giants. */
static void test_no_frame_is_above_the_mtu(void **state)
{
	size_t largest = 0;
	const struct capture_spec spec = {.node = "vps",
					  .ifname = "eth0",
					  .filter = "tcp",
					  .on_packet = note_largest,
					  .arg = &largest};
	const char *const server_argv[] = {"iperf3", "-s", "-1", "--forceflush", NULL};
	const char *const client_argv[] = {"iperf3", "-c", "203.0.113.10", "-n", "2M", NULL};
	const struct process_spec server_spec = {.node = "vps", .argv = server_argv};
	const char *const listening[] = {
	    "sh", "-c", "until ss -Hltn 'sport = 5201' | grep -q .; do :; done", NULL};
	struct process *server;
	struct capture *capture;
	struct err_msg msg = {{0}};

	assert_ok(process_start(*state, &server_spec, &server, &msg), &msg);
	assert_int_equal(run(*state, "vps", listening), 0);
	assert_ok(capture_start(*state, &spec, &capture, &msg), &msg);
	assert_int_equal(run(*state, "host28", client_argv), 0);
	assert_ok(capture_stop(capture, NULL, &msg), &msg);
	process_stop(server, 1000);
	assert_in_range(largest, 1514, 1514);
}

static void test_unusable_interface_or_filter_is_named(void **state)
{
	struct capture_spec spec = {.node = "vps", .ifname = "eth9"};
	struct capture *capture;
	struct err_msg msg = {{0}};

	assert_int_equal(capture_start(*state, &spec, &capture, &msg), ERR_IO);
	assert_non_null(strstr(msg.text, "eth9"));
	spec.ifname = "eth0", spec.filter = "udp port nonsense here";
	assert_int_equal(capture_start(*state, &spec, &capture, &msg), ERR_IO);
	spec.node = "nobody";
	assert_int_equal(capture_start(*state, &spec, &capture, &msg), ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_stop_takes_what_is_still_queued),
	    cmocka_unit_test(test_first_packet_after_start_is_seen),
	    cmocka_unit_test(test_what_the_filter_refuses_is_not_lost),
	    cmocka_unit_test(test_no_frame_is_above_the_mtu),
	    cmocka_unit_test(test_unusable_interface_or_filter_is_named),
	};

	skip_without_root();
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
