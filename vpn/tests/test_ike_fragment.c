/* IKE fragmentation: negotiation, sizes, every fragment lost, repeated, reordered or forged, sets
 * of different totals, what a peer may make us hold (RFC 7383). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vpn/crypto/alg.h"
#include "vpn/ike/fragment.h"
#include "vpn/ike/sealed.h"
#include "vpn/tests/ike_pair.h"
#include "vpn/wire/payload.h"

#define IPV4_UDP 28

static int setup(void **state)
{
	*state = pair_new(21);
	return 0;
}

static int teardown(void **state)
{
	pair_free(*state);
	return 0;
}

/* Identities that make IKE_AUTH larger than a datagram should be: 2 fragments of 1280 octets or 5
 * of 576 to the responder, 2 or 3 from it. */
static char long_a[900], long_b[1300];

static struct pair *fresh(void **state, enum conn_fragmentation a, enum conn_fragmentation b)
{
	struct pair_conn ca, cb;
	struct pair *p;

	memset(long_a, 'a', sizeof(long_a) - 1);
	memset(long_b, 'b', sizeof(long_b) - 1);
	teardown(state);
	*state = p = pair_new(21);
	pair_default(p, &ca, &cb);
	ca.local_id = cb.remote_id = long_a;
	ca.remote_id = cb.local_id = long_b;
	pair_configure(p, &ca, &cb);
	p->a.conns[0]->fragmentation = a;
	p->b.conns[0]->fragmentation = b;
	return p;
}

static struct pair *fragmenting(void **state)
{
	return fresh(state, FRAGMENTATION_YES, FRAGMENTATION_YES);
}

struct piece {
	bool is_fragment;
	struct ike_header hdr;
	struct payload_skf skf;
};

static struct piece read_piece(const struct datagram *d)
{
	struct piece piece = {.hdr = pair_header(d)};
	struct ike_payloads p;

	assert_int_equal(
	    ike_payloads_decode(piece.hdr.next_payload,
				(struct view){d->octets + IKE_HEADER_LEN, d->len - IKE_HEADER_LEN},
				&p),
	    0);
	piece.is_fragment = p.n == 1 && p.v[0].type == PAYLOAD_SKF;
	if (piece.is_fragment)
		assert_int_equal(payload_skf_decode(p.v[0].body, &piece.skf), 0);
	return piece;
}

/* What went over the wire of one test. */
static struct datagram sent[64];
static size_t n_sent;
static size_t mtu;	 /* larger IP datagrams are lost; 0: none */
static size_t lose;	 /* which fragment of all is lost, from 1; 0: none */
static size_t fragments; /* that were sent */

static enum wire_verdict watch(struct pair *p, struct datagram *d)
{
	(void)p;
	if (n_sent < 64)
		sent[n_sent++] = *d;
	fragments += read_piece(d).is_fragment;
	if (read_piece(d).is_fragment && fragments == lose)
		return WIRE_DROP;
	return mtu && d->len + IPV4_UDP > mtu ? WIRE_DROP : WIRE_PASS;
}

static void begin_watching(struct pair *p, size_t largest)
{
	n_sent = fragments = lose = 0;
	mtu = largest;
	p->wire = watch;
}

static size_t largest_sent(void)
{
	size_t i, max = 0;

	for (i = 0; i < n_sent; i++)
		max = sent[i].len + IPV4_UDP > max ? sent[i].len + IPV4_UDP : max;
	return max;
}

static void large_messages_go_out_in_fragments_that_fit(void **state)
{
	static const unsigned sizes[] = {1280, 576, 300, 0};
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct pair *p = fragmenting(state);
		struct ike_options opt = pair_options();

		opt.fragment_size = sizes[i];
		pair_set_options(&p->a, &opt);
		pair_set_options(&p->b, &opt);
		begin_watching(p, 0);
		assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
		pair_assert_agree(p, 1);
		assert_true(fragments >= 4);
		assert_in_range(largest_sent(), 250, sizes[i] ? sizes[i] : 576);
	}
}

/* RFC 7383 §2.5: numbers from 1, all of the total, the first payload's type in the first alone. */
static void fragments_are_numbered_as_the_rfc_says(void **state)
{
	struct pair *p = fragmenting(state);
	uint16_t want = 1;
	size_t i;

	begin_watching(p, 0);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	for (i = 2; i < n_sent && sent[i].to == &p->b; i++, want++) {
		struct piece piece = read_piece(&sent[i]);

		assert_int_equal(piece.hdr.exchange, IKE_AUTH);
		assert_int_equal(piece.hdr.message_id, 1);
		assert_int_equal(piece.skf.number, want);
		assert_int_equal(piece.skf.total, 2);
		assert_int_equal(sent[i].octets[IKE_HEADER_LEN],
				 want == 1 ? PAYLOAD_IDI : PAYLOAD_NONE);
	}
	assert_int_equal(want, 3);
}

static bool announced(const struct datagram *d)
{
	struct ike_payloads p;
	struct payload_notify n;

	assert_int_equal(
	    ike_payloads_decode(pair_header(d).next_payload,
				(struct view){d->octets + IKE_HEADER_LEN, d->len - IKE_HEADER_LEN},
				&p),
	    0);
	return payloads_find_notify(&p, N_IKEV2_FRAGMENTATION_SUPPORTED, &n);
}

/* RFC 7383 §2.3, §2.4, and swanctl.conf(5) for accept. */
static void both_must_have_announced_it(void **state)
{
	const enum conn_fragmentation YES = FRAGMENTATION_YES, ACC = FRAGMENTATION_ACCEPT,
				      NO = FRAGMENTATION_NO;
	const struct {
		enum conn_fragmentation a, b;
		bool a_says, b_says, a_splits, b_splits;
	} rows[] = {
	    {YES, YES, true, true, true, true},	   {YES, ACC, true, true, true, false},
	    {ACC, YES, true, true, false, true},   {YES, NO, true, false, false, false},
	    {NO, YES, false, false, false, false}, {NO, NO, false, false, false, false},
	};
	size_t i, k;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pair *p = fresh(state, rows[i].a, rows[i].b);
		bool split[2] = {false, false};

		begin_watching(p, 0);
		assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
		pair_assert_agree(p, 1);
		assert_int_equal(announced(&sent[0]), rows[i].a_says);
		assert_int_equal(announced(&sent[1]), rows[i].b_says);
		for (k = 2; k < n_sent; k++)
			split[sent[k].to == &p->a] |= read_piece(&sent[k]).is_fragment;
		assert_int_equal(split[0], rows[i].a_splits);
		assert_int_equal(split[1], rows[i].b_splits);
	}
}

/* The same octets come again, and what is missing is filled in. */
static void any_lost_fragment_is_made_good_by_a_retransmission(void **state)
{
	size_t which, i;

	for (which = 1; which <= 4; which++) {
		struct pair *p = fragmenting(state);

		begin_watching(p, 0);
		lose = which;
		assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
		assert_int_equal(pair_ike_count(&p->a), 1);
		assert_int_equal(pair_child_count(&p->a), 0);
		pair_run_until(p, p->now + 5 * SECOND);
		pair_assert_agree(p, 1);
		assert_int_equal(pair_count_events(&p->a, EVENT_RETRANSMIT), 1);
		for (i = 0; i < 2; i++) {
			size_t again = which <= 2 ? 4 + i : 6 + i;

			assert_int_equal(sent[again].len, sent[2 + i].len);
			assert_memory_equal(sent[again].octets, sent[2 + i].octets,
					    sent[2 + i].len);
		}
	}
}

/* The fragments of a's IKE_AUTH; b has not had them. */
static struct pair *held(void **state, unsigned size)
{
	struct pair *p = fragmenting(state);
	struct ike_options opt = pair_options();

	opt.fragment_size = size;
	pair_set_options(&p->a, &opt);
	begin_watching(p, 0);
	assert_int_equal(ike_engine_initiate(p->a.engine, p->a.conns[0],
					     &p->a.conns[0]->children[0], &p->a.here, &p->b.here,
					     p->now, &(uint32_t){0}),
			 0);
	assert_true(pair_step(p));
	assert_true(pair_step(p));
	n_sent = 0;
	pair_pull(p);
	while (p->n_queued)
		sent[n_sent++] = p->queue[--p->n_queued]; /* last first */
	return p;
}

static void inject(struct pair *p, size_t i)
{
	struct datagram d = sent[i]; /* the wire's memory changes meanwhile */

	pair_inject(p, &p->b, &d.from, d.octets, d.len);
}

/* All 120 orders of 5 fragments, each of them twice: one SA, once. */
static void any_order_and_any_repetition_will_do(void **state)
{
	size_t order, used, i, k, pick;

	for (order = 0; order < 120; order++) {
		struct pair *p = held(state, 576);
		size_t rest = order, left[5] = {0, 1, 2, 3, 4};

		assert_int_equal(n_sent, 5);
		p->wire = NULL;
		for (used = 0; used < 5; used++) {
			i = rest % (5 - used);
			rest /= 5 - used;
			pick = left[i];
			for (k = i; k + 1 < 5 - used; k++)
				left[k] = left[k + 1];
			assert_int_equal(pair_child_count(&p->b), 0);
			inject(p, pick);
			inject(p, pick);
		}
		assert_int_equal(pair_count_events(&p->b, EVENT_CHILD_UP), 1);
		pair_settle(p);
		pair_assert_agree(p, 1);
	}
}

/* RFC 7383 §2.6: fragments are authenticated one by one, so that one forged cannot spoil the set.
 */
static void forged_fragments_spoil_nothing(void **state)
{
	struct pair *p = held(state, 576);
	size_t i, k;

	p->wire = NULL;
	inject(p, 0);
	for (i = 0; i < sent[1].len; i++) {
		struct datagram bad = sent[1];

		bad.octets[i] ^= 0x41;
		pair_inject(p, &p->b, &bad.from, bad.octets, bad.len);
		pair_inject(p, &p->b, &bad.from, sent[1].octets, i);
		p->b.n_events = 0;
	}
	for (k = 1; k < n_sent; k++)
		inject(p, k);
	pair_settle(p);
	pair_assert_agree(p, 1);
}

/* RFC 7383 §2.5.2: a path that carries 600 octets and tells nobody.
 *
 *     SKF 1/2, 2/2  -> lost, twice
 *     SKF 1/5 ... 5/5 ->                  smaller, and from now on
 */
static void what_does_not_come_through_is_split_smaller(void **state)
{
	struct pair *p = fragmenting(state);
	size_t i;

	begin_watching(p, 600);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	pair_run_until(p, p->now + 12 * SECOND);
	pair_assert_agree(p, 1);
	for (i = 2; i < 6; i++)
		assert_int_equal(read_piece(&sent[i]).skf.total, 2);
	for (i = 6; i < 11; i++)
		assert_int_equal(read_piece(&sent[i]).skf.total, 5);
	assert_true(sent[6].len + IPV4_UDP <= 576);
	/* The responder has learned it from what came (§2.5.1). */
	assert_int_equal(read_piece(&sent[11]).skf.total, 3);
}

/* RFC 7383 §2.5.2: "the node MUST reset its retransmission timers": 4, 7.2 s, then 4 s again. */
static void smaller_pieces_start_the_timers_over(void **state)
{
	struct pair *p = fragmenting(state);
	uint64_t start;

	begin_watching(p, 500); /* IKE_SA_INIT passes */
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	start = p->now;
	assert_int_equal(n_sent, 2 + 2);
	pair_run_until(p, start + 11 * SECOND);
	assert_int_equal(n_sent, 4 + 2);
	pair_run_until(p, start + 12 * SECOND);
	assert_int_equal(n_sent, 6 + 5);
	pair_run_until(p, start + 16 * SECOND);
	assert_int_equal(n_sent, 11 + 5);
	pair_run_until(p, start + 400 * SECOND); /* and it ends */
	assert_int_equal(pair_find_event(&p->a, EVENT_IKE_FAILED)->cause, CAUSE_TIMEOUT);
}

static enum wire_verdict narrow_way_back(struct pair *p, struct datagram *d)
{
	enum wire_verdict v = watch(p, d);

	return d->to == &p->b ? WIRE_PASS : v;
}

/* The answer alone is large, and too large for its path (§2.4): the request, a single datagram, is
 * repeated until the answer is made smaller. */
static void an_answer_that_does_not_come_through_is_split_smaller(void **state)
{
	struct pair_conn a, b;
	struct pair *p = *state;

	memset(long_b, 'b', sizeof(long_b) - 1);
	pair_default(p, &a, &b);
	a.remote_id = NULL;
	b.local_id = long_b;
	pair_configure(p, &a, &b);
	begin_watching(p, 600);
	p->wire = narrow_way_back;
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	pair_run_until(p, p->now + 10 * SECOND);
	assert_int_equal(pair_child_count(&p->a), 0);
	assert_int_equal(n_sent, 3 + 2 + 1 + 2); /* the same answer twice */
	pair_run_until(p, p->now + 2 * SECOND);
	pair_assert_agree(p, 1);
	assert_int_equal(n_sent, 8 + 1 + 3);
	assert_int_equal(pair_count_events(&p->b, EVENT_CHILD_UP), 1);
}

/* Pieces of the old set in between, before and after, are not mixed in. */
static void a_newer_set_replaces_the_older(void **state)
{
	struct pair *p = held(state, 1280);
	struct datagram old[2] = {sent[1], sent[0]};
	size_t i;

	assert_int_equal(n_sent, 2);
	begin_watching(p, 1); /* nothing arrives but what is injected */
	pair_inject(p, &p->b, &old[0].from, old[0].octets, old[0].len);
	pair_run_until(p, p->now + 12 * SECOND);
	assert_int_equal(n_sent, 2 + 5);
	memmove(sent, sent + 2, 5 * sizeof(sent[0]));
	p->wire = NULL;
	for (i = 0; i < 5; i++) {
		assert_int_equal(read_piece(&sent[i]).skf.total, 5);
		assert_int_equal(pair_child_count(&p->b), 0);
		inject(p, i);
		pair_inject(p, &p->b, &old[1].from, old[1].octets, old[1].len);
	}
	pair_settle(p);
	pair_assert_agree(p, 1);
}

/* RFC 7383 §2.6.1: of an answered request the first fragment has the answer sent again. */
static void the_first_fragment_alone_brings_the_answer_again(void **state)
{
	struct pair *p = fragmenting(state);
	struct datagram request[2], answer[2];
	size_t i;

	begin_watching(p, 0);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	memcpy(request, &sent[2], sizeof(request));
	memcpy(answer, &sent[4], sizeof(answer));
	n_sent = 0;
	pair_inject(p, &p->b, &request[1].from, request[1].octets, request[1].len);
	assert_int_equal(n_sent, 0);
	request[0].octets[request[0].len - 1] ^= 1;
	pair_inject(p, &p->b, &request[0].from, request[0].octets, request[0].len);
	assert_int_equal(n_sent, 0);
	request[0].octets[request[0].len - 1] ^= 1;
	pair_inject(p, &p->b, &request[0].from, request[0].octets, request[0].len);
	assert_int_equal(n_sent, 2);
	for (i = 0; i < 2; i++)
		assert_memory_equal(sent[i].octets, answer[i].octets, answer[i].len);
	pair_assert_agree(p, 1);
}

/* RFC 7383 §2.6: the responder forgets an incomplete request and bears no grudge. */
static void an_incomplete_request_is_forgotten_in_time(void **state)
{
	struct pair *p = fragmenting(state);
	struct ike_options opt = pair_options();

	opt.fragment_size = 256;
	pair_set_options(&p->a, &opt);
	assert_int_equal(pair_initiate(p, &p->a, "net"), 0);
	pair_assert_agree(p, 1);
	begin_watching(p, 1);
	assert_int_equal(ike_engine_rekey_child(p->a.engine, 1, p->now), 0);
	pair_settle(p);
	assert_int_equal(n_sent, 2);
	inject(p, 0);
	pair_run_until(p, p->now + 170 * SECOND); /* a has given up */
	p->wire = NULL;
	inject(p, 1);
	assert_int_equal(pair_child_count(&p->b), 1);
	inject(p, 0); /* now it is complete */
	assert_int_equal(pair_child_count(&p->b), 2);
	assert_int_equal(pair_ike_count(&p->b), 1);
}

static struct payload_skf skf(uint16_t number, uint16_t total)
{
	return (struct payload_skf){.number = number, .total = total};
}

static void what_a_peer_can_make_us_hold_is_limited(void **state)
{
	static uint8_t octets[16000];
	struct ike_engine *e = calloc(1, sizeof(*e));
	struct ike_sa sa = {.engine = e};
	struct fragments *set = NULL, *many[2000] = {0};
	struct payload_skf f = skf(1, LIMIT_FRAGMENTS + 1);
	struct view big = {octets, sizeof(octets)};
	size_t n = 0, i;

	(void)state;
	assert_false(fragment_is_wanted(NULL, 1, &f));
	for (i = 1; i <= 4; i++) {
		f = skf((uint16_t)i, 9);
		assert_int_equal(fragment_keep(&sa, &set, 1, &f, 0, 0, big, 0), 0);
	}
	f = skf(5, 9);
	assert_int_equal(fragment_keep(&sa, &set, 1, &f, 0, 0, big, 0), ERR_LIMIT);
	while (n < 2000 && !fragment_keep(&sa, &many[n], 1, &f, 0, 0, big, 0))
		n++;
	assert_in_range(n, 900, 1100); /* 16 MiB of 16 kB each */
	assert_true(e->fragments_held <= LIMIT_FRAGMENTS_HELD);
	fragments_free(e, &set);
	for (i = 0; i < 2000; i++)
		fragments_free(e, &many[i]);
	assert_int_equal(e->fragments_held, 0);
	free(e);
}

/* The length of a message and what fits into it, for both kinds of cipher. */
static void capacity_is_the_most_that_fits(void **state)
{
	static const struct {
		uint16_t encr, bits, integ;
	} rows[] = {{ENCR_CHACHA20_POLY1305, 0, INTEG_NONE},
		    {ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_256_128}};
	size_t i, len;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct cipher_info info;

		assert_int_equal(cipher_describe(rows[i].encr, rows[i].bits, rows[i].integ, &info),
				 0);
		for (len = 0; len < 2000; len++) {
			size_t most = sealed_capacity(&info, true, len);

			if (most)
				assert_true(sealed_len(&info, true, most) <= len);
			if (most || len > 100)
				assert_true(sealed_len(&info, true, most + 1) > len);
		}
	}
}

static void a_fragment_header_must_make_sense(void **state)
{
	static const struct {
		uint8_t octets[5];
		size_t len;
		int want;
	} rows[] = {{{0, 1, 0, 1, 9}, 5, 0},	   {{0, 2, 0, 1}, 4, ERR_SYNTAX},
		    {{0, 0, 0, 1}, 4, ERR_SYNTAX}, {{0, 0, 0, 0}, 4, ERR_SYNTAX},
		    {{255, 255, 255, 255}, 4, 0},  {{0, 1, 0}, 3, ERR_SYNTAX}};
	struct payload_skf f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(payload_skf_decode((struct view){rows[i].octets, rows[i].len}, &f),
				 rows[i].want);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(large_messages_go_out_in_fragments_that_fit),
	    TEST(fragments_are_numbered_as_the_rfc_says),
	    TEST(both_must_have_announced_it),
	    TEST(any_lost_fragment_is_made_good_by_a_retransmission),
	    TEST(any_order_and_any_repetition_will_do),
	    TEST(forged_fragments_spoil_nothing),
	    TEST(what_does_not_come_through_is_split_smaller),
	    TEST(smaller_pieces_start_the_timers_over),
	    TEST(an_answer_that_does_not_come_through_is_split_smaller),
	    TEST(a_newer_set_replaces_the_older),
	    TEST(the_first_fragment_alone_brings_the_answer_again),
	    TEST(an_incomplete_request_is_forgotten_in_time),
	    TEST(what_a_peer_can_make_us_hold_is_limited),
	    TEST(capacity_is_the_most_that_fits),
	    TEST(a_fragment_header_must_make_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
