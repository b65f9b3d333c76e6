/* test_documents.c - what a scenario can say stands in the documents: every step in beetlab(1),
 * every check, kind of fact and parameter in scenarios/README.md. */
#include "harness/checks/checks.h"
#include "harness/files.h"
#include "harness/occurred.h"
#include "harness/params.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *read_document(const char *name)
{
	char path[4096], *text;
	size_t len;

	snprintf(path, sizeof(path), "%s/../%s", getenv("PCAPS"), name);
	assert_int_equal(file_read(path, 1 << 20, &text, &len, NULL), 0);
	return text;
}

/* The word as Markdown's code. */
static void must_hold(const char *text, const char *word)
{
	char code[64];

	snprintf(code, sizeof(code), "`%s`", word);
	if (!strstr(text, code))
		fail_msg("scenarios/README.md does not say %s", code);
}

static void test_checks_and_their_parameters_are_documented(void **state)
{
	char *text = read_document("scenarios/README.md");
	const struct check *table;
	size_t i, n;

	(void)state;
	table = checks_table(&n);
	for (i = 0; i < n; i++)
		must_hold(text, table[i].name);
	for (i = 0; params_key(i); i++)
		must_hold(text, params_key(i));
	free(text);
}

static void test_facts_and_their_parameters_are_documented(void **state)
{
	char *text = read_document("scenarios/README.md");
	size_t i, k;

	(void)state;
	for (i = 0; occurred_kind(i); i++) {
		must_hold(text, occurred_kind(i));
		for (k = 0; occurred_param(i, k); k++)
			must_hold(text, occurred_param(i, k));
	}
	free(text);
}

/* A step's name begins an entry, or follows another's: `.BR start ", " stop`. */
static bool has_entry(const char *text, const char *step)
{
	char first[64], further[64];

	snprintf(first, sizeof(first), "\n.BR %s ", step);
	snprintf(further, sizeof(further), "\" %s ", step);
	return strstr(text, first) || strstr(text, further);
}

static void test_steps_are_documented(void **state)
{
	char *text = read_document("harness/beetlab.1"), *from, *to;
	int i;

	(void)state;
	/* roff writes a hyphen as "\-". */
	for (from = to = text; *from; from++)
		if (*from != '\\')
			*to++ = *from;
	*to = 0;
	for (i = 0; i < STEP_KINDS_COUNT; i++)
		if (!has_entry(text, step_kind_name((enum step_kind)i)))
			fail_msg("beetlab(1) does not say %s", step_kind_name((enum step_kind)i));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_checks_and_their_parameters_are_documented),
	    cmocka_unit_test(test_facts_and_their_parameters_are_documented),
	    cmocka_unit_test(test_steps_are_documented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
