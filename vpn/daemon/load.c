/* load.c - --config: reads a swanctl.conf and carries out what `swanctl --load-all` would send.
 *
 * The file becomes vici messages (vpn/config), which go through a control session like any
 * client's, so that there is one meaning of a configuration. Private keys alone are decrypted here
 * first. With errors in the file nothing is loaded; connections that an earlier load brought and
 * the file no longer has are unloaded, also as swanctl does. Credentials are replaced as a whole.
 */
#include "vpn/daemon/daemon.h"

#include <stdlib.h>
#include <string.h>

#include "vpn/config/load.h"
#include "vpn/control/control.h"

#define FRAME_LENGTH 4 /* octets of a frame's length (vpn/vici/vici.h) */

struct loading {
	struct daemon *daemon;
	struct control_session *session;
	struct err_msg *msg;
	bool failed; /* msg holds the first failure, which is the caller's to show */
};

static void say(void *ctx, bool is_error, const char *line)
{
	struct loading *l = ctx;

	if (!is_error || l->failed) {
		daemon_log(l->daemon, LOG_CFG, is_error ? 0 : 1, "%s", line);
		return;
	}
	err_set(l->msg, ERR_SYNTAX, "%s", line);
	l->failed = true;
}

static void fail(struct loading *l, const struct load_message *m, const char *why)
{
	char line[sizeof(l->msg->text)];

	snprintf(line, sizeof(line), "%s:%u: %s %s: %s", m->at.file, m->at.line, m->command,
		 m->name, why);
	say(l, true, line);
}

/* "success" of the answer; the reason if it is not "yes". */
static int judge_answer(struct loading *l, const struct load_message *m,
			const struct vici_node *root)
{
	const char *success = vici_text(root, "success");
	const char *reason = vici_text(root, "errmsg");

	if (success && strcmp(success, "yes") == 0)
		return 0;
	fail(l, m, reason ? reason : "refused");
	return ERR_INVALID;
}

/* What the control answered to the one command that was sent. */
static int read_answer(struct loading *l, const struct load_message *m)
{
	struct view octets = control_session_output(l->session);
	struct vici_packet packet;
	struct vici_tree tree;
	int err = ERR_STATE;

	if (octets.len < FRAME_LENGTH ||
	    vici_packet_parse((struct view){octets.p + FRAME_LENGTH, octets.len - FRAME_LENGTH},
			      &packet, NULL) ||
	    packet.type != VICI_CMD_RESPONSE || vici_parse(packet.message, &tree, NULL)) {
		fail(l, m, "no answer");
	} else {
		err = judge_answer(l, m, tree.root);
		vici_tree_free(&tree);
	}
	control_session_sent(l->session, octets.len);
	return err;
}

static int send_message(struct loading *l, const struct load_message *m, struct view body)
{
	struct vici_writer frame = {0};
	struct view octets;
	int err;

	vici_begin(&frame, VICI_CMD_REQUEST, m->command);
	vici_raw(&frame, body);
	err = vici_finish(&frame, &octets);
	if (!err)
		err = control_session_input(l->session, octets, daemon_now());
	if (!err)
		err = read_answer(l, m);
	else
		fail(l, m, err_text(err));
	vici_writer_free(&frame);
	return err;
}

static int load_key(struct loading *l, const struct load_message *m)
{
	struct view blob = {(const uint8_t *)m->key, m->key_len};
	struct privkey *key;
	struct err_msg why;
	int err;

	err = privkey_load(blob, m->passphrase, &key, &why);
	if (err) {
		fail(l, m, why.text);
		return err;
	}
	err = node_add_key(l->daemon->node, key);
	privkey_unref(key);
	return err;
}

static int carry_out(struct loading *l, struct load_message *m)
{
	struct view body;
	int err;

	if (m->kind == LOADED_KEY)
		return load_key(l, m);
	err = vici_finish(&m->body, &body);
	if (err) {
		fail(l, m, err_text(err));
		return err;
	}
	return send_message(l, m, body);
}

static bool plan_has_conn(const struct load_plan *plan, const char *name)
{
	size_t i;

	for (i = 0; i < plan->n; i++) {
		if (plan->v[i].kind == LOADED_CONN && strcmp(plan->v[i].name, name) == 0)
			return true;
	}
	return false;
}

static void unload_others(struct daemon *d, const struct load_plan *plan)
{
	size_t i = node_conn_count(d->node);
	const char *name;

	while (i-- > 0) {
		name = node_conn(d->node, i)->name;
		if (!plan_has_conn(plan, name))
			node_unload_conn(d->node, name);
	}
}

static int carry_out_all(struct loading *l, struct load_plan *plan)
{
	int err, first = 0;
	size_t i;

	node_clear_creds(l->daemon->node);
	unload_others(l->daemon, plan);
	for (i = 0; i < plan->n; i++) {
		err = carry_out(l, &plan->v[i]);
		if (!first)
			first = err;
	}
	return first;
}

/* The file's own directory, which holds x509/ and private/ as /etc/swanctl does. */
static char *directory_of(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash ? strndup(file, (size_t)(slash - file)) : strdup(".");
}

static int load_file(struct loading *l, const char *dir)
{
	struct load_request request = {
	    .fs = conf_fs_host(), .file = l->daemon->options->config, .dir = dir, .what = LOAD_ALL};
	struct conf_diag diag = {.ctx = l, .say = say};
	struct load_plan plan;
	int err;

	err = load_plan_make(&request, &diag, &plan);
	if (err)
		return err;
	l->session = control_session_new(l->daemon->control);
	err = l->session ? carry_out_all(l, &plan) : ERR_NOMEM;
	control_session_free(l->session);
	load_plan_free(&plan);
	return err;
}

int daemon_load(struct daemon *d, struct err_msg *msg)
{
	struct loading l = {.daemon = d, .msg = msg};
	char *dir = directory_of(d->options->config);
	int err;

	err_set(msg, ERR_INVALID, "%s: cannot be loaded", d->options->config);
	if (!dir)
		return ERR_NOMEM;
	err = load_file(&l, dir);
	free(dir);
	return err;
}
