/* peer_command.c - what a daemon is told: by swanctl, as a person would, or by vici itself. */
#include "harness/peer_internal.h"

#include "vpn/vici/client/client.h"
#include <stdio.h>
#include <string.h>

#define SWANCTL_TIMEOUT_MS 20000

int peer_swanctl(struct peer *peer, const char *const *args, int *ret_status,
		 struct process_output *ret_output, struct err_msg *msg)
{
	const struct process_bind bind = {.from = peer->swanctl_dir, .to = "/etc/swanctl"};
	const char *argv[32] = {"swanctl"};
	const struct process_spec spec = {
	    .node = peer->node, .argv = argv, .binds = &bind, .binds_count = 1};
	size_t count = 1;

	while (*args && count < 29)
		argv[count++] = *args++;
	argv[count++] = "--uri";
	argv[count++] = peer->uri;
	return process_run(peer->net, &spec, SWANCTL_TIMEOUT_MS, ret_status, ret_output, msg);
}

int peer_load(struct peer *peer, const char *conf, struct err_msg *msg)
{
	static const char *const args[] = {"--load-all", "--noprompt", NULL};
	struct process_output output = {0};
	int status = 0, err = peer_write(peer, "swanctl.conf", conf, strlen(conf), msg);

	if (err == 0)
		err = peer_swanctl(peer, args, &status, &output, msg);
	if (err == 0 && status != 0)
		err = err_set(msg, ERR_STATE, "%s: swanctl: status %d: %.400s", peer->node, status,
			      output.text);
	process_output_free(&output);
	return err;
}

int peer_request(struct peer *peer, const char *command, struct vici_writer *body,
		 unsigned timeout_ms, struct err_msg *msg)
{
	struct vici_client *client;
	struct vici_tree reply = {0};
	int err = vici_client_open(peer->uri, &client, msg);

	if (err < 0)
		return err;
	vici_client_set_timeout(client, (int)timeout_ms + REQUEST_TIMEOUT_MS);
	err = vici_client_request(client, command, body, &reply, msg);
	if (err == 0) {
		err = vici_reply_check(&reply, msg);
		vici_tree_free(&reply);
	}
	vici_client_close(client);
	return err;
}

static int initiate(struct peer *peer, const char *child, int timeout_ms, struct err_msg *msg)
{
	struct vici_writer body = {0};
	int err;

	vici_value_str(&body, "child", child);
	vici_value_fmt(&body, "timeout", "%d", timeout_ms);
	vici_value_str(&body, "loglevel", "-1");
	err = peer_request(peer, "initiate", &body, timeout_ms < 0 ? 0 : (unsigned)timeout_ms, msg);
	vici_writer_free(&body);
	return err;
}

int peer_initiate(struct peer *peer, const char *child, unsigned timeout_ms, struct err_msg *msg)
{
	return initiate(peer, child, (int)timeout_ms, msg);
}

int peer_initiate_async(struct peer *peer, const char *child, struct err_msg *msg)
{
	return initiate(peer, child, -1, msg);
}

static int terminate(struct peer *peer, const struct peer_sa_name *sa, bool force, int timeout_ms,
		     struct err_msg *msg)
{
	struct vici_writer body = {0};
	int err;

	vici_value_str(&body, sa->child ? "child" : "ike", sa->child ? sa->child : sa->ike);
	vici_value_str(&body, "force", force ? "yes" : "no");
	vici_value_fmt(&body, "timeout", "%d", timeout_ms);
	vici_value_str(&body, "loglevel", "-1");
	err =
	    peer_request(peer, "terminate", &body, timeout_ms < 0 ? 0 : (unsigned)timeout_ms, msg);
	vici_writer_free(&body);
	return err;
}

int peer_terminate(struct peer *peer, const struct peer_sa_name *sa, unsigned timeout_ms,
		   struct err_msg *msg)
{
	return terminate(peer, sa, false, (int)timeout_ms, msg);
}

int peer_kill_sa(struct peer *peer, const struct peer_sa_name *sa, struct err_msg *msg)
{
	return terminate(peer, sa, true, -1, msg);
}
