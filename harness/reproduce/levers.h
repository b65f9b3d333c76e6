/* levers.h - finding -> how to make it again: who is at fault, and what is done to the network or
 * to an end so that the same shows.
 *
 * Texts are pieces of a scenario. In them @words@ stand for what was measured (write_words.c). */
#ifndef HARNESS_REPRODUCE_LEVERS_H
#define HARNESS_REPRODUCE_LEVERS_H

#include <stdbool.h>

enum lever_flag {
	LEVER_FAILS = 1,	/* the child does not come up */
	LEVER_NO_RESPONDER = 2, /* nobody listens there */
	LEVER_CERTIFICATES = 4, /* whatever the capture has */
	LEVER_LAN = 8,		/* the initiator's selectors are its LAN */
	LEVER_DEVICES = 16,	/* inner addresses on interfaces xfrm1 of the ends */
	LEVER_NO_NAT = 32,	/* as it is with a firewall alone */
	LEVER_LEFT_UP = 64,	/* the end of the run does not close the SA */
	LEVER_OTHER_IKE = 128,	/* the responder's proposal has nothing in common */
	LEVER_OTHER_ESP = 256,
	LEVER_OTHER_GROUP = 512, /* for rekeying alone */
	LEVER_OTHER_TS = 1024,	 /* the responder's selectors */
	LEVER_OTHER_SECRET = 2048,
	LEVER_EXPIRED = 4096,	   /* the initiator's certificate */
	LEVER_PATH_MTU = 8192,	   /* the measured one is on the wire */
	LEVER_SMALL_LINK = 16384,  /* the initiator's own */
	LEVER_NETWORK_OK = 32768,  /* loss and lost messages are as measured, besides */
	LEVER_WIRE = 65536,	   /* the steps change the wire between the ends */
	LEVER_IKEV1 = 131072,	   /* the initiator speaks that */
	LEVER_KNOWN_PEER = 262144, /* the responder knows its address, and may begin, too */
	LEVER_BEGINS = 524288,	   /* the steps bring the child up */
};

struct lever {
	const char *finding;
	const char *party; /* who is at fault: "the network", "the responder" */
	const char *how;   /* what is done, a clause: "UDP port 4500 is dropped" */
	unsigned flags;	   /* enum lever_flag */
	const char *aims;  /* of the wire between the ends, from the beginning */
	const char *setup; /* steps before the daemons start */
	const char *steps; /* after the child came up, or did not */
	const char *initiator_conn, *responder_conn; /* options of the connection */
	const char *responder_child;		     /* and of its child */
	const char *initiator_args;		     /* of beetd */
	const char *initiator_id, *initiator_peer, *responder_peer;
	const char *may_fail; /* standing checks that do not decide, blanks between */
};

/* NULL: there is none. */
const struct lever *lever_find(const char *finding);
/* Of no finding: the tunnel works. */
const struct lever *lever_healthy(void);
/* What it would take to make that finding, which is not to be had here; never NULL. */
const char *lever_missing(const char *finding);
/* For tests; NULL: no more. */
const struct lever *lever_at(unsigned index);

#endif
