/* test_ike_roam.c - the host's network changes under an IKE SA, with MOBIKE and without: which
 * addresses are used then, and what is waited for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vpn/tests/ike_pair.h"

#define HOME  "10.0.0.1"
#define ROAD  "203.0.113.5"
#define PEER  "192.0.2.2"
#define PEER2 "198.18.0.2"
#define PEER3 "198.18.0.3"

#define ADDRESSES(s, ...)                                         \
	pair_set_addresses(s, (const char *const[]){__VA_ARGS__}, \
			   sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static struct pair *configured(uint64_t seed, bool mobike)
{
	struct pair *p = pair_new(seed);
	struct pair_conn a, b;

	pair_default(p, &a, &b);
	a.mobike = b.mobike = mobike;
	pair_configure(p, &a, &b);
	ADDRESSES(&p->a, HOME);
	ADDRESSES(&p->b, PEER);
	return p;
}

static struct pair *up(uint64_t seed, bool mobike, bool nat)
{
	struct pair *p = configured(seed, mobike);

	p->nat = nat;
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	pair_assert_agree(p, 1);
	return p;
}

static void assert_addr(const struct ip_addr *addr, const char *text)
{
	char buf[IP_ADDR_STRLEN];

	assert_string_equal(ip_addr_format(addr, buf, sizeof(buf)), text);
}

static void assert_sa_at(const struct side *s, const char *local, const char *remote)
{
	struct ike_sa_info info;
	size_t i;

	assert_int_equal(pair_ike_count(s), 1);
	assert_true(ike_engine_sa(s->engine, 0, &info));
	assert_addr(&info.local.addr, local);
	assert_addr(&info.remote.addr, remote);
	for (i = 0; i < s->n_sas; i++)
		assert_addr(&s->sas[i].remote.addr, remote);
}

static void run(struct pair *p, unsigned seconds)
{
	pair_settle(p);
	pair_run_until(p, p->now + seconds * SECOND);
}

/* What the wire carries to and from this address is lost. */
static const char *dead;

static enum wire_verdict lose_dead(struct pair *p, struct datagram *d)
{
	char from[IP_ADDR_STRLEN], at[IP_ADDR_STRLEN];

	(void)p;
	ip_addr_format(&d->from.addr, from, sizeof(from));
	ip_addr_format(&d->at.addr, at, sizeof(at));
	return strcmp(from, dead) == 0 || strcmp(at, dead) == 0 ? WIRE_DROP : WIRE_PASS;
}

static enum wire_verdict lose_all(struct pair *p, struct datagram *d)
{
	(void)p;
	(void)d;
	return WIRE_DROP;
}

static size_t to_lose;

static enum wire_verdict lose_one(struct pair *p, struct datagram *d)
{
	(void)p;
	(void)d;
	return to_lose-- == 0 ? WIRE_DROP : WIRE_PASS;
}

/* RFC 4555 §3.5: an announcement of b's from its new address; a draws the conclusion. */
static void a_responder_that_moves_is_followed_by_the_initiator(void **state)
{
	struct pair *p = up(1, true, false);

	(void)state;
	ADDRESSES(&p->b, PEER2);
	run(p, 20);
	assert_sa_at(&p->a, HOME, PEER2);
	assert_sa_at(&p->b, PEER2, HOME);
	pair_assert_agree(p, 1);
	assert_int_equal(pair_count_events(&p->a, EVENT_PATH_CONFIRMED), 1);
	pair_free(p);
}

/* RFC 4555 §3.5: a better route is no reason; the initiator has chosen that address. */
static void a_responder_keeps_an_address_that_it_still_has(void **state)
{
	struct pair *p = up(12, true, false);

	(void)state;
	ADDRESSES(&p->b, PEER2, PEER);
	run(p, 20);
	assert_sa_at(&p->a, HOME, PEER);
	assert_sa_at(&p->b, PEER, HOME);
	assert_int_equal(pair_count_events(&p->b, EVENT_LOCAL_MOVED), 0);
	pair_free(p);
}

static void a_responder_that_moves_may_lose_any_message(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < 6; i++) {
		struct pair *p = up(20 + i, true, false);

		to_lose = i;
		p->wire = lose_one;
		ADDRESSES(&p->b, PEER2);
		run(p, 60);
		assert_sa_at(&p->a, HOME, PEER2);
		assert_sa_at(&p->b, PEER2, HOME);
		pair_assert_agree(p, 1);
		pair_free(p);
	}
}

/* RFC 4555 §3.5, §3.10: no answer from the address in use; the other one that b has told works. */
static void an_unanswered_request_finds_another_address_of_the_peer(void **state)
{
	struct pair *p = configured(2, true);

	(void)state;
	ADDRESSES(&p->b, PEER, PEER3, PEER2);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	dead = PEER;
	p->wire = lose_dead;
	assert_int_equal(ike_engine_initiate(p->a.engine, p->a.conns[0],
					     &p->a.conns[0]->children[0], &p->a.here, &p->b.here,
					     p->now, &(uint32_t){0}),
			 0);
	run(p, 60);
	assert_sa_at(&p->a, HOME, PEER3);
	assert_sa_at(&p->b, PEER3, HOME);
	pair_assert_agree(p, 2);
	pair_free(p);
}

static enum wire_verdict lose_to_peer2(struct pair *p, struct datagram *d)
{
	char at[IP_ADDR_STRLEN];

	(void)p;
	ip_addr_format(&d->at.addr, at, sizeof(at));
	return strcmp(at, PEER2) == 0 ? WIRE_DROP : WIRE_PASS;
}

/* RFC 4555 §3.7: b says that it is there now; it has to answer from there first. */
static void a_new_address_of_the_responder_has_to_answer(void **state)
{
	struct pair *p = up(13, true, false);
	struct ike_sa_info info;
	size_t i;

	(void)state;
	p->wire = lose_to_peer2;
	ADDRESSES(&p->b, PEER2);
	run(p, 2);
	assert_true(ike_engine_sa(p->a.engine, 0, &info));
	assert_addr(&info.remote.addr, PEER2);
	for (i = 0; i < p->a.n_sas; i++)
		assert_addr(&p->a.sas[i].remote.addr, PEER);
	p->wire = NULL;
	run(p, 20);
	assert_sa_at(&p->a, HOME, PEER2);
	pair_free(p);
}

static void an_address_that_does_not_answer_carries_no_esp(void **state)
{
	struct pair *p = configured(3, true);
	size_t i;

	(void)state;
	ADDRESSES(&p->b, PEER, PEER2);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	p->wire = lose_all;
	assert_int_equal(ike_engine_initiate(p->a.engine, p->a.conns[0],
					     &p->a.conns[0]->children[0], &p->a.here, &p->b.here,
					     p->now, &(uint32_t){0}),
			 0);
	run(p, 60);
	for (i = 0; i < p->a.n_sas; i++)
		assert_addr(&p->a.sas[i].remote.addr, PEER);
	pair_free(p);
}

/* RFC 4555 §3.6: a further address is told, nothing moves. */
static void a_new_address_beside_the_one_in_use_is_told(void **state)
{
	struct pair *p = up(4, true, false);

	(void)state;
	ADDRESSES(&p->b, PEER, PEER2);
	run(p, 1);
	assert_sa_at(&p->a, HOME, PEER);
	dead = PEER;
	p->wire = lose_dead;
	ADDRESSES(&p->a, ROAD);
	run(p, 60);
	assert_sa_at(&p->a, ROAD, PEER2);
	assert_sa_at(&p->b, PEER2, ROAD);
	pair_free(p);
}

/* A suspended laptop: half an hour without a network end nothing, and nobody counts its tries. */
static void an_initiator_without_a_route_waits_for_one(void **state)
{
	struct pair *p = up(5, true, false);
	size_t sent;

	(void)state;
	ADDRESSES(&p->a, "");
	run(p, 1);
	p->wire = lose_all;
	sent = p->n_sent;
	assert_int_equal(ike_engine_initiate(p->a.engine, p->a.conns[0],
					     &p->a.conns[0]->children[0], &p->a.here, &p->b.here,
					     p->now, &(uint32_t){0}),
			 0);
	run(p, 1800);
	assert_int_equal(p->n_sent, sent + 1);
	p->wire = NULL;
	ADDRESSES(&p->a, ROAD);
	run(p, 1);
	assert_sa_at(&p->a, ROAD, PEER);
	assert_sa_at(&p->b, PEER, ROAD);
	pair_assert_agree(p, 2);
	pair_free(p);
}

static void the_same_route_after_an_outage_sends_at_once(void **state)
{
	struct pair *p = up(6, true, false);

	(void)state;
	ADDRESSES(&p->a, "");
	run(p, 1);
	p->wire = lose_all;
	assert_int_equal(ike_engine_initiate(p->a.engine, p->a.conns[0],
					     &p->a.conns[0]->children[0], &p->a.here, &p->b.here,
					     p->now, &(uint32_t){0}),
			 0);
	run(p, 100);
	pair_assert_agree(p, 1);
	p->wire = NULL;
	ADDRESSES(&p->a, HOME);
	run(p, 1);
	pair_assert_agree(p, 2);
	assert_int_equal(pair_count_events(&p->a, EVENT_LOCAL_MOVED), 0);
	pair_free(p);
}

/* RFC 7296 §2.23: b follows what it can authenticate. */
static void without_mobike_a_peer_behind_a_nat_is_followed(void **state)
{
	struct pair *p = up(7, false, true);

	(void)state;
	ADDRESSES(&p->a, "10.0.0.9");
	p->nat_port = 2048;
	run(p, 1);
	assert_sa_at(&p->a, "10.0.0.9", PEER);
	assert_sa_at(&p->b, PEER, "198.51.100.9");
	assert_int_equal(p->b.sas[0].remote.port, 2049);
	pair_free(p);
}

/* Nobody would follow: the node makes it again, and b hears that the old one is gone. */
static void without_mobike_and_nat_an_sa_is_made_again(void **state)
{
	struct pair *p = up(8, false, false);

	(void)state;
	ADDRESSES(&p->a, ROAD);
	run(p, 1);
	assert_int_equal(pair_find_event(&p->a, EVENT_CHILD_DOWN)->cause, CAUSE_MOVED);
	assert_int_equal(pair_ike_count(&p->a), 0);
	assert_int_equal(pair_ike_count(&p->b), 0);
	assert_int_equal(pair_find_event(&p->b, EVENT_CHILD_DOWN)->cause, CAUSE_PEER);
	pair_free(p);
}

static void without_mobike_a_configured_address_stays(void **state)
{
	struct pair *p = configured(9, false);
	struct host_spec *spec = calloc(1, sizeof(*spec));
	struct err_msg msg;

	(void)state;
	assert_int_equal(host_spec_parse(HOME, spec, &msg), 0);
	p->a.conns[0]->local_addrs = spec;
	p->a.conns[0]->n_local_addrs = 1;
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	ADDRESSES(&p->a, ROAD, HOME);
	run(p, 1);
	assert_sa_at(&p->a, HOME, PEER);
	pair_assert_agree(p, 1);
	pair_free(p);
}

/* IKE_SA_INIT is out: its NAT detection speaks of an address that is gone. */
static void an_attempt_under_way_is_made_again(void **state)
{
	struct pair *p = configured(10, true);

	(void)state;
	p->wire = lose_all;
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	ADDRESSES(&p->a, ROAD);
	run(p, 1);
	assert_int_equal(pair_find_event(&p->a, EVENT_IKE_FAILED)->cause, CAUSE_MOVED);
	pair_free(p);
}

/* The kernel tells one change in several messages. */
static void changes_in_quick_succession_are_one(void **state)
{
	struct pair *p = up(11, true, false);

	(void)state;
	ADDRESSES(&p->a, "");
	pair_run_until(p, p->now + SECOND / 100);
	ADDRESSES(&p->a, "203.0.113.6");
	pair_run_until(p, p->now + SECOND / 100);
	ADDRESSES(&p->a, ROAD);
	run(p, 1);
	assert_sa_at(&p->a, ROAD, PEER);
	assert_int_equal(pair_count_events(&p->a, EVENT_LOCAL_MOVED), 1);
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_responder_that_moves_is_followed_by_the_initiator),
	    cmocka_unit_test(a_responder_keeps_an_address_that_it_still_has),
	    cmocka_unit_test(a_responder_that_moves_may_lose_any_message),
	    cmocka_unit_test(an_unanswered_request_finds_another_address_of_the_peer),
	    cmocka_unit_test(an_address_that_does_not_answer_carries_no_esp),
	    cmocka_unit_test(a_new_address_of_the_responder_has_to_answer),
	    cmocka_unit_test(a_new_address_beside_the_one_in_use_is_told),
	    cmocka_unit_test(an_initiator_without_a_route_waits_for_one),
	    cmocka_unit_test(the_same_route_after_an_outage_sends_at_once),
	    cmocka_unit_test(without_mobike_a_peer_behind_a_nat_is_followed),
	    cmocka_unit_test(without_mobike_and_nat_an_sa_is_made_again),
	    cmocka_unit_test(without_mobike_a_configured_address_stays),
	    cmocka_unit_test(an_attempt_under_way_is_made_again),
	    cmocka_unit_test(changes_in_quick_succession_are_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
