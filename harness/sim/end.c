/* end.c - the life of an end: what vpn/daemon/{env,perform,loop}.c do for beetd, done for the
 * simulated world.
 *
 * The node's clock is the end's own (clock.h), its chance the end's own stream, which goes on when
 * the daemon is killed and started again, so that no number is drawn twice. Datagrams of IKE leave
 * with the non-ESP marker from the NAT-T port. Commands go through a control session, as swanctl's
 * would; answers are parsed from its octets.
 *
 * Invariant: after every call into the node or the control, all actions are carried out.
 *
 * Ownership: the end has node, control, session, SAs; its spec's network is the world's. */
#include "harness/sim/end_internal.h"
#include "harness/sim/packet_make.h"
#include "vpn/base/proto.h"
#include "vpn/wire/packet/icmp.h"
#include "vpn/wire/packet/natt.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int end_random(void *ctx, uint8_t *buf, size_t n)
{
	struct sim_end *end = ctx;
	uint64_t word = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (i % 8 == 0)
			word = sim_rng_next(&end->rng);
		buf[i] = (uint8_t)(word >> i % 8 * 8);
	}
	return 0;
}

static int64_t env_wall(void *ctx, uint64_t now)
{
	(void)ctx;
	return SIM_EPOCH + (int64_t)((now - SIM_CLOCK_START) / 1000000);
}

static bool env_source_for(void *ctx, const struct ip_addr *remote, struct ip_addr *ret_local)
{
	struct sim_end *end = ctx;

	return sim_net_source_for(end->spec.net, end->spec.node, remote, ret_local);
}

static bool env_sa_stats(void *ctx, uint32_t spi, bool inbound, struct ipsec_sa_stats *ret_stats)
{
	return end_esp_stats(ctx, spi, inbound, ret_stats);
}

int sim_end_new(const struct sim_end_spec *spec, struct sim_end **ret_end, struct err_msg *msg)
{
	struct sim_end *end = calloc(1, sizeof(*end));

	if (!end)
		return err_set(msg, ERR_NOMEM, "out of memory");
	end->spec = *spec;
	end->clock.ppm = spec->ppm;
	end->rng = sim_rng_init(spec->seed, SIM_RNG_NODE, spec->node);
	*ret_end = end;
	return 0;
}

void sim_end_free(struct sim_end *end)
{
	if (!end)
		return;
	sim_end_kill(end);
	if (end->records) {
		events_close(&end->events);
		keylog_close(&end->keylog);
	}
	free(end);
}

int sim_end_record(struct sim_end *end, const char *dir, struct err_msg *msg)
{
	char path[4096];
	int err;

	end->records = true;
	snprintf(path, sizeof(path), "%s/events/%s.jsonl", dir, sim_end_name(end));
	err = events_open(&end->events, path, msg);
	snprintf(path, sizeof(path), "%s/keys/%s", dir, sim_end_name(end));
	if (err == 0)
		err = keylog_open(&end->keylog, path, msg);
	if (err == 0 && end->node)
		node_log_keys(end->node, true);
	return err;
}

static uint64_t local_now(const struct sim_end *end)
{
	return sim_clock_read(&end->clock, end->now);
}

/* Captures, keys and events of all ends carry the world's time. */
static uint64_t unix_now(const struct sim_end *end)
{
	return (uint64_t)(SIM_EPOCH * 1000000 + end->now / LINK_US);
}

/* --- actions --- */

void end_send_udp(struct sim_end *end, const struct endpoint *local, const struct endpoint *remote,
		  bool marker, struct view data)
{
	uint8_t *buf = malloc(SIM_PACKET_MAX);
	size_t len = buf ? packet_udp(buf, local, remote, NULL, marker, data) : 0;

	if (len)
		sim_net_send(end->spec.net, end->spec.node, buf, len, end->now);
	free(buf);
}

static void perform_send(struct sim_end *end, const struct ike_action *a)
{
	bool marker = a->send.local.port == end->spec.options->port_natt;

	end->spec.hooks.ike_sent(end->spec.hooks.arg, end->spec.node, a->send.datagram);
	end_send_udp(end, &a->send.local, &a->send.remote, marker, a->send.datagram);
}

static void perform_keepalive(struct sim_end *end, const struct ike_action *a)
{
	static const uint8_t octet = NATT_KEEPALIVE;

	end_send_udp(end, &a->send.local, &a->send.remote, false, (struct view){&octet, 1});
}

static void perform_install(struct sim_end *end, const struct ike_action *a)
{
	uint32_t child_id = a->install->child_id;
	struct err_msg msg;

	if (end_esp_install(end, a->install, &msg) < 0)
		node_install_failed(end->node, child_id, msg.text, local_now(end));
	else if (end->records)
		keylog_esp(&end->keylog, a->install, unix_now(end));
}

static void perform_event(struct sim_end *end, const struct ike_action *a)
{
	end->event_counts[a->event.kind % SIM_EVENT_KINDS]++;
	if (end->records)
		events_write(&end->events, &a->event, unix_now(end));
	end->spec.hooks.event(end->spec.hooks.arg, end->spec.node, &a->event);
}

static void perform(struct sim_end *end, const struct ike_action *a)
{
	switch (a->type) {
	case IKE_ACTION_SEND:
		perform_send(end, a);
		break;
	case IKE_ACTION_KEEPALIVE:
		perform_keepalive(end, a);
		break;
	case IKE_ACTION_SA_INSTALL:
		perform_install(end, a);
		break;
	case IKE_ACTION_SA_REMOVE:
		end_esp_remove(end, a->remove.spi, a->remove.inbound, a->remove.child_id);
		break;
	case IKE_ACTION_SA_UPDATE:
		end_esp_update(end, a);
		break;
	case IKE_ACTION_EVENT:
		perform_event(end, a);
		break;
	case IKE_ACTION_KEYS:
		if (end->records)
			keylog_ike(&end->keylog, a->ike_id, &a->keys, unix_now(end));
		break;
	case IKE_ACTION_TRAP_ADD:
		end_esp_trap_add(end, a);
		break;
	case IKE_ACTION_TRAP_REMOVE:
		end_esp_trap_remove(end, a->trap.id);
		break;
	case IKE_ACTION_LOG:
	case IKE_ACTION_INTERFACE:
		break;
	}
}

void end_perform(struct sim_end *end)
{
	const struct ike_action *a;

	while (end->node && (a = node_next_action(end->node))) {
		control_action(end->control, a, local_now(end));
		perform(end, a);
	}
}

/* --- the daemon --- */

bool sim_end_is_running(const struct sim_end *end)
{
	return end->node != NULL;
}

int sim_end_start(struct sim_end *end, int64_t now, struct err_msg *msg)
{
	const struct node_env env = {.ctx = end,
				     .random = end_random,
				     .wall = env_wall,
				     .source_for = env_source_for,
				     .sa_stats = env_sa_stats};
	const struct control_env control = {.ctx = end,
					    .daemon = "beetd",
					    .version = "sim",
					    .sysname = "sim",
					    .release = "0",
					    .machine = "sim",
					    .wall = env_wall};

	if (end->node)
		return err_set(msg, ERR_STATE, "%s is running already", sim_end_name(end));
	end->now = now;
	end->node = node_new(&env, end->spec.options);
	if (end->node)
		end->control = control_new(end->node, &control, local_now(end));
	if (end->control)
		end->session = control_session_new(end->control);
	if (!end->session || end_esp_open(end) < 0) {
		sim_end_kill(end);
		return err_set(msg, ERR_NOMEM, "out of memory");
	}
	node_log_keys(end->node, end->records);
	return 0;
}

void sim_end_kill(struct sim_end *end)
{
	control_free(end->control); /* with its sessions */
	node_free(end->node);
	end_esp_close(end);
	vici_stream_free(&end->answers);
	end->control = NULL;
	end->session = NULL;
	end->node = NULL;
	end->answers = (struct vici_stream){0};
}

void sim_end_stop(struct sim_end *end, int64_t now)
{
	end->now = now;
	node_stop(end->node, local_now(end));
	end_perform(end);
}

int64_t sim_end_next(const struct sim_end *end)
{
	uint64_t node, control;

	if (!end->node)
		return LINK_NEVER;
	node = node_next_deadline(end->node);
	control = control_next_deadline(end->control);
	return sim_clock_when(&end->clock, node < control ? node : control);
}

void sim_end_expire(struct sim_end *end, int64_t now)
{
	if (!end->node)
		return;
	end->now = now;
	node_expire(end->node, local_now(end));
	end_perform(end);
	control_expire(end->control, local_now(end));
	end_perform(end);
}

/* --- from the network --- */

static void take_ike(struct sim_end *end, const struct endpoint *local,
		     const struct endpoint *remote, struct view datagram)
{
	control_received(end->control, datagram);
	node_input(end->node, local, remote, datagram, local_now(end));
	end_perform(end);
}

void sim_end_udp(struct sim_end *end, const struct endpoint *local, const struct endpoint *remote,
		 uint8_t *data, size_t len, int64_t now)
{
	const struct outer_hdr outer = {.no_id = true};
	enum natt_kind kind = natt_classify(data, len);

	if (!end->node)
		return;
	end->now = now;
	if (kind == NATT_KEEP_ALIVE)
		return;
	if (local->port == end->spec.options->port)
		take_ike(end, local, remote, (struct view){data, len});
	else if (kind == NATT_IKE)
		take_ike(end, local, remote,
			 (struct view){data + NON_ESP_MARKER_LEN, len - NON_ESP_MARKER_LEN});
	else if (kind == NATT_ESP)
		/* the IP and UDP headers in front may be overwritten */
		end_esp_input(end, remote, data, len, IPV4_HDR_LEN + 8, &outer);
}

void sim_end_esp(struct sim_end *end, uint8_t *data, const struct ip_info *ip, int64_t now)
{
	const struct outer_hdr outer = {
	    .tos = ip->tos, .ttl = ip->ttl, .id = ip->id, .frag_off = ip->frag_off};
	const struct endpoint from = {.addr = ip->sel.src};

	if (!end->node)
		return;
	end->now = now;
	end_esp_input(end, &from, data + ip->l4_off, ip->total_len - ip->l4_off, ip->l4_off,
		      &outer);
}

/* --- commands --- */

static void write_line(struct vici_writer *v, char *line)
{
	char *value = strstr(line, " = ");

	if (!value)
		return;
	*value = '\0';
	vici_value_str(v, line, value + 3);
}

int sim_end_command(struct sim_end *end, const char *command, const char *text, int64_t now,
		    struct err_msg *msg)
{
	char copy[512], *rest = copy, *line;
	struct vici_writer v = {0};
	struct view frame;
	int err;

	if (!end->node)
		return err_set(msg, ERR_STATE, "%s is not running", sim_end_name(end));
	end->now = now;
	/* answers that nobody has waited for */
	control_session_sent(end->session, control_session_output(end->session).len);
	vici_stream_free(&end->answers);
	snprintf(copy, sizeof(copy), "%s", text);
	vici_begin(&v, VICI_CMD_REQUEST, command);
	while ((line = strsep(&rest, "\n")))
		write_line(&v, line);
	err = vici_finish(&v, &frame);
	if (err == 0)
		err = control_session_input(end->session, frame, local_now(end));
	vici_writer_free(&v);
	end_perform(end);
	return err < 0 ? err_set(msg, err, "%s: %s", command, err_text(err)) : 0;
}

static int judge(const struct vici_packet *packet, struct err_msg *msg)
{
	struct vici_tree tree;
	const char *success, *why;
	int err = vici_parse(packet->message, &tree, msg);

	if (err < 0)
		return err;
	success = vici_text(tree.root, "success");
	why = vici_text(tree.root, "errmsg");
	if (success && strcmp(success, "yes") != 0)
		err = err_set(msg, ERR_STATE, "%s", why ? why : "refused");
	vici_tree_free(&tree);
	return err;
}

int sim_end_answered(struct sim_end *end, struct err_msg *msg)
{
	struct vici_packet packet;
	struct view octets, frame;
	int err;

	if (!end->session)
		return err_set(msg, ERR_STATE, "%s was killed", sim_end_name(end));
	octets = control_session_output(end->session);
	if (octets.len)
		err = vici_stream_add(&end->answers, octets.p, octets.len);
	control_session_sent(end->session, octets.len);
	err = vici_stream_next(&end->answers, &frame);
	if (err == 0)
		err = vici_packet_parse(frame, &packet, msg);
	if (err < 0)
		return err;
	return packet.type == VICI_CMD_RESPONSE ? judge(&packet, msg) : ERR_AGAIN;
}

/* --- parts --- */

struct node *sim_end_node(const struct sim_end *end)
{
	return end->node;
}

const char *sim_end_name(const struct sim_end *end)
{
	return end->spec.plan->sc->node;
}

size_t sim_end_place(const struct sim_end *end)
{
	return end->spec.node;
}

size_t sim_end_sas(const struct sim_end *end)
{
	return end->sas_count;
}

const struct sim_sa *sim_end_sa(const struct sim_end *end, size_t i)
{
	return &end->sas[i]->sa;
}

uint64_t sim_end_now(const struct sim_end *end, int64_t now)
{
	return sim_clock_read(&end->clock, now);
}

const uint64_t *sim_end_drops(const struct sim_end *end)
{
	return end->drops;
}

unsigned sim_end_events(const struct sim_end *end, const char *name)
{
	unsigned kind;

	for (kind = 0; kind <= EVENT_DROPPED; kind++)
		if (strcmp(ike_event_name((enum ike_event_kind)kind), name) == 0)
			return end->event_counts[kind];
	return 0;
}
