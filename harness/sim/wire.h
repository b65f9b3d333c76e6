/* wire.h - a cable of the simulated network: a link model for each direction, and its captures. */
#ifndef HARNESS_SIM_WIRE_H
#define HARNESS_SIM_WIRE_H

#include <stdio.h>
#include "harness/plan.h"
#include "netns/link_model.h"

struct wire_truth;

struct sim_wire;

struct sim_wire_spec {
	const struct plan_wire *plan;
	const struct topo_link *link;
	uint64_t seed;
};

/* Side 0 is the link's end a, 1 is b; a packet that side s sends goes in direction s. */
int sim_wire_new(const struct sim_wire_spec *spec, struct sim_wire **ret_wire, struct err_msg *msg);
void sim_wire_free(struct sim_wire *wire);
/* Captures from now on: DIR/NAME.pcap at end a, of an impaired wire DIR/NAME-a.pcap and -b. ERR_IO.
 */
int sim_wire_capture(struct sim_wire *wire, const char *dir, struct err_msg *msg);
int sim_wire_close_captures(struct sim_wire *wire, struct err_msg *msg);

int sim_wire_send(struct sim_wire *wire, unsigned side, const uint8_t *ip, size_t len, int64_t now);
int64_t sim_wire_next(const struct sim_wire *wire);
/* A packet that gets out now, at *ret_side; false if there is none. It is good until the next call.
 */
bool sim_wire_pop(struct sim_wire *wire, int64_t now, unsigned *ret_side, const uint8_t **ret_ip,
		  size_t *ret_len);

/* What it does from now on, and aims that are added; NULL: what the scenario says. */
int sim_wire_impair(struct sim_wire *wire, const struct sc_impairment *impairment, int64_t now,
		    struct err_msg *msg);
/* Lets go what an aim (NULL: any) holds. ERR_NOMEM. */
int sim_wire_release(struct sim_wire *wire, const char *aim, int64_t now, unsigned *ret_released);
void sim_wire_down(struct sim_wire *wire, bool down);
void sim_wire_truth(const struct sim_wire *wire, struct wire_truth *ret_truth);
const struct plan_wire *sim_wire_plan(const struct sim_wire *wire);

/* A packet that chance has chosen: what a run did, and what a smaller run shall do again. */
struct sim_fate {
	const char *wire;
	unsigned side;
	uint64_t number; /* of the packet on this side, from 1 */
	enum link_act act;
};

/* Chance is switched off, and these packets meet what is said of them: DROP, DUPLICATE, CORRUPT. */
int sim_wire_replay(struct sim_wire *wire, const struct sim_fate *fates, size_t count,
		    struct err_msg *msg);
/* What chance has done so far; good until the wire is used again. */
const struct sim_fate *sim_wire_fates(const struct sim_wire *wire, size_t *ret_count);

#endif
