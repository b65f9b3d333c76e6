/* test_link_wire.c - two namespaces joined by an impaired link: what programs see of it, and that
 * captures, log and counters tell the same story. */
#include "netns/tests/support.h"
#include "netns/link_wire.h"
#include "netns/netlink.h"
#include <arpa/inet.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

static const char *const nodes[] = {"a", "b"};
static const struct topo_link links[] = {
    {.a = {"a", "eth0"}, .b = {"b", "eth0"}, .impaired = true}};
static const struct topo_address addresses[] = {
    {"a", "eth0", "192.0.2.1/24"},
    {"b", "eth0", "192.0.2.2/24"},
    {"a", "eth0", "2001:db8::1/64"},
    {"b", "eth0", "2001:db8::2/64"},
};
static const struct topo_route routes[] = {
    {"a", "default", "192.0.2.2", NULL},
    {"a", "default", "2001:db8::2", NULL},
};

/* So that no test waits for ARP, or loses what its queue has no room for. */
static void introduce(struct net *net, const char *node, const char *other, const char *addr)
{
	const char *const ask[] = {"cat", "/sys/class/net/eth0/address", NULL};
	const struct process_spec spec = {.node = other, .argv = ask};
	struct process_output mac;
	const char *tell[] = {"ip",	"neigh", "replace", addr,	 "dev", "eth0",
			      "lladdr", NULL,	 "nud",	    "permanent", NULL};
	struct err_msg msg = {{0}};
	int status;

	assert_ok(process_run(net, &spec, 5000, &status, &mac, &msg), &msg);
	mac.text[strcspn(mac.text, "\n")] = 0;
	tell[7] = mac.text;
	assert_int_equal(run(net, node, tell), 0);
	process_output_free(&mac);
}

static int set_up(void **state)
{
	const struct topology topo = {.nodes = nodes,
				      .nodes_count = 2,
				      .links = links,
				      .links_count = 1,
				      .addresses = addresses,
				      .addresses_count = 4,
				      .routes = routes,
				      .routes_count = 2};
	struct err_msg msg = {{0}};
	struct net *net = NULL;

	assert_ok(net_build(&topo, &net, &msg), &msg);
	introduce(net, "a", "b", "192.0.2.2");
	introduce(net, "b", "a", "192.0.2.1");
	*state = net;
	return 0;
}

static int tear_down(void **state)
{
	free_net(*state);
	return 0;
}

static struct link_wire_spec plain_spec(struct net *net)
{
	return (struct link_wire_spec){
	    .name = "wan", .a = links[0].a, .b = links[0].b, .dir = net_dir(net), .seed = 1};
}

static struct link_wire *start(struct net *net, const struct link_wire_spec *spec)
{
	struct err_msg msg = {{0}};
	struct link_wire *wire = NULL;

	assert_ok(link_wire_start(net, spec, &wire, &msg), &msg);
	return wire;
}

static struct link_wire_state stop(struct link_wire *wire)
{
	struct link_wire_state state;
	struct err_msg msg = {{0}};

	assert_ok(link_wire_stop(wire, &state, &msg), &msg);
	return state;
}

/* Runs a program in node a; its output is the caller's to free, its status is returned. */
static int run_in_a(struct net *net, const char *const *argv, struct process_output *ret_output)
{
	const struct process_spec spec = {.node = "a", .argv = argv};
	struct err_msg msg = {{0}};
	int status = -1;

	assert_ok(process_run(net, &spec, 20000, &status, ret_output, &msg), &msg);
	return status;
}

/* The shortest of the round trips that ping prints, in microseconds: a busy machine makes others
 * longer. */
static unsigned round_trip_us(struct net *net, const char *addr)
{
	const char *const argv[] = {"ping", "-n", "-c5", "-i0.05", "-W2", addr, NULL};
	struct process_output output;
	double shortest = 0;
	char *rtt;

	assert_int_equal(ping(net, "a", addr), 0); /* resolves the address */
	assert_int_equal(run_in_a(net, argv, &output), 0);
	rtt = strstr(output.text, "mdev = ");
	assert_non_null(rtt);
	assert_int_equal(sscanf(rtt, "mdev = %lf", &shortest), 1);
	process_output_free(&output);
	return (unsigned)(shortest * 1000);
}

struct send {
	unsigned count, port;
	size_t len;
	bool fragments; /* allow them */
};

/* As many datagrams to node b, each with its number in the first octets. */
static int send_datagrams(void *arg)
{
	const struct send *send = arg;
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)send->port)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), mode = IP_PMTUDISC_DONT;
	uint8_t payload[1472] = {0};
	uint32_t i;

	inet_pton(AF_INET, "192.0.2.2", &to.sin_addr);
	if (send->fragments)
		setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &mode, sizeof(mode));
	for (i = 0; i < send->count; i++) {
		memcpy(payload, &i, sizeof(i));
		/* An ICMP answer of the datagram before shows as an error of this one. */
		while (sendto(fd, payload, send->len, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
			;
	}
	return 0;
}

static void send_to_b(struct net *net, unsigned count, unsigned port, size_t len, bool fragments)
{
	struct send send = {.count = count, .port = port, .len = len, .fragments = fragments};
	struct err_msg msg = {{0}};
	int status = -1;

	assert_ok(net_call(net, "a", send_datagrams, &send, &status, &msg), &msg);
	assert_int_equal(status, 0);
}

static struct link_wire_state wait_quiet(struct link_wire *wire)
{
	struct link_wire_state state;
	struct err_msg msg = {{0}};

	assert_ok(link_wire_wait_quiet(wire, 20, 5000, &state, &msg), &msg);
	return state;
}

static uint64_t count_frames(struct net *net, const char *end, const char *filter)
{
	char path[256], error[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *header;
	struct bpf_program program;
	const u_char *bytes;
	uint64_t count = 0;
	pcap_t *pcap;

	snprintf(path, sizeof(path), "%s/wan-%s.pcap", net_dir(net), end);
	pcap = pcap_open_offline(path, error);
	assert_non_null(pcap);
	assert_int_equal(pcap_compile(pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN), 0);
	while (pcap_next_ex(pcap, &header, &bytes) == 1)
		count += pcap_offline_filter(&program, header, bytes) != 0;
	pcap_freecode(&program);
	pcap_close(pcap);
	return count;
}

/* Calls fn with each line of the log that has the text. */
static unsigned read_log(struct net *net, const char *text, void (*fn)(const char *, void *),
			 void *arg)
{
	char path[256], line[1024];
	unsigned count = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/wan.jsonl", net_dir(net));
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (!strstr(line, text))
			continue;
		count++;
		if (fn)
			fn(line, arg);
	}
	fclose(file);
	return count;
}

static void test_perfect_wire_adds_less_than_a_millisecond(void **state)
{
	const struct link_wire_spec spec = plain_spec(*state);
	struct link_wire *wire = start(*state, &spec);

	assert_in_range(round_trip_us(*state, "192.0.2.2"), 1, 1000);
	assert_int_equal(ping(*state, "b", "2001:db8::1"), 0);
	stop(wire);
}

static void test_delay_shows_in_the_round_trip(void **state)
{
	struct link_wire_spec spec = plain_spec(*state);
	struct link_wire *wire;

	spec.ab.delay = 30 * LINK_MS;
	spec.ba.delay = 20 * LINK_MS;
	wire = start(*state, &spec);
	assert_in_range(round_trip_us(*state, "192.0.2.2"), 50000, 55000);
	assert_in_range(round_trip_us(*state, "2001:db8::2"), 50000, 55000);
	stop(wire);
}

#define LOSS_PACKETS 500

static void note_lost_number(const char *line, void *arg)
{
	const char *number = strstr(line, "\"n\":");
	bool *lost = arg;

	assert_non_null(number);
	lost[strtoul(number + 4, NULL, 10) % (LOSS_PACKETS + 1)] = true;
}

static void test_seed_decides_which_packets_are_lost(void **state)
{
	struct link_wire_spec spec = plain_spec(*state);
	bool lost[2][LOSS_PACKETS + 1] = {{false}};
	unsigned run_number, count;

	spec.seed = 42;
	spec.ab.loss = 0.3;
	for (run_number = 0; run_number < 2; run_number++) {
		struct link_wire *wire = start(*state, &spec);

		send_to_b(*state, LOSS_PACKETS, 9, 100, false);
		wait_quiet(wire);
		stop(wire);
		count = read_log(*state, "\"fate\":\"loss\"", note_lost_number, lost[run_number]);
		assert_in_range(count, 100, 200); /* 150, and five standard deviations */
	}
	assert_memory_equal(lost[0], lost[1], sizeof(lost[0]));
}

static void test_captures_log_and_counters_agree(void **state)
{
	struct link_wire_spec spec = plain_spec(*state);
	struct link_wire_state end;
	const struct link_counters *c = &end.dir[LINK_AB];
	struct link_wire *wire;

	spec.ab = (struct link_params){.loss = 0.1,
				       .duplicate = 0.1,
				       .jitter = LINK_MS,
				       .jitter_reorders = true,
				       .corrupt = 0.05};
	wire = start(*state, &spec);
	send_to_b(*state, 2000, 9, 300, false);
	wait_quiet(wire);
	end = stop(wire);
	assert_int_equal(c->in, 2000);
	assert_true(c->dropped[LINK_LOSS] > 0 && c->duplicates > 0 && c->corrupted > 0);
	assert_int_equal(c->delivered, c->in + c->duplicates - c->dropped[LINK_LOSS]);
	assert_int_equal(count_frames(*state, "a", "udp port 9"), c->in);
	assert_int_equal(count_frames(*state, "b", "udp port 9"), c->delivered);
	assert_int_equal(count_frames(*state, "a", ""), end.frames[0]);
	assert_int_equal(count_frames(*state, "b", ""), end.frames[1]);
	assert_int_equal(read_log(*state, "\"dir\":\"ab\",\"n\":", NULL, NULL),
			 c->delivered + c->dropped[LINK_LOSS]);
	assert_int_equal(read_log(*state, "\"fate\":\"loss\"", NULL, NULL), c->dropped[LINK_LOSS]);
	assert_int_equal(read_log(*state, "\"duplicate\"", NULL, NULL), c->duplicates);
}

/* What a user types is often relative to where they are. */
static void test_captures_go_into_a_relative_directory(void **state)
{
	struct net *net = *state;
	struct link_wire_spec spec = plain_spec(net);
	char before[4096];

	assert_non_null(getcwd(before, sizeof(before)));
	assert_int_equal(chdir(net_dir(net)), 0);
	spec.dir = ".";
	stop(start(net, &spec));
	assert_int_equal(access("wan-a.pcap", R_OK), 0);
	assert_int_equal(chdir(before), 0);
}

static void test_flood_is_carried_whole(void **state)
{
	const struct link_wire_spec spec = plain_spec(*state);
	struct link_wire *wire = start(*state, &spec);
	struct link_wire_state end;

	send_to_b(*state, 10000, 9, 64, false);
	wait_quiet(wire);
	end = stop(wire);
	assert_int_equal(end.dir[LINK_AB].delivered, 10000);
	assert_int_equal(end.missed[0], 0);
	assert_int_equal(count_frames(*state, "b", "udp port 9"), 10000);
}

static int ping_df(struct net *net, const char *size, const char *addr,
		   struct process_output *ret_output)
{
	const char *const argv[] = {"ping", "-n", "-c1", "-W1", "-M", "do", "-s", size, addr, NULL};

	return run_in_a(net, argv, ret_output);
}

static void test_too_large_packet_is_told_the_mtu(void **state)
{
	struct link_wire_spec spec = plain_spec(*state);
	struct process_output output;
	struct link_wire *wire;

	spec.ab.mtu = 1400;
	wire = start(*state, &spec);
	assert_int_not_equal(ping_df(*state, "1450", "192.0.2.2", &output), 0);
	assert_non_null(strstr(output.text, "mtu = 1400"));
	process_output_free(&output);
	/* The kernel knows now: nothing is sent. */
	assert_int_not_equal(ping_df(*state, "1450", "192.0.2.2", &output), 0);
	assert_non_null(strstr(output.text, "message too long, mtu=1400"));
	process_output_free(&output);
	assert_int_equal(ping_df(*state, "1372", "192.0.2.2", &output), 0);
	process_output_free(&output);
	assert_int_not_equal(ping_df(*state, "1450", "2001:db8::2", &output), 0);
	assert_non_null(strstr(output.text, "1400"));
	process_output_free(&output);
	assert_int_equal(stop(wire).dir[LINK_AB].icmp, 2);
}

static void test_filtered_icmp_is_silence_on_record(void **state)
{
	struct link_wire_spec spec = plain_spec(*state);
	struct process_output output;
	struct link_wire_state end;
	struct link_wire *wire;

	spec.ab = (struct link_params){.mtu = 1400, .icmp = LINK_ICMP_FILTERED};
	wire = start(*state, &spec);
	assert_int_equal(ping_df(*state, "1450", "192.0.2.2", &output), 1);
	assert_null(strstr(output.text, "mtu"));
	process_output_free(&output);
	end = stop(wire);
	assert_int_equal(end.dir[LINK_AB].dropped[LINK_TOO_BIG], 1);
	assert_int_equal(end.dir[LINK_AB].icmp, 0);
	assert_int_equal(read_log(*state, "\"fate\":\"mtu\"", NULL, NULL), 1);
}

static void test_packet_without_df_arrives_in_fragments(void **state)
{
	struct link_wire_spec spec = plain_spec(*state);
	struct link_wire_state end;
	struct link_wire *wire;

	spec.ab.mtu = 600;
	wire = start(*state, &spec);
	send_to_b(*state, 1, 9, 1472, true);
	wait_quiet(wire);
	end = stop(wire);
	assert_int_equal(end.dir[LINK_AB].in, 1);
	assert_int_equal(end.dir[LINK_AB].delivered, 3);
	assert_int_equal(count_frames(*state, "b", "ip[6:2] & 0x3fff != 0"), 3);
}

static void test_second_packet_to_port_500_is_dropped(void **state)
{
	const struct link_wire_aim aims[] = {
	    {LINK_AB, {.name = "second", .filter = "udp dst port 500", .first = 2, .count = 1}}};
	struct link_wire_spec spec = plain_spec(*state);
	struct link_wire *wire;

	spec.aims = aims, spec.aims_count = 1;
	wire = start(*state, &spec);
	send_to_b(*state, 3, 4500, 100, false);
	send_to_b(*state, 3, 500, 100, false);
	wait_quiet(wire);
	assert_int_equal(stop(wire).dir[LINK_AB].dropped[LINK_AIMED], 1);
	assert_int_equal(count_frames(*state, "b", "udp dst port 4500"), 3);
	assert_int_equal(count_frames(*state, "b", "udp dst port 500"), 2);
	/* The payload's first octets number the datagrams from 0: the second is missing. */
	assert_int_equal(count_frames(*state, "b", "udp dst port 500 and udp[8] == 1"), 0);
	assert_int_equal(read_log(*state, "\"aim\":\"second\"", NULL, NULL), 1);
}

static bool is_third(void *arg, const uint8_t *ip, size_t len)
{
	(void)arg;
	return len > 28 && ip[28] == 2;
}

static void test_callback_holds_a_packet_until_release(void **state)
{
	const struct link_aim aim = {.name = "gate", .act = LINK_ACT_HOLD, .match = is_third};
	const struct link_wire_spec spec = plain_spec(*state);
	struct link_wire *wire = start(*state, &spec);
	struct err_msg msg = {{0}};
	unsigned released = 0;

	assert_ok(link_wire_aim(wire, LINK_AB, &aim, &msg), &msg);
	send_to_b(*state, 5, 9, 100, false);
	assert_int_equal(wait_quiet(wire).dir[LINK_AB].held, 1);
	assert_int_equal(count_frames(*state, "b", "udp port 9"), 4);
	assert_ok(link_wire_release(wire, "gate", &released, &msg), &msg);
	assert_int_equal(released, 1);
	assert_int_equal(wait_quiet(wire).dir[LINK_AB].held, 0);
	stop(wire);
	assert_int_equal(count_frames(*state, "b", "udp port 9"), 5);
}

static void test_parameters_and_outages_change_while_it_runs(void **state)
{
	const struct link_params down = {.down = true}, up = {0};
	const struct link_wire_spec spec = plain_spec(*state);
	struct link_wire *wire = start(*state, &spec);
	struct err_msg msg = {{0}};

	assert_ok(link_wire_set(wire, LINK_AB, &down, &msg), &msg);
	send_to_b(*state, 1, 9, 100, false);
	assert_int_equal(wait_quiet(wire).dir[LINK_AB].delivered, 0);
	assert_ok(link_wire_schedule(wire, LINK_AB, 0, &up, &msg), &msg);
	send_to_b(*state, 1, 9, 100, false);
	assert_int_equal(wait_quiet(wire).dir[LINK_AB].delivered, 1);
	assert_ok(link_wire_outage(wire, 0, 3600 * LINK_S, &msg), &msg);
	send_to_b(*state, 1, 9, 100, false);
	assert_int_equal(wait_quiet(wire).dir[LINK_AB].delivered, 1);
	assert_int_equal(link_wire_set(wire, LINK_AB, &(struct link_params){.loss = 2}, &msg),
			 ERR_INVALID);
	assert_non_null(strstr(msg.text, "wire wan: loss"));
	stop(wire);
}

static void set_up_or_down(struct net *net, const char *node, bool up)
{
	struct err_msg msg = {{0}};

	assert_ok(netlink_set_up(net_node_netlink(net, node), "eth0", up, &msg), &msg);
}

static void test_interface_that_is_down_takes_nothing_and_may_come_back(void **state)
{
	const struct link_wire_spec spec = plain_spec(*state);
	struct link_wire *wire = start(*state, &spec);

	set_up_or_down(*state, "b", false);
	send_to_b(*state, 3, 9, 100, false);
	assert_int_equal(wait_quiet(wire).dir[LINK_AB].dropped[LINK_REFUSED], 3);
	set_up_or_down(*state, "b", true);
	send_to_b(*state, 4, 9, 100, false);
	assert_int_equal(wait_quiet(wire).dir[LINK_AB].delivered, 4);
	stop(wire);
	assert_int_equal(count_frames(*state, "b", "udp port 9"), 4);
	/* Those of neighbour discovery end in what was done to them. */
	assert_int_equal(read_log(*state, "\"fate\":\"refused\"}", NULL, NULL), 3);
}

struct dues {
	double first, last;
};

static void note_due(const char *line, void *arg)
{
	struct dues *dues = arg;
	const char *due = strstr(line, "\"due\":");

	dues->last = due ? strtod(due + 6, NULL) : dues->last;
	dues->first = dues->first > 0 ? dues->first : dues->last;
}

/* 1000 octets at 8 Mbit/s take 1 ms; one is being sent and 20 may wait. */
static void test_rate_and_queue_limit_a_burst(void **state)
{
	struct link_wire_spec spec = plain_spec(*state);
	struct link_wire_state end;
	const struct link_counters *c = &end.dir[LINK_AB];
	struct dues dues = {0, 0};
	struct link_wire *wire;

	spec.ab = (struct link_params){.rate = 8000000, .queue_packets = 20};
	wire = start(*state, &spec);
	send_to_b(*state, 300, 9, 972, false);
	wait_quiet(wire);
	end = stop(wire);
	assert_in_range(c->delivered, 21, 299);
	assert_int_equal(c->delivered + c->dropped[LINK_QUEUE], 300);
	read_log(*state, "\"dir\":\"ab\",\"n\"", note_due, &dues);
	assert_true(dues.last - dues.first >= (double)(c->delivered - 1) * 0.001 - 0.00001);
}

static void test_death_is_told_and_the_files_stay_readable(void **state)
{
	const struct link_wire_spec spec = plain_spec(*state);
	struct link_wire *wire = start(*state, &spec);
	struct link_wire_state ignored;
	struct err_msg msg = {{0}};

	send_to_b(*state, 10, 9, 100, false);
	wait_quiet(wire);
	assert_false(link_wire_died(wire, &msg));
	kill(link_wire_pid(wire), SIGKILL);
	assert_int_equal(link_wire_query(wire, &ignored, &msg), ERR_STATE);
	assert_string_equal(msg.text, "wire wan: killed by signal 9");
	assert_true(link_wire_died(wire, &msg));
	assert_int_equal(link_wire_stop(wire, NULL, &msg), ERR_STATE);
	assert_int_equal(count_frames(*state, "b", "udp port 9"), 10);
}

static void test_what_cannot_be_joined_is_named(void **state)
{
	struct link_wire_spec spec = plain_spec(*state);
	struct link_wire *wire = start(*state, &spec), *other = NULL;
	struct err_msg msg = {{0}};

	assert_int_equal(link_wire_start(*state, &spec, &other, &msg), ERR_EXISTS);
	assert_non_null(strstr(msg.text, "eth0"));
	stop(wire);
	spec.b.ifname = "eth7";
	assert_int_equal(link_wire_start(*state, &spec, &other, &msg), ERR_NOT_FOUND);
	assert_non_null(strstr(msg.text, "eth7"));
	spec.b.node = "nobody";
	assert_int_equal(link_wire_start(*state, &spec, &other, &msg), ERR_NOT_FOUND);
	spec = plain_spec(*state);
	spec.dir = "/no/such/place";
	assert_int_equal(link_wire_start(*state, &spec, &other, &msg), ERR_IO);
	spec = plain_spec(*state);
	spec.ab.loss = 7;
	assert_int_equal(link_wire_start(*state, &spec, &other, &msg), ERR_INVALID);
	assert_null(other);
}

static void test_full_disk_ends_the_wire_with_the_reason(void **state)
{
	struct link_wire_spec spec = plain_spec(*state);
	struct link_wire_state ignored;
	struct link_wire *wire = NULL;
	struct err_msg msg = {{0}};
	char path[256];
	int err;

	snprintf(path, sizeof(path), "%s/full", net_dir(*state));
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(mount("small", path, "tmpfs", 0, "size=64k"), 0);
	spec.dir = path;
	err = link_wire_start(*state, &spec, &wire, &msg);
	assert_int_equal(umount2(path, MNT_DETACH), 0); /* its open files keep it */
	assert_ok(err, &msg);
	send_to_b(*state, 200, 9, 1400, false);
	assert_int_equal(link_wire_query(wire, &ignored, &msg), ERR_STATE);
	assert_non_null(strstr(msg.text, "No space left on device"));
	assert_int_equal(link_wire_stop(wire, NULL, &msg), ERR_STATE);
}

/* A test that fails leaves its wire plugged in. */
#define on_fresh_link(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    on_fresh_link(test_perfect_wire_adds_less_than_a_millisecond),
	    on_fresh_link(test_delay_shows_in_the_round_trip),
	    on_fresh_link(test_seed_decides_which_packets_are_lost),
	    on_fresh_link(test_captures_log_and_counters_agree),
	    on_fresh_link(test_captures_go_into_a_relative_directory),
	    on_fresh_link(test_flood_is_carried_whole),
	    on_fresh_link(test_too_large_packet_is_told_the_mtu),
	    on_fresh_link(test_filtered_icmp_is_silence_on_record),
	    on_fresh_link(test_packet_without_df_arrives_in_fragments),
	    on_fresh_link(test_second_packet_to_port_500_is_dropped),
	    on_fresh_link(test_callback_holds_a_packet_until_release),
	    on_fresh_link(test_parameters_and_outages_change_while_it_runs),
	    on_fresh_link(test_interface_that_is_down_takes_nothing_and_may_come_back),
	    on_fresh_link(test_rate_and_queue_limit_a_burst),
	    on_fresh_link(test_death_is_told_and_the_files_stay_readable),
	    on_fresh_link(test_what_cannot_be_joined_is_named),
	    on_fresh_link(test_full_disk_ends_the_wire_with_the_reason),
	};

	skip_without_root();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
