/* wires.c - starts what carries and captures each wire of a plan.
 *
 * Each direction of an impaired wire has its own share of the seed, which is the run's seed and the
 * wire's place in the plan: the same seed gives the same fate to the same sequence of packets. */
#include "harness/wires.h"
#include "harness/files.h"
#include "netns/capture.h"
#include "netns/link_wire.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct world_wire {
	struct capture *capture;
	struct link_wire *impaired;
};

const struct sc_treatment *treatment_towards(const struct sc_impairment *impairment,
					     const char *node)
{
	const struct sc_towards *towards = impairment->towards.items;
	size_t i;

	for (i = 0; i < impairment->towards.count; i++)
		if (strcmp(towards[i].node, node) == 0)
			return &towards[i].treatment;
	return &impairment->both;
}

static enum link_icmp icmp_of(const struct sc_treatment *t)
{
	if (t->icmp_filtered)
		return LINK_ICMP_FILTERED;
	return t->icmp_per_second ? LINK_ICMP_LIMITED : LINK_ICMP_DELIVERED;
}

struct link_params link_params_of(const struct sc_treatment *t)
{
	return (struct link_params){
	    .loss = t->loss,
	    .burst = {.to_bad = t->burst.begins,
		      .to_good = t->burst.ends,
		      .loss_bad = t->burst.loss},
	    .corrupt = t->corrupt,
	    .duplicate = t->duplicate,
	    .reorder = t->reorder,
	    .delay = t->delay_ms * LINK_MS,
	    .jitter = t->jitter_ms * LINK_MS,
	    .jitter_reorders = t->jitter_reorders,
	    .rate = t->rate * 8,
	    .queue_packets = t->queue,
	    .mtu = t->mtu,
	    .icmp = icmp_of(t),
	    .icmp_per_second = t->icmp_per_second,
	    .drop_fragments = t->fragments_dropped,
	};
}

/* An aim without `to` is two, each with its own count; one that is not for this direction none. */
static bool is_for(const struct sc_aim *aim, const struct topo_link *link, enum link_dir dir)
{
	return !aim->to || strcmp(aim->to, dir == LINK_AB ? link->b.node : link->a.node) == 0;
}

static size_t arm_all(const struct item_list *list, const struct topo_link *link,
		      struct link_wire_aim *armed)
{
	struct sc_aim *aims = list->items;
	size_t i, count = 0;
	int dir;

	for (i = 0; i < list->count; i++)
		for (dir = LINK_AB; dir <= LINK_BA; dir++)
			if (is_for(&aims[i], link, (enum link_dir)dir))
				armed[count++] = (struct link_wire_aim){.dir = (enum link_dir)dir,
									.aim = aim_arm(&aims[i])};
	return count;
}

static int nat_spec_of(const struct plan *plan, const struct plan_wire *wire, size_t index,
		       struct nat_box_spec *ret_nat, struct err_msg *msg)
{
	int err = plan_nat_params(plan, wire->nat->name, &wire->nat->nat, &ret_nat->params, msg);

	if (err < 0)
		return err;
	ret_nat->params.seed = plan->seed * 1000003 + index;
	return topology_parse_prefix(wire->nat->nat.inside, &ret_nat->inside,
				     &ret_nat->inside_bits);
}

static int start_impaired(struct world *world, size_t index, const char *dir, struct err_msg *msg)
{
	const struct plan_wire *plan = &world->plan->wires[index];
	const struct topo_link *link = &world->plan->topology.links[plan->link];
	struct link_wire_aim *armed = calloc(plan->impairment.aims.count * 2 + 1, sizeof(*armed));
	struct link_wire_spec spec = {
	    .name = plan->name,
	    .a = link->a,
	    .b = link->b,
	    .dir = dir,
	    .seed = world->plan->seed * 1000003 + index,
	    .ab = link_params_of(treatment_towards(&plan->impairment, link->b.node)),
	    .ba = link_params_of(treatment_towards(&plan->impairment, link->a.node)),
	    .aims = armed,
	};
	struct nat_box_spec nat;
	int err;

	if (!armed)
		return err_set(msg, ERR_NOMEM, "out of memory");
	if (plan->nat) {
		err = nat_spec_of(world->plan, plan, index, &nat, msg);
		if (err < 0)
			goto out;
		spec.nat = &nat;
		spec.nat_at_b = strcmp(link->b.node, plan->nat->name) == 0;
	}
	spec.aims_count = arm_all(&plan->impairment.aims, link, armed);
	err = link_wire_start(world->net, &spec, &world->wires[index].impaired, msg);
out:
	free(armed);
	return err;
}

static int start_plain(struct world *world, size_t index, const char *dir, struct err_msg *msg)
{
	const struct plan_wire *plan = &world->plan->wires[index];
	const struct topo_link *link = &world->plan->topology.links[plan->link];
	char path[4096 + PLAN_NAME_MAX + 8];
	const struct capture_spec spec = {
	    .node = link->a.node, .ifname = link->a.ifname, .path = path};

	snprintf(path, sizeof(path), "%s/%s.pcap", dir, plan->name);
	return capture_start(world->net, &spec, &world->wires[index].capture, msg);
}

int wires_start(struct world *world, struct err_msg *msg)
{
	size_t i, count = world->plan->wires_count;
	char dir[4096];
	int err;

	world->wires = calloc(count + 1, sizeof(*world->wires));
	if (!world->wires)
		return err_set(msg, ERR_NOMEM, "out of memory");
	snprintf(dir, sizeof(dir), "%s/captures", world->dir);
	err = dir_make(dir, msg);
	for (i = 0; i < count && err == 0; i++)
		err = world->plan->wires[i].impairment.is_set ? start_impaired(world, i, dir, msg)
							      : start_plain(world, i, dir, msg);
	return err;
}

/* The wire's process has the scenario as it was read, so an aim's matcher is there. */
static int add_aims(struct world *world, const struct plan_wire *plan, struct link_wire *wire,
		    const struct sc_impairment *impairment, struct err_msg *msg)
{
	struct link_wire_aim *armed = calloc(impairment->aims.count * 2 + 1, sizeof(*armed));
	size_t i, count;
	int err = 0;

	if (!armed)
		return err_set(msg, ERR_NOMEM, "out of memory");
	count = arm_all(&impairment->aims, &world->plan->topology.links[plan->link], armed);
	for (i = 0; i < count && err == 0; i++)
		err = link_wire_aim(wire, armed[i].dir, &armed[i].aim, msg);
	free(armed);
	return err;
}

int wires_impair(struct world *world, const char *name, const struct sc_impairment *impairment,
		 struct err_msg *msg)
{
	const struct plan_wire *plan = plan_find_wire(world->plan, name);
	const struct topo_link *link = &world->plan->topology.links[plan->link];
	const struct link_params ab = link_params_of(treatment_towards(impairment, link->b.node)),
				 ba = link_params_of(treatment_towards(impairment, link->a.node));
	struct link_wire *wire = world->wires[plan - world->plan->wires].impaired;
	int err = link_wire_set(wire, LINK_AB, &ab, msg);

	if (err == 0)
		err = link_wire_set(wire, LINK_BA, &ba, msg);
	return err < 0 ? err : add_aims(world, plan, wire, impairment, msg);
}

bool wires_has_nat(const struct world *world, const char *node)
{
	size_t i;

	for (i = 0; i < world->plan->wires_count; i++)
		if (world->plan->wires[i].nat && strcmp(world->plan->wires[i].nat->name, node) == 0)
			return true;
	return false;
}

int wires_reboot_nat(struct world *world, const char *node, struct err_msg *msg)
{
	size_t i;
	int err = 0;

	for (i = 0; i < world->plan->wires_count && err == 0; i++)
		if (world->plan->wires[i].nat && strcmp(world->plan->wires[i].nat->name, node) == 0)
			err = link_wire_reboot_nat(world->wires[i].impaired, msg);
	return err;
}

int wires_release(struct world *world, const char *name, const char *aim, unsigned *ret_released,
		  struct err_msg *msg)
{
	const struct plan_wire *plan = plan_find_wire(world->plan, name);

	return link_wire_release(world->wires[plan - world->plan->wires].impaired, aim,
				 ret_released, msg);
}

void wire_truth_add(struct wire_truth *truth, const struct link_counters *c)
{
	truth->in += c->in;
	truth->delivered += c->delivered;
	truth->lost += c->dropped[LINK_LOSS] + c->dropped[LINK_BURST] + c->dropped[LINK_DOWN] +
		       c->dropped[LINK_QUEUE] + c->dropped[LINK_AIMED];
	truth->too_big += c->dropped[LINK_TOO_BIG];
	truth->duplicated += c->duplicates;
	truth->reordered += c->reordered;
	truth->corrupted += c->corrupted;
}

static int stop_one(struct world_wire *wire, struct wire_truth *truth, struct err_msg *msg)
{
	struct link_wire_state state = {.idle = 0};
	uint64_t count = 0;
	int err = 0;

	if (wire->capture)
		err = capture_stop(wire->capture, &count, msg);
	truth->in += count;
	truth->delivered += count;
	if (wire->impaired) {
		err = link_wire_stop(wire->impaired, &state, msg);
		wire_truth_add(truth, &state.dir[LINK_AB]);
		wire_truth_add(truth, &state.dir[LINK_BA]);
		truth->nat = state.nat;
	}
	*wire = (struct world_wire){NULL, NULL};
	return err;
}

int wires_stop(struct world *world, struct wire_truth *ret_truth, struct err_msg *msg)
{
	size_t i;
	int err = 0;

	for (i = 0; world->wires && i < world->plan->wires_count; i++) {
		struct wire_truth truth = {.name = world->plan->wires[i].name,
					   .has_nat = world->plan->wires[i].nat};
		/* All must end; the first failure is the one that is told. */
		int one = stop_one(&world->wires[i], &truth, err == 0 ? msg : NULL);

		if (err == 0)
			err = one;
		if (ret_truth)
			ret_truth[i] = truth;
	}
	free(world->wires);
	world->wires = NULL;
	return err;
}
