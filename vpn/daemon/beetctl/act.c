/* act.c - commands that change SAs, with the daemon's log of what happens meanwhile.
 *
 * The daemon answers when it is done, failed, or the time is over; until then its control-log
 * events are printed as they come. What was begun goes on without us. */
#include "vpn/daemon/beetctl/cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vpn/vici/value.h"

static void print_log(struct cli *cli, const struct vici_node *message)
{
	(void)cli;
	printf("[%s] %s\n", text_at(message, "group", "?"), text_at(message, "msg", ""));
	fflush(stdout);
}

/* Seconds on the command line, milliseconds in the message; -1: do not wait. */
static enum exit_code put_timeout(struct vici_writer *body, const char *text)
{
	uint64_t seconds;

	if (!text)
		return EXIT_OK;
	if (!strcmp(text, "-1")) {
		vici_value_str(body, "timeout", "-1");
		return EXIT_OK;
	}
	if (vici_parse_uint(text, UINT32_MAX / 1000, &seconds))
		return fail(EXIT_USAGE, "--timeout %s: expected seconds, or -1", text);
	vici_value_fmt(body, "timeout", "%" PRIu64, seconds * 1000);
	return EXIT_OK;
}

static void put_selector(struct vici_writer *body, const struct args *a)
{
	put_text(body, "child", a->child ? a->child : a->positional);
	put_text(body, "ike", a->ike);
	put_text(body, "child-id", a->child_id);
	put_text(body, "ike-id", a->ike_id);
}

static bool nothing_selected(const struct args *a)
{
	return !a->child && !a->positional && !a->ike && !a->child_id && !a->ike_id;
}

/* The command with its log; body is released. */
static enum exit_code act(struct cli *cli, const char *command, struct vici_writer *body)
{
	enum exit_code code = put_timeout(body, cli->args.timeout);

	if (!code && nothing_selected(&cli->args))
		code = fail(EXIT_USAGE, "%s: of what? Give --child or --ike", command);
	put_text(body, "loglevel", cli->args.loglevel ? cli->args.loglevel : "1");
	if (!code)
		code = stream(cli, command, "control-log", body, print_log);
	vici_writer_free(body);
	if (!code && !cli->args.json)
		printf("%s completed successfully\n", command);
	return code;
}

enum exit_code run_initiate(struct cli *cli)
{
	struct vici_writer body = {0};

	put_selector(&body, &cli->args);
	return act(cli, "initiate", &body);
}

enum exit_code run_terminate(struct cli *cli)
{
	struct vici_writer body = {0};

	put_selector(&body, &cli->args);
	put_flag(&body, "force", cli->args.force);
	return act(cli, "terminate", &body);
}

enum exit_code run_rekey(struct cli *cli)
{
	struct vici_writer body = {0};
	struct vici_tree reply;
	enum exit_code code;

	if (nothing_selected(&cli->args))
		return fail(EXIT_USAGE, "rekey: of what? Give --child or --ike");
	put_selector(&body, &cli->args);
	put_flag(&body, "reauth", cli->args.reauth);
	code = request(cli, "rekey", &body, &reply);
	vici_writer_free(&body);
	if (code)
		return code;
	if (cli->args.json)
		print_json(json_from_vici(reply.root));
	else
		printf("rekey completed successfully\n");
	vici_tree_free(&reply);
	return EXIT_OK;
}
