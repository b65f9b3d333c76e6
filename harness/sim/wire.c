/* wire.c - two link models (netns/link_model.h) make a cable; here they get parameters, a seed,
 * captures, and a memory of what chance did.
 *
 * A plain cable takes CABLE_DELAY, so that cause and effect never stand at the same time in a
 * capture. Captures are those of the netns world: one of a plain cable, as its end a sees it, two
 * of an impaired one; packets are captured as their sender sent them and as they got out. They hold
 * IP packets without Ethernet headers (LINKTYPE_RAW).
 *
 * What chance does to packets is remembered as fates, so that a failing run can be repeated without
 * chance, and then made smaller (shrink.h). A jittered delay is no fate: while fates are replayed,
 * every packet takes the plain delay.
 *
 * Ownership: the wire has its models, captures and fates. */
#include "harness/sim/wire.h"
#include "harness/sim/clock.h"
#include "harness/wires.h"
#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#define CABLE_DELAY (50 * LINK_US)
#define MTU_DEFAULT 1500

struct sim_wire {
	struct sim_wire_spec spec;
	struct link_model *models[2];
	pcap_t *format;
	pcap_dumper_t *captures[2];
	struct sim_fate *fates;
	size_t fates_count, fates_cap;
	bool replays;
	struct link_params params[2]; /* of packets that each side sends */
	bool down;
};

static struct link_params params_of(const struct sim_wire *wire,
				    const struct sc_impairment *impairment, unsigned side)
{
	const struct topo_link *link = wire->spec.link;
	struct link_params p =
	    link_params_of(treatment_towards(impairment, side ? link->a.node : link->b.node));
	unsigned mtu = link->mtu ? link->mtu : MTU_DEFAULT;

	if (p.mtu == 0 || p.mtu > mtu) {
		p.mtu = mtu;
		p.icmp = LINK_ICMP_DELIVERED;
	}
	if (p.delay < CABLE_DELAY)
		p.delay = CABLE_DELAY;
	if (wire->replays) {
		p.loss = p.corrupt = p.duplicate = p.reorder = 0;
		p.burst = (struct link_burst){0};
		p.jitter = 0;
	}
	p.down = wire->down;
	return p;
}

static void note_fate(struct sim_wire *wire, unsigned side, uint64_t number, enum link_act act)
{
	size_t cap = wire->fates_cap ? 2 * wire->fates_cap : 64;
	struct sim_fate *grown = wire->fates;

	if (wire->replays)
		return;
	if (wire->fates_count == wire->fates_cap) {
		grown = realloc(wire->fates, cap * sizeof(*grown));
		if (!grown)
			return;
		wire->fates = grown;
		wire->fates_cap = cap;
	}
	grown[wire->fates_count++] = (struct sim_fate){wire->spec.plan->name, side, number, act};
}

static void on_drop(void *arg, const struct link_record *record)
{
	struct sim_wire *wire = arg;

	if (record->reason == LINK_LOSS || record->reason == LINK_BURST)
		note_fate(wire, record->dir == LINK_BA, record->number, LINK_ACT_DROP);
}

static void note_delivery(struct sim_wire *wire, unsigned dir, const struct link_record *record)
{
	if (record->copy > 0)
		note_fate(wire, dir, record->number, LINK_ACT_DUPLICATE);
	if (record->did & LINK_DID_CORRUPT)
		note_fate(wire, dir, record->number, LINK_ACT_CORRUPT);
	if (record->did & LINK_DID_REORDER)
		note_fate(wire, dir, record->number, LINK_ACT_REORDER);
}

/* --- aims --- */

/* An aim without `to` is two, each with its own count; one that is not for this direction none. */
static bool is_for(const struct sim_wire *wire, const struct sc_aim *aim, unsigned side)
{
	const struct topo_link *link = wire->spec.link;

	return !aim->to || strcmp(aim->to, side ? link->a.node : link->b.node) == 0;
}

static int arm(struct sim_wire *wire, const struct item_list *list, int64_t now,
	       struct err_msg *msg)
{
	struct sc_aim *aims = list->items;
	unsigned side;
	size_t i;
	int err = 0;

	for (i = 0; i < list->count; i++) {
		for (side = 0; side < 2 && err == 0; side++) {
			struct link_aim aim = aim_arm(&aims[i]);

			if (!is_for(wire, &aims[i], side))
				continue;
			aim.from += now;
			aim.until += aim.until ? now : 0;
			err = link_model_aim(wire->models[side], &aim, msg);
		}
	}
	return err;
}

int sim_wire_release(struct sim_wire *wire, const char *aim, int64_t now, unsigned *ret_released)
{
	unsigned one, other = 0;
	int err = link_model_release(wire->models[0], aim, now, &one);

	if (err == 0)
		err = link_model_release(wire->models[1], aim, now, &other);
	if (err == 0)
		*ret_released = one + other;
	return err;
}

int sim_wire_new(const struct sim_wire_spec *spec, struct sim_wire **ret_wire, struct err_msg *msg)
{
	struct sim_wire *wire = calloc(1, sizeof(*wire));
	unsigned side;
	int err = 0;

	if (!wire)
		return err_set(msg, ERR_NOMEM, "out of memory");
	wire->spec = *spec;
	for (side = 0; side < 2 && err == 0; side++) {
		struct link_model_spec model = {.dir = side ? LINK_BA : LINK_AB,
						.framing = LINK_RAW_IP,
						.seed = spec->seed,
						.on_drop = on_drop,
						.arg = wire};

		wire->params[side] = params_of(wire, &spec->plan->impairment, side);
		model.params = wire->params[side];
		err = link_model_new(&model, &wire->models[side], msg);
	}
	if (err == 0)
		err = arm(wire, &spec->plan->impairment.aims, 0, msg);
	if (err < 0)
		sim_wire_free(wire);
	else
		*ret_wire = wire;
	return err;
}

void sim_wire_free(struct sim_wire *wire)
{
	if (!wire)
		return;
	sim_wire_close_captures(wire, NULL);
	link_model_free(wire->models[0]);
	link_model_free(wire->models[1]);
	free(wire->fates);
	free(wire);
}

const struct plan_wire *sim_wire_plan(const struct sim_wire *wire)
{
	return wire->spec.plan;
}

/* --- captures --- */

int sim_wire_capture(struct sim_wire *wire, const char *dir, struct err_msg *msg)
{
	bool impaired = wire->spec.plan->impairment.is_set;
	unsigned side;
	char path[4096];

	wire->format =
	    pcap_open_dead_with_tstamp_precision(DLT_RAW, 65535, PCAP_TSTAMP_PRECISION_NANO);
	if (!wire->format)
		return err_set(msg, ERR_NOMEM, "out of memory");
	for (side = 0; side < (impaired ? 2 : 1); side++) {
		snprintf(path, sizeof(path), "%s/%s%s.pcap", dir, wire->spec.plan->name,
			 !impaired ? ""
			 : side	   ? "-b"
				   : "-a");
		wire->captures[side] = pcap_dump_open(wire->format, path);
		if (!wire->captures[side])
			return err_set(msg, ERR_IO, "%s", pcap_geterr(wire->format));
	}
	return 0;
}

int sim_wire_close_captures(struct sim_wire *wire, struct err_msg *msg)
{
	unsigned side;
	int err = 0;

	for (side = 0; side < 2; side++) {
		if (!wire->captures[side])
			continue;
		if (pcap_dump_flush(wire->captures[side]) != 0)
			err = err_set(msg, ERR_IO, "capture: %s", strerror(errno));
		pcap_dump_close(wire->captures[side]);
		wire->captures[side] = NULL;
	}
	if (wire->format)
		pcap_close(wire->format);
	wire->format = NULL;
	return err;
}

static void capture(struct sim_wire *wire, unsigned side, const uint8_t *ip, size_t len,
		    int64_t now)
{
	const struct pcap_pkthdr header = {
	    .ts = {.tv_sec = SIM_EPOCH + now / LINK_S, .tv_usec = now % LINK_S},
	    .caplen = (bpf_u_int32)len,
	    .len = (bpf_u_int32)len};

	if (wire->captures[side])
		pcap_dump((u_char *)wire->captures[side], &header, ip);
}

/* --- packets --- */

int sim_wire_send(struct sim_wire *wire, unsigned side, const uint8_t *ip, size_t len, int64_t now)
{
	capture(wire, side, ip, len, now);
	return link_model_send(wire->models[side], ip, len, 0, now);
}

int64_t sim_wire_next(const struct sim_wire *wire)
{
	int64_t a = link_model_next(wire->models[0]), b = link_model_next(wire->models[1]);

	return a < b ? a : b;
}

bool sim_wire_pop(struct sim_wire *wire, int64_t now, unsigned *ret_side, const uint8_t **ret_ip,
		  size_t *ret_len)
{
	struct link_delivery delivery;
	unsigned dir;

	for (dir = 0; dir < 2; dir++) {
		if (!link_model_pop(wire->models[dir], now, &delivery))
			continue;
		note_delivery(wire, dir, &delivery.record);
		*ret_side = delivery.back ? dir : 1 - dir;
		*ret_ip = delivery.data;
		*ret_len = delivery.len;
		capture(wire, *ret_side, delivery.data, delivery.len, now);
		return true;
	}
	return false;
}

/* --- what it does --- */

static int apply(struct sim_wire *wire, struct err_msg *msg)
{
	int err = link_model_set(wire->models[0], &wire->params[0], msg);

	return err < 0 ? err : link_model_set(wire->models[1], &wire->params[1], msg);
}

int sim_wire_impair(struct sim_wire *wire, const struct sc_impairment *impairment, int64_t now,
		    struct err_msg *msg)
{
	const struct sc_impairment *now_on = impairment ? impairment : &wire->spec.plan->impairment;
	unsigned side;
	int err;

	for (side = 0; side < 2; side++)
		wire->params[side] = params_of(wire, now_on, side);
	err = apply(wire, msg);
	return err < 0 || !impairment ? err : arm(wire, &impairment->aims, now, msg);
}

void sim_wire_down(struct sim_wire *wire, bool down)
{
	wire->down = wire->params[0].down = wire->params[1].down = down;
	apply(wire, NULL);
}

void sim_wire_truth(const struct sim_wire *wire, struct wire_truth *ret_truth)
{
	struct wire_truth truth = {.name = wire->spec.plan->name};
	struct link_counters counters;
	unsigned side;

	for (side = 0; side < 2; side++) {
		link_model_counters(wire->models[side], &counters);
		wire_truth_add(&truth, &counters);
	}
	*ret_truth = truth;
}

/* --- fates --- */

const struct sim_fate *sim_wire_fates(const struct sim_wire *wire, size_t *ret_count)
{
	*ret_count = wire->fates_count;
	return wire->fates;
}

static int aim_at(struct sim_wire *wire, const struct sim_fate *fate, struct err_msg *msg)
{
	const struct link_aim aim = {
	    .name = "fate", .act = fate->act, .first = (unsigned)fate->number, .count = 1};

	return link_model_aim(wire->models[fate->side], &aim, msg);
}

int sim_wire_replay(struct sim_wire *wire, const struct sim_fate *fates, size_t count,
		    struct err_msg *msg)
{
	int err = 0;
	size_t i;

	wire->replays = true;
	for (i = 0; i < count && err == 0; i++)
		if (strcmp(fates[i].wire, wire->spec.plan->name) == 0)
			err = aim_at(wire, &fates[i], msg);
	return err < 0 ? err : sim_wire_impair(wire, NULL, 0, msg);
}
