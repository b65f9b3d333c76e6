/* pcaps.h - reads a reference capture of pcaps/ with its keys; for tests. */
#ifndef HARNESS_TESTS_PCAPS_H
#define HARNESS_TESTS_PCAPS_H

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/dissect/facts.h"

static inline int pcaps_is_capture(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && strcmp(dot, ".pcap") == 0;
}

/* All captures of pcaps/NAME and its keys, not yet dissected. */
static inline void pcaps_load(const char *name, struct capture_set *set, struct key_store *keys)
{
	struct err_msg msg = {{0}};
	char dir[512], path[1024];
	struct dirent **entries;
	int i, n;

	*set = (struct capture_set){0};
	*keys = (struct key_store){0};
	snprintf(dir, sizeof(dir), "%s/%s", getenv("PCAPS"), name);
	n = scandir(dir, &entries, pcaps_is_capture, alphasort);
	assert_true(n > 0);
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);
		if (capture_set_add_file(set, path, &msg))
			fail_msg("%s", msg.text);
		free(entries[i]);
	}
	free(entries);
	if (keys_load(keys, dir, &msg))
		fail_msg("%s", msg.text);
	capture_set_sort(set);
}

static inline void pcaps_dissect(const char *name, struct facts *ret_facts)
{
	struct capture_set set;
	struct key_store keys;

	pcaps_load(name, &set, &keys);
	assert_int_equal(facts_dissect(&set, &keys, ret_facts), 0);
}

/* ESP packets that are open and carry one. */
static inline size_t pcaps_count_open(const struct facts *f)
{
	size_t i, n = 0;

	for (i = 0; i < f->n_esp; i++)
		n += f->esp[i].sealed == FACT_OPEN && f->esp[i].inner.len;
	return n;
}

#endif
