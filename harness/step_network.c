/* step_network.c - steps that change the network, and commands in its nodes. */
#include "harness/step.h"
#include "harness/wires.h"
#include "netns/ns.h"
#include "netns/process.h"
#include "netns/wait.h"
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define COMMAND_MS 60000

/* A delete without a filter deletes all. Returns 0 or an errno. */
static int flush_conntrack(void)
{
	struct {
		struct nlmsghdr header;
		struct nfgenmsg family;
	} request = {
	    .header = {.nlmsg_len = sizeof(request),
		       .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
	};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} answer = {.error.error = -EIO};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	if (fd < 0 || send(fd, &request, sizeof(request), 0) < 0 ||
	    recv(fd, &answer, sizeof(answer), MSG_TRUNC) < 0)
		answer.error.error = -errno;
	if (fd >= 0)
		close(fd);
	return -answer.error.error;
}

int step_nat_reboot(struct world *world, const struct sc_step *step, struct step_outcome *outcome,
		    struct err_msg *msg)
{
	int back, failed, err;

	(void)outcome;
	if (wires_has_nat(world, step->node))
		return wires_reboot_nat(world, step->node, msg);
	err = ns_enter(net_node_fd(world->net, step->node), &back);
	if (err < 0)
		return err_set(msg, err, "%s: cannot enter the namespace", step->node);
	failed = flush_conntrack();
	ns_leave(back);
	return failed ? err_set(msg, ERR_IO, "%s: mappings cannot be deleted: %s", step->node,
				strerror(failed))
		      : 0;
}

int step_impair(struct world *world, const struct sc_step *step, struct step_outcome *outcome,
		struct err_msg *msg)
{
	(void)outcome;
	return world_impair(world, step->wire, &step->impairment, msg);
}

int step_release(struct world *world, const struct sc_step *step, struct step_outcome *outcome,
		 struct err_msg *msg)
{
	unsigned released = 0;
	int err = world_release(world, step->wire, step->name, &released, msg);

	snprintf(outcome->seen, sizeof(outcome->seen), "%u packets let go", released);
	if (err == 0 && released == 0)
		err = err_set(msg, ERR_STATE, "nothing was held on %s", step->wire);
	return err;
}

/* An end under test is named in the environment: its vici socket and its directory. */
static void add_environment(struct world *world, const char *node, char text[2][192],
			    const char *env[3])
{
	struct peer *peer = world_peer(world, node);

	env[0] = NULL;
	if (!peer)
		return;
	snprintf(text[0], 192, "VICI=unix://%s/charon.vici", peer_dir(peer));
	snprintf(text[1], 192, "PEER_DIR=%s", peer_dir(peer));
	env[0] = text[0];
	env[1] = text[1];
	env[2] = NULL;
}

int step_command(struct world *world, const struct sc_step *step, unsigned timeout_ms,
		 struct step_outcome *outcome, int *ret_status, struct err_msg *msg)
{
	const char *const argv[] = {"sh", "-c", step->run, NULL};
	const char *env[3];
	char text[2][192];
	const struct process_spec spec = {.node = step->node, .argv = argv, .env = env};
	struct process_output output = {0};
	int err;

	add_environment(world, step->node, text, env);
	err = process_run(world->net, &spec, timeout_ms, ret_status, &output, msg);
	if (output.text)
		snprintf(outcome->seen, sizeof(outcome->seen), "%.399s",
			 output.text + (output.len > 390 ? output.len - 390 : 0));
	if (err == 0 && step->show && !strstr(output.text, step->show))
		err = err_set(msg, ERR_STATE, "no '%s' in: %.300s", step->show, output.text);
	process_output_free(&output);
	return err;
}

int step_shell(struct world *world, const struct sc_step *step, struct step_outcome *outcome,
	       struct err_msg *msg)
{
	int status = 0;
	int err = step_command(world, step, step->within_ms ? step->within_ms : COMMAND_MS, outcome,
			       &status, msg);

	if (err == 0 && status != 0)
		err = err_set(msg, ERR_STATE, "status %d: %.300s", status, outcome->seen);
	return err;
}

int step_background(struct world *world, const struct sc_step *step, struct step_outcome *outcome,
		    struct err_msg *msg)
{
	const char *const argv[] = {"sh", "-c", step->run, NULL};
	char log[4096], text[2][192];
	const char *env[3];
	const struct process_spec spec = {.node = step->node, .argv = argv, .env = env, .log = log};
	struct process **grown;

	(void)outcome;
	add_environment(world, step->node, text, env);
	snprintf(log, sizeof(log), "%s/background-%zu.log", world->dir,
		 world->background_count + 1);
	grown =
	    realloc(world->background, sizeof(struct process *) * (world->background_count + 1));
	if (!grown)
		return err_set(msg, ERR_NOMEM, "out of memory");
	world->background = grown;
	if (process_start(world->net, &spec, &grown[world->background_count], msg) < 0)
		return ERR_IO;
	world->background_count++;
	return 0;
}

int step_idle(struct world *world, const struct sc_step *step, struct step_outcome *outcome,
	      struct err_msg *msg)
{
	(void)world;
	(void)outcome;
	(void)msg;
	poll(NULL, 0, (int)step->within_ms);
	return 0;
}

int step_faults(struct world *world, const struct sc_step *step, struct step_outcome *outcome,
		struct err_msg *msg)
{
	(void)world;
	(void)step;
	(void)outcome;
	return err_set(msg, ERR_UNSUPPORTED, "faults by seed are for 'beetlab sim'");
}
