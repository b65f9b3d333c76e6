/* test_live_nft.c - what nftables would do with a packet: rules as `nft -j` prints them, packets
 * with a verdict each. */
#include "vpn/daemon/beetctl/explain/nft.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "vpn/base/proto.h"

#define CHAIN(type, hook, policy)                                                                 \
	"{\"chain\": {\"family\": \"inet\", \"table\": \"t\", \"name\": \"c\", \"type\": \"" type \
	"\", \"hook\": \"" hook "\", \"prio\": 0, \"policy\": \"" policy "\"}}"
#define RULE_IN(chain, exprs)                                                      \
	",{\"rule\": {\"family\": \"inet\", \"table\": \"t\", \"chain\": \"" chain \
	"\", \"handle\": 7, \"expr\": [" exprs "]}}"
#define RULE(exprs)	RULE_IN("c", exprs)
#define IS(left, right) "{\"match\": {\"op\": \"==\", \"left\": {" left "}, \"right\": " right "}},"
#define NOT(left, right) \
	"{\"match\": {\"op\": \"!=\", \"left\": {" left "}, \"right\": " right "}},"
#define PAYLOAD(p, f) "\"payload\": {\"protocol\": \"" p "\", \"field\": \"" f "\"}"
#define META(k)	      "\"meta\": {\"key\": \"" k "\"}"
#define CT	      "\"ct\": {\"key\": \"state\"}"
#define ACCEPT	      "{\"accept\": null}"
#define DROP	      "{\"drop\": null}"
#define NET10	      "{\"prefix\": {\"addr\": \"10.0.0.0\", \"len\": 8}}"

static struct nft_ruleset *parse(const char *objects)
{
	struct nft_ruleset *rules;
	char json[4096];

	snprintf(json, sizeof(json), "{\"nftables\": [%s]}", objects);
	assert_int_equal(nft_ruleset_parse(json, NULL, &rules), 0);
	return rules;
}

/* 10.0.0.1 to 192.0.2.1, TCP 22, from xfrm1 to eth0, new. */
static struct nft_packet packet(void)
{
	struct nft_packet p = {
	    .proto = IP_PROTO_TCP, .dport = 22, .iif = "xfrm1", .oif = "eth0", .ct = NFT_CT_NEW};

	assert_int_equal(ip_addr_parse("10.0.0.1", &p.src), 0);
	assert_int_equal(ip_addr_parse("192.0.2.1", &p.dst), 0);
	return p;
}

static const struct {
	const char *rules;
	enum nft_does does;
} filters[] = {
    /* policies */
    {CHAIN("filter", "forward", "accept"), NFT_PASSES},
    {CHAIN("filter", "forward", "drop"), NFT_DROPS},
    {CHAIN("filter", "input", "drop"), NFT_PASSES},
    {CHAIN("nat", "forward", "drop"), NFT_PASSES},
    /* addresses */
    {CHAIN("filter", "forward", "accept") RULE(IS(PAYLOAD("ip", "saddr"), NET10) DROP), NFT_DROPS},
    {CHAIN("filter", "forward", "accept") RULE(IS(PAYLOAD("ip", "daddr"), NET10) DROP), NFT_PASSES},
    {CHAIN("filter", "forward", "accept") RULE(NOT(PAYLOAD("ip", "daddr"), NET10) DROP), NFT_DROPS},
    {CHAIN("filter", "forward", "accept") RULE(NOT(PAYLOAD("ip6", "daddr"), "\"::1\"") DROP),
     NFT_PASSES},
    {CHAIN("filter", "forward", "accept")
	 RULE(IS(PAYLOAD("ip", "saddr"), "{\"range\": [\"10.0.0.0\", \"10.0.0.9\"]}") DROP),
     NFT_DROPS},
    {CHAIN("filter", "forward", "accept")
	 RULE(IS(PAYLOAD("ip", "saddr"), "{\"set\": [\"10.0.0.2\", \"10.0.0.1\"]}") DROP),
     NFT_DROPS},
    /* names, protocols, ports, states */
    {CHAIN("filter", "forward", "accept") RULE(IS(META("iifname"), "\"xfrm*\"") DROP), NFT_DROPS},
    {CHAIN("filter", "forward", "accept") RULE(IS(META("oifname"), "\"xfrm1\"") DROP), NFT_PASSES},
    {CHAIN("filter", "forward", "accept") RULE(IS(META("l4proto"), "\"tcp\"") DROP), NFT_DROPS},
    {CHAIN("filter", "forward", "accept") RULE(IS(PAYLOAD("ip", "protocol"), "\"icmp\"") DROP),
     NFT_PASSES},
    {CHAIN("filter", "forward", "accept")
	 RULE(IS(PAYLOAD("tcp", "dport"), "{\"range\": [1, 22]}") DROP),
     NFT_DROPS},
    {CHAIN("filter", "forward", "accept") RULE(IS(PAYLOAD("udp", "dport"), "22") DROP), NFT_PASSES},
    {CHAIN("filter", "forward", "drop") RULE(IS(CT, "[\"established\", \"related\"]") ACCEPT),
     NFT_DROPS},
    {CHAIN("filter", "forward", "drop") RULE(IS(CT, "\"new\"") ACCEPT), NFT_PASSES},
    {CHAIN("filter", "forward", "drop") RULE(
	 "{\"vmap\": {\"key\": {" CT "}, \"data\": {\"set\": [[\"new\", {\"accept\": null}]]}}}"),
     NFT_PASSES},
    /* what is not known: no word of a drop if it may be let through, and none of passing */
    {CHAIN("filter", "forward", "drop") RULE(IS(META("mark"), "1") ACCEPT), NFT_UNKNOWN},
    {CHAIN("filter", "forward", "accept") RULE(IS(META("mark"), "1") DROP), NFT_PASSES},
    {CHAIN("filter", "forward", "drop") RULE("{\"limit\": {\"rate\": 5}}," ACCEPT), NFT_UNKNOWN},
    {CHAIN("filter", "forward", "drop") RULE(IS(META("mark"), "1") DROP), NFT_DROPS},
    {CHAIN("filter", "forward", "drop") RULE("{\"counter\": {\"packets\": 0}}," ACCEPT),
     NFT_PASSES},
    /* chains */
    {CHAIN("filter", "forward", "accept") RULE("{\"jump\": {\"target\": \"d\"}}")
	 RULE_IN("d", DROP),
     NFT_DROPS},
    {CHAIN("filter", "forward", "drop") RULE("{\"jump\": {\"target\": \"d\"}}") RULE(ACCEPT)
	 RULE_IN("d", "{\"return\": null}"),
     NFT_PASSES},
    {CHAIN("filter", "forward", "drop") RULE("{\"goto\": {\"target\": \"d\"}}") RULE(ACCEPT)
	 RULE_IN("d", "{\"return\": null}"),
     NFT_DROPS},
    {CHAIN("filter", "forward", "accept") RULE("{\"jump\": {\"target\": \"c\"}}"), NFT_PASSES},
    {CHAIN("filter", "forward", "accept") RULE("{\"reject\": null}"), NFT_DROPS},
};

static void a_packet_is_dropped_only_if_it_is_certain(void **state)
{
	struct nft_packet p = packet();
	struct nft_ruleset *rules;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		rules = parse(filters[i].rules);
		if (nft_filter(rules, "forward", &p).does != filters[i].does)
			fail_msg("case %zu: %s", i, filters[i].rules);
		nft_ruleset_free(rules);
	}
}

static void a_named_set_is_looked_into(void **state)
{
	static const char rules_text[] =
	    "{\"set\": {\"family\": \"inet\", \"table\": \"t\", \"name\": \"lan\", \"elem\": "
	    "[" NET10 "]}}," CHAIN("filter", "forward", "accept")
		RULE(IS(PAYLOAD("ip", "saddr"), "\"@lan\"") DROP);
	struct nft_ruleset *rules = parse(rules_text);
	struct nft_packet p = packet();

	(void)state;
	assert_int_equal(nft_filter(rules, "forward", &p).does, NFT_DROPS);
	assert_int_equal(ip_addr_parse("172.16.0.1", &p.src), 0);
	assert_int_equal(nft_filter(rules, "forward", &p).does, NFT_PASSES);
	nft_ruleset_free(rules);
}

static void any_chain_of_the_hook_may_drop(void **state)
{
	struct nft_ruleset *rules = parse(CHAIN(
	    "filter", "forward", "accept") ",{\"chain\": {\"family\": \"ip\", \"table\": \"u\", "
					   "\"name\": \"f\", \"type\": \"filter\", \"hook\": "
					   "\"forward\", \"policy\": \"drop\"}}");
	struct nft_packet p = packet();
	struct nft_outcome o = nft_filter(rules, "forward", &p);

	(void)state;
	assert_int_equal(o.does, NFT_DROPS);
	assert_string_equal(o.rule, "table ip u, chain f: policy drop");
	nft_ruleset_free(rules);
}

static const struct {
	const char *expr;
	enum nft_does does;
	const char *to;
} nats[] = {
    {"{\"masquerade\": null}", NFT_REWRITES, "%any"},
    {"{\"snat\": {\"addr\": \"198.51.100.1\"}}", NFT_REWRITES, "198.51.100.1"},
    {IS(META("oifname"), "\"eth0\"") "{\"masquerade\": null}", NFT_REWRITES, "%any"},
    {IS(META("oifname"), "\"eth1\"") "{\"masquerade\": null}", NFT_PASSES, "%any"},
    {"{\"xt\": {\"type\": \"target\", \"name\": \"MASQUERADE\"}}", NFT_REWRITES, "%any"},
    {IS(META("mark"), "7") "{\"masquerade\": null}", NFT_UNKNOWN, "%any"},
    {ACCEPT, NFT_PASSES, "%any"},
};

static void source_nat_is_what_the_first_rule_does(void **state)
{
	struct nft_packet p = packet();
	char rules_text[1024], to[IP_ADDR_STRLEN];
	struct nft_ruleset *rules;
	struct nft_outcome o;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(nats) / sizeof(nats[0]); i++) {
		snprintf(rules_text, sizeof(rules_text),
			 CHAIN("nat", "postrouting", "accept") RULE("%s"), nats[i].expr);
		rules = parse(rules_text);
		o = nft_source_nat(rules, &p);
		assert_int_equal(o.does, nats[i].does);
		assert_string_equal(ip_addr_format(&o.to, to, sizeof(to)), nats[i].to);
		nft_ruleset_free(rules);
	}
}

static void a_rule_is_quoted_from_the_listing(void **state)
{
	static const char listing[] = "table inet t { # handle 1\n\tchain c { # handle 2\n"
				      "\t\ttype filter hook forward priority filter;\n"
				      "\t\tip saddr 10.0.0.0/8 accept # handle 17\n"
				      "\t\tip saddr 10.0.0.0/8 drop # handle 7\n\t}\n}\n";
	struct nft_packet p = packet();
	struct nft_ruleset *rules;

	(void)state;
	assert_int_equal(nft_ruleset_parse("{\"nftables\": [" CHAIN("filter", "forward", "accept")
					       RULE(DROP) "]}",
					   listing, &rules),
			 0);
	assert_string_equal(nft_filter(rules, "forward", &p).rule,
			    "table inet t, chain c: ip saddr 10.0.0.0/8 drop");
	nft_ruleset_free(rules);
}

static void what_is_no_rule_set_is_refused(void **state)
{
	struct nft_ruleset *rules = NULL;

	(void)state;
	assert_int_equal(nft_ruleset_parse("{", NULL, &rules), ERR_SYNTAX);
	assert_int_equal(nft_ruleset_parse("{\"nftables\": 1}", NULL, &rules), ERR_SYNTAX);
	assert_null(rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_packet_is_dropped_only_if_it_is_certain),
	    cmocka_unit_test(a_named_set_is_looked_into),
	    cmocka_unit_test(any_chain_of_the_hook_may_drop),
	    cmocka_unit_test(source_nat_is_what_the_first_rule_does),
	    cmocka_unit_test(a_rule_is_quoted_from_the_listing),
	    cmocka_unit_test(what_is_no_rule_set_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
