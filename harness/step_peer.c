/* step_peer.c - steps that drive daemons. Their messages are the daemons' own words. */
#include "harness/step.h"
#include "netns/process.h"
#include "netns/wait.h"
#include <jansson.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WITHIN_MS 30000 /* unless the step says otherwise */

static unsigned within(const struct sc_step *step)
{
	return step->within_ms ? step->within_ms : WITHIN_MS;
}

int step_start(struct world *world, const struct sc_step *step, struct step_outcome *outcome,
	       struct err_msg *msg)
{
	size_t i;
	int err = 0;

	(void)outcome;
	for (i = 0; i < step->nodes.count && err == 0; i++)
		err = peer_start(world_peer(world, step->nodes.items[i]), msg);
	return err;
}

int step_stop(struct world *world, const struct sc_step *step, struct step_outcome *outcome,
	      struct err_msg *msg)
{
	size_t i;
	int status;

	(void)outcome;
	for (i = 0; i < step->nodes.count; i++) {
		status = peer_stop(world_peer(world, step->nodes.items[i]));
		if (status != 0)
			return err_set(msg, ERR_STATE, "%s: the daemon ended with status %d",
				       step->nodes.items[i], status);
	}
	return 0;
}

int step_kill(struct world *world, const struct sc_step *step, struct step_outcome *outcome,
	      struct err_msg *msg)
{
	size_t i;

	(void)outcome;
	(void)msg;
	for (i = 0; i < step->nodes.count; i++)
		peer_kill(world_peer(world, step->nodes.items[i]));
	return 0;
}

static int pause_all(struct world *world, const struct text_list *nodes, bool pause,
		     struct err_msg *msg)
{
	size_t i;
	int err = 0;

	for (i = 0; i < nodes->count && err == 0; i++)
		err = peer_pause(world_peer(world, nodes->items[i]), pause, msg);
	return err;
}

int step_pause(struct world *world, const struct sc_step *step, struct step_outcome *outcome,
	       struct err_msg *msg)
{
	(void)outcome;
	return pause_all(world, &step->nodes, true, msg);
}

int step_resume(struct world *world, const struct sc_step *step, struct step_outcome *outcome,
		struct err_msg *msg)
{
	(void)outcome;
	return pause_all(world, &step->nodes, false, msg);
}

int step_clock(struct world *world, const struct sc_step *step, struct step_outcome *outcome,
	       struct err_msg *msg)
{
	size_t i;
	int err = 0;

	(void)outcome;
	for (i = 0; i < step->nodes.count && err == 0; i++)
		err = peer_shift_clock(world_peer(world, step->nodes.items[i]), step->shift_s, msg);
	return err;
}

int step_disk(struct world *world, const struct sc_step *step, struct step_outcome *outcome,
	      struct err_msg *msg)
{
	size_t i;
	int err = 0;

	(void)outcome;
	for (i = 0; i < step->nodes.count && err == 0; i++)
		err = peer_fill_disk(world_peer(world, step->nodes.items[i]), step->full, msg);
	return err;
}

int step_load(struct world *world, const struct sc_step *step, struct step_outcome *outcome,
	      struct err_msg *msg)
{
	size_t i;
	int err = 0;

	(void)outcome;
	for (i = 0; i < step->nodes.count && err == 0; i++)
		err = world_load(world, step->nodes.items[i], msg);
	return err;
}

int step_restart(struct world *world, const struct sc_step *step, struct step_outcome *outcome,
		 struct err_msg *msg)
{
	int err = step_stop(world, step, outcome, msg);

	if (err == 0)
		err = step_start(world, step, outcome, msg);
	return err < 0 ? err : step_load(world, step, outcome, msg);
}

int step_initiate(struct world *world, const struct sc_step *step, struct step_outcome *outcome,
		  struct err_msg *msg)
{
	(void)outcome;
	if (step->detached)
		return peer_initiate_async(world_peer(world, step->node), step->child, msg);
	return peer_initiate(world_peer(world, step->node), step->child, within(step), msg);
}

int step_terminate(struct world *world, const struct sc_step *step, struct step_outcome *outcome,
		   struct err_msg *msg)
{
	struct peer_sa_name sa = {.ike = step->ike, .child = step->child};

	(void)outcome;
	if (step->force)
		return peer_kill_sa(world_peer(world, step->node), &sa, msg);
	return peer_terminate(world_peer(world, step->node), &sa, within(step), msg);
}

static int rekey_detached(struct world *world, const struct sc_step *step, struct err_msg *msg)
{
	size_t i;
	int err = 0;

	for (i = 0; i < step->nodes.count && err == 0; i++)
		err = peer_rekey_async(world_peer(world, step->nodes.items[i]), step->child,
				       step->ike, msg);
	return err;
}

/* All nodes that take turns have let the old SA go before the next begins. */
static int rekey_once(struct world *world, const struct sc_step *step, unsigned turn,
		      struct err_msg *msg)
{
	const struct text_list *nodes = &step->nodes;
	size_t i;
	int err = peer_rekey(world_peer(world, nodes->items[turn % nodes->count]), step->child,
			     step->ike, within(step), msg);

	for (i = 0; i < nodes->count && err == 0; i++)
		err = peer_wait_settled(world_peer(world, nodes->items[i]), step->child, step->ike,
					within(step), msg);
	return err;
}

int step_rekey(struct world *world, const struct sc_step *step, struct step_outcome *outcome,
	       struct err_msg *msg)
{
	unsigned times = step->count ? step->count : 1, i;
	struct err_msg why = {{0}};
	int err = 0;

	if (step->detached)
		return rekey_detached(world, step, msg);
	for (i = 0; i < times && err == 0; i++) {
		err = rekey_once(world, step, i, &why);
		/* What goes through each new SA is what the scenario is about. */
		poll(NULL, 0, (int)step->every_ms);
	}
	if (err < 0)
		return err_set(msg, err, "rekeying %u of %u, by %s: %.400s", i, times,
			       step->nodes.items[(i - 1) % step->nodes.count], why.text);
	snprintf(outcome->seen, sizeof(outcome->seen), "rekeyed %u times", times);
	return 0;
}

int step_memory(struct world *world, const struct sc_step *step, struct step_outcome *outcome,
		struct err_msg *msg)
{
	struct peer *peer = world_peer(world, step->node);
	uint64_t now, most, first = peer_first_memory(peer);
	int err = peer_memory(peer, &now, &most);

	if (err < 0)
		return err_set(msg, err, "%s: the daemon does not run", step->node);
	snprintf(outcome->seen, sizeof(outcome->seen), "%" PRIu64 " kB, at most %" PRIu64 " kB",
		 now / 1024, most / 1024);
	if (first && step->octets && most > first + step->octets)
		return err_set(msg, ERR_STATE, "%s: %s, and %" PRIu64 " kB at first", step->node,
			       outcome->seen, first / 1024);
	return 0;
}

int step_listed(struct world *world, const struct sc_step *step, struct step_outcome *outcome,
		struct err_msg *msg)
{
	struct peer *peer = world_peer(world, step->node);
	char got[128];
	size_t i, len = 0;

	for (i = 0; i < step->values.count; i++) {
		const struct pair *want = &step->values.items[i];

		strcpy(got, "nothing");
		if (peer_child_value(peer, step->child, want->key, got, sizeof(got)) < 0)
			return err_set(msg, ERR_NOT_FOUND, "%s: no child %s with a %s", step->node,
				       step->child, want->key);
		if (strcmp(got, want->value) != 0)
			return err_set(msg, ERR_STATE, "%s: child %s: %s is '%s', not '%s'",
				       step->node, step->child, want->key, got, want->value);
		if (len < sizeof(outcome->seen))
			len += (size_t)snprintf(outcome->seen + len, sizeof(outcome->seen) - len,
						"%s%s = %s", i ? ", " : "", want->key, got);
	}
	return 0;
}

struct event_wait {
	const char *path;
	const char *event;
	unsigned times;
};

/* True if the line is that event; its sentence goes to seen. */
static bool is_event(const char *line, const char *event, char *seen, size_t cap)
{
	json_t *entry = json_loads(line, 0, NULL);
	const char *name = json_string_value(json_object_get(entry, "event"));
	const char *text = json_string_value(json_object_get(entry, "text"));
	bool is = name && strcmp(name, event) == 0;

	snprintf(seen, cap, "%s: %.300s", name ? name : "?", text ? text : "");
	json_decref(entry);
	return is;
}

/* Looks through the daemon's file of events. */
static bool has_event(void *arg, char *seen, size_t cap)
{
	const struct event_wait *wait = arg;
	FILE *file = fopen(wait->path, "re");
	size_t line_cap = 0;
	char *line = NULL;
	unsigned found = 0;

	if (!file)
		return false;
	while (found < wait->times && getline(&line, &line_cap, file) > 0)
		found += is_event(line, wait->event, seen, cap);
	free(line);
	fclose(file);
	return found == wait->times;
}

static int wait_event(struct world *world, const struct sc_step *step, struct step_outcome *outcome,
		      struct err_msg *msg)
{
	struct peer *peer = world_peer(world, step->node);
	char path[PEER_PATH_MAX + 16], seen[320] = "";
	struct event_wait wait = {path, step->event, step->count ? step->count : 1};
	int err;

	if (strcmp(peer_name(peer), "beetd") != 0) {
		snprintf(outcome->seen, sizeof(outcome->seen),
			 "%s writes no events; not waited for", peer_name(peer));
		return 0;
	}
	snprintf(path, sizeof(path), "%s/events.json", peer_dir(peer));
	err = wait_until(has_event, &wait, within(step), step->event, msg);
	if (err == 0 && has_event(&wait, seen, sizeof(seen)))
		snprintf(outcome->seen, sizeof(outcome->seen), "%s", seen);
	return err;
}

/* A command that is run until it succeeds. */
static int wait_command(struct world *world, const struct sc_step *step,
			struct step_outcome *outcome, struct err_msg *msg)
{
	int64_t deadline = wait_now_ms() + within(step);
	int status = 1, err;

	do {
		err = step_command(world, step, within(step), outcome, &status, msg);
	} while (err == 0 && status != 0 && wait_now_ms() < deadline);
	if (err == 0 && status != 0)
		err = err_set(msg, ERR_AGAIN, "still status %d: %.300s", status, outcome->seen);
	return err;
}

int step_wait(struct world *world, const struct sc_step *step, struct step_outcome *outcome,
	      struct err_msg *msg)
{
	if (step->run)
		return wait_command(world, step, outcome, msg);
	if (step->event)
		return wait_event(world, step, outcome, msg);
	if (step->rekeyed)
		return peer_wait_rekeyed(world_peer(world, step->node), within(step), msg);
	if (step->settled)
		return peer_wait_settled(world_peer(world, step->node), step->settled, NULL,
					 within(step), msg);
	if (step->children >= 0)
		return peer_wait_children(world_peer(world, step->node), (unsigned)step->children,
					  within(step), msg);
	return peer_wait_sas(world_peer(world, step->node), (unsigned)step->sas, within(step), msg);
}
