/* test_scenario.c - every mistake in a scenario is told with its line; a right one gives its plan.
 */
#include "harness/plan.h"
#include "harness/wires.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "name: t\npurpose: p\n"
#define NET  "topology: {nodes: [a, b], links: [[a:e0, b:e0]]}\n"

#define AIMS(text)                                                                               \
	"topology: {nodes: [a, b], links: [{ends: [a:e0, b:e0], wire: {aims:\n [" text "]}}]}\n" \
	"steps: []\n"

#define LINKS(text) HEAD "steps: []\ntopology:\n  nodes: [a, b]\n  links:\n  - " text "\n"

/* What is said of a begins in line 9. */
#define NODE_A(text)                                                                              \
	HEAD "steps: []\ntopology:\n  links: [[a:e0, b:e0]]\n  nodes:\n  - {name: b, addresses: " \
	     "{e0: 10.0.0.2/8}}\n  - name: a\n    " text "\n"

#define TCP_STREAM(more) \
	"steps:\n- traffic: {name: x, protocol: tcp, from: a, to: b, address: 10.0.0.1" more "}\n"

static const struct {
	const char *text;
	const char *error; /* how it begins; "": none */
} mistakes[] = {
    {"", "t.yaml:1: the file is empty"},
    {"- a\n", "t.yaml:1: a mapping was expected"},
    {"name: t\n", "t.yaml:1: 'purpose' is missing"},
    {"name: [a\n", "t.yaml:2: "},
    {HEAD "nam: x\n", "t.yaml:3: unknown key 'nam'; known here: name, purpose"},
    {HEAD "name: u\n", "t.yaml:3: 'name' stands here twice; the first is in line 1"},
    {"name: &a t\n", "t.yaml:1: anchors, aliases and tags"},
    {"name: [t]\n", "t.yaml:1: 'name' must be text, not a list"},
    {HEAD NET "steps: x\n", "t.yaml:4: 'steps' must be a list"},
    {HEAD NET "steps:\n- start\n", "t.yaml:5: a step is one key"},
    {HEAD NET "steps:\n- dance: a\n", "t.yaml:5: unknown step 'dance'; there are: start, stop"},
    {HEAD NET "steps:\n\t- idle: 1s\n", "t.yaml:5: a tab; YAML indents with blanks"},
    {HEAD NET "steps:\n  - idle: 1s\n - idle: 1s\n",
     "t.yaml:6: did not find expected key, while parsing a block mapping; check the indentation"},
    {HEAD NET "steps:\n- ping: {from: a, address: 10.0.0.1, count: -3}\n",
     "t.yaml:5: 'count' must be a number from 1 up, not '-3'"},
    {HEAD NET "steps:\n- ping: {from: a, address: 10.0.0.1, size: 0}\n",
     "t.yaml:5: 'size' must be a number from 1 up, not '0'"},
    {HEAD NET "steps:\n- impair: {wire: a-b, to: {mtu: 14}}\n",
     "t.yaml:5: 'mtu' must be an MTU from 68 to 65535, not '14'"},
    {HEAD NET "steps:\n- start: a\n", "t.yaml:5: no endpoint at 'a'"},
    {HEAD NET "steps:\n- ping: {from: a}\n", "t.yaml:5: 'address' is missing"},
    {HEAD NET "steps:\n- ping: {from: z, address: 10.0.0.1}\n",
     "t.yaml:5: no node 'z'; there are: a, b"},
    {HEAD NET "steps:\n- ping: {from: a, address: b}\n", "t.yaml:5: 'b' is no address"},
    {HEAD AIMS("hit: {packet: esp}"), "t.yaml:4: nothing is known as 'hit'"},
    {HEAD AIMS("drop"), "t.yaml:4: an aim is one key"},
    {HEAD AIMS("drop: {message: IKE_AUT}"), "t.yaml:4: 'IKE_AUT' is no exchange of IKE"},
    {HEAD AIMS("drop: {kind: request, packet: esp}"), "t.yaml:4: message, kind, from, id and"},
    {HEAD AIMS("drop: {filter: udq}"), "t.yaml:4: aim drop: filter \"udq\": "},
    {HEAD AIMS("delay: {packet: esp}"), "t.yaml:4: aim delay esp: delays by nothing"},
    {HEAD AIMS("drop: {to: c}"), "t.yaml:4: 'c' is not at the end of this wire: a and b are"},
    {HEAD NET "steps:\n- idle: soon\n", "t.yaml:5: 'for' must be a time like 250ms"},
    {HEAD NET "steps:\n- impair: {wire: w, to: {loss: 2%}}\n",
     "t.yaml:5: no wire 'w'; there are: "},
    {HEAD NET "steps:\n- impair: {wire: a-b, to: {}}\n", "t.yaml:5: wire 'a-b' is a plain cable"},
    {HEAD NET "steps:\n- impair: {wire: a-b, to: {loss: 200%}}\n", "t.yaml:5: 'loss' must be"},
    {HEAD NET "steps:\n- traffic: {name: x, protocol: sctp, from: a, to: b, address: 10.0.0.1}\n",
     "t.yaml:5: 'protocol' must be"},
    {HEAD NET "steps:\n- rekey: {nodes: [a]}\n", "t.yaml:5: 'rekey' takes either"},
    {HEAD NET TCP_STREAM(", count: 5"), "t.yaml:5: 'size' and 'count' are of udp"},
    {HEAD NET
     "steps:\n- traffic: {name: x, protocol: ike-flood, from: a, to: b, address: 10.0.0.1, "
     "size: 9}\n",
     "t.yaml:5: a flood has"},
    {HEAD NET TCP_STREAM("") "- finish: y\n", "t.yaml:6: no traffic 'y' was started before"},
    {HEAD NET TCP_STREAM("") "- finish: x\n- finish: x\n", "t.yaml:7: no traffic 'x'"},
    {HEAD NET "steps:\n- wait: {node: a}\n", "t.yaml:5: 'wait' waits for one of"},
    {HEAD NET "steps: []\nendpoints:\n- {node: a}\n", "t.yaml:6: an endpoint has either"},
    {HEAD NET "steps: []\nendpoints:\n- {node: z, config: x}\n", "t.yaml:6: no node 'z'"},
    {HEAD NET "steps: []\nendpoints:\n- {node: a, config_file: none.conf}\n", "t.yaml:6: "},
    {HEAD NET "steps: []\nendpoints:\n- {node: a, config: x, peer: racoon}\n",
     "t.yaml:6: 'racoon' is no daemon"},
    {HEAD NET "steps: []\nendpoints:\n- node: a\n  config: x\n  substitute: {Y: z}\n",
     "t.yaml:8: the configuration has no 'Y'"},
    {HEAD NET "steps: []\ncredentials:\n- {name: x, kind: issued}\n", "t.yaml:6: 'ca' goes with"},
    {HEAD NET "steps: []\ncredentials:\n- {name: x, kind: ca, private_at: a}\n",
     "t.yaml:6: no endpoint at 'a'"},
    {HEAD NET "steps: []\nexpect:\n- {check: luck}\n", "t.yaml:6: no check 'luck'; there are: "},
    {HEAD NET "steps: []\nexpect:\n- {occurred: luck}\n", "t.yaml:6: nothing is known as 'luck'"},
    {HEAD NET "steps: []\nexpect:\n- {explain: F99}\n", "t.yaml:6: no finding 'F99'"},
    {HEAD NET "steps: []\nexpect:\n- {explain: F06, verdict: fail}\n",
     "t.yaml:6: 'explain' takes no 'verdict'"},
    {HEAD NET "steps: []\nexpect:\n- explain: F06\n  with: {keys: some}\n",
     "t.yaml:7: 'explain' takes one parameter, 'keys'"},
    {HEAD NET "steps: []\nexpect:\n- {explain: F06, occurred: esp}\n",
     "t.yaml:6: an expectation names a 'check'"},
    {HEAD NET "steps: []\nexpect:\n- {explain: nothing, with: {keys: \"no\"}}\n", ""},
    {HEAD NET "steps: []\nexpect:\n- occurred: esp\n  with: {place: b-a}\n",
     "t.yaml:7: no place 'b-a'; there are: a-b"},
    {HEAD NET "steps: []\nexpect:\n- occurred: lost\n  with: {wire: b-a}\n",
     "t.yaml:7: no wire 'b-a'"},
    {HEAD NET "steps: []\nexpect:\n- occurred: lost\n  with: {wire: a-b}\n",
     "t.yaml:7: wire 'a-b' is a plain cable"},
    {HEAD NET "steps: []\nexpect:\n- occurred: message\n  with: {exchange: IKE_AUHT}\n",
     "t.yaml:7: 'exchange' must be an exchange of IKE"},
    {HEAD NET "steps: []\nexpect:\n- occurred: message\n  with: {notify: COKIE}\n",
     "t.yaml:7: 'notify' must be a notify of IKE"},
    {HEAD NET "steps: []\nexpect:\n- occurred: esp\n  with: {min: -1}\n",
     "t.yaml:7: 'min' must be a number, not '-1'"},
    {HEAD NET "steps: []\nexpect:\n- occurred: esp\n  with: {min: 9, max: 5}\n",
     "t.yaml:6: no number is at least 9 and at most 5"},
    {HEAD NET "steps: []\nendpoints:\n- {node: a, peer: beetd, config: x}\n",
     "t.yaml:7: configuration of a: expected"},
    {HEAD NET "steps: []\nendpoints:\n- node: a\n  config: |\n    connections {\n      c {\n"
	      "        mobile = no\n      }\n    }\n",
     "t.yaml:10: configuration of a: unknown option 'mobile'"},
    {HEAD NET
     "steps:\n- initiate: {node: a, child: d}\nendpoints:\n- node: a\n  config: |\n"
     "    connections {\n      c {\n        remote_addrs = 10.0.0.1\n        local { }\n"
     "        remote { }\n        children {\n          e { }\n        }\n      }\n    }\n",
     "t.yaml:5: the configuration of a has no child 'd'; it has: e"},
    {HEAD NET "steps: []\nexpect:\n- check: mode\n  with: {mode: fast}\n",
     "t.yaml:7: 'mode' must be tunnel, transport or beet, not 'fast'"},
    {HEAD NET "steps: []\nexpect:\n- check: nat-t\n  with: {encaps: yes}\n",
     "t.yaml:7: check 'nat-t' has no parameter 'encaps'; it has: initiator_behind_nat, "
     "responder_behind_nat, encap"},
    {HEAD NET "steps: []\nexpect:\n- check: mss\n  with: {encap: yes}\n",
     "t.yaml:7: check 'mss' has no parameter 'encap'; it has: path_mtu"},
    {HEAD NET "steps: []\nexpect:\n- check: opened\n  with: {encap: yes}\n",
     "t.yaml:7: check 'opened' has no parameter 'encap'; it has: none"},
    {HEAD NET "steps: []\nexpect:\n- occurred: esp\n  with: {colour: red}\n",
     "t.yaml:7: 'esp' has no parameter 'colour'; it has: mode, encap, octets, next_header, place, "
     "min, max"},
    {HEAD NET "steps: []\nexpect:\n- occurred: esp\n  with: {min: -10}\n",
     "t.yaml:7: 'min' must be a number, not '-10'"},
    {HEAD NET "steps: []\nexpect:\n- occurred: esp\n  with: {encap: maybe}\n",
     "t.yaml:7: 'encap' must be yes or no, not 'maybe'"},
    {HEAD NET "steps: []\nexpect:\n- occurred: message\n  with: {notify: NO_PROPOSAL, max: 0}\n",
     "t.yaml:7: 'notify' must be a notify of IKE"},
    {HEAD NET "steps: []\nexpect:\n- occurred: message\n  with: {exchange: IKE_INIT}\n",
     "t.yaml:7: 'exchange' must be an exchange of IKE, as IKE_AUTH, not 'IKE_INIT'"},
    {HEAD NET "steps: []\nexpect:\n- occurred: mapping\n", "t.yaml:6: 'mapping' needs 'address'"},
    {HEAD "steps: []\ntopology: {nodes: []}\n", "t.yaml:4: a network without nodes"},
    {HEAD "steps: []\ntopology: {nodes: [a], links: [[a:e0, z:e0]]}\n", "t.yaml:4: no node 'z'"},
    {HEAD "steps: []\ntopology: {nodes: [a], links: [[a:e0]]}\n", "t.yaml:4: a link has two ends"},
    {HEAD "steps: []\ntopology:\n  nodes:\n  - name: a\n    routes: [default]\n",
     "t.yaml:7: a: 'default' is no route"},
    {HEAD "steps: []\ntopology:\n  nodes:\n  - name: a\n    addresses: {e0: 10.0.0.300/8}\n",
     "t.yaml:7: '10.0.0.300/8' is no address"},
    {HEAD "steps: []\ntopology:\n  nodes:\n  - name: a\n    addresses: {e0: 10.0.0.1/8}\n",
     "t.yaml:7: a has no interface 'e0'; it has: none, since no link ends there"},
    {HEAD "steps: []\ntopology:\n  nodes: [a, b, a]\n",
     "t.yaml:5: node 'a' stands here twice; the first is in line 5"},
    {HEAD "steps: []\ntopology:\n  nodes:\n  - a\n  - a-host-with-a-very-long-name\n",
     "t.yaml:7: 'a-host-with-a-very-long-name' cannot name a node: 1 to 16 letters"},
    {LINKS("[a:e0, b:a-very-long-interface]"),
     "t.yaml:7: 'a-very-long-interface' cannot name an interface: 1 to 15"},
    {LINKS("a:e0"), "t.yaml:7: a link has two ends: [NODE:INTERFACE, NODE:INTERFACE]"},
    {LINKS("[a:e0, b:e0]\n  - [a:e0, b:e1]"),
     "t.yaml:8: 'a:e0' is an end of two links; the first is in line 7"},
    {LINKS("[a:e0, b:e0]\n  - [a:e0, b:e0]"),
     "t.yaml:8: 'a:e0' is an end of two links; the first is in line 7"},
    {HEAD "steps: []\ntopology:\n  base: seed\n  links: [[isp:wan, inet:isp0]]\n",
     "t.yaml:6: 'isp:wan' is an end of a link of the base: [inet:isp0, isp:wan], in this order"},
    {NODE_A("addresses: {e1: 10.0.0.1/8}"), "t.yaml:9: a has no interface 'e1'; it has: e0"},
    {NODE_A("addresses: {e0: 10.0.0.1}"), "t.yaml:9: '10.0.0.1' has no prefix length; say"},
    {NODE_A("addresses: {e0: [10.0.0.1/8, 10.0.0.2/8]}"),
     "t.yaml:9: a e0 has the address of b e0: 10.0.0.2/8"},
    {NODE_A("addresses: {e0: [10.0.0.1/8, 10.0.0.1/24]}"),
     "t.yaml:9: a e0 has the address of a e0: 10.0.0.1/24"},
    {NODE_A("bridges: {br0: [e0, e1]}"), "t.yaml:9: a has no interface 'e1'; it has: e0, br0"},
    {NODE_A("nat: {inside: 10.0.0.0/8, outside: wan}"),
     "t.yaml:9: a has no interface 'wan'; it has: e0"},
    {NODE_A("nat: {inside: lan, outside: e0}"), "t.yaml:9: 'lan' is no network, as 10.0.0.0/8"},
    {NODE_A("addresses: {e0: 10.0.0.1/8}\n    routes:\n    - default via 9.9.9.9"),
     "t.yaml:11: a: 'default via 9.9.9.9': no interface reaches 9.9.9.9"},
    {NODE_A("routes:\n    - default via 9.9.9.9 dev e1"),
     "t.yaml:10: a has no interface 'e1'; it has: e0"},
    {NODE_A("addresses: {e0: 10.0.0.1/8}\n    routes:\n    - 9.9.9.9/32 dev e0\n"
	    "    - default via 9.9.9.9"),
     ""},
};

/* Reads and plans; the error, or "". */
static void try_text(const char *text, struct err_msg *msg)
{
	const struct plan_options options = {.seed = 1};
	struct scenario *sc;
	struct plan plan;

	*msg = (struct err_msg){{0}};
	if (scenario_parse("t.yaml", text, strlen(text), &sc, msg) < 0)
		return;
	plan_make(sc, &options, &plan, msg);
	scenario_free(sc);
}

static void test_mistakes_are_told_with_file_and_line(void **state)
{
	struct err_msg msg;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		try_text(mistakes[i].text, &msg);
		if (strncmp(msg.text, mistakes[i].error, strlen(mistakes[i].error)) != 0 ||
		    !*mistakes[i].error != !*msg.text)
			fail_msg("scenario:\n%s\nsaid '%s', not '%s'", mistakes[i].text, msg.text,
				 mistakes[i].error);
	}
}

static void test_a_file_cut_short_anywhere_is_an_error_or_a_scenario(void **state)
{
	static const char text[] = HEAD NET "steps:\n- ping: {from: a, address: 10.0.0.1}\n"
					    "expect:\n- {check: mode, with: {mode: beet}}\n";
	struct scenario *sc;
	struct err_msg msg;
	size_t len;

	(void)state;
	for (len = 0; len < sizeof(text); len++)
		if (scenario_parse("t.yaml", text, len, &sc, &msg) == 0)
			scenario_free(sc);
}

static void test_true_and_false_are_yes_and_no(void **state)
{
	static const char text[] = HEAD NET "steps: []\nexpect:\n"
					    "- {check: nat-t, with: {encap: true}}\n"
					    "- {occurred: esp, with: {encap: false}}\n";
	struct err_msg msg;

	(void)state;
	try_text(text, &msg);
	assert_string_equal(msg.text, "");
}

static void test_nesting_is_bounded(void **state)
{
	char text[2 * DOC_DEPTH_MAX + 8];
	struct err_msg msg;

	(void)state;
	memset(text, '[', sizeof(text));
	text[sizeof(text) - 1] = 0;
	try_text(text, &msg);
	assert_non_null(strstr(msg.text, "nested more than"));
}

static const struct scenario *seed_scenario(const char *topology, struct plan *plan)
{
	const struct plan_options options = {.seed = 7};
	struct err_msg msg = {{0}};
	char text[1024];
	struct scenario *sc;

	snprintf(text, sizeof(text), HEAD "steps: []\ntopology:\n  base: seed\n%s", topology);
	if (scenario_parse("t.yaml", text, strlen(text), &sc, &msg) < 0 ||
	    plan_make(sc, &options, plan, &msg) < 0)
		fail_msg("%s", msg.text);
	return sc;
}

static void test_a_link_of_the_base_can_be_impaired(void **state)
{
	struct plan plan;
	const struct scenario *sc = seed_scenario(
	    "  links: [{ends: [inet:isp0, isp:wan], wire: {loss: 2%, delay: 10ms}}]\n", &plan);
	const struct plan_wire *wire = plan_find_wire(&plan, "inet-isp");

	(void)state;
	assert_non_null(wire);
	assert_true(plan.topology.links[wire->link].impaired);
	assert_true(wire->impairment.both.loss == 0.02);
	assert_int_equal(wire->impairment.both.delay_ms, 10);
	assert_int_equal(wire->place, WIRE_OUTER);
	assert_false(plan.topology.links[plan_find_wire(&plan, "vps-inet")->link].impaired);
	scenario_free((struct scenario *)sc);
}

/* What is said of one direction stands there in place of what is said of both. */
static void test_each_direction_of_a_wire_may_differ(void **state)
{
	struct plan plan;
	const struct scenario *sc =
	    seed_scenario("  links: [{ends: [inet:isp0, isp:wan], wire: {delay: 10ms, loss: 5%, "
			  "towards: {isp: {corrupt: 1%, icmp: \"no\"}}}}]\n",
			  &plan);
	const struct sc_impairment *wire = &plan_find_wire(&plan, "inet-isp")->impairment;
	struct link_params isp = link_params_of(treatment_towards(wire, "isp"));
	struct link_params inet = link_params_of(treatment_towards(wire, "inet"));

	(void)state;
	assert_true(isp.corrupt == 0.01 && isp.loss == 0 && isp.delay == 0);
	assert_int_equal(isp.icmp, LINK_ICMP_FILTERED);
	assert_true(inet.corrupt == 0 && inet.loss == 0.05 && inet.delay == 10 * LINK_MS);
	assert_int_equal(inet.icmp, LINK_ICMP_DELIVERED);
	scenario_free((struct scenario *)sc);
}

static void test_routes_of_the_base_can_be_left_out(void **state)
{
	struct plan plan;
	const struct scenario *sc = seed_scenario("  without_routes: [10.254.0.0/30]\n", &plan);
	size_t i;

	(void)state;
	for (i = 0; i < plan.topology.routes_count; i++)
		assert_string_not_equal(plan.topology.routes[i].dst, "10.254.0.0/30");
	assert_true(plan.topology.routes_count > 5);
	scenario_free((struct scenario *)sc);
}

static void test_a_peer_is_replaced_only_where_there_is_an_endpoint(void **state)
{
	static const char text[] =
	    HEAD NET "steps: []\nendpoints: [{node: a, config: 'connections { }'}]\n";
	const struct plan_peer peers[] = {{"a", "strongswan"}, {"b", "strongswan"}};
	struct plan_options options = {.peers = peers, .peers_count = 1};
	struct err_msg msg = {{0}};
	struct scenario *sc;
	struct plan plan;

	(void)state;
	assert_int_equal(scenario_parse("t.yaml", text, sizeof(text) - 1, &sc, &msg), 0);
	assert_int_equal(plan_make(sc, &options, &plan, &msg), 0);
	assert_string_equal(plan.endpoints[0].peer, "strongswan");
	options.peers_count = 2;
	assert_int_equal(plan_make(sc, &options, &plan, &msg), ERR_SYNTAX);
	scenario_free(sc);
}

static void test_a_plan_says_what_translates_filters_and_repeats(void **state)
{
	static const char *const lines[] = {
	    "  a net.ipv4.ip_forward = 1\n",
	    "  a translates 10.0.0.0/8 at e0, ports random, idle UDP mappings for 5 s\n",
	    "  a\n    table ip x { }\n", "  1. ping 10.0.0.2 from b, 56 octets, 5 times\n",
	    "  2. ping 10.0.0.2 from b, 56 octets\n"};
	const char *text =
	    HEAD "topology:\n  links: [[a:e0, b:e0]]\n  nodes:\n  - b\n  - name: a\n"
		 "    sysctls: {net.ipv4.ip_forward: 1}\n    nftables: 'table ip x { }'\n"
		 "    nat: {inside: 10.0.0.0/8, outside: e0, ports: random, udp_timeout: 5s}\n"
		 "steps:\n- ping: {from: b, address: 10.0.0.2, count: 5}\n"
		 "- ping: {from: b, address: 10.0.0.2}\n";
	const struct plan_options options = {.seed = 1};
	char *printed = NULL;
	struct scenario *sc;
	struct plan plan;
	size_t len, i;
	FILE *out = open_memstream(&printed, &len);

	(void)state;
	assert_int_equal(scenario_parse("t.yaml", text, strlen(text), &sc, NULL), 0);
	assert_int_equal(plan_make(sc, &options, &plan, NULL), 0);
	plan_print(&plan, out);
	fclose(out);
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (!strstr(printed, lines[i]))
			fail_msg("no '%s' in:\n%s", lines[i], printed);
	free(printed);
	scenario_free(sc);
}

static void test_units(void **state)
{
	uint64_t octets;
	unsigned ms;
	double share;

	(void)state;
	assert_true(parse_octets("64k", &octets) && octets == 65536);
	assert_true(parse_ms("1.5s", &ms) && ms == 1500);
	assert_true(parse_fraction("30%", &share) && share > 0.299 && share < 0.301);
	assert_false(parse_octets("-1", &octets) || parse_octets("1.5", &octets));
	assert_false(parse_ms("15", &ms) || parse_ms("s", &ms) || parse_ms("1e9h", &ms));
	assert_false(parse_fraction("101%", &share) || parse_fraction("", &share));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_mistakes_are_told_with_file_and_line),
	    cmocka_unit_test(test_a_file_cut_short_anywhere_is_an_error_or_a_scenario),
	    cmocka_unit_test(test_true_and_false_are_yes_and_no),
	    cmocka_unit_test(test_nesting_is_bounded),
	    cmocka_unit_test(test_a_link_of_the_base_can_be_impaired),
	    cmocka_unit_test(test_each_direction_of_a_wire_may_differ),
	    cmocka_unit_test(test_routes_of_the_base_can_be_left_out),
	    cmocka_unit_test(test_a_peer_is_replaced_only_where_there_is_an_endpoint),
	    cmocka_unit_test(test_a_plan_says_what_translates_filters_and_repeats),
	    cmocka_unit_test(test_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
