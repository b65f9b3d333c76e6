/* request.c - commands to the daemon, and the three shapes of their answers: a reply, events and
 * then a reply, events without end.
 *
 * With --json the same messages are printed as JSON: a reply as an object, a stream as an array of
 * its events, an endless one as an object a line with the event's name in it. */
#include "vpn/daemon/beetctl/cli.h"

#include <stdio.h>
#include <string.h>

struct streaming {
	struct cli *cli;
	void (*print)(struct cli *cli, const struct vici_node *message);
};

void put_text(struct vici_writer *body, const char *key, const char *text)
{
	if (text)
		vici_value_str(body, key, text);
}

void put_flag(struct vici_writer *body, const char *key, bool flag)
{
	if (flag)
		vici_value_str(body, key, "yes");
}

static enum exit_code failed(const char *command, int err, const struct err_msg *msg)
{
	enum exit_code code = err == ERR_IO || err == ERR_AGAIN ? EXIT_NO_DAEMON : EXIT_FAILED;

	return fail(code, "%s: %s", command, msg->text);
}

static enum exit_code check_reply(const char *command, struct vici_tree *reply,
				  struct vici_tree *ret_reply)
{
	struct err_msg msg;
	int err = vici_reply_check(reply, &msg);

	if (err || !ret_reply)
		vici_tree_free(reply);
	else
		*ret_reply = *reply;
	return err ? failed(command, err, &msg) : EXIT_OK;
}

enum exit_code request(struct cli *cli, const char *command, struct vici_writer *body,
		       struct vici_tree *ret_reply)
{
	struct vici_tree reply;
	struct err_msg msg;
	int err = vici_client_request(cli->client, command, body, &reply, &msg);

	return err ? failed(command, err, &msg) : check_reply(command, &reply, ret_reply);
}

static void on_stream_event(void *arg, const char *event, const struct vici_node *message)
{
	struct streaming *s = arg;

	(void)event;
	if (s->cli->args.json)
		json_array_append_new(s->cli->events, json_from_vici(message));
	else
		s->print(s->cli, message);
}

enum exit_code stream(struct cli *cli, const char *command, const char *event,
		      struct vici_writer *body,
		      void (*print)(struct cli *cli, const struct vici_node *message))
{
	struct streaming s = {.cli = cli, .print = print};
	struct vici_tree reply;
	enum exit_code code;
	struct err_msg msg;
	int err;

	if (cli->args.json)
		cli->events = json_array();
	vici_client_on_event(cli->client, on_stream_event, &s);
	err = vici_client_stream(cli->client, command, event, body, &reply, &msg);
	code = err ? failed(command, err, &msg) : check_reply(command, &reply, NULL);
	if (cli->events && code == EXIT_OK)
		print_json(cli->events);
	else
		json_decref(cli->events);
	cli->events = NULL;
	return code;
}

struct following {
	bool json;
	void (*print)(const char *event, const struct vici_node *message);
};

static void on_followed_event(void *arg, const char *event, const struct vici_node *message)
{
	struct following *f = arg;
	json_t *line;

	if (!f->json) {
		f->print(event, message);
		fflush(stdout);
		return;
	}
	line = json_from_vici(message);
	json_object_set_new_nocheck(line, "event", json_string(event));
	print_json_line(line);
}

enum exit_code follow(struct cli *cli, const char *const *events,
		      void (*print)(const char *event, const struct vici_node *message))
{
	struct following f = {.json = cli->args.json, .print = print};
	struct err_msg msg;
	int err = 0;

	vici_client_on_event(cli->client, on_followed_event, &f);
	for (; *events && !err; events++)
		err = vici_client_register(cli->client, *events, &msg);
	while (!err)
		err = vici_client_wait_event(cli->client, -1, &msg);
	return fail(EXIT_NO_DAEMON, "%s", msg.text);
}
