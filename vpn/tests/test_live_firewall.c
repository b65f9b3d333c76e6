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
#define NOT(left, right) \
	"{\"match\": {\"op\": \"!=\", \"left\": {" left "}, \"right\": " right "}},"
#define IP(field)	"\"payload\": {\"protocol\": \"ip\", \"field\": \"" field "\"}"
#define NET(net, len)	"{\"prefix\": {\"addr\": \"" net "\", \"len\": " len "}}"
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

/* --- A tunnel without an interface ID: beetd's own device, which has no address --- */

static void without_interface_id(struct facts *f)
{
	struct fact_child *c = &f->children[0];

	c->if_id = f->links[TUNNEL].if_id = 0;
	strcpy(f->links[TUNNEL].name, "beet0");
	strcpy(c->remote[0].way.dev, "beet0");
	strcpy(c->forwarded[0][0].dev, "beet0");
}

static void masquerades(struct facts *f, const char *rule)
{
	char objects[1024];

	without_interface_id(f);
	snprintf(objects, sizeof(objects), "%s%s", CHAIN("ip", "nat", "postrouting", "accept"),
		 rule);
	rules(f, objects);
}

#define MASQUERADES(fn, matches)                                                             \
	static void fn(struct facts *f)                                                      \
	{                                                                                    \
		masquerades(f, RULE("ip", "postrouting", matches "{\"masquerade\": null}")); \
	}
MASQUERADES(borrows_an_address, "")
MASQUERADES(borrows_by_tunnel, NAME("oifname", "beet0"))
MASQUERADES(borrows_by_not_lan, NOT("\"meta\": {\"key\": \"oifname\"}", "\"eth1\""))
MASQUERADES(borrows_from_lan, NAME("iifname", "eth1"))
MASQUERADES(borrows_by_source, MATCH(IP("saddr"), NET("192.168.1.0", "24")))
MASQUERADES(borrows_by_destination, NOT(IP("daddr"), NET("172.16.0.0", "12")))
MASQUERADES(masquerades_uplink, NAME("oifname", "eth0"))
MASQUERADES(excepts_tunnel, NOT(IP("daddr"), NET("10.0.0.0", "8")))

/* The first address that the kernel finds is inside the selectors: this gateway's, not the host's.
 */
static void borrows_lan_address(struct facts *f)
{
	borrows_an_address(f);
	f->addrs[0].ifindex = f->links[LAN].index;
	f->addrs[1].ifindex = f->links[OUTER].index;
}

static void has_nothing_to_borrow(struct facts *f)
{
	borrows_an_address(f);
	f->n_addrs = 0;
	f->local_addrs[0] = 0;
}

/* A gateway's own packets have an address of its own already. */
static void masquerades_a_host(struct facts *f)
{
	borrows_an_address(f);
	f->children[0].local[0] = (struct fact_net){.ts = selector("192.168.1.1/32")};
	f->children[0].cfg_local[0] = selector("192.168.1.1/32");
	f->children[0].forwarded[0][0] = (struct fact_way){0};
}

static void forwards_outwards_only(struct facts *f)
{
	rules(f, CHAIN("ip", "filter", "forward", "drop")
		     RULE("ip", "forward", NAME("oifname", "xfrm1") "{\"accept\": null}"));
}

static void forwards_outwards_and_answers(struct facts *f)
{
	rules(f, CHAIN("ip", "filter", "forward", "drop") RULE(
		     "ip", "forward",
		     MATCH("\"ct\": {\"key\": \"state\"}", "\"established\"") "{\"accept\": null}")
		     RULE("ip", "forward", NAME("oifname", "xfrm1") "{\"accept\": null}"));
}

static void drops_forwarded_from_any_tunnel(struct facts *f)
{
	rules(f, CHAIN("ip", "filter", "forward", "accept")
		     RULE("ip", "forward", NAME("iifname", "xfrm*") "{\"drop\": null}"));
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

/* --- A tunnel that ends at this host --- */

static void host_to_host(struct facts *f, const char *rule)
{
	struct fact_child *c = &f->children[0];
	char objects[1024];

	without_interface_id(f);
	c->local[0] = (struct fact_net){.ts = selector("192.168.1.1/32")};
	c->cfg_local[0] = c->local[0].ts;
	c->forwarded[0][0] = (struct fact_way){0};
	snprintf(objects, sizeof(objects), "%s%s", CHAIN("inet", "filter", "input", "accept"),
		 rule);
	rules(f, objects);
}

#define DROPS_IN(fn, matches)                                                       \
	static void fn(struct facts *f)                                             \
	{                                                                           \
		host_to_host(f, RULE("inet", "input", matches "{\"drop\": null}")); \
	}
DROPS_IN(drops_the_tunnel, NAME("iifname", "beet0"))
DROPS_IN(drops_every_ping, MATCH(IP("protocol"), "\"icmp\""))
DROPS_IN(drops_the_lan, NAME("iifname", "eth1"))
DROPS_IN(drops_what_is_new, MATCH("\"ct\": {\"key\": \"state\"}", "\"new\""))

static void mute(struct facts *f)
{
	f->watched = true;
	f->children[0].packets_in.now += 10;
}

static void mute_behind_a_drop(struct facts *f)
{
	drops_the_tunnel(f);
	mute(f);
}

static void mute_without_pings(struct facts *f)
{
	drops_every_ping(f);
	mute(f);
}

static void mute_to_what_is_new(struct facts *f)
{
	drops_what_is_new(f);
	mute(f);
}

static void mute_elsewhere(struct facts *f)
{
	drops_the_lan(f);
	mute(f);
}

/* Of a gateway what is forwarded passes. */
static void drops_the_tunnel_of_a_gateway(struct facts *f)
{
	without_interface_id(f);
	rules(f, CHAIN("inet", "filter", "input", "accept")
		     RULE("inet", "input", NAME("iifname", "beet0") "{\"drop\": null}"));
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
    CHANGE(drops_the_tunnel, "LIVE-decrypted", CERTAIN),
    CHANGE(drops_every_ping, "LIVE-decrypted", POSSIBLE),
    CHANGE(drops_the_lan, "", 0),
    CHANGE(drops_what_is_new, "", 0),
    CHANGE(drops_the_tunnel_of_a_gateway, "", 0),
    CHANGE(mute_behind_a_drop, "LIVE-decrypted", CERTAIN),
    CHANGE(mute_without_pings, "LIVE-decrypted", POSSIBLE),
    CHANGE(mute_to_what_is_new, "LIVE-decrypted", POSSIBLE),
    CHANGE(mute_elsewhere, "LIVE-mute", LIKELY),
    CHANGE(borrows_an_address, "F31", CERTAIN),
    CHANGE(borrows_by_tunnel, "F31", CERTAIN),
    CHANGE(borrows_by_not_lan, "F31", CERTAIN),
    CHANGE(borrows_from_lan, "F31", CERTAIN),
    CHANGE(borrows_by_source, "F31", CERTAIN),
    CHANGE(borrows_by_destination, "F31", CERTAIN),
    CHANGE(masquerades_uplink, "", 0),
    CHANGE(excepts_tunnel, "", 0),
    CHANGE(borrows_lan_address, "F31", LIKELY),
    CHANGE(has_nothing_to_borrow, "F31", CERTAIN),
    CHANGE(masquerades_a_host, "", 0),
    CHANGE(forwards_outwards_only, "S16", LIKELY),
    CHANGE(forwards_outwards_and_answers, "S16", POSSIBLE),
    CHANGE(drops_forwarded_from_any_tunnel, "S16", LIKELY),
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

static void a_drop_on_this_host_is_not_looked_for_at_the_other(void **state)
{
	static const struct change drops[] = {CHANGE(mute_behind_a_drop, "", 0),
					      CHANGE(mute_without_pings, "", 0),
					      CHANGE(mute_to_what_is_new, "", 0)};
	size_t i, k;

	(void)state;
	for (i = 0; i < COUNT(drops); i++) {
		find_in(&drops[i]);
		for (k = 0; k < found.n; k++)
			assert_string_not_equal(found.v[k].rule->id, "LIVE-mute");
	}
}

static void every_rule_has_a_case(void **state)
{
	(void)state;
	expect_family(live_rules_decrypted, n_live_rules_decrypted, changes, COUNT(changes));
	expect_family(live_rules_firewall, n_live_rules_firewall, changes, COUNT(changes));
	expect_family(live_rules_nat, n_live_rules_nat, changes, COUNT(changes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_change_gives_its_finding_first_and_wellness_none),
	    cmocka_unit_test(a_drop_on_this_host_is_not_looked_for_at_the_other),
	    cmocka_unit_test(every_rule_has_a_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
