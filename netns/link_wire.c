/* link_wire.c - a wire as its owner sees it: starts the process, asks it, notices its death.
 *
 *	owner				process (link_proc.c)
 *	fork --------------------------> closes what is not its own
 *	note in the registry		waits
 *	START ------------------------->  opens TAPs and files
 *	      <------------------------- ready, or why not
 *	request ----------------------->
 *	      <------------------------- reply with the request's serial number
 *	      <------------------------- a reply with serial 0: cannot go on, and why
 *
 * Whoever dies first, the other learns it from the socket. The process is in the run's registry, so
 * the guard (guard.h) ends it if all else fails.
 *
 * Ownership: struct link_wire is freed by link_wire_stop, which is also what reaps the process. */
#include "netns/link_wire.h"
#include "netns/link_proc.h"
#include "netns/netlink.h"
#include "netns/wait.h"
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define REPLY_TIMEOUT_MS   10000
#define CARRIER_TIMEOUT_MS 5000

struct link_wire {
	char name[64];
	pid_t pid;
	int pidfd;
	int control;
	unsigned serial;
	bool is_dead;
	struct err_msg death;
};

/* What it said before it died, or how it did. */
static void bury(struct link_wire *wire)
{
	struct link_reply last = {.serial = 1};
	struct link_reply got;
	int status = 0;

	if (wire->is_dead)
		return;
	kill(wire->pid, SIGKILL);
	while (waitpid(wire->pid, &status, 0) < 0 && errno == EINTR)
		;
	while (recv(wire->control, &got, sizeof(got), MSG_DONTWAIT) == sizeof(got))
		last = got;
	wire->is_dead = true;
	if (last.serial == 0)
		err_set(&wire->death, ERR_STATE, "wire %s: %s", wire->name, last.msg.text);
	else if (WIFSIGNALED(status))
		err_set(&wire->death, ERR_STATE, "wire %s: killed by signal %d", wire->name,
			WTERMSIG(status));
	else
		err_set(&wire->death, ERR_STATE, "wire %s: ended with status %d", wire->name,
			WEXITSTATUS(status));
}

static int report_death(struct link_wire *wire, struct err_msg *msg)
{
	return err_set(msg, ERR_STATE, "%s", wire->death.text);
}

static bool has_ended(const struct link_wire *wire)
{
	struct pollfd watch = {.fd = wire->pidfd, .events = POLLIN};

	return wire->is_dead || poll(&watch, 1, 0) > 0;
}

bool link_wire_died(struct link_wire *wire, struct err_msg *msg)
{
	if (!has_ended(wire))
		return false;
	bury(wire);
	report_death(wire, msg);
	return true;
}

/* 0, or ERR_STATE if it will never come, or ERR_AGAIN. */
static int await_reply(struct link_wire *wire, struct link_reply *ret_reply, struct err_msg *msg)
{
	int64_t left, deadline = wait_now_ms() + REPLY_TIMEOUT_MS;
	struct pollfd watch = {.fd = wire->control, .events = POLLIN};

	while ((left = deadline - wait_now_ms()) > 0) {
		if (poll(&watch, 1, (int)left) <= 0)
			continue;
		if (recv(wire->control, ret_reply, sizeof(*ret_reply), 0) != sizeof(*ret_reply)) {
			bury(wire);
			return report_death(wire, msg);
		}
		if (ret_reply->serial == wire->serial)
			return 0;
		if (ret_reply->serial == 0) {
			bury(wire);
			err_set(&wire->death, ERR_STATE, "wire %s: %s", wire->name,
				ret_reply->msg.text);
			return report_death(wire, msg);
		}
	}
	return err_set(msg, ERR_AGAIN, "wire %s: no answer in %d ms", wire->name, REPLY_TIMEOUT_MS);
}

static int ask(struct link_wire *wire, struct link_request *request, struct link_reply *ret_reply,
	       struct err_msg *msg)
{
	int err;

	if (wire->is_dead)
		return report_death(wire, msg);
	if (++wire->serial == 0)
		wire->serial = 1;
	request->serial = wire->serial;
	if (send(wire->control, request, sizeof(*request), MSG_NOSIGNAL) != sizeof(*request)) {
		bury(wire);
		return report_death(wire, msg);
	}
	err = await_reply(wire, ret_reply, msg);
	if (err == 0 && ret_reply->err < 0)
		return err_set(msg, ret_reply->err, "wire %s: %s", wire->name,
			       ret_reply->msg.text[0] ? ret_reply->msg.text
						      : err_text(ret_reply->err));
	return err;
}

static void free_wire(struct link_wire *wire)
{
	if (wire->control >= 0)
		close(wire->control);
	if (wire->pidfd >= 0)
		close(wire->pidfd);
	free(wire);
}

/* Forks; the process waits for what start_process tells it. */
static int make_process(struct net *net, const struct link_wire_spec *spec, struct link_wire *wire,
			struct err_msg *msg)
{
	struct link_proc_spec proc = {.wire = spec, .owner = getpid()};
	int pair[2];

	proc.ns_fds[0] = net_node_fd(net, spec->a.node);
	proc.ns_fds[1] = net_node_fd(net, spec->b.node);
	if (proc.ns_fds[0] < 0 || proc.ns_fds[1] < 0)
		return err_set(msg, ERR_NOT_FOUND, "wire %s: no node named %s", spec->name,
			       proc.ns_fds[0] < 0 ? spec->a.node : spec->b.node);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(msg, ERR_IO, "wire %s: socket: %s", spec->name, strerror(errno));
	proc.control = pair[1];
	wire->control = pair[0];
	wire->pid = fork();
	if (wire->pid == 0)
		link_proc_run(&proc);
	close(pair[1]);
	if (wire->pid < 0)
		return err_set(msg, ERR_IO, "wire %s: fork: %s", spec->name, strerror(errno));
	wire->pidfd = pidfd_open(wire->pid, 0);
	return wire->pidfd < 0 ? err_set(msg, ERR_IO, "pidfd: %s", strerror(errno)) : 0;
}

struct carrier {
	struct nl_sock *sock;
	const char *ifname;
};

/* An interface that is down has nothing to wait for. */
static bool has_carrier(void *arg, char *seen, size_t cap)
{
	const struct carrier *carrier = arg;
	unsigned flags = 0;

	if (netlink_get_flags(carrier->sock, carrier->ifname, &flags, NULL) < 0)
		return false;
	snprintf(seen, cap, "interface flags %#x", flags);
	return !(flags & IFF_UP) || (flags & IFF_RUNNING);
}

/* The kernel tells its own parts of the carrier a little later; until then it drops what is sent.
 */
static int await_carrier(struct net *net, const struct topo_end *end, struct err_msg *msg)
{
	struct carrier carrier = {.sock = net_node_netlink(net, end->node), .ifname = end->ifname};

	return wait_until(has_carrier, &carrier, CARRIER_TIMEOUT_MS, "carrier of the wire", msg);
}

static int start_process(struct net *net, const struct link_wire_spec *spec, struct link_wire *wire,
			 struct err_msg *msg)
{
	struct link_request request = {.op = LINK_OP_START};
	struct link_reply reply;
	int err;

	if (net_note_process(net, wire->pid) < 0)
		return err_set(msg, ERR_IO, "registry of %s: not writable", net_run(net));
	err = ask(wire, &request, &reply, msg);
	if (err == 0)
		err = await_carrier(net, &spec->a, msg);
	return err < 0 ? err : await_carrier(net, &spec->b, msg);
}

int link_wire_start(struct net *net, const struct link_wire_spec *spec, struct link_wire **ret_wire,
		    struct err_msg *msg)
{
	struct link_wire *wire = calloc(1, sizeof(*wire));
	int err;

	if (!wire)
		return err_set(msg, ERR_NOMEM, "out of memory");
	wire->control = wire->pidfd = -1;
	snprintf(wire->name, sizeof(wire->name), "%s", spec->name);
	err = make_process(net, spec, wire, msg);
	if (err == 0)
		err = start_process(net, spec, wire, msg);
	if (err < 0) {
		if (wire->pid > 0)
			bury(wire);
		free_wire(wire);
		return err;
	}
	*ret_wire = wire;
	return 0;
}

pid_t link_wire_pid(const struct link_wire *wire)
{
	return wire->pid;
}

int link_wire_fd(const struct link_wire *wire)
{
	return wire->pidfd;
}

int link_wire_set(struct link_wire *wire, enum link_dir dir, const struct link_params *params,
		  struct err_msg *msg)
{
	struct link_request request = {.op = LINK_OP_SET, .dir = dir, .params = *params};
	struct link_reply reply;

	return ask(wire, &request, &reply, msg);
}

int link_wire_schedule(struct link_wire *wire, enum link_dir dir, int64_t after,
		       const struct link_params *params, struct err_msg *msg)
{
	struct link_request request = {
	    .op = LINK_OP_SCHEDULE, .dir = dir, .after = after, .params = *params};
	struct link_reply reply;

	return ask(wire, &request, &reply, msg);
}

int link_wire_outage(struct link_wire *wire, int64_t after, int64_t duration, struct err_msg *msg)
{
	struct link_request request = {.op = LINK_OP_OUTAGE, .after = after, .duration = duration};
	struct link_reply reply;

	return ask(wire, &request, &reply, msg);
}

int link_wire_aim(struct link_wire *wire, enum link_dir dir, const struct link_aim *aim,
		  struct err_msg *msg)
{
	struct link_request request = {.op = LINK_OP_AIM, .dir = dir, .aim = *aim};
	struct link_reply reply;

	return ask(wire, &request, &reply, msg);
}

int link_wire_release(struct link_wire *wire, const char *aim, unsigned *ret_released,
		      struct err_msg *msg)
{
	struct link_request request = {.op = LINK_OP_RELEASE};
	struct link_reply reply;
	int err;

	snprintf(request.name, sizeof(request.name), "%s", aim ? aim : "");
	err = ask(wire, &request, &reply, msg);
	if (err == 0 && ret_released)
		*ret_released = reply.released;
	return err;
}

int link_wire_reboot_nat(struct link_wire *wire, struct err_msg *msg)
{
	struct link_request request = {.op = LINK_OP_REBOOT_NAT};
	struct link_reply reply;

	return ask(wire, &request, &reply, msg);
}

int link_wire_query(struct link_wire *wire, struct link_wire_state *ret_state, struct err_msg *msg)
{
	struct link_request request = {.op = LINK_OP_QUERY};
	struct link_reply reply;
	int err = ask(wire, &request, &reply, msg);

	if (err == 0)
		*ret_state = reply.state;
	return err;
}

struct quiet {
	struct link_wire *wire;
	int64_t idle;
	struct link_wire_state state;
	struct err_msg msg;
	int err;
};

static bool is_quiet(void *arg, char *seen, size_t cap)
{
	struct quiet *quiet = arg;
	uint64_t pending;

	quiet->err = link_wire_query(quiet->wire, &quiet->state, &quiet->msg);
	if (quiet->err < 0)
		return true;
	pending = quiet->state.dir[LINK_AB].pending + quiet->state.dir[LINK_BA].pending;
	snprintf(seen, cap, "%llu packets on the way, idle for %lld ms",
		 (unsigned long long)pending, (long long)(quiet->state.idle / LINK_MS));
	return pending == 0 && quiet->state.idle >= quiet->idle;
}

int link_wire_wait_quiet(struct link_wire *wire, unsigned idle_ms, unsigned timeout_ms,
			 struct link_wire_state *ret_state, struct err_msg *msg)
{
	struct quiet quiet = {.wire = wire, .idle = idle_ms * LINK_MS};
	int err = wait_until(is_quiet, &quiet, timeout_ms, "a quiet wire", msg);

	if (err == 0 && quiet.err < 0)
		return err_set(msg, quiet.err, "%s", quiet.msg.text);
	if (err == 0 && ret_state)
		*ret_state = quiet.state;
	return err;
}

static int check_missed(const struct link_wire *wire, const struct link_wire_state *state,
			struct err_msg *msg)
{
	uint64_t missed = state->missed[0] + state->missed[1];

	if (missed == 0)
		return 0;
	return err_set(msg, ERR_IO, "wire %s: %llu frames came too fast and were never seen",
		       wire->name, (unsigned long long)missed);
}

int link_wire_stop(struct link_wire *wire, struct link_wire_state *ret_state, struct err_msg *msg)
{
	struct link_request request = {.op = LINK_OP_STOP};
	struct link_reply reply;
	struct pollfd ended;
	int err;

	if (!wire)
		return 0;
	err = ask(wire, &request, &reply, msg);
	if (err == 0 && ret_state)
		*ret_state = reply.state;
	if (err == 0)
		err = check_missed(wire, &reply.state, msg);
	ended = (struct pollfd){.fd = wire->pidfd, .events = POLLIN};
	if (!wire->is_dead)
		poll(&ended, 1, REPLY_TIMEOUT_MS);
	bury(wire);
	free_wire(wire);
	return err;
}
