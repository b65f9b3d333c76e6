/* What `beetlab explain` says of the captures of pcaps/: for each finding a capture that must give
 * it first and a healthy neighbour that must give none, with keys and without. */
#include "harness/tests/pcaps.h"

#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/explain/findings.h"

#define PATHS_MAX 16

struct case_paths {
	char *v[PATHS_MAX];
	size_t n;
};

static void list_captures(const char *dir, struct case_paths *ret_paths)
{
	struct dirent **entries;
	int i, n = scandir(dir, &entries, pcaps_is_capture, alphasort);

	assert_true(n > 0 && n <= PATHS_MAX);
	ret_paths->n = 0;
	for (i = 0; i < n; i++) {
		assert_true(
		    asprintf(&ret_paths->v[ret_paths->n++], "%s/%s", dir, entries[i]->d_name) > 0);
		free(entries[i]);
	}
	free(entries);
}

/* "F06 F11": the faults and symptoms, or the notes; the text must be freed. */
static char *ids(const struct findings *f, bool notes)
{
	char text[512] = "";
	size_t i;

	for (i = 0; i < f->n; i++)
		if ((f->v[i].rule->kind == RULE_NOTE) == notes)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
				 text[0] ? " " : "", f->v[i].rule->id);
	return strdup(text);
}

static char *evidence(const struct findings *f)
{
	char text[4096] = "";
	size_t i;

	for (i = 0; f->n && i < f->v[0].n_evidence; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s\n",
			 f->v[0].evidence[i].text);
	return strdup(text);
}

struct explained {
	unsigned cases;		     /* of the first */
	char *faults, *notes, *said; /* said: the evidence of the first, a line each */
	const char *certainty;	     /* of the first */
};

/* config: a file of dir, or NULL. */
static struct explained explain(const char *dir, bool keys, const char *config)
{
	struct config c = {.connections = NULL};
	char path[2048];
	struct explained e;
	struct case_paths paths;
	struct err_msg msg = {{0}};
	struct findings f;
	struct survey s;
	size_t i;

	list_captures(dir, &paths);
	if (survey_read(paths.v, paths.n, keys ? dir : NULL, &s, &msg))
		fail_msg("%s", msg.text);
	snprintf(path, sizeof(path), "%s/%s", dir, config ? config : "");
	if (config && config_read(path, &c, &msg))
		fail_msg("%s", msg.text);
	s.config = config ? &c : NULL;
	assert_int_equal(findings_find(&s, &f), 0);
	e = (struct explained){f.n ? f.v[0].cases : 0, ids(&f, false), ids(&f, true), evidence(&f),
			       f.n ? certainty_name(f.v[0].certainty) : ""};
	findings_free(&f);
	survey_free(&s);
	config_free(&c);
	for (i = 0; i < paths.n; i++)
		free(paths.v[i]);
	return e;
}

static void explained_free(struct explained *e)
{
	free(e->faults);
	free(e->notes);
	free(e->said);
}

static void expect(const char *name, bool keys, const char *faults, const char *notes,
		   const char *certainty)
{
	struct explained e;
	char dir[512];

	snprintf(dir, sizeof(dir), "%s/%s", getenv("PCAPS"), name);
	e = explain(dir, keys, NULL);
	if (strcmp(e.faults, faults) != 0 || (notes && strcmp(e.notes, notes) != 0))
		fail_msg("%s %s keys: '%s' (notes '%s'), expected '%s' ('%s')", name,
			 keys ? "with" : "without", e.faults, e.notes, faults,
			 notes ? notes : "any");
	if (certainty)
		assert_string_equal(e.certainty, certainty);
	explained_free(&e);
}

/* "configs": what the captures give beside an end's file. */
static void expect_with_configs(const char *name, const json_t *configs)
{
	const json_t *one;
	struct explained e;
	char dir[1024];
	size_t i;
	int keys;

	snprintf(dir, sizeof(dir), "%s/%s", getenv("PCAPS"), name);
	json_array_foreach((json_t *)configs, i, one)
	{
		const char *file = json_string_value(json_object_get(one, "file"));
		const char *says = json_string_value(json_object_get(one, "says"));

		for (keys = 0; keys < 2; keys++) {
			e = explain(dir, keys, file);
			if (strcmp(e.faults, json_string_value(json_object_get(
						 one, keys ? "with" : "without"))) != 0 ||
			    e.notes[0])
				fail_msg("%s, %s %s keys: '%s' (notes '%s')", name, file,
					 keys ? "with" : "without", e.faults, e.notes);
			if (says && *e.faults && !strstr(e.said, says))
				fail_msg("%s, %s: does not say '%s': %s", name, file, says, e.said);
			explained_free(&e);
		}
	}
}

static void reference_captures_give_what_they_must(void **state)
{
	static const struct {
		const char *name, *with, *without, *notes;
	} cases[] = {
	    {"aes-cbc", "", "", ""},
	    {"aes-cbc-strongswan", "", "", ""},
	    {"aes-gcm", "", "", ""},
	    {"beet-native-esn", "", "", ""},
	    {"ike-fragments-strongswan", "", "", ""},
	    {"keep-alives", "", "", ""},
	    {"retransmissions", "", "", ""},
	    {"seed-beetd", "", "", "S1 S5"},
	    {"seed-strongswan", "", "", "S1 S2 S5"},
	    {"seed-strongswan-gateway", "", "", "S1 S5"},
	    /* Its first pings left before there was a route, and the lab drops new TCP. */
	    {"strongswan6-beet", "S15 F32", "S15", "S2"},
	    {"wrong-psk", "MAP-auth", "MAP-refusal", ""},
	    {"no-proposal-chosen", "MAP-esp-proposal", "", ""},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		expect(cases[i].name, true, cases[i].with, cases[i].notes, NULL);
		expect(cases[i].name, false, cases[i].without, NULL, NULL);
	}
}

static int is_case(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* pcaps/explain/NAME/explain.json says what NAME must give; the first finding of F06 is F06. */
static void every_finding_has_its_capture_and_its_neighbour(void **state)
{
	char base[512], path[1024], name[512];
	struct dirent **dirs;
	int i, n, healthy = 0;
	json_t *want;

	(void)state;
	snprintf(base, sizeof(base), "%s/explain", getenv("PCAPS"));
	n = scandir(base, &dirs, is_case, alphasort);
	assert_true(n > 40);
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s/explain.json", base, dirs[i]->d_name);
		snprintf(name, sizeof(name), "explain/%s", dirs[i]->d_name);
		want = json_load_file(path, 0, NULL);
		assert_non_null(want);
		expect(name, true, json_string_value(json_object_get(want, "with")),
		       json_string_value(json_object_get(want, "notes")),
		       json_string_value(json_object_get(want, "certainty")));
		expect(name, false, json_string_value(json_object_get(want, "without")), NULL,
		       NULL);
		expect_with_configs(name, json_object_get(want, "configs"));
		healthy += !json_string_length(json_object_get(want, "with"));
		json_decref(want);
		free(dirs[i]);
	}
	free(dirs);
	assert_true(healthy >= 20);
}

/* Both ends' captures show the same SAs and flows, which count once. */
static void cases_are_of_what_failed_and_not_of_places(void **state)
{
	static const struct {
		const char *name;
		unsigned cases;
		const char *says; /* "": whatever */
	} cases[] = {
	    {"explain/F32", 2, "the first of 9 TCP segments (SYN) to 10.254.0.1"},
	    {"explain/F32", 2, "the first of 5 echo requests to 10.254.0.1"},
	    {"explain/F44", 1, ""},
	    {"explain/MAP-auth", 1, ""},
	    {"explain/MAP-refused", 1, ""},
	    {"explain/MAP-version", 1, ""},
	    {"explain/F35", 1, ""},
	};
	struct explained e;
	char dir[512];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(dir, sizeof(dir), "%s/%s", getenv("PCAPS"), cases[i].name);
		e = explain(dir, true, NULL);
		if (e.cases != cases[i].cases || !strstr(e.said, cases[i].says))
			fail_msg("%s: %u cases, not %u: %s", cases[i].name, e.cases, cases[i].cases,
				 e.said);
		explained_free(&e);
	}
}

/* Findings that no capture here shows: over facts made by hand. */
static char *faults_of(struct survey *s)
{
	struct findings f;
	char *text;

	assert_int_equal(findings_find(s, &f), 0);
	text = ids(&f, false);
	findings_free(&f);
	return text;
}

static void expect_faults(struct survey *s, const char *want)
{
	char *got = faults_of(s);

	assert_string_equal(got, want);
	free(got);
}

static void a_packet_outside_the_selectors_of_its_sa_is_f35(void **state)
{
	struct esp_flow e = {.spi = 1, .n = 5, .child = FACT_NONE, .late_flow = FACT_NONE};
	struct place_sum place = {0};
	struct survey s = {.places = &place, .n_places = 1, .esp = &e, .n_esp = 1};

	(void)state;
	e.prev = FACT_NONE;
	expect_faults(&s, "");
	e.n_outside = 1;
	expect_faults(&s, "F35");
}

/* One place, one IKE SA, two messages at 0 s and 1 s: a request and its response. */
struct by_hand {
	struct fact_frame frames[2];
	struct ike_msg ike[2];
	struct ike_sa_fact sa;
	struct exchange x;
	struct place_sum place;
	struct survey s;
};

static void make_exchange(struct by_hand *h, uint8_t type)
{
	*h = (struct by_hand){.place = {.begin_us = 1}};
	h->frames[0] = (struct fact_frame){.number = 1, .time_us = 1000000, .kind = FRAME_IKE};
	h->frames[1] = (struct fact_frame){.number = 2, .time_us = 2000000, .kind = FRAME_IKE};
	h->ike[0] = (struct ike_msg){.hdr = {.exchange = type, .version = IKE_VERSION},
				     .request = true,
				     .from_initiator = true,
				     .retransmission_of = FACT_NONE,
				     .request_of = FACT_NONE};
	h->ike[1] = h->ike[0];
	h->ike[1].frame = 1;
	h->ike[1].request = h->ike[1].from_initiator = false;
	h->ike[1].request_of = 0;
	h->sa.rekeyed_from = h->sa.established_msg = FACT_NONE;
	h->x = (struct exchange){.type = type,
				 .by_initiator = true,
				 .sent = 1,
				 .answered = 1,
				 .first_response = 1,
				 .last_response = 1,
				 .next = FACT_NONE,
				 .first = true};
	h->s = (struct survey){.f = {.frames = h->frames, .ike = h->ike, .ike_sas = &h->sa},
			       .places = &h->place,
			       .n_places = 1,
			       .exchanges = &h->x,
			       .n_exchanges = 1};
	h->s.f.n_frames = h->s.f.n_ike = 2;
	h->s.f.n_ike_sas = 1;
}

static void esp_behind_the_delete_of_its_sa_is_f20(void **state)
{
	struct child_sa_fact child = {.spi_i = 1, .end = CHILD_DELETED};
	struct esp_flow e = {.spi = 1, .n = 5, .prev = FACT_NONE, .late_flow = FACT_NONE};
	struct by_hand h;

	(void)state;
	make_exchange(&h, INFORMATIONAL);
	h.s.f.children = &child;
	h.s.f.n_children = 1;
	h.s.esp = &e;
	h.s.n_esp = 1;
	e.last.time_us = 3000000; /* one second behind: it was on its way */
	expect_faults(&h.s, "");
	e.last.time_us = 5000000;
	expect_faults(&h.s, "F20");
}

static void two_children_with_the_same_selectors_are_f25(void **state)
{
	struct ts mine = {.lo = {4, {10}}, .hi = {4, {10}}},
		  other = {.lo = {4, {11}}, .hi = {4, {11}}};
	struct child_sa_fact v[2] = {{.spi_i = 1, .ts_i = {&mine, 1}, .ts_r = {&other, 1}},
				     {.spi_i = 2, .ts_i = {&mine, 1}, .ts_r = {&other, 1}}};
	struct by_hand h;

	(void)state;
	make_exchange(&h, CREATE_CHILD_SA);
	h.s.f.children = v;
	h.s.f.n_children = 2;
	expect_faults(&h.s, "F25");
	v[1].initiator_is_original = true; /* asked for from the other side */
	expect_faults(&h.s, "");
	v[1].ts_i = v[0].ts_r;
	v[1].ts_r = v[0].ts_i;
	expect_faults(&h.s, "F25");
	v[1].rekeys = 1;
	expect_faults(&h.s, "");
}

/* A responder's request, nine seconds after the initiator was last heard, five times in vain. */
static void silence_is_a_firewalls_fault_only_without_nat(void **state)
{
	struct natd_fact natd = {.have_src = true, .have_dst = true, .dst_match = true};
	struct ip_addr a = {4, {10}}, b = {4, {11}};
	struct by_hand h;

	(void)state;
	make_exchange(&h, CREATE_CHILD_SA);
	h.frames[1].time_us = 10000000;
	h.frames[0].src.addr = h.frames[1].dst.addr = a;
	h.frames[0].dst.addr = h.frames[1].src.addr = b;
	h.ike[0].hdr.exchange = IKE_SA_INIT;
	h.x.by_initiator = false;
	h.x.sent = 5;
	h.x.answered = 0;
	h.x.first_response = h.x.last_response = FACT_NONE;
	h.x.first_request = h.x.last_request = 1;
	h.s.f.natd = &natd;
	h.s.f.n_natd = 1;
	expect_faults(&h.s, "MAP-unanswered");
	natd.src_match = true;
	/* From one place it is possible and no more: the symptom stays. */
	expect_faults(&h.s, "F04 MAP-unanswered");
}

static void a_group_in_the_proposal_of_ike_auth_is_f40(void **state)
{
	static const uint8_t with_group[] = {0, 0, 0, 28, 1, 3,	 4, 2, 0, 0, 0, 1, 3, 0,
					     0, 8, 1, 0,  0, 28, 0, 0, 0, 8, 4, 0, 0, 31};
	static const uint8_t without[] = {0, 0, 0, 20, 1, 3, 4, 1, 0, 0,
					  0, 1, 0, 0,  0, 8, 1, 0, 0, 28};
	struct ike_payloads p = {1,
				 {{.type = PAYLOAD_SA, .body = {with_group, sizeof(with_group)}}}};
	struct refusal_fact refusal = {.msg = 1, .notify = N_NO_PROPOSAL_CHOSEN};
	struct by_hand h;

	(void)state;
	make_exchange(&h, IKE_AUTH);
	h.ike[0].inner = &p;
	h.s.f.refusals = &refusal;
	h.s.f.n_refusals = 1;
	expect_faults(&h.s, "F40");
	p.v[0].body = (struct view){without, sizeof(without)};
	expect_faults(&h.s, "MAP-esp-proposal");
}

static void every_rule_has_its_texts_and_a_name_of_its_own(void **state)
{
	const struct rule *r;
	size_t i, k, n;

	(void)state;
	r = rules_table(&n);
	for (i = 0; i < n; i++) {
		assert_true(r[i].id[0] && r[i].title[0] && r[i].why[0] && r[i].remedy[0]);
		assert_non_null(strstr(r[i].clause, "RFC"));
		for (k = 0; k < i; k++)
			assert_string_not_equal(r[i].id, r[k].id);
	}
}

/* The first len octets of a reference capture, as a file of its own. */
static int read_part(size_t len, const char *head, struct survey *ret_s, struct err_msg *msg)
{
	char path[] = "/tmp/beetlab-explain-XXXXXX", from[512], octets[65536], *paths[] = {path};
	int fd = mkstemp(path), err;
	FILE *file;
	size_t got;

	snprintf(from, sizeof(from), "%s/retransmissions/outer-vps.pcap", getenv("PCAPS"));
	file = fopen(from, "re");
	assert_non_null(file);
	got = fread(octets, 1, sizeof(octets), file);
	fclose(file);
	memcpy(octets, head, strlen(head));
	assert_int_equal(write(fd, octets, len < got ? len : got), len < got ? len : got);
	close(fd);
	err = survey_read(paths, 1, NULL, ret_s, msg);
	unlink(path);
	return err;
}

static void a_capture_cut_anywhere_gives_what_it_has(void **state)
{
	struct err_msg msg;
	struct findings f;
	struct survey s;
	size_t len;

	(void)state;
	for (len = 24; len < 4000; len += 7) {
		assert_int_equal(read_part(len, "", &s, &msg), 0);
		assert_int_equal(findings_find(&s, &f), 0);
		assert_true(len > 24 + 16 || !s.places[0].ip);
		findings_free(&f);
		survey_free(&s);
	}
}

static void what_is_no_capture_is_told_with_its_name(void **state)
{
	struct err_msg msg = {{0}};
	struct survey s;

	(void)state;
	assert_int_equal(read_part(0, "", &s, &msg), ERR_SYNTAX);
	assert_non_null(strstr(msg.text, "beetlab-explain"));
	assert_int_equal(read_part(1000, "#!/bin/sh\nthis is no capture", &s, &msg), ERR_SYNTAX);
}

static void what_is_given_in_place_of_a_capture_is_named(void **state)
{
	static char stdin_name[] = "-", folder[] = "/tmp", pipe_name[] = "/dev/null";
	static char *const no_files[] = {stdin_name, folder, pipe_name};
	static const struct {
		size_t len;
		const char *head, *says;
	} cases[] = {
	    {0, "", "is empty"},
	    {1000, "\x1f\x8b\x08", "gunzip"},
	    {30, "connections {\n a {\n version = 2\n", "--config"},
	};
	struct err_msg msg;
	struct survey s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(read_part(cases[i].len, cases[i].head, &s, &msg), ERR_SYNTAX);
		assert_non_null(strstr(msg.text, cases[i].says));
	}
	for (i = 0; i < sizeof(no_files) / sizeof(no_files[0]); i++) {
		assert_int_equal(survey_read(&no_files[i], 1, NULL, &s, &msg), ERR_IO);
		assert_non_null(strstr(msg.text, "regular file"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reference_captures_give_what_they_must),
	    cmocka_unit_test(every_finding_has_its_capture_and_its_neighbour),
	    cmocka_unit_test(cases_are_of_what_failed_and_not_of_places),
	    cmocka_unit_test(a_packet_outside_the_selectors_of_its_sa_is_f35),
	    cmocka_unit_test(esp_behind_the_delete_of_its_sa_is_f20),
	    cmocka_unit_test(two_children_with_the_same_selectors_are_f25),
	    cmocka_unit_test(silence_is_a_firewalls_fault_only_without_nat),
	    cmocka_unit_test(a_group_in_the_proposal_of_ike_auth_is_f40),
	    cmocka_unit_test(every_rule_has_its_texts_and_a_name_of_its_own),
	    cmocka_unit_test(a_capture_cut_anywhere_gives_what_it_has),
	    cmocka_unit_test(what_is_no_capture_is_told_with_its_name),
	    cmocka_unit_test(what_is_given_in_place_of_a_capture_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
