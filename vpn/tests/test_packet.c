/* test_packet.c - the formats of vpn/wire/packet: checksums, IP headers, fragments, MSS, ICMP
 * errors. */
#include "vpn/tests/esp_fixture.h"

#include "vpn/wire/packet/esp_hdr.h"
#include "vpn/wire/packet/frag.h"
#include "vpn/wire/packet/icmp.h"
#include "vpn/wire/packet/mss.h"
#include "vpn/wire/packet/natt.h"

#define A4 "10.0.0.1"
#define B4 "10.0.0.2"

/* RFC 1071 §3: the worked example. */
static void test_checksum_of_rfc1071(void **state)
{
	static const uint8_t data[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

	(void)state;
	assert_int_equal(csum_fold(csum_add(0, data, sizeof(data))), 0xddf2);
}

static uint16_t plain_sum(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i < len; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static void test_checksum_of_every_length_and_alignment(void **state)
{
	uint8_t data[300];
	size_t at, len, i;

	(void)state;
	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 197 + 91);
	for (at = 0; at < 8; at++)
		for (len = 0; len < 290; len++)
			assert_int_equal(csum_fold(csum_add(0, data + at, len)),
					 plain_sum(data + at, len));
	memset(data, 0xff, sizeof(data));
	assert_int_equal(csum_fold(csum_add(0, data, 300)), 0xffff);
}

/* RFC 1624 §4: the example that equation 2 got wrong. */
static void test_incremental_update_of_rfc1624(void **state)
{
	(void)state;
	assert_int_equal(csum_update16(0xdd2f, 0x5555, 0x3285), 0x0000);
}

/* IPv6: hop-by-hop (8), fragment (8), destination options (16), then UDP ports. */
static void test_ipv6_extension_headers_are_walked(void **state)
{
	static const uint8_t ext[] = {44, 0, 1,	 4, 0,	  0,	0,    0,    60, 0, 0, 1, 0, 0,
				      0,  9, 17, 1, 1,	  12,	0,    0,    0,	0, 0, 0, 0, 0,
				      0,  0, 0,	 0, 0x12, 0x34, 0x00, 0x35, 0,	8, 0, 0};
	struct buffer b;
	struct packet p = fix_inner(
	    &b, &(struct inner_spec){
		    .src = "fd00::1", .dst = "fd00::2", .proto = IP_PROTO_UDP, .len = sizeof(ext)});

	(void)state;
	p.data[6] = IP_PROTO_HOPOPT;
	memcpy(p.data + 40, ext, sizeof(ext));
	assert_int_equal(ip_parse(p.data, p.len, &p.inner), 0);
	assert_int_equal(p.inner.proto, IP_PROTO_UDP);
	assert_int_equal(p.inner.first_proto, 0);
	assert_int_equal(p.inner.l4_off, 40 + 32);
	assert_int_equal(p.inner.sel.src_port, 0x1234);
	assert_int_equal(p.inner.sel.dst_port, 53);
	assert_true(p.inner.fragment);
	assert_false(p.inner.later_fragment);
	p.data[40 + 10] = 1; /* now a later fragment: nothing behind it is a header */
	assert_int_equal(ip_parse(p.data, p.len, &p.inner), 0);
	assert_int_equal(p.inner.proto, IP_PROTO_DSTOPTS);
	assert_false(p.inner.sel.have_ports);
}

static void test_ipv6_headers_without_end(void **state)
{
	struct buffer b;
	struct packet p = fix_inner(
	    &b, &(struct inner_spec){.src = "fd00::1", .dst = "fd00::2", .proto = 60, .len = 800});
	size_t i;

	(void)state;
	memset(p.data + 40, 0, 800);
	for (i = 0; i < 100; i++)
		p.data[40 + i * 8] = 60;
	assert_int_equal(ip_parse(p.data, p.len, &p.inner), ERR_SYNTAX);
	p.data[40 + 7 * 8] = 17;
	assert_int_equal(ip_parse(p.data, p.len, &p.inner), 0);
	p.data[41] = 255; /* longer than the packet */
	assert_int_equal(ip_parse(p.data, p.len, &p.inner), ERR_SYNTAX);
}

/* RFC 7296 §3.13.1: ICMP type and code take the place of ports; later fragments have none. */
static void test_ports_of_each_protocol(void **state)
{
	static const struct {
		uint8_t proto;
		uint16_t frag_off;
		bool have;
		uint16_t src, dst;
	} c[] = {{IP_PROTO_TCP, 0, true, 0x0001, 0x0203},
		 {IP_PROTO_UDP, 0, true, 0x0001, 0x0203},
		 {132, 0, true, 0x0001, 0x0203},
		 {IP_PROTO_ICMP, 0, true, 0x0001, 0},
		 {47, 0, false, 0, 0},
		 {IP_PROTO_UDP, 5, false, 0, 0},
		 {IP_PROTO_UDP, IPV4_FLAG_MF, true, 0x0001, 0x0203}};
	struct buffer b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		struct packet p = fix_inner(&b, &(struct inner_spec){.src = A4,
								     .dst = B4,
								     .proto = c[i].proto,
								     .frag_off = c[i].frag_off,
								     .len = 8});

		assert_int_equal(p.inner.sel.have_ports, c[i].have);
		assert_int_equal(p.inner.sel.src_port, c[i].src);
		assert_int_equal(p.inner.sel.dst_port, c[i].dst);
	}
}

static void test_tos_changes_keep_the_checksum(void **state)
{
	struct buffer b;
	unsigned from, to;

	(void)state;
	for (from = 0; from < 256; from += 5) {
		for (to = 0; to < 256; to += 3) {
			struct packet p = fix_inner(
			    &b,
			    &(struct inner_spec){
				.src = A4, .dst = B4, .proto = 17, .tos = (uint8_t)from, .len = 8});

			ip_set_tos(p.data, p.len, (uint8_t)to);
			assert_int_equal(p.data[1], to);
			assert_true(ipv4_checksum_ok(p.data, 20));
		}
	}
}

/* RFC 791 §3.2; a fragment of a fragment keeps its place and its "more" flag. */
static void test_fragments_cover_the_packet(void **state)
{
	static const uint16_t starts[] = {0, IPV4_FLAG_MF | 64};
	struct ipv4_frag_plan plan;
	struct buffer b;
	uint8_t out[600];
	size_t s, i, len, covered;

	(void)state;
	for (s = 0; s < 2; s++) {
		struct packet p = fix_inner(&b, &(struct inner_spec){.src = A4,
								     .dst = B4,
								     .proto = 17,
								     .id = 7,
								     .frag_off = starts[s],
								     .options = 8,
								     .len = 1203});

		assert_int_equal(ipv4_frag_plan(&p.inner, 579, &plan), 0);
		assert_int_equal(plan.n, 3);
		for (i = covered = 0; i < plan.n; i++) {
			struct ip_info f;

			len = ipv4_frag_len(&p.inner, &plan, i);
			ipv4_fragment(p.data, &p.inner, &plan, i, out);
			assert_int_equal(ip_parse(out, len, &f), 0);
			assert_true(ipv4_checksum_ok(out, f.hdr_len));
			assert_int_equal((f.frag_off & IPV4_OFFSET) * 8U,
					 (starts[s] & IPV4_OFFSET) * 8U + covered);
			assert_int_equal(f.frag_off & IPV4_FLAG_MF, i < 2 || s ? IPV4_FLAG_MF : 0);
			assert_int_equal(f.id, 7);
			assert_memory_equal(out + 28, p.data + 28 + covered, len - 28);
			covered += len - 28;
		}
		assert_int_equal(covered, 1203);
	}
}

static void test_df_and_tiny_mtu_are_not_fragmented(void **state)
{
	struct ipv4_frag_plan plan;
	struct buffer b;
	struct packet p = fix_inner(
	    &b, &(struct inner_spec){
		    .src = A4, .dst = B4, .proto = 17, .frag_off = IPV4_FLAG_DF, .len = 600});

	(void)state;
	assert_int_equal(ipv4_frag_plan(&p.inner, 500, &plan), ERR_INVALID);
	p.inner.df = false;
	assert_int_equal(ipv4_frag_plan(&p.inner, 27, &plan), ERR_SPACE);
}

/* A TCP header with these options, flags SYN (2) unless said otherwise, and a right checksum. */
static struct packet tcp(struct buffer *b, const char *src, const char *dst, uint8_t flags,
			 const uint8_t *options, size_t len)
{
	struct packet p = fix_inner(
	    b,
	    &(struct inner_spec){.src = src, .dst = dst, .proto = IP_PROTO_TCP, .len = 20 + len});
	uint8_t *t = p.data + p.inner.l4_off;
	struct writer w = wr_over(p.data, p.len);

	t[12] = (uint8_t)((20 + len) / 4 << 4);
	t[13] = flags;
	memcpy(t + 20, options, len);
	wr_patch16(&w, p.inner.l4_off + 16, 0);
	wr_patch16(&w, p.inner.l4_off + 16, ip_l4_checksum(p.data, &p.inner));
	return p;
}

static const uint8_t mss_1460[] = {2, 4, 0x05, 0xb4};

static void test_mss_is_clamped_on_syn_and_syn_ack(void **state)
{
	static const struct {
		const char *src, *dst;
		uint8_t flags;
		uint16_t max;
		bool changed;
	} c[] = {{A4, B4, 0x02, 1398, true},
		 {A4, B4, 0x12, 1398, true},
		 {"fd00::1", "fd00::2", 0x02, 1378, true},
		 {A4, B4, 0x10, 1398, false},
		 {A4, B4, 0x02, 1460, false},
		 {A4, B4, 0x02, 1461, false}};
	struct buffer b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		struct packet p = tcp(&b, c[i].src, c[i].dst, c[i].flags, mss_1460, 4);

		assert_int_equal(mss_clamp(p.data, p.len, &p.inner, c[i].max), c[i].changed);
		assert_int_equal(get_u16(p.data, p.len, p.inner.l4_off + 22),
				 c[i].changed ? c[i].max : 1460);
		assert_int_equal(ip_l4_checksum(p.data, &p.inner), 0);
	}
}

/* The option at each offset, odd ones too; the checksum stays right. */
static void test_mss_at_any_offset(void **state)
{
	struct buffer b;
	uint8_t options[16];
	size_t at;

	(void)state;
	for (at = 0; at <= 12; at++) {
		struct packet p;

		memset(options, 1, sizeof(options));
		memcpy(options + at, mss_1460, 4);
		p = tcp(&b, A4, B4, 2, options, sizeof(options));
		assert_true(mss_clamp(p.data, p.len, &p.inner, 1234));
		assert_int_equal(get_u16(p.data, p.len, 42 + at), 1234);
		assert_int_equal(ip_l4_checksum(p.data, &p.inner), 0);
	}
}

static void test_mss_absent_or_malformed_is_left_alone(void **state)
{
	static const uint8_t options[][8] = {
	    {1, 1, 1, 1, 1, 1, 1, 1}, {0, 2, 4, 5, 0xb4, 0, 0, 0}, {3, 0, 2, 4, 5, 0xb4, 1, 1},
	    {2, 3, 5, 2, 2, 2, 2, 2}, {1, 1, 1, 1, 1, 1, 2, 4},	   {8, 40, 2, 4, 5, 0xb4, 1, 1}};
	struct buffer b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		struct packet p = tcp(&b, A4, B4, 2, options[i], 8);

		assert_false(mss_clamp(p.data, p.len, &p.inner, 536));
	}
}

/* RFC 1191 §4: next-hop MTU in the low half; the source is the destination of what did not fit. */
static void test_fragmentation_needed(void **state)
{
	struct buffer b;
	struct packet p = fix_inner(
	    &b, &(struct inner_spec){
		    .src = A4, .dst = B4, .proto = 17, .frag_off = IPV4_FLAG_DF, .len = 1480});
	uint8_t out[1280];
	struct ip_info e;
	size_t len;

	(void)state;
	assert_int_equal(icmp_too_big(p.data, p.len, &p.inner, 1438, out, sizeof(out), &len), 0);
	assert_int_equal(len, 576);
	assert_int_equal(ip_parse(out, len, &e), 0);
	assert_true(ipv4_checksum_ok(out, 20));
	assert_int_equal(csum_fold(csum_add(0, out + 20, len - 20)), 0xffff);
	assert_true(ip_addr_eq(&e.sel.src, &p.inner.sel.dst));
	assert_true(ip_addr_eq(&e.sel.dst, &p.inner.sel.src));
	assert_int_equal(get_u32(out, len, 20) >> 16, 0x0304);
	assert_int_equal(get_u32(out, len, 24), 1438);
	assert_memory_equal(out + 28, p.data, len - 28);
}

/* RFC 4443 §3.2 */
static void test_packet_too_big(void **state)
{
	struct buffer b;
	struct packet p = fix_inner(
	    &b, &(struct inner_spec){.src = "fd00::1", .dst = "fd00::2", .proto = 17, .len = 1400});
	uint8_t out[1280];
	struct ip_info e;
	size_t len;

	(void)state;
	assert_int_equal(icmp_too_big(p.data, p.len, &p.inner, 1418, out, sizeof(out), &len), 0);
	assert_int_equal(len, 1280);
	assert_int_equal(ip_parse(out, len, &e), 0);
	assert_int_equal(ip_l4_checksum(out, &e), 0);
	assert_int_equal(out[40], 2);
	assert_int_equal(get_u32(out, len, 44), 1418);
	assert_memory_equal(out + 48, p.data, len - 48);
}

/* RFC 1122 §3.2.2, RFC 4443 §2.4 (e) */
static void test_who_gets_no_icmp_error(void **state)
{
	static const struct {
		const char *src, *dst;
		uint8_t proto, first;
		uint16_t frag_off;
		int err;
	} c[] = {{A4, B4, 1, 8, 0, 0},
		 {A4, B4, 1, 3, 0, ERR_UNSUPPORTED},
		 {A4, B4, 1, 11, 0, ERR_UNSUPPORTED},
		 {A4, B4, 17, 3, 9, ERR_UNSUPPORTED},
		 {A4, "224.0.0.1", 17, 0, 0, ERR_UNSUPPORTED},
		 {"0.0.0.0", B4, 17, 0, 0, ERR_UNSUPPORTED},
		 {"fd00::1", "fd00::2", 58, 128, 0, 0},
		 {"fd00::1", "fd00::2", 58, 1, 0, ERR_UNSUPPORTED},
		 {"fd00::1", "ff02::1", 17, 0, 0, 0},
		 {"::", "fd00::2", 17, 0, 0, ERR_UNSUPPORTED}};
	struct buffer b;
	uint8_t out[1280];
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		struct packet p = fix_inner(&b, &(struct inner_spec){.src = c[i].src,
								     .dst = c[i].dst,
								     .proto = c[i].proto,
								     .frag_off = c[i].frag_off,
								     .len = 1400});

		p.data[p.inner.l4_off] = c[i].first;
		assert_int_equal(
		    icmp_too_big(p.data, p.len, &p.inner, 1300, out, sizeof(out), &len), c[i].err);
	}
}

/* RFC 4303 §2.4: payload, padding, pad length and next header end on a block. */
static void test_esp_padding_fills_blocks(void **state)
{
	size_t len, align, pad;

	(void)state;
	for (align = 4; align <= 16; align *= 2) {
		for (len = 0; len < 64; len++) {
			pad = esp_pad_len(len, align);
			assert_true(pad < align);
			assert_int_equal((len + pad + 2) % align, 0);
		}
	}
}

/* RFC 3948 §2 */
static void test_datagrams_on_the_natt_port(void **state)
{
	static const struct {
		uint8_t d[8];
		size_t len;
		enum natt_kind kind;
	} c[] = {{{0xff}, 1, NATT_KEEP_ALIVE},	 {{0xfe}, 1, NATT_INVALID},
		 {{0}, 0, NATT_INVALID},	 {{0xff, 0xff, 0xff}, 3, NATT_INVALID},
		 {{0, 0, 0, 0}, 4, NATT_IKE},	 {{0, 0, 0, 0, 1}, 5, NATT_IKE},
		 {{0, 0, 0, 1, 0}, 5, NATT_ESP}, {{0xff, 0xff, 0xff, 0xff}, 4, NATT_ESP}};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++)
		assert_int_equal(natt_classify(c[i].d, c[i].len), c[i].kind);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_checksum_of_rfc1071),
	    cmocka_unit_test(test_checksum_of_every_length_and_alignment),
	    cmocka_unit_test(test_incremental_update_of_rfc1624),
	    cmocka_unit_test(test_ipv6_extension_headers_are_walked),
	    cmocka_unit_test(test_ipv6_headers_without_end),
	    cmocka_unit_test(test_ports_of_each_protocol),
	    cmocka_unit_test(test_tos_changes_keep_the_checksum),
	    cmocka_unit_test(test_fragments_cover_the_packet),
	    cmocka_unit_test(test_df_and_tiny_mtu_are_not_fragmented),
	    cmocka_unit_test(test_mss_is_clamped_on_syn_and_syn_ack),
	    cmocka_unit_test(test_mss_at_any_offset),
	    cmocka_unit_test(test_mss_absent_or_malformed_is_left_alone),
	    cmocka_unit_test(test_fragmentation_needed),
	    cmocka_unit_test(test_packet_too_big),
	    cmocka_unit_test(test_who_gets_no_icmp_error),
	    cmocka_unit_test(test_esp_padding_fills_blocks),
	    cmocka_unit_test(test_datagrams_on_the_natt_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
