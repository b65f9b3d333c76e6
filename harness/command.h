/* command.h - the subcommands of beetlab: each takes argc and argv from its own name on and returns
 * the exit status. */
#ifndef HARNESS_COMMAND_H
#define HARNESS_COMMAND_H

enum exit_status {
	EXIT_PASS = 0,
	EXIT_FAIL = 1,
	EXIT_USAGE = 2, /* also: input that cannot be read */
	EXIT_SKIPPED = 77,
};

struct command {
	const char *name;
	const char *summary;
	int (*run)(int argc, char **argv);
};

#define COMMANDS(X)                                                        \
	X("check", "dissect captures with keys and judge them", cmd_check) \
	X("decrypt", "write a capture that every tool can read without keys", cmd_decrypt)

#define X(name, summary, fn) int fn(int argc, char **argv);
COMMANDS(X)
#undef X

#endif
