/* test_live_firewall.c - the rules of `beetctl explain` on nftables: rule sets as `nft -j` prints
 * them, the finding that each must give, and neighbours that must give none. */
#include "vpn/tests/live_gateway.h"

#define CHAIN(family, type, hook, policy)                                                        \
	"{\"chain\": {\"family\": \"" family "\", \"table\": \"t\", \"name\": \"" hook           \
	"\", \"type\": \"" type "\", \"hook\": \"" hook "\", \"prio\": 0, \"policy\": \"" policy \
	"\"}}"
#define RULE(family, chain, expr)                                                        \
	",{\"rule\": {\"family\": \"" family "\", \"table\": \"t\", \"chain\": \"" chain \
	"\", \"handle\": 1, \"expr\": [" expr "]}}"
#define MATCH(left, right) \
	"{\"match\": {\"op\": \"==\", \"left\": {" left "}, \"right\": " right "}},"
#define DPORT(port)	MATCH("\"payload\": {\"protocol\": \"udp\", \"field\": \"dport\"}", port)
#define NAME(key, name) MATCH("\"meta\": {\"key\": \"" key "\"}", "\"" name "\"")
#define MSS                                                                                      \
	"{\"mangle\": {\"key\": {\"tcp option\": {\"name\": \"maxseg\", \"field\": \"size\"}}, " \
	"\"value\": 1380}}"

static void rules(struct facts *f, const char *objects)
{
	char json[2048];

	snprintf(json, sizeof(json), "{\"nftables\": [%s]}", objects);
	assert_int_equal(nft_ruleset_parse(json, NULL, &f->nft), 0);
}

static void no_rules(struct facts *f)
{
	rules(f, CHAIN("inet", "filter", "forward", "accept"));
}

static void drops_4500_in(struct facts *f)
{
	rules(f, CHAIN("inet", "filter", "input", "accept")
		     RULE("inet", "input", DPORT("4500") "{\"drop\": null}"));
}

static void silent_peer(struct facts *f)
{
	f->children[0].installed = 0;
	strcpy(f->sas[0].state, "CONNECTING");
	f->sas[0].answered = false;
	f->sas[0].lasting = true;
}

static void drops_500_out(struct facts *f)
{
	silent_peer(f);
	rules(f, CHAIN("inet", "filter", "output", "accept")
		     RULE("inet", "output", DPORT("500") "{\"drop\": null}"));
}

static void lets_answers_in(struct facts *f)
{
	rules(f,
	      CHAIN("inet", "filter", "input", "drop") RULE(
		  "inet", "input",
		  MATCH("\"ct\": {\"key\": \"state\"}", "\"established\"") "{\"accept\": null}"));
}

static void drops_4500_outside(struct facts *f)
{
	rules(f, CHAIN("inet", "filter", "input", "accept") RULE(
		     "inet", "input", NAME("iifname", "eth0") DPORT("4500") "{\"drop\": null}"));
}

static void drops_4500_elsewhere(struct facts *f)
{
	rules(f, CHAIN("inet", "filter", "input", "accept") RULE(
		     "inet", "input", NAME("iifname", "eth7") DPORT("4500") "{\"drop\": null}"));
}

static void masquerades_all(struct facts *f)
{
	f->addrs[f->n_addrs++] = (struct fact_addr){addr("10.254.0.1"), 30, 4};
	rules(f, CHAIN("ip", "nat", "postrouting", "accept")
		     RULE("ip", "postrouting", "{\"masquerade\": null}"));
}

static void masquerades_outside(struct facts *f)
{
	f->addrs[f->n_addrs++] = (struct fact_addr){addr("10.254.0.1"), 30, 4};
	rules(f, CHAIN("ip", "nat", "postrouting", "accept")
		     RULE("ip", "postrouting", NAME("oifname", "eth0") "{\"masquerade\": null}"));
}

/* The tunnel is left out of NAT, and a rule leads what is forwarded past the tunnel. */
static void masquerades_what_goes_astray(struct facts *f)
{
	masquerades_outside(f);
	strcpy(f->children[0].forwarded[0][0].dev, "eth0");
}

/* The new source is one of the selectors, and goes astray all the same. */
static void hides_what_goes_astray(struct facts *f)
{
	strcpy(f->children[0].forwarded[0][0].dev, "eth0");
	rules(f, CHAIN("ip", "nat", "postrouting", "accept")
		     RULE("ip", "postrouting", "{\"snat\": {\"addr\": \"192.168.1.1\"}}"));
}

static void masquerades_within(struct facts *f)
{
	rules(f, CHAIN("ip", "nat", "postrouting", "accept")
		     RULE("ip", "postrouting", "{\"snat\": {\"addr\": \"192.168.1.1\"}}"));
}

static void forwards_outwards_only(struct facts *f)
{
	rules(f, CHAIN("ip", "filter", "forward", "drop")
		     RULE("ip", "forward", NAME("oifname", "xfrm1") "{\"accept\": null}"));
}

static void forwards_both_ways(struct facts *f)
{
	rules(f, CHAIN("ip", "filter", "forward", "drop")
		     RULE("ip", "forward", NAME("oifname", "xfrm1") "{\"accept\": null}")
			 RULE("ip", "forward", NAME("iifname", "xfrm1") "{\"accept\": null}"));
}

static void clamps_on_output(struct facts *f)
{
	rules(f, CHAIN("ip", "filter", "output", "accept") RULE("ip", "output", MSS));
}

static void clamps_on_both(struct facts *f)
{
	rules(f, CHAIN("ip", "filter", "output", "accept") RULE("ip", "output", MSS) "," CHAIN(
		     "ip", "filter", "forward", "accept") RULE("ip", "forward", MSS));
}

static void clamps_what_goes_in(struct facts *f)
{
	rules(f, CHAIN("ip", "filter", "forward", "accept")
		     RULE("ip", "forward", NAME("oifname", "xfrm1") MSS));
}

static void clamps_what_comes_out(struct facts *f)
{
	rules(f, CHAIN("ip", "filter", "forward", "accept")
		     RULE("ip", "forward", NAME("iifname", "xfrm1") MSS));
}

static void clamps_each_way(struct facts *f)
{
	rules(f, CHAIN("ip", "filter", "forward", "accept")
		     RULE("ip", "forward", NAME("iifname", "xfrm1") MSS)
			 RULE("ip", "forward", NAME("oifname", "xfrm1") MSS));
}

static void clamps_one_way_beside_the_daemon(struct facts *f)
{
	clamps_what_goes_in(f);
	f->children[0].tcp_mss = true;
}

static void drops_before_routing(struct facts *f)
{
	rules(f, CHAIN("inet", "filter", "prerouting", "accept")
		     RULE("inet", "prerouting", NAME("iifname", "xfrm1") "{\"drop\": null}"));
}

static void drops_tcp_before_routing(struct facts *f)
{
	rules(f, CHAIN("inet", "filter", "prerouting", "accept")
		     RULE("inet", "prerouting",
			  NAME("iifname", "xfrm1") MATCH("\"meta\": {\"key\": \"l4proto\"}",
							 "\"tcp\"") "{\"drop\": null}"));
}

/* --- The table --- */

static const struct change changes[] = {
    CHANGE(no_rules, "", 0),
    CHANGE(drops_4500_in, "LIVE-firewall", CERTAIN),
    CHANGE(drops_500_out, "LIVE-firewall", CERTAIN),
    CHANGE(lets_answers_in, "", 0),
    CHANGE(drops_4500_outside, "LIVE-firewall", CERTAIN),
    CHANGE(drops_4500_elsewhere, "", 0),
    CHANGE(drops_before_routing, "LIVE-decrypted", CERTAIN),
    CHANGE(drops_tcp_before_routing, "", 0),
    CHANGE(masquerades_all, "F31", CERTAIN),
    CHANGE(masquerades_outside, "", 0),
    CHANGE(masquerades_what_goes_astray, "F31", CERTAIN),
    CHANGE(hides_what_goes_astray, "F31", CERTAIN),
    CHANGE(masquerades_within, "LIVE-hidden", CERTAIN),
    CHANGE(forwards_outwards_only, "S16", POSSIBLE),
    CHANGE(forwards_both_ways, "", 0),
    CHANGE(clamps_on_output, "F18", LIKELY),
    CHANGE(clamps_on_both, "", 0),
    CHANGE(clamps_what_goes_in, "F18", LIKELY),
    CHANGE(clamps_what_comes_out, "F18", LIKELY),
    CHANGE(clamps_each_way, "", 0),
    CHANGE(clamps_one_way_beside_the_daemon, "", 0),
};

static void each_change_gives_its_finding_first_and_wellness_none(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(changes); i++)
		expect_first(&changes[i]);
}

static void every_rule_has_a_case(void **state)
{
	(void)state;
	expect_family(live_rules_decrypted, n_live_rules_decrypted, changes, COUNT(changes));
	expect_family(live_rules_firewall, n_live_rules_firewall, changes, COUNT(changes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_change_gives_its_finding_first_and_wellness_none),
	    cmocka_unit_test(every_rule_has_a_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
