/* end.h - one end of a tunnel in the simulated world: the real node and control of vpn/, loaded
 * from the scenario's swanctl.conf, with the real ESP code as its data plane.
 *
 * An end does what beetd does around the node (vpn/daemon): it performs actions, lends a clock,
 * randomness and routes, and speaks vici to itself. It ends like a process: sim_end_kill forgets
 * everything at once; what its host has (clock, chance, files) stays. */
#ifndef HARNESS_SIM_END_H
#define HARNESS_SIM_END_H

#include "harness/sim/clock.h"
#include "harness/sim/net.h"
#include "harness/sim/rng.h"
#include "vpn/ike/options.h"
#include "vpn/node/node.h"

struct sim_end;

/* An SA as it is installed: what both ends must agree about. */
struct sim_sa {
	struct ipsec_sa desc;
	uint32_t child_id;
	uint64_t number; /* of installation in this end's life */
	/* For whoever watches what is sent (rules.h). */
	uint64_t last_seq, last_iv;
	bool has_iv;
};

struct sim_end_hooks {
	void *arg;
	/* A packet that came out of the tunnel, for this host or another behind it. */
	void (*received)(void *arg, size_t node, uint8_t *data, size_t len,
			 const struct sim_sa *by);
	/* Before an inner packet is sealed. */
	void (*sealing)(void *arg, size_t node, const uint8_t *data, const struct ip_info *ip,
			const struct sim_sa *by);
	/* A datagram of IKE leaves, without the non-ESP marker. */
	void (*ike_sent)(void *arg, size_t node, struct view datagram);
	/* An SA was installed. */
	void (*installed)(void *arg, size_t node, const struct sim_sa *sa);
	/* An ESP packet leaves, from the SPI on. */
	void (*esp_sent)(void *arg, size_t node, struct sim_sa *sa, const uint8_t *esp, size_t len);
	void (*event)(void *arg, size_t node, const struct ike_event *event);
};

struct sim_end_spec {
	const struct plan_endpoint *plan;
	size_t node;
	uint64_t seed;
	int ppm; /* of its clock */
	struct sim_net *net;
	struct sim_end_hooks hooks;
	const struct ike_options *options;
	const struct conf_fs *fs; /* where its credentials are */
};

int sim_end_new(const struct sim_end_spec *spec, struct sim_end **ret_end, struct err_msg *msg);
void sim_end_free(struct sim_end *end);
/* Keys and events from now on: DIR/keys/NODE, DIR/events/NODE.jsonl. ERR_IO. */
int sim_end_record(struct sim_end *end, const char *dir, struct err_msg *msg);

/* The daemon: started, loaded, killed. All take the world's time. */
int sim_end_start(struct sim_end *end, int64_t now, struct err_msg *msg);
void sim_end_kill(struct sim_end *end);
int sim_end_load(struct sim_end *end, int64_t now, struct err_msg *msg);
bool sim_end_is_running(const struct sim_end *end);

int64_t sim_end_next(const struct sim_end *end); /* LINK_NEVER */
void sim_end_expire(struct sim_end *end, int64_t now);

/* A UDP datagram to an IKE port, or an ESP packet. */
void sim_end_udp(struct sim_end *end, const struct endpoint *local, const struct endpoint *remote,
		 uint8_t *data, size_t len, int64_t now);
void sim_end_esp(struct sim_end *end, uint8_t *data, const struct ip_info *ip, int64_t now);
/* A packet of the host or from behind it: true if the tunnel has it (or dropped it). */
bool sim_end_take(struct sim_end *end, uint8_t *data, const struct ip_info *ip, int64_t now);
/* The path to a peer carries no more than mtu. */
void sim_end_path_mtu(struct sim_end *end, const struct ip_addr *to, unsigned mtu);

/* A vici command: `text` has lines "key = value". ret_words: the daemon's, on failure. The answer
 * may come later: sim_end_answered. */
int sim_end_command(struct sim_end *end, const char *command, const char *text, int64_t now,
		    struct err_msg *msg);
/* 0: yes; ERR_AGAIN: not yet; ERR_STATE: it said no, msg has its words. */
int sim_end_answered(struct sim_end *end, struct err_msg *msg);
void sim_end_stop(struct sim_end *end, int64_t now); /* as SIGTERM; sim_end_kill then ends it */

struct node *sim_end_node(const struct sim_end *end); /* NULL: not running */
const char *sim_end_name(const struct sim_end *end);
size_t sim_end_place(const struct sim_end *end);
size_t sim_end_sas(const struct sim_end *end);
const struct sim_sa *sim_end_sa(const struct sim_end *end, size_t i);
uint64_t sim_end_now(const struct sim_end *end, int64_t now);
/* Dropped packets by reason since the start of the world. */
const uint64_t *sim_end_drops(const struct sim_end *end);
unsigned sim_end_events(const struct sim_end *end, const char *name);

#endif
