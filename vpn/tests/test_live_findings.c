/* test_live_findings.c - the rules of `beetctl explain` but for those of the firewall: a gateway
 * that is well gives nothing, and each change to it gives its finding first. And how they are
 * printed. */
#include "vpn/tests/live_gateway.h"

/* --- What is changed --- */

static void nothing(struct facts *f)
{
	(void)f;
}

static void no_sa(struct facts *f)
{
	f->n_sas = 0;
	f->children[0].installed = 0;
}

static void connecting(struct facts *f)
{
	no_sa(f);
	f->n_sas = 1;
	strcpy(f->sas[0].state, "CONNECTING");
	f->sas[0].answered = false;
}

static void silent_peer(struct facts *f)
{
	connecting(f);
	f->sas[0].lasting = true;
}

static void silent_peer_without_route(struct facts *f)
{
	silent_peer(f);
	f->peer.kind = WAY_NONE;
}

static void silent_4500(struct facts *f)
{
	silent_peer(f);
	f->sas[0].answered = true;
}

static void silent_500(struct facts *f)
{
	silent_4500(f);
	f->sas[0].remote.port = 500;
}

static void failed(struct facts *f, const char *child, uint16_t notify, const char *cause)
{
	no_sa(f);
	f->failure = (struct fact_failure){.there = true, .text = "why", .notify = notify};
	snprintf(f->failure.child, sizeof(f->failure.child), "%s", child);
	snprintf(f->failure.cause, sizeof(f->failure.cause), "%s", cause);
}

static void failed_in_silence(struct facts *f)
{
	failed(f, "", 0, "timeout");
}

static void failed_proposal(struct facts *f)
{
	failed(f, "", 14, "peer");
}

static void failed_child_proposal(struct facts *f)
{
	failed(f, "lan", 14, "peer");
}

static void failed_auth(struct facts *f)
{
	failed(f, "", 24, "peer");
}

static void failed_selectors(struct facts *f)
{
	failed(f, "lan", 38, "peer");
}

static void failed_otherwise(struct facts *f)
{
	failed(f, "", 7, "peer");
}

static void waits_for_peer(struct facts *f)
{
	no_sa(f);
	strcpy(f->children[0].start_action, "none");
}

/* Another child is up, and nobody has asked for this one. */
static void unasked_child(struct facts *f)
{
	f->children[1] = f->children[0];
	f->n_children = 2;
	strcpy(f->children[1].name, "other");
	strcpy(f->children[1].start_action, "none");
	f->children[1].installed = 0;
}

static void only_child_is_unasked(struct facts *f)
{
	strcpy(f->children[0].start_action, "none");
	f->children[0].installed = 0;
}

static void lost_child(struct facts *f)
{
	f->children[0].installed = 0;
}

static void trap_without_child(struct facts *f)
{
	lost_child(f);
	strcpy(f->children[0].start_action, "trap");
}

static void twin_sas(struct facts *f)
{
	f->sas[f->n_sas++] = f->sas[0];
}

static void two_peers(struct facts *f)
{
	twin_sas(f);
	strcpy(f->sas[1].remote_id, "another");
}

static void rekeyed_twin(struct facts *f)
{
	twin_sas(f);
	strcpy(f->sas[1].state, "REKEYED");
}

static void twin_children(struct facts *f)
{
	f->children[0].installed = 2;
	f->children[0].others_alike = true;
}

static void tunnel_down(struct facts *f)
{
	f->links[TUNNEL].up = false;
	f->children[0].remote[0].way = way("10.2.0.1", "eth0", "198.51.100.2");
}

static void tunnel_missing(struct facts *f)
{
	f->n_links = TUNNEL;
}

/* --- Children without an interface ID --- */

static void own_device(struct facts *f)
{
	struct fact_child *c = &f->children[0];

	c->if_id = f->links[TUNNEL].if_id = 0;
	strcpy(f->links[TUNNEL].name, "beet0");
	strcpy(c->remote[0].way.dev, "beet0");
	strcpy(c->forwarded[0][0].dev, "beet0");
	f->rules_known = f->rule4 = f->rule6 = true;
}

static void own_device_down(struct facts *f)
{
	own_device(f);
	f->links[TUNNEL].up = false;
	f->children[0].remote[0].way = way("10.2.0.1", "eth0", "198.51.100.2");
}

static void own_route_gone(struct facts *f)
{
	own_device(f);
	f->children[0].remote[0].way = way("10.2.0.1", "eth0", "198.51.100.2");
}

static void own_rule_gone(struct facts *f)
{
	own_route_gone(f);
	f->rule4 = false;
}

static void own_device_of_another(struct facts *f)
{
	own_route_gone(f);
	f->links[TUNNEL].rp_filter = 1;
	f->children[0].installed = 0;
	strcpy(f->children[0].start_action, "start");
}

static void uplink_down(struct facts *f)
{
	silent_peer_without_route(f);
	f->links[OUTER].up = false;
}

static void route_missing(struct facts *f)
{
	f->children[0].remote[0].way = way("10.2.0.1", "eth0", "198.51.100.2");
}

static void route_blackhole(struct facts *f)
{
	f->children[0].remote[0].way.kind = WAY_NONE;
}

static void forwarded_astray(struct facts *f)
{
	strcpy(f->children[0].forwarded[0][0].dev, "eth0");
}

static void forwarded_refused(struct facts *f)
{
	f->children[0].forwarded[0][0].kind = WAY_NONE;
}

static void way_not_asked(struct facts *f)
{
	f->children[0].remote[0].way = (struct fact_way){0};
}

static void kernel_policies(struct facts *f)
{
	route_missing(f);
	strcpy(f->daemon, "charon");
	f->children[0].if_id = 0;
}

static void overlap(struct facts *f)
{
	f->addrs[f->n_addrs++] = (struct fact_addr){addr("10.2.0.9"), 24, 3};
}

static void tunnel_address_inside(struct facts *f)
{
	f->addrs[f->n_addrs++] = (struct fact_addr){addr("10.2.0.9"), 24, 4};
}

static void source_outside(struct facts *f)
{
	f->children[0].remote[0].way.src = addr("198.51.100.2");
}

static void no_forwarding(struct facts *f)
{
	f->links[LAN].forward4 = f->links[TUNNEL].forward4 = false;
}

static void no_forwarding_of_a_host(struct facts *f)
{
	no_forwarding(f);
	f->children[0].cfg_local[0] = f->children[0].local[0].ts = selector("192.168.1.1/32");
	f->children[0].local[0].way = (struct fact_way){0};
}

static void strict_filter(struct facts *f)
{
	f->links[OUTER].rp_filter = f->links[TUNNEL].rp_filter = 1;
}

static void strict_filter_of_peer(struct facts *f)
{
	strict_filter(f);
	f->peer_back = way("203.0.113.10", "xfrm1", "192.168.1.1");
}

static void loose_filter_of_peer(struct facts *f)
{
	f->peer_back = way("203.0.113.10", "xfrm1", "192.168.1.1");
}

static void strict_filter_of_all(struct facts *f)
{
	f->links[OUTER].rp_filter = 0;
	f->rp_filter_all = 1;
	f->peer_back = way("203.0.113.10", "xfrm1", "192.168.1.1");
}

static void own_filter_is_looser_than_that_of_all(struct facts *f)
{
	strict_filter_of_all(f);
	f->links[OUTER].rp_filter = 2;
}

static void peer_inside(struct facts *f)
{
	f->peer = way("203.0.113.10", "xfrm1", "192.168.1.1");
}

static void another_hosts_address(struct facts *f)
{
	strcpy(f->local_addrs, "198.51.100.3");
}

static void one_address_of_two(struct facts *f)
{
	strcpy(f->local_addrs, "198.51.100.3 198.51.100.2");
}

static void any_address(struct facts *f)
{
	strcpy(f->local_addrs, "%any");
}

static void watched(struct facts *f)
{
	f->watched = true;
	f->seconds = 10;
	f->children[0].packets_in.now += 100;
	f->children[0].packets_out.now += 100;
}

static void sends_in_vain(struct facts *f)
{
	f->children[0].packets_in = (struct fact_count){0, 0};
}

static void sends_in_vain_while_watched(struct facts *f)
{
	watched(f);
	f->children[0].packets_in.now = f->children[0].packets_in.before;
}

static void has_just_begun(struct facts *f)
{
	sends_in_vain(f);
	f->children[0].age = 1;
}

static void never_answers(struct facts *f)
{
	f->children[0].packets_out = (struct fact_count){0, 0};
}

static void drops(struct facts *f, const char *reason, uint64_t before, uint64_t now)
{
	struct fact_drop *d = &f->drops[f->n_drops++];

	snprintf(d->reason, sizeof(d->reason), "%s", reason);
	d->count = (struct fact_count){before, now};
}

static void no_policy_long_ago(struct facts *f)
{
	drops(f, "no-policy", 50, 50);
}

static void no_policy_now(struct facts *f)
{
	watched(f);
	drops(f, "no-policy", 50, 60);
}

static void drops_long_ago_while_watched(struct facts *f)
{
	watched(f);
	drops(f, "no-policy", 50, 50);
	drops(f, "selector", 50, 50);
	drops(f, "icv", 50, 50);
}

static void outside_selectors(struct facts *f)
{
	drops(f, "selector", 50, 50);
}

static void a_trifle(struct facts *f)
{
	f->children[0].packets_in = (struct fact_count){1000000, 1000000};
	drops(f, "old", 50, 50);
	drops(f, "icv", 50, 50);
	drops(f, "dummy", 5000, 5000);
}

static void late_packets(struct facts *f)
{
	drops(f, "old", 50, 50);
}

static void damaged_packets(struct facts *f)
{
	drops(f, "icv", 50, 50);
}

static void unknown_spis(struct facts *f)
{
	watched(f);
	drops(f, "no-sa", 50, 60);
}

static void too_big(struct facts *f)
{
	watched(f);
	drops(f, "too-big", 50, 60);
}

static void refused_by_kernel(struct facts *f)
{
	drops(f, "io", 50, 50);
}

static void no_beet(struct facts *f)
{
	strcpy(f->children[0].mode, "BEET");
	strcpy(f->children[0].mode_reason, "not host-to-host");
}

static void narrowed(struct facts *f)
{
	f->children[0].remote[0].ts = selector("10.2.0.0/24");
}

static void same_at_both_ends(struct facts *f)
{
	struct fact_child *c = &f->children[0];

	c->cfg_local[0] = c->cfg_remote[0] = c->local[0].ts = c->remote[0].ts =
	    selector("10.2.0.0/16");
	c->local[0].way = (struct fact_way){0};
	c->remote[0].way.src = addr("10.2.0.9");
}

static void long_mtu(struct facts *f)
{
	f->links[TUNNEL].mtu = 1500;
}

static void long_mtu_clamped(struct facts *f)
{
	long_mtu(f);
	f->children[0].tcp_mss = true;
}

/* --- The table --- */

static const struct change changes[] = {
    CHANGE(nothing, "", 0),
    CHANGE(no_sa, "F44", LIKELY),
    CHANGE(connecting, "", 0),
    CHANGE(silent_peer, "MAP-init", LIKELY),
    CHANGE(silent_peer_without_route, "LIVE-peer-route", CERTAIN),
    CHANGE(silent_4500, "F06", LIKELY),
    CHANGE(silent_500, "MAP-unanswered", LIKELY),
    CHANGE(failed_in_silence, "MAP-init", POSSIBLE),
    CHANGE(failed_proposal, "MAP-proposal", CERTAIN),
    CHANGE(failed_child_proposal, "MAP-esp-proposal", CERTAIN),
    CHANGE(failed_auth, "MAP-auth", CERTAIN),
    CHANGE(failed_selectors, "F37", CERTAIN),
    CHANGE(failed_otherwise, "LIVE-failed", CERTAIN),
    CHANGE(waits_for_peer, "LIVE-down", LIKELY),
    CHANGE(lost_child, "LIVE-child", LIKELY),
    CHANGE(trap_without_child, "", 0),
    CHANGE(twin_sas, "F25", LIKELY),
    CHANGE(two_peers, "", 0),
    CHANGE(rekeyed_twin, "", 0),
    CHANGE(twin_children, "F25", LIKELY),
    CHANGE(tunnel_down, "LIVE-link", CERTAIN),
    CHANGE(tunnel_missing, "LIVE-link", CERTAIN),
    CHANGE(own_device, "", 0),
    CHANGE(own_device_down, "LIVE-link", CERTAIN),
    CHANGE(own_route_gone, "LIVE-route", CERTAIN),
    CHANGE(own_rule_gone, "LIVE-route", CERTAIN),
    CHANGE(own_device_of_another, "LIVE-child", LIKELY),
    CHANGE(uplink_down, "LIVE-peer-route", CERTAIN),
    CHANGE(unasked_child, "LIVE-unasked", CERTAIN),
    CHANGE(only_child_is_unasked, "LIVE-child", POSSIBLE),
    CHANGE(strict_filter_of_all, "F32", LIKELY),
    CHANGE(own_filter_is_looser_than_that_of_all, "", 0),
    CHANGE(route_missing, "S15", CERTAIN),
    CHANGE(route_blackhole, "S15", CERTAIN),
    CHANGE(forwarded_astray, "S15", CERTAIN),
    CHANGE(forwarded_refused, "", 0),
    CHANGE(way_not_asked, "", 0),
    CHANGE(kernel_policies, "", 0),
    CHANGE(overlap, "LIVE-overlap", LIKELY),
    CHANGE(tunnel_address_inside, "", 0),
    CHANGE(source_outside, "LIVE-source", CERTAIN),
    CHANGE(no_forwarding, "LIVE-forwarding", CERTAIN),
    CHANGE(no_forwarding_of_a_host, "", 0),
    CHANGE(strict_filter, "", 0),
    CHANGE(strict_filter_of_peer, "F32", LIKELY),
    CHANGE(loose_filter_of_peer, "", 0),
    CHANGE(peer_inside, "LIVE-peer-inside", CERTAIN),
    CHANGE(another_hosts_address, "LIVE-local-address", CERTAIN),
    CHANGE(one_address_of_two, "", 0),
    CHANGE(any_address, "", 0),
    CHANGE(watched, "", 0),
    CHANGE(sends_in_vain, "MAP-oneway", POSSIBLE),
    CHANGE(sends_in_vain_while_watched, "MAP-oneway", LIKELY),
    CHANGE(has_just_begun, "", 0),
    CHANGE(never_answers, "LIVE-mute", POSSIBLE),
    CHANGE(no_policy_long_ago, "", 0),
    CHANGE(no_policy_now, "LIVE-no-policy", CERTAIN),
    CHANGE(drops_long_ago_while_watched, "", 0),
    CHANGE(outside_selectors, "F35", POSSIBLE),
    CHANGE(a_trifle, "", 0),
    CHANGE(late_packets, "F48", POSSIBLE),
    CHANGE(damaged_packets, "ESP-damaged", POSSIBLE),
    CHANGE(unknown_spis, "MAP-forgotten", CERTAIN),
    CHANGE(too_big, "F15", CERTAIN),
    CHANGE(refused_by_kernel, "LIVE-io", POSSIBLE),
    CHANGE(no_beet, "S1", CERTAIN),
    CHANGE(narrowed, "MAP-narrowed", CERTAIN),
    CHANGE(same_at_both_ends, "S5", CERTAIN),
    CHANGE(long_mtu, "LIVE-mtu", CERTAIN),
    CHANGE(long_mtu_clamped, "", 0),
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
	expect_family(live_rules_ike, n_live_rules_ike, changes, COUNT(changes));
	expect_family(live_rules_ways, n_live_rules_ways, changes, COUNT(changes));
	expect_family(live_rules_back, n_live_rules_back, changes, COUNT(changes));
	expect_family(live_rules_peer, n_live_rules_peer, changes, COUNT(changes));
	expect_family(live_rules_counters, n_live_rules_counters, changes, COUNT(changes));
	expect_family(live_rules_config, n_live_rules_config, changes, COUNT(changes));
}

static char *print_change(void (*make)(struct facts *f))
{
	struct facts *f = well();
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	make(f);
	live_find(f, &found);
	live_print(out, f, &found);
	fclose(out);
	live_free(f);
	return text;
}

static void no_line_is_longer_than_90_columns(void **state)
{
	char *text, *line, *at;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(changes); i++) {
		text = print_change(changes[i].make);
		for (line = strtok_r(text, "\n", &at); line; line = strtok_r(NULL, "\n", &at))
			assert_in_range(strlen(line), 0, 92); /* "§" has two octets */
		free(text);
	}
}

static void a_tunnel_that_is_down_without_a_cause_is_not_called_well(void **state)
{
	char *up = print_change(nothing), *down = print_change(connecting);

	(void)state;
	assert_non_null(strstr(up, "No fault found"));
	assert_non_null(strstr(down, "I do not know"));
	free(up);
	free(down);
}

static void where_the_network_was_not_asked(struct facts *f)
{
	f->kernel_known = false;
}

static void another_networks_health_is_not_vouched_for(void **state)
{
	char *text = print_change(where_the_network_was_not_asked);

	(void)state;
	assert_null(strstr(text, "No fault found"));
	assert_non_null(strstr(text, "this network was not asked"));
	free(text);
}

/* What a person has to find in the text, whichever line it stands on. */
static void the_variable_the_link_and_the_rule_are_named(void **state)
{
	static const struct {
		void (*make)(struct facts *f);
		const char *names;
	} cases[] = {
	    {strict_filter_of_all, "net.ipv4.conf.all.rp_filter = 1"},
	    {strict_filter_of_peer, "net.ipv4.conf.eth0.rp_filter = 1"},
	    {own_device_down, "The tunnel's device beet0 is down"},
	    {own_rule_gone, "The rule 220 that leads into the tunnel is gone"},
	    {own_route_gone, "ip route show table 220"},
	    {uplink_down, "the link eth0 is down"},
	};
	char *text;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		text = print_change(cases[i].make);
		if (!strstr(text, cases[i].names))
			fail_msg("no \"%s\" in: %s", cases[i].names, text);
		free(text);
	}
}

static void json_has_what_the_text_has(void **state)
{
	struct facts *f = well();
	json_t *json, *first;

	(void)state;
	route_missing(f);
	live_limit(f, "a limit");
	live_find(f, &found);
	json = live_json(f, &found);
	first = json_array_get(json_object_get(json, "findings"), 0);
	assert_string_equal(json_string_value(json_object_get(first, "id")), "S15");
	assert_string_equal(json_string_value(json_object_get(first, "kind")), "fault");
	assert_int_equal(json_array_size(json_object_get(json, "limits")), 1);
	assert_true(json_is_true(json_object_get(json, "kernel")));
	json_decref(json);
	live_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_change_gives_its_finding_first_and_wellness_none),
	    cmocka_unit_test(every_rule_has_a_case),
	    cmocka_unit_test(no_line_is_longer_than_90_columns),
	    cmocka_unit_test(a_tunnel_that_is_down_without_a_cause_is_not_called_well),
	    cmocka_unit_test(another_networks_health_is_not_vouched_for),
	    cmocka_unit_test(the_variable_the_link_and_the_rule_are_named),
	    cmocka_unit_test(json_has_what_the_text_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
