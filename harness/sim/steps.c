/* steps.c - what steps do when time is virtual: the same as in harness/step_*.c, with conditions
 * that are looked at after every event instead of waiting.
 *
 * Not here: everything that runs programs in a node. */
#include "harness/sim/steps.h"
#include "harness/sim/stream.h"
#include "harness/stream.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WITHIN_MS  30000 /* unless the step says otherwise, as in step_peer.c */
#define STOP_MS	   2000	 /* as beetd waits for its peers */
#define PING_MS	   1000
#define PING_SIZE  56
#define UDP_COUNT  100
#define UDP_SIZE   1000
#define UDP_EVERY  (5 * LINK_MS)
#define UDP_LINGER (2 * LINK_S)
#define TCP_OCTETS 1048576
#define TCP_MS	   300000
#define FINISH_MS  120000

const char *sim_step_missing(const struct sc_step *step)
{
	switch (step->kind) {
	case STEP_TRAFFIC:
		return step->protocol == STREAM_FLOOD ? "floods" : NULL;
	case STEP_FINISH:
		return step->protocol == STREAM_UDP && step->pause_ms ? "pauses of datagrams"
								      : NULL;
	case STEP_SHELL:
	case STEP_BACKGROUND:
		return "programs in a node";
	case STEP_LISTED:
		return "list-sas";
	case STEP_NETWORK:
		return "changes of a node's network";
	case STEP_MEMORY:
		return "a daemon's memory";
	case STEP_PAUSE:
	case STEP_RESUME:
		return "a daemon's pause";
	case STEP_CLOCK:
		return "a clock that is set";
	case STEP_DISK:
		return "a full disk";
	case STEP_WAIT:
		return step->run ? "programs in a node" : NULL;
	default:
		return NULL;
	}
}

static int64_t until(const struct sim_world *world, unsigned ms, unsigned otherwise)
{
	return world->now + (ms ? ms : otherwise) * LINK_MS;
}

/* --- daemons --- */

static bool all_gone(struct sim_world *world, void *arg)
{
	struct ike_sa_info sa;

	(void)world;
	return !node_ike_sa(sim_end_node(arg), 0, &sa);
}

static int stop(struct sim_world *world, struct sim_end *end)
{
	if (!sim_end_is_running(end))
		return 0;
	sim_end_stop(end, world->now);
	sim_world_run(world, world->now + STOP_MS * LINK_MS, all_gone, end);
	sim_end_kill(end);
	return 0;
}

static int one_node(struct sim_world *world, const struct sc_step *step, struct sim_end *end,
		    struct err_msg *msg)
{
	int err = 0;

	switch (step->kind) {
	case STEP_START:
		return sim_end_start(end, world->now, msg);
	case STEP_LOAD:
		return sim_end_load(end, world->now, msg);
	case STEP_STOP:
		return stop(world, end);
	case STEP_KILL:
		sim_end_kill(end);
		return 0;
	default:
		err = stop(world, end);
		if (err == 0)
			err = sim_end_start(end, world->now, msg);
		return err < 0 ? err : sim_end_load(end, world->now, msg);
	}
}

static int at_nodes(struct sim_world *world, const struct sc_step *step, struct err_msg *msg)
{
	size_t i;
	int err = 0;

	for (i = 0; i < step->nodes.count && err == 0; i++)
		err = one_node(world, step, sim_world_end(world, step->nodes.items[i]), msg);
	return err;
}

struct answer {
	struct sim_end *end;
	struct err_msg *msg;
	int err;
};

static bool is_answered(struct sim_world *world, void *arg)
{
	struct answer *a = arg;

	(void)world;
	a->err = sim_end_answered(a->end, a->msg);
	return a->err != ERR_AGAIN;
}

static int command(struct sim_world *world, const char *node, const char *name, const char *text,
		   unsigned within_ms, struct err_msg *msg)
{
	struct answer a = {sim_world_end(world, node), msg, ERR_AGAIN};
	int err = sim_end_command(a.end, name, text, world->now, msg);

	if (err < 0)
		return err;
	if (!sim_world_run(world, until(world, within_ms, WITHIN_MS), is_answered, &a))
		return err_set(msg, ERR_AGAIN, "no answer to %s within %u s", name,
			       (within_ms ? within_ms : WITHIN_MS) / 1000);
	return a.err;
}

static int initiate(struct sim_world *world, const struct sc_step *step, struct err_msg *msg)
{
	char text[160];

	snprintf(text, sizeof(text), "child = %s%s", step->child,
		 step->detached ? "\ntimeout = -1" : "");
	return command(world, step->node, "initiate", text, step->within_ms, msg);
}

static int terminate(struct sim_world *world, const struct sc_step *step, struct err_msg *msg)
{
	char text[160];

	snprintf(text, sizeof(text), "%s = %s%s", step->child ? "child" : "ike",
		 step->child ? step->child : step->ike, step->force ? "\nforce = yes" : "");
	return command(world, step->node, "terminate", text, step->within_ms, msg);
}

/* Changes when the SAs that a rekeying means are others than before. */
static uint64_t which_sas(const struct sim_end *end, const struct sc_step *step)
{
	struct child_sa_info child;
	struct ike_sa_info sa;
	uint64_t sum = 0;
	size_t i, k;

	for (i = 0; sim_end_node(end) && node_ike_sa(sim_end_node(end), i, &sa); i++) {
		if (step->ike) {
			sum = sum * 31 + sa.spi_i;
			continue;
		}
		for (k = 0; node_child_sa(sim_end_node(end), sa.id, k, &child); k++)
			if (strcmp(child.cfg->name, step->child) == 0)
				sum = sum * 31 + child.spi_in;
	}
	return sum;
}

static struct sim_asked *asked_at(const struct sim_world *world, const char *node)
{
	size_t i;

	for (i = 0; i < world->plan->endpoints_count; i++)
		if (world->ends[i] && strcmp(sim_end_name(world->ends[i]), node) == 0)
			return &world->asked[i];
	return NULL; /* nodes of steps were looked up when the scenario was read */
}

static int ask_to_rekey(struct sim_world *world, const struct sc_step *step, const char *node,
			struct err_msg *msg)
{
	char text[160];

	snprintf(text, sizeof(text), "%s = %s", step->child ? "child" : "ike",
		 step->child ? step->child : step->ike);
	*asked_at(world, node) =
	    (struct sim_asked){step, which_sas(sim_world_end(world, node), step)};
	return command(world, node, "rekey", text, step->within_ms, msg);
}

/* The SA is another one, and all have let the old one go. */
static bool is_rekeyed(struct sim_world *world, const char *node, char *why, size_t cap)
{
	const struct sim_asked *asked = asked_at(world, node);

	snprintf(why, cap, "rekeyed: the SA is the one it was");
	return asked->step && which_sas(sim_world_end(world, node), asked->step) != asked->before &&
	       rules_at_rest(&world->rules, world->now, why, cap);
}

struct turn {
	const char *node;
};

static bool turn_is_over(struct sim_world *world, void *arg)
{
	const struct turn *turn = arg;
	char why[256];

	return is_rekeyed(world, turn->node, why, sizeof(why));
}

static int take_turn(struct sim_world *world, const struct sc_step *step, const char *node,
		     struct err_msg *msg)
{
	struct turn turn = {node};
	int err = ask_to_rekey(world, step, node, msg);

	sim_world_run(world, world->now + LINK_MS, NULL, NULL);
	if (err < 0)
		return err;
	return sim_world_run(world, until(world, step->within_ms, WITHIN_MS), turn_is_over, &turn)
		   ? 0
		   : err_set(msg, ERR_AGAIN, "the rekeying at %s did not settle", node);
}

static int rekey(struct sim_world *world, const struct sc_step *step, struct err_msg *msg)
{
	unsigned times = step->count ? step->count : 1, i;
	int err = 0;

	for (i = 0; step->detached && i < step->nodes.count && err == 0; i++)
		err = ask_to_rekey(world, step, step->nodes.items[i], msg);
	for (i = 0; !step->detached && i < times && err == 0; i++) {
		err = take_turn(world, step, step->nodes.items[i % step->nodes.count], msg);
		sim_world_run(world, world->now + step->every_ms * LINK_MS, NULL, NULL);
	}
	return err;
}

struct condition {
	const struct sc_step *step;
	struct sim_end *end;
	unsigned count;
	char why[256];
};

static unsigned count_sas(const struct sim_end *end)
{
	struct ike_sa_info sa;
	unsigned n = 0;

	while (sim_end_node(end) && node_ike_sa(sim_end_node(end), n, &sa))
		n++;
	return n;
}

static bool holds(struct sim_world *world, void *arg)
{
	struct condition *c = arg;

	if (c->step->rekeyed)
		return is_rekeyed(world, c->step->node, c->why, sizeof(c->why));
	if (c->step->settled) {
		c->count = rules_children(c->end);
		return c->count == 1 &&
		       rules_at_rest(&world->rules, world->now, c->why, sizeof(c->why));
	}
	if (c->step->event) {
		c->count = sim_end_events(c->end, c->step->event);
		return c->count > 0;
	}
	if (c->step->children >= 0) {
		c->count = rules_children(c->end);
		return c->count == (unsigned)c->step->children;
	}
	c->count = count_sas(c->end);
	return c->count == (unsigned)c->step->sas;
}

static int wait_for(struct sim_world *world, const struct sc_step *step, struct err_msg *msg)
{
	struct condition c = {step, sim_world_end(world, step->node), 0, ""};

	if (sim_world_run(world, until(world, step->within_ms, WITHIN_MS), holds, &c))
		return 0;
	return err_set(msg, ERR_AGAIN, "%s: still %u %s", step->node, c.count, c.why);
}

/* --- traffic --- */

static bool echo_is_there(struct sim_world *world, void *arg)
{
	(void)arg;
	return world->echo_answered;
}

static int ping(struct sim_world *world, const struct sc_step *step, struct err_msg *msg)
{
	int64_t end = until(world, step->within_ms, step->expect == EXPECT_FAIL ? 2000 : WITHIN_MS);
	size_t from = sim_world_node(world, step->from);
	unsigned left = step->count ? step->count : 1;
	struct ip_addr to;

	ip_addr_parse(step->address, &to);
	while (left > 0 && world->now < end && !world->rules.broken[0]) {
		if (!sim_world_ping(world, from, &to, step->size ? step->size : PING_SIZE))
			return err_set(msg, ERR_STATE, "no way to %s", step->address);
		left -= sim_world_run(world, world->now + PING_MS * LINK_MS, echo_is_there, NULL);
	}
	return left ? err_set(msg, ERR_AGAIN, "no answer from %s", step->address) : 0;
}

static int udp(struct sim_world *world, const struct sc_step *step, struct err_msg *msg)
{
	unsigned count = step->count ? step->count : UDP_COUNT, i, arrived = 0;
	size_t from = sim_world_node(world, step->from);
	uint64_t first = world->probes.count;
	struct ip_addr to;

	ip_addr_parse(step->address, &to);
	for (i = 0; i < count; i++) {
		sim_world_probe(world, from, &to, step->size ? step->size : UDP_SIZE);
		sim_world_run(world, world->now + UDP_EVERY, NULL, NULL);
	}
	sim_world_run(world, world->now + UDP_LINGER, NULL, NULL);
	for (i = 0; i < count; i++)
		arrived += probe_was_delivered(&world->probes, first + i);
	if (arrived < count * (1.0 - step->lost))
		return err_set(msg, ERR_STATE, "%u of %u datagrams arrived", arrived, count);
	return 0;
}

static int tcp(struct sim_world *world, const struct sc_step *step, struct err_msg *msg)
{
	struct sc_step sized = *step;
	int err;

	sized.octets = step->octets ? step->octets : TCP_OCTETS;
	err = sim_stream_start(world, &sized, msg);
	if (err < 0)
		return err;
	return sim_stream_finish(world, sim_stream_find(world, NULL), step,
				 until(world, step->within_ms, TCP_MS), msg);
}

static int finish(struct sim_world *world, const struct sc_step *step, struct err_msg *msg)
{
	struct sim_stream *stream = sim_stream_find(world, step->name);

	if (!stream)
		return err_set(msg, ERR_NOT_FOUND, "no traffic '%s'", step->name);
	return sim_stream_finish(world, stream, step, until(world, step->within_ms, FINISH_MS),
				 msg);
}

/* --- faults --- */

static int start_flows(struct sim_world *world, const struct sc_step *step, struct err_msg *msg)
{
	const struct sc_flow *flows = step->faults.flows.items;
	size_t i, count = step->faults.flows.count;

	free(world->flows);
	world->flows_count = 0;
	world->flows = calloc(count + 1, sizeof(*world->flows));
	if (!world->flows)
		return err_set(msg, ERR_NOMEM, "out of memory");
	for (i = 0; i < count; i++) {
		struct sim_flow *flow = &world->flows[i];

		*flow = (struct sim_flow){.sc = &flows[i],
					  .from = sim_world_node(world, flows[i].from),
					  .next = world->now};
		ip_addr_parse(flows[i].address, &flow->address);
	}
	world->flows_count = count;
	return 0;
}

/* What the calm must bring: traffic in every flow, agreement, the right number of children. */
struct calm {
	const struct sc_step *step;
	uint64_t since; /* probes sent before are no proof */
	char why[256];
};

static bool flow_is_back(const struct sim_world *world, const struct sim_flow *flow, uint64_t since)
{
	uint64_t number;

	/* numbers of all flows are one sequence: any of the last few will do */
	for (number = flow->last; number >= since && number + 64 > flow->last; number--) {
		if (probe_was_delivered(&world->probes, number))
			return true;
		if (number == 0)
			break;
	}
	return false;
}

static bool children_are_right(const struct sim_world *world, const struct sc_step *step, char *why,
			       size_t cap)
{
	const struct sc_range *want = &step->faults.children;
	size_t i;

	for (i = 0; want->hi && i < world->plan->endpoints_count; i++) {
		unsigned n = rules_children(world->ends[i]);

		if (n >= want->lo && n <= want->hi)
			continue;
		snprintf(why, cap, "%s has %u children", sim_end_name(world->ends[i]), n);
		return false;
	}
	return true;
}

static bool is_calm(struct sim_world *world, void *arg)
{
	struct calm *c = arg;
	size_t i;

	if (!rules_at_rest(&world->rules, world->now, c->why, sizeof(c->why)) ||
	    !children_are_right(world, c->step, c->why, sizeof(c->why)))
		return false;
	for (i = 0; i < world->flows_count; i++) {
		const struct sim_flow *flow = &world->flows[i];

		if (flow_is_back(world, flow, c->since))
			continue;
		snprintf(c->why, sizeof(c->why), "nothing arrives from %s at %s", flow->sc->from,
			 flow->sc->to);
		return false;
	}
	return true;
}

/* How long a tunnel takes to come back is the step's to say; that it stays is looked at, too. */
#define STAY (20 * LINK_S)

static int one_round(struct sim_world *world, const struct sc_step *step, unsigned round,
		     struct err_msg *msg)
{
	struct calm c = {.step = step};
	int64_t end, latest;
	int err = sim_faults_plan(world, step, round, &end, msg);

	if (err < 0)
		return err;
	sim_world_run(world, end, NULL, NULL);
	c.since = world->probes.count;
	latest = world->now + step->faults.calm_ms * LINK_MS;
	if (!sim_world_run(world, latest, is_calm, &c))
		goto not_calm;
	sim_world_run(world, world->now + STAY, NULL, NULL);
	c.since = world->probes.count;
	if (sim_world_run(world, latest + 2 * STAY, is_calm, &c))
		return 0;
not_calm:
	return world->rules.broken[0]
		   ? ERR_STATE
		   : err_set(msg, ERR_STATE, "no calm %u s after the last fault: %s",
			     step->faults.calm_ms / 1000, c.why);
}

static int faults(struct sim_world *world, const struct sc_step *step, struct err_msg *msg)
{
	unsigned rounds = step->faults.rounds ? step->faults.rounds : 1, i;
	int err = start_flows(world, step, msg);

	world->rules.sas_max = step->faults.sas;
	for (i = 0; i < rounds && err == 0; i++)
		err = one_round(world, step, i, msg);
	world->rules.sas_max = 0;
	world->flows_count = 0;
	sim_world_run(world, world->now + UDP_LINGER, NULL, NULL);
	return err;
}

/* --- all --- */

static int nat_reboot(struct sim_world *world, const struct sc_step *step, struct err_msg *msg)
{
	struct nat_model *nat = sim_net_nat(world->net, sim_world_node(world, step->node));

	if (!nat)
		return err_set(msg, ERR_STATE, "%s is no NAT box", step->node);
	nat_model_reboot(nat);
	return 0;
}

static int release(struct sim_world *world, const struct sc_step *step, struct err_msg *msg)
{
	unsigned released = 0;
	int err = sim_wire_release(sim_net_find_wire(world->net, step->wire), step->name,
				   world->now, &released);

	if (err == 0 && released == 0)
		err = err_set(msg, ERR_STATE, "nothing was held");
	return err;
}

static int idle(struct sim_world *world, const struct sc_step *step)
{
	sim_world_run(world, world->now + step->within_ms * LINK_MS, NULL, NULL);
	return 0;
}

static int dispatch(struct sim_world *world, const struct sc_step *step, struct err_msg *msg)
{
	switch (step->kind) {
	case STEP_INITIATE:
		return initiate(world, step, msg);
	case STEP_TERMINATE:
		return terminate(world, step, msg);
	case STEP_PING:
		return ping(world, step, msg);
	case STEP_UDP:
		return udp(world, step, msg);
	case STEP_TCP:
		return tcp(world, step, msg);
	case STEP_TRAFFIC:
		return sim_stream_start(world, step, msg);
	case STEP_FINISH:
		return finish(world, step, msg);
	case STEP_WAIT:
		return wait_for(world, step, msg);
	case STEP_NAT_REBOOT:
		return nat_reboot(world, step, msg);
	case STEP_IMPAIR:
		return sim_wire_impair(sim_net_find_wire(world->net, step->wire), &step->impairment,
				       world->now, msg);
	case STEP_REKEY:
		return rekey(world, step, msg);
	case STEP_RELEASE:
		return release(world, step, msg);
	case STEP_IDLE:
		return idle(world, step);
	case STEP_FAULTS:
		return faults(world, step, msg);
	default:
		return at_nodes(world, step, msg);
	}
}

int sim_step_run(struct sim_world *world, const struct sc_step *step, struct err_msg *msg)
{
	const char *missing = sim_step_missing(step);
	int err =
	    missing ? err_set(msg, ERR_UNSUPPORTED, "%s", missing) : dispatch(world, step, msg);

	if (world->rules.broken[0])
		return err_set(msg, ERR_STATE, "at %.6f s: %s",
			       (double)world->rules.broken_at / (double)LINK_S,
			       world->rules.broken);
	if (step->expect != EXPECT_FAIL || err == ERR_UNSUPPORTED)
		return err;
	return err < 0 ? 0 : err_set(msg, ERR_STATE, "it succeeded, and must not");
}
