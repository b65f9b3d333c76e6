/* Traffic selectors: text, narrowing, matching (RFC 7296 §2.9, §3.13.1, RFC 4301 §4.4.1.1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "vpn/base/proto.h"
#include "vpn/base/ts.h"

static struct ts ts(const char *text)
{
	struct err_msg msg;
	struct ts t;

	if (ts_parse(text, &t, &msg))
		fail_msg("%s", msg.text);
	return t;
}

static struct ts_list list(const char *text)
{
	char copy[256], *save, *one;
	struct ts_list l = {0};

	snprintf(copy, sizeof(copy), "%s", text);
	for (one = strtok_r(copy, " ", &save); one; one = strtok_r(NULL, " ", &save)) {
		struct ts t = ts(one);

		assert_int_equal(ts_list_add(&l, &t), 0);
	}
	return l;
}

static void assert_list(const struct ts_list *l, const char *want)
{
	char buf[TS_STRLEN], text[512] = "";
	size_t i;

	for (i = 0; i < l->n; i++) {
		strcat(text, i ? " " : "");
		strcat(text, ts_format(&l->v[i], buf, sizeof(buf)));
	}
	assert_string_equal(text, want);
}

static void text_is_read_and_printed_as_strongswan_does(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
	    {"10.254.0.0/30", "10.254.0.0/30"},
	    {"10.254.0.2", "10.254.0.2/32"},
	    {"10.0.0.5/8", "10.0.0.0/8"},
	    {"10.0.0.1-10.0.0.9", "10.0.0.1..10.0.0.9"},
	    {"10.0.0.0-10.0.0.255", "10.0.0.0/24"},
	    {"fdc0:beef:1::/64[tcp/80-90]", "fdc0:beef:1::/64[tcp/80-90]"},
	    {"0.0.0.0/0[udp/l2tp]", "0.0.0.0/0[udp/1701]"},
	    {"0.0.0.0/0[/53]", "0.0.0.0/0[/53]"},
	    {"10.0.0.1[icmp/8]", "10.0.0.1/32[icmp/8]"},
	    {"10.0.0.1[icmp/3(4)]", "10.0.0.1/32[icmp/3(4)]"},
	    {"10.0.0.1[gre]", "10.0.0.1/32[gre]"},
	    {"10.0.0.1[200]", "10.0.0.1/32[200]"},
	    {"10.0.0.1[tcp/opaque]", "10.0.0.1/32[tcp/OPAQUE]"},
	    {"dynamic[tcp]", "dynamic[tcp]"},
	};
	char buf[TS_STRLEN];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ts t = ts(rows[i].in);

		assert_string_equal(ts_format(&t, buf, sizeof(buf)), rows[i].out);
	}
}

static void nonsense_is_refused_with_the_text(void **state)
{
	static const char *const texts[] = {"",
					    "10.0.0.0/33",
					    "10.0.0.9-10.0.0.1",
					    "10.0.0.1-fd00::1",
					    "host.example",
					    "10.0.0.1[tcp",
					    "10.0.0.1[qqq]",
					    "10.0.0.1[tcp/9-1]",
					    "10.0.0.1[tcp/70000]"};
	struct err_msg msg;
	struct ts t;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(ts_parse(texts[i], &t, &msg), ERR_SYNTAX);
		assert_non_null(strstr(msg.text, texts[i]));
	}
}

static void narrowing_is_intersection(void **state)
{
	static const struct {
		const char *offered, *allowed, *want;
	} rows[] = {
	    {"10.0.0.0/8", "10.1.0.0/16", "10.1.0.0/16"},
	    {"10.1.0.0/16", "10.0.0.0/8", "10.1.0.0/16"},
	    {"0.0.0.0/0 ::/0", "10.0.0.0/8 fd00::/8", "10.0.0.0/8 fd00::/8"},
	    {"10.0.0.0/8[tcp]", "10.0.0.0/8[udp]", ""},
	    {"10.0.0.0/8[tcp]", "10.0.0.0/8", "10.0.0.0/8[tcp]"},
	    {"10.0.0.0/8[tcp/1-100]", "10.0.0.0/8[tcp/80-443]", "10.0.0.0/8[tcp/80-100]"},
	    {"10.0.0.0-10.0.0.9", "10.0.0.5-10.0.0.20", "10.0.0.5..10.0.0.9"},
	    {"10.0.0.0/8 10.1.0.0/16", "0.0.0.0/0", "10.0.0.0/8"},
	    {"10.1.0.0/16 10.0.0.0/8", "0.0.0.0/0", "10.0.0.0/8"},
	    {"10.0.0.0/8", "fd00::/8", ""},
	    {"10.0.0.0/8[tcp/opaque]", "10.0.0.0/8", "10.0.0.0/8[tcp/OPAQUE]"},
	    {"10.0.0.0/8[tcp/opaque]", "10.0.0.0/8[tcp/80]", ""},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ts_list o = list(rows[i].offered), a = list(rows[i].allowed), n;

		assert_int_equal(ts_list_narrow(&o, &a, &n), 0);
		assert_list(&n, rows[i].want);
		assert_true(ts_list_contains(&o, &n));
		assert_true(ts_list_contains(&a, &n));
		ts_list_free(&o);
		ts_list_free(&a);
		ts_list_free(&n);
	}
}

static void packets_match_by_address_protocol_and_port(void **state)
{
	static const struct {
		const char *src, *dst;
		uint8_t proto;
		uint16_t sport, dport;
		bool ports, want;
	} rows[] = {
	    {"10.1.0.0/16", "10.2.0.0/16", IP_PROTO_TCP, 1, 2, true, true},
	    {"10.1.0.0/16[tcp]", "10.2.0.0/16[tcp/80]", IP_PROTO_TCP, 5, 80, true, true},
	    {"10.1.0.0/16[tcp]", "10.2.0.0/16[tcp/80]", IP_PROTO_TCP, 5, 81, true, false},
	    {"10.1.0.0/16[tcp]", "10.2.0.0/16[tcp/80]", IP_PROTO_UDP, 5, 80, true, false},
	    {"10.1.0.0/16", "10.2.0.0/16[tcp/80]", IP_PROTO_TCP, 0, 0, false, false},
	    {"10.1.0.0/16", "10.2.0.0/16", IP_PROTO_TCP, 0, 0, false, true},
	    {"10.1.0.0/16[tcp/opaque]", "10.2.0.0/16", IP_PROTO_TCP, 0, 0, false, true},
	    {"10.1.0.0/16[icmp/8]", "10.2.0.0/16[icmp/8]", IP_PROTO_ICMP, 0x0800, 0, true, true},
	    {"10.1.0.0/16[icmp/8]", "10.2.0.0/16[icmp/8]", IP_PROTO_ICMP, 0x0300, 0, true, false},
	    {"10.9.0.0/16", "10.2.0.0/16", IP_PROTO_TCP, 1, 2, true, false},
	};
	struct ts_packet pkt = {0};
	size_t i;

	(void)state;
	assert_int_equal(ip_addr_parse("10.1.0.5", &pkt.src), 0);
	assert_int_equal(ip_addr_parse("10.2.0.5", &pkt.dst), 0);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ts_list src = list(rows[i].src), dst = list(rows[i].dst);

		pkt.proto = rows[i].proto;
		pkt.src_port = rows[i].sport;
		pkt.dst_port = rows[i].dport;
		pkt.have_ports = rows[i].ports;
		assert_int_equal(ts_lists_match(&src, &dst, &pkt), rows[i].want);
		ts_list_free(&src);
		ts_list_free(&dst);
	}
}

static void dynamic_becomes_the_address_or_nothing(void **state)
{
	struct ts_list l = list("dynamic[tcp] 10.0.0.0/8"), r;
	struct ip_addr a, unset = {0};

	(void)state;
	assert_int_equal(ip_addr_parse("192.0.2.1", &a), 0);
	assert_int_equal(ts_list_resolve(&l, &a, &r), 0);
	assert_list(&r, "192.0.2.1/32[tcp] 10.0.0.0/8");
	ts_list_free(&r);
	assert_int_equal(ts_list_resolve(&l, &unset, &r), 0);
	assert_list(&r, "10.0.0.0/8");
	ts_list_free(&r);
	ts_list_free(&l);
}

static void a_list_has_an_end(void **state)
{
	struct ts_list l = {0};
	struct ts t = ts("10.0.0.1");
	int i;

	(void)state;
	for (i = 0; i < TS_LIST_MAX; i++)
		assert_int_equal(ts_list_add(&l, &t), 0);
	assert_int_equal(ts_list_add(&l, &t), ERR_LIMIT);
	ts_list_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_is_read_and_printed_as_strongswan_does),
	    cmocka_unit_test(nonsense_is_refused_with_the_text),
	    cmocka_unit_test(narrowing_is_intersection),
	    cmocka_unit_test(packets_match_by_address_protocol_and_port),
	    cmocka_unit_test(dynamic_becomes_the_address_or_nothing),
	    cmocka_unit_test(a_list_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
