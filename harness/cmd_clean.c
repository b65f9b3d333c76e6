/* cmd_clean.c - beetlab clean: undoes runs whose owner is dead, and whose guard is dead too. It
 * touches only what such a run has written down. */
#include "harness/command.h"
#include "netns/registry.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int cmd_clean(int argc, char **argv)
{
	struct err_msg msg = {{0}};
	int count;

	if (argc > 1) {
		puts("usage: beetlab clean\n\n"
		     "Removes the namespaces, processes and files of runs that were killed.");
		return strcmp(argv[1], "--help") == 0 ? EXIT_PASS : EXIT_USAGE;
	}
	if (geteuid() != 0) {
		fprintf(stderr, "beetlab clean: needs root\n");
		return EXIT_FAIL;
	}
	count = registry_clean_leftovers(&msg);
	if (count < 0) {
		fprintf(stderr, "beetlab clean: %s\n", msg.text);
		return EXIT_FAIL;
	}
	printf("%d runs removed\n", count);
	return EXIT_PASS;
}
