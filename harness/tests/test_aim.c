/* test_aim.c - an aim means the packets that it says, and no others. */
#include "harness/aim.h"
#include "netns/link_model.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { IP_LEN = 20, UDP_LEN = 8, IKE_LEN = 28, MARKER_LEN = 4 };

struct packet {
	uint8_t data[128];
	size_t len;
};

/* IPv4 with a UDP payload; ports are the last octets of what they are: 500, or 4500 */
static struct packet udp(uint16_t src, uint16_t dst, const uint8_t *payload, size_t len)
{
	const size_t total = IP_LEN + UDP_LEN + len;
	struct packet p = {.len = total};
	const uint8_t head[IP_LEN + UDP_LEN] = {0x45,
						0,
						0,
						(uint8_t)total,
						0,
						0,
						0,
						0,
						64,
						17,
						0,
						0,
						192,
						0,
						2,
						1,
						192,
						0,
						2,
						2,
						(uint8_t)(src >> 8),
						(uint8_t)src,
						(uint8_t)(dst >> 8),
						(uint8_t)dst,
						0,
						(uint8_t)(UDP_LEN + len),
						0,
						0};

	memcpy(p.data, head, sizeof(head));
	memcpy(p.data + sizeof(head), payload, len);
	return p;
}

/* A message of nothing but its header, on port 500 or, with the marker, on 4500. */
static struct packet ike(uint8_t sa, uint8_t exchange, uint8_t flags, uint8_t id, bool natt)
{
	uint8_t octets[MARKER_LEN + IKE_LEN] = {0};
	uint8_t *m = octets + (natt ? MARKER_LEN : 0);

	m[0] = sa;
	m[17] = 0x20;
	m[18] = exchange;
	m[19] = flags;
	m[23] = id;
	m[27] = IKE_LEN;
	return udp(natt ? 40001 : 500, natt ? 4500 : 500, octets,
		   IKE_LEN + (natt ? MARKER_LEN : 0));
}

static struct packet esp(void)
{
	static const uint8_t octets[16] = {0xc0, 1, 2, 3, 0, 0, 0, 1};

	return udp(4500, 40001, octets, sizeof(octets));
}

static struct packet native_esp(void)
{
	struct packet p = esp();

	p.data[9] = 50;
	return p;
}

static struct packet keepalive(void)
{
	return udp(4500, 40001, (const uint8_t *)"\xff", 1);
}

static struct packet other(void)
{
	return udp(5000, 5001, (const uint8_t *)"0123456789", 10);
}

enum { REQUEST_I = 0x08, RESPONSE_R = 0x20, REQUEST_R = 0x00, RESPONSE_I = 0x28 };

static void test_an_aim_means_what_it_says(void **state)
{
	const struct packet packets[] = {
	    ike(1, 34, REQUEST_I, 0, false),  /* a */
	    ike(1, 34, RESPONSE_R, 0, false), /* b */
	    ike(1, 35, REQUEST_I, 1, true),   /* c */
	    ike(2, 34, REQUEST_I, 0, false),  /* d */
	    ike(1, 35, RESPONSE_R, 1, true),  /* e */
	    ike(1, 37, REQUEST_R, 0, true),   /* f */
	    ike(1, 37, RESPONSE_I, 0, true),  /* g */
	    esp(),
	    native_esp(),
	    keepalive(),
	    other(), /* h i j k */
	};
	static const struct {
		struct sc_aim aim;
		const char *meant;
	} cases[] = {
	    {{.packet = AIM_ANY}, "abcdefghijk"},
	    {{.packet = AIM_IKE}, "abcdefg"},
	    {{.packet = AIM_ESP}, "hi"},
	    {{.packet = AIM_KEEPALIVE}, "j"},
	    {{.message = "IKE_SA_INIT"}, "abd"},
	    {{.message = "IKE_AUTH", .kind = AIM_RESPONSE}, "e"},
	    {{.kind = AIM_REQUEST}, "acdf"},
	    {{.from = AIM_RESPONDER}, "bef"},
	    {{.message = "INFORMATIONAL", .from = AIM_INITIATOR}, "g"},
	    {{.id = "1"}, "ce"},
	    {{.ike_sa = 2}, "d"},
	    {{.ike_sa = 1, .message = "IKE_SA_INIT"}, "ab"},
	    {{.message = "CREATE_CHILD_SA"}, ""},
	};
	char got[16];
	size_t i, j, n;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sc_aim aim = cases[i].aim;

		for (j = n = 0; j < sizeof(packets) / sizeof(packets[0]); j++)
			if (aim_match(&aim, packets[j].data, packets[j].len))
				got[n++] = (char)('a' + j);
		got[n] = 0;
		if (strcmp(got, cases[i].meant) != 0)
			fail_msg("case %zu: '%s', not '%s'", i, got, cases[i].meant);
	}
}

static void test_octets_cut_short_anywhere_are_no_message(void **state)
{
	const struct packet p = ike(1, 35, REQUEST_I, 1, true);
	struct sc_aim aim = {.message = "IKE_AUTH"};
	size_t len;

	(void)state;
	for (len = 0; len < p.len; len++) {
		uint8_t *copy = malloc(len + 1);

		memcpy(copy, p.data, len);
		assert_false(aim_match(&aim, copy, len));
		free(copy);
	}
}

static void test_nth_alone_is_one_packet(void **state)
{
	struct sc_aim second = {.act = LINK_ACT_DROP, .message = "IKE_AUTH", .nth = 2};
	struct sc_aim all = {.act = LINK_ACT_DELAY, .packet = AIM_ESP, .by_ms = 20};

	(void)state;
	assert_int_equal(aim_arm(&second).count, 1);
	assert_int_equal(aim_arm(&second).first, 2);
	assert_string_equal(aim_arm(&second).name, "drop IKE_AUTH");
	assert_int_equal(aim_arm(&all).count, 0);
	assert_true(aim_arm(&all).delay == 20 * LINK_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_an_aim_means_what_it_says),
	    cmocka_unit_test(test_octets_cut_short_anywhere_are_no_message),
	    cmocka_unit_test(test_nth_alone_is_one_packet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
