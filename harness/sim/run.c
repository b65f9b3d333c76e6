/* run.c - opens a world, carries out the steps, looks at what is left, closes it. */
#include "harness/sim/run.h"
#include "harness/sim/steps.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sim_outcome_free(struct sim_outcome *outcome)
{
	free(outcome->fates);
	free(outcome->faults);
	*outcome = (struct sim_outcome){.fates = NULL};
}

static void set_verdict(struct sim_outcome *o, enum sim_verdict verdict, const char *why)
{
	o->verdict = verdict;
	snprintf(o->why, sizeof(o->why), "%s", why);
}

static void run_steps(struct sim_world *world, struct sim_outcome *o)
{
	const struct item_list *list = &world->plan->scenario->steps;
	const struct sc_step *steps = list->items;
	char text[256], why[700];
	struct err_msg msg;
	size_t i;
	int err;

	for (i = 0; i < list->count; i++) {
		msg.text[0] = 0;
		err = sim_step_run(world, &steps[i], &msg);
		if (err == 0)
			continue;
		step_describe(&steps[i], text, sizeof(text));
		snprintf(why, sizeof(why), "line %u: %.160s: %s", steps[i].line, text,
			 msg.text[0] ? msg.text : err_text(err));
		set_verdict(o, err == ERR_UNSUPPORTED ? SIM_UNSUPPORTED : SIM_FAIL, why);
		return;
	}
}

static int keep_fates(const struct sim_world *world, struct sim_outcome *o)
{
	const struct sim_fate *fates;
	struct sim_fate *grown;
	size_t i, n;

	for (i = 0; i < sim_net_wires(world->net); i++) {
		fates = sim_wire_fates(sim_net_wire(world->net, i), &n);
		grown = realloc(o->fates, (o->fates_count + n + 1) * sizeof(*grown));
		if (!grown)
			return ERR_NOMEM;
		if (n)
			memcpy(grown + o->fates_count, fates, n * sizeof(*fates));
		o->fates = grown;
		o->fates_count += n;
	}
	return 0;
}

static int keep_faults(const struct sim_world *world, struct sim_outcome *o)
{
	size_t i;

	o->faults = calloc(world->faults.count + 1, sizeof(*o->faults));
	if (!o->faults)
		return ERR_NOMEM;
	o->faults_count = world->faults.count;
	for (i = 0; i < world->faults.count; i++)
		sim_fault_describe(&world->faults.list[i], o->faults[i], sizeof(o->faults[i]));
	return 0;
}

static void look(const struct sim_world *world, struct sim_outcome *o)
{
	o->seconds = (double)world->now / (double)LINK_S;
	o->probes = world->probes.count;
	o->delivered = world->probes.delivered;
	o->seals = world->rules.seals;
	o->ike_messages = world->rules.ike_messages;
	o->installs = world->rules.installs;
	memcpy(o->happened, world->faults.happened, sizeof(o->happened));
}

void sim_run(const struct plan *plan, const struct sim_world_options *options, bool keep_schedule,
	     struct sim_outcome *ret_outcome)
{
	const struct sc_step *steps = plan->scenario->steps.items;
	struct sim_outcome o = {.verdict = SIM_PASS};
	struct sim_world *world;
	struct err_msg msg = {{0}};
	size_t i;
	int err = 0;

	*ret_outcome = o;
	for (i = 0; i < plan->scenario->steps.count; i++) {
		if (!sim_step_missing(&steps[i]))
			continue;
		set_verdict(ret_outcome, SIM_UNSUPPORTED, sim_step_missing(&steps[i]));
		return;
	}
	err = sim_world_open(plan, options, &world, &msg);
	if (err < 0) {
		set_verdict(ret_outcome, err == ERR_UNSUPPORTED ? SIM_UNSUPPORTED : SIM_ERROR,
			    msg.text);
		return;
	}
	run_steps(world, &o);
	look(world, &o);
	if (keep_schedule && (keep_fates(world, &o) < 0 || keep_faults(world, &o) < 0))
		set_verdict(&o, SIM_ERROR, "out of memory");
	if (sim_world_close_captures(world, &msg) < 0)
		set_verdict(&o, SIM_ERROR, msg.text);
	sim_world_close(world);
	*ret_outcome = o;
}
