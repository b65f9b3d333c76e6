/* main.c - beetd's start and end.
 *
 * The start goes from what is cheap to refuse to what has effects: files and locks, the control
 * socket, then the data plane (ports, privileges, TUN), the node and the configuration. Clients
 * wait in the control socket's backlog until the loop runs. Whatever fails gives one line and exit
 * code 1; teardown() undoes what was done, after a failure as after a run, so that nothing stays
 * behind. */
#include "vpn/daemon/daemon.h"

#include <stdlib.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include "vpn/control/control.h"
#include "vpn/daemon/preflight.h"

static int open_files(struct daemon *d, struct err_msg *msg)
{
	const struct beetd_options *o = d->options;
	int err;

	d->instance.fd = -1;
	err = instance_open(&d->instance, o->pid_file, msg);
	if (!err && o->events)
		err = events_open(&d->events, o->events, msg);
	if (!err && o->keylog)
		err = keylog_open(&d->keylog, o->keylog, msg);
	return err;
}

static void log_control(void *ctx, int level, const char *text)
{
	daemon_log(ctx, LOG_CFG, level, "%s", text);
}

/* What `swanctl --version --daemon` shows. */
static struct control_env control_environment(struct daemon *d)
{
	static struct utsname host;
	struct node_env env = daemon_env(d);

	uname(&host);
	return (struct control_env){.ctx = d,
				    .daemon = "beetd",
				    .version = BEETLAB_VERSION,
				    .sysname = host.sysname,
				    .release = host.release,
				    .machine = host.machine,
				    .wall = env.wall,
				    .log = log_control,
				    .drops = env_drops};
}

static int open_node(struct daemon *d, struct err_msg *msg)
{
	struct ike_options ike = d->options->ike;
	struct node_env env = daemon_env(d);
	struct control_env control;

	ike.port = dataplane_port(d->dp, false);
	ike.port_natt = dataplane_port(d->dp, true);
	d->node = node_new(&env, &ike);
	if (!d->node)
		return err_set(msg, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	node_log_keys(d->node, d->options->keylog != NULL);
	control = control_environment(d);
	d->control = control_new(d->node, &control, daemon_now());
	return d->control ? 0 : err_set(msg, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
}

static int setup(struct daemon *d, struct err_msg *msg)
{
	int err;

	err = loop_init(d, msg);
	if (!err)
		err = open_files(d, msg);
	if (!err)
		err = vici_server_new(d, d->options->vici, msg);
	if (!err)
		err = preflight_tun(msg);
	if (!err)
		err = dataplane_new(&d->options->dp, &d->dp, msg);
	if (!err)
		err = network_open(d, msg);
	if (!err)
		err = open_node(d, msg);
	if (!err)
		err = loop_start(d, msg);
	if (!err && d->options->config)
		err = daemon_load(d, msg);
	return err;
}

static void teardown(struct daemon *d)
{
	if (d->server)
		vici_server_stop(d->server);
	loop_free(d);
	vici_server_free(d->server);
	control_free(d->control);
	node_free(d->node);
	dataplane_free(d->dp);
	network_close(d);
	installed_free(&d->installed);
	keylog_close(&d->keylog);
	events_close(&d->events);
	instance_close(&d->instance);
}

/* Keys are in memory from here on: no core dump may hold them, nobody may attach (prctl(2)). */
static void forbid_dumps(void)
{
	const struct rlimit none = {0, 0};

	prctl(PR_SET_DUMPABLE, 0);
	setrlimit(RLIMIT_CORE, &none);
}

static void announce(struct daemon *d)
{
	daemon_log(d, LOG_DMN, 1,
		   "beetd " BEETLAB_VERSION " started, ports %u and %u, control socket %s",
		   dataplane_port(d->dp, false), dataplane_port(d->dp, true), d->options->vici);
	if (d->options->keylog)
		daemon_log(d, LOG_DMN, 0,
			   "KEY LOG IS ON: all session keys are written to %s, whoever reads them "
			   "reads the traffic",
			   d->options->keylog);
	events_write_daemon(&d->events, "started", d->options->vici, daemon_unix_time());
	instance_notify("READY=1");
}

static int run(struct daemon *d)
{
	struct err_msg msg;

	if (setup(d, &msg)) {
		fprintf(stderr, "beetd: %s\n", msg.text);
		teardown(d);
		return EXIT_FAILURE;
	}
	announce(d);
	loop_run(d);
	daemon_log(d, LOG_DMN, 1, "stopped");
	events_write_daemon(&d->events, "stopped", "", daemon_unix_time());
	teardown(d);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static struct beetd_options options;
	static struct daemon daemon_state;
	struct log log;
	int code = EXIT_SUCCESS;

	log_init(&log);
	signal(SIGPIPE, SIG_IGN);
	switch (options_parse(argc, argv, &options, &log)) {
	case OPTIONS_BAD:
		code = 2;
		break;
	case OPTIONS_DONE:
		break;
	case OPTIONS_RUN:
		if (!options.keylog)
			forbid_dumps();
		daemon_state.options = &options;
		daemon_state.log = &log;
		code = run(&daemon_state);
		break;
	}
	log_close(&log);
	return code;
}
