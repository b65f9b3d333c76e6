/* wires.h - the wires of a world: plain cables with a capture, impaired ones with their process. */
#ifndef HARNESS_WIRES_H
#define HARNESS_WIRES_H

#include "harness/world.h"
#include "netns/link_record.h"

int wires_start(struct world *world, struct err_msg *msg);
int wires_impair(struct world *world, const char *name, const struct sc_impairment *impairment,
		 struct err_msg *msg);
/* NAT boxes that are the wires' part: whether a node is one, and its reboot. */
bool wires_has_nat(const struct world *world, const char *node);
int wires_reboot_nat(struct world *world, const char *node, struct err_msg *msg);
int wires_release(struct world *world, const char *name, const char *aim, unsigned *ret_released,
		  struct err_msg *msg);
/* Ends all of them; may be called again. ret_truth (may be NULL): one for each wire of the plan. */
int wires_stop(struct world *world, struct wire_truth *ret_truth, struct err_msg *msg);

/* What an impairment means to a link's model. */
struct link_params link_params_of(const struct sc_treatment *treatment);
/* What packets to this end of the wire meet. */
const struct sc_treatment *treatment_towards(const struct sc_impairment *impairment,
					     const char *node);
/* Adds what one direction of a wire did. */
void wire_truth_add(struct wire_truth *truth, const struct link_counters *counters);

#endif
