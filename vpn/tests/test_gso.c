/* test_gso.c - cutting super-packets into segments and putting segments together. */
#include "vpn/tests/esp_fixture.h"

#include "vpn/esp/gso.h"

#define A4 "10.0.0.1"
#define B4 "10.0.0.2"

enum { FIN = 1, SYN = 2, PSH = 8, ACK = 16, CWR = 128 };

static void set_tcp(struct packet *p, uint32_t seq, uint8_t flags)
{
	struct writer w = wr_over(p->data, p->len);
	size_t at = p->inner.l4_off;

	wr_patch16(&w, at, 1000);
	wr_patch16(&w, at + 2, 2000);
	wr_patch32(&w, at + 4, seq);
	wr_patch32(&w, at + 8, 77);
	wr_patch8(&w, at + 12, 0x50);
	wr_patch8(&w, at + 13, flags);
	wr_patch16(&w, at + 14, 512);
	wr_patch16(&w, at + 16, 0);
	wr_patch16(&w, at + 18, 0);
	wr_patch16(&w, at + 16, ip_l4_checksum(p->data, &p->inner));
	assert_int_equal(ip_parse(p->data, p->len, &p->inner), 0);
}

/* A segment of `len` octets of payload. */
static struct packet segment(struct buffer *b, bool v6, uint32_t seq, uint8_t flags, size_t len)
{
	struct packet p = fix_inner(b, &(struct inner_spec){.src = v6 ? "fd00::1" : A4,
							    .dst = v6 ? "fd00::2" : B4,
							    .proto = IP_PROTO_TCP,
							    .id = (uint16_t)seq,
							    .frag_off = v6 ? 0 : IPV4_FLAG_DF,
							    .len = 20 + len});

	set_tcp(&p, seq, flags);
	return p;
}

static void check_segment(const struct packet *super, const struct gso_plan *plan, size_t i,
			  const uint8_t *out, uint8_t flags)
{
	size_t len = gso_segment_len(plan, i), hdr = plan->hdr_len;
	struct ip_info s;

	assert_int_equal(ip_parse(out, len, &s), 0);
	assert_int_equal(s.total_len, len);
	assert_int_equal(ip_l4_checksum(out, &s), 0);
	assert_int_equal(get_u32(out, len, s.l4_off + 4), 5000 + i * 1000);
	assert_int_equal(out[s.l4_off + 13], flags);
	assert_memory_equal(out + hdr, super->data + hdr + i * 1000, len - hdr);
	if (s.version == 4) {
		assert_true(ipv4_checksum_ok(out, 20));
		assert_int_equal(s.id, super->inner.id + i);
	}
}

/* RFC 3168 §6.1.2: CWR stands on the first segment; FIN and PSH belong to the last. */
static void test_tcp_is_cut_into_segments(void **state)
{
	static const struct gso gso = {.type = GSO_TCP, .size = 1000};
	static const uint8_t flags[] = {ACK | CWR, ACK, ACK | PSH | FIN};
	struct buffer b, out;
	struct gso_plan plan;
	size_t i;
	int v6;

	(void)state;
	for (v6 = 0; v6 < 2; v6++) {
		struct packet p = segment(&b, v6, 5000, ACK | CWR | PSH | FIN, 2500);

		assert_int_equal(gso_plan(p.data, &p.inner, &gso, &plan), 0);
		assert_int_equal(plan.n, 3);
		assert_int_equal(gso_segment_len(&plan, 2), plan.hdr_len + 500);
		for (i = 0; i < 3; i++) {
			gso_segment(p.data, &p.inner, &gso, &plan, i, out.octets);
			check_segment(&p, &plan, i, out.octets, flags[i]);
		}
	}
}

static void test_udp_is_cut_into_datagrams(void **state)
{
	static const struct gso gso = {.type = GSO_UDP, .size = 700};
	struct buffer b, out;
	struct gso_plan plan;
	struct ip_info s;
	struct packet p =
	    fix_inner(&b, &(struct inner_spec){.src = A4, .dst = B4, .proto = 17, .len = 8 + 1500});
	size_t i, len;

	(void)state;
	assert_int_equal(gso_plan(p.data, &p.inner, &gso, &plan), 0);
	assert_int_equal(plan.n, 3);
	for (i = 0; i < 3; i++) {
		len = gso_segment_len(&plan, i);
		gso_segment(p.data, &p.inner, &gso, &plan, i, out.octets);
		assert_int_equal(ip_parse(out.octets, len, &s), 0);
		assert_int_equal(get_u16(out.octets, len, 24), len - 20);
		assert_int_equal(ip_l4_checksum(out.octets, &s), 0);
	}
}

static void test_super_packets_that_are_none(void **state)
{
	static const struct {
		uint8_t proto;
		struct gso gso;
		size_t len;
	} c[] = {{IP_PROTO_UDP, {.type = GSO_TCP, .size = 100}, 200},
		 {IP_PROTO_TCP, {.type = GSO_UDP, .size = 100}, 200},
		 {IP_PROTO_UDP, {.type = GSO_UDP, .size = 0}, 200},
		 {IP_PROTO_UDP, {.type = GSO_UDP, .size = 100}, 8},
		 {IP_PROTO_UDP, {.type = GSO_UDP, .size = 100}, 3},
		 {IP_PROTO_TCP, {.type = GSO_TCP, .size = 100}, 19}};
	struct gso_plan plan;
	struct buffer b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		struct packet p =
		    fix_inner(&b, &(struct inner_spec){
				      .src = A4, .dst = B4, .proto = c[i].proto, .len = c[i].len});

		assert_int_equal(gso_plan(p.data, &p.inner, &c[i].gso, &plan), ERR_SYNTAX);
	}
}

static void test_checksum_is_completed(void **state)
{
	struct gso gso = {.needs_csum = true, .csum_start = 20, .csum_offset = 16};
	struct buffer b;
	struct packet p = segment(&b, false, 1, ACK, 333);
	struct writer w = wr_over(p.data, p.len);

	(void)state;
	wr_patch16(
	    &w, 36,
	    csum_fold(csum_pseudo(p.inner.sel.src.b, p.inner.sel.dst.b, 4, IP_PROTO_TCP, 353)));
	assert_int_equal(gso_complete_checksum(p.data, p.len, &gso), 0);
	assert_int_equal(ip_l4_checksum(p.data, &p.inner), 0);
	gso.csum_start = 372;
	assert_int_equal(gso_complete_checksum(p.data, p.len, &gso), ERR_SYNTAX);
	gso.csum_start = UINT16_MAX;
	assert_int_equal(gso_complete_checksum(p.data, p.len, &gso), ERR_SYNTAX);
}

/* Runs of a sequence of segments, as "first*count" in order. */
static void check_runs(struct packet *pkts, size_t n, const size_t (*want)[2], size_t want_n)
{
	struct gro_run runs[16];
	size_t next[16], i;

	assert_int_equal(gro_sort(pkts, n, runs, next), want_n);
	for (i = 0; i < want_n; i++) {
		assert_int_equal(runs[i].first, want[i][0]);
		assert_int_equal(runs[i].n, want[i][1]);
	}
}

#define RUNS(pkts, n, ...)                                                 \
	do {                                                               \
		static const size_t want[][2] = {__VA_ARGS__};             \
		check_runs(pkts, n, want, sizeof(want) / sizeof(want[0])); \
	} while (0)

static void test_segments_in_order_make_one_run(void **state)
{
	struct buffer b[4];
	struct packet p[4];
	uint32_t i;
	int v6;

	(void)state;
	for (v6 = 0; v6 < 2; v6++) {
		for (i = 0; i < 4; i++)
			p[i] = segment(&b[i], v6, 100 + i * 500, ACK, i < 3 ? 500 : 20);
		RUNS(p, 4, {0, 4});
	}
}

static void test_what_ends_a_run(void **state)
{
	struct buffer b[4];
	struct packet p[4];
	struct writer w;

	(void)state;
	p[0] = segment(&b[0], false, 100, ACK, 50);
	p[1] = segment(&b[1], false, 150, ACK | PSH, 50);
	p[2] = segment(&b[2], false, 200, ACK, 50);
	p[3] = segment(&b[3], false, 250, ACK, 51);
	RUNS(p, 4, {0, 2}, {2, 1}, {3, 1}); /* PSH; then a larger one */
	p[1] = segment(&b[1], false, 150, ACK, 49);
	p[2] = segment(&b[2], false, 199, ACK, 49);
	p[3] = segment(&b[3], false, 100, ACK, 49);
	RUNS(p, 4, {0, 2}, {2, 1}, {3, 1}); /* a shorter one; then out of order */
	p[1] = segment(&b[1], false, 150, ACK | FIN, 50);
	p[2] = segment(&b[2], false, 200, ACK, 0);
	p[3] = segment(&b[3], false, 200, ACK, 50);
	RUNS(p, 4, {0, 1}, {1, 1}, {2, 1}, {3, 1}); /* FIN; a bare acknowledgement */
	p[1] = segment(&b[1], false, 150, ACK, 50);
	w = wr_over(p[1].data, p[1].len);
	wr_patch8(&w, 1, 3);
	ipv4_set_checksum(p[1].data, 20);
	assert_int_equal(ip_parse(p[1].data, p[1].len, &p[1].inner), 0);
	RUNS(p, 2, {0, 1}, {1, 1}); /* congestion marked */
}

static void test_a_wrong_checksum_stays_alone(void **state)
{
	struct buffer b[3];
	struct packet p[3];
	uint32_t i;

	(void)state;
	for (i = 0; i < 3; i++)
		p[i] = segment(&b[i], false, 100 + i * 50, ACK, 50);
	p[1].data[60] ^= 1;
	RUNS(p, 3, {0, 1}, {1, 1}, {2, 1});
}

static void test_dropped_packets_are_left_out(void **state)
{
	struct buffer b[3];
	struct packet p[3];
	uint32_t i;

	(void)state;
	for (i = 0; i < 3; i++)
		p[i] = segment(&b[i], false, 100 + (i ? i - 1 : 0) * 50, ACK, 50);
	p[0].drop = ESP_DROP_ICV;
	RUNS(p, 3, {1, 2});
}

static void test_flows_may_be_mixed(void **state)
{
	struct buffer b[6];
	struct packet p[6];
	uint32_t i;

	(void)state;
	for (i = 0; i < 6; i++)
		p[i] = segment(&b[i], i % 2, 100 + i / 2 * 50, ACK, 50);
	RUNS(p, 6, {0, 3}, {1, 3});
}

/* What was cut comes out again as it was, but for the checksum, which the device completes. */
static void test_putting_together_undoes_cutting(void **state)
{
	static const struct gso gso = {.type = GSO_TCP, .size = 700};
	static struct buffer b, seg[4];
	struct packet super = segment(&b, false, 9, ACK | PSH, 2500), p[4];
	uint8_t hdr[GRO_HDR_MAX];
	struct gro_run runs[4];
	struct gso_plan plan;
	struct gso got;
	size_t next[4], i;

	(void)state;
	assert_int_equal(gso_plan(super.data, &super.inner, &gso, &plan), 0);
	assert_int_equal(plan.n, 4);
	for (i = 0; i < 4; i++) {
		gso_segment(super.data, &super.inner, &gso, &plan, i, seg[i].octets);
		p[i] = packet_in(seg[i].octets, 4096, 0, gso_segment_len(&plan, i));
		assert_int_equal(ip_parse(p[i].data, p[i].len, &p[i].inner), 0);
	}
	assert_int_equal(gro_sort(p, 4, runs, next), 1);
	gro_header(p, &runs[0], hdr, &got);
	assert_int_equal(runs[0].payload, 2500);
	assert_int_equal(got.size, 700);
	assert_memory_equal(hdr, super.data, 36);
	memcpy(super.data, hdr, 40);
	assert_int_equal(gso_complete_checksum(super.data, super.len, &got), 0);
	assert_int_equal(ip_l4_checksum(super.data, &super.inner), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_tcp_is_cut_into_segments),
	    cmocka_unit_test(test_udp_is_cut_into_datagrams),
	    cmocka_unit_test(test_super_packets_that_are_none),
	    cmocka_unit_test(test_checksum_is_completed),
	    cmocka_unit_test(test_segments_in_order_make_one_run),
	    cmocka_unit_test(test_what_ends_a_run),
	    cmocka_unit_test(test_a_wrong_checksum_stays_alone),
	    cmocka_unit_test(test_dropped_packets_are_left_out),
	    cmocka_unit_test(test_flows_may_be_mixed),
	    cmocka_unit_test(test_putting_together_undoes_cutting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
