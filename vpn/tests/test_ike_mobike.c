/* test_ike_mobike.c - RFC 4555 between two engines: agreed on, addresses updated, every message
 * lost once, forged, repeated; NATs that come and go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vpn/ike/ike_sa.h"
#include "vpn/ike/mobike.h"
#include "vpn/tests/ike_pair.h"

#define HOME  "10.0.0.1"
#define ROAD  "203.0.113.5"
#define OTHER "203.0.113.77"
#define PEER  "192.0.2.2"
#define PEER2 "198.18.0.2"

#define ADDRESSES(s, ...)                                         \
	pair_set_addresses(s, (const char *const[]){__VA_ARGS__}, \
			   sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static size_t n_wire;	     /* datagrams since arm() */
static size_t to_lose = ~0u; /* which of them is lost */
static struct datagram seen[PAIR_QUEUE];

static enum wire_verdict record(struct pair *p, struct datagram *d)
{
	size_t i = n_wire++;

	(void)p;
	if (i < PAIR_QUEUE)
		seen[i] = *d;
	return i == to_lose ? WIRE_DROP : WIRE_PASS;
}

static void arm(struct pair *p, size_t lose)
{
	n_wire = 0;
	to_lose = lose;
	p->wire = record;
}

static struct pair *configured(uint64_t seed, bool a_mobike, bool b_mobike)
{
	struct pair *p = pair_new(seed);
	struct pair_conn a, b;

	pair_default(p, &a, &b);
	a.mobike = a_mobike;
	b.mobike = b_mobike;
	pair_configure(p, &a, &b);
	ADDRESSES(&p->a, HOME);
	ADDRESSES(&p->b, PEER);
	return p;
}

/* A tunnel with MOBIKE; with `nat`, a's HOME is behind one. */
static struct pair *up(uint64_t seed, bool nat)
{
	struct pair *p = configured(seed, true, true);

	p->nat = nat;
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	pair_assert_agree(p, 1);
	arm(p, ~0u);
	return p;
}

static struct ike_sa_info only_sa(const struct side *s)
{
	struct ike_sa_info info;

	assert_int_equal(pair_ike_count(s), 1);
	assert_true(ike_engine_sa(s->engine, 0, &info));
	return info;
}

static void assert_addr(const struct ip_addr *addr, const char *text)
{
	char buf[IP_ADDR_STRLEN];

	assert_string_equal(ip_addr_format(addr, buf, sizeof(buf)), text);
}

/* Where a side's IKE SA sends to. */
static void assert_remote(const struct side *s, const char *text)
{
	struct ike_sa_info info = only_sa(s);

	assert_addr(&info.remote.addr, text);
}

/* Both ends, IKE SA and Child SAs, are where they should be; b sees a at a_seen. */
static void assert_at(const struct pair *p, const char *a, const char *a_seen, const char *b)
{
	struct ike_sa_info ia = only_sa(&p->a), ib = only_sa(&p->b);
	size_t i;

	assert_addr(&ia.local.addr, a);
	assert_addr(&ia.remote.addr, b);
	assert_addr(&ib.local.addr, b);
	assert_addr(&ib.remote.addr, a_seen);
	for (i = 0; i < p->a.n_sas; i++) {
		assert_true(endpoint_eq(&p->a.sas[i].local, &ia.local));
		assert_true(endpoint_eq(&p->a.sas[i].remote, &ia.remote));
	}
	for (i = 0; i < p->b.n_sas; i++) {
		assert_true(endpoint_eq(&p->b.sas[i].local, &ib.local));
		assert_true(endpoint_eq(&p->b.sas[i].remote, &ib.remote));
	}
}

static void run(struct pair *p, unsigned seconds)
{
	pair_settle(p);
	pair_run_until(p, p->now + seconds * SECOND);
}

/* RFC 4555 §3.2, §3.3: both must say so; then the ports are 4500 without any NAT. */
static void mobike_is_on_if_both_ends_allow_it(void **state)
{
	static const struct {
		bool a, b;
		uint16_t port;
	} table[] = {
	    {true, true, 4500}, {true, false, 4500}, {false, true, 500}, {false, false, 500}};
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		struct pair *p = configured(i + 1, table[i].a, table[i].b);

		assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
		pair_assert_agree(p, 1);
		assert_int_equal(only_sa(&p->b).remote.port, table[i].port);
		assert_false(p->a.sas[0].encap);
		arm(p, ~0u);
		ADDRESSES(&p->a, ROAD);
		run(p, 1);
		assert_int_equal(pair_count_events(&p->b, EVENT_PATH_CONFIRMED),
				 table[i].a && table[i].b);
		pair_free(p);
	}
}

/*     a                                    b
 *     UPDATE NATD NATD COOKIE2       ->    the IKE SA moves
 *                     <-  NATD NATD COOKIE2
 *                     <-  COOKIE2
 *     COOKIE2                        ->    the Child SAs move */
static void an_initiator_updates_its_address(void **state)
{
	struct pair *p = up(5, false);

	(void)state;
	ADDRESSES(&p->a, ROAD);
	run(p, 1);
	assert_at(p, ROAD, ROAD, PEER);
	assert_int_equal(n_wire, 4);
	assert_string_equal(pair_find_event(&p->a, EVENT_LOCAL_MOVED)->text,
			    "10.0.0.1[4500] -> 203.0.113.5[4500]");
	assert_string_equal(pair_find_event(&p->b, EVENT_PEER_MOVED)->text,
			    "10.0.0.1[4500] -> 203.0.113.5[4500]");
	pair_assert_agree(p, 1);
	pair_free(p);
}

/* RFC 4555 §3.7: b's ESP does not go to an address that has not answered. */
static void child_sas_of_a_responder_wait_for_return_routability(void **state)
{
	struct pair *p = up(6, false);
	size_t i;

	(void)state;
	arm(p, 3);
	ADDRESSES(&p->a, ROAD);
	run(p, 1);
	assert_remote(&p->b, ROAD);
	for (i = 0; i < p->b.n_sas; i++)
		assert_addr(&p->b.sas[i].remote.addr, HOME);
	run(p, 5);
	assert_at(p, ROAD, ROAD, PEER);
	pair_free(p);
}

static void each_message_of_an_update_may_be_lost(void **state)
{
	size_t i, nat;

	(void)state;
	for (nat = 0; nat < 2; nat++)
		for (i = 0; i < 4; i++) {
			struct pair *p = up(10 + i, nat);

			arm(p, i);
			ADDRESSES(&p->a, ROAD);
			run(p, 20);
			assert_true(n_wire > 4);
			assert_at(p, ROAD, ROAD, PEER);
			pair_assert_agree(p, 1);
			pair_free(p);
		}
}

static void inject_all(struct pair *p, struct side *to, size_t n, bool forge)
{
	struct endpoint thief = {.port = 4500};
	size_t i;

	assert_int_equal(ip_addr_parse(OTHER, &thief.addr), 0);
	for (i = 0; i < n; i++) {
		struct datagram d = seen[i];

		if (d.to != to)
			continue;
		d.octets[d.len - 1] ^= forge;
		pair_inject(p, to, &thief, d.octets, d.len);
	}
}

/* The update itself, altered or verbatim, from another address: before it arrived, and after. */
static void forged_and_repeated_updates_move_nothing(void **state)
{
	struct pair *p = up(20, false);
	size_t n;

	(void)state;
	arm(p, 0);
	ADDRESSES(&p->a, ROAD);
	pair_run_until(p, p->now + SECOND);
	inject_all(p, &p->b, 1, true);
	assert_remote(&p->b, HOME);
	run(p, 10);
	assert_at(p, ROAD, ROAD, PEER);
	n = n_wire;
	inject_all(p, &p->b, n, false);
	inject_all(p, &p->b, n, true);
	inject_all(p, &p->a, n, false);
	inject_all(p, &p->a, n, true);
	run(p, 1);
	assert_at(p, ROAD, ROAD, PEER);
	assert_int_equal(pair_count_events(&p->b, EVENT_PEER_MOVED), 1);
	pair_free(p);
}

/* RFC 4555 §3.5: the attacker delays the true update and delivers it from elsewhere: that is what
 * the IP header says, so the IKE SA goes there, but no ESP (§3.7). */
static void a_redirected_update_carries_no_esp(void **state)
{
	struct pair *p = up(21, false);
	size_t i;

	(void)state;
	arm(p, 0);
	ADDRESSES(&p->a, ROAD);
	pair_run_until(p, p->now + SECOND);
	inject_all(p, &p->b, 1, false);
	pair_settle(p);
	for (i = 0; i < p->b.n_sas; i++)
		assert_addr(&p->b.sas[i].remote.addr, HOME);
	pair_free(p);
}

static void encapsulation_follows_the_nat(void **state)
{
	struct pair *p = up(30, true);

	(void)state;
	assert_true(p->a.sas[0].encap && p->b.sas[0].encap);
	ADDRESSES(&p->a, ROAD);
	run(p, 1);
	assert_at(p, ROAD, ROAD, PEER);
	assert_false(p->a.sas[0].encap || p->b.sas[0].encap);
	assert_false(only_sa(&p->a).nat_local);
	pair_assert_agree(p, 1);
	ADDRESSES(&p->a, HOME);
	run(p, 1);
	assert_at(p, HOME, "198.51.100.9", PEER);
	assert_true(p->a.sas[0].encap && p->b.sas[0].encap);
	pair_assert_agree(p, 1);
	pair_free(p);
}

/* RFC 4555 §3.8: seen by NAT detection in the liveness check, before anything is sent to b. */
static void a_lost_nat_mapping_is_found_by_liveness(void **state)
{
	struct pair *p = pair_new(31);
	struct pair_conn a, b;

	(void)state;
	pair_default(p, &a, &b);
	a.mobike = b.mobike = true;
	a.dpd_delay = 10;
	pair_configure(p, &a, &b);
	p->nat = true;
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	pair_run_until(p, p->now + 25 * SECOND);
	p->nat_port = 2048;
	pair_run_until(p, p->now + 25 * SECOND);
	assert_int_equal(only_sa(&p->b).remote.port, 2049);
	assert_int_equal(p->b.sas[0].remote.port, 2049);
	pair_assert_agree(p, 1);
	pair_free(p);
}

/* RFC 4555 §3.8: a message that is no update changes nothing. */
static void with_mobike_messages_of_ike_are_not_followed(void **state)
{
	struct pair *p = up(32, true);

	(void)state;
	p->nat_port = 2048;
	assert_int_equal(ike_engine_initiate(p->a.engine, p->a.conns[0],
					     &p->a.conns[0]->children[0], &p->a.here, &p->b.here,
					     p->now, &(uint32_t){0}),
			 0);
	pair_settle(p);
	pair_assert_agree(p, 2);
	assert_int_equal(only_sa(&p->b).remote.port, 1025);
	pair_free(p);
}

/* RFC 4555 §3.5: what waits for its answer goes on from the new address. */
static void an_exchange_in_progress_survives_a_change(void **state)
{
	struct pair *p = up(33, false);

	(void)state;
	arm(p, 0);
	assert_int_equal(ike_engine_initiate(p->a.engine, p->a.conns[0],
					     &p->a.conns[0]->children[0], &p->a.here, &p->b.here,
					     p->now, &(uint32_t){0}),
			 0);
	pair_settle(p);
	ADDRESSES(&p->a, ROAD);
	run(p, 2);
	pair_assert_agree(p, 2);
	assert_at(p, ROAD, ROAD, PEER);
	pair_free(p);
}

/* RFC 4555 §3.5: the answer to the first update says nothing about the second address. */
static void a_second_change_outruns_the_first(void **state)
{
	struct pair *p = up(34, false);

	(void)state;
	arm(p, 1); /* the answer */
	ADDRESSES(&p->a, ROAD);
	pair_run_until(p, p->now + SECOND);
	ADDRESSES(&p->a, OTHER);
	run(p, 30);
	assert_at(p, OTHER, OTHER, PEER);
	assert_int_equal(pair_count_events(&p->a, EVENT_PATH_CONFIRMED), 1);
	pair_assert_agree(p, 1);
	pair_free(p);
}

/* The peer rekeys the IKE SA, and the one who began the first still decides. */
static void the_first_initiator_decides_after_rekeying(void **state)
{
	struct pair *p = up(35, false);

	(void)state;
	assert_int_equal(ike_engine_rekey_ike(p->b.engine, only_sa(&p->b).id, p->now), 0);
	pair_settle(p);
	assert_true(only_sa(&p->b).initiator);
	ADDRESSES(&p->a, ROAD);
	run(p, 1);
	assert_at(p, ROAD, ROAD, PEER);
	assert_int_equal(pair_count_events(&p->a, EVENT_PATH_CONFIRMED), 1);
	pair_free(p);
}

/* The update's request crosses the rekeying of the IKE SA: it is said again in the new one. */
static void an_update_crosses_a_rekeying(void **state)
{
	struct pair *p = up(36, false);

	(void)state;
	arm(p, 0);
	ADDRESSES(&p->a, ROAD);
	pair_run_until(p, p->now + SECOND);
	ADDRESSES(&p->a, HOME, ROAD);
	assert_int_equal(ike_engine_rekey_ike(p->b.engine, only_sa(&p->b).id, p->now), 0);
	run(p, 60);
	assert_at(p, HOME, HOME, PEER);
	pair_assert_agree(p, 1);
	pair_free(p);
}

/* b rekeys the IKE SA while a's update is on its way and lost, and a still hears at HOME. */
static void a_lost_update_is_said_again_in_the_new_sa(void **state)
{
	struct pair *p = up(39, false);
	struct ike_sa_info info = only_sa(&p->b);

	(void)state;
	arm(p, 0);
	ADDRESSES(&p->a, ROAD, HOME);
	pair_run_until(p, p->now + SECOND);
	assert_int_equal(ike_engine_rekey_ike(p->b.engine, info.id, p->now), 0);
	run(p, 2);
	assert_at(p, ROAD, ROAD, PEER);
	pair_assert_agree(p, 1);
	pair_free(p);
}

/* RFC 4555 §3.5: a responder has no say in it. */
static void an_update_from_the_responder_is_ignored(void **state)
{
	struct pair *p = up(60, false);
	struct ike_sa_info info = only_sa(&p->a);
	struct ike_sa *sa = ike_sa_find(p->a.engine, info.id);
	uint8_t in[128], out[128];
	struct ike_builder b = ike_builder_chain(in, sizeof(in)),
			   reply = ike_builder_chain(out, sizeof(out));
	struct ike_payloads payloads;

	(void)state;
	assert_int_equal(ip_addr_parse(OTHER, &sa->heard.remote.addr), 0);
	payload_notify_simple(&b, N_UPDATE_SA_ADDRESSES, (struct view){0});
	assert_int_equal(ike_payloads_decode(ike_builder_first(&b),
					     (struct view){in + 1, b.w.len - 1}, &payloads),
			 0);
	mobike_request(sa, &payloads, &reply, p->now);
	assert_addr(&sa->remote.addr, PEER);
	pair_free(p);
}

/* What stands inside the tunnel is no way to the host. */
static void addresses_inside_the_tunnel_are_not_told(void **state)
{
	struct pair *p = up(61, false);
	struct ike_sa_info info = only_sa(&p->b);
	struct ike_sa *sa = ike_sa_find(p->b.engine, info.id);

	(void)state;
	ADDRESSES(&p->a, HOME, "10.1.0.5", ROAD);
	run(p, 1);
	assert_int_equal(sa->mobike.peer.n, 1);
	assert_addr(&sa->mobike.peer.v[0], ROAD);
	ADDRESSES(&p->a, HOME);
	run(p, 1);
	assert_int_equal(sa->mobike.peer.n, 0);
	pair_free(p);
}

/* RFC 4555 §3.5: local policy is what the connection says of its peer's address. */
static void an_address_that_the_connection_forbids_is_refused(void **state)
{
	struct pair *p = configured(37, true, true);
	struct host_spec *spec = calloc(1, sizeof(*spec));
	struct err_msg msg;

	(void)state;
	assert_int_equal(host_spec_parse("10.0.0.0/8", spec, &msg), 0);
	p->b.conns[0]->remote_addrs = spec;
	p->b.conns[0]->n_remote_addrs = 1;
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	ADDRESSES(&p->a, ROAD);
	run(p, 5);
	assert_remote(&p->b, HOME);
	assert_int_equal(pair_count_events(&p->a, EVENT_PATH_CONFIRMED), 0);
	pair_assert_agree(p, 1);
	ADDRESSES(&p->a, "10.0.0.7");
	run(p, 5);
	assert_at(p, "10.0.0.7", "10.0.0.7", PEER);
	pair_free(p);
}

/* RFC 4555 §3.9, seen from b: the addresses that a has written are not those of the IP header. */
static void a_nat_that_is_forbidden_is_told(void **state)
{
	static const uint8_t other[12] = {10, 0, 0, 9, 192, 0, 2, 2, 17, 148, 17, 148};
	struct pair *p = up(38, false);
	struct ike_sa *sa = ike_sa_find(p->b.engine, only_sa(&p->b).id);
	uint8_t in[128], out[128];
	struct ike_builder b = ike_builder_chain(in, sizeof(in)),
			   reply = ike_builder_chain(out, sizeof(out));
	struct ike_payloads payloads;
	struct payload_notify n;

	(void)state;
	assert_int_equal(ip_addr_parse(ROAD, &sa->heard.remote.addr), 0);
	payload_notify_simple(&b, N_UPDATE_SA_ADDRESSES, (struct view){0});
	payload_notify_simple(&b, N_NO_NATS_ALLOWED, (struct view){other, sizeof(other)});
	assert_int_equal(ike_payloads_decode(ike_builder_first(&b),
					     (struct view){in + 1, b.w.len - 1}, &payloads),
			 0);
	mobike_request(sa, &payloads, &reply, p->now);
	assert_int_equal(ike_payloads_decode(ike_builder_first(&reply),
					     (struct view){out + 1, reply.w.len - 1}, &payloads),
			 0);
	assert_true(payloads_find_notify(&payloads, N_UNEXPECTED_NAT_DETECTED, &n));
	assert_addr(&sa->remote.addr, HOME);
	pair_free(p);
}

/* RFC 4555 §3.7: an answer without our COOKIE2, or with another, ends the IKE SA. */
static void a_wrong_cookie2_ends_the_sa(void **state)
{
	static const struct {
		size_t len;
		bool same, lives;
	} table[] = {{MOBIKE_COOKIE_LEN, true, true},
		     {MOBIKE_COOKIE_LEN, false, false},
		     {8, true, false},
		     {0, true, false}};
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		struct pair *p = up(40 + i, false);
		struct ike_sa *sa = ike_sa_find(p->a.engine, only_sa(&p->a).id);
		struct task task = {.type = TASK_MOBIKE_CHECK, .cookie2 = {1, 2, 3}};
		uint8_t in[128], octets[MOBIKE_COOKIE_LEN] = {1, 2, table[i].same ? 3 : 4};
		struct ike_builder b = ike_builder_chain(in, sizeof(in));
		struct ike_payloads payloads;

		payload_notify_simple(&b, table[i].len ? N_COOKIE2 : N_INITIAL_CONTACT,
				      (struct view){octets, table[i].len});
		assert_int_equal(ike_payloads_decode(ike_builder_first(&b),
						     (struct view){in + 1, b.w.len - 1}, &payloads),
				 0);
		mobike_response(sa, &task, &payloads, p->now);
		pair_settle(p);
		assert_int_equal(pair_ike_count(&p->a), table[i].lives);
		pair_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(mobike_is_on_if_both_ends_allow_it),
	    cmocka_unit_test(an_initiator_updates_its_address),
	    cmocka_unit_test(child_sas_of_a_responder_wait_for_return_routability),
	    cmocka_unit_test(each_message_of_an_update_may_be_lost),
	    cmocka_unit_test(forged_and_repeated_updates_move_nothing),
	    cmocka_unit_test(a_redirected_update_carries_no_esp),
	    cmocka_unit_test(encapsulation_follows_the_nat),
	    cmocka_unit_test(a_lost_nat_mapping_is_found_by_liveness),
	    cmocka_unit_test(with_mobike_messages_of_ike_are_not_followed),
	    cmocka_unit_test(an_exchange_in_progress_survives_a_change),
	    cmocka_unit_test(a_second_change_outruns_the_first),
	    cmocka_unit_test(the_first_initiator_decides_after_rekeying),
	    cmocka_unit_test(an_update_crosses_a_rekeying),
	    cmocka_unit_test(a_lost_update_is_said_again_in_the_new_sa),
	    cmocka_unit_test(an_update_from_the_responder_is_ignored),
	    cmocka_unit_test(addresses_inside_the_tunnel_are_not_told),
	    cmocka_unit_test(an_address_that_the_connection_forbids_is_refused),
	    cmocka_unit_test(a_nat_that_is_forbidden_is_told),
	    cmocka_unit_test(a_wrong_cookie2_ends_the_sa),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
