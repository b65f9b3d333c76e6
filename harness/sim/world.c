/* world.c - builds the simulated world out of a plan, and takes it from event to event.
 *
 * Order at one point of time: packets, then timers, then faults, then probes. All of these are
 * lists in a fixed order, so a run repeats bit for bit.
 *
 * Ownership: struct sim_world has everything below it; plan and options are the caller's. */
#include "harness/sim/world.h"
#include "harness/files.h"
#include "harness/sim/packet_make.h"
#include "harness/sim/stream.h"
#include "vpn/base/proto.h"
#include "vpn/daemon/options.h"
#include "vpn/wire/packet/octets.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UDP_LEN = 8, ICMP_LEN = 8, ECHO4 = 8, ECHO_REPLY4 = 0, ECHO6 = 128, ECHO_REPLY6 = 129 };
enum { UNREACHABLE4 = 3, TOO_BIG4 = 4, TOO_BIG6 = 2 };

#define STUCK_MAX 100000 /* events at one point of time; a batch of packets has some hundreds */

struct sim_end *sim_world_end(const struct sim_world *world, const char *node)
{
	size_t i;

	for (i = 0; i < world->plan->endpoints_count; i++)
		if (world->ends[i] && strcmp(sim_end_name(world->ends[i]), node) == 0)
			return world->ends[i];
	return NULL;
}

size_t sim_world_node(const struct sim_world *world, const char *name)
{
	return (size_t)topology_node(&world->plan->topology, name);
}

static struct sim_end *end_at(const struct sim_world *world, size_t node)
{
	size_t i;

	for (i = 0; i < world->plan->endpoints_count; i++)
		if (world->ends[i] && sim_end_place(world->ends[i]) == node)
			return world->ends[i];
	return NULL;
}

/* --- hosts --- */

static void take_error(struct sim_world *world, struct sim_end *end, const uint8_t *data,
		       const struct ip_info *ip)
{
	const uint8_t *icmp = data + ip->l4_off, *quoted = icmp + ICMP_LEN;
	size_t len = ip->total_len - ip->l4_off;
	unsigned mtu;
	struct ip_addr to;

	if (len < ICMP_LEN + IPV6_HDR_LEN)
		return;
	if (ip->version == 4 && icmp[0] == UNREACHABLE4 && icmp[1] == TOO_BIG4) {
		mtu = get_u16(icmp, len, 6);
		to = ip_addr_from_v4(quoted + 16);
	} else if (ip->version == 6 && icmp[0] == TOO_BIG6) {
		mtu = get_u32(icmp, len, 4);
		to = ip_addr_from_v6(quoted + 24);
	} else {
		return;
	}
	if (end)
		sim_end_path_mtu(end, &to, mtu);
	sim_streams_too_big(world, &to, mtu);
}

static void take_icmp(struct sim_world *world, size_t node, const uint8_t *data,
		      const struct ip_info *ip)
{
	const uint8_t *icmp = data + ip->l4_off;
	size_t len = ip->total_len - ip->l4_off;
	uint8_t buf[SIM_PACKET_MAX];
	size_t made;

	if (len < ICMP_LEN)
		return;
	if (icmp[0] == (ip->version == 4 ? ECHO4 : ECHO6)) {
		made = packet_echo(buf, &ip->sel.dst, &ip->sel.src, true,
				   (struct view){icmp + 4, len - 4});
		if (made)
			sim_net_send(world->net, node, buf, made, world->now);
	} else if (icmp[0] == (ip->version == 4 ? ECHO_REPLY4 : ECHO_REPLY6)) {
		if (get_u16(icmp, len, 6) == (uint16_t)world->echo_sequence)
			world->echo_answered = true;
	} else {
		take_error(world, end_at(world, node), data, ip);
	}
}

static void take_probe(struct sim_world *world, const uint8_t *data, const struct ip_info *ip)
{
	uint64_t number = 0;
	enum probe_finding finding = probe_take(&world->probes, data, ip, &number);

	rules_on_probe(&world->rules, finding, number);
}

static bool checksum_ok(const uint8_t *data, const struct ip_info *ip)
{
	uint16_t left;

	if (ip->proto == IP_PROTO_UDP && get_u16(data, ip->total_len, ip->l4_off + 6) == 0)
		return true;
	left = ip_l4_checksum(data, ip);
	return left == 0 || left == 0xffff;
}

static void take_udp(struct sim_world *world, size_t node, uint8_t *data, const struct ip_info *ip)
{
	const struct endpoint local = {ip->sel.dst, ip->sel.dst_port};
	const struct endpoint remote = {ip->sel.src, ip->sel.src_port};
	struct sim_end *end = end_at(world, node);
	size_t at = ip->l4_off + UDP_LEN;

	if (ip->total_len < at || !checksum_ok(data, ip))
		return;
	if (end && (local.port == IKE_PORT || local.port == IKE_NATT_PORT))
		sim_end_udp(end, &local, &remote, data + at, ip->total_len - at, world->now);
	else if (local.port == PROBE_PORT)
		take_probe(world, data, ip);
}

static void deliver(void *arg, size_t node, uint8_t *data, const struct ip_info *ip)
{
	struct sim_world *world = arg;
	struct sim_end *end = end_at(world, node);

	if (ip->proto == IP_PROTO_UDP)
		take_udp(world, node, data, ip);
	else if (ip->proto == IP_PROTO_TCP && checksum_ok(data, ip))
		sim_streams_take(world, data, ip);
	else if (ip->proto == IP_PROTO_ICMP || ip->proto == IP_PROTO_ICMP6)
		take_icmp(world, node, data, ip);
	else if (ip->proto == IP_PROTO_ESP && end)
		sim_end_esp(end, data, ip, world->now);
}

static bool take(void *arg, size_t node, uint8_t *data, const struct ip_info *ip)
{
	struct sim_world *world = arg;
	struct sim_end *end = end_at(world, node);

	return end && sim_end_take(end, data, ip, world->now);
}

static void seen(void *arg, const struct plan_wire *wire, const uint8_t *data, size_t len)
{
	struct sim_world *world = arg;

	rules_on_wire(&world->rules, wire, data, len);
}

/* --- what the ends tell --- */

static void on_received(void *arg, size_t node, uint8_t *data, size_t len, const struct sim_sa *by)
{
	struct sim_world *world = arg;
	struct ip_info ip;

	if (ip_parse(data, len, &ip) == 0)
		rules_on_opened(&world->rules, &ip, by);
	sim_net_send(world->net, node, data, len, world->now);
}

static void on_sealing(void *arg, size_t node, const uint8_t *data, const struct ip_info *ip,
		       const struct sim_sa *by)
{
	struct sim_world *world = arg;

	(void)node;
	(void)data;
	rules_on_sealing(&world->rules, ip, by);
}

static void on_esp(void *arg, size_t node, struct sim_sa *sa, const uint8_t *esp, size_t len)
{
	struct sim_world *world = arg;

	rules_on_esp(&world->rules, node, sa, esp, len);
}

static void on_ike(void *arg, size_t node, struct view datagram)
{
	struct sim_world *world = arg;

	rules_on_ike(&world->rules, node, datagram);
}

static void on_installed(void *arg, size_t node, const struct sim_sa *sa)
{
	struct sim_world *world = arg;

	rules_on_installed(&world->rules, node, sa);
}

static void on_event(void *arg, size_t node, const struct ike_event *event)
{
	(void)arg;
	(void)node;
	(void)event;
}

/* --- building --- */

static int read_options(struct ike_options *ret_options, const struct sc_endpoint *sc,
			struct err_msg *msg)
{
	const char *const *args = (const char *const *)sc->beetd_args.items;
	size_t i, count = sc->beetd_args.count;
	struct beetd_options options;
	struct log log;
	char **argv;
	int err = 0;

	ike_options_default(ret_options);
	argv = calloc(count + 2, sizeof(*argv));
	if (!argv)
		return err_set(msg, ERR_NOMEM, "out of memory");
	argv[0] = (char *)(uintptr_t) "beetd";
	for (i = 0; i < count; i++)
		argv[i + 1] = (char *)(uintptr_t)args[i];
	log_init(&log);
	optind = 0;
	if (options_parse((int)count + 1, argv, &options, &log) == OPTIONS_RUN)
		*ret_options = options.ike;
	else
		err = err_set(msg, ERR_SYNTAX, "%s: beetd_args cannot be understood", sc->node);
	free(argv);
	return err;
}

static int add_inner(struct sim_world *world, const struct plan_endpoint *endpoint,
		     struct err_msg *msg)
{
	const struct sc_inner *inner = endpoint->sc->inner.items;
	size_t node = sim_world_node(world, endpoint->sc->node), i, j;
	int err = 0;

	for (i = 0; i < endpoint->sc->inner.count && err == 0; i++)
		for (j = 0; j < inner[i].addresses.count && err == 0; j++)
			err = sim_net_add_inner(world->net, node, inner[i].addresses.items[j], msg);
	return err;
}

static unsigned drift_of(const struct plan *plan)
{
	const struct sc_step *steps = plan->scenario->steps.items;
	unsigned most = 0;
	size_t i;

	for (i = 0; i < plan->scenario->steps.count; i++)
		if (steps[i].faults.drift > most)
			most = steps[i].faults.drift;
	return most;
}

static int add_end(struct sim_world *world, size_t index, struct err_msg *msg)
{
	const struct plan_endpoint *endpoint = &world->plan->endpoints[index];
	struct sim_rng rng = sim_rng_init(world->plan->seed, SIM_RNG_CLOCK, index);
	int drift = (int)drift_of(world->plan);
	const struct sim_end_spec spec = {
	    .plan = endpoint,
	    .node = sim_world_node(world, endpoint->sc->node),
	    .seed = world->plan->seed,
	    .ppm = (int)sim_rng_between(&rng, -drift, drift),
	    .net = world->net,
	    .hooks = {.arg = world,
		      .received = on_received,
		      .sealing = on_sealing,
		      .ike_sent = on_ike,
		      .installed = on_installed,
		      .esp_sent = on_esp,
		      .event = on_event},
	    .options = &world->options[index],
	    .fs = sim_vault_fs(world->vault, endpoint->sc->node),
	};
	int err;

	if (strcmp(endpoint->peer, "beetd") != 0)
		return err_set(msg, ERR_UNSUPPORTED, "%s at %s", endpoint->peer,
			       endpoint->sc->node);
	err = read_options(&world->options[index], endpoint->sc, msg);
	if (err == 0)
		err = sim_end_new(&spec, &world->ends[index], msg);
	return err < 0 ? err : add_inner(world, endpoint, msg);
}

static int add_ends(struct sim_world *world, struct err_msg *msg)
{
	size_t i, count = world->plan->endpoints_count;
	int err = 0;

	world->ends = calloc(count + 1, sizeof(*world->ends));
	world->asked = calloc(count + 1, sizeof(*world->asked));
	world->options = calloc(count + 1, sizeof(*world->options));
	if (!world->ends || !world->asked || !world->options)
		return err_set(msg, ERR_NOMEM, "out of memory");
	for (i = 0; i < count && err == 0; i++)
		err = add_end(world, i, msg);
	world->rules.ends = world->ends;
	world->rules.ends_count = count;
	return err;
}

static int record(struct sim_world *world, const char *dir, struct err_msg *msg)
{
	static const char *const parts[] = {"captures", "events", "keys"};
	char path[4096];
	size_t i;
	int err = 0;

	for (i = 0; i < 3 && err == 0; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, parts[i]);
		err = dir_make(path, msg);
	}
	snprintf(path, sizeof(path), "%s/captures", dir);
	for (i = 0; i < sim_net_wires(world->net) && err == 0; i++)
		err = sim_wire_capture(sim_net_wire(world->net, i), path, msg);
	for (i = 0; i < world->plan->endpoints_count && err == 0; i++)
		err = sim_end_record(world->ends[i], dir, msg);
	return err;
}

static int replay(struct sim_world *world, const struct sim_replay *r, struct err_msg *msg)
{
	size_t i;
	int err = 0;

	world->faults.replay = r;
	for (i = 0; r->exact && i < sim_net_wires(world->net) && err == 0; i++)
		err = sim_wire_replay(sim_net_wire(world->net, i), r->fates, r->fates_count, msg);
	return err;
}

int sim_world_open(const struct plan *plan, const struct sim_world_options *options,
		   struct sim_world **ret_world, struct err_msg *msg)
{
	struct sim_world *world = calloc(1, sizeof(*world));
	struct sim_net_hooks hooks = {.arg = world, .deliver = deliver, .take = take, .seen = seen};
	int err;

	if (!world)
		return err_set(msg, ERR_NOMEM, "out of memory");
	world->plan = plan;
	err = sim_net_new(plan, &hooks, &world->net, msg);
	if (err == 0)
		err = sim_vault_new(plan, &world->vault, msg);
	if (err == 0)
		err = add_ends(world, msg);
	if (err == 0 && options->dir)
		err = record(world, options->dir, msg);
	if (err == 0 && options->replay)
		err = replay(world, options->replay, msg);
	if (err < 0)
		sim_world_close(world);
	else
		*ret_world = world;
	return err;
}

int sim_world_close_captures(struct sim_world *world, struct err_msg *msg)
{
	size_t i;
	int err = 0, one;

	for (i = 0; i < sim_net_wires(world->net); i++) {
		one = sim_wire_close_captures(sim_net_wire(world->net, i), msg);
		err = err < 0 ? err : one;
	}
	return err;
}

void sim_world_close(struct sim_world *world)
{
	size_t i;

	for (i = 0; world->ends && i < world->plan->endpoints_count; i++)
		sim_end_free(world->ends[i]);
	sim_net_free(world->net);
	sim_vault_free(world->vault);
	rules_free(&world->rules);
	probes_free(&world->probes);
	sim_faults_free(&world->faults);
	sim_streams_free(world);
	free(world->flows);
	free(world->ends);
	free(world->asked);
	free(world->options);
	free(world);
}

/* --- time --- */

static void send_flow(struct sim_world *world, struct sim_flow *flow)
{
	uint64_t number = sim_world_probe(world, flow->from, &flow->address, flow->sc->size);

	if (number != UINT64_MAX) {
		flow->first = flow->sent++ ? flow->first : number;
		flow->last = number;
	}
	flow->next += flow->sc->every_ms * LINK_MS;
}

static int64_t next_event(const struct sim_world *world)
{
	int64_t first = sim_net_next(world->net), at = sim_faults_next(&world->faults);
	size_t i;

	first = at < first ? at : first;
	for (i = 0; i < world->plan->endpoints_count; i++) {
		at = sim_end_next(world->ends[i]);
		first = at < first ? at : first;
	}
	for (i = 0; i < world->flows_count; i++)
		first = world->flows[i].next < first ? world->flows[i].next : first;
	at = sim_streams_next(world);
	return at < first ? at : first;
}

static void settle(struct sim_world *world)
{
	size_t i;

	while (!world->rules.broken[0] && sim_net_step(world->net, world->now))
		;
	for (i = 0; i < world->plan->endpoints_count; i++)
		if (sim_end_next(world->ends[i]) <= world->now)
			sim_end_expire(world->ends[i], world->now);
	sim_faults_run(world);
	for (i = 0; i < world->flows_count; i++)
		if (world->flows[i].next <= world->now)
			send_flow(world, &world->flows[i]);
	sim_streams_run(world);
}

/* A deadline that is never met would stop the clock. */
static void check_progress(struct sim_world *world, bool moved)
{
	world->stuck = moved ? 0 : world->stuck + 1;
	if (world->stuck > STUCK_MAX)
		rules_break(&world->rules, "time stands still: something is always due");
}

bool sim_world_run(struct sim_world *world, int64_t until, sim_done_fn *done, void *arg)
{
	int64_t next;

	for (;;) {
		if (world->rules.broken[0])
			return false;
		if (done && done(world, arg))
			return true;
		next = next_event(world);
		if (next > until)
			break;
		check_progress(world, next > world->now);
		if (next > world->now)
			world->now = next;
		world->rules.now = world->now;
		settle(world);
	}
	world->now = until;
	return false;
}

/* --- sending --- */

bool sim_world_source(const struct sim_world *world, size_t from, const struct ip_addr *to,
		      struct ip_addr *ret_src)
{
	if (!sim_net_is_outer(world->net, to) &&
	    sim_net_inner(world->net, from, to->family, ret_src))
		return true;
	return sim_net_source_for(world->net, from, to, ret_src) ||
	       sim_net_inner(world->net, from, to->family, ret_src);
}

uint64_t sim_world_probe(struct sim_world *world, size_t from, const struct ip_addr *to,
			 size_t size)
{
	uint8_t buf[SIM_PACKET_MAX];
	struct ip_addr src;
	uint64_t number = UINT64_MAX;
	size_t len;

	if (!sim_world_source(world, from, to, &src))
		return UINT64_MAX;
	len = probe_make(&world->probes, &src, to, size, buf, &number);
	if (len)
		sim_net_send(world->net, from, buf, len, world->now);
	return number;
}

bool sim_world_ping(struct sim_world *world, size_t from, const struct ip_addr *to, size_t size)
{
	uint8_t buf[SIM_PACKET_MAX], body[9004] = {0};
	struct writer w = wr_init(body, sizeof(body));
	struct ip_addr src;
	size_t len;

	if (size > sizeof(body) - 4 || !sim_world_source(world, from, to, &src))
		return false;
	world->echo_answered = false;
	wr_u16(&w, ++world->echo_id);
	wr_u16(&w, (uint16_t)++world->echo_sequence);
	len = packet_echo(buf, &src, to, false, (struct view){body, size + 4});
	if (!len)
		return false;
	sim_net_send(world->net, from, buf, len, world->now);
	return true;
}
