/* link_ctl.h - what passes between a wire's owner and its process: one request, one reply, over a
 * pair of sequenced-packet sockets. Both are the same program, so the structures go as they are. */
#ifndef NETNS_LINK_CTL_H
#define NETNS_LINK_CTL_H

#include "netns/link_wire.h"

enum link_op {
	LINK_OP_START, /* the process is written down, and may begin */
	LINK_OP_SET,
	LINK_OP_SCHEDULE,
	LINK_OP_OUTAGE,
	LINK_OP_AIM,
	LINK_OP_RELEASE,
	LINK_OP_REBOOT_NAT,
	LINK_OP_QUERY,
	LINK_OP_STOP,
};

struct link_request {
	enum link_op op;
	unsigned serial;
	enum link_dir dir;
	int64_t after, duration;
	struct link_params params;
	struct link_aim aim;
	char name[LINK_AIM_NAME_MAX + 1]; /* LINK_OP_RELEASE; empty: any */
};

struct link_reply {
	unsigned serial; /* of the request; 0: nobody asked, the process cannot go on */
	int err;
	struct err_msg msg;
	unsigned released;
	struct link_wire_state state;
};

#endif
