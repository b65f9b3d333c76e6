/* Captures to facts: link layers, fragments, broken input, TCP. Keys are in test_keys; what the
 * reference captures give as a whole is in test_pcaps. */
#include "harness/tests/pcaps.h"

#include <pcap/dlt.h>

#include "harness/dissect/rewrite.h"
#include "vpn/base/writer.h"
#include "vpn/wire/payload.h"

#define LINKTYPE_SLL2 276

/* A capture file in memory. */
struct file {
	uint8_t buf[8192];
	size_t len;
};

static void put32(struct file *f, uint32_t v)
{
	memcpy(f->buf + f->len, &v, sizeof(v));
	f->len += sizeof(v);
}

static void file_begin(struct file *f, uint32_t linktype)
{
	f->len = 0;
	put32(f, 0xa1b2c3d4);
	put32(f, 4u << 16 | 2);
	put32(f, 0);
	put32(f, 0);
	put32(f, 65535);
	put32(f, linktype);
}

static void file_add(struct file *f, const void *data, size_t len, size_t wire_len)
{
	put32(f, 1);
	put32(f, (uint32_t)f->len);
	put32(f, (uint32_t)len);
	put32(f, (uint32_t)wire_len);
	memcpy(f->buf + f->len, data, len);
	f->len += len;
}

static void dissect(const struct file *f, struct facts *ret_facts)
{
	struct capture_set set = {0};
	struct key_store keys = {0};
	struct err_msg msg = {{0}};

	if (capture_set_add_memory(&set, "there.pcap", f->buf, f->len, &msg))
		fail_msg("%s", msg.text);
	assert_int_equal(facts_dissect(&set, &keys, ret_facts), 0);
}

/* An IPv4 packet of UDP on port 4500 that carries ESP, or a piece of it. */
static size_t ipv4(uint8_t *buf, uint16_t frag, const void *payload, size_t len)
{
	struct writer w = wr_init(buf, 1500);

	wr_u16(&w, 0x4500);
	wr_u16(&w, (uint16_t)(20 + len));
	wr_u16(&w, 77);
	wr_u16(&w, frag);
	wr_u16(&w, 0x4011);
	wr_u16(&w, 0);
	wr_u32(&w, 0x0a000001);
	wr_u32(&w, 0x0a000002);
	wr_bytes(&w, payload, len);
	assert_true(wr_ok(&w));
	return w.len;
}

static size_t ipv6_fragment(uint8_t *buf, size_t offset, bool more, const void *payload, size_t len)
{
	struct writer w = wr_init(buf, 1500);

	wr_u32(&w, 0x60000000);
	wr_u16(&w, (uint16_t)(8 + len));
	wr_u16(&w, 44 << 8 | 64);
	wr_zero(&w, 15);
	wr_u8(&w, 1);
	wr_zero(&w, 15);
	wr_u8(&w, 2);
	wr_u16(&w, 17 << 8);
	wr_u16(&w, (uint16_t)(offset | more));
	wr_u32(&w, 99);
	wr_bytes(&w, payload, len);
	assert_true(wr_ok(&w));
	return w.len;
}

/* UDP on port 4500 with 40 octets of ESP. */
static size_t udp_esp(uint8_t *buf)
{
	struct writer w = wr_init(buf, 100);

	wr_u16(&w, 4500);
	wr_u16(&w, 4500);
	wr_u16(&w, 48);
	wr_u16(&w, 0);
	wr_u32(&w, 0xc0ffee00);
	wr_u32(&w, 5);
	wr_zero(&w, 32);
	return w.len;
}

static void every_link_layer_leads_to_the_packet(void **state)
{
	static const struct {
		uint32_t linktype;
		size_t len;
		uint8_t header[24];
	} links[] = {
	    {DLT_EN10MB, 14, {[12] = 8, 0}},
	    {DLT_EN10MB, 18, {[12] = 0x81, 0, 0, 5, 8, 0}},
	    {DLT_EN10MB, 22, {[12] = 0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0}},
	    {101, 0, {0}},
	    {113, 16, {[14] = 8, 0}},
	    {LINKTYPE_SLL2, 20, {8, 0}},
	    {DLT_NULL, 4, {2}},
	};
	uint8_t udp[100], frame[1600];
	struct file file;
	struct facts f;
	size_t i, len, udp_len = udp_esp(udp);

	(void)state;
	for (i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		memcpy(frame, links[i].header, links[i].len);
		len = links[i].len + ipv4(frame + links[i].len, 0, udp, udp_len);
		file_begin(&file, links[i].linktype);
		file_add(&file, frame, len, len);
		dissect(&file, &f);
		assert_int_equal(f.n_esp, 1);
		assert_int_equal(f.frames[0].ip_off, links[i].len);
		assert_int_equal(f.esp[0].spi, 0xc0ffee00);
		facts_free(&f);
	}
}

static void fragments_are_one_packet_in_any_order(void **state)
{
	uint8_t udp[100], frame[1600];
	struct file file;
	struct facts f;
	size_t len;

	(void)state;
	udp_esp(udp);
	file_begin(&file, 101);
	len = ipv4(frame, 24 / 8, udp + 24, 24);
	file_add(&file, frame, len, len);
	len = ipv4(frame, 0x2000, udp, 24);
	file_add(&file, frame, len, len);
	len = ipv6_fragment(frame, 0, true, udp, 24);
	file_add(&file, frame, len, len);
	len = ipv6_fragment(frame, 24, false, udp + 24, 24);
	file_add(&file, frame, len, len);
	dissect(&file, &f);
	assert_int_equal(f.n_esp, 2);
	assert_int_equal(f.frames[0].kind, FRAME_FRAGMENT);
	assert_int_equal(f.frames[1].kind, FRAME_ESP);
	assert_int_equal(f.frames[1].n_fragments, 2);
	assert_int_equal(f.esp[0].octets.len, 40);
	assert_int_equal(f.esp[1].octets.len, 40);
	facts_free(&f);
}

static void fragments_with_a_hole_or_an_overlap_are_no_packet(void **state)
{
	static const size_t second[] = {16, 32}; /* 24 would be right */
	uint8_t udp[100], frame[1600];
	struct file file;
	struct facts f;
	size_t i, len;

	(void)state;
	udp_esp(udp);
	for (i = 0; i < 2; i++) {
		file_begin(&file, 101);
		len = ipv4(frame, 0x2000, udp, 24);
		file_add(&file, frame, len, len);
		len = ipv4(frame, (uint16_t)(second[i] / 8), udp + second[i], 48 - second[i]);
		file_add(&file, frame, len, len);
		dissect(&file, &f);
		assert_int_equal(f.n_esp, 0);
		facts_free(&f);
	}
}

static void a_capture_that_breaks_off_gives_what_it_has(void **state)
{
	uint8_t udp[100], frame[1600];
	struct file file;
	struct facts f;
	size_t len, udp_len = udp_esp(udp);

	(void)state;
	file_begin(&file, 101);
	len = ipv4(frame, 0, udp, udp_len);
	file_add(&file, frame, len, len);
	file_add(&file, frame, len, len);
	file.len -= 10;
	dissect(&file, &f);
	assert_int_equal(f.n_esp, 1);
	assert_int_equal(f.n_problems, 1);
	assert_non_null(strstr(f.problems[0].text, "there.pcap: frame 2: "));
	facts_free(&f);
}

static void frames_cut_short_are_told_once(void **state)
{
	uint8_t udp[100], frame[1600];
	struct file file;
	struct facts f;
	size_t len, udp_len = udp_esp(udp);

	(void)state;
	file_begin(&file, 101);
	len = ipv4(frame, 0, udp, udp_len);
	file_add(&file, frame, 40, len);
	file_add(&file, frame, 40, len);
	dissect(&file, &f);
	assert_int_equal(f.n_esp, 0);
	assert_int_equal(f.n_problems, 1);
	assert_non_null(strstr(f.problems[0].text, "40 of 68 octets, and so are 1 more"));
	facts_free(&f);
}

static void what_is_no_capture_is_refused_by_name(void **state)
{
	struct capture_set set = {0};
	struct err_msg msg;
	struct file file;

	(void)state;
	assert_int_equal(capture_set_add_memory(&set, "x.pcap", "no capture at all", 17, &msg),
			 ERR_SYNTAX);
	assert_non_null(strstr(msg.text, "x.pcap"));
	file_begin(&file, 147);
	assert_int_equal(capture_set_add_memory(&set, "y.pcap", file.buf, file.len, &msg),
			 ERR_UNSUPPORTED);
	assert_non_null(strstr(msg.text, "y.pcap: link type 147"));
	assert_int_equal(capture_set_add_file(&set, "/nowhere/z.pcap", &msg), ERR_IO);
	assert_non_null(strstr(msg.text, "/nowhere/z.pcap"));
	capture_set_free(&set);
}

static void a_damaged_packet_is_told_and_the_others_stay_open(void **state)
{
	struct capture_set set;
	struct key_store keys;
	struct facts f;
	size_t i;

	(void)state;
	pcaps_dissect("aes-gcm", &f);
	i = f.esp[3].frame;
	facts_free(&f);
	pcaps_load("aes-gcm", &set, &keys);
	set.frames[i].data[set.frames[i].len - 1] ^= 1;
	assert_int_equal(facts_dissect(&set, &keys, &f), 0);
	assert_int_equal(f.esp[3].sealed, FACT_WRONG_KEY);
	assert_int_equal(f.esp[3].inner.len, 0);
	assert_int_equal(pcaps_count_open(&f), f.n_esp - 1);
	facts_free(&f);
}

static void a_decrypted_message_is_a_chain_of_payloads(void **state)
{
	static uint8_t packet[65536];
	struct ike_payloads got;
	struct ike_header hdr;
	struct ip_info ip;
	struct view message;
	struct facts f;
	size_t i, len, opened = 0;

	(void)state;
	pcaps_dissect("ike-fragments-strongswan", &f);
	for (i = 0; i < f.n_ike; i++) {
		const struct ike_msg *m = &f.ike[i];

		len = rewrite_packet(&f, m->frame, packet, sizeof(packet));
		assert_true((len > 0) == (m->inner != NULL));
		if (!len)
			continue;
		opened++;
		assert_int_equal(ip_parse(packet, len, &ip), 0);
		assert_int_equal(ip.total_len, len);
		assert_true(ipv4_checksum_ok(packet, ip.hdr_len));
		assert_int_equal(ip_l4_checksum(packet, &ip), 0);
		message = (struct view){packet + ip.l4_off + 8, len - ip.l4_off - 8};
		if (m->marker)
			message = (struct view){message.p + 4, message.len - 4};
		assert_int_equal(ike_header_decode(message, &hdr), 0);
		message = (struct view){message.p + IKE_HEADER_LEN, message.len - IKE_HEADER_LEN};
		assert_int_equal(ike_payloads_decode(hdr.next_payload, message, &got), 0);
		assert_int_equal(got.n, m->inner->n);
	}
	assert_int_equal(opened, 4);
	facts_free(&f);
}

static void tcp_connections_are_whole_at_each_place(void **state)
{
	struct facts f;
	size_t i, inside = 0, clear = 0;

	(void)state;
	pcaps_dissect("seed-beetd", &f);
	for (i = 0; i < f.n_tcp; i++) {
		const struct tcp_flow *t = &f.tcp[i];

		assert_int_equal(t->side[0].octets, 6000);
		assert_false(t->side[0].gap || t->side[1].gap || t->reset);
		assert_true(t->side[0].fin && t->side[0].have_mss && t->side[1].have_mss);
		inside += t->inside;
		clear += !t->inside;
	}
	assert_int_equal(inside, 4); /* two connections, at two places */
	assert_int_equal(clear, 1);  /* the one over IPv4, on xfrm1 */
	facts_free(&f);
}

static void a_missing_segment_is_a_gap(void **state)
{
	struct capture_set set;
	struct key_store keys;
	struct facts f;
	size_t i;

	(void)state;
	pcaps_dissect("aes-gcm", &f);
	assert_int_equal(f.tcp[0].side[0].octets, 4000);
	i = f.tcp[0].side[0].max_frame;
	facts_free(&f);
	pcaps_load("aes-gcm", &set, &keys);
	capture_set_drop(&set, i);
	assert_int_equal(facts_dissect(&set, &keys, &f), 0);
	assert_true(f.tcp[0].side[0].gap);
	facts_free(&f);
}

static void a_retransmission_names_the_first(void **state)
{
	struct facts f;
	size_t i, n = 0;

	(void)state;
	pcaps_dissect("retransmissions", &f);
	for (i = 0; i < f.n_ike; i++) {
		const struct ike_msg *m = &f.ike[i];

		if (m->retransmission_of == FACT_NONE)
			continue;
		n++;
		assert_true(m->retransmission_of < i);
		assert_int_equal(f.ike[m->retransmission_of].octets.len, m->octets.len);
	}
	assert_true(n >= 2);
	facts_free(&f);
}

static void a_forced_hash_is_told_from_a_real_nat(void **state)
{
	struct facts f;
	size_t i;

	(void)state;
	pcaps_dissect("seed-beetd", &f);
	assert_int_equal(f.n_natd, 4);
	for (i = 0; i < f.n_natd; i++) {
		const struct ike_msg *m = &f.ike[f.natd[i].msg];
		bool vps = strcmp(f.set.places[f.frames[m->frame].place].name, "outer-vps") == 0;

		assert_false(f.natd[i].src_match);
		/* Behind the NAT box the gateway's real address is not the VPS's destination. */
		assert_true(f.natd[i].dst_match == (vps || m->request));
	}
	facts_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_link_layer_leads_to_the_packet),
	    cmocka_unit_test(fragments_are_one_packet_in_any_order),
	    cmocka_unit_test(fragments_with_a_hole_or_an_overlap_are_no_packet),
	    cmocka_unit_test(a_capture_that_breaks_off_gives_what_it_has),
	    cmocka_unit_test(frames_cut_short_are_told_once),
	    cmocka_unit_test(what_is_no_capture_is_refused_by_name),
	    cmocka_unit_test(a_damaged_packet_is_told_and_the_others_stay_open),
	    cmocka_unit_test(a_decrypted_message_is_a_chain_of_payloads),
	    cmocka_unit_test(tcp_connections_are_whole_at_each_place),
	    cmocka_unit_test(a_missing_segment_is_a_gap),
	    cmocka_unit_test(a_retransmission_names_the_first),
	    cmocka_unit_test(a_forced_hash_is_told_from_a_real_nat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
