/* The checks of what hosts send go red when a capture is edited: a packet that is lost or comes
 * twice (delivery), and the packet that asked for a child (first-packet, RFC 7296 §2.9). As
 * recorded both pass: test_pcaps. */
#include "harness/tests/edit.h"
#include "vpn/base/proto.h"

static const struct place_param inside[] = {
    {.name = "lhost-left", .outer = NO},
    {.name = "rhost-right", .outer = NO},
};

/* The n-th packet of a host that has just been sent at a place. */
static size_t sent_by_host(const struct edit *e, const char *place, size_t n)
{
	const struct facts *f = &e->before;
	size_t i;

	for (i = 0; i < f->n_clear; i++) {
		const struct fact_frame *frame = &f->frames[f->clear[i].frame];

		if (strcmp(f->set.places[frame->place].name, place) == 0 &&
		    frame->ip.proto == IP_PROTO_UDP && frame->ip.ttl == 64 && n-- == 0)
			return f->clear[i].frame;
	}
	fail_msg("no such packet");
	return 0;
}

/* The frame at which the same packet came out at the other end. */
static size_t delivered_as(const struct edit *e, size_t sent, const char *place)
{
	const struct facts *f = &e->before;
	const struct fact_frame *a = &f->frames[sent];
	size_t i;

	for (i = 0; i < f->n_clear; i++) {
		const struct fact_frame *b = &f->frames[f->clear[i].frame];

		if (strcmp(f->set.places[b->place].name, place) == 0 && b->ip.id == a->ip.id &&
		    ip_addr_eq(&b->ip.sel.src, &a->ip.sel.src) &&
		    b->ip.total_len == a->ip.total_len)
			return f->clear[i].frame;
	}
	fail_msg("it was not delivered");
	return 0;
}

static void a_packet_that_is_not_delivered(void **state)
{
	const struct check_params p = {.places = inside, .n_places = 2};
	struct edit e;
	size_t sent;

	(void)state;
	begin(&e, "sa-life");
	sent = sent_by_host(&e, "lhost-left", 3);
	pick(&e, sent);
	capture_set_drop(&e.set, delivered_as(&e, sent, "rhost-right"));
	expect_verdict(&e, "delivery", &p, VERDICT_FAIL);
}

static void a_packet_that_is_delivered_twice(void **state)
{
	const struct check_params p = {.places = inside, .n_places = 2};
	struct edit e;
	size_t sent;

	(void)state;
	begin(&e, "sa-life");
	sent = sent_by_host(&e, "lhost-left", 3);
	pick(&e, sent);
	assert_int_equal(capture_set_duplicate(&e.set, delivered_as(&e, sent, "rhost-right")), 0);
	expect_verdict(&e, "delivery", &p, VERDICT_FAIL);
}

static void a_loss_that_is_allowed(void **state)
{
	const struct check_params p = {.places = inside, .n_places = 2, .lost = 1};
	struct edit e;

	(void)state;
	begin(&e, "sa-life");
	capture_set_drop(&e.set,
			 delivered_as(&e, sent_by_host(&e, "lhost-left", 3), "rhost-right"));
	expect_verdict(&e, "delivery", &p, VERDICT_PASS);
}

static void a_first_packet_that_was_never_sent(void **state)
{
	static const struct check_params none;
	struct edit e;
	size_t i;

	(void)state;
	begin(&e, "first-packet");
	pick(&e, e.before.ike[find_message(&e, IKE_AUTH, false)].frame);
	for (i = e.before.n_esp; i-- > 0;) /* a drop moves those behind it */
		capture_set_drop(&e.set, e.before.esp[i].frame);
	expect_verdict(&e, "first-packet", &none, VERDICT_FAIL);
}

/* Only who has the keys can make it: another packet goes through the child before. */
static void another_packet_that_goes_first(void **state)
{
	static const struct check_params none;
	struct edit e;

	(void)state;
	begin(&e, "first-packet");
	pick(&e, e.before.esp[0].frame);
	e.before.esp[0].in.sel.dst.b[3] ^= 0x40;
	expect_fault_in_facts(&e, "first-packet", &none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_packet_that_is_not_delivered),
	    cmocka_unit_test(a_packet_that_is_delivered_twice),
	    cmocka_unit_test(a_loss_that_is_allowed),
	    cmocka_unit_test(a_first_packet_that_was_never_sent),
	    cmocka_unit_test(another_packet_that_goes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
