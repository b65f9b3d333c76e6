/* link_aims.h - the aims of one direction of a link, ready to be asked about each packet. */
#ifndef NETNS_LINK_AIMS_H
#define NETNS_LINK_AIMS_H

#include "netns/link_frame.h"
#include "netns/link_params.h"

struct link_aims {
	struct armed_aim *all;
	size_t count;
};

/* ERR_INVALID (the aim, or a filter that does not compile), ERR_NOMEM. */
int link_aims_add(struct link_aims *aims, enum link_framing framing, const struct link_aim *aim,
		  struct err_msg *msg);
/* Counts the packet for every aim that it satisfies. The aim that acts on it, or NULL; valid until
 * the aims change. */
const struct link_aim *link_aims_choose(struct link_aims *aims, const struct link_frame *frame,
					int64_t now);
/* Ends the aims that hold packets; of that name, NULL: all. */
void link_aims_end_hold(struct link_aims *aims, const char *name);
void link_aims_free(struct link_aims *aims);

#endif
