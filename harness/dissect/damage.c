/* damage.c - between the passes over frames and over IKE messages: datagrams that no receiver
 * takes, because their UDP checksum is wrong (RFC 768, RFC 1122 §4.1.3.4). What stands in them
 * nobody said.
 *
 * A capture at the sender may show checksums that the network card has yet to fill in: the sum of
 * the pseudo header alone, or anything at all. So a wrong one counts only where a right one of the
 * same sender was seen at the same place, and never if it is that sum. A checksum of 0 is none:
 * ESP in UDP is sent so (RFC 3948 §2.1). */
#include "harness/dissect/internal.h"
#include "vpn/base/proto.h"
#include "vpn/wire/packet/csum.h"
#include "vpn/wire/packet/octets.h"

#define UDP_CHECKSUM 6

enum checksum { CHECKSUM_NONE, CHECKSUM_RIGHT, CHECKSUM_WRONG };

static enum checksum checksum_of(const struct fact_frame *frame)
{
	const struct ip_info *ip = &frame->ip;
	size_t l4_len = ip->total_len - ip->l4_off;
	uint16_t stands;

	if (ip->proto != IP_PROTO_UDP)
		return CHECKSUM_NONE;
	stands = get_u16(frame->packet.p, frame->packet.len, ip->l4_off + UDP_CHECKSUM);
	if (!stands ||
	    stands == csum_fold(csum_pseudo(ip->sel.src.b, ip->sel.dst.b, ip_addr_len(&ip->sel.src),
					    IP_PROTO_UDP, l4_len)))
		return CHECKSUM_NONE;
	return ip_l4_checksum(frame->packet.p, ip) ? CHECKSUM_WRONG : CHECKSUM_RIGHT;
}

static uint64_t sender_hash(const struct fact_frame *frame)
{
	uint64_t h = hash_number(HASH_START, frame->place);

	return hash_octets(h, frame->src.addr.b, ip_addr_len(&frame->src.addr));
}

static int note(struct map *sums, const struct fact_frame *frame)
{
	return checksum_of(frame) == CHECKSUM_RIGHT ? map_put(sums, sender_hash(frame), 1) : 0;
}

static bool is_damaged(const struct map *sums, const struct fact_frame *frame)
{
	return checksum_of(frame) == CHECKSUM_WRONG &&
	       map_get(sums, sender_hash(frame)) != SIZE_MAX;
}

int damage_pass(struct dissector *d)
{
	struct facts *f = d->f;
	struct map sums = {0};
	size_t i;
	int err = 0;

	for (i = 0; !err && i < f->n_ike; i++)
		err = note(&sums, &f->frames[f->ike[i].frame]);
	for (i = 0; !err && i < f->n_ike; i++)
		f->ike[i].damaged = is_damaged(&sums, &f->frames[f->ike[i].frame]);
	for (i = 0; !err && i < f->n_esp; i++)
		f->esp[i].damaged =
		    f->esp[i].encap && is_damaged(&sums, &f->frames[f->esp[i].frame]);
	map_free(&sums);
	return err;
}
