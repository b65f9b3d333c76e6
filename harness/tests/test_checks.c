/* The checks of ESP and of what it carries go red, naming the frame, when the capture is edited to
 * break what they guard: frames dropped, repeated, altered. The same capture as it was recorded
 * passes (test_pcaps). */
#include "harness/tests/edit.h"

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
	swap_octets(&e.set, a, b);
	expect_fault(&e, "esp-sequence");
}

/* The file has them in order. */
static void numbers_stamped_out_of_order(void **state)
{
	static const struct check_params none;
	struct edit e;

	(void)state;
	begin(&e, "aes-gcm");
	swap_times(&e.set, e.before.esp[nth_sent(&e, 0)].frame,
		   e.before.esp[nth_sent(&e, 1)].frame);
	expect_verdict(&e, "esp-sequence", &none, VERDICT_PASS);
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
	struct edit e;
	size_t first, second, i;

	(void)state;
	begin(&e, "aes-gcm");
	first = nth_sent(&e, 0);
	second = nth_sent(&e, 1);
	pick(&e, e.before.esp[second].frame);
	for (i = 0; i < e.before.esp[first].iv.len; i++)
		((uint8_t *)(uintptr_t)e.before.esp[second].iv.p)[i] = e.before.esp[first].iv.p[i];
	expect_fault_in_facts(&e, "esp-iv", &none);
}

/* An opened packet with another source inside. */
static void an_inner_packet_outside_its_selectors(void **state)
{
	static const struct check_params none;
	struct edit e;
	size_t i;

	(void)state;
	begin(&e, "aes-gcm");
	i = nth_sent(&e, 1);
	pick(&e, e.before.esp[i].frame);
	e.before.esp[i].in.sel.src.b[3] ^= 0x40;
	expect_fault_in_facts(&e, "inner-selectors", &none);
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
	    cmocka_unit_test(numbers_stamped_out_of_order),
	    cmocka_unit_test(a_number_sent_twice),
	    cmocka_unit_test(an_iv_used_twice),
	    cmocka_unit_test(an_inner_packet_outside_its_selectors),
	    cmocka_unit_test(an_inner_packet_in_the_clear),
	    cmocka_unit_test(a_named_network_in_the_clear),
	    cmocka_unit_test(a_replayed_packet_delivered),
	    cmocka_unit_test(every_check_is_told_when_there_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
