/* world.h - the simulated world: a plan's network and ends on one virtual clock.
 *
 *	network --> hosts (echo, probes, IKE ports) --> ends (vpn/node, vpn/esp)
 *	   ^                                               |
 *	   +-----------------------------------------------+
 *
 * Everything that happens follows from the plan, its seed, and the schedule of faults. Time goes
 * from one event to the next; nothing sleeps. */
#ifndef HARNESS_SIM_WORLD_H
#define HARNESS_SIM_WORLD_H

#include "harness/sim/end.h"
#include "harness/sim/faults.h"
#include "harness/sim/probe.h"
#include "harness/sim/rules.h"
#include "harness/sim/vault.h"
#include "vpn/ike/options.h"

struct sim_flow { /* of sc_flow */
	const struct sc_flow *sc;
	struct ip_addr address;
	size_t from;
	int64_t next;
	uint64_t sent, first, last; /* numbers of its probes */
};

/* What an end was last asked to rekey, and which SAs that meant then. */
struct sim_asked {
	const struct sc_step *step; /* NULL: nothing yet */
	uint64_t before;
};

struct sim_world {
	const struct plan *plan;
	int64_t now;
	struct sim_net *net;
	struct sim_vault *vault;
	struct ike_options *options; /* by the plan's endpoints */
	struct sim_end **ends;	     /* by the plan's endpoints */
	struct sim_asked *asked;     /* steps.c: by the plan's endpoints */
	struct sim_rules rules;
	struct probes probes;
	struct sim_flow *flows;
	size_t flows_count;
	struct sim_stream **streams; /* stream.h */
	size_t streams_count;
	unsigned streams_started;
	struct sim_faults faults;
	uint16_t echo_id; /* of the last ping sent ... */
	unsigned echo_sequence;
	bool echo_answered; /* ... and whether its answer is there */
	unsigned stuck;	    /* events since time last moved */
};

struct sim_world_options {
	const char *dir;		 /* captures, keys and events land here; NULL: none */
	const struct sim_replay *replay; /* NULL: chance and all faults */
};

/* ERR_UNSUPPORTED: what only another world can do; msg says what. */
int sim_world_open(const struct plan *plan, const struct sim_world_options *options,
		   struct sim_world **ret_world, struct err_msg *msg);
void sim_world_close(struct sim_world *world);
/* Ends the captures. ERR_IO. */
int sim_world_close_captures(struct sim_world *world, struct err_msg *msg);

typedef bool sim_done_fn(struct sim_world *world, void *arg);
/* Runs until `done` (may be NULL) says so, a rule is broken, or `until`. True: done. */
bool sim_world_run(struct sim_world *world, int64_t until, sim_done_fn *done, void *arg);

struct sim_end *sim_world_end(const struct sim_world *world, const char *node); /* NULL */
size_t sim_world_node(const struct sim_world *world, const char *name);

/* What a node sends from to an address: inside addresses talk to inside addresses. */
bool sim_world_source(const struct sim_world *world, size_t from, const struct ip_addr *to,
		      struct ip_addr *ret_src);
/* Sends a probe; its number, or UINT64_MAX if there is no source address. */
uint64_t sim_world_probe(struct sim_world *world, size_t from, const struct ip_addr *to,
			 size_t size);
bool sim_world_ping(struct sim_world *world, size_t from, const struct ip_addr *to, size_t size);

#endif
