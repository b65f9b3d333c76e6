/* info.c - the daemon itself: version, statistics, counters, log. Formats are swanctl's; the log
 * names the IKE SA that a line is about. */
#include "vpn/daemon/beetctl/cli.h"

#include <stdio.h>
#include <string.h>

static enum exit_code daemon_version(struct cli *cli)
{
	struct vici_tree reply;
	struct err_msg msg;
	enum exit_code code;

	if (vici_client_open(cli->args.uri, &cli->client, &msg))
		return fail(EXIT_NO_DAEMON, "%s", msg.text);
	code = request(cli, "version", NULL, &reply);
	if (!code) {
		if (cli->args.json)
			print_json(json_from_vici(reply.root));
		else
			printf("%s %s (%s, %s, %s)\n", text_at(reply.root, "daemon", "?"),
			       text_at(reply.root, "version", "?"),
			       text_at(reply.root, "sysname", "?"),
			       text_at(reply.root, "release", "?"),
			       text_at(reply.root, "machine", "?"));
		vici_tree_free(&reply);
	}
	vici_client_close(cli->client);
	return code;
}

enum exit_code run_version(struct cli *cli)
{
	if (cli->args.daemon)
		return daemon_version(cli);
	if (cli->args.json)
		print_json(
		    json_pack("{s:s, s:s}", "program", "beetctl", "version", BEETLAB_VERSION));
	else
		printf("beetctl %s\n", BEETLAB_VERSION);
	return EXIT_OK;
}

static void print_priorities(const char *label, const struct vici_node *section)
{
	printf("%s%s/%s/%s/%s\n", label, text_at(section, "critical", "0"),
	       text_at(section, "high", "0"), text_at(section, "medium", "0"),
	       text_at(section, "low", "0"));
}

static void print_stats(const struct vici_node *stats)
{
	const struct vici_node *uptime = vici_find(stats, "uptime");
	const struct vici_node *workers = vici_find(stats, "workers");
	const struct vici_node *sas = vici_find(stats, "ikesas");

	printf("uptime: %s, since %s\n", text_at(uptime, "running", "?"),
	       text_at(uptime, "since", "?"));
	printf("worker threads: %s total, %s idle, ", text_at(workers, "total", "0"),
	       text_at(workers, "idle", "0"));
	print_priorities("working: ", vici_find(workers, "active"));
	print_priorities("job queues: ", vici_find(stats, "queues"));
	printf("jobs scheduled: %s\n", text_at(stats, "scheduled", "0"));
	printf("IKE_SAs: %s total, %s half-open\n", text_at(sas, "total", "0"),
	       text_at(sas, "half-open", "0"));
	print_list("", "loaded plugins: ", vici_find(stats, "plugins"));
}

enum exit_code run_stats(struct cli *cli)
{
	struct vici_tree reply;
	enum exit_code code = request(cli, "stats", NULL, &reply);

	if (code)
		return code;
	if (cli->args.json)
		print_json(json_from_vici(reply.root));
	else
		print_stats(reply.root);
	vici_tree_free(&reply);
	return EXIT_OK;
}

static void print_counters(const struct vici_node *counters)
{
	const struct vici_node *conn, *count;

	for (conn = counters ? counters->child : NULL; conn; conn = conn->next) {
		printf("%s:\n", *conn->name ? conn->name : "global");
		for (count = conn->child; count; count = count->next)
			printf("  %-21s : %s\n", count->name, count->text);
	}
}

enum exit_code run_counters(struct cli *cli)
{
	const char *command = cli->args.reset ? "reset-counters" : "get-counters";
	struct vici_writer body = {0};
	struct vici_tree reply;
	enum exit_code code;

	put_text(&body, "name", cli->args.name);
	put_flag(&body, "all", cli->args.all);
	code = request(cli, command, &body, &reply);
	vici_writer_free(&body);
	if (code)
		return code;
	if (cli->args.json)
		print_json(json_from_vici(reply.root));
	else if (cli->args.reset)
		printf("reset-counters completed successfully\n");
	else
		print_counters(vici_find(reply.root, "counters"));
	vici_tree_free(&reply);
	return EXIT_OK;
}

static void print_log_line(const char *event, const struct vici_node *message)
{
	const char *name = vici_text(message, "ikesa-name");

	(void)event;
	printf("[%s] ", text_at(message, "group", "?"));
	if (name)
		printf("<%s|%s> ", name, text_at(message, "ikesa-uniqueid", "?"));
	printf("%s\n", text_at(message, "msg", ""));
}

enum exit_code run_log(struct cli *cli)
{
	static const char *const events[] = {"log", NULL};

	return follow(cli, events, print_log_line);
}

static enum exit_code simple(struct cli *cli, const char *command, struct vici_writer *body)
{
	enum exit_code code = request(cli, command, body, NULL);

	if (!code && cli->args.json)
		print_json(json_pack("{s:s}", "success", "yes"));
	return code;
}

enum exit_code run_flush_certs(struct cli *cli)
{
	struct vici_writer body = {0};
	enum exit_code code;

	put_text(&body, "type", cli->args.type);
	code = simple(cli, "flush-certs", &body);
	vici_writer_free(&body);
	return code;
}

enum exit_code run_reload_settings(struct cli *cli)
{
	return simple(cli, "reload-settings", NULL);
}
