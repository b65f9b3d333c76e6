/* test_explain_modes.c - rules of `beetlab explain` that no reference capture shows, over facts
 * made by hand: modes, clients behind one address, keys that are missing, rekeyings and starts that
 * cross. Each
 * with a neighbour that gives nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "harness/explain/findings.h"
#include "vpn/crypto/alg.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Two clients behind one NAT box, each with a child and a flow of ESP. */
struct stage {
	struct ts mine, other;
	struct fact_frame frames[3];
	struct ike_msg ike[3];
	struct ike_payloads proof, refusal;
	struct ike_sa_fact sas[2];
	struct child_sa_fact children[2];
	struct esp_flow esp[2];
	struct refusal_fact refused;
	struct place_sum place;
	struct survey s;
};

static struct ts host(uint8_t octet)
{
	struct ip_addr a = {4, {octet}};

	return ts_from_host(&a);
}

static void make_sa(struct stage *st, size_t i)
{
	st->sas[i] = (struct ike_sa_fact){.rekeyed_from = FACT_NONE,
					  .init_msg = FACT_NONE,
					  .established_msg = FACT_NONE,
					  .addr_i = {{4, {198, 51, 100, 2}}, (uint16_t)(4500 + i)},
					  .addr_r = {{4, {203, 0, 113, 10}}, 4500}};
	snprintf(st->sas[i].id_i, sizeof(st->sas[i].id_i), "client%zu", i);
	st->children[i] = (struct child_sa_fact){.ike_sa = i,
						 .spi_i = (uint32_t)(10 * i + 1),
						 .spi_r = (uint32_t)(10 * i + 2),
						 .have_alg = true,
						 .alg = {.encr = ENCR_CHACHA20_POLY1305},
						 .key_from_log = true,
						 .ts_i = {&st->mine, 1},
						 .ts_r = {&st->other, 1}};
	st->esp[i] = (struct esp_flow){.spi = (uint32_t)(10 * i + 2),
				       .prev = FACT_NONE,
				       .late_flow = FACT_NONE,
				       .child = i,
				       .n = 5,
				       .opened = 5,
				       .by_mode = {5, 0, 0}};
}

static void make_message(struct stage *st, size_t i)
{
	st->frames[i] = (struct fact_frame){.number = (uint32_t)i + 1, .kind = FRAME_IKE};
	st->ike[i] = (struct ike_msg){.frame = i,
				      .ike_sa = 1,
				      .hdr = {.exchange = IKE_AUTH, .version = IKE_VERSION},
				      .request = i == 0,
				      .from_initiator = i == 0,
				      .retransmission_of = FACT_NONE,
				      .request_of = i ? 0 : FACT_NONE};
}

static void make(struct stage *st)
{
	size_t i;

	*st = (struct stage){.mine = host(10), .other = host(11)};
	for (i = 0; i < 2; i++) {
		make_sa(st, i);
		make_message(st, i);
	}
	st->s = (struct survey){.f = {.frames = st->frames,
				      .n_frames = 2,
				      .ike = st->ike,
				      .n_ike = 2,
				      .ike_sas = st->sas,
				      .n_ike_sas = 2,
				      .children = st->children,
				      .n_children = 2},
				.places = &st->place,
				.n_places = 1,
				.esp = st->esp,
				.n_esp = 2,
				.have_keys = true};
}

/* --- What is changed --- */

static void nothing(struct stage *st)
{
	(void)st;
}

static void beet_on_the_wire(struct stage *st)
{
	memcpy(st->esp[0].by_mode, (uint64_t[]){0, 0, 5}, sizeof(st->esp[0].by_mode));
}

static void beet_agreed_on(struct stage *st)
{
	st->children[0].asked = st->children[0].mode = IPSEC_BEET;
}

static void beet_both(struct stage *st)
{
	beet_on_the_wire(st);
	beet_agreed_on(st);
}

/* BEET may carry IP in IP itself: one such packet is no other mode. */
static void one_packet_otherwise(struct stage *st)
{
	beet_both(st);
	memcpy(st->esp[0].by_mode, (uint64_t[]){1, 0, 4}, sizeof(st->esp[0].by_mode));
}

static void transport(struct stage *st)
{
	size_t i;

	for (i = 0; i < 2; i++) {
		st->children[i].asked = st->children[i].mode = IPSEC_TRANSPORT;
		memcpy(st->esp[i].by_mode, (uint64_t[]){0, 5, 0}, sizeof(st->esp[i].by_mode));
	}
}

static void transport_of_one_client(struct stage *st)
{
	transport(st);
	strcpy(st->sas[1].id_i, st->sas[0].id_i);
}

static void transport_from_elsewhere(struct stage *st)
{
	transport(st);
	st->sas[1].addr_i.addr.b[0]++;
}

static void transport_one_after_the_other(struct stage *st)
{
	transport(st);
	st->children[0].end = CHILD_DELETED;
	st->esp[0].last.time_us = 0;
}

static void transport_of_different_ports(struct stage *st)
{
	static struct ts narrow;

	transport(st);
	narrow = st->mine;
	narrow.proto = 17;
	st->children[1].ts_i = (struct ts_list){&narrow, 1};
}

static void sealed(struct stage *st)
{
	st->children[0].key_from_log = false;
	st->esp[0].opened = 0;
	memset(st->esp[0].by_mode, 0, sizeof(st->esp[0].by_mode));
}

static void sealed_without_keys(struct stage *st)
{
	sealed(st);
	st->s.have_keys = false;
}

static void damaged(struct stage *st)
{
	sealed(st);
	st->esp[0].wrong_icv = 2;
}

static void cut_short_by_the_capture(struct stage *st)
{
	sealed(st);
	st->children[0].key_derived = true;
}

/* Each end has begun an SA, and both have a child; keys name the ends. */
static void crossed(struct stage *st)
{
	size_t i;

	for (i = 0; i < 2; i++) {
		st->sas[i].init_msg = 0;
		st->sas[i].established_msg = 1;
		strcpy(st->sas[i].id_i, i ? "right" : "left");
		strcpy(st->sas[i].id_r, i ? "left" : "right");
	}
	st->frames[1].time_us = 1000000;
}

static void one_after_the_other(struct stage *st)
{
	crossed(st);
	st->sas[1].init_msg = 1;
}

static void crossed_by_another_peer(struct stage *st)
{
	crossed(st);
	strcpy(st->sas[1].id_i, "third");
}

static void crossed_and_one_given_up(struct stage *st)
{
	crossed(st);
	st->sas[1].end = IKE_SA_DELETED;
	st->sas[1].delete_msg = 1;
}

static void crossed_and_one_without_child(struct stage *st)
{
	crossed(st);
	st->s.f.n_children = st->s.n_esp = 1;
}

/* Both ends rekey; the end that answered is refused its own, and sends nothing in what stays. */
static void refused_and_silent(struct stage *st)
{
	st->children[0].rekeys = 9;
	st->children[0].initiator_is_original = true;
	make_message(st, 2);
	st->ike[2].ike_sa = 0;
	st->ike[2].from_initiator = true;
	st->refused = (struct refusal_fact){.msg = 2, .notify = N_TEMPORARY_FAILURE};
	st->s.f.refusals = &st->refused;
	st->s.f.n_refusals = 1;
	st->s.f.n_frames = st->s.f.n_ike = 3;
}

static void refused_and_sending(struct stage *st)
{
	refused_and_silent(st);
	st->esp[1].spi = st->children[0].spi_i;
	st->esp[1].child = 0;
}

static void other_end_refused_and_silent(struct stage *st)
{
	refused_and_silent(st);
	st->ike[2].from_initiator = false;
}

static const struct change {
	const char *name;
	void (*make)(struct stage *st);
	const char *first; /* finding; "": none */
} changes[] = {
#define CHANGE(fn, first)      \
	{                      \
#fn, fn, first \
	}
    CHANGE(nothing, ""),
    CHANGE(beet_on_the_wire, "S13"),
    CHANGE(beet_agreed_on, "S13"),
    CHANGE(beet_both, ""),
    CHANGE(one_packet_otherwise, ""),
    CHANGE(transport, "F09"),
    CHANGE(transport_of_one_client, ""),
    CHANGE(transport_from_elsewhere, ""),
    CHANGE(transport_one_after_the_other, ""),
    CHANGE(transport_of_different_ports, ""),
    CHANGE(sealed, "S14"),
    CHANGE(sealed_without_keys, ""),
    CHANGE(damaged, ""),
    CHANGE(cut_short_by_the_capture, ""),
    CHANGE(refused_and_silent, "F20"),
    CHANGE(refused_and_sending, ""),
    CHANGE(other_end_refused_and_silent, ""),
    CHANGE(crossed, "F26"),
    CHANGE(one_after_the_other, ""),
    CHANGE(crossed_by_another_peer, ""),
    CHANGE(crossed_and_one_given_up, ""),
    CHANGE(crossed_and_one_without_child, ""),
};

static void expect_first(struct stage *st, const char *name, const char *want)
{
	struct findings f;

	assert_int_equal(findings_find(&st->s, &f), 0);
	if (strcmp(f.n ? f.v[0].rule->id : "", want) != 0)
		fail_msg("%s: %s in place of '%s'", name, f.n ? f.v[0].rule->id : "nothing", want);
	assert_true(!f.n || f.v[0].n_evidence);
	findings_free(&f);
}

static void each_change_gives_its_finding_and_its_neighbour_none(void **state)
{
	struct stage st;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(changes); i++) {
		make(&st);
		changes[i].make(&st);
		expect_first(&st, changes[i].name, changes[i].first);
	}
}

/* --- F10: the first client is in, the second one's proof is refused --- */

static void refuse_the_second(struct stage *st)
{
	static const uint8_t auth[] = {2, 0, 0, 0, 1, 2, 3, 4}, notify[] = {0, 0, 0, 24};

	make(st);
	st->s.f.n_children = st->s.n_esp = 0;
	st->proof =
	    (struct ike_payloads){1, {{.type = PAYLOAD_AUTH, .body = {auth, sizeof(auth)}}}};
	st->refusal =
	    (struct ike_payloads){1, {{.type = PAYLOAD_NOTIFY, .body = {notify, sizeof(notify)}}}};
	st->ike[0].inner = &st->proof;
	st->ike[1].inner = &st->refusal;
	st->sas[0].established_msg = 0;
	make_message(st, 2);
	st->ike[2].ike_sa = 0;
	st->ike[2].from_initiator = st->ike[2].request = true;
	st->frames[1].dst.addr = st->frames[2].src.addr = st->sas[0].addr_i.addr;
	st->s.f.n_frames = st->s.f.n_ike = 3;
}

static bool is_found(const struct stage *st, const char *id)
{
	struct findings f;
	bool found = false;
	size_t i;

	assert_int_equal(findings_find(&st->s, &f), 0);
	for (i = 0; i < f.n; i++)
		found = found || !strcmp(f.v[i].rule->id, id);
	findings_free(&f);
	return found;
}

static void a_second_client_that_is_refused_is_f10_only_behind_the_same_address(void **state)
{
	struct stage st;

	(void)state;
	refuse_the_second(&st);
	assert_true(is_found(&st, "F10"));
	assert_true(is_found(&st, "MAP-auth"));
	st.frames[2].src.addr.b[0]++;
	assert_false(is_found(&st, "F10"));
	refuse_the_second(&st);
	strcpy(st.sas[0].id_i, st.sas[1].id_i);
	assert_false(is_found(&st, "F10"));
	refuse_the_second(&st);
	st.sas[0].established_msg = FACT_NONE;
	assert_false(is_found(&st, "F10"));
	assert_true(is_found(&st, "MAP-auth"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_change_gives_its_finding_and_its_neighbour_none),
	    cmocka_unit_test(a_second_client_that_is_refused_is_f10_only_behind_the_same_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
