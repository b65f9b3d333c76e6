/* loop.c - the event loop: everything that makes the daemon do something comes through here.
 *
 *     timer       the node's or the control's next deadline    -> node_expire, control_expire
 *     dp_poll     the data plane has something to say          -> node_input, node_peer_moved, ...
 *     net_poll    the host's network has changed               -> node_network_changed (network.c)
 *     signals     INT, TERM: end; HUP: reload; USR1: counters
 *     stop_timer  peers that do not answer are not waited for any longer
 *
 * Control connections have handles of their own (vici_server.c). Every callback ends with
 * loop_settle.
 *
 * The end, on a signal: nothing is started any more, every IKE SA is deleted with its peer; when
 * all are gone, or after STOP_WAIT_MS, or with the second signal, the loop closes its handles and
 * loop_run returns. */
#include "vpn/daemon/daemon.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "vpn/control/control.h"

#define STOP_WAIT_MS	  2000
#define EVENTS_PER_WAKEUP 256 /* then timers get their turn */

static const int signal_numbers[DAEMON_SIGNALS] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};

static void close_handle(uv_handle_t *handle, void *unused)
{
	(void)unused;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

/* The loop ends when its last handle is closed. */
static void loop_end(struct daemon *d)
{
	int i;

	vici_server_stop(d->server);
	resolver_stop(&d->resolver);
	close_handle((uv_handle_t *)&d->timer, NULL);
	close_handle((uv_handle_t *)&d->stop_timer, NULL);
	close_handle((uv_handle_t *)&d->dp_poll, NULL);
	close_handle((uv_handle_t *)&d->net_poll, NULL);
	for (i = 0; i < DAEMON_SIGNALS; i++)
		close_handle((uv_handle_t *)&d->signals[i], NULL);
}

static bool all_gone(const struct daemon *d)
{
	struct ike_sa_info sa;

	return !node_ike_sa(d->node, 0, &sa);
}

static void on_timer(uv_timer_t *timer)
{
	struct daemon *d = timer->data;

	node_expire(d->node, daemon_now());
	daemon_perform(d);
	control_expire(d->control, daemon_now());
	loop_settle(d);
}

static uint64_t milliseconds_until(uint64_t deadline)
{
	uint64_t now = daemon_now();

	return deadline <= now ? 0 : (deadline - now + 999) / 1000;
}

void loop_settle(struct daemon *d)
{
	uint64_t deadline;

	daemon_perform(d);
	vici_server_flush(d->server);
	if (uv_is_closing((uv_handle_t *)&d->timer))
		return;
	if (d->stopping && all_gone(d)) {
		loop_end(d);
		return;
	}
	deadline = node_next_deadline(d->node);
	if (control_next_deadline(d->control) < deadline)
		deadline = control_next_deadline(d->control);
	if (deadline == UINT64_MAX)
		uv_timer_stop(&d->timer);
	else
		uv_timer_start(&d->timer, on_timer, milliseconds_until(deadline), 0);
}

static void on_sa_event(struct daemon *d, const struct dp_event *ev, uint64_t now)
{
	switch (ev->type) {
	case DP_EVENT_PEER_MOVED:
		node_peer_moved(d->node, ev->sa.spi, &ev->remote, now);
		break;
	case DP_EVENT_SOFT_LIMIT:
		node_sa_limit(d->node, ev->sa.child_id, false, now);
		break;
	case DP_EVENT_HARD_LIMIT:
	case DP_EVENT_SEQ_EXHAUSTED:
		node_sa_limit(d->node, ev->sa.child_id, true, now);
		break;
	case DP_EVENT_PATH_MTU:
		daemon_log(d, LOG_KNL, 1, "path MTU of SA %08x is %u", ev->sa.spi, ev->mtu);
		break;
	default:
		break;
	}
}

static void on_dp_event(struct daemon *d, const struct dp_event *ev)
{
	uint64_t now = daemon_now();

	if (ev->type == DP_EVENT_IKE) {
		control_received(d->control, (struct view){ev->data, ev->len});
		node_input(d->node, &ev->local, &ev->remote, (struct view){ev->data, ev->len}, now);
	} else if (ev->type == DP_EVENT_ACQUIRE)
		node_acquire(d->node, ev->reqid, &ev->packet, now);
	else
		on_sa_event(d, ev, now);
	daemon_perform(d);
}

static void on_dp_readable(uv_poll_t *poll, int status, int events)
{
	struct daemon *d = poll->data;
	struct dp_event ev;
	int i;

	(void)status;
	(void)events;
	for (i = 0; i < EVENTS_PER_WAKEUP && dp_next_event(d->dp, &ev); i++) {
		on_dp_event(d, &ev);
		dp_event_clear(&ev);
	}
	loop_settle(d);
}

static void on_stop_timer(uv_timer_t *timer)
{
	struct daemon *d = timer->data;

	daemon_log(d, LOG_DMN, 1, "some peers have not confirmed the end, not waiting any longer");
	loop_end(d);
}

static void begin_stop(struct daemon *d, int signum)
{
	if (d->stopping) {
		loop_end(d);
		return;
	}
	d->stopping = true;
	daemon_log(d, LOG_DMN, 1, "SIG%s: shutting down", sigabbrev_np(signum));
	events_write_daemon(&d->events, "stopping", "", daemon_unix_time());
	instance_notify("STOPPING=1");
	node_stop(d->node, daemon_now());
	uv_timer_start(&d->stop_timer, on_stop_timer, STOP_WAIT_MS, 0);
}

static void reload(struct daemon *d)
{
	struct err_msg msg;

	if (!d->options->config) {
		daemon_log(d, LOG_DMN, 1, "SIGHUP: nothing to reload, there is no --config");
		return;
	}
	daemon_log(d, LOG_DMN, 1, "SIGHUP: reloading %s", d->options->config);
	if (daemon_load(d, &msg))
		daemon_log(d, LOG_DMN, 0, "%s", msg.text);
	else
		events_write_daemon(&d->events, "reloaded", d->options->config, daemon_unix_time());
}

static void log_counters(struct daemon *d)
{
	struct dp_counters c;
	int i;

	dp_get_counters(d->dp, &c);
	daemon_log(d, LOG_DMN, 0,
		   "ESP in %" PRIu64 ", out %" PRIu64 "; IKE in %" PRIu64 ", out %" PRIu64,
		   c.esp_in, c.esp_out, c.ike_in, c.ike_out);
	for (i = 1; i < ESP_DROP_COUNT; i++) {
		if (c.drops[i])
			daemon_log(d, LOG_DMN, 0, "dropped %" PRIu64 ": %s", c.drops[i],
				   esp_drop_text((enum esp_drop)i));
	}
	events_write_counters(&d->events, &c, daemon_unix_time());
}

static void on_signal(uv_signal_t *handle, int signum)
{
	struct daemon *d = handle->data;

	if (signum == SIGUSR1)
		log_counters(d);
	else if (signum == SIGHUP)
		reload(d);
	else
		begin_stop(d, signum);
	loop_settle(d);
}

static int init_handles(struct daemon *d)
{
	int i;

	d->timer.data = d->stop_timer.data = d->dp_poll.data = d;
	uv_timer_init(&d->loop, &d->timer);
	uv_timer_init(&d->loop, &d->stop_timer);
	for (i = 0; i < DAEMON_SIGNALS; i++) {
		uv_signal_init(&d->loop, &d->signals[i]);
		d->signals[i].data = d;
		if (uv_signal_start(&d->signals[i], on_signal, signal_numbers[i]))
			return ERR_IO;
	}
	if (uv_poll_init(&d->loop, &d->dp_poll, dataplane_event_fd(d->dp)))
		return ERR_IO;
	if (uv_poll_start(&d->dp_poll, UV_READABLE, on_dp_readable))
		return ERR_IO;
	return network_watch(d);
}

int loop_init(struct daemon *d, struct err_msg *msg)
{
	if (uv_loop_init(&d->loop))
		return err_set(msg, ERR_IO, "cannot make an event loop");
	d->loop.data = d;
	resolver_init(&d->resolver, &d->loop);
	return 0;
}

int loop_start(struct daemon *d, struct err_msg *msg)
{
	return init_handles(d) ? err_set(msg, ERR_IO, "cannot watch the data plane and the network")
			       : 0;
}

void loop_run(struct daemon *d)
{
	loop_settle(d);
	uv_run(&d->loop, UV_RUN_DEFAULT);
}

/* Whatever a failed start has left open is closed here. */
void loop_free(struct daemon *d)
{
	if (!d->loop.data)
		return;
	uv_walk(&d->loop, close_handle, NULL);
	uv_run(&d->loop, UV_RUN_DEFAULT);
	uv_loop_close(&d->loop);
	resolver_free(&d->resolver);
}
