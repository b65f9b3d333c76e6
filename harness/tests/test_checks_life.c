/* The checks of an SA's life go red, naming the frame, when the capture is edited to break what
 * they guard. As recorded (test_pcaps), `sa-life` is
 *
 *	handshake, packets both ways, child rekeyed by the responder, packets, IKE SA rekeyed by the
 *	initiator, packets, silence, a question; the link is away: the question again and again; an
 *	answer; packets; delete
 *
 * captured at both gateways and inside at both hosts. */
#include "harness/tests/edit.h"

#include "vpn/wire/payload.h"

static const struct check_params none;

static size_t place_of(const struct edit *e, const char *name)
{
	size_t i;

	for (i = 0; i < e->set.n_places; i++)
		if (strcmp(e->set.places[i].name, name) == 0)
			return i;
	fail_msg("no place %s", name);
	return 0;
}

/* The n-th such message at a place, from 0. */
static size_t nth_message(const struct edit *e, const char *place, uint8_t exchange, bool request,
			  size_t n)
{
	const struct facts *f = &e->before;
	size_t i, at = place_of(e, place);

	for (i = 0; i < f->n_ike; i++)
		if (f->ike[i].hdr.exchange == exchange && f->ike[i].request == request &&
		    f->frames[f->ike[i].frame].place == at && n-- == 0)
			return i;
	fail_msg("not so many messages");
	return 0;
}

/* The n-th copy of the question that was asked most often, at the asker's. */
static size_t nth_question(const struct edit *e, size_t n)
{
	const struct facts *f = &e->before;
	size_t i, first;

	for (i = 0; i < f->n_ike && f->ike[i].retransmission_of == FACT_NONE; i++)
		;
	assert_true(i < f->n_ike);
	first = f->ike[i].retransmission_of;
	assert_int_equal(f->frames[f->ike[first].frame].place, place_of(e, "left-inet"));
	for (i = first; i < f->n_ike; i++)
		if ((i == first || f->ike[i].retransmission_of == first) && n-- == 0)
			return i;
	fail_msg("not so many copies");
	return 0;
}

static void move_to(struct edit *e, size_t frame, uint64_t time_us)
{
	e->set.frames[frame].time_us = time_us;
}

static size_t frame_of(const struct edit *e, size_t message)
{
	return e->before.ike[message].frame;
}

static uint64_t time_of(const struct edit *e, size_t message)
{
	return e->before.frames[frame_of(e, message)].time_us;
}

/* The ESP packets of an SPI where they were sent: the first, or the last. */
static size_t sent_with(const struct edit *e, uint32_t spi, bool last)
{
	const struct facts *f = &e->before;
	size_t i, found = FACT_NONE, place = facts_sender_place(f, spi);

	for (i = 0; i < f->n_esp; i++)
		if (f->esp[i].spi == spi && f->frames[f->esp[i].frame].place == place &&
		    (last || found == FACT_NONE))
			found = i;
	assert_true(found != FACT_NONE);
	return f->esp[found].frame;
}

/* --- rekey --- */

static void a_child_deleted_before_the_new_one_is_there(void **state)
{
	struct edit e;
	size_t made, deleted;

	(void)state;
	begin(&e, "sa-life");
	made = frame_of(&e, nth_message(&e, "left-inet", CREATE_CHILD_SA, false, 0));
	deleted = frame_of(&e, nth_message(&e, "left-inet", INFORMATIONAL, true, 0));
	pick(&e, deleted);
	swap_times(&e.set, made, deleted);
	expect_fault(&e, "rekey");
}

static void a_new_sa_used_before_the_answer(void **state)
{
	struct edit e;
	size_t request;

	(void)state;
	begin(&e, "sa-life");
	request = nth_message(&e, "inet-right-b", CREATE_CHILD_SA, true, 0);
	pick(&e, sent_with(&e, e.before.children[1].spi_r, false));
	move_to(&e, e.frame, time_of(&e, request) - 100);
	expect_fault(&e, "rekey");
}

/* The last packet of the old SA, so many microseconds behind the answer to the Delete. */
static void send_behind_the_delete(struct edit *e, uint64_t us)
{
	size_t answer;

	begin(e, "sa-life");
	answer = nth_message(e, "left-inet", INFORMATIONAL, false, 0);
	pick(e, sent_with(e, e->before.children[0].spi_r, true));
	move_to(e, e->frame, time_of(e, answer) + us);
}

static void an_old_sa_used_after_its_delete(void **state)
{
	struct edit e;

	(void)state;
	send_behind_the_delete(&e, 100001);
	expect_fault(&e, "rekey");
}

/* The sealing thread was a little slower than the one that answered. */
static void a_packet_sealed_before_the_delete(void **state)
{
	struct edit e;

	(void)state;
	send_behind_the_delete(&e, 100000);
	expect_verdict(&e, "rekey", &none, VERDICT_PASS);
}

/* The request and its answer, at all places. */
static void drop_exchange(struct edit *e, const struct ike_msg *m)
{
	const struct ike_msg *other;
	size_t i;

	for (i = e->before.n_ike; i-- > 0;) { /* what is dropped moves what is behind it */
		other = &e->before.ike[i];
		if (other->ike_sa == m->ike_sa && other->hdr.exchange == m->hdr.exchange &&
		    other->hdr.message_id == m->hdr.message_id &&
		    other->request == (other->from_initiator == m->from_initiator))
			capture_set_drop(&e->set, other->frame);
	}
}

static void an_old_ike_sa_that_nobody_deletes(void **state)
{
	struct edit e;

	(void)state;
	begin(&e, "sa-life");
	pick(&e, e.before.ike[e.before.ike_sas[1].established_msg].frame);
	drop_exchange(&e, &e.before.ike[e.before.ike_sas[0].delete_msg]);
	expect_fault(&e, "rekey");
}

/* Nor does it end with its IKE SA. */
static void an_old_child_that_nobody_deletes(void **state)
{
	struct edit e;

	(void)state;
	begin(&e, "sa-life");
	drop_exchange(&e, &e.before.ike[e.before.ike_sas[1].delete_msg]);
	pick(&e, e.before.ike[e.before.children[1].response_msg].frame);
	drop_exchange(&e, &e.before.ike[e.before.children[0].delete_msg]);
	expect_fault(&e, "rekey");
}

static void a_nonce_used_twice(void **state)
{
	struct edit e;
	const struct ike_payload *first, *second;
	size_t a, b;

	(void)state;
	begin(&e, "sa-life");
	a = nth_message(&e, "left-inet", IKE_SA_INIT, true, 0);
	b = nth_message(&e, "left-inet", CREATE_CHILD_SA, true, 0);
	first = ike_payload_find(e.before.ike[a].outer, PAYLOAD_NONCE, 0);
	second = ike_payload_find(e.before.ike[b].inner, PAYLOAD_NONCE, 0);
	pick(&e, frame_of(&e, b));
	assert_int_equal(first->body.len, second->body.len);
	memcpy((uint8_t *)(uintptr_t)second->body.p, first->body.p, first->body.len);
	expect_fault_in_facts(&e, "rekey", &none);
}

static void an_spi_negotiated_twice(void **state)
{
	struct edit e;

	(void)state;
	begin(&e, "sa-life");
	pick(&e, frame_of(&e, e.before.children[1].response_msg));
	e.before.children[1].spi_i = e.before.children[0].spi_i;
	expect_fault_in_facts(&e, "rekey", &none);
}

static void an_sa_that_carries_or_lives_too_much(void **state)
{
	const struct check_params limits[] = {{.octets = 200}, {.life_ms = 1}};
	struct edit e;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		begin(&e, "sa-life");
		pick(&e, sent_with(&e, e.before.children[0].spi_r, true));
		expect_verdict(&e, "rekey", &limits[i], VERDICT_FAIL);
	}
}

static void fewer_rekeyings_than_there_must_be(void **state)
{
	const struct check_params three = {.rekeys = 3}, two = {.rekeys = 2};
	struct edit e;

	(void)state;
	begin(&e, "sa-life");
	expect_verdict(&e, "rekey", &three, VERDICT_FAIL);
	begin(&e, "sa-life");
	expect_verdict(&e, "rekey", &two, VERDICT_PASS);
}

/* --- retransmit --- */

static void a_copy_with_other_octets(void **state)
{
	struct edit e;

	(void)state;
	begin(&e, "sa-life");
	pick(&e,
	     frame_of(&e, nth_question(
			      &e, 1)))[payload_at(&e, frame_of(&e, nth_question(&e, 1))) + 17] ^=
	    0x01; /* the minor version */
	keys_free(&e.keys);
	expect_fault(&e, "retransmit");
}

static void copies_that_come_ever_faster(void **state)
{
	struct edit e;

	(void)state;
	begin(&e, "sa-life");
	pick(&e, frame_of(&e, nth_question(&e, 2)));
	move_to(&e, frame_of(&e, nth_question(&e, 1)), time_of(&e, nth_question(&e, 2)) - 1000);
	expect_fault(&e, "retransmit");
}

static void a_copy_after_the_answer(void **state)
{
	struct edit e;
	size_t answer;

	(void)state;
	begin(&e, "sa-life");
	answer = nth_message(&e, "left-inet", INFORMATIONAL, false, 0);
	pick(&e, frame_of(&e, nth_message(&e, "inet-right-b", INFORMATIONAL, true, 0)));
	assert_int_equal(capture_set_duplicate(&e.set, e.frame), 0);
	move_to(&e, e.frame, time_of(&e, answer) + 100000);
	expect_fault(&e, "retransmit");
}

static void an_answer_that_nobody_asked_for_again(void **state)
{
	struct edit e;

	(void)state;
	begin(&e, "sa-life");
	pick(&e, frame_of(&e, nth_message(&e, "left-inet", INFORMATIONAL, false, 0)));
	assert_int_equal(capture_set_duplicate(&e.set, e.frame), 0);
	expect_fault(&e, "retransmit");
}

static void copies_other_than_configured(void **state)
{
	const struct check_params wrong[] = {
	    {.tries = 1}, {.timeout_ms = 3000, .base = 1.5}, {.timeout_ms = 400, .base = 6}};
	const struct check_params right = {.tries = 5, .timeout_ms = 400, .base = 1.5};
	struct edit e;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		begin(&e, "sa-life");
		pick(&e, frame_of(&e, nth_question(&e, 2)));
		expect_verdict(&e, "retransmit", &wrong[i], VERDICT_FAIL);
	}
	begin(&e, "sa-life");
	expect_verdict(&e, "retransmit", &right, VERDICT_PASS);
}

/* --- dpd --- */

static void a_peer_that_was_just_heard_is_asked(void **state)
{
	const struct check_params p = {.interval_ms = 3000};
	struct edit e;

	(void)state;
	begin(&e, "sa-life");
	pick(&e, frame_of(&e, nth_question(&e, 0)));
	expect_verdict(&e, "dpd", &p, VERDICT_FAIL);
}

/* Without the copies of one question, and its answer, nobody has asked. */
static void a_silent_peer_is_not_asked(void **state)
{
	const struct check_params p = {.interval_ms = 1000};
	struct edit e;
	const struct ike_msg *m;
	size_t i;

	(void)state;
	begin(&e, "sa-life");
	m = &e.before.ike[nth_question(&e, 0)];
	for (i = e.before.n_ike; i-- > 0;) /* what is dropped moves what is behind it */
		if (e.before.ike[i].ike_sa == m->ike_sa &&
		    e.before.ike[i].hdr.message_id == m->hdr.message_id &&
		    e.before.ike[i].hdr.exchange == INFORMATIONAL &&
		    e.before.ike[i].from_initiator ==
			(m->from_initiator == e.before.ike[i].request))
			capture_set_drop(&e.set, e.before.ike[i].frame);
	expect_verdict(&e, "dpd", &p, VERDICT_FAIL);
}

static void a_dead_peer_is_asked_for_too_long(void **state)
{
	const struct check_params p = {.dead_ms = 200};
	struct edit e;

	(void)state;
	begin(&e, "sa-life");
	pick(&e, frame_of(&e, nth_question(&e, 2)));
	expect_verdict(&e, "dpd", &p, VERDICT_FAIL);
}

/* --- cookies --- */

static size_t with_cookie(const struct edit *e, bool request)
{
	struct payload_notify n;
	size_t i;

	for (i = 0; i < e->before.n_ike; i++)
		if (e->before.ike[i].request == request &&
		    e->before.ike[i].hdr.exchange == IKE_SA_INIT &&
		    payloads_find_notify(e->before.ike[i].outer, N_COOKIE, &n))
			return i;
	fail_msg("no cookie");
	return 0;
}

static void a_cookie_changed_on_the_way_back(void **state)
{
	/* Octets of the message: in the cookie, and in the public value behind it. */
	static const size_t at[] = {28 + 8 + 3, 28 + 41 + 120};
	struct edit e;
	size_t i, m;

	(void)state;
	for (i = 0; i < 2; i++) {
		begin(&e, "cookie");
		m = with_cookie(&e, true);
		pick(&e, frame_of(&e, m))[payload_at(&e, frame_of(&e, m)) + at[i]] ^= 0x01;
		expect_fault(&e, "cookies");
	}
}

static void a_cookie_that_is_not_first(void **state)
{
	struct edit e;
	struct ike_payload *v, first;

	(void)state;
	begin(&e, "cookie");
	pick(&e, frame_of(&e, with_cookie(&e, true)));
	v = (struct ike_payload *)(uintptr_t)e.before.ike[with_cookie(&e, true)].outer->v;
	first = v[0];
	v[0] = v[1];
	v[1] = first;
	expect_fault_in_facts(&e, "cookies", &none);
}

static void a_cookie_demanded_with_an_sa_standing(void **state)
{
	struct edit e;
	size_t m;

	(void)state;
	begin(&e, "cookie");
	m = with_cookie(&e, false);
	pick(&e, frame_of(&e, m))[payload_at(&e, frame_of(&e, m)) + 8] ^= 0x01;
	expect_fault(&e, "cookies");
}

static void a_cookie_of_no_octets(void **state)
{
	struct edit e;
	size_t m;

	(void)state;
	begin(&e, "cookie");
	m = with_cookie(&e, false);
	pick(&e, frame_of(&e, m));
	((struct ike_payload *)(uintptr_t)e.before.ike[m].outer->v)->body.len = 4;
	expect_fault_in_facts(&e, "cookies", &none);
}

/* The answer that makes the SA asks for a cookie, too: one of its notifies says so. */
static void a_cookie_demanded_beside_an_sa(void **state)
{
	const struct ike_payload *notify;
	struct edit e;
	size_t m;

	(void)state;
	begin(&e, "cookie");
	m = find_message(&e, IKE_SA_INIT, false);
	while (!ike_payload_find(e.before.ike[m].outer, PAYLOAD_SA, 0))
		m++;
	pick(&e, frame_of(&e, m));
	notify = ike_payload_find(e.before.ike[m].outer, PAYLOAD_NOTIFY, 0);
	assert_non_null(notify);
	((uint8_t *)(uintptr_t)notify->body.p)[2] = N_COOKIE >> 8;
	((uint8_t *)(uintptr_t)notify->body.p)[3] = N_COOKIE & 255;
	e.before.ike[m].hdr.spi_r = 0;
	expect_fault_in_facts(&e, "cookies", &none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_child_deleted_before_the_new_one_is_there),
	    cmocka_unit_test(a_new_sa_used_before_the_answer),
	    cmocka_unit_test(an_old_sa_used_after_its_delete),
	    cmocka_unit_test(a_packet_sealed_before_the_delete),
	    cmocka_unit_test(an_old_ike_sa_that_nobody_deletes),
	    cmocka_unit_test(an_old_child_that_nobody_deletes),
	    cmocka_unit_test(a_nonce_used_twice),
	    cmocka_unit_test(an_spi_negotiated_twice),
	    cmocka_unit_test(an_sa_that_carries_or_lives_too_much),
	    cmocka_unit_test(fewer_rekeyings_than_there_must_be),
	    cmocka_unit_test(a_copy_with_other_octets),
	    cmocka_unit_test(copies_that_come_ever_faster),
	    cmocka_unit_test(a_copy_after_the_answer),
	    cmocka_unit_test(an_answer_that_nobody_asked_for_again),
	    cmocka_unit_test(copies_other_than_configured),
	    cmocka_unit_test(a_peer_that_was_just_heard_is_asked),
	    cmocka_unit_test(a_silent_peer_is_not_asked),
	    cmocka_unit_test(a_dead_peer_is_asked_for_too_long),
	    cmocka_unit_test(a_cookie_changed_on_the_way_back),
	    cmocka_unit_test(a_cookie_that_is_not_first),
	    cmocka_unit_test(a_cookie_demanded_with_an_sa_standing),
	    cmocka_unit_test(a_cookie_of_no_octets),
	    cmocka_unit_test(a_cookie_demanded_beside_an_sa),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
