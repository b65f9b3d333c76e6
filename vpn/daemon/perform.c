/* perform.c - carries out the node's actions: SAs, devices and datagrams go to the data plane,
 * events and log lines to those who listen.
 *
 * Nothing is decided here. If the data plane refuses an SA the node is told, and ends the child. An
 * action is the node's until it is asked for the next one or told anything, so what it points at is
 * used first. */
#include "vpn/control/control.h"
#include "vpn/daemon/daemon.h"

#include <stdarg.h>

static void warn(struct daemon *d, const char *what, int err)
{
	daemon_log(d, LOG_NET, 2, "%s: %s", what, err_text(err));
}

static void perform_send(struct daemon *d, const struct ike_action *a)
{
	int err = dp_send_ike(d->dp, &a->send.local, &a->send.remote, a->send.datagram.p,
			      a->send.datagram.len);

	if (err)
		warn(d, "sending a message failed", err);
}

static void perform_keepalive(struct daemon *d, const struct ike_action *a)
{
	int err = dp_send_keepalive(d->dp, &a->send.local, &a->send.remote);

	if (err)
		warn(d, "sending a keep-alive failed", err);
}

static int install(struct daemon *d, const struct ipsec_sa *sa, struct err_msg *msg)
{
	struct installed entry = {.spi = sa->spi,
				  .child_id = sa->child_id,
				  .inbound = sa->inbound,
				  .remote = sa->remote.addr};
	struct dp_sa_ref ref = {.spi = sa->spi, .child_id = sa->child_id, .inbound = sa->inbound};
	int err;

	err = dp_install(d->dp, sa, msg);
	if (err)
		return err;
	if (msg->text[0])
		daemon_log(d, LOG_KNL, 1, "SA %08x: %s", sa->spi, msg->text);
	err = installed_add(&d->installed, &entry);
	if (err) {
		dp_remove(d->dp, &ref);
		return err_set(msg, err, "%s", err_text(err));
	}
	keylog_esp(&d->keylog, sa, daemon_unix_time());
	return 0;
}

static void perform_install(struct daemon *d, const struct ike_action *a)
{
	uint32_t child_id = a->install->child_id;
	struct err_msg msg;

	if (install(d, a->install, &msg) == 0)
		return;
	daemon_log(d, LOG_KNL, 1, "cannot install SA %08x: %s", a->install->spi, msg.text);
	node_install_failed(d->node, child_id, msg.text, daemon_now());
}

static void perform_remove(struct daemon *d, const struct ike_action *a)
{
	const struct installed *sa = installed_find(&d->installed, a->remove.spi, a->remove.inbound,
						    a->remove.child_id, &a->remove.remote);
	struct dp_sa_ref ref;

	if (!sa)
		return; /* never got in */
	ref = (struct dp_sa_ref){.spi = sa->spi, .child_id = sa->child_id, .inbound = sa->inbound};
	installed_remove(&d->installed, sa);
	dp_remove(d->dp, &ref);
}

static void perform_update(struct daemon *d, const struct ike_action *a)
{
	struct dp_sa_ref in = {
	    .spi = a->update.spi_in, .child_id = a->update.child_id, .inbound = true};
	struct dp_sa_ref out = {.spi = a->update.spi_out, .child_id = a->update.child_id};
	int err;

	err = dp_update(d->dp, &in, &a->update.local, &a->update.remote, a->update.encap);
	if (!err)
		err = dp_update(d->dp, &out, &a->update.local, &a->update.remote, a->update.encap);
	if (err)
		daemon_log(d, LOG_KNL, 1, "cannot move CHILD_SA #%u: %s", a->update.child_id,
			   err_text(err));
}

/* The second's last word about those that were not told. */
static void drop_summary(struct daemon *d, unsigned suppressed, uint64_t unix_us)
{
	char text[64];

	if (!suppressed)
		return;
	snprintf(text, sizeof(text), "%u more datagrams were dropped", suppressed);
	daemon_log(d, LOG_NET, 1, "%s", text);
	events_write_daemon(&d->events, "dropped-more", text, unix_us);
}

/* False: this one is one too many. Whoever sends us garbage must not fill our disk. */
static bool drop_allowed(struct daemon *d, uint64_t unix_us)
{
	struct drop_limit *limit = &d->drop_limit;
	uint64_t second = unix_us / 1000000;

	if (second != limit->second) {
		drop_summary(d, limit->suppressed, unix_us);
		*limit = (struct drop_limit){.second = second};
	}
	if (limit->told < DROPS_TOLD_PER_SECOND) {
		limit->told++;
		return true;
	}
	limit->suppressed++;
	return false;
}

static void perform_event(struct daemon *d, const struct ike_action *a)
{
	const struct ike_event *ev = &a->event;
	uint64_t unix_us = daemon_unix_time();

	if (ev->kind == EVENT_DROPPED) {
		if (!drop_allowed(d, unix_us))
			return;
		daemon_log(d, LOG_NET, 1, "dropped a datagram: %s", ev->text);
	}
	events_write(&d->events, ev, unix_us);
}

static void perform_interface(struct daemon *d, const struct ike_action *a)
{
	struct err_msg msg;

	if (dp_interface_add(d->dp, a->if_id, &msg))
		daemon_log(d, LOG_KNL, 0, "interface ID %u: %s", a->if_id, msg.text);
}

static void perform_trap_add(struct daemon *d, const struct ike_action *a)
{
	struct err_msg msg;

	if (dp_trap_add(d->dp, a->trap.id, a->trap.if_id, a->trap.local_ts, a->trap.remote_ts,
			&msg))
		daemon_log(d, LOG_KNL, 0, "trap: %s", msg.text);
}

static void perform(struct daemon *d, const struct ike_action *a)
{
	switch (a->type) {
	case IKE_ACTION_SEND:
		perform_send(d, a);
		break;
	case IKE_ACTION_KEEPALIVE:
		perform_keepalive(d, a);
		break;
	case IKE_ACTION_SA_INSTALL:
		perform_install(d, a);
		break;
	case IKE_ACTION_SA_REMOVE:
		perform_remove(d, a);
		break;
	case IKE_ACTION_SA_UPDATE:
		perform_update(d, a);
		break;
	case IKE_ACTION_EVENT:
		perform_event(d, a);
		break;
	case IKE_ACTION_LOG:
		log_write(d->log, &a->log, daemon_unix_time());
		break;
	case IKE_ACTION_KEYS:
		keylog_ike(&d->keylog, a->ike_id, &a->keys, daemon_unix_time());
		break;
	case IKE_ACTION_INTERFACE:
		perform_interface(d, a);
		break;
	case IKE_ACTION_TRAP_ADD:
		perform_trap_add(d, a);
		break;
	case IKE_ACTION_TRAP_REMOVE:
		dp_trap_remove(d->dp, a->trap.id);
		break;
	}
}

void daemon_perform(struct daemon *d)
{
	const struct ike_action *a;

	while ((a = node_next_action(d->node))) {
		control_action(d->control, a, daemon_now());
		perform(d, a);
	}
}

void daemon_log(struct daemon *d, enum ike_log_group group, int level, const char *fmt, ...)
{
	struct ike_action a = {.type = IKE_ACTION_LOG};
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	a.log = (struct ike_log){.group = group, .level = level, .text = text};
	if (d->control)
		control_action(d->control, &a, daemon_now());
	log_write(d->log, &a.log, daemon_unix_time());
}
