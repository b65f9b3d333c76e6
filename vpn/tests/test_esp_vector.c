/* test_esp_vector.c - RFC 7634 appendix A: a whole ESP packet, opened by us. */
#include "vpn/tests/esp_fixture.h"

#include "vpn/base/hex.h"

static const char source[] = "45000054a6f200004001e778c6336405c000020508005b7a3a080000553bec10"
			     "000736270809 0a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223"
			     "2425262728292a2b2c2d2e2f3031323334353637";

static const char sealed[] = "010203040000000510111213 1415161724039428b97f417e3c13753a"
			     "4f05087b67c352e6a7fab1b982d466ef407ae5c614ee8099d52844eb61aa95df"
			     "ab4c02f72aa71e7c4c4f64c9befe2facc638e8f3cbec163fac469b502773f6fb"
			     "94e664da9165b82829f641e076aaa8266b7fb0f7b11b369907e1ad43";

static void test_rfc7634_appendix_a_opens_to_its_source_packet(void **state)
{
	struct ipsec_sa d = fix_desc(IPSEC_TUNNEL, "198.51.100.0/24", "192.0.2.0/24");
	struct buffer b;
	uint8_t want[128];
	struct packet p;
	struct pair pair;
	size_t i, len, want_len;

	(void)state;
	for (i = 0; i < 36; i++)
		d.key[i] = (uint8_t)(0x80 + i);
	d.spi = 0x01020304;
	pair = fix_pair(&d);
	assert_int_equal(hex_parse(source, want, sizeof(want), &want_len), 0);
	assert_int_equal(hex_parse(sealed, b.octets + PACKET_HEADROOM, 1024, &len), 0);
	p = packet_in(b.octets, sizeof(b.octets), PACKET_HEADROOM, len);
	assert_int_equal(fix_open(&pair, &p), ESP_DROP_NONE);
	assert_int_equal(p.len, want_len);
	assert_memory_equal(p.data, want, want_len);
	assert_int_equal(replay_highest(pair.in->replay), 5);
	fix_free(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rfc7634_appendix_a_opens_to_its_source_packet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
