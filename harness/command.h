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

#define COMMANDS(X)                                                                         \
	X("run", "build the network of a scenario, run it, judge it, report", cmd_run)      \
	X("sim", "run scenarios by seed on a virtual clock, without root", cmd_sim)         \
	X("list", "the scenarios, with their purposes", cmd_list)                           \
	X("shell", "the network of a scenario, with a prompt in a node", cmd_shell)         \
	X("clean", "remove what killed runs have left", cmd_clean)                          \
	X("report", "write the reports of a result.json again", cmd_report)                 \
	X("check", "dissect captures with keys and judge them", cmd_check)                  \
	X("explain", "say what is wrong in captures, most likely cause first", cmd_explain) \
	X("reproduce", "write a scenario that fails as captures show it", cmd_reproduce)    \
	X("decrypt", "write a capture that every tool can read without keys", cmd_decrypt)

#define X(name, summary, fn) int fn(int argc, char **argv);
COMMANDS(X)
#undef X

#endif
