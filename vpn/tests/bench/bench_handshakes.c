/* bench_handshakes.c - IKE SAs with one child each between two daemons of a kind: how many a
 * second, what they cost the CPU, and what memory they hold. beetd beside strongSwan.
 *
 *     bench_handshakes [SAS [ROUNDS [NAME]]]
 *
 * A turn: both daemons start, WARM SAs are made, then SAS more against the clock; what the daemons'
 * resident memory grew by meanwhile, divided by SAS, is the memory of an SA at either end.
 * Everything stays up until the end of the turn. NAME keeps the contestants whose names contain it.
 */
#include "vpn/tests/bench/hub.h"
#include "vpn/tests/bench/procstat.h"
#include "vpn/tests/bench/results.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SKIP	 77
#define WARM	 50
#define PARALLEL 8
#define UP_MS	 20000

enum contestant { BEETD_CERT, STRONGSWAN_CERT, BEETD_PSK, STRONGSWAN_PSK, CONTESTANTS };
enum column { RATE, CPU, MEMORY_A, MEMORY_B };

static const char *const beetd_args[] = {"--cookie-threshold", "0", "--half-open-per-host", "0",
					 NULL};
/* Its tables as strongswan.conf(5) advises for many SAs; a vici command that waits holds a thread.
 */
static const char strongswan_conf[] = "dos_protection = no\n"
				      "reuse_ikesa = no\n"
				      "threads = 32\n"
				      "ikesa_table_size = 4096\n"
				      "ikesa_table_segments = 16\n";

#define OURS(auth_) \
	.driver = &peer_beetd, .auth = auth_, .options = {.beetd_args = beetd_args, .quiet = true}
#define THEIRS(auth_)                              \
	.driver = &peer_strongswan, .auth = auth_, \
	.options = {.strongswan_conf = strongswan_conf, .quiet = true}

static const struct hub_spec specs[CONTESTANTS] = {
    [BEETD_CERT] = {.name = "beetd, Ed25519", OURS(HUB_ED25519)},
    [STRONGSWAN_CERT] = {.name = "strongSwan, Ed25519", THEIRS(HUB_ED25519)},
    [BEETD_PSK] = {.name = "beetd, PSK", OURS(HUB_PSK)},
    [STRONGSWAN_PSK] = {.name = "strongSwan, PSK", THEIRS(HUB_PSK)},
};

static struct results results = {
    .name = "handshakes",
    .column = {[RATE] = {"handshakes", "1/s", false},
	       [CPU] = {"CPU of both ends", "ms/handshake", true},
	       [MEMORY_A] = {"memory, initiator", "kB/SA", true},
	       [MEMORY_B] = {"memory, responder", "kB/SA", true}},
    .columns = 4,
};

struct usage {
	double cpu, memory_a, memory_b;
};

static struct usage usage_of(const struct hub *hub)
{
	pid_t a = peer_pid(hub->a), b = peer_pid(hub->b);

	return (struct usage){.cpu = procstat_cpu_seconds(a) + procstat_cpu_seconds(b),
			      .memory_a = procstat_resident_octets(a),
			      .memory_b = procstat_resident_octets(b)};
}

/* Both ends must have what was asked for. */
static int check(const struct hub *hub, unsigned sas, struct err_msg *msg)
{
	int err = peer_wait_children(hub->a, sas, UP_MS, msg);

	return err == 0 ? peer_wait_children(hub->b, sas, UP_MS, msg) : err;
}

static int measure(struct hub *hub, size_t row, unsigned sas, struct err_msg *msg)
{
	struct usage before, after;
	double seconds = 0;
	int err = hub_initiate(hub, 0, WARM, PARALLEL, &seconds, msg);

	if (err == 0)
		err = check(hub, WARM, msg);
	before = usage_of(hub);
	if (err == 0)
		err = hub_initiate(hub, WARM, WARM + sas, PARALLEL, &seconds, msg);
	after = usage_of(hub);
	if (err == 0)
		err = check(hub, WARM + sas, msg);
	if (err < 0)
		return err;
	results_add(&results, row, RATE, sas / seconds);
	results_add(&results, row, CPU, (after.cpu - before.cpu) * 1000 / sas);
	results_add(&results, row, MEMORY_A, (after.memory_a - before.memory_a) / sas / 1000);
	results_add(&results, row, MEMORY_B, (after.memory_b - before.memory_b) / sas / 1000);
	return 0;
}

static void take_turn(size_t row, unsigned sas)
{
	struct err_msg msg = {{0}};
	struct hub hub;
	int err = hub_up(&specs[row], WARM + sas, &hub, &msg);

	if (err == 0) {
		err = measure(&hub, row, sas, &msg);
		hub_down(&hub);
	}
	if (err < 0)
		results_miss(&results, row, "%s", msg.text);
}

static void line_up(const char *only)
{
	const char *missing;
	size_t i;

	for (i = 0; i < CONTESTANTS; i++) {
		missing = specs[i].driver->missing();
		results_add_row(&results, specs[i].name);
		if (missing)
			results_miss(&results, i, "%s", missing);
		else if (only && !strstr(specs[i].name, only))
			results_miss(&results, i, "not asked for");
	}
}

static bool print_all(void)
{
	bool compared;

	results_print(&results);
	printf("\nratios; above 1: the first is better\n");
	compared = results_print_ratio(&results, BEETD_CERT, STRONGSWAN_CERT);
	compared = results_print_ratio(&results, BEETD_PSK, STRONGSWAN_PSK) || compared;
	printf("\n");
	results_print_json(&results);
	return compared;
}

int main(int argc, char **argv)
{
	unsigned sas = argc > 1 ? (unsigned)atoi(argv[1]) : 1000;
	unsigned rounds = argc > 2 ? (unsigned)atoi(argv[2]) : 3, round;
	size_t i;

	if (geteuid() != 0) {
		printf("SKIP: needs root, to make network namespaces\n");
		return SKIP;
	}
	if (sas == 0 || sas + WARM > HUB_CONNS_MAX || rounds == 0 || rounds > RESULTS_ROUNDS) {
		fprintf(stderr, "usage: %s [SAS [ROUNDS [NAME]]]\n", argv[0]);
		return EXIT_FAILURE;
	}
	line_up(argc > 3 ? argv[3] : NULL);
	for (round = 0; round < rounds; round++)
		for (i = 0; i < CONTESTANTS; i++)
			if (!results_is_missing(&results, i))
				take_turn(i, sas);
	printf("%u rounds of %u SAs, %d at a time\n\n", rounds, sas, PARALLEL);
	return print_all() ? EXIT_SUCCESS : SKIP;
}
