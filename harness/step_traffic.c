/* step_traffic.c - steps that send something through the network and see that it arrives. */
#include "harness/step.h"
#include "harness/stream.h"
#include "harness/traffic.h"
#include "netns/wait.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TCP_OCTETS   1048576
#define UDP_COUNT    100
#define UDP_SIZE     1000
#define PING_SIZE    56
#define FIRST_MS     15000
#define FINISH_MS    120000
#define TCP_MS	     300000
#define TCP_FIRST_MS 35000 /* its own time-out comes first, and says more */

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
		err = traffic_ping_within(world->net, step->from, step->address, size,
					  step->within_ms ? step->within_ms : FIRST_MS, msg);
	return err;
}

int step_tcp(struct world *world, const struct sc_step *step, struct step_outcome *outcome,
	     struct err_msg *msg)
{
	uint64_t octets = step->octets ? step->octets : TCP_OCTETS;
	const struct stream_spec spec = {.protocol = STREAM_TCP,
					 .from = step->from,
					 .to = step->to,
					 .address = step->address,
					 .octets = octets};
	const unsigned within = step->within_ms ? step->within_ms : TCP_MS;
	const int64_t deadline = wait_now_ms() + within;
	struct stream_result result;
	struct stream *stream;
	int64_t left;
	int err = stream_start(world->net, &spec, within < TCP_FIRST_MS ? within : TCP_FIRST_MS,
			       &stream, msg);

	if (err == 0) {
		left = deadline - wait_now_ms();
		err = stream_finish(stream, left > 0 ? (unsigned)left : 0, &result, msg);
	}
	if (err == 0) {
		outcome->octets = octets;
		snprintf(outcome->seen, sizeof(outcome->seen),
			 "%" PRIu64 " octets arrived unchanged", octets);
	}
	return err;
}

static int judge_udp(const struct stream_result *result, double lost, struct step_outcome *outcome,
		     struct err_msg *msg)
{
	outcome->octets = result->octets;
	snprintf(outcome->seen, sizeof(outcome->seen),
		 "%" PRIu64 " of %" PRIu64 " datagrams arrived, %" PRIu64 " damaged, %" PRIu64
		 " twice; longest pause %u ms",
		 result->arrived, result->sent, result->damaged, result->duplicates,
		 result->pause_ms);
	if (result->damaged > 0 || result->duplicates > 0 ||
	    (double)result->arrived < (double)result->sent * (1.0 - lost))
		return err_set(msg, ERR_STATE, "%s", outcome->seen);
	return 0;
}

int step_udp(struct world *world, const struct sc_step *step, struct step_outcome *outcome,
	     struct err_msg *msg)
{
	const struct stream_spec spec = {
	    .protocol = STREAM_UDP,
	    .from = step->from,
	    .to = step->to,
	    .address = step->address,
	    .count = step->count ? step->count : UDP_COUNT,
	    .size = step->size ? step->size : UDP_SIZE,
	};
	struct stream_result result;
	struct stream *stream;
	int err = stream_start(world->net, &spec, FIRST_MS, &stream, msg);

	if (err == 0)
		err = stream_finish(stream, step->within_ms ? step->within_ms : FINISH_MS, &result,
				    msg);
	return err < 0 ? err : judge_udp(&result, step->lost, outcome, msg);
}

int step_traffic(struct world *world, const struct sc_step *step, struct step_outcome *outcome,
		 struct err_msg *msg)
{
	const struct stream_spec spec = {
	    .name = step->name,
	    .protocol = (enum stream_protocol)step->protocol,
	    .from = step->from,
	    .to = step->to,
	    .address = step->address,
	    .octets = step->octets,
	    .count = step->count,
	    .size = step->size,
	    .rate = step->rate,
	    .seed = world->plan->seed,
	};
	struct stream **grown = realloc(world->streams, sizeof(*grown) * (world->stream_count + 1));
	int err;

	(void)outcome;
	if (!grown)
		return err_set(msg, ERR_NOMEM, "out of memory");
	world->streams = grown;
	err = stream_start(world->net, &spec, step->within_ms ? step->within_ms : FIRST_MS,
			   &grown[world->stream_count], msg);
	if (err == 0)
		world->stream_count++;
	return err;
}

/* Takes it out of the world; NULL if it is not there any more. */
static struct stream *take_stream(struct world *world, const char *name)
{
	struct stream *found;
	size_t i;

	for (i = 0; i < world->stream_count; i++) {
		if (strcmp(stream_name(world->streams[i]), name) != 0)
			continue;
		found = world->streams[i];
		world->streams[i] = world->streams[--world->stream_count];
		return found;
	}
	return NULL;
}

static int judge_stream(const struct sc_step *step, const struct stream_result *result,
			struct step_outcome *outcome, struct err_msg *msg)
{
	int err = 0;

	if (step->protocol == STREAM_FLOOD) {
		snprintf(outcome->seen, sizeof(outcome->seen), "%" PRIu64 " requests sent",
			 result->sent);
		return 0;
	}
	if (step->protocol == STREAM_UDP) {
		err = judge_udp(result, step->lost, outcome, msg);
	} else {
		outcome->octets = result->octets;
		snprintf(outcome->seen, sizeof(outcome->seen),
			 "%" PRIu64 " octets arrived unchanged; longest pause %u ms",
			 result->octets, result->pause_ms);
	}
	if (err == 0 && step->pause_ms && result->pause_ms > step->pause_ms)
		err = err_set(msg, ERR_STATE, "paused for more than %u ms: %s", step->pause_ms,
			      outcome->seen);
	return err;
}

int step_finish(struct world *world, const struct sc_step *step, struct step_outcome *outcome,
		struct err_msg *msg)
{
	struct stream *stream = take_stream(world, step->name);
	struct stream_result result;
	int err;

	if (!stream)
		return err_set(msg, ERR_NOT_FOUND, "no traffic '%s'", step->name);
	err = stream_finish(stream, step->within_ms ? step->within_ms : FINISH_MS, &result, msg);
	return err < 0 ? err : judge_stream(step, &result, outcome, msg);
}
