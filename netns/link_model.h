/* link_model.h - one direction of a link as a queueing model: packets go in, and come out late,
 * twice, damaged, in another order, or not at all.
 *
 * No I/O, no clock, no chance: time is a parameter that does not run backwards, and what a packet
 * meets by chance follows from the seed and from its number (link_rng.h). So the same packets at
 * the same times fare the same, in a simulation and on a wire.
 *
 *	send --> [ model ] --> pop, at the times that next says
 *	             \--> on_drop */
#ifndef NETNS_LINK_MODEL_H
#define NETNS_LINK_MODEL_H

#include "netns/link_frame.h"
#include "netns/link_record.h"

struct link_model;

/* Called in send, release and stop. */
typedef void link_drop_fn(void *arg, const struct link_record *record);

struct link_model_spec {
	enum link_dir dir;
	enum link_framing framing; /* of the packets; aims' filters are written for it */
	uint64_t seed;
	struct link_params params;
	link_drop_fn *on_drop; /* may be NULL */
	void *arg;
};

struct link_delivery {
	const uint8_t *data; /* until the next call on this model */
	size_t len;
	bool back;		   /* to the sender: an ICMP error of the link's own */
	struct link_record record; /* complete but for frame_out */
};

/* ERR_INVALID (parameters), ERR_NOMEM. */
int link_model_new(const struct link_model_spec *spec, struct link_model **ret_model,
		   struct err_msg *msg);
void link_model_free(struct link_model *model);

/* frame_in goes into the packet's records. ERR_NOMEM, and the packet is lost without a record. */
int link_model_send(struct link_model *model, const uint8_t *data, size_t len, uint64_t frame_in,
		    int64_t now);
/* When the next packet gets out; LINK_NEVER. */
int64_t link_model_next(const struct link_model *model);
/* The next packet that is due; false if there is none. */
bool link_model_pop(struct link_model *model, int64_t now, struct link_delivery *ret_delivery);
/* The delivery that was popped last could not be delivered: LINK_REFUSED. */
void link_model_refuse(struct link_model *model, struct link_delivery *delivery);

/* ERR_INVALID. For packets that are sent from now on. */
int link_model_set(struct link_model *model, const struct link_params *params, struct err_msg *msg);
/* The same for those sent from `at` on. ERR_INVALID, ERR_NOMEM. */
int link_model_schedule(struct link_model *model, int64_t at, const struct link_params *params,
			struct err_msg *msg);
/* Down in [from, until), whatever the parameters say. ERR_NOMEM. */
int link_model_outage(struct link_model *model, int64_t from, int64_t until);
int link_model_aim(struct link_model *model, const struct link_aim *aim, struct err_msg *msg);
/* Lets go what that aim (NULL: any) holds, and ends it. ERR_NOMEM. */
int link_model_release(struct link_model *model, const char *aim, int64_t now,
		       unsigned *ret_released);
/* Drops what is on the way or held, for the reason "stop". */
void link_model_stop(struct link_model *model, int64_t now);

void link_model_counters(const struct link_model *model, struct link_counters *ret_counters);

#endif
