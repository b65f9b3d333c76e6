/* Each check goes red, naming the frame, when the capture is edited to break what it guards: frames
 * dropped, repeated, altered. The same capture as it was recorded passes (test_pcaps). */
#include "harness/tests/edit.h"

#include "vpn/wire/payload.h"

static void a_missing_key_is_told(void **state)
{
	struct edit e;

	(void)state;
	begin(&e, "aes-gcm");
	pick(&e, e.before.esp[0].frame);
	keys_free(&e.keys);
	expect_fault(&e, "opened");
}

static void a_damaged_spi_is_told(void **state)
{
	struct edit e;
	size_t frame;

	(void)state;
	begin(&e, "aes-gcm");
	frame = e.before.esp[nth_sent(&e, 1)].frame;
	pick(&e, frame)[payload_at(&e, frame)] ^= 0x10;
	expect_fault(&e, "opened");
}

/* The same packet was opened at another place: a wire in between has damaged it. */
static void an_spi_damaged_on_the_way_is_excused(void **state)
{
	static const struct check_params none;
	struct edit e;
	size_t frame;

	(void)state;
	begin(&e, "seed-beetd");
	frame = e.before.esp[nth_sent(&e, 1)].frame;
	pick(&e, frame)[payload_at(&e, frame)] ^= 0x10;
	expect_verdict(&e, "opened", &none, VERDICT_PASS);
}

/* RFC 768: of a datagram whose checksum is wrong nothing is taken: no SA comes of a damaged SPI, no
 * request of damaged flags, and what was a marker does not make a message an ESP packet. */
static void a_datagram_with_a_wrong_checksum_says_nothing(void **state)
{
	static const struct {
		size_t at; /* from the marker on */
		const char *check;
	} damages[] = {{4 + 3, "opened"},    {4 + 3, "no-sa-left"},   {1, "opened"},
		       {4 + 19, "requests"}, {4 + 23, "message-ids"}, {4 + 18, "requests"}};
	static const struct check_params none;
	struct edit e;
	size_t frame, i;

	(void)state;
	for (i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
		begin(&e, "retransmissions");
		frame = e.before.ike[e.before.n_ike - 1].frame;
		assert_true(e.before.ike[e.before.n_ike - 1].marker);
		pick(&e, frame)[payload_at(&e, frame) + damages[i].at] ^= 0x20;
		expect_verdict_as_it_is(&e, damages[i].check, &none, VERDICT_PASS);
	}
}

/* A network card had yet to fill the checksums in: where none is right, none says anything. */
static void checksums_that_are_never_right_say_nothing(void **state)
{
	static const struct check_params none;
	struct edit e;
	size_t frame, i;

	(void)state;
	begin(&e, "aes-gcm");
	for (i = 0; i < e.before.n_ike; i++) {
		frame = e.before.ike[i].frame;
		e.set.frames[frame].data[payload_at(&e, frame) - 1] ^= 0x5a;
	}
	expect_verdict_as_it_is(&e, "requests", &none, VERDICT_PASS);
}

static void numbers_out_of_order_at_the_sender(void **state)
{
	struct edit e;
	size_t a, b;

	(void)state;
	begin(&e, "aes-gcm");
	a = e.before.esp[nth_sent(&e, 0)].frame;
	b = e.before.esp[nth_sent(&e, 1)].frame;
	pick(&e, a);
	swap_times(&e.set, a, b);
	expect_fault(&e, "esp-sequence");
}

static void a_number_sent_twice(void **state)
{
	struct edit e;

	(void)state;
	begin(&e, "aes-gcm");
	pick(&e, e.before.esp[nth_sent(&e, 1)].frame);
	assert_int_equal(capture_set_duplicate(&e.set, e.frame), 0);
	expect_fault(&e, "esp-sequence");
}

/* What only the holder of the keys can make is made in the facts: a second packet opened under the
 * same IV. */
static void an_iv_used_twice(void **state)
{
	static const struct check_params none;
	struct check_result r;
	struct edit e;
	size_t first, second, i;

	(void)state;
	begin(&e, "aes-gcm");
	first = nth_sent(&e, 0);
	second = nth_sent(&e, 1);
	pick(&e, e.before.esp[second].frame);
	for (i = 0; i < e.before.esp[first].iv.len; i++)
		((uint8_t *)(uintptr_t)e.before.esp[second].iv.p)[i] = e.before.esp[first].iv.p[i];
	check_run(check_find("esp-iv"), &e.before, &none, &r);
	assert_int_equal(r.verdict, VERDICT_FAIL);
	assert_true(names_frame(&e.before, &r, &e));
	check_result_free(&r);
	facts_free(&e.before);
	capture_set_free(&e.set);
	keys_free(&e.keys);
}

/* An opened packet with another source inside. */
static void an_inner_packet_outside_its_selectors(void **state)
{
	static const struct check_params none;
	struct check_result r;
	struct edit e;
	size_t i;

	(void)state;
	begin(&e, "aes-gcm");
	i = nth_sent(&e, 1);
	pick(&e, e.before.esp[i].frame);
	e.before.esp[i].in.sel.src.b[3] ^= 0x40;
	check_run(check_find("inner-selectors"), &e.before, &none, &r);
	assert_int_equal(r.verdict, VERDICT_FAIL);
	assert_true(names_frame(&e.before, &r, &e));
	check_result_free(&r);
	facts_free(&e.before);
	capture_set_free(&e.set);
	keys_free(&e.keys);
}

/* The inner packet takes the place of the ESP packet on the outer wire. */
static void an_inner_packet_in_the_clear(void **state)
{
	struct edit e;
	const struct esp_fact *esp;
	uint8_t *data;

	(void)state;
	begin(&e, "aes-gcm");
	esp = &e.before.esp[nth_sent(&e, 1)];
	data = pick(&e, esp->frame);
	memcpy(data + ETHER_LEN, esp->inner.p, esp->inner.len);
	e.set.frames[e.frame].len = (uint32_t)(ETHER_LEN + esp->inner.len);
	e.set.frames[e.frame].wire_len = e.set.frames[e.frame].len;
	expect_fault(&e, "cleartext");
}

static void a_named_network_in_the_clear(void **state)
{
	struct check_params p = {0};
	struct ts ts;
	struct edit e;
	size_t i;

	(void)state;
	begin(&e, "strongswan6-beet");
	assert_int_equal(ts_parse("192.168.1.0/24", &ts, NULL), 0);
	assert_int_equal(ts_list_add(&p.tunnel_nets, &ts), 0);
	for (i = 0; i < e.before.n_clear; i++)
		if (e.before.frames[e.before.clear[i].frame].ip.sel.dst.b[0] == 192 &&
		    strcmp(e.set.places[e.before.frames[e.before.clear[i].frame].place].name,
			   "outer-vps") == 0)
			break;
	assert_true(i < e.before.n_clear);
	pick(&e, e.before.clear[i].frame);
	expect_verdict(&e, "cleartext", &p, VERDICT_FAIL);
	ts_list_free(&p.tunnel_nets);
}

static void a_packet_above_the_mtu(void **state)
{
	struct check_params p = {.mtu = 1280};
	struct edit e;
	size_t i;

	(void)state;
	begin(&e, "aes-gcm");
	for (i = 0; i < e.before.n_frames && e.before.frames[i].ip_len <= 1280; i++)
		;
	pick(&e, i);
	expect_verdict(&e, "mtu", &p, VERDICT_FAIL);
}

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

/* Another destination address hash in the response that the VPS sends. */
static void a_wrong_destination_hash(void **state)
{
	struct edit e;
	const struct ike_msg *m;
	size_t i;

	(void)state;
	begin(&e, "aes-gcm");
	m = &e.before.ike[find_message(&e, IKE_SA_INIT, false)];
	for (i = 0; i < m->outer->n; i++) {
		const struct ike_payload *p = &m->outer->v[i];

		if (p->type == PAYLOAD_NOTIFY &&
		    get_u16(p->body.p, p->body.len, 2) == N_NAT_DETECTION_DESTINATION_IP)
			break;
	}
	assert_true(i < m->outer->n);
	i = (size_t)(m->outer->v[i].body.p - e.before.frames[m->frame].octets.p);
	pick(&e, m->frame)[i + 10] ^= 1;
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

/* IKE_AUTH on port 500: the marker is taken away, as it would be there. */
static void no_change_of_ports(void **state)
{
	struct edit e;
	size_t i, at;
	struct capture_frame *raw;
	struct writer w;

	(void)state;
	begin(&e, "aes-gcm");
	i = find_message(&e, IKE_AUTH, true);
	pick(&e, e.before.ike[i].frame);
	raw = &e.set.frames[e.frame];
	at = payload_at(&e, e.frame);
	memmove(raw->data + at, raw->data + at + 4, raw->len - at - 4);
	raw->len -= 4;
	raw->wire_len = raw->len;
	w = wr_over(raw->data, raw->len);
	wr_patch16(&w, at - UDP_LEN + 4, raw->len - (at - UDP_LEN));
	wr_patch16(&w, ETHER_LEN + 2, raw->len - ETHER_LEN);
	set_port(&e, e.frame, 500);
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

static void selectors_that_nobody_expects(void **state)
{
	struct ts_pair pair = {0};
	struct check_params p = {.selectors = &pair, .n_selectors = 1};
	struct edit e;

	(void)state;
	begin(&e, "aes-gcm");
	assert_int_equal(ts_parse("10.254.0.2/32", &pair.i, NULL), 0);
	assert_int_equal(ts_parse("10.254.0.9/32", &pair.r, NULL), 0);
	pick(&e, e.before.ike[e.before.children[0].response_msg].frame);
	expect_verdict(&e, "selectors", &p, VERDICT_FAIL);
	begin(&e, "aes-gcm");
	assert_int_equal(ts_parse("10.254.0.1/32", &pair.r, NULL), 0);
	expect_verdict(&e, "selectors", &p, VERDICT_PASS);
}

static void encapsulation_that_is_not_there(void **state)
{
	struct check_params p = {.encap = YES};
	struct edit e;

	(void)state;
	begin(&e, "beet-native-esn");
	pick(&e, e.before.esp[0].frame);
	expect_verdict(&e, "nat-t", &p, VERDICT_FAIL);
	begin(&e, "aes-gcm");
	p.initiator_behind_nat = YES;
	expect_verdict(&e, "nat-t", &p, VERDICT_PASS);
	begin(&e, "wrong-psk"); /* no child, no ESP: nothing shows its encapsulation */
	expect_verdict(&e, "nat-t", &p, VERDICT_FAIL);
}

static void segments_that_do_not_fit(void **state)
{
	struct check_params p = {.path_mtu = 1400};
	struct edit e;
	size_t i;

	(void)state;
	begin(&e, "aes-gcm");
	for (i = 0; i < e.before.n_tcp && !e.before.tcp[i].side[0].have_mss; i++)
		;
	pick(&e, e.before.tcp[i].side[0].syn_frame);
	expect_verdict(&e, "mss", &p, VERDICT_FAIL);
	begin(&e, "aes-gcm");
	p.path_mtu = 1500;
	expect_verdict(&e, "mss", &p, VERDICT_PASS);
}

static void a_mode_that_was_not_asked_for(void **state)
{
	struct check_params p = {.have_mode = true, .mode = IPSEC_TUNNEL};
	struct edit e;

	(void)state;
	begin(&e, "seed-strongswan");
	pick(&e, e.before.ike[e.before.children[0].request_msg].frame);
	expect_fault(&e, "mode");
	begin(&e, "seed-strongswan");
	expect_verdict(&e, "mode", &p, VERDICT_PASS);
}

static void a_packet_above_the_path(void **state)
{
	struct check_params p = {.path_mtu = 1400};
	struct edit e;

	(void)state;
	begin(&e, "aes-gcm");
	expect_verdict(&e, "pmtu", &p, VERDICT_FAIL);
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
	}
}

static void address_updates_that_break_a_rule(void **state)
{
	int which;

	(void)state;
	for (which = 0; which <= 7; which++) {
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

/* An ESP packet that comes twice, and what it carries twice inside. */
static void a_replayed_packet_delivered(void **state)
{
	struct check_params p = {0};
	struct place_param lan = {.name = "lan-gw", .outer = NO};
	struct edit e;
	const struct esp_fact *esp;
	size_t i, clear = FACT_NONE;

	(void)state;
	p.places = &lan;
	p.n_places = 1;
	begin(&e, "seed-beetd");
	for (i = 0; i < e.before.n_esp && clear == FACT_NONE; i++) {
		size_t k;

		esp = &e.before.esp[i];
		for (k = 0; k < e.before.n_clear && esp->inner.len; k++) {
			const struct fact_frame *f = &e.before.frames[e.before.clear[k].frame];

			if (strcmp(e.set.places[f->place].name, "inner-vps") == 0 &&
			    f->packet.len == esp->inner.len &&
			    memcmp(f->packet.p + 12, esp->inner.p + 12, f->packet.len - 12) == 0)
				clear = e.before.clear[k].frame;
		}
	}
	assert_true(clear != FACT_NONE);
	esp = &e.before.esp[i - 1];
	/* The later one first, so that the other index stays. */
	if (clear > esp->frame)
		assert_int_equal(capture_set_duplicate(&e.set, clear), 0);
	assert_int_equal(capture_set_duplicate(&e.set, esp->frame), 0);
	if (clear < esp->frame)
		assert_int_equal(capture_set_duplicate(&e.set, clear), 0);
	e.frame = clear;
	e.number = e.before.frames[clear].number;
	e.place = e.before.frames[clear].place;
	expect_verdict(&e, "replay", &p, VERDICT_FAIL);
}

static void every_check_is_told_when_there_is_nothing(void **state)
{
	static const struct check_params none;
	const struct check *table;
	struct check_result r;
	struct facts f = {0};
	size_t i, n;

	(void)state;
	table = checks_table(&n);
	for (i = 0; i < n; i++) {
		check_run(&table[i], &f, &none, &r);
		assert_int_equal(r.verdict, VERDICT_NOT_APPLICABLE);
		assert_true(r.summary[0]);
		check_result_free(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_missing_key_is_told),
	    cmocka_unit_test(a_damaged_spi_is_told),
	    cmocka_unit_test(an_spi_damaged_on_the_way_is_excused),
	    cmocka_unit_test(a_datagram_with_a_wrong_checksum_says_nothing),
	    cmocka_unit_test(checksums_that_are_never_right_say_nothing),
	    cmocka_unit_test(numbers_out_of_order_at_the_sender),
	    cmocka_unit_test(a_number_sent_twice),
	    cmocka_unit_test(an_iv_used_twice),
	    cmocka_unit_test(an_inner_packet_outside_its_selectors),
	    cmocka_unit_test(an_inner_packet_in_the_clear),
	    cmocka_unit_test(a_named_network_in_the_clear),
	    cmocka_unit_test(a_packet_above_the_mtu),
	    cmocka_unit_test(a_response_that_never_came),
	    cmocka_unit_test(a_request_without_answer_on_an_sa_that_stays),
	    cmocka_unit_test(a_request_sent_again_with_other_octets),
	    cmocka_unit_test(a_message_id_left_out),
	    cmocka_unit_test(a_request_before_the_answer),
	    cmocka_unit_test(a_wrong_destination_hash),
	    cmocka_unit_test(no_change_of_ports),
	    cmocka_unit_test(a_marker_on_port_500),
	    cmocka_unit_test(no_marker_on_port_4500),
	    cmocka_unit_test(silence_behind_a_nat),
	    cmocka_unit_test(an_ike_sa_that_is_left),
	    cmocka_unit_test(selectors_that_nobody_expects),
	    cmocka_unit_test(encapsulation_that_is_not_there),
	    cmocka_unit_test(segments_that_do_not_fit),
	    cmocka_unit_test(a_mode_that_was_not_asked_for),
	    cmocka_unit_test(a_packet_above_the_path),
	    cmocka_unit_test(fragments_that_break_a_rule),
	    cmocka_unit_test(address_updates_that_break_a_rule),
	    cmocka_unit_test(encapsulation_is_judged_by_the_last_update),
	    cmocka_unit_test(a_replayed_packet_delivered),
	    cmocka_unit_test(every_check_is_told_when_there_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
