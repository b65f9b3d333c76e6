/* cmd_shell.c - beetlab shell: the network of a scenario stands as long as the shell runs. */
#include "harness/command.h"
#include "harness/run.h"
#include "harness/world.h"
#include "netns/ns.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* bash reads a file at its start that sets PS1 anew; it is given one that does so last. */
static bool write_rc(const char *path, const char *node)
{
	FILE *file = fopen(path, "we");

	if (!file)
		return false;
	fprintf(file, "[ -r ~/.bashrc ] && . ~/.bashrc\nPS1='%s:\\w# '\n", node);
	return fclose(file) == 0;
}

static void become_shell(struct world *world, const char *node)
{
	const char *shell = getenv("SHELL"), *name;
	char prompt[96], rc[4096];
	int back;

	if (ns_enter(net_node_fd(world->net, node), &back) < 0)
		_exit(126);
	shell = shell && *shell ? shell : "/bin/sh";
	name = strrchr(shell, '/') ? strrchr(shell, '/') + 1 : shell;
	snprintf(prompt, sizeof(prompt), "%s# ", node);
	setenv("PS1", prompt, 1);
	setenv("BEETLAB_RUN", net_run(world->net), 1);
	snprintf(rc, sizeof(rc), "%s/bashrc", net_dir(world->net));
	if (strcmp(name, "bash") == 0 && write_rc(rc, node))
		execlp(shell, name, "--rcfile", rc, (char *)NULL);
	execlp(shell, name, (char *)NULL);
	_exit(127);
}

/* As system(3) does, the shell alone hears Ctrl-C. */
static int run_shell(struct world *world, const char *node)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, old;
	int status = 0;
	pid_t pid;

	sigaction(SIGINT, &ignore, &old);
	pid = fork();
	if (pid == 0) {
		sigaction(SIGINT, &old, NULL);
		become_shell(world, node);
	}
	if (pid > 0)
		waitpid(pid, &status, 0);
	sigaction(SIGINT, &old, NULL);
	return pid < 0 ? EXIT_FAIL : WEXITSTATUS(status);
}

static void print_banner(const struct world *world, const char *node)
{
	size_t i;

	printf("You are in %s; no daemon runs here. The network stands until this shell ends. Its\n"
	       "nodes, for ip netns exec:\n",
	       node);
	for (i = 0; i < world->plan->topology.nodes_count; i++)
		printf("  %s-%s\n", net_run(world->net), world->plan->topology.nodes[i]);
	printf("Captures stay in %s/captures; remove them when you are done.\n", world->dir);
	fflush(stdout);
}

static int shell_in(const struct plan *plan, const char *node)
{
	char dir[] = "/tmp/beetlab-shell-XXXXXX";
	struct err_msg msg = {{0}};
	struct world world;
	int status;

	if (!mkdtemp(dir) || world_open(plan, dir, &world, &msg) < 0) {
		fprintf(stderr, "beetlab shell: %s\n", msg.text);
		return EXIT_FAIL;
	}
	print_banner(&world, node);
	status = run_shell(&world, node);
	if (world_close(&world, &msg) < 0) {
		fprintf(stderr, "beetlab shell: %s\n", msg.text);
		return EXIT_FAIL;
	}
	return status;
}

static int shell_of(const struct scenario *sc, const char *node)
{
	const struct plan_options options = {.seed = 1};
	struct err_msg msg = {{0}};
	struct plan plan;
	const char *missing;

	if (plan_make(sc, &options, &plan, &msg) < 0) {
		fprintf(stderr, "%s\n", msg.text);
		return EXIT_USAGE;
	}
	if (!node)
		node = plan.topology.nodes[0];
	if (topology_node(&plan.topology, node) < 0) {
		fprintf(stderr, "beetlab shell: %s has no node '%s'\n", sc->name, node);
		return EXIT_USAGE;
	}
	missing = run_missing(&plan);
	if (missing) {
		fprintf(stderr, "beetlab shell: %s\n", missing);
		return EXIT_SKIPPED;
	}
	return shell_in(&plan, node);
}

int cmd_shell(int argc, char **argv)
{
	struct err_msg msg = {{0}};
	struct scenario *sc;
	int status;

	if (argc < 2 || argc > 3 || argv[1][0] == '-') {
		bool asked = argc == 2 && strcmp(argv[1], "--help") == 0;

		fputs("usage: beetlab shell FILE [NODE]\n\n"
		      "Builds the network of a scenario, without running its steps, and gives a\n"
		      "shell in a node [the first]. The network goes when the shell ends.\n",
		      asked ? stdout : stderr);
		return asked ? EXIT_PASS : EXIT_USAGE;
	}
	if (scenario_load(argv[1], &sc, &msg) < 0) {
		fprintf(stderr, "%s\n", msg.text);
		return EXIT_USAGE;
	}
	status = shell_of(sc, argc == 3 ? argv[2] : NULL);
	scenario_free(sc);
	return status;
}
