/* beetlab.c - the bench's command: finds the subcommand and runs it. */
#include <stdio.h>
#include <string.h>

#include "harness/command.h"

static const struct command commands[] = {
#define X(name, summary, fn) {name, summary, fn},
    COMMANDS(X)
#undef X
};

#define COUNT (sizeof(commands) / sizeof(commands[0]))

static void print_usage(FILE *out)
{
	size_t i;

	fprintf(out, "usage: beetlab COMMAND [ARGUMENT]...\n\n");
	for (i = 0; i < COUNT; i++)
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
	fprintf(out, "\nbeetlab COMMAND --help tells more of each.\n");
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc < 2) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
		print_usage(stdout);
		return EXIT_PASS;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("beetlab " BEETLAB_VERSION);
		return EXIT_PASS;
	}
	for (i = 0; i < COUNT; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "beetlab: no command '%s'\n", argv[1]);
	print_usage(stderr);
	return EXIT_USAGE;
}
