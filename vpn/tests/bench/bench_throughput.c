/* bench_throughput.c - TCP through a tunnel between two namespaces: beetd, beside strongSwan with
 * kernel-libipsec, beside wireguard-go, beside the bare cable.
 *
 *     bench_throughput [SECONDS [ROUNDS [NAME]]]
 *
 * Both ends of every tunnel, and both iperf3, share this machine's cores. All contestants are up
 * from the start and take turns: a round is one measurement of each in each shape. "CPU" is what
 * both daemons used for a gigabyte of payload, which other work on the machine disturbs least. NAME
 * keeps the contestants whose names contain it. */
#include "vpn/tests/bench/results.h"
#include "vpn/tests/bench/tunnel.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SKIP	     77
#define CPU	     4 /* the column behind the shapes */
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

enum contestant {
	BARE,
	BEETD_CHACHA,
	BEETD_AES,
	BEETD_BEET,
	LIBIPSEC_CHACHA,
	LIBIPSEC_AES,
	WIREGUARD,
	CONTESTANTS
};

#define OURS(mode_, proposal)                                                                \
	.kind = TUNNEL_IKE, .driver = &peer_beetd, .mode = mode_, .esp_proposals = proposal, \
	.options = {.quiet = true}
#define LIBIPSEC(proposal)                                                \
	.kind = TUNNEL_IKE, .driver = &peer_strongswan, .mode = "tunnel", \
	.esp_proposals = proposal, .options = {.quiet = true}

static const struct tunnel_spec specs[CONTESTANTS] = {
    [BARE] = {.name = "bare veth", .kind = TUNNEL_NONE},
    [BEETD_CHACHA] = {.name = "beetd chacha20poly1305", OURS("tunnel", "chacha20poly1305")},
    [BEETD_AES] = {.name = "beetd aes256gcm16", OURS("tunnel", "aes256gcm16")},
    [BEETD_BEET] = {.name = "beetd chacha20poly1305 BEET", OURS("beet", "chacha20poly1305")},
    [LIBIPSEC_CHACHA] = {.name = "libipsec chacha20poly1305", LIBIPSEC("chacha20poly1305")},
    [LIBIPSEC_AES] = {.name = "libipsec aes256gcm16", LIBIPSEC("aes256gcm16")},
    [WIREGUARD] = {.name = "wireguard-go", .kind = TUNNEL_WIREGUARD},
};

static const struct load shapes[CPU] = {{.streams = 1},
					{.streams = 1, .reverse = true},
					{.streams = 4},
					{.streams = 4, .reverse = true}};

static struct results results = {
    .name = "throughput",
    .column = {{"1 stream, a to b", "Gbit/s", false},
	       {"1 stream, b to a", "Gbit/s", false},
	       {"4 streams, a to b", "Gbit/s", false},
	       {"4 streams, b to a", "Gbit/s", false},
	       {"CPU", "s/GB", true}},
    .columns = CPU + 1,
};

static void bring_up(struct tunnel tunnels[CONTESTANTS], const char *only)
{
	struct err_msg msg = {{0}};
	const char *missing;
	size_t i;

	for (i = 0; i < CONTESTANTS; i++) {
		results_add_row(&results, specs[i].name);
		missing = tunnel_missing(&specs[i]);
		if (only && !strstr(specs[i].name, only))
			results_miss(&results, i, "not asked for");
		else if (missing)
			results_miss(&results, i, "%s", missing);
		else if (tunnel_up(&specs[i], &tunnels[i], &msg) < 0)
			results_miss(&results, i, "%s", msg.text);
	}
}

/* One contestant's turn in a round: every shape. */
static void take_turn(struct tunnel *tunnel, size_t row, unsigned seconds)
{
	double cpu = tunnel_cpu_seconds(tunnel), gbits = 0, gigabytes = 0;
	struct err_msg msg = {{0}};
	struct load load;
	size_t i;

	for (i = 0; i < CPU; i++) {
		load = shapes[i];
		load.seconds = seconds;
		if (tunnel_measure(tunnel, &load, &gbits, &msg) < 0) {
			results_miss(&results, row, "%s", msg.text);
			return;
		}
		results_add(&results, row, i, gbits);
		gigabytes += gbits * seconds / 8;
	}
	if (specs[row].kind != TUNNEL_NONE)
		results_add(&results, row, CPU, (tunnel_cpu_seconds(tunnel) - cpu) / gigabytes);
}

static bool print_ratios(void)
{
	static const enum contestant pairs[][2] = {{BEETD_CHACHA, LIBIPSEC_CHACHA},
						   {BEETD_AES, LIBIPSEC_AES},
						   {BEETD_CHACHA, WIREGUARD},
						   {BEETD_AES, WIREGUARD},
						   {BEETD_BEET, BEETD_CHACHA}};
	bool any = false;
	size_t i;

	for (i = 0; i < COUNT(pairs); i++)
		any = results_print_ratio(&results, pairs[i][0], pairs[i][1]) || any;
	return any;
}

int main(int argc, char **argv)
{
	unsigned seconds = argc > 1 ? (unsigned)atoi(argv[1]) : 2;
	unsigned rounds = argc > 2 ? (unsigned)atoi(argv[2]) : 3, round;
	struct tunnel tunnels[CONTESTANTS] = {0};
	bool compared;
	size_t i;

	if (geteuid() != 0) {
		printf("SKIP: needs root, to make network namespaces\n");
		return SKIP;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	bring_up(tunnels, argc > 3 ? argv[3] : NULL);
	for (round = 0; round < rounds && round < RESULTS_ROUNDS; round++)
		for (i = 0; i < CONTESTANTS; i++)
			if (!results_is_missing(&results, i))
				take_turn(&tunnels[i], i, seconds);
	printf("%u rounds, %u s each; %s\n\n", rounds, seconds, wireguard_version());
	results_print(&results);
	printf("\nratios; above 1: the first is better\n");
	compared = print_ratios();
	printf("\n");
	results_print_json(&results);
	for (i = 0; i < CONTESTANTS; i++)
		if (tunnels[i].spec)
			tunnel_down(&tunnels[i]);
	return compared ? EXIT_SUCCESS : SKIP;
}
