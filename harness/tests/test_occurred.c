/* What occurred in the reference captures, by numbers that tshark and pcaps/README.md give; and
 * none of it where a parameter says something else. */
#include "harness/tests/pcaps.h"

#include "harness/occurred.h"

struct example {
	const char *capture, *kind;
	const char *with[4]; /* keys and values in turn */
	uint64_t count;
};

static uint64_t count(const struct example *x)
{
	struct pair pairs[2];
	struct sc_expectation e = {.occurred = x->kind, .with = {.items = pairs}};
	struct evidence ev = {0};
	struct occurrence o;
	struct facts facts;

	for (; e.with.count < 2 && x->with[2 * e.with.count]; e.with.count++)
		pairs[e.with.count] = (struct pair){.key = x->with[2 * e.with.count],
						    .value = x->with[2 * e.with.count + 1]};
	pcaps_dissect(x->capture, &facts);
	ev.facts = &facts;
	occurred_count(&e, &ev, &o);
	facts_free(&facts);
	return o.count;
}

static void what_occurred_is_counted(void **state)
{
	static const struct example examples[] = {
	    {"collision-ike", "message", {"exchange", "CREATE_CHILD_SA", "kind", "request"}, 2},
	    {"collision-ike", "message", {"exchange", "CREATE_CHILD_SA", "kind", "response"}, 1},
	    {"collision-ike", "ike-sa", {NULL}, 2},
	    {"wrong-psk", "message", {"notify", "AUTHENTICATION_FAILED"}, 1},
	    {"wrong-psk", "ike-sa", {NULL}, 0},
	    {"no-proposal-chosen", "refusal", {"notify", "NO_PROPOSAL_CHOSEN"}, 1},
	    {"no-proposal-chosen", "refusal", {"notify", "TS_UNACCEPTABLE"}, 0},
	    {"ike-fragments-strongswan", "ike-fragment", {"exchange", "IKE_AUTH", "total", "2"}, 4},
	    {"keep-alives", "keepalive", {"place", "outer-vps"}, 2},
	    {"keep-alives", "keepalive", {"place", "elsewhere"}, 0},
	    {"keep-alives", "esp", {"encap", "no"}, 0},
	    {"mobike-beetd", "message", {"notify", "UPDATE_SA_ADDRESSES", "kind", "response"}, 0},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
		if (count(&examples[i]) != examples[i].count)
			fail_msg("%s, %s: %u, not %u", examples[i].capture, examples[i].kind,
				 (unsigned)count(&examples[i]), (unsigned)examples[i].count);
}

/* RFC 7296 §2.8.2: in collision-ike the VPS's request passes between the gateway's and an answer to
 * that. In sa-life each rekeying has its answer before the next begins. */
static void requests_that_cross_are_counted(void **state)
{
	static const struct example crossed = {"collision-ike", "crossed", {NULL}, 1},
				    other = {"collision-ike",
					     "crossed",
					     {"exchange", "IKE_AUTH"},
					     0},
				    turns = {"sa-life", "crossed", {NULL}, 0};

	(void)state;
	assert_int_equal(count(&crossed), crossed.count);
	assert_int_equal(count(&other), other.count);
	assert_int_equal(count(&turns), turns.count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_occurred_is_counted),
	    cmocka_unit_test(requests_that_cross_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
