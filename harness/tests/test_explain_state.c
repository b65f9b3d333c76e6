/* test_explain_state.c - what is said of captures that show too little: "it works" needs proof, and
 * a tunnel that stops before the capture's end has stopped. Each case is a part of a capture of
 * pcaps/, taken at one place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "harness/explain/text.h"

#define TO_THE_END UINT32_MAX

/* Frames first to last of a capture, as a file of its own. */
static void copy_part(const char *name, uint32_t first, uint32_t last, const char *to)
{
	char from[1024], error[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *hdr;
	const u_char *data;
	pcap_dumper_t *out;
	pcap_t *in;
	uint32_t n;

	snprintf(from, sizeof(from), "%s/%s", getenv("PCAPS"), name);
	in = pcap_open_offline(from, error);
	assert_non_null(in);
	out = pcap_dump_open(in, to);
	assert_non_null(out);
	for (n = 1; n <= last && pcap_next_ex(in, &hdr, &data) == 1; n++)
		if (n >= first)
			pcap_dump((u_char *)out, hdr, data);
	pcap_dump_close(out);
	pcap_close(in);
}

struct said {
	char ids[256];
	enum survey_state state;
};

/* path: a template of mkstemp, which becomes the file's name. */
static void make_part(const char *name, uint32_t first, uint32_t last, char *path)
{
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	copy_part(name, first, last, path);
}

static struct said explain_part(const char *name, uint32_t first, uint32_t last)
{
	char path[] = "/tmp/beetlab-state-XXXXXX", *paths[] = {path};
	struct said said = {.ids = ""};
	struct err_msg msg = {{0}};
	struct findings f;
	struct survey s;
	size_t i;

	make_part(name, first, last, path);
	if (survey_read(paths, 1, NULL, &s, &msg))
		fail_msg("%s", msg.text);
	unlink(path);
	assert_int_equal(findings_find(&s, &f), 0);
	for (i = 0; i < f.n; i++)
		snprintf(said.ids + strlen(said.ids), sizeof(said.ids) - strlen(said.ids), "%s%s",
			 i ? " " : "", f.v[i].rule->id);
	said.state = survey_state(&s);
	assert_int_equal(said.state == SURVEY_WORKS, survey_unseen(&s, 0) == NULL);
	findings_free(&f);
	survey_free(&s);
	return said;
}

static void it_works_is_said_only_of_what_proves_it(void **state)
{
	static const struct {
		const char *name;
		uint32_t first, last;
		const char *ids;
		enum survey_state state;
	} cases[] = {
	    {"explain/F01/isp-lab-gw.pcap", 1, 8, "", SURVEY_WORKS},
	    {"explain/F01/isp-lab-gw.pcap", 1, 10, "", SURVEY_WORKS},
	    /* Eight packets out, none back. */
	    {"explain/F01/isp-lab-gw.pcap", 1, TO_THE_END, "MAP-oneway", SURVEY_UNREMARKABLE},
	    {"explain/F35/vps-inet.pcap", 1, TO_THE_END, "MAP-oneway", SURVEY_UNREMARKABLE},
	    /* IKE_SA_INIT with its response, and no more. */
	    {"explain/F06/vps-inet.pcap", 1, TO_THE_END, "MAP-no-auth", SURVEY_UNREMARKABLE},
	    {"explain/F11/vps-inet.pcap", 1, TO_THE_END, "MAP-no-auth", SURVEY_UNREMARKABLE},
	    {"explain/F01/isp-lab-gw.pcap", 1, 3, "", SURVEY_UNREMARKABLE},
	    {"explain/F01/isp-lab-gw.pcap", 1, 4, "", SURVEY_UNREMARKABLE},
	    /* ESP alone: nobody knows of which SA. */
	    {"explain/F01/isp-lab-gw.pcap", 5, 8, "", SURVEY_UNREMARKABLE},
	    {"explain/F01/isp-lab-gw.pcap", 5, 5, "", SURVEY_UNREMARKABLE},
	    /* From the middle on: ESP and a liveness check. */
	    {"explain/F17/isp-lab-gw.pcap", 12, TO_THE_END, "", SURVEY_UNREMARKABLE},
	    /* The peer's numbers go from 4 to 23. */
	    {"explain/F17/isp-lab-gw.pcap", 1, 13, "", SURVEY_WORKS},
	    {"explain/F17/isp-lab-gw.pcap", 1, TO_THE_END, "MAP-gap", SURVEY_UNREMARKABLE},
	    /* Unanswered after a silence; and then the peer, from another port. */
	    {"explain/MAP-expired/vps-inet.pcap", 1, 23, "MAP-oneway", SURVEY_UNREMARKABLE},
	    {"explain/MAP-expired/vps-inet.pcap", 1, 24, "MAP-expired", SURVEY_WORKS},
	    {"explain/F01/isp-lab-gw.pcap", TO_THE_END, TO_THE_END, "", SURVEY_NOTHING},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct said said = explain_part(cases[i].name, cases[i].first, cases[i].last);

		if (said.state != cases[i].state || strcmp(said.ids, cases[i].ids) != 0)
			fail_msg("case %zu: '%s', state %d; expected '%s', %d", i, said.ids,
				 said.state, cases[i].ids, cases[i].state);
	}
}

static bool is_found(const struct survey *s, const char *id)
{
	struct findings f;
	bool found = false;
	size_t i;

	assert_int_equal(findings_find(s, &f), 0);
	for (i = 0; i < f.n; i++)
		found = found || strcmp(f.v[i].rule->id, id) == 0;
	findings_free(&f);
	return found;
}

/* The server's packets up to frame 23; behind the box there are none of them, as far as the capture
 * of that place goes. */
static void what_is_not_behind_the_box_has_no_mapping(void **state)
{
	static const struct {
		uint32_t inside_until;
		bool expired;
	} cases[] = {{15, false}, {24, true}};
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		char outside[] = "/tmp/beetlab-state-XXXXXX",
		     inside[] = "/tmp/beetlab-state-XXXXXX";
		char *paths[] = {outside, inside};
		struct err_msg msg = {{0}};
		struct survey s;

		make_part("explain/MAP-expired/vps-inet.pcap", 1, 23, outside);
		make_part("explain/MAP-expired/isp-lab-gw.pcap", 1, cases[i].inside_until, inside);
		if (survey_read(paths, 2, NULL, &s, &msg))
			fail_msg("%s", msg.text);
		unlink(outside);
		unlink(inside);
		assert_int_equal(is_found(&s, "MAP-expired"), cases[i].expired);
		survey_free(&s);
	}
}

static void keys_of_another_run_are_told_as_such(void **state)
{
	static const struct {
		const char *keys;
		bool foreign;
	} cases[] = {{"explain/F01-remedy", true}, {"explain/F01", false}, {"explain/F02", true}};
	char path[512], keys[512], *paths[] = {path};
	struct err_msg msg;
	struct survey s;
	size_t i;

	(void)state;
	snprintf(path, sizeof(path), "%s/explain/F01/vps-inet.pcap", getenv("PCAPS"));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(keys, sizeof(keys), "%s/%s", getenv("PCAPS"), cases[i].keys);
		assert_int_equal(survey_read(paths, 1, keys, &s, &msg), 0);
		assert_int_equal(is_found(&s, "KEYS-foreign"), cases[i].foreign);
		survey_free(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_works_is_said_only_of_what_proves_it),
	    cmocka_unit_test(what_is_not_behind_the_box_has_no_mapping),
	    cmocka_unit_test(keys_of_another_run_are_told_as_such),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
