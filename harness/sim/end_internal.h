/* end_internal.h - what the files of an end share: end.c lives, end_esp.c is its data plane,
 * end_load.c its configuration. */
#ifndef HARNESS_SIM_END_INTERNAL_H
#define HARNESS_SIM_END_INTERNAL_H

#include "harness/sim/end.h"
#include "vpn/control/control.h"
#include "vpn/daemon/events.h"
#include "vpn/daemon/keylog.h"
#include "vpn/dataplane/hold.h"
#include "vpn/esp/sa.h"
#include "vpn/esp/sad.h"
#include "vpn/esp/seal.h"
#include "vpn/esp/spd.h"

#define SIM_EVENT_KINDS 32

struct esp_entry {
	struct sim_sa sa;
	struct esp_sa *esp;
	struct endpoint moved_to; /* reported already */
};

struct trap_entry {
	uint32_t id;
	struct ts_list local_ts, remote_ts;
};

struct sim_end {
	struct sim_end_spec spec;
	struct sim_clock clock;
	struct sim_rng rng;
	int64_t now;

	struct node *node;
	struct control *control;
	struct control_session *session;
	struct vici_stream answers;

	struct sad *sad;
	struct spd *spd;
	struct esp_entry **sas;
	size_t sas_count;
	struct trap_entry **traps;
	size_t traps_count;
	struct hold hold; /* what has hit a trap */
	uint64_t installed;

	struct events events;
	struct keylog keylog;
	bool records;
	uint64_t drops[ESP_DROP_COUNT];
	unsigned event_counts[SIM_EVENT_KINDS];
};

/* end_esp.c */
int end_esp_open(struct sim_end *end);
void end_esp_close(struct sim_end *end);
int end_esp_install(struct sim_end *end, const struct ipsec_sa *desc, struct err_msg *msg);
void end_esp_remove(struct sim_end *end, uint32_t spi, bool inbound, uint32_t child_id);
void end_esp_update(struct sim_end *end, const struct ike_action *action);
bool end_esp_stats(const struct sim_end *end, uint32_t spi, bool inbound,
		   struct ipsec_sa_stats *ret_stats);
int end_esp_trap_add(struct sim_end *end, const struct ike_action *action);
void end_esp_trap_remove(struct sim_end *end, uint32_t id);
void end_esp_input(struct sim_end *end, const struct endpoint *from, uint8_t *data, size_t len,
		   size_t headroom, const struct outer_hdr *outer);

/* end.c */
void end_perform(struct sim_end *end);
/* Sends a UDP datagram. */
void end_send_udp(struct sim_end *end, const struct endpoint *local, const struct endpoint *remote,
		  bool marker, struct view data);
int end_random(void *ctx, uint8_t *buf, size_t n);

#endif
