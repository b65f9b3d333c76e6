/* plan.h - what a scenario comes to: the whole network, the ends, the wires, the steps, checked
 * against one another. Pure but for the files that the scenario names; `--dry-run` prints it. */
#ifndef HARNESS_PLAN_H
#define HARNESS_PLAN_H

#include <stdio.h>
#include "harness/scenario.h"
#include "netns/nat_model.h"
#include "netns/topology.h"

#define PLAN_NAME_MAX 64

struct plan_wire {
	char name[PLAN_NAME_MAX]; /* "vps-inet"; the capture is named for it */
	size_t link;		  /* of the topology */
	int place;		  /* enum wire_place */
	struct sc_impairment impairment;
	const struct sc_node *nat; /* the node at one end whose NAT box is the wire's part; NULL */
};

struct plan_endpoint {
	const struct sc_endpoint *sc;
	const char *peer;   /* the daemon: the scenario's, or --peer's */
	const char *config; /* swanctl.conf, substituted */
};

struct plan_peer { /* --peer NODE=DAEMON */
	const char *node, *peer;
};

struct plan_options {
	uint64_t seed;
	const struct plan_peer *peers;
	size_t peers_count;
};

struct plan {
	const struct scenario *scenario;
	uint64_t seed;
	struct topology topology;
	struct plan_wire *wires;
	size_t wires_count;
	struct plan_endpoint *endpoints;
	size_t endpoints_count;
};

/* The plan's memory is the scenario's. ERR_SYNTAX: "FILE:LINE: ...". */
int plan_make(const struct scenario *scenario, const struct plan_options *options,
	      struct plan *ret_plan, struct err_msg *msg);
void plan_print(const struct plan *plan, FILE *out);

/* "DESTINATION [via ADDRESS] [dev INTERFACE]", as `ip route add` takes it; text is cut up, and the
 * route points into it. False: it is none. */
bool plan_read_route(const char *node, char *text, struct topo_route *ret_route);
/* "beetd", "strongswan" */
bool plan_is_daemon(const char *name);

/* NULL if there is none. */
const struct plan_wire *plan_find_wire(const struct plan *plan, const char *name);
const struct plan_endpoint *plan_find_endpoint(const struct plan *plan, const char *node);
/* The node that has an address; NULL. */
const char *plan_node_of(const struct plan *plan, const struct ip_addr *addr);
/* True if the kernel's masquerading is not enough for it, and a model takes its place. */
bool sc_nat_is_modelled(const struct sc_nat *nat);
/* The model of a node's NAT box. ERR_SYNTAX: it has no outside address. */
int plan_nat_params(const struct plan *plan, const char *node, const struct sc_nat *nat,
		    struct nat_params *ret_params, struct err_msg *msg);
/* True if a step shifts the clock of that node. */
bool plan_shifts_clock(const struct plan *plan, const char *node);
/* True if no world but sim can do what the scenario asks. */
bool plan_needs_sim(const struct plan *plan);
/* One line on a step, as a person would say it. Returns buf. */
const char *step_describe(const struct sc_step *step, char *buf, size_t cap);
/* "loss 2%, delay 10 ms"; "perfect". Returns buf. */
const char *impairment_describe(const struct sc_impairment *impairment, char *buf, size_t cap);

#endif
