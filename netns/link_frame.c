/* link_frame.c - classifies a packet, answers one that is too large, damages one.
 *
 * Neighbour discovery, ARP, multicast membership and the like are set apart: they come when the
 * kernels' timers say, so counting them with the traffic would make the n-th packet of two runs
 * different ones, and losing them would break the emulation rather than impair the path.
 *
 * Damage goes behind the transport header, so that the packet still reaches whom it is for; with
 * the checksum mended (RFC 1624) also the application, as an error of a router's memory would.
 *
 * Ownership: nothing is kept and nothing is allocated. */
#include "netns/link_frame.h"
#include "netns/link_rng.h"
#include "vpn/base/proto.h"
#include "vpn/wire/packet/csum.h"
#include "vpn/wire/packet/icmp.h"
#include "vpn/wire/packet/octets.h"
#include <string.h>

enum { ETHERTYPE_IP4 = 0x0800, ETHERTYPE_IP6 = 0x86dd, PROTO_IGMP = 2 };
enum { ICMP6_MLD_QUERY = 130, ICMP6_REDIRECT = 137, ICMP6_MLD2_REPORT = 143 };
enum { UDP_LEN = 8, ICMP_LEN = 8, TCP_MIN_LEN = 20, ESP_LEN = 8 };

static bool stays_on_link(const struct ip_info *info)
{
	unsigned type = info->sel.src_port >> 8; /* ICMP: type and code (vpn/wire/packet/ip.c) */

	if (info->version == 4)
		return info->proto == PROTO_IGMP;
	return info->proto == IP_PROTO_ICMP6 && info->sel.have_ports &&
	       ((type >= ICMP6_MLD_QUERY && type <= ICMP6_REDIRECT) || type == ICMP6_MLD2_REPORT);
}

void link_frame_read(enum link_framing framing, const uint8_t *data, size_t len,
		     struct link_frame *ret_frame)
{
	struct link_frame frame = {.data = data, .len = len};
	uint16_t type;

	if (framing == LINK_ETHERNET) {
		frame.ip_off = len < LINK_ETH_LEN ? len : LINK_ETH_LEN;
		type = get_u16(data, len, 12);
		frame.is_neighbour = type != ETHERTYPE_IP4 && type != ETHERTYPE_IP6;
	}
	if (!frame.is_neighbour)
		frame.has_ip = ip_parse(data + frame.ip_off, len - frame.ip_off, &frame.info) == 0;
	if (frame.has_ip)
		frame.is_neighbour = stays_on_link(&frame.info);
	*ret_frame = frame;
}

/* The Ethernet header of an answer. */
static void turn_around(const uint8_t *from, uint8_t *to)
{
	memcpy(to, from + 6, 6);
	memcpy(to + 6, from, 6);
	memcpy(to + 12, from + 12, 2);
}

int link_frame_too_big(const struct link_frame *frame, unsigned mtu, const struct ip_addr *source,
		       uint8_t *buf, size_t cap, size_t *ret_len)
{
	struct ip_info info = frame->info;
	size_t off = frame->ip_off, len;
	int err;

	if (cap < off)
		return ERR_SPACE;
	if (ip_addr_is_set(source))
		info.sel.dst = *source;
	err = icmp_too_big(frame->data + off, frame->len - off, &info, mtu, buf + off, cap - off,
			   &len);
	if (err < 0)
		return err;
	if (off)
		turn_around(frame->data, buf);
	*ret_len = off + len;
	return 0;
}

struct transport {
	size_t header; /* octets that stay whole */
	int checksum;  /* offset in them; -1: none */
};

static struct transport transport_of(const struct link_frame *frame)
{
	const uint8_t *ip = frame->data + frame->ip_off;
	size_t l4 = frame->info.l4_off, len = frame->info.total_len;

	if (frame->info.later_fragment)
		return (struct transport){0, -1};
	switch (frame->info.proto) {
	case IP_PROTO_UDP:
		/* RFC 768: 0 means that the sender made none. */
		return (struct transport){UDP_LEN, get_u16(ip, len, l4 + 6) ? 6 : -1};
	case IP_PROTO_TCP:
		return (struct transport){(get_u16(ip, len, l4 + 12) >> 12) * 4U, 16};
	case IP_PROTO_ICMP:
	case IP_PROTO_ICMP6:
		return (struct transport){ICMP_LEN, 2};
	case IP_PROTO_ESP:
		return (struct transport){ESP_LEN, -1};
	default:
		return (struct transport){0, -1};
	}
}

static void flip(uint8_t *l4, size_t len, size_t bit, int checksum)
{
	size_t at = bit / 8, word = at & ~(size_t)1;
	bool odd_end = word + 1 >= len; /* RFC 1071: padded with zero */
	struct writer w = wr_over(l4, len);
	uint16_t before, after;

	before = (uint16_t)(l4[word] << 8 | (odd_end ? 0 : l4[word + 1]));
	l4[at] ^= (uint8_t)(1U << (bit % 8));
	after = (uint16_t)(l4[word] << 8 | (odd_end ? 0 : l4[word + 1]));
	if (checksum >= 0)
		wr_patch16(&w, (size_t)checksum,
			   csum_update16(get_u16(l4, len, (size_t)checksum), before, after));
}

bool link_frame_corrupt(const struct link_frame *frame, uint8_t *data, unsigned bits, bool resum,
			uint64_t random)
{
	struct transport transport;
	size_t l4_len;
	uint8_t *l4;
	unsigned i;

	if (!frame->has_ip)
		return false;
	transport = transport_of(frame);
	l4 = data + frame->ip_off + frame->info.l4_off;
	l4_len = frame->info.total_len - frame->info.l4_off;
	if (l4_len <= transport.header)
		return false;
	for (i = 0; i < bits; i++) {
		size_t bit = random % ((l4_len - transport.header) * 8);

		flip(l4, l4_len, transport.header * 8 + bit, resum ? transport.checksum : -1);
		random = link_rng_mix(random + LINK_RNG_GAMMA);
	}
	return true;
}
