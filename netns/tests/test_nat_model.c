/* test_nat_model.c - a NAT box maps and filters as RFC 4787 names its behaviours. */
#include "netns/link_params.h"
#include "netns/nat_packet.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct endpoint ep(const char *addr, uint16_t port)
{
	struct endpoint e = {.port = port};

	assert_int_equal(ip_addr_parse(addr, &e.addr), 0);
	return e;
}

static struct nat_flow flow(struct endpoint src, struct endpoint dst)
{
	return (struct nat_flow){.proto = 17, .src = src, .dst = dst};
}

static struct nat_model *new_nat(struct nat_params params)
{
	struct nat_model *nat;

	params.outside = ep("198.51.100.2", 0).addr;
	params.seed = 7;
	assert_int_equal(nat_model_new(&params, &nat), 0);
	return nat;
}

static uint16_t out(struct nat_model *nat, const char *to, uint16_t port, int64_t now)
{
	struct nat_flow f = flow(ep("192.168.1.2", 4500), ep(to, port));
	struct endpoint outside;

	assert_int_equal(nat_model_out(nat, &f, now, &outside), 0);
	return outside.port;
}

static int in(struct nat_model *nat, const char *from, uint16_t port, uint16_t to, int64_t now)
{
	struct nat_flow f = flow(ep(from, port), ep("198.51.100.2", to));
	struct endpoint inside;

	return nat_model_in(nat, &f, now, &inside);
}

/* RFC 4787 §4.1: what one mapping is used for. */
static void test_a_mapping_depends_on_what_the_behaviour_says(void **state)
{
	static const struct {
		enum nat_behaviour mapping;
		bool same_for_port, same_for_address;
	} cases[] = {{NAT_ENDPOINT_INDEPENDENT, true, true},
		     {NAT_ADDRESS_DEPENDENT, true, false},
		     {NAT_ADDRESS_AND_PORT_DEPENDENT, false, false}};
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct nat_model *nat = new_nat((struct nat_params){.mapping = cases[i].mapping});
		uint16_t first = out(nat, "203.0.113.10", 4500, 0);

		assert_int_equal(out(nat, "203.0.113.10", 4500, 0), first);
		assert_int_equal(out(nat, "203.0.113.10", 500, 0) == first, cases[i].same_for_port);
		assert_int_equal(out(nat, "203.0.113.11", 4500, 0) == first,
				 cases[i].same_for_address);
		nat_model_free(nat);
	}
}

/* RFC 4787 §5: who may send to a mapping. */
static void test_filtering_lets_in_whom_the_behaviour_says(void **state)
{
	static const struct {
		enum nat_behaviour filtering;
		int other_port, other_address;
	} cases[] = {{NAT_ENDPOINT_INDEPENDENT, 0, 0},
		     {NAT_ADDRESS_DEPENDENT, 0, ERR_PERM},
		     {NAT_ADDRESS_AND_PORT_DEPENDENT, ERR_PERM, ERR_PERM}};
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct nat_model *nat =
		    new_nat((struct nat_params){.filtering = cases[i].filtering});
		uint16_t port = out(nat, "203.0.113.10", 4500, 0);

		assert_int_equal(in(nat, "203.0.113.10", 4500, port, 0), 0);
		assert_int_equal(in(nat, "203.0.113.10", 9, port, 0), cases[i].other_port);
		assert_int_equal(in(nat, "203.0.113.99", 4500, port, 0), cases[i].other_address);
		assert_int_equal(in(nat, "203.0.113.10", 4500, (uint16_t)(port ^ 1), 0),
				 ERR_NOT_FOUND);
		nat_model_free(nat);
	}
}

static void test_a_port_is_preserved_until_it_is_taken(void **state)
{
	struct nat_model *nat = new_nat((struct nat_params){.preserve_ports = true});
	struct nat_flow other = flow(ep("192.168.1.3", 4500), ep("203.0.113.10", 4500));
	struct endpoint outside;

	(void)state;
	assert_int_equal(out(nat, "203.0.113.10", 4500, 0), 4500);
	assert_int_equal(nat_model_out(nat, &other, 0, &outside), 0);
	assert_int_not_equal(outside.port, 4500);
	nat_model_free(nat);
}

/* RFC 4787 §4.3 */
static void test_an_idle_mapping_ends_and_use_refreshes_it(void **state)
{
	struct nat_model *nat =
	    new_nat((struct nat_params){.timeout = 30 * LINK_S, .refresh_in = true});
	uint16_t port = out(nat, "203.0.113.10", 4500, 0);

	(void)state;
	assert_int_equal(in(nat, "203.0.113.10", 4500, port, 29 * LINK_S), 0);
	assert_int_equal(in(nat, "203.0.113.10", 4500, port, 58 * LINK_S), 0);
	assert_int_equal(in(nat, "203.0.113.10", 4500, port, 88 * LINK_S), ERR_NOT_FOUND);
	assert_int_equal(nat_model_count(nat, 88 * LINK_S), 0);
	nat_model_free(nat);
}

static void test_a_reboot_forgets_and_gives_other_ports(void **state)
{
	struct nat_model *nat = new_nat((struct nat_params){.preserve_ports = false});
	uint16_t port = out(nat, "203.0.113.10", 4500, 0);

	(void)state;
	nat_model_reboot(nat);
	assert_int_equal(in(nat, "203.0.113.10", 4500, port, 0), ERR_NOT_FOUND);
	assert_int_not_equal(out(nat, "203.0.113.10", 4500, 0), port);
	nat_model_free(nat);
}

/* RFC 4787 §6: both ends appear with the outside address. */
static void test_hairpinning_shows_outside_addresses(void **state)
{
	struct nat_model *nat =
	    new_nat((struct nat_params){.hairpin = true, .filtering = NAT_ENDPOINT_INDEPENDENT});
	uint16_t port = out(nat, "203.0.113.10", 4500, 0);
	struct nat_flow f = flow(ep("192.168.1.3", 500), ep("198.51.100.2", port)), behind;
	struct endpoint inside = ep("192.168.1.2", 4500), outside = ep("198.51.100.2", 0);

	(void)state;
	assert_int_equal(nat_model_hairpin(nat, &f, 0, &behind), 0);
	assert_true(endpoint_eq(&behind.dst, &inside));
	assert_true(ip_addr_eq(&behind.src.addr, &outside.addr));
	nat_model_free(nat);
}

/* ESP has no ports: a second host behind the box cannot talk to the same peer. */
static void test_a_protocol_without_ports_serves_one_host(void **state)
{
	struct nat_model *nat = new_nat((struct nat_params){.preserve_ports = true});
	struct nat_flow first = flow(ep("192.168.1.2", 0), ep("203.0.113.10", 0)), second = first;
	struct endpoint outside;

	(void)state;
	second.src = ep("192.168.1.3", 0);
	first.proto = second.proto = 50;
	assert_int_equal(nat_model_out(nat, &first, 0, &outside), 0);
	assert_int_equal(nat_model_out(nat, &second, 0, &outside), ERR_SPACE);
	nat_model_free(nat);
}

/* What home routers call IPsec pass-through: of two hosts that use port 500 the second has it. */
static void test_a_pass_through_gives_port_500_to_the_last(void **state)
{
	struct nat_model *nat = new_nat((struct nat_params){.pass_through = true});
	struct nat_flow first = flow(ep("192.168.1.2", 500), ep("203.0.113.10", 500)),
			second = flow(ep("192.168.1.3", 500), ep("203.0.113.10", 500)),
			other = flow(ep("192.168.1.3", 4500), ep("203.0.113.10", 4500)),
			answer = flow(ep("203.0.113.10", 500), ep("198.51.100.2", 500));
	struct endpoint outside, inside, want[] = {ep("192.168.1.2", 500), ep("192.168.1.3", 500)};

	(void)state;
	assert_int_equal(nat_model_out(nat, &first, 0, &outside), 0);
	assert_int_equal(outside.port, 500);
	assert_int_equal(nat_model_in(nat, &answer, 0, &inside), 0);
	assert_true(endpoint_eq(&inside, &want[0]));
	assert_int_equal(nat_model_out(nat, &second, 0, &outside), 0);
	assert_int_equal(outside.port, 500);
	assert_int_equal(nat_model_in(nat, &answer, 0, &inside), 0);
	assert_true(endpoint_eq(&inside, &want[1]));
	assert_int_equal(nat_model_count(nat, 0), 1);
	assert_int_equal(nat_model_out(nat, &other, 0, &outside), 0);
	assert_int_not_equal(outside.port, 4500);
	nat_model_free(nat);
}

/* RFC 791, RFC 768: header and UDP checksums are right after the translation, both ways. */
static void test_a_translated_packet_has_right_checksums(void **state)
{
	uint8_t data[32] = {0x45, 0,	0,   32, 0, 1,	 0,   0,   64,	17,   0,
			    0,	  192,	168, 1,	 2, 203, 0,   113, 10,	0x11, 0x94,
			    0x11, 0x94, 0,   12, 0, 0,	 'a', 'b', 'c', 'd'};
	struct nat_model *nat = new_nat((struct nat_params){.preserve_ports = false});
	struct ip_info ip;
	uint16_t csum;

	(void)state;
	ipv4_set_checksum(data, 20);
	assert_int_equal(ip_parse(data, sizeof(data), &ip), 0);
	csum = ip_l4_checksum(data, &ip);
	data[26] = (uint8_t)(csum >> 8);
	data[27] = (uint8_t)csum;
	assert_int_equal(nat_packet_out(nat, data, sizeof(data), 0), 0);
	assert_int_equal(ip_parse(data, sizeof(data), &ip), 0);
	assert_true(ipv4_checksum_ok(data, 20));
	assert_int_equal(ip_l4_checksum(data, &ip), 0);
	assert_int_not_equal(ip.sel.src_port, 4500);
	nat_model_free(nat);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_mapping_depends_on_what_the_behaviour_says),
	    cmocka_unit_test(test_filtering_lets_in_whom_the_behaviour_says),
	    cmocka_unit_test(test_a_port_is_preserved_until_it_is_taken),
	    cmocka_unit_test(test_an_idle_mapping_ends_and_use_refreshes_it),
	    cmocka_unit_test(test_a_reboot_forgets_and_gives_other_ports),
	    cmocka_unit_test(test_hairpinning_shows_outside_addresses),
	    cmocka_unit_test(test_a_protocol_without_ports_serves_one_host),
	    cmocka_unit_test(test_a_pass_through_gives_port_500_to_the_last),
	    cmocka_unit_test(test_a_translated_packet_has_right_checksums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
