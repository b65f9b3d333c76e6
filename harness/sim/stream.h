/* stream.h - traffic that runs beside other steps of a simulated run: numbered datagrams at a rate,
 * or a transfer over TCP. */
#ifndef HARNESS_SIM_STREAM_H
#define HARNESS_SIM_STREAM_H

#include "harness/sim/world.h"

struct sim_stream;

/* Of the step's `from`, `to`, `address`, `octets`, `size`, `count`, `rate`; a step that says none
 * of octets and count goes on until it is finished. ERR_NOMEM, ERR_STATE (no source address). */
int sim_stream_start(struct sim_world *world, const struct sc_step *step, struct err_msg *msg);
/* What was started under this name, the latest; NULL. */
struct sim_stream *sim_stream_find(const struct sim_world *world, const char *name);
/* Sends nothing new, waits until all has arrived (TCP) or may have (UDP), judges, and ends it. */
int sim_stream_finish(struct sim_world *world, struct sim_stream *stream,
		      const struct sc_step *step, int64_t until, struct err_msg *msg);

/* For the world. */
int64_t sim_streams_next(const struct sim_world *world);
void sim_streams_run(struct sim_world *world);
void sim_streams_take(struct sim_world *world, const uint8_t *data, const struct ip_info *ip);
void sim_streams_too_big(struct sim_world *world, const struct ip_addr *to, unsigned mtu);
void sim_streams_free(struct sim_world *world);

#endif
