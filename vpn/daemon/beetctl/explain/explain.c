/* explain.c - beetctl explain CONNECTION: the questions of somebody whose tunnel fails, asked of
 * the running system. Changes nothing. */
#include <stdio.h>
#include <stdlib.h>

#include "vpn/daemon/beetctl/cli.h"
#include "vpn/daemon/beetctl/explain/print.h"
#include "vpn/vici/value.h"

#define WATCH_MAX 3600 /* seconds */

/* Where the network was not asked, nothing found is no clean bill of health. */
static enum exit_code verdict(const struct facts *f, const struct findings *found)
{
	if (live_have_fault(found))
		return EXIT_FAILED;
	return f->kernel_known ? EXIT_OK : EXIT_PARTLY;
}

static enum exit_code show(const struct cli *cli, const struct facts *f)
{
	struct findings *found = calloc(1, sizeof(*found));
	enum exit_code code;

	if (!found)
		return fail(EXIT_FAILED, "out of memory");
	live_find(f, found);
	if (cli->args.json)
		print_json(live_json(f, found));
	else
		live_print(stdout, f, found);
	code = verdict(f, found);
	free(found);
	return code;
}

enum exit_code run_explain(struct cli *cli)
{
	const char *conn = cli->args.ike ? cli->args.ike : cli->args.positional;
	struct facts *f;
	struct err_msg msg;
	enum exit_code code;
	uint64_t watch = 0;
	int err;

	if (!conn)
		return fail(EXIT_USAGE, "explain: which connection? See beetctl list-conns");
	if (cli->args.watch && vici_parse_uint(cli->args.watch, WATCH_MAX, &watch))
		return fail(EXIT_USAGE, "--watch %s: expected seconds, at most %d", cli->args.watch,
			    WATCH_MAX);
	err = live_gather(cli->client, conn, (unsigned)watch, &f, &msg);
	if (err)
		return fail(err == ERR_IO || err == ERR_AGAIN ? EXIT_NO_DAEMON : EXIT_USAGE, "%s",
			    msg.text);
	code = show(cli, f);
	live_free(f);
	return code;
}
