/* nat_box.c - Ethernet around nat_packet.h: which frames are the box's, and what becomes of them.
 *
 * Outwards, the source decides: what an inside host sends is translated, what the node itself sends
 * (ARP, ICMP errors, its own packets) is not. Inwards, the destination: the outside address is
 * looked up in the table, an inside address in the clear is an intruder, everything else is the
 * node's. Pings of the outside address that fit no mapping are the node's, too. */
#include "netns/nat_box.h"

#include <stdlib.h>
#include <string.h>

#include "netns/link_frame.h"
#include "netns/nat_fragments.h"
#include "netns/nat_packet.h"
#include "vpn/base/proto.h"
#include "vpn/wire/packet/octets.h"

#define MAC_LEN 6

struct nat_box {
	struct nat_box_spec spec;
	struct nat_model *model;
	struct ip_addr hairpin;
	struct nat_fragments fragments;
	struct nat_box_counters counters;
};

int nat_box_new(const struct nat_box_spec *spec, struct nat_box **ret_box)
{
	struct nat_box *box = calloc(1, sizeof(*box));
	int err = box ? nat_model_new(&spec->params, &box->model) : ERR_NOMEM;

	if (err < 0) {
		free(box);
		return err;
	}
	box->spec = *spec;
	ip_addr_parse(NAT_BOX_HAIRPIN, &box->hairpin);
	*ret_box = box;
	return 0;
}

void nat_box_free(struct nat_box *box)
{
	if (box)
		nat_model_free(box->model);
	free(box);
}

void nat_box_reboot(struct nat_box *box)
{
	nat_model_reboot(box->model);
	box->fragments = (struct nat_fragments){0};
}

const struct nat_box_counters *nat_box_counted(const struct nat_box *box)
{
	return &box->counters;
}

static bool is_inside(const struct nat_box *box, const struct ip_addr *addr)
{
	return ip_addr_in_prefix(addr, &box->spec.inside, box->spec.inside_bits);
}

static bool read_v4(const uint8_t *frame, size_t len, struct link_frame *ret_frame)
{
	link_frame_read(LINK_ETHERNET, frame, len, ret_frame);
	return ret_frame->has_ip && ret_frame->info.version == 4;
}

/* By the table; the later fragments of a packet by its first one. */
static int translate(struct nat_box *box,
		     int (*by_table)(struct nat_model *, uint8_t *, size_t, int64_t), uint8_t *data,
		     const struct ip_info *ip, int64_t now)
{
	const struct nat_train *train;
	struct ip_info after;
	int err;

	if (ip->later_fragment) {
		train = nat_fragments_find(&box->fragments, ip, now);
		if (!train)
			return ERR_NOT_FOUND;
		nat_packet_readdress(data, ip->total_len, &train->to_src, &train->to_dst);
		return 0;
	}
	err = by_table(box->model, data, ip->total_len, now);
	if (err == 0 && ip->fragment && ip_parse(data, ip->total_len, &after) == 0)
		nat_fragments_note(&box->fragments, ip, &after.sel.src, &after.sel.dst, now);
	return err;
}

static void turn_round(uint8_t *frame)
{
	uint8_t mac[MAC_LEN];

	memcpy(mac, frame, MAC_LEN);
	memcpy(frame, frame + MAC_LEN, MAC_LEN);
	memcpy(frame + MAC_LEN, mac, MAC_LEN);
}

static enum nat_box_verdict hairpin(struct nat_box *box, uint8_t *frame,
				    const struct link_frame *seen, int64_t now)
{
	if (translate(box, nat_packet_hairpin, frame + seen->ip_off, &seen->info, now) < 0) {
		box->counters.refused++;
		return NAT_BOX_DROP;
	}
	turn_round(frame);
	box->counters.hairpinned++;
	return NAT_BOX_BACK;
}

enum nat_box_verdict nat_box_out(struct nat_box *box, uint8_t *frame, size_t len, int64_t now)
{
	struct link_frame seen;

	if (!read_v4(frame, len, &seen) || !is_inside(box, &seen.info.sel.src))
		return NAT_BOX_PASS;
	if (ip_addr_eq(&seen.info.sel.dst, &box->hairpin))
		return hairpin(box, frame, &seen, now);
	if (translate(box, nat_packet_out, frame + seen.ip_off, &seen.info, now) < 0) {
		box->counters.refused++;
		return NAT_BOX_DROP;
	}
	box->counters.out++;
	return NAT_BOX_PASS;
}

enum nat_box_verdict nat_box_in(struct nat_box *box, uint8_t *frame, size_t len, int64_t now)
{
	struct link_frame seen;
	bool to_box;

	if (!read_v4(frame, len, &seen))
		return NAT_BOX_PASS;
	to_box = ip_addr_eq(&seen.info.sel.dst, nat_model_outside(box->model));
	if (to_box && translate(box, nat_packet_in, frame + seen.ip_off, &seen.info, now) == 0) {
		box->counters.in++;
		return NAT_BOX_PASS;
	}
	if (is_inside(box, &seen.info.sel.dst) || (to_box && seen.info.proto != IP_PROTO_ICMP)) {
		box->counters.filtered++;
		return NAT_BOX_DROP;
	}
	return NAT_BOX_PASS;
}
