/* scenario_internal.h - between the parts that read a scenario file:
 *
 *     scenario.c        the file, and the tables of topology, ends and expectations
 *     scenario_wire.c   the table of what a wire does
 *     scenario_step.c   the tables of the steps
 *     scenario_check.c  what must hold between them */
#ifndef HARNESS_SCENARIO_INTERNAL_H
#define HARNESS_SCENARIO_INTERNAL_H

#include "harness/scenario.h"

#define AT(type, member) offsetof(struct type, member)
#define END                 \
	{                   \
		.key = NULL \
	}

extern const struct field_type scenario_address_type;	 /* struct sc_address */
extern const struct field_type scenario_impairment_type; /* struct sc_impairment */

field_fn scenario_field_steps; /* struct item_list of struct sc_step */

/* ERR_SYNTAX, with file and line. */
int scenario_check(const struct scenario *scenario, struct err_msg *msg);

#endif
