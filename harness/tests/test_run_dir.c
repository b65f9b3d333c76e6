/* test_run_dir.c - a run takes over an empty directory or an earlier run's, and nothing else. */
#include "harness/run_dir.h"
#include "harness/files.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	char top[32], dir[64];
};

static int set_up(void **state)
{
	static struct fixture x;

	snprintf(x.top, sizeof(x.top), "/tmp/test-run-dir-XXXXXX");
	if (!mkdtemp(x.top))
		return -1;
	snprintf(x.dir, sizeof(x.dir), "%s/a/b", x.top);
	*state = &x;
	return 0;
}

static int tear_down(void **state)
{
	const struct fixture *x = *state;
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", x->top);
	return system(command);
}

static void put(const struct fixture *x, const char *name)
{
	assert_int_equal(file_write(x->dir, name, "x", 1, NULL), 0);
}

static bool is_there(const struct fixture *x, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", x->dir, name);
	return access(path, F_OK) == 0;
}

static void test_a_new_directory_is_made(void **state)
{
	const struct fixture *x = *state;
	bool replaced = true;

	assert_int_equal(run_dir_take(x->dir, &replaced, NULL), 0);
	assert_false(replaced);
	assert_true(is_there(x, "."));
}

static void test_foreign_files_are_not_touched(void **state)
{
	const struct fixture *x = *state;
	bool replaced = false;

	put(x, "captures/mine.pcap");
	assert_int_equal(run_dir_take(x->dir, &replaced, NULL), ERR_STATE);
	assert_true(is_there(x, "captures/mine.pcap"));
}

static void test_of_an_earlier_run_nothing_is_left_to_be_mistaken(void **state)
{
	const struct fixture *x = *state;
	bool replaced = false;

	put(x, "command");
	put(x, "captures/old.pcap");
	put(x, "keys/gone/keys.jsonl");
	put(x, "notes.txt");
	assert_int_equal(run_dir_take(x->dir, &replaced, NULL), 0);
	assert_true(replaced);
	assert_false(is_there(x, "captures/old.pcap") || is_there(x, "keys/gone/keys.jsonl"));
	assert_true(is_there(x, "notes.txt"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_a_new_directory_is_made, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_foreign_files_are_not_touched, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_of_an_earlier_run_nothing_is_left_to_be_mistaken,
					    set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
