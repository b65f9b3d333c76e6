/* nat_packet.c - reads a packet's transport addresses, asks the table, writes the new ones.
 *
 * Checksums are updated incrementally (RFC 1624), so that a packet which was damaged before it came
 * here stays damaged. An ICMP error belongs to the flow of the packet that it quotes (RFC 5508
 * §4.2): the quoted source is what this box made of it, so the error goes to the inside host and
 * the quotation gets that host's address back; the quoted transport checksum is left alone, as the
 * quotation is usually cut. */
#include "netns/nat_packet.h"
#include "vpn/base/proto.h"
#include "vpn/wire/packet/csum.h"
#include "vpn/wire/packet/octets.h"
#include <string.h>

enum { AT_CSUM4 = 10, AT_SRC4 = 12, AT_DST4 = 16, ADDR4 = 4 };
enum { UDP_CSUM = 6, TCP_CSUM = 16, ICMP_CSUM = 2, ICMP_ID = 4, ICMP_HDR = 8 };
enum { ICMP_ECHO_REPLY = 0, ICMP_ECHO = 8 };

/* Where a packet keeps what identifies its flow. */
struct place {
	size_t src_port, dst_port, csum; /* offsets; 0: there is none */
	bool pseudo;			 /* the checksum covers the addresses */
};

static void patch_csum(uint8_t *data, size_t len, size_t at, uint16_t from, uint16_t to)
{
	struct writer w = wr_over(data, len);
	uint16_t old = get_u16(data, len, at);

	wr_patch16(&w, at, csum_update16(old, from, to));
}

static void patch16(uint8_t *data, size_t len, size_t at, uint16_t to, const struct place *p)
{
	struct writer w = wr_over(data, len);
	uint16_t from = get_u16(data, len, at);

	wr_patch16(&w, at, to);
	if (p->csum && p->csum + 2 <= len)
		patch_csum(data, len, p->csum, from, to);
}

static void patch_addr(uint8_t *data, size_t len, size_t at, const struct ip_addr *to,
		       const struct place *p)
{
	size_t i;

	for (i = 0; i < ADDR4; i += 2) {
		uint16_t from = get_u16(data, len, at + i);
		uint16_t now = get_u16(to->b, ADDR4, i);

		patch_csum(data, len, AT_CSUM4, from, now);
		if (p->csum && p->pseudo && p->csum + 2 <= len)
			patch_csum(data, len, p->csum, from, now);
	}
	memcpy(data + at, to->b, ADDR4);
}

static bool is_echo(const uint8_t *data, size_t len, const struct ip_info *ip)
{
	uint8_t type = (uint8_t)(get_u16(data, len, ip->l4_off) >> 8);

	return ip->proto == IP_PROTO_ICMP && (type == ICMP_ECHO || type == ICMP_ECHO_REPLY);
}

static struct place find_places(const uint8_t *data, size_t len, const struct ip_info *ip)
{
	struct place p = {0};

	if (ip->proto == IP_PROTO_UDP || ip->proto == IP_PROTO_TCP) {
		p.src_port = ip->l4_off;
		p.dst_port = ip->l4_off + 2;
		p.csum = ip->l4_off + (ip->proto == IP_PROTO_UDP ? UDP_CSUM : TCP_CSUM);
		p.pseudo = true;
		/* RFC 768: no checksum was made */
		if (ip->proto == IP_PROTO_UDP && get_u16(data, len, p.csum) == 0)
			p.csum = 0;
	} else if (is_echo(data, len, ip)) {
		p.src_port = p.dst_port = ip->l4_off + ICMP_ID;
		p.csum = ip->l4_off + ICMP_CSUM;
	}
	return p;
}

/* The remote end of an echo has no port: the identifier is the inside's. */
static struct nat_flow find_flow(const uint8_t *data, size_t len, const struct ip_info *ip,
				 const struct place *p)
{
	struct nat_flow flow = {
	    .proto = ip->proto, .src.addr = ip->sel.src, .dst.addr = ip->sel.dst};

	flow.src.port = p->src_port ? get_u16(data, len, p->src_port) : 0;
	flow.dst.port = p->dst_port ? get_u16(data, len, p->dst_port) : 0;
	return flow;
}

/* What the table is asked of a packet, and where its answer goes. */
struct packet {
	struct ip_info ip;
	struct place at;
	struct nat_flow flow;
	bool echo;
};

static int read_packet(const uint8_t *data, size_t len, struct packet *ret_packet)
{
	struct packet p = {0};

	if (ip_parse(data, len, &p.ip))
		return ERR_SYNTAX;
	if (p.ip.version != 4 || p.ip.later_fragment)
		return ERR_UNSUPPORTED;
	p.at = find_places(data, len, &p.ip);
	p.flow = find_flow(data, len, &p.ip, &p.at);
	p.echo = is_echo(data, len, &p.ip);
	*ret_packet = p;
	return 0;
}

int nat_packet_out(struct nat_model *nat, uint8_t *data, size_t len, int64_t now)
{
	struct endpoint outside;
	struct packet p;
	int err = read_packet(data, len, &p);

	if (err < 0)
		return err;
	if (p.echo)
		p.flow.dst.port = 0;
	err = nat_model_out(nat, &p.flow, now, &outside);
	if (err < 0)
		return err;
	patch_addr(data, len, AT_SRC4, &outside.addr, &p.at);
	if (p.at.src_port)
		patch16(data, len, p.at.src_port, outside.port, &p.at);
	return 0;
}

/* An ICMP error: by the packet that it quotes, seen from the other side. */
static int error_in(struct nat_model *nat, uint8_t *data, size_t len, const struct ip_info *ip,
		    int64_t now)
{
	static const struct place none;
	size_t at = ip->l4_off + ICMP_HDR, n = len > at ? len - at : 0;
	uint8_t *quoted = data + at;
	struct nat_flow flow = {0};
	struct endpoint inside;
	struct ip_addr src, dst;
	struct writer w;
	size_t l4;
	int err;

	if (n < IPV4_HDR_LEN || quoted[0] >> 4 != 4)
		return ERR_NOT_FOUND;
	src = ip_addr_from_v4(quoted + AT_SRC4);
	dst = ip_addr_from_v4(quoted + AT_DST4);
	l4 = (size_t)(quoted[0] & 15) * 4;
	flow = (struct nat_flow){.proto = quoted[9], .src.addr = dst, .dst.addr = src};
	if (flow.proto == IP_PROTO_UDP || flow.proto == IP_PROTO_TCP) {
		flow.src.port = get_u16(quoted, n, l4 + 2);
		flow.dst.port = get_u16(quoted, n, l4);
	}
	err = nat_model_in(nat, &flow, now, &inside);
	if (err < 0)
		return err;
	patch_addr(data, len, AT_DST4, &inside.addr, &none);
	patch_addr(quoted, n, AT_SRC4, &inside.addr, &none);
	if (flow.dst.port)
		patch16(quoted, n, l4, inside.port, &none);
	w = wr_over(data, len);
	wr_patch16(&w, ip->l4_off + ICMP_CSUM, 0);
	wr_patch16(&w, ip->l4_off + ICMP_CSUM,
		   csum_finish(csum_add(0, data + ip->l4_off, len - ip->l4_off)));
	return 0;
}

int nat_packet_in(struct nat_model *nat, uint8_t *data, size_t len, int64_t now)
{
	struct endpoint inside;
	struct packet p;
	int err = read_packet(data, len, &p);

	if (err < 0)
		return err;
	if (ip_is_icmp_error(data, len, &p.ip))
		return p.ip.fragment ? ERR_UNSUPPORTED
				     : error_in(nat, data, p.ip.total_len, &p.ip, now);
	if (p.echo)
		p.flow.src.port = 0;
	err = nat_model_in(nat, &p.flow, now, &inside);
	if (err < 0)
		return err;
	patch_addr(data, len, AT_DST4, &inside.addr, &p.at);
	if (p.at.dst_port)
		patch16(data, len, p.at.dst_port, inside.port, &p.at);
	return 0;
}

int nat_packet_hairpin(struct nat_model *nat, uint8_t *data, size_t len, int64_t now)
{
	struct nat_flow behind;
	struct packet p;
	int err = read_packet(data, len, &p);

	if (err < 0)
		return err;
	if (!p.at.src_port || p.echo)
		return ERR_UNSUPPORTED;
	p.flow.dst.addr = *nat_model_outside(nat);
	err = nat_model_hairpin(nat, &p.flow, now, &behind);
	if (err < 0)
		return err;
	patch_addr(data, len, AT_SRC4, &behind.src.addr, &p.at);
	patch16(data, len, p.at.src_port, behind.src.port, &p.at);
	patch_addr(data, len, AT_DST4, &behind.dst.addr, &p.at);
	patch16(data, len, p.at.dst_port, behind.dst.port, &p.at);
	return 0;
}

void nat_packet_readdress(uint8_t *data, size_t len, const struct ip_addr *src,
			  const struct ip_addr *dst)
{
	static const struct place none;

	patch_addr(data, len, AT_SRC4, src, &none);
	patch_addr(data, len, AT_DST4, dst, &none);
}
