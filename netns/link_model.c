/* link_model.c - takes a packet through what its direction of the link does, in a fixed order.
 *
 *	down? --> aim? --> fragment? --> MTU --> rate, queue --> loss --> corrupt --> duplicate --+
 *	  |        |          |           |           |           |                               |
 *	  +--------+----------+-----------+- dropped -+-----------+          delay, jitter, order |
 *	                                  |                                                       |
 *	                       ICMP error, back                    out of the queue when due <----+
 *
 * The terms: a packet is what was sent; a piece is the packet or one of the fragments that the MTU
 * makes of it; an item is one copy of a piece on its way. Chance is drawn by packet and fragment
 * number, so each impairment's draws stay its own whatever the others do.
 *
 * Invariant: every packet that was sent ends in exactly one record for each piece and copy of it:
 * through on_drop, or with its delivery.
 *
 * Ownership: the model has its items; a popped one stays until the next call. */
#include "netns/link_model.h"
#include "netns/link_aims.h"
#include "netns/link_queue.h"
#include "netns/link_rate.h"
#include "netns/link_rng.h"
#include "vpn/wire/packet/frag.h"
#include "vpn/wire/packet/icmp.h"
#include <stdlib.h>
#include <string.h>

#define REORDER_WAIT (100 * LINK_MS)
#define FRAGMENT_MAX (1U << 14) /* 65,535 octets in steps of 8 make 8,192 */

struct change {
	int64_t at;
	struct link_params params;
};

struct outage {
	int64_t from, until;
};

struct link_model {
	struct link_model_spec spec;
	struct link_params params;
	struct link_rng rng;
	struct link_aims aims;
	struct link_rate rate;
	struct link_queue queue;
	struct change *changes; /* to come, by time */
	size_t changes_count;
	struct outage *outages;
	size_t outages_count;
	uint64_t number;
	bool is_burst;
	int64_t last_due;  /* of those that keep their order */
	int64_t next_icmp; /* not before */
	struct link_item *popped;
	struct link_counters counters;
};

/* A packet on its way in. */
struct packet {
	struct link_frame frame;
	struct link_record record; /* as far as it is known */
	const struct link_aim *aim;
};

/* The packet, or a fragment of it. */
struct piece {
	const struct packet *packet;
	struct link_frame frame;
	struct link_record record;
	uint64_t index; /* for the draws */
	int64_t sent;	/* has left the sender */
};

int link_model_new(const struct link_model_spec *spec, struct link_model **ret_model,
		   struct err_msg *msg)
{
	struct link_model *model;
	int err = link_params_check(&spec->params, msg);

	if (err < 0)
		return err;
	model = calloc(1, sizeof(*model));
	if (!model)
		return err_set(msg, ERR_NOMEM, "out of memory");
	model->spec = *spec;
	model->params = spec->params;
	model->rng = link_rng_init(spec->seed, spec->dir);
	*ret_model = model;
	return 0;
}

void link_model_free(struct link_model *model)
{
	struct link_item *item;

	if (!model)
		return;
	while ((item = link_queue_take_any(&model->queue)))
		free(item);
	free(model->popped);
	link_aims_free(&model->aims);
	link_rate_free(&model->rate);
	free(model->changes);
	free(model->outages);
	free(model);
}

int link_model_set(struct link_model *model, const struct link_params *params, struct err_msg *msg)
{
	int err = link_params_check(params, msg);

	if (err < 0)
		return err;
	model->params = *params;
	model->is_burst &= params->burst.to_bad > 0;
	return 0;
}

int link_model_schedule(struct link_model *model, int64_t at, const struct link_params *params,
			struct err_msg *msg)
{
	struct change *changes;
	size_t i = model->changes_count;
	int err = link_params_check(params, msg);

	if (err < 0)
		return err;
	changes = realloc(model->changes, (i + 1) * sizeof(*changes));
	if (!changes)
		return err_set(msg, ERR_NOMEM, "out of memory");
	for (; i > 0 && changes[i - 1].at > at; i--)
		changes[i] = changes[i - 1];
	changes[i] = (struct change){.at = at, .params = *params};
	model->changes = changes;
	model->changes_count++;
	return 0;
}

int link_model_outage(struct link_model *model, int64_t from, int64_t until)
{
	struct outage *outages =
	    realloc(model->outages, (model->outages_count + 1) * sizeof(*outages));

	if (!outages)
		return ERR_NOMEM;
	outages[model->outages_count++] = (struct outage){.from = from, .until = until};
	model->outages = outages;
	return 0;
}

int link_model_aim(struct link_model *model, const struct link_aim *aim, struct err_msg *msg)
{
	return link_aims_add(&model->aims, model->spec.framing, aim, msg);
}

static void apply_changes(struct link_model *model, int64_t now)
{
	size_t due = 0;

	while (due < model->changes_count && model->changes[due].at <= now)
		link_model_set(model, &model->changes[due++].params, NULL);
	if (due == 0)
		return;
	model->changes_count -= due;
	memmove(model->changes, model->changes + due,
		model->changes_count * sizeof(*model->changes));
}

static bool is_down(struct link_model *model, int64_t now)
{
	bool is_out = model->params.down;
	size_t i;

	for (i = 0; i < model->outages_count; i++)
		is_out |= model->outages[i].from <= now && now < model->outages[i].until;
	return is_out;
}

/* The state changes after a packet has met it; the first meets a good one. */
static bool is_lost_in_burst(struct link_model *model, uint64_t index)
{
	const struct link_burst *burst = &model->params.burst;
	double loss;

	if (!(burst->to_bad > 0))
		return false;
	loss = !model->is_burst ? burst->loss_good : burst->loss_bad > 0 ? burst->loss_bad : 1;
	if (link_rng_hits(&model->rng, LINK_STREAM_BURST_STATE, index,
			  model->is_burst ? burst->to_good : burst->to_bad))
		model->is_burst = !model->is_burst;
	return link_rng_hits(&model->rng, LINK_STREAM_BURST_LOSS, index, loss);
}

static void drop(struct link_model *model, struct link_record *record, enum link_reason reason)
{
	record->reason = reason;
	if (!(record->did & (LINK_DID_NEIGHBOUR | LINK_DID_ICMP)))
		model->counters.dropped[reason]++;
	if (model->spec.on_drop)
		model->spec.on_drop(model->spec.arg, record);
}

static struct link_item *make_item(const struct link_frame *frame, const struct link_record *record,
				   int64_t due)
{
	struct link_item *item = malloc(sizeof(*item) + frame->len);

	if (!item)
		return NULL;
	*item = (struct link_item){.due = due, .record = *record, .len = frame->len};
	memcpy(item->data, frame->data, frame->len);
	return item;
}

/* Back to the sender, if the parameters let an ICMP error through. */
static int answer_too_big(struct link_model *model, const struct packet *packet)
{
	const struct link_params *params = &model->params;
	const struct ip_addr *source =
	    packet->frame.info.version == 4 ? &params->icmp_source4 : &params->icmp_source6;
	uint8_t buf[LINK_ETH_LEN + ICMP6_ERROR_MAX];
	struct link_frame error = {.data = buf};
	struct link_record record = packet->record;
	struct link_item *item;

	if (params->icmp == LINK_ICMP_FILTERED ||
	    (params->icmp == LINK_ICMP_LIMITED && record.time_in < model->next_icmp))
		return 0;
	if (link_frame_too_big(&packet->frame, params->mtu, source, buf, sizeof(buf), &error.len) <
	    0)
		return 0;
	if (params->icmp == LINK_ICMP_LIMITED)
		model->next_icmp =
		    record.time_in + (int64_t)((double)LINK_S / params->icmp_per_second);
	record.did |= LINK_DID_ICMP;
	item = make_item(&error, &record, record.time_in);
	if (!item)
		return ERR_NOMEM;
	item->back = true;
	model->counters.icmp++;
	return link_queue_push(&model->queue, item);
}

static int64_t vary_delay(const struct link_model *model, uint64_t index)
{
	const struct link_params *params = &model->params;
	double unit;
	int64_t delay = params->delay;

	if (params->jitter > 0) {
		unit = link_rng_unit(&model->rng, LINK_STREAM_JITTER, index);
		delay += (int64_t)((2 * unit - 1) * (double)params->jitter);
	}
	return delay > 0 ? delay : 0;
}

static int hold_back(struct link_model *model, struct link_item *item, unsigned gap, int64_t wait)
{
	item->behind = gap ? gap : 1;
	item->due += wait ? wait : REORDER_WAIT;
	link_queue_set_aside(&model->queue, item);
	return 0;
}

static int hold(struct link_model *model, struct link_item *item, int64_t longest)
{
	item->behind = 0;
	item->due = longest ? item->record.time_in + longest : LINK_NEVER;
	item->record.did |= LINK_DID_HOLD;
	model->counters.held_by_aim++;
	link_queue_set_aside(&model->queue, item);
	return 0;
}

static int pass_in_order(struct link_model *model, struct link_item *item)
{
	unsigned moved = 0;
	int64_t due = item->due;
	int err;

	if (!model->params.jitter_reorders && due < model->last_due)
		item->due = due = model->last_due;
	if (due > model->last_due)
		model->last_due = due;
	err = link_queue_push(&model->queue, item);
	if (err == 0)
		err = link_queue_passed(&model->queue, due, &moved);
	model->counters.reordered += moved;
	return err;
}

/* Where in time the copy gets out, and whether it keeps its place among the others. */
static int dispatch(struct link_model *model, const struct piece *piece, struct link_item *item)
{
	const struct link_params *params = &model->params;
	const struct link_aim *aim = piece->packet->aim;

	if (aim && aim->act == LINK_ACT_HOLD)
		return hold(model, item, aim->delay);
	if (aim && aim->act == LINK_ACT_REORDER)
		return hold_back(model, item, aim->gap, aim->delay);
	if (aim && aim->act == LINK_ACT_DELAY) {
		item->due += aim->delay;
		item->record.did |= LINK_DID_DELAY;
		model->counters.delayed_by_aim++;
		return link_queue_push(&model->queue, item);
	}
	if (link_rng_hits(&model->rng, LINK_STREAM_REORDER, piece->index, params->reorder))
		return hold_back(model, item, params->reorder_gap, params->reorder_wait);
	return pass_in_order(model, item);
}

static unsigned count_copies(struct link_model *model, const struct piece *piece)
{
	const struct link_aim *aim = piece->packet->aim;
	unsigned copies = 1;

	if (aim && aim->act == LINK_ACT_DUPLICATE)
		copies += aim->gap ? aim->gap : 1;
	if (link_rng_hits(&model->rng, LINK_STREAM_DUPLICATE, piece->index,
			  model->params.duplicate))
		copies++;
	return copies;
}

static void corrupt(struct link_model *model, const struct piece *piece, struct link_item *item)
{
	const struct link_params *params = &model->params;
	const struct link_aim *aim = piece->packet->aim;
	uint64_t random = link_rng_draw(&model->rng, LINK_STREAM_CORRUPT_BITS, piece->index);

	if (!(aim && aim->act == LINK_ACT_CORRUPT) &&
	    !link_rng_hits(&model->rng, LINK_STREAM_CORRUPT, piece->index, params->corrupt))
		return;
	if (!link_frame_corrupt(&piece->frame, item->data,
				params->corrupt_bits ? params->corrupt_bits : 1,
				params->corrupt_resum, random))
		return;
	item->record.did |= LINK_DID_CORRUPT;
	model->counters.corrupted += item->record.copy == 0;
}

static int deliver_copies(struct link_model *model, struct piece *piece)
{
	int64_t due = piece->sent + vary_delay(model, piece->index);
	unsigned copy, copies = count_copies(model, piece);
	struct link_item *item;
	int err = 0;

	model->counters.duplicates += copies - 1;
	for (copy = 0; copy < copies && err == 0; copy++) {
		piece->record.copy = copy;
		if (copy == 1)
			piece->record.did |= LINK_DID_DUPLICATE;
		item = make_item(&piece->frame, &piece->record, due);
		if (!item)
			return ERR_NOMEM;
		corrupt(model, piece, item);
		err = dispatch(model, piece, item);
	}
	return err;
}

static int transmit(struct link_model *model, const struct packet *packet,
		    const struct link_frame *frame, unsigned fragment)
{
	struct piece piece = {.packet = packet,
			      .frame = *frame,
			      .record = packet->record,
			      .index = packet->record.number * FRAGMENT_MAX + fragment};
	int64_t now = packet->record.time_in;
	bool is_lost, is_burst_lost;
	int err;

	piece.record.fragment = fragment;
	if (frame != &packet->frame)
		piece.record.did |= LINK_DID_FRAGMENTED;
	err =
	    link_rate_take(&model->rate, &model->params, link_frame_size(frame), now, &piece.sent);
	if (err == ERR_NOMEM)
		return err;
	/* The state of the channel goes on also when another impairment takes the packet. */
	is_burst_lost = is_lost_in_burst(model, piece.index);
	is_lost = link_rng_hits(&model->rng, LINK_STREAM_LOSS, piece.index, model->params.loss);
	if (err < 0 || is_lost || is_burst_lost) {
		drop(model, &piece.record, err < 0 ? LINK_QUEUE : is_lost ? LINK_LOSS : LINK_BURST);
		return 0;
	}
	return deliver_copies(model, &piece);
}

/* RFC 791 §3.2: IPv4 without DF is cut to size. */
static int transmit_fragments(struct link_model *model, const struct packet *packet,
			      const struct ipv4_frag_plan *plan)
{
	const struct link_frame *whole = &packet->frame;
	uint8_t *buf = malloc(whole->ip_off + whole->info.hdr_len + plan->per);
	struct link_frame frame = {.data = buf, .ip_off = whole->ip_off, .has_ip = true};
	int err = buf ? 0 : ERR_NOMEM;
	size_t i;

	model->counters.fragments += plan->n - 1;
	for (i = 0; i < plan->n && err == 0; i++) {
		memcpy(buf, whole->data, whole->ip_off);
		ipv4_fragment(whole->data + whole->ip_off, &whole->info, plan, i,
			      buf + whole->ip_off);
		frame.len = whole->ip_off + ipv4_frag_len(&whole->info, plan, i);
		link_frame_read(model->spec.framing, frame.data, frame.len, &frame);
		err = transmit(model, packet, &frame, (unsigned)i);
	}
	free(buf);
	return err;
}

static int pass_mtu(struct link_model *model, struct packet *packet)
{
	const struct link_params *params = &model->params;
	struct ipv4_frag_plan plan;
	int err;

	if (!params->mtu || !packet->frame.has_ip || packet->frame.info.total_len <= params->mtu)
		return transmit(model, packet, &packet->frame, 0);
	if (ipv4_frag_plan(&packet->frame.info, params->mtu, &plan) == 0)
		return transmit_fragments(model, packet, &plan);
	err = answer_too_big(model, packet);
	drop(model, &packet->record, LINK_TOO_BIG);
	return err;
}

static int send_neighbour(struct link_model *model, struct packet *packet)
{
	struct link_item *item;

	model->counters.neighbours_in++;
	packet->record.did |= LINK_DID_NEIGHBOUR;
	if (is_down(model, packet->record.time_in)) {
		drop(model, &packet->record, LINK_DOWN);
		return 0;
	}
	item = make_item(&packet->frame, &packet->record, packet->record.time_in);
	return item ? link_queue_push(&model->queue, item) : ERR_NOMEM;
}

static int send_traffic(struct link_model *model, struct packet *packet)
{
	struct link_record *record = &packet->record;

	record->number = ++model->number;
	model->counters.in++;
	packet->aim = link_aims_choose(&model->aims, &packet->frame, record->time_in);
	if (packet->aim)
		strcpy(record->aim, packet->aim->name);
	if (is_down(model, record->time_in))
		drop(model, record, LINK_DOWN);
	else if (packet->aim && packet->aim->act == LINK_ACT_DROP)
		drop(model, record, LINK_AIMED);
	else if (model->params.drop_fragments && packet->frame.info.fragment)
		drop(model, record, LINK_FRAGMENT);
	else
		return pass_mtu(model, packet);
	return 0;
}

int link_model_send(struct link_model *model, const uint8_t *data, size_t len, uint64_t frame_in,
		    int64_t now)
{
	struct packet packet = {.record = {.dir = model->spec.dir,
					   .frame_in = frame_in,
					   .time_in = now,
					   .time_due = now,
					   .len_in = len}};

	apply_changes(model, now);
	link_frame_read(model->spec.framing, data, len, &packet.frame);
	return packet.frame.is_neighbour ? send_neighbour(model, &packet)
					 : send_traffic(model, &packet);
}

int64_t link_model_next(const struct link_model *model)
{
	return link_queue_next(&model->queue);
}

static void count_out(struct link_model *model, const struct link_record *record, int change)
{
	if (record->did & LINK_DID_NEIGHBOUR)
		model->counters.neighbours_out += (uint64_t)change;
	else if (!(record->did & LINK_DID_ICMP))
		model->counters.delivered += (uint64_t)change;
}

bool link_model_pop(struct link_model *model, int64_t now, struct link_delivery *ret_delivery)
{
	struct link_item *item = link_queue_pop(&model->queue, now);

	free(model->popped);
	model->popped = item;
	if (!item)
		return false;
	item->record.reason = LINK_DELIVERED;
	item->record.time_due = item->due;
	item->record.time_out = now;
	item->record.len_out = item->len;
	count_out(model, &item->record, 1);
	*ret_delivery = (struct link_delivery){
	    .data = item->data, .len = item->len, .back = item->back, .record = item->record};
	return true;
}

void link_model_refuse(struct link_model *model, struct link_delivery *delivery)
{
	count_out(model, &delivery->record, -1);
	drop(model, &delivery->record, LINK_REFUSED);
}

int link_model_release(struct link_model *model, const char *aim, int64_t now,
		       unsigned *ret_released)
{
	link_aims_end_hold(&model->aims, aim);
	return link_queue_release(&model->queue, aim, now, ret_released);
}

void link_model_stop(struct link_model *model, int64_t now)
{
	struct link_item *item;

	while ((item = link_queue_take_any(&model->queue))) {
		item->record.time_due = item->due;
		item->record.time_out = now;
		drop(model, &item->record, LINK_STOP);
		free(item);
	}
}

void link_model_counters(const struct link_model *model, struct link_counters *ret_counters)
{
	const struct link_item *item;
	uint64_t held = 0;

	for (item = model->queue.aside; item; item = item->next)
		held += item->behind == 0;
	*ret_counters = model->counters;
	ret_counters->held = held;
	ret_counters->pending = model->queue.count + model->queue.aside_count - held;
}
