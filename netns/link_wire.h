/* link_wire.h - an impaired link: a process between two TAP devices, in two nodes of a network.
 *
 * The link is one of the topology, marked `impaired`: net_build makes a TAP at each end, with
 * addresses and routes like any other interface. link_wire_start starts the process that carries
 * packets between them and does to them what link_model.h says. Until then the cable is unplugged.
 *
 * In spec->dir it writes NAME-a.pcap and NAME-b.pcap (nanosecond stamps, Ethernet: every frame that
 * came out of or went into the TAP of that end, none lost) and NAME.jsonl, the ground truth, a line
 * of link_record.h for each fate. frame_in and frame_out there are the frames' numbers, from 1, in
 * the captures of the ends where the packet came in and got out; its times are seconds since 1970,
 * as in the captures.
 *
 * The process dies with the thread that started it, and is undone with the network. If it cannot go
 * on (a full disk) it ends, and whoever asks for anything next is told why.
 *
 * All functions wait for the process's answer; those that fail return ERR_STATE if it is dead, and
 * msg says of what. Not for use by several threads at once. */
#ifndef NETNS_LINK_WIRE_H
#define NETNS_LINK_WIRE_H

#include <sys/types.h>
#include "netns/link_record.h"
#include "netns/nat_box.h"
#include "netns/net.h"

struct link_wire;

struct link_wire_aim {
	enum link_dir dir;
	struct link_aim aim; /* its callback runs in the wire's process, with a copy of the caller's
				memory as it was at the start, and no open file of the caller's.
				from and until count from the start, or from link_wire_aim */
};

struct link_wire_spec {
	const char *name;     /* of the files and in messages: "wan" */
	struct topo_end a, b; /* the two ends of an impaired link of the topology */
	const char *dir;      /* of the files; NULL: none are written */
	uint64_t seed;	      /* each direction, and each impairment in it, takes its own from it */
	struct link_params ab; /* from a to b */
	struct link_params ba;
	const struct link_wire_aim *aims;
	size_t aims_count;
	const struct nat_box_spec *nat; /* NULL: none */
	bool nat_at_b;			/* the box is at b's end; else at a's */
};

struct link_wire_state {
	struct link_counters dir[2]; /* by enum link_dir */
	uint64_t frames[2];	     /* in the captures of a and of b */
	uint64_t missed[2];	     /* sent by a and b, and lost before they could be read */
	struct nat_box_counters nat; /* zero without one */
	int64_t idle;		     /* ns since the last packet came in or got out */
};

/* Carries packets when it returns. ERR_NOT_FOUND (node, interface), ERR_INVALID, ERR_IO. */
int link_wire_start(struct net *net, const struct link_wire_spec *spec, struct link_wire **ret_wire,
		    struct err_msg *msg);
pid_t link_wire_pid(const struct link_wire *wire);
/* A descriptor that is readable once the process has ended. It stays the wire's. */
int link_wire_fd(const struct link_wire *wire);
/* True once the process has ended, other than by link_wire_stop; msg says of what. */
bool link_wire_died(struct link_wire *wire, struct err_msg *msg);

/* New parameters for packets that arrive from now on. */
int link_wire_set(struct link_wire *wire, enum link_dir dir, const struct link_params *params,
		  struct err_msg *msg);
/* The same, after a time. Any number may wait. */
int link_wire_schedule(struct link_wire *wire, enum link_dir dir, int64_t after,
		       const struct link_params *params, struct err_msg *msg);
/* Down, whatever the parameters say, in both directions: from `after`, for so long. */
int link_wire_outage(struct link_wire *wire, int64_t after, int64_t duration, struct err_msg *msg);
int link_wire_aim(struct link_wire *wire, enum link_dir dir, const struct link_aim *aim,
		  struct err_msg *msg);
/* Lets go what the aim of that name holds (NULL: what any holds), in either direction, and takes
 * the aim away, so that it holds nothing more. */
int link_wire_release(struct link_wire *wire, const char *aim, unsigned *ret_released,
		      struct err_msg *msg);
/* The box at its end forgets its mappings. ERR_STATE: there is none. */
int link_wire_reboot_nat(struct link_wire *wire, struct err_msg *msg);
/* The log and the captures are complete up to this answer. */
int link_wire_query(struct link_wire *wire, struct link_wire_state *ret_state, struct err_msg *msg);
/* Waits until nothing is on the way, and nothing has come in or got out for idle_ms. What is held
 * does not count. ERR_AGAIN. */
int link_wire_wait_quiet(struct link_wire *wire, unsigned idle_ms, unsigned timeout_ms,
			 struct link_wire_state *ret_state, struct err_msg *msg);

/* Ends it: what is still on the way is dropped with the reason "stop", the files are written out.
 * The cable is unplugged. wire is gone in any case; an error says that the files are not complete.
 * ret_state may be NULL. NULL is fine for wire. */
int link_wire_stop(struct link_wire *wire, struct link_wire_state *ret_state, struct err_msg *msg);

#endif
