/* faults.c - draws the faults of a round and lets each begin and end.
 *
 * All draws are made for every item of the list, in its order, whether the item is left out later
 * or not: so the faults that stay in a smaller run are the very ones of the whole run.
 *
 * A fault that finds nothing to do (no SA to rekey, a daemon that is down already) is none. */
#include "harness/sim/faults.h"
#include "harness/sim/world.h"
#include "harness/sim/rng.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct moment {
	int64_t at;
	size_t fault;
	bool begins;
};

void sim_faults_free(struct sim_faults *faults)
{
	free(faults->list);
	free(faults->moments);
}

int64_t sim_faults_next(const struct sim_faults *faults)
{
	return faults->next < faults->moments_count ? faults->moments[faults->next].at : LINK_NEVER;
}

static bool has_end(const struct sim_fault *f)
{
	return f->until > f->at;
}

const char *sim_fault_describe(const struct sim_fault *f, char *buf, size_t cap)
{
	char what[128] = "", length[48] = "";

	if (f->sc->kind == FAULT_IMPAIR)
		impairment_describe(&f->impairment, what, sizeof(what));
	if (has_end(f))
		snprintf(length, sizeof(length), " for %.3f s",
			 (double)(f->until - f->at) / (double)LINK_S);
	snprintf(buf, cap, "%.6f s: %s %s %s%s%s%s", (double)f->at / (double)LINK_S,
		 fault_kind_name((enum fault_kind)f->sc->kind), f->node ? "at" : "of",
		 f->node ? f->node : f->sc->wire, length, what[0] ? ": " : "", what);
	return buf;
}

/* --- planning --- */

static bool is_kept(const struct sim_replay *replay, unsigned number)
{
	return !replay || (number <= replay->keep_count && replay->keep[number - 1]);
}

static int add(struct sim_faults *faults, const struct sim_fault *fault)
{
	struct sim_fault *grown = realloc(faults->list, (faults->count + 1) * sizeof(*grown));

	if (!grown)
		return ERR_NOMEM;
	faults->list = grown;
	grown[faults->count] = *fault;
	grown[faults->count].number = (unsigned)faults->count + 1;
	faults->count++;
	return 0;
}

static int64_t draw_ms(struct sim_rng *rng, const struct sc_range *ms)
{
	return sim_rng_between(rng, ms->lo * 1000, (int64_t)ms->hi * 1000) * LINK_US;
}

/* Something between nothing and what the scenario names of both directions; what it names of one is
 * as it says. */
static struct sc_impairment draw_impairment(struct sim_rng *rng, const struct sc_impairment *most)
{
	double share = (double)sim_rng_between(rng, 1, 1000) / 1000.0;
	struct sc_impairment some = *most;

	some.both.loss *= share;
	some.both.burst.begins *= share;
	some.both.corrupt *= share;
	some.both.duplicate *= share;
	some.both.reorder *= share;
	some.both.delay_ms = (unsigned)(most->both.delay_ms * share);
	some.both.jitter_ms = (unsigned)(most->both.jitter_ms * share);
	return some;
}

/* At one node of several, or at all of them almost together. */
static int draw_fault(struct sim_faults *faults, struct sim_rng *rng, const struct sc_fault *sc,
		      int64_t from, int64_t until)
{
	struct sim_fault f = {.sc = sc, .at = sim_rng_between(rng, from, until)};
	size_t one = sc->nodes.count ? sim_rng_next(rng) % sc->nodes.count : 0, i;
	bool together = sc->together_ms.hi > 0;
	int64_t first = f.at;
	int err = 0;

	f.impairment = draw_impairment(rng, &sc->to);
	f.until = f.at + draw_ms(rng, &sc->lasts_ms);
	if (sc->nodes.count == 0)
		return add(faults, &f);
	for (i = 0; i < sc->nodes.count && err == 0; i++) {
		int64_t apart = draw_ms(rng, &sc->together_ms);

		if (!together && i != one)
			continue;
		f.node = sc->nodes.items[i];
		f.at = i && together ? first + apart : first;
		err = add(faults, &f);
	}
	return err;
}

static int compare(const void *a, const void *b)
{
	const struct moment *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	if (x->fault != y->fault)
		return x->fault < y->fault ? -1 : 1;
	return y->begins - x->begins;
}

static int make_moments(struct sim_faults *faults, size_t first)
{
	struct moment *m = calloc(2 * (faults->count - first) + 1, sizeof(*m));
	size_t i, n = 0;

	if (!m)
		return ERR_NOMEM;
	for (i = first; i < faults->count; i++) {
		const struct sim_fault *f = &faults->list[i];

		if (!is_kept(faults->replay, f->number))
			continue;
		m[n++] = (struct moment){f->at, i, true};
		if (has_end(f))
			m[n++] = (struct moment){f->until, i, false};
	}
	qsort(m, n, sizeof(*m), compare);
	free(faults->moments);
	faults->moments = m;
	faults->moments_count = n;
	faults->next = 0;
	return 0;
}

int sim_faults_plan(struct sim_world *world, const struct sc_step *step, unsigned round,
		    int64_t *ret_end, struct err_msg *msg)
{
	struct sim_rng rng =
	    sim_rng_init(world->plan->seed, SIM_RNG_FAULTS, step->line * 100000 + round);
	const struct sc_fault *kinds = step->faults.of.items;
	size_t first = world->faults.count, i;
	int64_t from = world->now, until = from + step->faults.for_ms * LINK_MS, n;
	int err = 0;

	for (i = 0; i < step->faults.of.count; i++) {
		n = sim_rng_between(&rng, kinds[i].count.lo, kinds[i].count.hi);
		while (n-- > 0 && err == 0)
			err = draw_fault(&world->faults, &rng, &kinds[i], from, until);
	}
	if (err == 0)
		err = make_moments(&world->faults, first);
	if (err < 0)
		return err_set(msg, err, "%s", err_text(err));
	*ret_end = until;
	for (i = first; i < world->faults.count; i++)
		if (world->faults.list[i].until > *ret_end)
			*ret_end = world->faults.list[i].until;
	return 0;
}

/* --- happening --- */

static bool on_wire(struct sim_world *world, const struct sim_fault *f, bool begins)
{
	struct sim_wire *wire = sim_net_find_wire(world->net, f->sc->wire);

	if (f->sc->kind == FAULT_OUTAGE)
		sim_wire_down(wire, begins);
	else
		sim_wire_impair(wire, begins ? &f->impairment : NULL, world->now, NULL);
	return true;
}

static bool kill_or_start(struct sim_world *world, struct sim_end *end, bool begins)
{
	struct err_msg msg;

	if (begins == !sim_end_is_running(end))
		return false;
	if (begins) {
		sim_end_kill(end);
		return true;
	}
	if (sim_end_start(end, world->now, &msg) < 0 || sim_end_load(end, world->now, &msg) < 0)
		rules_break(&world->rules, "%s cannot be started again: %s", sim_end_name(end),
			    msg.text);
	return true;
}

/* The answer is not waited for: what the command comes to is seen at rest. */
static bool command(struct sim_world *world, struct sim_end *end, const char *name, const char *key,
		    const char *value)
{
	char text[160];
	struct err_msg msg;

	if (!sim_end_is_running(end))
		return false;
	snprintf(text, sizeof(text), "%s = %s\ntimeout = -1", key, value);
	return sim_end_command(end, name, text, world->now, &msg) == 0;
}

/* True while the termination that was asked for is still under way. */
static bool is_ending(const struct sim_end *end)
{
	struct ike_sa_info sa;

	return sim_end_is_running(end) && node_ike_sa(sim_end_node(end), 0, &sa) &&
	       (sa.state != IKE_ESTABLISHED || sa.tasks_active || sa.tasks_queued);
}

/* Of what is up already a second one would be made. */
static bool initiate(struct sim_world *world, struct sim_end *end, const char *child)
{
	struct ike_sa_info sa;

	if (!sim_end_is_running(end) || node_ike_sa(sim_end_node(end), 0, &sa))
		return false;
	return command(world, end, "initiate", "child", child);
}

static bool at_node(struct sim_world *world, const struct sim_fault *f, bool begins)
{
	struct sim_end *end = sim_world_end(world, f->node);
	struct nat_model *nat;

	switch (f->sc->kind) {
	case FAULT_NAT_REBOOT:
		nat = sim_net_nat(world->net, sim_world_node(world, f->node));
		if (nat)
			nat_model_reboot(nat);
		return nat != NULL;
	case FAULT_KILL:
		return kill_or_start(world, end, begins);
	case FAULT_REKEY_IKE:
		return command(world, end, "rekey", "ike", f->sc->ike);
	case FAULT_REKEY_CHILD:
		return command(world, end, "rekey", "child", f->sc->child);
	case FAULT_TERMINATE:
		return begins ? command(world, end, "terminate", "ike", f->sc->ike)
			      : initiate(world, end, f->sc->child);
	default:
		return initiate(world, end, f->sc->child);
	}
}

/* The end of a termination waits for the termination. */
static bool must_wait(struct sim_world *world, const struct moment *m)
{
	const struct sim_fault *f = &world->faults.list[m->fault];

	return !m->begins && f->sc->kind == FAULT_TERMINATE &&
	       is_ending(sim_world_end(world, f->node));
}

static void postpone(struct sim_faults *faults)
{
	faults->moments[faults->next].at += LINK_S;
	qsort(faults->moments + faults->next, faults->moments_count - faults->next,
	      sizeof(*faults->moments), compare);
}

static void happen(struct sim_world *world, const struct moment *m)
{
	const struct sim_fault *f = &world->faults.list[m->fault];
	bool did = f->node ? at_node(world, f, m->begins) : on_wire(world, f, m->begins);

	world->faults.happened[f->sc->kind] += did && m->begins;
}

void sim_faults_run(struct sim_world *world)
{
	struct sim_faults *faults = &world->faults;

	while (sim_faults_next(faults) <= world->now) {
		if (must_wait(world, &faults->moments[faults->next]))
			postpone(faults);
		else
			happen(world, &faults->moments[faults->next++]);
	}
}
