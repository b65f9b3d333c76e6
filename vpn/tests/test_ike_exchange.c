/* Requests and responses over a bad wire: retransmission, cached answers, message IDs, liveness,
 * NAT mappings, forged and broken messages (RFC 7296 §2.1 to §2.4, §2.21, §2.23). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "vpn/tests/ike_pair.h"
#include "vpn/wire/payload.h"

static int setup(void **state)
{
	*state = pair_new(17);
	return 0;
}

static int teardown(void **state)
{
	pair_free(*state);
	return 0;
}

static struct pair *fresh(void **state, uint64_t seed)
{
	struct pair_conn a, b;
	struct pair *p;

	teardown(state);
	*state = p = pair_new(seed);
	pair_default(p, &a, &b);
	pair_configure(p, &a, &b);
	return p;
}

static struct pair *up(void **state)
{
	struct pair *p = fresh(state, 17);

	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	pair_assert_agree(p, 1);
	return p;
}

static enum wire_verdict drop_all(struct pair *p, struct datagram *d)
{
	(void)p;
	(void)d;
	return WIRE_DROP;
}

static uint64_t chance;
static size_t dropped;

static enum wire_verdict drop_a_third(struct pair *p, struct datagram *d)
{
	(void)p;
	(void)d;
	chance = chance * UINT64_C(6364136223846793005) + 1442695040888963407u;
	if ((chance >> 33) % 3)
		return WIRE_PASS;
	dropped++;
	return WIRE_DROP;
}

/* The handshake survives every pattern of loss that leaves one of six tries; 300 seeds. */
static void handshake_survives_random_loss(void **state)
{
	size_t came_up = 0, n_dropped = 0;
	uint64_t seed;

	for (seed = 1; seed <= 300; seed++) {
		struct pair *p = fresh(state, seed);

		chance = seed;
		dropped = 0;
		p->wire = drop_a_third;
		assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
		pair_run_until(p, 400 * SECOND);
		n_dropped += dropped;
		p->wire = NULL;
		pair_run_until(p, 600 * SECOND);
		came_up += pair_child_count(&p->a) == 1 && pair_child_count(&p->b) == 1;
	}
	/* Each of the two exchanges fails with (1 - (2/3)^2)^6 = 0.029. */
	assert_in_range(n_dropped, 300, 3000);
	assert_in_range(came_up, 265, 300);
}

static struct datagram tries[16];
static size_t n_tries;

static enum wire_verdict collect(struct pair *p, struct datagram *d)
{
	(void)p;
	if (n_tries < 16)
		tries[n_tries++] = *d;
	return WIRE_DROP;
}

/* 4 s, 7.2 s, 13 s, 23 s, 42 s, 76 s: six sendings, then the end (165 s). */
static void unanswered_requests_repeat_byte_for_byte_and_end(void **state)
{
	struct pair *p = fresh(state, 1);
	size_t i;

	n_tries = 0;
	p->wire = collect;
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	pair_run_until(p, 160 * SECOND);
	assert_int_equal(pair_ike_count(&p->a), 1);
	pair_run_until(p, 170 * SECOND);
	assert_int_equal(n_tries, 6);
	for (i = 1; i < n_tries; i++) {
		assert_int_equal(tries[i].len, tries[0].len);
		assert_memory_equal(tries[i].octets, tries[0].octets, tries[0].len);
	}
	assert_int_equal(pair_find_event(&p->a, EVENT_IKE_FAILED)->cause, CAUSE_TIMEOUT);
	assert_int_equal(pair_ike_count(&p->a), 0);
}

static struct datagram last_to_b, last_to_a;

static enum wire_verdict remember(struct pair *p, struct datagram *d)
{
	*(d->to == &p->b ? &last_to_b : &last_to_a) = *d;
	return WIRE_PASS;
}

/* A repeated request is answered with the same octets and handled once. */
static void a_repeated_request_gets_the_cached_answer(void **state)
{
	struct pair *p = fresh(state, 3);
	struct datagram request, answer;
	size_t sent;

	p->wire = remember;
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	request = last_to_b; /* IKE_AUTH */
	answer = last_to_a;
	sent = p->n_sent;
	p->wire = collect;
	n_tries = 0;
	pair_inject(p, &p->b, &request.from, request.octets, request.len);
	assert_int_equal(p->n_sent, sent + 1);
	assert_int_equal(tries[0].len, answer.len);
	assert_memory_equal(tries[0].octets, answer.octets, answer.len);
	pair_assert_agree(p, 1);
}

static void flip_every_octet(struct pair *p, struct side *to, const struct datagram *good)
{
	size_t i;

	for (i = 0; i < good->len; i++) {
		struct datagram bad = *good;

		bad.octets[i] ^= 0x41;
		pair_inject(p, to, &bad.from, bad.octets, bad.len);
		pair_inject(p, to, &bad.from, good->octets, i); /* and cut there */
	}
}

/* No forged variant of a message of an established SA changes anything. */
static void forged_messages_change_nothing(void **state)
{
	struct pair *p = fresh(state, 5);
	struct ike_sa_info before, after;

	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	p->wire = collect;
	n_tries = 0;
	assert_int_equal(ike_engine_terminate_ike(p->a.engine, 1, false, p->now), 0);
	pair_settle(p);
	p->wire = drop_all;
	assert_true(ike_engine_sa(p->b.engine, 0, &before));
	flip_every_octet(p, &p->b, &tries[0]);
	assert_true(ike_engine_sa(p->b.engine, 0, &after));
	assert_int_equal(after.state, IKE_ESTABLISHED);
	assert_true(endpoint_eq(&before.remote, &after.remote));
	assert_int_equal(pair_child_count(&p->b), 1);
	assert_in_range(pair_count_events(&p->b, EVENT_DROPPED), 100, PAIR_EVENTS);
	pair_inject(p, &p->b, &tries[0].from, tries[0].octets,
		    tries[0].len); /* the genuine one does */
	assert_int_equal(pair_ike_count(&p->b), 0);
}

/* Any damage to the first message leaves the responder alive; what it answers is an error or an SA
 * that comes to nothing. */
static void broken_first_messages_leave_nothing_behind(void **state)
{
	struct pair *p = fresh(state, 6);
	struct ike_options opt = pair_options();

	opt.half_open_per_host = 0;
	opt.cookie_threshold = 0;
	pair_set_options(&p->b, &opt);
	p->wire = collect;
	n_tries = 0;
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	p->wire = drop_all;
	p->b.n_events = 0;
	{
		size_t i;

		for (i = 0; i < tries[0].len; i++) {
			struct datagram bad = tries[0];

			bad.octets[i] ^= 0x41;
			pair_inject(p, &p->b, &bad.from, bad.octets, bad.len);
			p->b.n_events = 0;
		}
	}
	pair_run_until(p, p->now + 31 * SECOND);
	assert_int_equal(pair_ike_count(&p->b), 0);
	assert_int_equal(ike_engine_next_deadline(p->b.engine), UINT64_MAX);
}

static void a_silent_peer_is_noticed_by_liveness_checks(void **state)
{
	struct pair_conn a, b;
	struct pair *p;

	teardown(state);
	*state = p = pair_new(8);
	pair_default(p, &a, &b);
	a.dpd_delay = 10;
	pair_configure(p, &a, &b);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	pair_run_until(p, p->now + 65 * SECOND);
	assert_int_equal(p->n_sent, 4 + 2 * 6);
	pair_assert_agree(p, 1);
	p->wire = drop_all;
	pair_run_until(p, p->now + 200 * SECOND);
	assert_int_equal(pair_find_event(&p->a, EVENT_CHILD_DOWN)->cause, CAUSE_TIMEOUT);
	assert_int_equal(p->a.n_sas, 0);
}

/* RFC 7296 §2.23: the mapping changes; the responder follows an authenticated packet, and no other.
 */
static void a_changed_nat_mapping_is_followed_after_authentication(void **state)
{
	struct pair *p = fresh(state, 9);
	struct ike_sa_info info;
	struct endpoint thief = {.port = 666};

	p->nat = true;
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	p->wire = collect;
	n_tries = 0;
	assert_int_equal(ike_engine_initiate(p->a.engine, p->a.conns[0],
					     &p->a.conns[0]->children[0], &p->a.here, &p->b.here,
					     p->now, &(uint32_t){0}),
			 0);
	pair_settle(p);
	thief.addr = ip_addr_from_v4((uint8_t[]){203, 0, 113, 66});
	tries[0].octets[tries[0].len - 1] ^= 1;
	pair_inject(p, &p->b, &thief, tries[0].octets, tries[0].len);
	assert_true(ike_engine_sa(p->b.engine, 0, &info));
	assert_int_equal(info.remote.port, 1025);
	p->wire = NULL;
	p->nat_port = 2048;
	pair_run_until(p, p->now + 5 * SECOND); /* the retransmission comes from the new mapping */
	assert_true(ike_engine_sa(p->b.engine, 0, &info));
	assert_int_equal(info.remote.port, 2049);
	assert_int_equal(pair_count_events(&p->b, EVENT_PEER_MOVED), 1);
	assert_int_equal(p->b.sas[0].remote.port, 2049);
}

/* An ESP packet is as good a proof, and the peer behind the NAT never chases its server. */
static void esp_moves_the_peer_but_not_the_host_behind_the_nat(void **state)
{
	struct pair *p = fresh(state, 10);
	struct endpoint moved = {.port = 9999};
	struct ike_sa_info info;
	size_t i;

	p->nat = true;
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	moved.addr = ip_addr_from_v4((uint8_t[]){198, 51, 100, 77});
	for (i = 0; i < 2; i++) {
		if (p->b.sas[i].inbound)
			ike_engine_peer_moved(p->b.engine, p->b.sas[i].spi, &moved, p->now);
		if (p->a.sas[i].inbound)
			ike_engine_peer_moved(p->a.engine, p->a.sas[i].spi, &moved, p->now);
	}
	pair_settle(p);
	assert_true(ike_engine_sa(p->b.engine, 0, &info));
	assert_true(endpoint_eq(&info.remote, &moved));
	assert_true(ike_engine_sa(p->a.engine, 0, &info));
	assert_false(endpoint_eq(&info.remote, &moved));
}

/* RFC 7296 §2.23 follows UDP: a native packet has no port, though it is authentic. A peer that
 * moves behind a NAT has sent some before it learnt to encapsulate. */
static void a_native_packet_leads_nowhere(void **state)
{
	struct pair *p = fresh(state, 10);
	struct endpoint native = {.port = 0};
	struct ike_sa_info info;

	p->nat = true;
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	native.addr = ip_addr_from_v4((uint8_t[]){198, 51, 100, 9});
	ike_engine_peer_moved(p->b.engine, p->b.sas[!p->b.sas[0].inbound].spi, &native, p->now);
	pair_settle(p);
	assert_true(ike_engine_sa(p->b.engine, 0, &info));
	assert_true(ip_addr_eq(&info.remote.addr, &native.addr));
	assert_int_not_equal(info.remote.port, 0);
}

static void keepalives_go_out_behind_a_nat_only(void **state)
{
	struct pair *p = fresh(state, 12);

	p->nat = true;
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	pair_run_until(p, p->now + 100 * SECOND);
	assert_int_equal(p->a.n_keepalives, 5);
	assert_int_equal(p->b.n_keepalives, 0);
}

/* RFC 3948 §4: a retransmission keeps the mapping as well as a keep-alive does. They come after 4,
 * 11.2, 24.2 and 47.6 s: the one silence of 20 s is between the last two. */
static void a_retransmission_puts_the_keepalive_off(void **state)
{
	struct pair *p = fresh(state, 12);

	p->nat = true;
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	p->wire = drop_all;
	assert_int_equal(ike_engine_rekey_child(p->a.engine, 1, p->now), 0);
	pair_run_until(p, p->now + 44 * SECOND);
	assert_int_equal(pair_count_events(&p->a, EVENT_RETRANSMIT), 3);
	assert_int_equal(p->a.n_keepalives, 0);
	pair_run_until(p, p->now + SECOND);
	assert_int_equal(p->a.n_keepalives, 1);
}

/* RFC 7296 §2.5: an unknown critical payload is refused, one that is not critical is skipped. */
static void unknown_critical_payloads_are_refused(void **state)
{
	struct pair *p = fresh(state, 14);
	struct payload_notify n;
	struct ike_payloads payloads;
	struct ike_header hdr;
	struct datagram bad;

	p->wire = collect;
	n_tries = 0;
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	bad = tries[0];
	hdr = pair_header(&bad);
	/* In front of all others: type 200, critical, empty. */
	memmove(bad.octets + 32, bad.octets + 28, bad.len - 28);
	memcpy(bad.octets + 28, (uint8_t[]){hdr.next_payload, 0x80, 0, 4}, 4);
	bad.octets[16] = 200;
	bad.len += 4;
	bad.octets[26] = (uint8_t)(bad.len >> 8);
	bad.octets[27] = (uint8_t)bad.len;
	pair_inject(p, &p->b, &bad.from, bad.octets, bad.len);
	assert_int_equal(n_tries, 2);
	assert_int_equal(ike_payloads_decode(tries[1].octets[16],
					     (struct view){tries[1].octets + 28, tries[1].len - 28},
					     &payloads),
			 0);
	assert_true(payloads_find_notify(&payloads, N_UNSUPPORTED_CRITICAL_PAYLOAD, &n));
	assert_int_equal(n.data.p[0], 200);
	bad.octets[29] = 0; /* not critical any more */
	pair_inject(p, &p->b, &bad.from, bad.octets, bad.len);
	assert_int_equal(pair_ike_count(&p->b), 1);
}

static void a_lingering_sa_answers_a_repeated_delete(void **state)
{
	struct pair *p = up(state);
	struct datagram request;
	size_t sent;

	p->wire = remember;
	assert_int_equal(ike_engine_terminate_ike(p->a.engine, 1, false, p->now), 0);
	pair_settle(p);
	request = last_to_b;
	sent = p->n_sent;
	p->wire = drop_all;
	pair_inject(p, &p->b, &request.from, request.octets, request.len);
	assert_int_equal(p->n_sent, sent + 1);
	assert_int_equal(pair_ike_count(&p->b), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(handshake_survives_random_loss, setup, teardown),
	    cmocka_unit_test_setup_teardown(unanswered_requests_repeat_byte_for_byte_and_end, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(a_repeated_request_gets_the_cached_answer, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(forged_messages_change_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(broken_first_messages_leave_nothing_behind, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(a_silent_peer_is_noticed_by_liveness_checks, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(a_changed_nat_mapping_is_followed_after_authentication,
					    setup, teardown),
	    cmocka_unit_test_setup_teardown(esp_moves_the_peer_but_not_the_host_behind_the_nat,
					    setup, teardown),
	    cmocka_unit_test_setup_teardown(a_native_packet_leads_nowhere, setup, teardown),
	    cmocka_unit_test_setup_teardown(keepalives_go_out_behind_a_nat_only, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_retransmission_puts_the_keepalive_off, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(unknown_critical_payloads_are_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_lingering_sa_answers_a_repeated_delete, setup,
					    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
