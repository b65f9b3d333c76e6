/* Findings of what flows through two places, over flows made by hand: what one place alone would
 * say is not said when the other knows better. */
#include "harness/tests/pcaps.h"

#include "harness/explain/counters.h"
#include "harness/explain/findings.h"
#include "vpn/base/proto.h"

#define SECOND UINT64_C(1000000)
#define SPI    7
#define ESPS   3
#define FLOWS  4

/* Two places, one SPI. Places 0 and 1 have seen it; flows are added by the tests. */
struct stage {
	struct capture_place names[2];
	struct place_sum places[2];
	struct esp_flow esp[ESPS];
	uint32_t sizes[ESPS][SIZE_CLASSES];
	struct ip_flow flows[FLOWS];
	struct survey s;
};

static void make_esp(struct stage *st, size_t i, size_t place, uint64_t n, uint64_t last_s)
{
	st->esp[i] = (struct esp_flow){.place = place,
				       .prev = i ? i - 1 : FACT_NONE,
				       .spi = SPI,
				       .n = n,
				       .first = {place, 1, SECOND},
				       .last = {place, 2, last_s * SECOND},
				       .child = FACT_NONE,
				       .late_flow = FACT_NONE,
				       .sizes = st->sizes[i]};
	st->s.n_esp = i + 1;
	assert_int_equal(map_put(&st->s.spi_index, SPI, i), 0);
}

static void make_flow(struct stage *st, size_t i, const struct ip_flow *flow)
{
	st->flows[i] = *flow;
	st->s.n_flows = i + 1;
	assert_int_equal(
	    map_put(&st->s.flow_index,
		    flow_hash(flow->place, flow->inside, flow->proto, &flow->src, &flow->dst), i),
	    0);
}

static void begin(struct stage *st)
{
	size_t i;

	*st = (struct stage){.names = {{.name = (char *)"outside"}, {.name = (char *)"inside"}}};
	st->s = (struct survey){.places = st->places, .n_places = 2};
	st->s.esp = st->esp;
	st->s.flows = st->flows;
	st->s.f.set.places = st->names;
	st->s.f.set.n_places = 2;
	for (i = 0; i < 2; i++)
		st->places[i] = (struct place_sum){.begin_us = 1, .end_us = 60 * SECOND};
}

static bool is_found(struct stage *st, const char *id)
{
	struct findings f;
	bool found = false;
	size_t i;

	assert_int_equal(findings_find(&st->s, &f), 0);
	for (i = 0; i < f.n; i++)
		found |= strcmp(f.v[i].rule->id, id) == 0;
	findings_free(&f);
	return found;
}

static void end(struct stage *st)
{
	map_free(&st->s.spi_index);
	map_free(&st->s.flow_index);
}

/* 16 packets outside, of which 5 of a size arrive behind another mapping, as another flow. */
static void a_new_mapping_takes_no_sizes_away(void **state)
{
	const size_t shorter = 10, in_between = 76, longer = 90;
	struct stage st;
	size_t i;

	(void)state;
	begin(&st);
	make_esp(&st, 0, 0, 16, 20);
	make_esp(&st, 1, 1, 10, 10);
	make_esp(&st, 2, 1, 5, 20);
	for (i = 0; i < 2; i++)
		st.sizes[i][shorter] = st.sizes[i][longer] = 5;
	st.sizes[0][shorter]++;
	st.sizes[0][in_between] = st.sizes[2][in_between] = 5;
	assert_false(is_found(&st, "F14"));
	st.sizes[2][in_between] = 0;
	assert_true(is_found(&st, "F14"));
	end(&st);
}

/* The SYN/ACK is clamped before the tunnel, the SYN behind it: both fit where they arrive. */
static void a_clamp_behind_the_tunnel_counts(void **state)
{
	const struct endpoint client = {{4, {10, 0, 0, 1}}, 40000},
			      server = {{4, {10, 0, 1, 1}}, 515};
	struct ip_flow syn = {.inside = true,
			      .proto = IP_PROTO_TCP,
			      .src = client,
			      .dst = server,
			      .n_syn = 1,
			      .have_mss = true,
			      .mss = 1460};
	struct ip_flow ack = {.inside = true,
			      .proto = IP_PROTO_TCP,
			      .src = server,
			      .dst = client,
			      .n_syn = 1,
			      .synack = true,
			      .have_mss = true,
			      .mss = 1280};
	struct stage st;

	(void)state;
	begin(&st);
	make_flow(&st, 0, &syn);
	make_flow(&st, 1, &ack);
	ack.inside = syn.inside = false;
	ack.place = syn.place = 1;
	ack.mss = 1460;
	make_flow(&st, 2, &ack);
	assert_true(is_found(&st, "F18"));
	syn.mss = 1280;
	make_flow(&st, 3, &syn);
	assert_false(is_found(&st, "F18"));
	end(&st);
}

/* Echo requests from 10 s on; they come out of the tunnel only if the inside sees the SPI, too. */
static void what_stops_on_the_way_does_not_come_out(void **state)
{
	const struct ip_flow asked = {.inside = true,
				      .spi = SPI,
				      .proto = IP_PROTO_ICMP,
				      .src = {{4, {10, 0, 0, 1}}, 8 << 8},
				      .dst = {{4, {10, 0, 1, 1}}, 0},
				      .n = 5,
				      .first = {0, 9, 10 * SECOND},
				      .last = {0, 13, 14 * SECOND}};
	struct stage st;

	(void)state;
	begin(&st);
	make_esp(&st, 0, 0, 10, 14);
	make_esp(&st, 1, 1, 10, 14);
	make_flow(&st, 0, &asked);
	assert_true(is_found(&st, "F32"));
	make_esp(&st, 1, 1, 5, 5);
	assert_false(is_found(&st, "F32"));
	end(&st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_new_mapping_takes_no_sizes_away),
	    cmocka_unit_test(a_clamp_behind_the_tunnel_counts),
	    cmocka_unit_test(what_stops_on_the_way_does_not_come_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
