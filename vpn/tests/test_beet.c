/* test_beet.c - BEET: IPv4 options, fragments, the fields that travel in the outer header,
 * transport mode. */
#include "vpn/tests/esp_fixture.h"

#include "vpn/esp/beet.h"

#define A4 "10.0.0.1"
#define B4 "10.0.0.2"
#define A6 "fd00::1"
#define B6 "fd00::2"

/* Linux: what a receiver finds in the outer header is what the sender put there, less the hops. */
static void test_header_fields_travel_in_the_outer_header(void **state)
{
	struct pair pair = fix_simple(IPSEC_BEET, A4, B4);
	struct buffer b;
	struct packet p = fix_inner(&b, &(struct inner_spec){.src = A4,
							     .dst = B4,
							     .proto = IP_PROTO_UDP,
							     .tos = 0x2a,
							     .ttl = 33,
							     .id = 0x1234,
							     .frag_off = IPV4_FLAG_DF,
							     .len = 20});

	(void)state;
	assert_int_equal(fix_seal(&pair, &p), ESP_DROP_NONE);
	p.outer.ttl -= 3;
	p.outer.tos |= 3;
	assert_int_equal(fix_open(&pair, &p), ESP_DROP_NONE);
	assert_int_equal(p.inner.ttl, 30);
	assert_int_equal(p.inner.tos, 0x2b);
	assert_int_equal(p.inner.id, 0x1234);
	assert_true(p.inner.df);
	assert_true(ipv4_checksum_ok(p.data, 20));
	fix_free(&pair);
}

/* A UDP socket shows neither identification nor DF (RFC 6864 §4.1: then each packet gets its own).
 */
static void test_identification_when_the_outer_one_is_unknown(void **state)
{
	struct pair pair = fix_simple(IPSEC_BEET, A4, B4);
	struct buffer b;
	uint16_t i;

	(void)state;
	for (i = 1; i < 4; i++) {
		struct packet p = fix_ping(&b, A4, B4);

		assert_int_equal(fix_seal(&pair, &p), ESP_DROP_NONE);
		p.outer.no_id = true;
		assert_int_equal(fix_open(&pair, &p), ESP_DROP_NONE);
		assert_int_equal(p.inner.id, i);
		assert_int_equal(p.inner.frag_off, 0);
	}
	fix_free(&pair);
}

/* RFC 7402 §B.1.7: every length of IPv4 options. */
static void test_options_of_every_length_travel(void **state)
{
	struct pair pair = fix_simple(IPSEC_BEET, A4, B4);
	struct buffer b;
	uint8_t before[256];
	size_t options;

	(void)state;
	for (options = 4; options <= 40; options += 4) {
		struct packet p = fix_inner(&b, &(struct inner_spec){.src = A4,
								     .dst = B4,
								     .proto = IP_PROTO_UDP,
								     .options = options,
								     .len = 20});
		size_t len = p.len;

		memcpy(before, p.data, len);
		assert_int_equal(esp_sealed_len(pair.out, &p.inner),
				 8 + 8 + (20 + options + (options % 8 ? 4 : 8) + 2 + 3) / 4 * 4 +
				     16);
		assert_int_equal(fix_seal(&pair, &p), ESP_DROP_NONE);
		assert_int_equal(fix_open(&pair, &p), ESP_DROP_NONE);
		assert_int_equal(p.len, len);
		assert_memory_equal(p.data, before, len);
	}
	fix_free(&pair);
}

static enum esp_drop rebuild(const void *payload, size_t len, uint8_t next, const char *src,
			     const char *dst, struct packet *ret)
{
	static struct buffer b;
	struct packet p = packet_in(b.octets, sizeof(b.octets), PACKET_HEADROOM, len);
	struct ip_addr s, d;
	enum esp_drop drop;

	ip_addr_parse(src, &s);
	ip_addr_parse(dst, &d);
	memcpy(p.data, payload, len);
	drop = beet_rebuild(&p, next, &s, &d, 1);
	*ret = p;
	return drop;
}

static void test_malformed_pseudo_headers(void **state)
{
	static const struct {
		uint8_t ph[48];
		size_t len;
		enum esp_drop drop;
	} c[] = {
	    {{17, 0, 0, 0, 1, 1, 1, 1}, 8, ESP_DROP_NONE},	/* 4 octets of options */
	    {{17, 0, 4, 0, 1, 1, 1, 1}, 8, ESP_DROP_NONE},	/* none at all */
	    {{17, 1, 4, 0}, 16, ESP_DROP_NONE},			/* 8 */
	    {{17, 1, 4, 0}, 15, ESP_DROP_BEET_OPTIONS},		/* cut short */
	    {{17, 0, 0, 0, 1, 1, 1}, 7, ESP_DROP_BEET_OPTIONS}, /* likewise */
	    {{17, 0, 0}, 3, ESP_DROP_BEET_OPTIONS},		/* no header */
	    {{17, 0, 2, 0, 1, 1}, 12, ESP_DROP_BEET_OPTIONS},	/* no unit of 4 */
	    {{17, 0, 8, 0, 1, 1}, 20, ESP_DROP_BEET_OPTIONS},	/* more padding than there can be */
	    {{17, 5, 4, 0}, 48, ESP_DROP_NONE},			/* 40 */
	    {{17, 5, 0, 0}, 48, ESP_DROP_BEET_OPTIONS},		/* 44 */
	    {{17, 255, 4, 0}, 48, ESP_DROP_BEET_OPTIONS},
	};
	struct packet p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++)
		assert_int_equal(rebuild(c[i].ph, c[i].len, IP_PROTO_BEETPH, A4, B4, &p),
				 c[i].drop);
	/* IPv6 has no such thing: 94 is a protocol like others. */
	assert_int_equal(rebuild(c[4].ph, 7, IP_PROTO_BEETPH, A6, B6, &p), ESP_DROP_NONE);
}

static void test_a_packet_of_protocol_94_is_not_taken_for_options(void **state)
{
	struct pair pair = fix_simple(IPSEC_BEET, A4, B4);
	struct buffer b;
	struct packet p = fix_inner(
	    &b, &(struct inner_spec){.src = A4, .dst = B4, .proto = IP_PROTO_BEETPH, .len = 20});

	(void)state;
	assert_int_equal(esp_sealed_len(pair.out, &p.inner), 8 + 8 + 32 + 16);
	assert_int_equal(fix_seal(&pair, &p), ESP_DROP_NONE);
	assert_int_equal(p.len, 8 + 8 + 32 + 16);
	assert_int_equal(fix_open(&pair, &p), ESP_DROP_NONE);
	assert_int_equal(p.len, 40);
	assert_int_equal(p.inner.proto, IP_PROTO_BEETPH);
	fix_free(&pair);
}

static void test_payload_too_long_for_an_ip_header(void **state)
{
	static uint8_t big[65536 + 256];
	struct packet p = packet_in(big, sizeof(big), 128, 65516);
	struct ip_addr src, dst;

	(void)state;
	ip_addr_parse(A4, &src);
	ip_addr_parse(B4, &dst);
	assert_int_equal(beet_rebuild(&p, 17, &src, &dst, 0), ESP_DROP_INNER);
	p = packet_in(big, sizeof(big), 128, 65515);
	assert_int_equal(beet_rebuild(&p, 17, &src, &dst, 0), ESP_DROP_NONE);
}

/* The header is longer than what is free in front: the payload moves back into its trailer's place.
 */
static void test_header_finds_room_behind_the_payload(void **state)
{
	static uint8_t buf[200];
	struct ip_addr src, dst;
	struct packet p;
	size_t front;

	(void)state;
	ip_addr_parse(A6, &src);
	ip_addr_parse(B6, &dst);
	for (front = 22; front < 48; front++) {
		memset(buf, 0xee, sizeof(buf));
		p = packet_in(buf, front + 64 + 18, front, 64);
		memset(p.data, 0x77, 64);
		assert_int_equal(beet_rebuild(&p, 17, &src, &dst, 0), ESP_DROP_NONE);
		assert_int_equal(p.len, 104);
		assert_int_equal(p.data[40], 0x77);
		assert_int_equal(p.data[103], 0x77);
		assert_int_equal(buf[front + 64 + 18], 0xee);
	}
	p = packet_in(buf, 21 + 64 + 18, 21, 64);
	assert_int_equal(beet_rebuild(&p, 17, &src, &dst, 0), ESP_DROP_SPACE);
}

/* An IPv4 fragment has no place in BEET; an IPv6 one is only another extension header. */
static void test_fragments(void **state)
{
	static const uint16_t off[] = {IPV4_FLAG_MF, IPV4_FLAG_MF | 10, 10};
	struct pair pair = fix_simple(IPSEC_BEET, A4, B4), pair6;
	struct buffer b;
	struct packet p;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		p = fix_inner(&b, &(struct inner_spec){.src = A4,
						       .dst = B4,
						       .proto = IP_PROTO_UDP,
						       .frag_off = off[i],
						       .len = 16});
		assert_int_equal(fix_seal(&pair, &p), ESP_DROP_FRAGMENT);
	}
	assert_int_equal(pair.out->seq, 0);
	fix_free(&pair);
	pair6 = fix_simple(IPSEC_BEET, A6, B6);
	p = fix_inner(
	    &b, &(struct inner_spec){.src = A6, .dst = B6, .proto = IP_PROTO_FRAGMENT, .len = 24});
	assert_int_equal(fix_seal(&pair6, &p), ESP_DROP_NONE);
	assert_int_equal(fix_open(&pair6, &p), ESP_DROP_NONE);
	assert_int_equal(p.len, 64);
	fix_free(&pair6);
}

/* Transport mode takes the addresses from the selectors, or from the SA's endpoints. */
static void test_transport_mode_addresses(void **state)
{
	struct pair pair = fix_simple(IPSEC_TRANSPORT, "0.0.0.0/0", "0.0.0.0/0");
	struct buffer b;
	struct packet p = fix_ping(&b, "192.0.2.1", "192.0.2.2");
	char text[IP_ADDR_STRLEN];

	(void)state;
	assert_int_equal(fix_seal(&pair, &p), ESP_DROP_NONE);
	assert_int_equal(p.len, 100);
	assert_int_equal(fix_open(&pair, &p), ESP_DROP_NONE);
	assert_string_equal(ip_addr_format(&p.inner.sel.src, text, sizeof(text)), "192.0.2.1");
	assert_string_equal(ip_addr_format(&p.inner.sel.dst, text, sizeof(text)), "192.0.2.2");
	fix_free(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_header_fields_travel_in_the_outer_header),
	    cmocka_unit_test(test_identification_when_the_outer_one_is_unknown),
	    cmocka_unit_test(test_options_of_every_length_travel),
	    cmocka_unit_test(test_malformed_pseudo_headers),
	    cmocka_unit_test(test_a_packet_of_protocol_94_is_not_taken_for_options),
	    cmocka_unit_test(test_payload_too_long_for_an_ip_header),
	    cmocka_unit_test(test_header_finds_room_behind_the_payload),
	    cmocka_unit_test(test_fragments),
	    cmocka_unit_test(test_transport_mode_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
