/* support.h - what the tests that make namespaces share. */
#ifndef NETNS_TESTS_SUPPORT_H
#define NETNS_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "netns/net.h"
#include "netns/process.h"
#include "netns/seed_topology.h"

/* Fails the test with the sentence of the error. */
#define assert_ok(err, msg)                          \
	do {                                         \
		if ((err) < 0)                       \
			fail_msg("%s", (msg)->text); \
	} while (0)

static inline void skip_without_root(void)
{
	if (geteuid() != 0) {
		printf("SKIP: needs root, to make network namespaces\n");
		exit(77);
	}
}

static inline struct net *build_seed(enum seed_nat nat)
{
	struct err_msg msg = {{0}};
	struct topology topo;
	struct net *net = NULL;

	seed_topology(nat, &topo);
	assert_ok(net_build(&topo, &net, &msg), &msg);
	return net;
}

static inline void free_net(struct net *net)
{
	struct err_msg msg = {{0}};

	assert_ok(net_free(net, &msg), &msg);
}

/* The exit status of a program in a node; its output is shown if it is not 0. */
static inline int run(struct net *net, const char *node, const char *const *argv)
{
	const struct process_spec spec = {.node = node, .argv = argv};
	struct process_output output = {0};
	struct err_msg msg = {{0}};
	int status = -1;

	assert_ok(process_run(net, &spec, 20000, &status, &output, &msg), &msg);
	if (status != 0)
		print_message("%s: status %d: %s\n", argv[0], status, output.text);
	process_output_free(&output);
	return status;
}

static inline int ping(struct net *net, const char *node, const char *addr)
{
	const char *const argv[] = {"ping", "-n", "-c1", "-W5", addr, NULL};

	return run(net, node, argv);
}

#endif
