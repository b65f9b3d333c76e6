/* peer_internal.h - between the parts of a peer:
 *
 *     peer.c             its process, its directory, its files, its log
 *     peer_command.c     what it is told to do
 *     peer_sas.c         what it says of its SAs, and waiting for that
 *     peer_rekey.c       rekeying, to the end
 *     peer_host.c        its clock and its disk
 *     peer_beetd.c, peer_strongswan.c    how each is started */
#ifndef HARNESS_PEER_INTERNAL_H
#define HARNESS_PEER_INTERNAL_H

#include "harness/peer.h"

#define REQUEST_TIMEOUT_MS 10000
#define REKEY_SPI_TEXT_MAX 32

/* The SAs of one name, as list-sas shows them. */
struct rekey_state {
	const char *child; /* or NULL: IKE SAs are looked at */
	const char *ike;
	char spi[REKEY_SPI_TEXT_MAX]; /* of the one that works */
	unsigned working, leaving;
};

struct peer {
	struct net *net;
	const struct peer_driver *driver;
	struct peer_options options;
	char node[TOPO_NODE_NAME_MAX + 1];
	char dir[PEER_PATH_MAX];
	char log[PEER_PATH_MAX + 16];
	char uri[PEER_PATH_MAX + 32];
	char swanctl_dir[PEER_PATH_MAX + 16];
	struct process *process;  /* NULL: not started */
	uint64_t first_memory;	  /* octets; 0: not measured yet */
	struct rekey_state asked; /* as it was when a rekeying was last asked for */
};

/* One vici command whose answer says success or why not; timeout_ms is how long the daemon may take
 * by the command's own parameter. */
int peer_request(struct peer *peer, const char *command, struct vici_writer *body,
		 unsigned timeout_ms, struct err_msg *msg);
/* Makes the daemon read the wall clock that peer_shift_clock sets. */
int peer_add_clock(const struct peer *peer, struct peer_command *command, struct err_msg *msg);
/* Adds the end of the daemon's log to a message; returns err. */
int peer_add_log(const struct peer *peer, int err, struct err_msg *msg);

#endif
