/* Every reference capture gives the facts and findings that its expect.json says. */
#include "harness/tests/pcaps.h"

#include "harness/checks/json.h"

#define PLACES_MAX 8

/* What is expected is part of what is there: numbers stand for the length of a list. */
static void compare_facts(const char *name, const json_t *want, const json_t *got)
{
	const json_t *list, *item, *value;
	const char *key, *member;
	size_t i;

	json_object_foreach((json_t *)want, key, list)
	{
		const json_t *actual = json_object_get(got, key);
		size_t n = json_is_integer(list) ? (size_t)json_integer_value(list)
						 : json_array_size(list);

		if (json_array_size(actual) != n)
			fail_msg("%s: %zu %s, expected %zu", name, json_array_size(actual), key, n);
		json_array_foreach(list, i, item) json_object_foreach((json_t *)item, member, value)
		{
			if (!json_equal(value, json_object_get(json_array_get(actual, i), member)))
				fail_msg("%s: %s %zu: %s is not as expected", name, key, i, member);
		}
	}
}

static void compare_checks(const char *name, const struct facts *f, const struct check_params *p,
			   const json_t *want)
{
	struct check_result r;
	const json_t *verdict;
	const char *key;

	json_object_foreach((json_t *)want, key, verdict)
	{
		assert_non_null(check_find(key));
		check_run(check_find(key), f, p, &r);
		if (strcmp(verdict_name(r.verdict), json_string_value(verdict)) != 0)
			fail_msg("%s: %s: %s, expected %s: %s", name, key, verdict_name(r.verdict),
				 json_string_value(verdict), r.summary);
		assert_true(r.verdict != VERDICT_FAIL || r.n_faults);
		check_result_free(&r);
	}
}

static size_t count_sealed(const struct facts *f)
{
	size_t i, n = 0;

	for (i = 0; i < f->n_ike; i++)
		n += f->ike[i].sealed != FACT_OPEN && f->ike[i].sealed != FACT_NOT_SEALED &&
		     f->ike[i].sealed != FACT_FRAGMENT;
	for (i = 0; i < f->n_esp; i++)
		n += f->esp[i].sealed != FACT_OPEN;
	return n;
}

static void compare(const char *name, const json_t *expect)
{
	struct place_param places[PLACES_MAX];
	struct check_params p = {.places = places};
	const json_t *inner = json_object_get(expect, "inner"), *item;
	struct facts f;
	json_t *got;
	size_t i;

	json_array_foreach(inner, i, item) places[p.n_places++] =
	    (struct place_param){.name = json_string_value(item), .outer = NO};
	pcaps_dissect(name, &f);
	got = facts_json(&f);
	compare_facts(name, json_object_get(expect, "facts"), got);
	assert_int_equal(count_sealed(&f), json_integer_value(json_object_get(expect, "unopened")));
	compare_checks(name, &f, &p, json_object_get(expect, "checks"));
	json_decref(got);
	facts_free(&f);
}

/* Those of explain/ have tests of their own. */
static int is_directory(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && entry->d_type == DT_DIR &&
	       strcmp(entry->d_name, "explain") != 0;
}

static void every_capture_gives_what_it_must(void **state)
{
	struct dirent **dirs;
	char path[1024];
	json_t *expect;
	int i, n = scandir(getenv("PCAPS"), &dirs, is_directory, alphasort);

	(void)state;
	assert_true(n >= 10);
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s/expect.json", getenv("PCAPS"), dirs[i]->d_name);
		expect = json_load_file(path, 0, NULL);
		if (!expect)
			fail_msg("%s: not there, or no JSON", path);
		compare(dirs[i]->d_name, expect);
		json_decref(expect);
		free(dirs[i]);
	}
	free(dirs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_capture_gives_what_it_must)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
