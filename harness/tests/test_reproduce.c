/* test_reproduce.c - what is measured of the captures of pcaps/, and that what is written of it is
 * a scenario that can be run. That it fails in the same way is for the tests `round trip`. */
#include "harness/tests/pcaps.h"

#include <regex.h>

#include "harness/plan.h"
#include "harness/reproduce/write.h"

#define PATHS_MAX 16

/* A capture's directory, read. */
struct read {
	struct survey survey;
	struct findings findings;
	struct profile profile;
};

static void open_read(struct read *r, const char *name, bool keys)
{
	char dir[512], *paths[PATHS_MAX];
	struct err_msg msg = {{0}};
	struct dirent **entries;
	int i, n;

	snprintf(dir, sizeof(dir), "%s/%s", getenv("PCAPS"), name);
	n = scandir(dir, &entries, pcaps_is_capture, alphasort);
	assert_true(n > 0 && n <= PATHS_MAX);
	for (i = 0; i < n; i++) {
		assert_true(asprintf(&paths[i], "%s/%s", dir, entries[i]->d_name) > 0);
		free(entries[i]);
	}
	free(entries);
	if (survey_read(paths, (size_t)n, keys ? dir : NULL, &r->survey, &msg))
		fail_msg("%s", msg.text);
	assert_int_equal(findings_find(&r->survey, &r->findings), 0);
	assert_int_equal(profile_make(&r->survey, &r->findings, &r->profile), 0);
	for (i = 0; i < n; i++)
		free(paths[i]);
}

static void close_read(struct read *r)
{
	profile_free(&r->profile);
	findings_free(&r->findings);
	survey_free(&r->survey);
}

static char *write_text(const struct profile *p, bool *ret_is_whole)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(reproduce_write(p, out, ret_is_whole), 0);
	fclose(out);
	return text;
}

static void must_plan(const char *name, const char *text)
{
	const struct plan_options options = {.seed = 1};
	struct err_msg msg = {{0}};
	struct scenario *scenario;
	struct plan plan;

	if (scenario_parse(name, text, strlen(text), &scenario, &msg))
		fail_msg("%s\n%s", msg.text, text);
	if (plan_make(scenario, &options, &plan, &msg))
		fail_msg("%s\n%s", msg.text, text);
	scenario_free(scenario);
}

static void must_have_no_words_left(const char *text)
{
	regex_t word;

	assert_int_equal(regcomp(&word, "@[a-z_]+@", REG_EXTENDED | REG_NOSUB), 0);
	if (regexec(&word, text, 0, NULL, 0) == 0)
		fail_msg("a word of a lever is left:\n%s", text);
	regfree(&word);
}

static void must_give_a_scenario(const char *name, bool keys)
{
	struct read r;
	bool is_whole;
	char *text, want[64];

	open_read(&r, name, keys);
	text = write_text(&r.profile, &is_whole);
	must_plan(name, text);
	must_have_no_words_left(text);
	snprintf(want, sizeof(want), "explain: %s\n",
		 r.profile.first && is_whole ? r.profile.first->rule->id : "nothing");
	assert_non_null(strstr(text, want));
	free(text);
	close_read(&r);
}

static int is_case(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && !strchr(entry->d_name, '.');
}

/* The directories below pcaps/FOLDER that hold captures. */
static void must_give_scenarios(const char *folder, int at_least)
{
	char base[512], name[1024];
	struct dirent **dirs;
	int i, n;

	snprintf(base, sizeof(base), "%s/%s", getenv("PCAPS"), folder);
	n = scandir(base, &dirs, is_case, alphasort);
	assert_true(n > at_least);
	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s/%s", folder, dirs[i]->d_name);
		if (strcmp(dirs[i]->d_name, "explain") != 0) {
			must_give_a_scenario(name, true);
			must_give_a_scenario(name, false);
		}
		free(dirs[i]);
	}
	free(dirs);
}

static void every_capture_gives_a_scenario_that_can_be_run(void **state)
{
	(void)state;
	must_give_scenarios("explain", 40);
	must_give_scenarios(".", 10);
}

/* Over a capture in which nothing is wrong, so that nothing but the finding is another. */
static void every_lever_gives_a_scenario_that_can_be_run(void **state)
{
	struct rule rule = {.title = "t"};
	struct finding finding = {.rule = &rule, .what = (char *)"what"};
	struct read r;
	const struct lever *l;
	unsigned i, family;
	bool is_whole;

	(void)state;
	open_read(&r, "explain/healthy-strongswan", true);
	r.profile.first = &finding;
	for (i = 0; (l = lever_at(i)); i++)
		for (family = 4; family <= 6; family += 2) {
			char *text;

			rule.id = l->finding;
			r.profile.family = (uint8_t)family;
			r.profile.path_mtu = 1400;
			text = write_text(&r.profile, &is_whole);
			assert_true(is_whole);
			must_plan(l->finding, text);
			must_have_no_words_left(text);
			free(text);
		}
	r.profile.first = NULL;
	close_read(&r);
}

static void a_finding_has_a_lever_or_says_what_it_would_take(void **state)
{
	const char *none = lever_missing("no such finding");
	const struct rule *rules;
	size_t i, n;

	(void)state;
	rules = rules_table(&n);
	for (i = 0; i < n; i++) {
		bool is_missing = strcmp(lever_missing(rules[i].id), none) != 0;

		/* Of --config, which reproduce does not read. */
		if (strncmp(rules[i].id, "CFG-", 4) == 0)
			continue;
		if (rules[i].kind == RULE_NOTE)
			assert_null(lever_find(rules[i].id));
		else if (!lever_find(rules[i].id) == !is_missing)
			fail_msg("%s: reproduce/levers.c must make it, or say what it takes",
				 rules[i].id);
	}
}

static void what_nobody_here_can_make_is_the_network_alone(void **state)
{
	struct read r;
	bool is_whole = true;
	char *text;

	(void)state;
	open_read(&r, "explain/F35", true);
	text = write_text(&r.profile, &is_whole);
	assert_false(is_whole);
	assert_non_null(strstr(text, "IT IS NOT MADE HERE"));
	assert_non_null(strstr(text, "explain: nothing"));
	free(text);
	close_read(&r);
}

static void what_does_not_show_is_not_called_healthy(void **state)
{
	struct read r;
	bool is_whole = true;
	char *text;

	(void)state;
	open_read(&r, "explain/healthy-cookie", false);
	r.profile.works = false;
	text = write_text(&r.profile, &is_whole);
	assert_false(is_whole);
	assert_non_null(strstr(text, "name: reproduced/not-known\n"));
	free(text);
	close_read(&r);
}

#define PROFILE_VALUES(X) \
	X(nat)            \
	X(path_mtu)       \
	X(lan_mtu)        \
	X(band_low)       \
	X(icmp_told)      \
	X(timeout_ms)     \
	X(tries)          \
	X(dpd_ms)         \
	X(keepalive_ms) X(idle_ms) X(rekey_group) X(auth) X(pings) X(from_responder) X(works)

enum value {
#define X(name) V_##name,
	PROFILE_VALUES(X)
#undef X
};

static long value_of(const struct profile *p, enum value v)
{
	const long values[] = {
#define X(name) [V_##name] = (long)p->name,
	    PROFILE_VALUES(X)
#undef X
	};

	return values[v];
}

static void values_of_reference_captures(void **state)
{
	static const struct {
		const char *name;
		bool keys;
		enum value value;
		long min, max;
	} cases[] = {
	    {"explain/healthy-native-esp", false, V_nat, NAT_ABSENT, NAT_ABSENT},
	    {"explain/F06", false, V_nat, NAT_CHANGES_PORTS, NAT_CHANGES_PORTS},
	    {"explain/healthy-cookie", false, V_nat, NAT_KEEPS_PORTS, NAT_KEEPS_PORTS},
	    {"explain/F15", false, V_path_mtu, 1400, 1400},
	    {"explain/F17", false, V_path_mtu, 1400, 1400},
	    {"explain/F06", false, V_path_mtu, 0, 0},
	    /* One of its captures ended before the long packets. */
	    {"explain/F01-remedy", false, V_path_mtu, 0, 0},
	    {"explain/F15", false, V_icmp_told, false, false},
	    {"explain/F17", false, V_icmp_told, true, true},
	    {"explain/F14", false, V_band_low, 1200, 1232},
	    {"explain/F14", false, V_path_mtu, 0, 0},
	    {"explain/F11", false, V_lan_mtu, 1280, 1280},
	    {"explain/F06", false, V_timeout_ms, 450, 600},
	    {"explain/F06", false, V_tries, 4, 4},
	    {"explain/F04-remedy", false, V_dpd_ms, 900, 1200},
	    {"explain/F03", false, V_keepalive_ms, 1900, 2100},
	    {"explain/F03", false, V_idle_ms, 1800, 2100},
	    /* Two clients, each with its port. */
	    {"explain/healthy-two-behind-one", false, V_idle_ms, 0, 0},
	    {"explain/F19", true, V_rekey_group, 31, 31},
	    {"explain/F19", true, V_auth, 2, 2},
	    {"explain/F19", false, V_auth, 0, 0},
	    {"explain/F01", true, V_pings, 10, 10},
	    {"explain/F15", true, V_from_responder, true, true},
	    {"explain/F15", false, V_from_responder, true, true},
	    {"explain/healthy-cookie", false, V_works, true, true},
	    {"explain/F06", false, V_works, false, false},
	};
	struct read r;
	size_t i;
	long got;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		open_read(&r, cases[i].name, cases[i].keys);
		got = value_of(&r.profile, cases[i].value);
		if (got < cases[i].min || got > cases[i].max)
			fail_msg("case %zu, %s: %ld, expected %ld to %ld", i, cases[i].name, got,
				 cases[i].min, cases[i].max);
		close_read(&r);
	}
}

static void selectors_need_keys_and_room(void **state)
{
	struct read r;

	(void)state;
	open_read(&r, "explain/F36", true);
	assert_int_equal(r.profile.asked_i.n, 3);
	assert_int_equal(r.profile.got_i.n, 1);
	assert_string_equal(r.profile.asked_i.text[1], "10.254.1.0/24");
	assert_string_equal(r.profile.asked_i.inner[1], "10.254.1.2/32");
	close_read(&r);
	open_read(&r, "explain/F36", false);
	assert_int_equal(r.profile.asked_i.n, 1);
	close_read(&r);
	/* 192.168.1.0/24 is the scenario's own LAN. */
	open_read(&r, "explain/F18", true);
	assert_string_equal(r.profile.got_i.text[0], "10.254.0.2/32");
	close_read(&r);
}

static void proposals_are_those_agreed_on(void **state)
{
	struct read r;

	(void)state;
	open_read(&r, "aes-cbc", true);
	assert_string_equal(r.profile.ike, "aes128-sha256-prfsha256-modp2048");
	assert_string_equal(r.profile.esp, "aes256-sha512");
	close_read(&r);
	open_read(&r, "aes-cbc", false);
	assert_string_equal(r.profile.esp, "");
	close_read(&r);
	/* Made by hand, with a group and nothing else. */
	open_read(&r, "explain/F13", false);
	assert_string_equal(r.profile.ike, "");
	close_read(&r);
}

static void a_message_that_only_one_place_saw_was_lost(void **state)
{
	struct read r;

	(void)state;
	open_read(&r, "explain/healthy-handshake-30-percent-loss", false);
	assert_int_equal(r.profile.n_lost, 1);
	assert_int_equal(r.profile.lost[0].exchange, IKE_AUTH);
	assert_true(r.profile.lost[0].request && r.profile.lost[0].from_initiator);
	assert_int_equal(r.profile.lost[0].count, 3);
	close_read(&r);
}

static void packets_behind_a_higher_number_were_overtaken(void **state)
{
	struct read r;

	(void)state;
	open_read(&r, "explain/F48", false);
	assert_true(r.profile.loss < 0.001 && r.profile.reorder > 0.005);
	close_read(&r);
	open_read(&r, "explain/healthy-transfer-2-percent-loss", false);
	assert_true(r.profile.reorder < 0.001);
	close_read(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_capture_gives_a_scenario_that_can_be_run),
	    cmocka_unit_test(every_lever_gives_a_scenario_that_can_be_run),
	    cmocka_unit_test(a_finding_has_a_lever_or_says_what_it_would_take),
	    cmocka_unit_test(what_nobody_here_can_make_is_the_network_alone),
	    cmocka_unit_test(what_does_not_show_is_not_called_healthy),
	    cmocka_unit_test(values_of_reference_captures),
	    cmocka_unit_test(selectors_need_keys_and_room),
	    cmocka_unit_test(proposals_are_those_agreed_on),
	    cmocka_unit_test(a_message_that_only_one_place_saw_was_lost),
	    cmocka_unit_test(packets_behind_a_higher_number_were_overtaken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
