/* nat_model.h - a NAT box as a pure model: every mapping and filtering behaviour of RFC 4787.
 *
 * No I/O, no clock, no chance: time is a parameter (nanoseconds, does not run backwards), ports
 * that are chosen at random follow from the seed and from how many were chosen before. The table
 * knows transport addresses alone; nat_packet.h rewrites packets by it.
 *
 *	inside 192.168.1.2[4500] --> outside 198.51.100.2[27183] --> remote 203.0.113.10[4500]
 *
 * A "port" is the port of UDP and TCP, the identifier of an ICMP echo, and 0 for what has neither
 * (ESP): of that, one inside host at a time can talk to a remote address. */
#ifndef NETNS_NAT_MODEL_H
#define NETNS_NAT_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "vpn/base/addr.h"
#include "vpn/base/err.h"

/* What a mapping is reused for, and what may come in by it: RFC 4787 §4.1, §5. */
enum nat_behaviour {
	NAT_ENDPOINT_INDEPENDENT,
	NAT_ADDRESS_DEPENDENT,
	NAT_ADDRESS_AND_PORT_DEPENDENT,
};

struct nat_params {
	struct ip_addr outside;
	enum nat_behaviour mapping, filtering;
	bool preserve_ports; /* if the port is free (RFC 4787 §4.2.1); else one at random */
	bool hairpin;	     /* inside hosts reach one another by the outside address (§6) */
	bool pass_through;   /* "IPsec pass-through": IKE's port 500 stays 500, whosever it is. The
				host that used it last has it, and its predecessor hears no more */
	bool refresh_in;     /* incoming packets keep a mapping alive, too (§4.3) */
	int64_t timeout; /* nanoseconds without a packet; 0: never (§4.3: at least 2 minutes) */
	uint64_t seed;
};

/* A pair of transport addresses as one side of the box sees it. */
struct nat_flow {
	uint8_t proto;
	struct endpoint src, dst;
};

struct nat_model;

/* ERR_INVALID (no outside address), ERR_NOMEM. */
int nat_model_new(const struct nat_params *params, struct nat_model **ret_nat);
void nat_model_free(struct nat_model *nat); /* NULL is fine */

/* A packet from inside: *ret_outside is its source from now on. ERR_SPACE: no port is left, or
 * (protocols without ports) another host has the remote address. ERR_NOMEM. */
int nat_model_out(struct nat_model *nat, const struct nat_flow *flow, int64_t now,
		  struct endpoint *ret_outside);
/* A packet to the outside address: *ret_inside is its destination from now on. ERR_NOT_FOUND: no
 * mapping; ERR_PERM: filtered. */
int nat_model_in(struct nat_model *nat, const struct nat_flow *flow, int64_t now,
		 struct endpoint *ret_inside);
/* From inside to the outside address: both ends as they appear behind the box. ERR_UNSUPPORTED: the
 * box does not hairpin; and what nat_model_out and nat_model_in say. */
int nat_model_hairpin(struct nat_model *nat, const struct nat_flow *flow, int64_t now,
		      struct nat_flow *ret_flow);

/* All mappings are forgotten. Ports chosen from now on differ from those before. */
void nat_model_reboot(struct nat_model *nat);
/* The provider gives the box another address: mappings are forgotten with the old one. */
void nat_model_set_outside(struct nat_model *nat, const struct ip_addr *outside);
const struct ip_addr *nat_model_outside(const struct nat_model *nat);
size_t nat_model_count(struct nat_model *nat, int64_t now);

#endif
