/* shrink.c - delta debugging (Zeller, Hildebrandt: "Simplifying and Isolating Failure-Inducing
 * Input", 2002) over what happened in a failing run.
 *
 * A run is made of faults (faults.h) and of what chance did to packets (wire.h: fates). First it is
 * repeated with chance replaced by its own fates. If it then still fails, faults and fates are left
 * out in larger and smaller parts as long as the run goes on failing; if it does not (jitter is no
 * fate), chance stays as it was and faults alone are left out. "Failing" is any failure: a smaller
 * run that breaks another rule is worth as much.
 *
 * A smaller run is another run: packets get other numbers when something before them is gone. That
 * is no harm, since every candidate is tried, and what comes out does fail.
 *
 * Ownership: struct sim_shrunk has its lists and both outcomes. */
#include "harness/sim/shrink.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RUNS_MAX 2000

struct shrinking {
	const struct plan *plan;
	struct sim_replay *replay; /* the smallest that fails so far */
	unsigned runs;
};

void sim_replay_free(struct sim_replay *replay)
{
	free(replay->keep);
	free(replay->fates);
	*replay = (struct sim_replay){.keep = NULL};
}

void sim_shrunk_free(struct sim_shrunk *shrunk)
{
	sim_replay_free(&shrunk->replay);
	sim_outcome_free(&shrunk->before);
	sim_outcome_free(&shrunk->after);
}

static bool fails(struct shrinking *s, const struct sim_replay *replay)
{
	const struct sim_world_options options = {.replay = replay};
	struct sim_outcome outcome;
	bool failed;

	s->runs++;
	sim_run(s->plan, &options, false, &outcome);
	failed = outcome.verdict == SIM_FAIL;
	sim_outcome_free(&outcome);
	return failed;
}

/* --- lists of what may be left out --- */

/* Tries the replay without items [from, to) of the list; takes it over if that fails, too. */
typedef bool without_fn(struct shrinking *s, size_t from, size_t to);
typedef size_t count_fn(const struct shrinking *s);

/* The from-th fault that is still kept. */
static size_t kept_at(const struct sim_replay *r, size_t n)
{
	size_t i;

	for (i = 0; i < r->keep_count; i++)
		if (r->keep[i] && n-- == 0)
			return i;
	return r->keep_count;
}

static size_t count_faults(const struct shrinking *s)
{
	size_t i, n = 0;

	for (i = 0; i < s->replay->keep_count; i++)
		n += s->replay->keep[i];
	return n;
}

static bool without_faults(struct shrinking *s, size_t from, size_t to)
{
	size_t first = kept_at(s->replay, from), end = kept_at(s->replay, to), i;
	bool *saved = malloc(s->replay->keep_count + 1);

	if (!saved)
		return false;
	memcpy(saved, s->replay->keep, s->replay->keep_count);
	for (i = first; i < end; i++)
		s->replay->keep[i] = false;
	if (fails(s, s->replay)) {
		free(saved);
		return true;
	}
	memcpy(s->replay->keep, saved, s->replay->keep_count);
	free(saved);
	return false;
}

static size_t count_fates(const struct shrinking *s)
{
	return s->replay->fates_count;
}

static bool without_fates(struct shrinking *s, size_t from, size_t to)
{
	struct sim_replay r = *s->replay;
	size_t behind = r.fates_count - to;

	r.fates = malloc((r.fates_count + 1) * sizeof(*r.fates));
	if (!r.fates)
		return false;
	memcpy(r.fates, s->replay->fates, from * sizeof(*r.fates));
	memcpy(r.fates + from, s->replay->fates + to, behind * sizeof(*r.fates));
	r.fates_count = from + behind;
	if (!fails(s, &r)) {
		free(r.fates);
		return false;
	}
	free(s->replay->fates);
	*s->replay = r;
	return true;
}

/* Parts are left out one after another, first all, then halves, quarters, ... single items. */
static void reduce(struct shrinking *s, count_fn *count, without_fn *without)
{
	size_t n = count(s), part = n, at;

	while (part > 0 && n > 0 && s->runs < RUNS_MAX) {
		bool any = false;

		for (at = 0; at < n && s->runs < RUNS_MAX;) {
			size_t to = at + part < n ? at + part : n;

			if (without(s, at, to)) {
				n = count(s);
				any = true;
			} else {
				at = to;
			}
		}
		if (!any || part > 1)
			part /= 2;
	}
}

/* --- the whole --- */

static int begin(const struct plan *plan, struct sim_shrunk *s, struct err_msg *msg)
{
	const struct sim_world_options options = {.dir = NULL};
	size_t n;

	sim_run(plan, &options, true, &s->before);
	s->runs = 1;
	if (s->before.verdict != SIM_FAIL)
		return err_set(msg, ERR_STATE, "seed %llu does not fail",
			       (unsigned long long)plan->seed);
	n = s->before.faults_count;
	s->replay.keep = malloc(n + 1);
	s->replay.fates = malloc((s->before.fates_count + 1) * sizeof(*s->replay.fates));
	if (!s->replay.keep || !s->replay.fates)
		return err_set(msg, ERR_NOMEM, "out of memory");
	memset(s->replay.keep, 1, n);
	s->replay.keep_count = n;
	if (s->before.fates_count)
		memcpy(s->replay.fates, s->before.fates,
		       s->before.fates_count * sizeof(*s->replay.fates));
	s->replay.fates_count = s->before.fates_count;
	s->replay.exact = true;
	return 0;
}

int sim_shrink(const struct plan *plan, struct sim_shrunk *ret_shrunk, struct err_msg *msg)
{
	struct sim_shrunk shrunk = {.runs = 0};
	struct shrinking s = {.plan = plan, .replay = &shrunk.replay};
	struct sim_world_options options = {.replay = &shrunk.replay};
	int err = begin(plan, &shrunk, msg);

	if (err < 0) {
		sim_shrunk_free(&shrunk);
		return err;
	}
	if (!fails(&s, &shrunk.replay)) {
		shrunk.replay.exact = false;
		shrunk.replay.fates_count = 0;
	}
	reduce(&s, count_faults, without_faults);
	reduce(&s, count_fates, without_fates);
	reduce(&s, count_faults, without_faults);
	sim_run(plan, &options, true, &shrunk.after);
	shrunk.runs += s.runs + 1;
	*ret_shrunk = shrunk;
	return 0;
}

/* --- files --- */

static const char *const act_names[] = {[LINK_ACT_DROP] = "drop",
					[LINK_ACT_DUPLICATE] = "duplicate",
					[LINK_ACT_CORRUPT] = "corrupt",
					[LINK_ACT_REORDER] = "reorder"};

void sim_shrunk_print(const struct sim_shrunk *shrunk, const char *indent, FILE *out)
{
	const struct sim_replay *r = &shrunk->replay;
	size_t i;

	for (i = 0; i < r->keep_count && i < shrunk->before.faults_count; i++)
		if (r->keep[i])
			fprintf(out, "%sfault %zu\t# %s\n", indent, i + 1,
				shrunk->before.faults[i]);
	fprintf(out, r->exact ? "%sexact\n" : "%s# and what chance does to packets\n", indent);
	for (i = 0; i < r->fates_count; i++)
		fprintf(out, "%sfate %s %c %llu %s\n", indent, r->fates[i].wire,
			r->fates[i].side ? 'b' : 'a', (unsigned long long)r->fates[i].number,
			act_names[r->fates[i].act]);
}

int sim_shrunk_write(const struct sim_shrunk *shrunk, const char *command, const char *path,
		     struct err_msg *msg)
{
	FILE *file = fopen(path, "we");

	if (!file)
		return err_set(msg, ERR_IO, "%s: %s", path, strerror(errno));
	fprintf(file, "# %s\n# %s\n", command, shrunk->after.why);
	sim_shrunk_print(shrunk, "", file);
	return fclose(file) == 0 ? 0 : err_set(msg, ERR_IO, "%s: %s", path, strerror(errno));
}

static bool read_fault(struct sim_replay *r, const char *line)
{
	unsigned number;
	bool *grown;

	if (sscanf(line, "fault %u", &number) != 1 || number == 0 || number > 1000000)
		return false;
	if (number > r->keep_count) {
		grown = realloc(r->keep, number);
		if (!grown)
			return false;
		memset(grown + r->keep_count, 0, number - r->keep_count);
		r->keep = grown;
		r->keep_count = number;
	}
	r->keep[number - 1] = true;
	return true;
}

static bool read_act(const char *name, enum link_act *ret_act)
{
	size_t i;

	for (i = 0; i < sizeof(act_names) / sizeof(act_names[0]); i++) {
		if (!act_names[i] || strcmp(act_names[i], name) != 0)
			continue;
		*ret_act = (enum link_act)i;
		return true;
	}
	return false;
}

static bool read_fate(struct sim_replay *r, const struct plan *plan, const char *line)
{
	char wire[PLAN_NAME_MAX], side, act[16];
	unsigned long long number;
	const struct plan_wire *found;
	struct sim_fate *grown;
	enum link_act what;

	if (sscanf(line, "fate %63s %c %llu %15s", wire, &side, &number, act) != 4)
		return false;
	found = plan_find_wire(plan, wire);
	if (!found || !read_act(act, &what) || (side != 'a' && side != 'b'))
		return false;
	grown = realloc(r->fates, (r->fates_count + 1) * sizeof(*grown));
	if (!grown)
		return false;
	r->fates = grown;
	grown[r->fates_count++] = (struct sim_fate){found->name, side == 'b', number, what};
	return true;
}

static bool read_line(struct sim_replay *r, const struct plan *plan, const char *line)
{
	if (line[0] == '#' || line[0] == '\n')
		return true;
	if (strncmp(line, "exact", 5) == 0)
		return r->exact = true;
	return strncmp(line, "fate ", 5) == 0 ? read_fate(r, plan, line) : read_fault(r, line);
}

int sim_replay_read(const char *path, const struct plan *plan, struct sim_replay *ret_replay,
		    struct err_msg *msg)
{
	FILE *file = fopen(path, "re");
	struct sim_replay r = {.keep = NULL};
	unsigned number = 0;
	char line[512];
	int err = 0;

	if (!file)
		return err_set(msg, ERR_IO, "%s: %s", path, strerror(errno));
	while (err == 0 && fgets(line, sizeof(line), file)) {
		number++;
		if (!read_line(&r, plan, line))
			err = err_set(msg, ERR_SYNTAX,
				      "%s:%u: neither 'fault NUMBER', 'exact' nor "
				      "'fate WIRE a|b NUMBER ACT'",
				      path, number);
	}
	fclose(file);
	if (err < 0)
		sim_replay_free(&r);
	else
		*ret_replay = r;
	return err;
}
