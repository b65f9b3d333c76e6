/* world.h - a plan made real in network namespaces: the network, its wires and captures, the
 * daemons.
 *
 * Everything that a run keeps lands in its directory (run.h); what must have a short path or must
 * vanish stands in the network's own. If the process dies, the network's guard undoes all of it. */
#ifndef HARNESS_WORLD_H
#define HARNESS_WORLD_H

#include "harness/occurred.h"
#include "harness/peer.h"
#include "harness/plan.h"
#include "netns/net.h"

struct world_wire;

struct world {
	const struct plan *plan;
	const char *dir; /* of the run */
	struct net *net;
	struct peer **peers;	  /* by the plan's endpoints */
	struct world_wire *wires; /* by the plan's wires */
	struct process **background;
	size_t background_count;
	struct stream **streams; /* traffic that is not finished */
	size_t stream_count;
};

/* Builds the network, makes credentials, starts captures. Nothing is left after a failure. */
int world_open(const struct plan *plan, const char *dir, struct world *ret_world,
	       struct err_msg *msg);
/* Ends traffic, background commands and daemons, so that their last words are in the captures. */
void world_quiesce(struct world *world);
/* Ends the captures; ret_truth has an entry for each of the plan's wires. ERR_IO if one is not
 * complete. */
int world_stop_captures(struct world *world, struct wire_truth *ret_truth, struct err_msg *msg);
/* Copies keys, logs, events and configurations to the run's directory. */
int world_keep(struct world *world, struct err_msg *msg);
/* Undoes everything; an error names what could not be. */
int world_close(struct world *world, struct err_msg *msg);

struct peer *world_peer(const struct world *world, const char *node); /* NULL */
/* The endpoint's configuration into its daemon. */
int world_load(struct world *world, const char *node, struct err_msg *msg);
int world_impair(struct world *world, const char *wire, const struct sc_impairment *impairment,
		 struct err_msg *msg);
/* What the aim of that name (NULL: any) holds on a wire. */
int world_release(struct world *world, const char *wire, const char *aim, unsigned *ret_released,
		  struct err_msg *msg);

#endif
