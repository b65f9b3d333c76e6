/* peer_beetd.c - how beetd of this build is started. BEETD in the environment names the executable.
 */
#include "harness/peer.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *peer_beetd_path(void)
{
	const char *path = getenv("BEETD");

	return path ? path : BEETD_BUILT;
}

static const char *missing(void)
{
	if (access(peer_beetd_path(), X_OK) < 0)
		return "beetd is not built (BEETD in the environment names another)";
	if (access("/dev/net/tun", R_OK | W_OK) < 0)
		return "no /dev/net/tun";
	return NULL;
}

static int command(const char *dir, const struct peer_options *options,
		   struct peer_command *ret_command, struct err_msg *msg)
{
	struct peer_command *c = ret_command;
	const char *const *extra = options->beetd_args;
	size_t count = 0;

	(void)msg;
	snprintf(c->text[0], sizeof(c->text[0]), "unix://%s/charon.vici", dir);
	snprintf(c->text[1], sizeof(c->text[1]), "%s/keys", dir);
	snprintf(c->text[2], sizeof(c->text[2]), "%s/events.json", dir);
	c->argv[count++] = peer_beetd_path();
	c->argv[count++] = "--vici";
	c->argv[count++] = c->text[0];
	if (!options->quiet) {
		c->argv[count++] = "--keylog";
		c->argv[count++] = c->text[1];
		c->argv[count++] = "--events";
		c->argv[count++] = c->text[2];
	}
	c->argv[count++] = "--log";
	c->argv[count++] = options->quiet ? "0" : "2";
	/* As strongSwan has it here: a lost datagram shall cost a test little. */
	c->argv[count++] = "--retransmit-timeout";
	c->argv[count++] = "0.5";
	c->argv[count++] = "--retransmit-base";
	c->argv[count++] = "1.5";
	while (extra && *extra && count < 31)
		c->argv[count++] = *extra++;
	return 0;
}

const struct peer_driver peer_beetd = {.name = "beetd", .missing = missing, .command = command};
