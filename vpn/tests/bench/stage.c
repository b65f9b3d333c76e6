/* stage.c - the tables of the two-node network. Each contestant has a network of its own, so that
 * all of them may stand at once and take turns. */
#include "vpn/tests/bench/stage.h"
#include "netns/process.h"
#include <stdio.h>

#define SCRIPT_MS    20000
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

int stage_build(struct net **ret_net, struct err_msg *msg)
{
	static const char *const nodes[] = {"a", "b"};
	static const struct topo_link links[] = {
	    {.a = {"a", "eth0"}, .b = {"b", "eth0"}, .offloads = true}};
	static const struct topo_address addresses[] = {{"a", "eth0", A_OUTER "/24"},
							{"b", "eth0", B_OUTER "/24"}};
	static const struct topology topo = {.nodes = nodes,
					     .nodes_count = COUNT(nodes),
					     .links = links,
					     .links_count = COUNT(links),
					     .addresses = addresses,
					     .addresses_count = COUNT(addresses)};

	return net_build(&topo, ret_net, msg);
}

int stage_script(struct net *net, pid_t inside, const char *script, const char *const args[4],
		 struct err_msg *msg)
{
	char target[32];
	const char *const argv[] = {"nsenter", target,	"--mount", "--net", "sh",    "-euc", script,
				    "sh",      args[0], args[1],   args[2], args[3], NULL};
	const struct process_spec spec = {.argv = argv};
	struct process_output output = {0};
	int status = 0, err;

	snprintf(target, sizeof(target), "--target=%d", (int)inside);
	err = process_run(net, &spec, SCRIPT_MS, &status, &output, msg);
	if (err == 0 && status != 0)
		err = err_set(msg, ERR_STATE, "script: status %d: %.300s", status, output.text);
	process_output_free(&output);
	return err;
}
