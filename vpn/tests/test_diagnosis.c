/* test_diagnosis.c - causes hide their symptoms, and the surer and likelier comes first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "vpn/base/diagnosis.h"

#define MAX 6

static void expect(const struct claim *claims, const char *want)
{
	size_t order[MAX], n, i, given = 0;
	char seen[64] = "";

	while (given < MAX && claims[given].id)
		given++;
	n = claims_order(claims, given, order);
	for (i = 0; i < n; i++) {
		strcat(seen, i ? " " : "");
		strcat(seen, claims[order[i]].id);
	}
	assert_string_equal(seen, want);
}

static void the_surer_comes_first_then_the_lower_rank(void **state)
{
	(void)state;
	expect((struct claim[MAX]){{"possible", "", RULE_FAULT, POSSIBLE, 1},
				   {"note", "", RULE_NOTE, CERTAIN, 1},
				   {"high", "", RULE_FAULT, CERTAIN, 900},
				   {"low", "", RULE_FAULT, CERTAIN, 20},
				   {"likely", "", RULE_FAULT, LIKELY, 1}},
	       "low high likely possible note");
}

static void equals_stay_in_the_order_of_their_rules(void **state)
{
	(void)state;
	expect((struct claim[MAX]){{"a", "", RULE_FAULT, LIKELY, 5},
				   {"b", "", RULE_FAULT, LIKELY, 5},
				   {"c", "", RULE_FAULT, LIKELY, 5}},
	       "a b c");
}

/* Something that is merely possible does not hide what was seen. */
static void a_symptom_gives_way_to_a_fault_that_is_likely(void **state)
{
	(void)state;
	expect((struct claim[MAX]){{"symptom", "", RULE_SYMPTOM, CERTAIN, 1},
				   {"fault", "", RULE_FAULT, LIKELY, 1}},
	       "fault");
	expect((struct claim[MAX]){{"symptom", "", RULE_SYMPTOM, CERTAIN, 1},
				   {"fault", "", RULE_FAULT, POSSIBLE, 1}},
	       "fault symptom");
	expect((struct claim[MAX]){{"symptom", "", RULE_SYMPTOM, CERTAIN, 1},
				   {"other", "", RULE_SYMPTOM, CERTAIN, 2},
				   {"note", "", RULE_NOTE, CERTAIN, 1}},
	       "symptom other note");
}

/* By whole names: F1 is not in "F11 F12". And what explains may itself be explained. */
static void a_claim_gives_way_to_those_that_it_names(void **state)
{
	(void)state;
	expect((struct claim[MAX]){{"F5", "F11 F12", RULE_FAULT, CERTAIN, 1},
				   {"F1", "", RULE_FAULT, CERTAIN, 2}},
	       "F5 F1");
	expect((struct claim[MAX]){{"F5", "F11 F1", RULE_FAULT, CERTAIN, 1},
				   {"F1", "F2", RULE_FAULT, CERTAIN, 2},
				   {"F2", "", RULE_NOTE, POSSIBLE, 3}},
	       "F2");
}

static void words_are_broken_at_ninety_columns(void **state)
{
	char text[400] = "", *out = NULL, *line, *rest;
	size_t i, len = 0, lines = 0;
	FILE *file = open_memstream(&out, &len);

	(void)state;
	for (i = 0; i < 60; i++)
		strcat(text, "words ");
	print_wrapped(file, WRAP_INDENT, "what", text);
	fclose(file);
	for (rest = out; (line = strsep(&rest, "\n")) && *line; lines++) {
		assert_in_range(strlen(line), WRAP_INDENT + WRAP_LABEL + 5, 91);
		assert_memory_equal(line, lines ? "              words" : "    what      words",
				    19);
	}
	assert_true(lines > 3);
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_surer_comes_first_then_the_lower_rank),
	    cmocka_unit_test(equals_stay_in_the_order_of_their_rules),
	    cmocka_unit_test(a_symptom_gives_way_to_a_fault_that_is_likely),
	    cmocka_unit_test(a_claim_gives_way_to_those_that_it_names),
	    cmocka_unit_test(words_are_broken_at_ninety_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
