/* peer_internal.h - what peer.c gives to the files beside it. */
#ifndef HARNESS_PEER_INTERNAL_H
#define HARNESS_PEER_INTERNAL_H

#include "harness/peer.h"

/* One vici command whose answer says success or why not; timeout_ms is how long the daemon may take
 * by the command's own parameter. */
int peer_request(struct peer *peer, const char *command, struct vici_writer *body,
		 unsigned timeout_ms, struct err_msg *msg);

#endif
