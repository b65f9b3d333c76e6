/* main.c - beetctl: loads swanctl.conf into beetd (or strongSwan's charon), acts on and shows what
 * is there.
 *
 * One process, one connection, one command. The verbs and their options are swanctl's. */
#include "vpn/daemon/beetctl/cli.h"

#include <stdio.h>
#include <stdlib.h>

static enum exit_code connect_and_run(struct cli *cli)
{
	struct err_msg msg;
	enum exit_code code;

	if (vici_client_open(cli->args.uri, &cli->client, &msg))
		return fail(EXIT_NO_DAEMON, "%s", msg.text);
	code = cli->command->run(cli);
	vici_client_close(cli->client);
	return code;
}

int main(int argc, char **argv)
{
	struct cli cli = {.args = {.uri = VICI_DEFAULT_URI}};
	enum exit_code code;
	bool done;

	code = options_parse(argc, argv, &cli, &done);
	if (done)
		return code;
	code = cli.command->needs_daemon ? connect_and_run(&cli) : cli.command->run(&cli);
	if (fflush(stdout) != 0 || ferror(stdout))
		code = fail(EXIT_FAILED, "cannot write to stdout: %m");
	return code;
}
