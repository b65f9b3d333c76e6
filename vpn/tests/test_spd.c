/* test_spd.c - finding SAs: inbound by SPI, outbound by interface ID and selectors. */
#include "vpn/tests/esp_fixture.h"

#include <stdlib.h>

#include "vpn/base/err.h"
#include "vpn/esp/spd.h"

static struct esp_sa *new_sa(uint32_t spi, uint32_t if_id, const char *local, const char *remote)
{
	struct ipsec_sa d = fix_desc(IPSEC_TUNNEL, local, remote);
	struct esp_sa *sa;

	d.spi = spi;
	d.if_id = if_id;
	assert_int_equal(esp_sa_new(&d, &sa), 0);
	ipsec_sa_clear(&d);
	return sa;
}

static void add(struct spd *spd, struct esp_sa *sa)
{
	struct spd_entry e = {.if_id = sa->desc.if_id,
			      .local_ts = &sa->desc.local_ts,
			      .remote_ts = &sa->desc.remote_ts,
			      .sa = sa};

	assert_int_equal(spd_add(spd, &e), 0);
}

static struct ts_packet packet(const char *src, const char *dst, uint8_t proto, uint16_t dport)
{
	struct ts_packet p = {
	    .proto = proto, .src_port = 1024, .dst_port = dport, .have_ports = true};

	assert_int_equal(ip_addr_parse(src, &p.src), 0);
	assert_int_equal(ip_addr_parse(dst, &p.dst), 0);
	return p;
}

/* The SPI of the SA that takes a packet; 0: none. */
static uint32_t taken_by(struct spd *spd, uint32_t if_id, const struct ts_packet *p)
{
	const struct spd_entry *e = spd_find(spd, if_id, p);

	return e && e->sa ? e->sa->desc.spi : 0;
}

static void test_the_newest_sa_of_equal_selectors_takes_over(void **state)
{
	struct esp_sa *old = new_sa(1000, 1, "10.0.0.0/24", "10.1.0.0/24");
	struct esp_sa *new = new_sa(1001, 1, "10.0.0.0/24", "10.1.0.0/24");
	struct ts_packet p = packet("10.0.0.1", "10.1.0.1", 6, 80);
	struct spd *spd;

	(void)state;
	assert_int_equal(spd_new(&spd), 0);
	add(spd, old);
	assert_int_equal(taken_by(spd, 1, &p), 1000);
	add(spd, new);
	assert_int_equal(taken_by(spd, 1, &p), 1001);
	assert_true(spd_remove(spd, new, 0));
	assert_int_equal(taken_by(spd, 1, &p), 1000);
	assert_true(spd_remove(spd, old, 0));
	assert_false(spd_remove(spd, old, 0));
	assert_int_equal(taken_by(spd, 1, &p), 0);
	spd_free(spd);
	esp_sa_free(old);
	esp_sa_free(new);
}

/* RFC 4301 §4.4.1: the database is ordered; narrower selectors come first whatever their age. */
static void test_narrow_selectors_come_before_wide_ones(void **state)
{
	static const char *const remote[] = {"10.1.0.1/32[tcp/443]", "10.1.0.1/32[tcp]",
					     "10.1.0.1/32",	     "10.1.0.0-10.1.0.9",
					     "10.1.0.0/24",	     "0.0.0.0/0"};
	struct esp_sa *sa[6];
	struct ts_packet p = packet("10.0.0.1", "10.1.0.1", IP_PROTO_TCP, 443);
	struct spd *spd;
	size_t i;

	(void)state;
	assert_int_equal(spd_new(&spd), 0);
	for (i = 0; i < 6; i++) {
		sa[i] = new_sa(1000 + (uint32_t)i, 0, "10.0.0.0/8", remote[i]);
		add(spd, sa[i]);
	}
	for (i = 0; i < 6; i++) {
		assert_int_equal(taken_by(spd, 0, &p), 1000 + i);
		spd_remove(spd, sa[i], 0);
		esp_sa_free(sa[i]);
	}
	spd_free(spd);
}

static void test_interface_ids_are_worlds_of_their_own(void **state)
{
	struct esp_sa *one = new_sa(1001, 1, "10.0.0.0/24", "10.1.0.0/24");
	struct esp_sa *two = new_sa(1002, 2, "10.0.0.0/24", "10.1.0.0/24");
	struct ts_packet p = packet("10.0.0.1", "10.1.0.1", 6, 80);
	struct spd *spd;

	(void)state;
	assert_int_equal(spd_new(&spd), 0);
	add(spd, one);
	add(spd, two);
	assert_int_equal(taken_by(spd, 1, &p), 1001);
	assert_int_equal(taken_by(spd, 2, &p), 1002);
	assert_int_equal(taken_by(spd, 3, &p), 0);
	assert_int_equal(taken_by(spd, 0, &p), 0);
	spd_free(spd);
	esp_sa_free(one);
	esp_sa_free(two);
}

static void test_protocols_ports_and_directions_matter(void **state)
{
	struct esp_sa *sa = new_sa(1001, 0, "10.0.0.0/24", "10.1.0.0/24[tcp/80-90]");
	struct spd *spd;
	static const struct {
		const char *src, *dst;
		uint8_t proto;
		uint16_t port;
		uint32_t spi;
	} c[] = {{"10.0.0.1", "10.1.0.1", IP_PROTO_TCP, 80, 1001},
		 {"10.0.0.1", "10.1.0.1", IP_PROTO_TCP, 90, 1001},
		 {"10.0.0.1", "10.1.0.1", IP_PROTO_TCP, 91, 0},
		 {"10.0.0.1", "10.1.0.1", IP_PROTO_UDP, 80, 0},
		 {"10.0.1.1", "10.1.0.1", IP_PROTO_TCP, 80, 0},
		 {"10.1.0.1", "10.0.0.1", IP_PROTO_TCP, 80, 0},
		 {"fd00::1", "fd00::2", IP_PROTO_TCP, 80, 0}};
	size_t i;

	(void)state;
	assert_int_equal(spd_new(&spd), 0);
	add(spd, sa);
	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		struct ts_packet p = packet(c[i].src, c[i].dst, c[i].proto, c[i].port);

		assert_int_equal(taken_by(spd, 0, &p), c[i].spi);
		assert_int_equal(taken_by(spd, 0, &p), c[i].spi); /* now from the cache */
	}
	spd_free(spd);
	esp_sa_free(sa);
}

static void test_a_trap_gives_way_to_an_sa_and_comes_back(void **state)
{
	struct esp_sa *sa = new_sa(1001, 0, "10.0.0.0/24", "10.1.0.0/24");
	struct ts_packet p = packet("10.0.0.1", "10.1.0.1", 6, 80);
	struct spd_entry trap = {
	    .reqid = 9, .local_ts = &sa->desc.local_ts, .remote_ts = &sa->desc.remote_ts};
	struct spd *spd;

	(void)state;
	assert_int_equal(spd_new(&spd), 0);
	add(spd, sa);
	assert_int_equal(spd_add(spd, &trap), 0);
	assert_int_equal(taken_by(spd, 0, &p), 1001);
	assert_true(spd_remove(spd, sa, 0));
	assert_int_equal(spd_find(spd, 0, &p)->reqid, 9);
	add(spd, sa);
	assert_int_equal(taken_by(spd, 0, &p), 1001);
	assert_true(spd_remove(spd, NULL, 9));
	spd_free(spd);
	esp_sa_free(sa);
}

static void test_thousands_of_spis_are_found_after_growth_and_removal(void **state)
{
	enum { N = 3000 };
	static struct esp_sa *sas[N];
	struct sad *sad;
	uint32_t i;

	(void)state;
	assert_int_equal(sad_new(&sad), 0);
	for (i = 0; i < N; i++) {
		sas[i] = calloc(1, sizeof(*sas[i]));
		sas[i]->desc.spi = 256 + i * 65536 + i % 7;
		assert_int_equal(sad_add(sad, sas[i]), 0);
		assert_int_equal(sad_add(sad, sas[i]), ERR_EXISTS);
	}
	assert_int_equal(sad_count(sad), N);
	for (i = 0; i < N; i += 2)
		sad_remove(sad, sas[i]);
	for (i = 0; i < N; i++)
		assert_ptr_equal(sad_find(sad, sas[i]->desc.spi), i % 2 ? sas[i] : NULL);
	sad_free(sad);
	for (i = 0; i < N; i++)
		free(sas[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_the_newest_sa_of_equal_selectors_takes_over),
	    cmocka_unit_test(test_narrow_selectors_come_before_wide_ones),
	    cmocka_unit_test(test_interface_ids_are_worlds_of_their_own),
	    cmocka_unit_test(test_protocols_ports_and_directions_matter),
	    cmocka_unit_test(test_a_trap_gives_way_to_an_sa_and_comes_back),
	    cmocka_unit_test(test_thousands_of_spis_are_found_after_growth_and_removal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
