/* The checks of IKE's messages go red, naming the frame, when the capture is edited to break what
 * they guard: requests and their IDs, NAT detection and its ports, fragments, MOBIKE, the end of an
 * SA. As recorded they pass (test_pcaps). */
#include "harness/tests/edit.h"

#include "vpn/wire/payload.h"

static void a_response_that_never_came(void **state)
{
	struct check_params p = {.retransmit_s = 1};
	struct edit e;
	size_t request, response;

	(void)state;
	begin(&e, "keep-alives");
	request = find_message(&e, IKE_AUTH, true);
	response = find_message(&e, IKE_AUTH, false);
	pick(&e, e.before.ike[request].frame);
	capture_set_drop(&e.set, e.before.ike[response].frame);
	expect_verdict(&e, "requests", &p, VERDICT_FAIL);
}

/* As recorded, the peer deletes the IKE SA that the request is in. */
static void a_request_without_answer_on_an_sa_that_stays(void **state)
{
	struct edit e;
	size_t deletion;

	(void)state;
	begin(&e, "collision-ike");
	deletion = find_message(&e, INFORMATIONAL, true);
	pick(&e, e.before.ike[find_message(&e, CREATE_CHILD_SA, true)].frame);
	capture_set_drop(&e.set, e.before.ike[deletion].frame);
	expect_fault(&e, "requests");
}

static void a_request_sent_again_with_other_octets(void **state)
{
	struct edit e;
	size_t i;

	(void)state;
	begin(&e, "retransmissions");
	for (i = 0; i < e.before.n_ike; i++)
		if (e.before.ike[i].retransmission_of != FACT_NONE &&
		    e.before.ike[i].hdr.exchange != IKE_SA_INIT)
			break;
	if (i == e.before.n_ike) { /* the loss met IKE_SA_INIT: repeat another one */
		i = find_message(&e, IKE_AUTH, true);
		assert_int_equal(capture_set_duplicate(&e.set, e.before.ike[i].frame), 0);
	}
	/* The minor version: other octets, the same message to whoever looks for it. */
	pick(&e, e.before.ike[i].frame)[payload_at(&e, e.before.ike[i].frame) +
					(e.before.ike[i].marker ? 4 : 0) + 17] ^= 0x01;
	keys_free(&e.keys); /* without keys, nothing tells that the altered one is forged */
	expect_fault(&e, "requests");
}

static void a_message_id_left_out(void **state)
{
	struct edit e;
	size_t i;

	(void)state;
	begin(&e, "seed-strongswan");
	i = find_message(&e, CREATE_CHILD_SA, true);
	pick(&e, e.before.ike[i + 2].frame);
	capture_set_drop(&e.set, e.before.ike[i + 1].frame);
	capture_set_drop(&e.set, e.before.ike[i].frame);
	expect_fault(&e, "message-ids");
}

static void a_request_before_the_answer(void **state)
{
	struct edit e;
	size_t i;

	(void)state;
	begin(&e, "seed-strongswan");
	i = find_message(&e, CREATE_CHILD_SA, true);
	pick(&e, e.before.ike[i + 2].frame);
	swap_times(&e.set, e.before.ike[i + 1].frame, e.before.ike[i + 2].frame);
	expect_fault(&e, "message-ids");
}

static void a_first_request_that_is_not_number_0(void **state)
{
	struct edit e;

	(void)state;
	begin(&e, "wrong-psk");
	pick(&e, e.before.ike[0].frame)[payload_at(&e, e.before.ike[0].frame) + 23] = 1;
	expect_fault(&e, "message-ids");
}

/* The body of the hash that the VPS sends in its first response, in the capture. */
static uint8_t *pick_hash(struct edit *e, uint16_t notify)
{
	const struct ike_msg *m = &e->before.ike[find_message(e, IKE_SA_INIT, false)];
	const struct ike_payload *p = m->outer->v;

	while (p->type != PAYLOAD_NOTIFY || get_u16(p->body.p, p->body.len, 2) != notify)
		p++;
	return pick(e, m->frame) + (p->body.p - e->before.frames[m->frame].octets.p);
}

static void a_wrong_destination_hash(void **state)
{
	struct edit e;

	(void)state;
	begin(&e, "aes-gcm");
	pick_hash(&e, N_NAT_DETECTION_DESTINATION_IP)[10] ^= 1;
	expect_fault(&e, "nat-detection");
}

static void a_hash_without_the_other(void **state)
{
	struct edit e;

	(void)state;
	begin(&e, "aes-gcm");
	pick_hash(&e, N_NAT_DETECTION_SOURCE_IP)[2] = 0xff; /* a private notify */
	expect_fault(&e, "nat-detection");
}

/* Four of its octets are an SPI, if one believes the notify. */
static void a_hash_that_is_too_short(void **state)
{
	struct edit e;

	(void)state;
	begin(&e, "aes-gcm");
	pick_hash(&e, N_NAT_DETECTION_SOURCE_IP)[1] = 4;
	expect_fault(&e, "nat-detection");
}

static void set_port(struct edit *e, size_t frame, uint16_t port)
{
	struct capture_frame *raw = &e->set.frames[frame];
	struct writer w = wr_over(raw->data, raw->len);
	size_t at = payload_at(e, frame) - UDP_LEN;

	wr_patch16(&w, at, port);
	wr_patch16(&w, at + 2, port);
}

/* The frame goes over port 500, without marker, as it would be there. */
static void move_to_port_500(struct edit *e, size_t frame)
{
	struct capture_frame *raw = &e->set.frames[frame];
	size_t at = payload_at(e, frame);
	struct writer w;

	memmove(raw->data + at, raw->data + at + 4, raw->len - at - 4);
	raw->len -= 4;
	raw->wire_len = raw->len;
	w = wr_over(raw->data, raw->len);
	wr_patch16(&w, at - UDP_LEN + 4, raw->len - (at - UDP_LEN));
	wr_patch16(&w, ETHER_LEN + 2, raw->len - ETHER_LEN);
	set_port(e, frame, 500);
}

static void no_change_of_ports(void **state)
{
	struct edit e;

	(void)state;
	begin(&e, "aes-gcm");
	pick(&e, e.before.ike[find_message(&e, IKE_AUTH, true)].frame);
	move_to_port_500(&e, e.frame);
	expect_fault(&e, "port-float");
}

static void a_change_of_ports_taken_back(void **state)
{
	struct edit e;

	(void)state;
	begin(&e, "aes-gcm");
	pick(&e, e.before.ike[find_message(&e, INFORMATIONAL, true)].frame);
	move_to_port_500(&e, e.frame);
	expect_fault(&e, "port-float");
}

static void a_marker_on_port_500(void **state)
{
	struct edit e;

	(void)state;
	begin(&e, "aes-gcm");
	pick(&e, e.before.ike[find_message(&e, IKE_AUTH, true)].frame);
	set_port(&e, e.frame, 500);
	expect_fault(&e, "port-float");
}

static void no_marker_on_port_4500(void **state)
{
	struct edit e;

	(void)state;
	begin(&e, "aes-gcm");
	pick(&e, e.before.ike[find_message(&e, IKE_SA_INIT, true)].frame);
	set_port(&e, e.frame, 4500);
	/* The SA must be known from elsewhere. */
	assert_int_equal(capture_set_duplicate(&e.set, e.frame), 0);
	set_port(&e, e.frame + 1, 500);
	expect_fault(&e, "port-float");
}

static void silence_behind_a_nat(void **state)
{
	struct check_params p = {.initiator_behind_nat = YES};
	struct edit e;
	size_t i;

	(void)state;
	begin(&e, "keep-alives");
	assert_true(e.before.n_keepalives >= 2);
	for (i = e.before.n_keepalives; i-- > 0;)
		capture_set_drop(&e.set, e.before.keepalives[i].frame);
	expect_verdict(&e, "keepalive", &p, VERDICT_FAIL);
}

/* The initiator says nothing any more from the SA's beginning to its end. */
static void silence_to_the_end(void **state)
{
	struct check_params p = {.initiator_behind_nat = YES};
	const struct fact_frame *frame;
	struct edit e;
	uint64_t up;
	size_t i;

	(void)state;
	begin(&e, "keep-alives");
	i = find_message(&e, IKE_AUTH, true);
	pick(&e, e.before.ike[i].frame);
	up = e.before.frames[e.frame].time_us;
	for (i = e.before.n_frames; i-- > 0;) { /* a drop moves those behind it */
		frame = &e.before.frames[i];
		if (frame->time_us > up &&
		    ip_addr_eq(&frame->src.addr, &e.before.ike_sas[0].addr_i.addr))
			capture_set_drop(&e.set, i);
	}
	expect_verdict(&e, "keepalive", &p, VERDICT_FAIL);
}

static struct ike_msg *nth_with(struct facts *f, uint16_t notify, bool request)
{
	struct payload_notify n;
	size_t i;

	for (i = 0; i < f->n_ike; i++)
		if (f->ike[i].request == request &&
		    payloads_find_notify(ike_msg_payloads(&f->ike[i]), notify, &n))
			return &f->ike[i];
	fail_msg("no such message");
	return NULL;
}

/* What the initiator says behind its longest silence, where its own address is seen. */
static size_t behind_longest_silence(const struct edit *e)
{
	const struct facts *f = &e->before;
	const struct fact_frame *first = &f->frames[f->ike[f->ike_sas[0].init_msg].frame];
	uint64_t last = first->time_us, longest = 0;
	size_t i, found = 0;

	for (i = 0; i < f->n_frames; i++) {
		const struct fact_frame *frame = &f->frames[i];

		if (frame->place != first->place || !ip_addr_eq(&frame->src.addr, &first->src.addr))
			continue;
		if (frame->time_us > last + longest) {
			longest = frame->time_us - last;
			found = i;
		}
		last = frame->time_us;
	}
	return found;
}

/* Nothing but the other place's capture shows the NAT: there are no keep-alives, ports stay. */
static void an_address_that_changes_on_the_way_is_a_nat(void **state)
{
	struct check_params p = {.keepalive_s = 1};
	struct edit e;
	size_t i, place;

	(void)state;
	begin(&e, "explain/F20");
	pick(&e, behind_longest_silence(&e));
	expect_verdict(&e, "keepalive", &p, VERDICT_FAIL);
	begin(&e, "explain/F20");
	place = e.before.frames[behind_longest_silence(&e)].place;
	for (i = e.before.n_frames; i-- > 0;) /* a drop moves those behind it */
		if (e.before.frames[i].place != place)
			capture_set_drop(&e.set, i);
	expect_verdict(&e, "keepalive", &p, VERDICT_NOT_APPLICABLE);
}

/* An update from another address ends what is asked of the first one; from the same it does not:
 * the mapping has changed, and the silence goes on. */
static void an_update_from_the_same_address_ends_no_silence(void **state)
{
	struct check_params p = {.keepalive_s = 1, .initiator_behind_nat = YES};
	struct fact_frame *last;
	struct check_result r;
	struct edit e;
	size_t frame;
	bool same;

	(void)state;
	for (same = false;; same = true) {
		begin(&e, "mobike-beetd");
		frame = nth_with(&e.before, N_UPDATE_SA_ADDRESSES, true)->frame;
		if (same)
			e.before.frames[frame].src.addr = e.before.ike_sas[0].addr_i.addr;
		last = &e.before.frames[e.before.n_frames - 1]; /* where it all began, and later */
		last->place = e.before.frames[e.before.ike[0].frame].place;
		last->time_us += 10000000;
		check_run(check_find("keepalive"), &e.before, &p, &r);
		assert_int_equal(r.verdict, same ? VERDICT_FAIL : VERDICT_NOT_APPLICABLE);
		check_result_free(&r);
		facts_free(&e.before);
		capture_set_free(&e.set);
		keys_free(&e.keys);
		if (same)
			break;
	}
}

static void an_ike_sa_that_is_left(void **state)
{
	struct edit e;
	size_t i;

	(void)state;
	begin(&e, "aes-gcm");
	pick(&e, e.before.ike[e.before.ike_sas[0].established_msg].frame);
	i = e.before.ike[e.before.ike_sas[0].delete_msg].frame;
	while (e.set.n_frames > i)
		capture_set_drop(&e.set, i);
	expect_fault(&e, "no-sa-left");
}

/* One change of the facts of strongSwan's fragments at a time. */
static void spoil_fragments(struct facts *f, struct check_params *p, int which)
{
	struct ike_msg *m = &f->ike[f->n_ike - 1];
	size_t i;

	while (m->fragment < 2)
		m--;
	switch (which) {
	case 1:
		p->fragment_size = 600;
		break;
	case 2: /* the responder has not announced it */
		for (i = 0; i < f->n_ike; i++)
			if (!f->ike[i].request && f->ike[i].hdr.exchange == IKE_SA_INIT)
				f->ike[i].outer = NULL;
		break;
	case 3: /* a smaller total behind a larger one */
		m->fragments--;
		m->fragment = 1;
		break;
	case 4:
		((struct ike_payloads *)m->outer)->v[m->outer->n - 1].inner_first = PAYLOAD_SA;
		break;
	case 5:
		f->frames[m->frame].n_fragments = 2;
		break;
	}
}

static void fragments_that_break_a_rule(void **state)
{
	int which;

	(void)state;
	for (which = 0; which <= 5; which++) {
		struct check_params p = {.fragment_size = 1500};
		struct check_result r;
		struct facts f;

		pcaps_dissect("ike-fragments-strongswan", &f);
		spoil_fragments(&f, &p, which);
		check_run(check_find("fragments"), &f, &p, &r);
		if (r.verdict != (which ? VERDICT_FAIL : VERDICT_PASS))
			fail_msg("%d: %s", which, r.summary);
		check_result_free(&r);
		facts_free(&f);
	}
}

/* The payload's type becomes that of a vendor ID, which says nothing. */
static void hide(struct ike_msg *m, uint16_t notify)
{
	struct ike_payloads *p = (struct ike_payloads *)ike_msg_payloads(m);
	struct payload_notify n;
	size_t i;

	for (i = 0; i < p->n; i++)
		if (p->v[i].type == PAYLOAD_NOTIFY && !payload_notify_decode(p->v[i].body, &n) &&
		    n.type == notify)
			p->v[i].type = PAYLOAD_VENDOR;
}

static void hide_all(struct facts *f, uint16_t notify, bool request)
{
	size_t i;

	for (i = 0; i < f->n_ike; i++)
		if (f->ike[i].request == request)
			hide(&f->ike[i], notify);
}

/* The notify's data is so much longer or shorter than it was. */
static void resize(struct ike_msg *m, uint16_t notify, int by)
{
	struct ike_payloads *p = (struct ike_payloads *)ike_msg_payloads(m);
	struct payload_notify n;
	size_t i;

	for (i = 0; i < p->n; i++)
		if (p->v[i].type == PAYLOAD_NOTIFY && !payload_notify_decode(p->v[i].body, &n) &&
		    n.type == notify)
			p->v[i].body.len += (size_t)by;
}

/* One change of the facts of a MOBIKE capture at a time. */
static void spoil_mobike(struct facts *f, int which)
{
	struct ike_msg *m;

	switch (which) {
	case 1: /* the responder has not said it */
		hide_all(f, N_MOBIKE_SUPPORTED, false);
		break;
	case 2: /* still on port 500 */
		nth_with(f, N_MOBIKE_SUPPORTED, true)->marker = false;
		break;
	case 3:
		m = nth_with(f, N_UPDATE_SA_ADDRESSES, true);
		m->from_initiator = false;
		break;
	case 4:
		hide(nth_with(f, N_COOKIE2, false), N_COOKIE2);
		break;
	case 5:
		hide(nth_with(f, N_COOKIE2, false), N_NAT_DETECTION_SOURCE_IP);
		break;
	case 6: /* the answer goes to the old address */
		m = nth_with(f, N_COOKIE2, false);
		f->frames[m->frame].dst = f->frames[f->ike[0].frame].src;
		break;
	case 7: /* the last ESP packet, too */
		f->frames[f->esp[f->n_esp - 1].frame].src.addr =
		    f->frames[f->ike[0].frame].src.addr;
		break;
	case 8:
		resize(nth_with(f, N_UPDATE_SA_ADDRESSES, true), N_UPDATE_SA_ADDRESSES, 1);
		break;
	case 9: /* the answer's, too, so that it is returned */
		resize(nth_with(f, N_COOKIE2, true), N_COOKIE2, -9);
		resize(nth_with(f, N_COOKIE2, false), N_COOKIE2, -9);
		break;
	}
}

static void address_updates_that_break_a_rule(void **state)
{
	int which;

	(void)state;
	for (which = 0; which <= 9; which++) {
		static const struct check_params none;
		struct check_result r;
		struct facts f;

		pcaps_dissect("mobike-beetd", &f);
		spoil_mobike(&f, which);
		check_run(check_find("mobike"), &f, &none, &r);
		if (r.verdict != (which ? VERDICT_FAIL : VERDICT_PASS))
			fail_msg("%d: %s", which, r.summary);
		check_result_free(&r);
		facts_free(&f);
	}
}

/* After the update there is no NAT, before it there is one: native ESP is right, and was wrong. */
static void encapsulation_is_judged_by_the_last_update(void **state)
{
	static const struct check_params none;
	struct check_result r;
	struct facts f;
	size_t i;

	(void)state;
	pcaps_dissect("mobike-beetd", &f);
	check_run(check_find("port-float"), &f, &none, &r);
	assert_int_equal(r.verdict, VERDICT_PASS);
	check_result_free(&r);
	for (i = 0; i < f.n_esp; i++)
		f.esp[i].encap = false;
	check_run(check_find("port-float"), &f, &none, &r);
	assert_int_equal(r.verdict, VERDICT_FAIL);
	assert_true(r.n_faults_all < f.n_esp);
	check_result_free(&r);
	facts_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_response_that_never_came),
	    cmocka_unit_test(a_request_without_answer_on_an_sa_that_stays),
	    cmocka_unit_test(a_request_sent_again_with_other_octets),
	    cmocka_unit_test(a_message_id_left_out),
	    cmocka_unit_test(a_first_request_that_is_not_number_0),
	    cmocka_unit_test(a_request_before_the_answer),
	    cmocka_unit_test(a_wrong_destination_hash),
	    cmocka_unit_test(a_hash_without_the_other),
	    cmocka_unit_test(a_hash_that_is_too_short),
	    cmocka_unit_test(no_change_of_ports),
	    cmocka_unit_test(a_change_of_ports_taken_back),
	    cmocka_unit_test(a_marker_on_port_500),
	    cmocka_unit_test(no_marker_on_port_4500),
	    cmocka_unit_test(silence_behind_a_nat),
	    cmocka_unit_test(silence_to_the_end),
	    cmocka_unit_test(an_address_that_changes_on_the_way_is_a_nat),
	    cmocka_unit_test(an_update_from_the_same_address_ends_no_silence),
	    cmocka_unit_test(an_ike_sa_that_is_left),
	    cmocka_unit_test(fragments_that_break_a_rule),
	    cmocka_unit_test(address_updates_that_break_a_rule),
	    cmocka_unit_test(encapsulation_is_judged_by_the_last_update),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
