/* end_load.c - the scenario's swanctl.conf into an end: what vpn/daemon/load.c does for beetd, from
 * text and from credentials in memory (credentials.c) instead of files.
 *
 * The text becomes vici messages through vpn/config, and these go through a control session, so
 * that options mean here what they mean in beetd. */
#include "harness/sim/end_internal.h"
#include "vpn/config/load.h"
#include <stdio.h>
#include <string.h>

struct loading {
	struct sim_end *end;
	struct err_msg *msg;
	bool failed;
};

static void say(void *ctx, bool is_error, const char *line)
{
	struct loading *l = ctx;

	if (!is_error || l->failed)
		return;
	err_set(l->msg, ERR_SYNTAX, "%s: %s", sim_end_name(l->end), line);
	l->failed = true;
}

static int load_key(struct sim_end *end, const struct load_message *m, struct err_msg *msg)
{
	struct view blob = {(const uint8_t *)m->key, m->key_len};
	struct privkey *key;
	int err = privkey_load(blob, m->passphrase, &key, msg);

	if (err < 0)
		return err;
	err = node_add_key(end->node, key);
	privkey_unref(key);
	return err;
}

static int send_message(struct sim_end *end, struct load_message *m, struct err_msg *msg)
{
	struct vici_writer frame = {0};
	struct view body, octets;
	int err = vici_finish(&m->body, &body);

	if (err == 0) {
		vici_begin(&frame, VICI_CMD_REQUEST, m->command);
		vici_raw(&frame, body);
		err = vici_finish(&frame, &octets);
	}
	if (err == 0)
		err = control_session_input(end->session, octets, sim_end_now(end, end->now));
	vici_writer_free(&frame);
	end_perform(end);
	return err < 0 ? err : sim_end_answered(end, msg);
}

static int carry_out(struct sim_end *end, struct load_plan *plan, struct err_msg *msg)
{
	size_t i;
	int err = 0;

	node_clear_creds(end->node);
	for (i = 0; i < plan->n && err == 0; i++)
		err = plan->v[i].kind == LOADED_KEY ? load_key(end, &plan->v[i], msg)
						    : send_message(end, &plan->v[i], msg);
	return err;
}

int sim_end_load(struct sim_end *end, int64_t now, struct err_msg *msg)
{
	const struct load_request request = {.fs = end->spec.fs,
					     .file = "/swanctl/swanctl.conf",
					     .dir = "/swanctl",
					     .what = LOAD_ALL};
	const char *text = end->spec.plan->config;
	struct loading l = {.end = end, .msg = msg};
	struct conf_diag diag = {.ctx = &l, .say = say};
	struct load_plan plan;
	int err;

	if (!end->node)
		return err_set(msg, ERR_STATE, "%s is not running", sim_end_name(end));
	end->now = now;
	err = load_plan_make_text(&request, text, strlen(text), &diag, &plan);
	if (err < 0)
		return err;
	err = carry_out(end, &plan, msg);
	load_plan_free(&plan);
	return err;
}
