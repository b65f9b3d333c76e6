/* test_nat_box.c - the NAT box at the end of a wire: which frames it translates, turns round,
 * keeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "netns/link_params.h"
#include "netns/nat_box.h"
#include "vpn/base/proto.h"
#include "vpn/base/writer.h"
#include "vpn/wire/packet/ip.h"
#include "vpn/wire/packet/octets.h"

#define ETHER	  14
#define UDP_LEN	  8
#define DATA_LEN  20
#define FRAME_LEN (ETHER + IPV4_HDR_LEN + UDP_LEN + DATA_LEN)
#define PIECE	  16 /* octets of the first fragment; a multiple of 8 */

static const char gateway[] = "192.168.1.2", other[] = "192.168.1.28",
		  box_outside[] = "198.51.100.2", vps[] = "203.0.113.10",
		  stranger[] = "203.0.113.66";

struct packet {
	const char *src;
	uint16_t src_port;
	const char *dst;
	uint16_t dst_port;
	uint16_t fragment; /* flags and offset */
	uint8_t proto;
};

static void make(uint8_t frame[FRAME_LEN], const struct packet *p)
{
	struct writer w = wr_init(frame, FRAME_LEN);
	struct ip_addr src, dst;
	struct ip_info ip;

	assert_int_equal(ip_addr_parse(p->src, &src), 0);
	assert_int_equal(ip_addr_parse(p->dst, &dst), 0);
	wr_bytes(&w, "\2\0\0\0\0\1\2\0\0\0\0\2\x08\0", ETHER);
	wr_u32(&w, 0x45000000U | (FRAME_LEN - ETHER));
	wr_u32(&w, p->fragment);
	wr_u32(&w, 64U << 24 | (uint32_t)p->proto << 16);
	wr_bytes(&w, src.b, 4);
	wr_bytes(&w, dst.b, 4);
	wr_u16(&w, p->src_port);
	wr_u16(&w, p->dst_port);
	wr_u16(&w, UDP_LEN + DATA_LEN);
	wr_u16(&w, 0);
	wr_zero(&w, DATA_LEN);
	assert_true(wr_ok(&w));
	ipv4_set_checksum(frame + ETHER, IPV4_HDR_LEN);
	assert_int_equal(ip_parse(frame + ETHER, FRAME_LEN - ETHER, &ip), 0);
	if (p->proto == IP_PROTO_UDP && !p->fragment)
		wr_patch16(&w, ETHER + IPV4_HDR_LEN + 6, ip_l4_checksum(frame + ETHER, &ip));
}

/* The packet has these ends, and its checksums are right. */
static void expect(const uint8_t frame[FRAME_LEN], const char *src, uint16_t src_port,
		   const char *dst, uint16_t dst_port)
{
	char text[2][IP_ADDR_STRLEN];
	struct ip_info ip;

	assert_int_equal(ip_parse(frame + ETHER, FRAME_LEN - ETHER, &ip), 0);
	assert_string_equal(ip_addr_format(&ip.sel.src, text[0], sizeof(text[0])), src);
	assert_string_equal(ip_addr_format(&ip.sel.dst, text[1], sizeof(text[1])), dst);
	assert_int_equal(ip.sel.src_port, src_port);
	assert_int_equal(ip.sel.dst_port, dst_port);
	assert_true(ipv4_checksum_ok(frame + ETHER, IPV4_HDR_LEN));
	assert_int_equal(ip_l4_checksum(frame + ETHER, &ip), 0);
}

static struct nat_box *new_box(bool hairpin)
{
	struct nat_box_spec spec = {.params = {.mapping = NAT_ENDPOINT_INDEPENDENT,
					       .filtering = NAT_ADDRESS_DEPENDENT,
					       .preserve_ports = true,
					       .hairpin = hairpin},
				    .inside_bits = 24};
	struct nat_box *box;

	assert_int_equal(ip_addr_parse(box_outside, &spec.params.outside), 0);
	assert_int_equal(ip_addr_parse("192.168.1.0", &spec.inside), 0);
	assert_int_equal(nat_box_new(&spec, &box), 0);
	return box;
}

static enum nat_box_verdict out(struct nat_box *box, uint8_t frame[FRAME_LEN],
				const struct packet *p)
{
	make(frame, p);
	return nat_box_out(box, frame, FRAME_LEN, 0);
}

static enum nat_box_verdict in(struct nat_box *box, uint8_t frame[FRAME_LEN],
			       const struct packet *p)
{
	make(frame, p);
	return nat_box_in(box, frame, FRAME_LEN, 0);
}

static const struct packet question = {gateway, 4500, vps, 4500, 0, IP_PROTO_UDP};
static const struct packet answer = {vps, 4500, box_outside, 4500, 0, IP_PROTO_UDP};

static void inside_packets_get_the_outside_address_and_answers_come_back(void **state)
{
	struct nat_box *box = new_box(false);
	uint8_t frame[FRAME_LEN];

	(void)state;
	assert_int_equal(out(box, frame, &question), NAT_BOX_PASS);
	expect(frame, box_outside, 4500, vps, 4500);
	assert_int_equal(in(box, frame, &answer), NAT_BOX_PASS);
	expect(frame, vps, 4500, gateway, 4500);
	nat_box_free(box);
}

/* RFC 4787 §5, REQ-8; and after a reboot nobody's answer is known. */
static void what_no_mapping_lets_in_stays_outside(void **state)
{
	const struct packet strangers[] = {{stranger, 4500, box_outside, 4500, 0, IP_PROTO_UDP},
					   {vps, 4500, box_outside, 4501, 0, IP_PROTO_UDP},
					   {vps, 4500, gateway, 4500, 0, IP_PROTO_UDP}};
	struct nat_box *box = new_box(false);
	uint8_t frame[FRAME_LEN];
	size_t i;

	(void)state;
	assert_int_equal(out(box, frame, &question), NAT_BOX_PASS);
	for (i = 0; i < sizeof(strangers) / sizeof(*strangers); i++)
		assert_int_equal(in(box, frame, &strangers[i]), NAT_BOX_DROP);
	assert_int_equal(in(box, frame, &answer), NAT_BOX_PASS);
	nat_box_reboot(box);
	assert_int_equal(in(box, frame, &answer), NAT_BOX_DROP);
	assert_int_equal(nat_box_counted(box)->filtered, 4);
	nat_box_free(box);
}

static void what_is_the_nodes_own_passes_as_it_is(void **state)
{
	const struct packet own = {box_outside, 53, vps, 53, 0, IP_PROTO_UDP},
			    ping = {vps, 0x0800, box_outside, 0, 0, IP_PROTO_ICMP};
	uint8_t frame[FRAME_LEN], before[FRAME_LEN];
	struct nat_box *box = new_box(false);

	(void)state;
	assert_int_equal(out(box, frame, &own), NAT_BOX_PASS);
	expect(frame, box_outside, 53, vps, 53);
	make(before, &ping);
	assert_int_equal(in(box, frame, &ping), NAT_BOX_PASS);
	assert_memory_equal(frame, before, FRAME_LEN);
	memcpy(frame + 12, "\x08\x06", 2); /* ARP */
	memcpy(before, frame, FRAME_LEN);
	assert_int_equal(nat_box_out(box, frame, FRAME_LEN, 0), NAT_BOX_PASS);
	assert_memory_equal(frame, before, FRAME_LEN);
	nat_box_free(box);
}

/* RFC 4787 §6, REQ-9: with the outside address as its source. */
static void a_packet_to_a_neighbour_is_turned_round(void **state)
{
	const struct packet to_neighbour = {other, 4500, NAT_BOX_HAIRPIN, 4500, 0, IP_PROTO_UDP},
			    back = {gateway, 4500, NAT_BOX_HAIRPIN, 0, 0, IP_PROTO_UDP};
	struct nat_box *box = new_box(true);
	struct packet reply = back;
	uint8_t frame[FRAME_LEN];
	struct ip_info ip;

	(void)state;
	assert_int_equal(out(box, frame, &question), NAT_BOX_PASS);
	/* the box filters by address: the gateway must have spoken to this one, too */
	assert_int_equal(out(box, frame, &to_neighbour), NAT_BOX_DROP);
	reply.dst_port = 9;
	assert_int_equal(out(box, frame, &reply), NAT_BOX_DROP);
	assert_int_equal(out(box, frame, &to_neighbour), NAT_BOX_BACK);
	assert_memory_equal(frame, "\2\0\0\0\0\2\2\0\0\0\0\1", 12);
	assert_int_equal(ip_parse(frame + ETHER, FRAME_LEN - ETHER, &ip), 0);
	assert_int_not_equal(ip.sel.src_port, 4500); /* that one is the gateway's */
	expect(frame, box_outside, ip.sel.src_port, gateway, 4500);
	reply.dst_port = ip.sel.src_port;
	assert_int_equal(out(box, frame, &reply), NAT_BOX_BACK);
	expect(frame, box_outside, 4500, other, 4500);
	nat_box_free(box);
}

static void set_fragment(uint8_t frame[FRAME_LEN], uint16_t flags_and_offset, size_t payload)
{
	struct writer w = wr_over(frame, FRAME_LEN);

	wr_patch16(&w, ETHER + 2, IPV4_HDR_LEN + payload);
	wr_patch16(&w, ETHER + 6, flags_and_offset);
	ipv4_set_checksum(frame + ETHER, IPV4_HDR_LEN);
}

/* The packet in two fragments: UDP header and 8 octets, and the rest. */
static void make_two(uint8_t first[FRAME_LEN], uint8_t second[FRAME_LEN], const struct packet *p)
{
	make(first, p);
	memcpy(second, first, FRAME_LEN);
	memmove(second + ETHER + IPV4_HDR_LEN, second + ETHER + IPV4_HDR_LEN + PIECE,
		UDP_LEN + DATA_LEN - PIECE);
	set_fragment(first, 0x2000, PIECE);
	set_fragment(second, PIECE / 8, UDP_LEN + DATA_LEN - PIECE);
}

/* Both are right by themselves, and are that packet when they are put together. */
static void expect_two(uint8_t first[FRAME_LEN], uint8_t second[FRAME_LEN], const char *src,
		       uint16_t src_port, const char *dst, uint16_t dst_port)
{
	assert_true(ipv4_checksum_ok(first + ETHER, IPV4_HDR_LEN));
	assert_true(ipv4_checksum_ok(second + ETHER, IPV4_HDR_LEN));
	assert_memory_equal(first + ETHER + 12, second + ETHER + 12, 8); /* addresses */
	memcpy(first + ETHER + IPV4_HDR_LEN + PIECE, second + ETHER + IPV4_HDR_LEN,
	       UDP_LEN + DATA_LEN - PIECE);
	set_fragment(first, 0, UDP_LEN + DATA_LEN);
	expect(first, src, src_port, dst, dst_port);
}

/* RFC 4787 §11. */
static void fragments_follow_the_first_of_their_packet(void **state)
{
	const struct packet to_box = {vps, 4500, box_outside, 9999, 0, IP_PROTO_UDP};
	struct nat_box *box = new_box(false);
	uint8_t first[FRAME_LEN], second[FRAME_LEN];

	(void)state;
	make_two(first, second, &question);
	assert_int_equal(nat_box_out(box, second, FRAME_LEN, 0), NAT_BOX_DROP); /* too early */
	assert_int_equal(nat_box_out(box, first, FRAME_LEN, 0), NAT_BOX_PASS);
	assert_int_equal(nat_box_out(box, second, FRAME_LEN, 0), NAT_BOX_PASS);
	expect_two(first, second, box_outside, 4500, vps, 4500);
	make_two(first, second, &answer);
	assert_int_equal(nat_box_in(box, first, FRAME_LEN, 0), NAT_BOX_PASS);
	assert_int_equal(nat_box_in(box, second, FRAME_LEN, 0), NAT_BOX_PASS);
	expect_two(first, second, vps, 4500, gateway, 4500);
	nat_box_free(box);
	/* The first one is filtered, and what follows it, too. */
	box = new_box(false);
	make_two(first, second, &to_box);
	assert_int_equal(nat_box_in(box, first, FRAME_LEN, 0), NAT_BOX_DROP);
	assert_int_equal(nat_box_in(box, second, FRAME_LEN, 0), NAT_BOX_DROP);
	nat_box_free(box);
}

/* After half a minute the number may be another packet's; a reboot forgets at once. */
static void fragments_are_not_waited_for_for_ever(void **state)
{
	struct nat_box *box = new_box(false);
	uint8_t first[FRAME_LEN], second[FRAME_LEN];

	(void)state;
	make_two(first, second, &question);
	assert_int_equal(nat_box_out(box, first, FRAME_LEN, 0), NAT_BOX_PASS);
	assert_int_equal(nat_box_out(box, second, FRAME_LEN, 30 * LINK_S), NAT_BOX_DROP);
	make_two(first, second, &question);
	assert_int_equal(nat_box_out(box, first, FRAME_LEN, 30 * LINK_S), NAT_BOX_PASS);
	nat_box_reboot(box);
	assert_int_equal(nat_box_out(box, second, FRAME_LEN, 30 * LINK_S), NAT_BOX_DROP);
	nat_box_free(box);
}

static void what_cannot_be_translated_does_not_pass(void **state)
{
	const struct packet fragment = {gateway, 4500, vps, 4500, 0x0002, IP_PROTO_UDP},
			    hairpin = {gateway, 4500, NAT_BOX_HAIRPIN, 4500, 0, IP_PROTO_UDP};
	struct nat_box *box = new_box(false);
	uint8_t frame[FRAME_LEN];

	(void)state;
	assert_int_equal(out(box, frame, &fragment), NAT_BOX_DROP);
	assert_int_equal(out(box, frame, &hairpin), NAT_BOX_DROP);
	assert_int_equal(nat_box_counted(box)->refused, 2);
	nat_box_free(box);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(inside_packets_get_the_outside_address_and_answers_come_back),
	    cmocka_unit_test(what_no_mapping_lets_in_stays_outside),
	    cmocka_unit_test(what_is_the_nodes_own_passes_as_it_is),
	    cmocka_unit_test(a_packet_to_a_neighbour_is_turned_round),
	    cmocka_unit_test(fragments_follow_the_first_of_their_packet),
	    cmocka_unit_test(fragments_are_not_waited_for_for_ever),
	    cmocka_unit_test(what_cannot_be_translated_does_not_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
