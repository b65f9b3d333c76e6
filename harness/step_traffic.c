/* step_traffic.c - steps that send something through the network and see that it arrives. */
#include "harness/step.h"
#include "harness/traffic.h"
#include "harness/udp_transfer.h"
#include <inttypes.h>
#include <stdio.h>

#define TCP_OCTETS 1048576
#define UDP_COUNT  100
#define UDP_SIZE   1000
#define PING_SIZE  56

int step_ping(struct world *world, const struct sc_step *step, struct step_outcome *outcome,
	      struct err_msg *msg)
{
	unsigned size = step->size ? step->size : PING_SIZE, i;
	int err = 0;

	(void)outcome;
	if (step->expect == EXPECT_FAIL) {
		err = traffic_no_ping(world->net, step->from, step->address,
				      step->within_ms ? (step->within_ms + 999) / 1000 : 2, msg);
		return err == 0 ? err_set(msg, ERR_AGAIN, "no answer from %s", step->address) : 0;
	}
	for (i = 0; i < (step->count ? step->count : 1) && err == 0; i++)
		err = traffic_ping(world->net, step->from, step->address, size, msg);
	return err;
}

int step_tcp(struct world *world, const struct sc_step *step, struct step_outcome *outcome,
	     struct err_msg *msg)
{
	uint64_t octets = step->octets ? step->octets : TCP_OCTETS;
	int err = traffic_tcp(world->net, step->from, step->to, step->address, octets, msg);

	if (err == 0) {
		outcome->octets = octets;
		snprintf(outcome->seen, sizeof(outcome->seen),
			 "%" PRIu64 " octets arrived unchanged", octets);
	}
	return err;
}

int step_udp(struct world *world, const struct sc_step *step, struct step_outcome *outcome,
	     struct err_msg *msg)
{
	const struct udp_transfer transfer = {
	    .from = step->from,
	    .to = step->to,
	    .address = step->address,
	    .count = step->count ? step->count : UDP_COUNT,
	    .size = step->size ? step->size : UDP_SIZE,
	};
	struct udp_result result;
	int err = udp_transfer_run(world->net, &transfer, &result, msg);

	if (err < 0)
		return err;
	outcome->octets = (uint64_t)result.arrived * transfer.size;
	snprintf(outcome->seen, sizeof(outcome->seen),
		 "%u of %u datagrams arrived, %u of them damaged, %u twice", result.arrived,
		 transfer.count, result.damaged, result.duplicates);
	if (result.damaged > 0 || result.arrived < transfer.count * (1.0 - step->lost))
		return err_set(msg, ERR_STATE, "%s", outcome->seen);
	return 0;
}
