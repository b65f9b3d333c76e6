/* link_proc.c - carries frames between two TAPs, through one model (link_model.h) each way.
 *
 *	        capture a                                       capture b
 *	node a --- TAP a --> read --> model a to b --> write --> TAP b --- node b
 *	                <-- write <-- model b to a <-- read <--
 *
 * A NAT box at one end (nat_box.h) stands between the TAP there and its capture.
 *
 * One loop: frames that arrived, requests of the owner, then whatever is due by now; a timer is set
 * to the nanosecond for the next. Time is CLOCK_MONOTONIC shifted once to the time since 1970, so
 * that it agrees with other captures of the run and never jumps.
 *
 * Invariant: a frame that was read stands in the capture of its side before it enters a model, and
 * one that was written in the capture of the other side; each ends in a record of the log. What the
 * process cannot write down it does not carry: it ends, and says why.
 *
 * The end: a request to stop, or the owner's end (the control socket's, or SIGTERM by the kernel).
 * In each case the files are written out.
 *
 * Ownership: struct proc has everything that the process has open. */
#include "netns/link_proc.h"
#include "netns/link_files.h"
#include "netns/link_model.h"
#include "netns/link_tap.h"
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define KEEP_MEMORY	 (64 << 20)
#define BATCH		 64
#define CATCH_UP_BATCHES 256
#define FLUSH_MS	 500

enum source { SOURCE_A, SOURCE_B, SOURCE_CONTROL, SOURCE_SIGNAL, SOURCE_TIMER, SOURCE_COUNT };

struct proc {
	const struct link_proc_spec *spec;
	struct link_tap taps[2];
	struct link_model *models[2]; /* by enum link_dir; what side s sends goes into models[s] */
	struct link_files files;
	int epoll, timer, signals;
	int64_t epoch; /* what CLOCK_MONOTONIC 0 is, in ns since 1970 */
	int64_t armed; /* what the timer is set to; LINK_NEVER: nothing */
	int64_t last_busy;
	unsigned serial; /* of the request to start, until it is answered */
	bool is_over;
	struct nat_box *nat; /* NULL: none */
	uint8_t frame[LINK_TAP_FRAME_MAX];
	uint8_t translated[LINK_TAP_FRAME_MAX];
};

static int64_t read_clock(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * LINK_S + ts.tv_nsec;
}

static int64_t now_ns(const struct proc *proc)
{
	return proc->epoch + read_clock(CLOCK_MONOTONIC);
}

static void note_drop(void *arg, const struct link_record *record)
{
	struct proc *proc = arg;

	link_files_record(&proc->files, record);
}

static int reply(struct proc *proc, const struct link_reply *reply)
{
	return send(proc->spec->control, reply, sizeof(*reply), MSG_NOSIGNAL) == sizeof(*reply)
		   ? 0
		   : ERR_IO;
}

/* Says why, as an answer only to the request to start, and ends. */
static _Noreturn void die(struct proc *proc, int err, const struct err_msg *msg)
{
	const struct link_reply last = {.serial = proc->serial, .err = err, .msg = *msg};

	reply(proc, &last);
	_exit(EXIT_FAILURE);
}

static void write_out(struct proc *proc)
{
	struct err_msg msg = {{0}};
	int err = link_files_sync(&proc->files, &msg);

	if (err < 0)
		die(proc, err, &msg);
}

static bool has_nat(const struct proc *proc, unsigned side)
{
	return proc->nat && side == proc->spec->wire->nat_at_b;
}

/* To the node, or to the NAT box in front of it, which may keep it. */
static int hand_over(struct proc *proc, unsigned side, const uint8_t *frame, size_t len)
{
	if (!has_nat(proc, side))
		return link_tap_write(&proc->taps[side], frame, len);
	memcpy(proc->translated, frame, len);
	if (nat_box_in(proc->nat, proc->translated, len, now_ns(proc)) == NAT_BOX_DROP)
		return 0;
	return link_tap_write(&proc->taps[side], proc->translated, len);
}

/* What the node sent, in proc->frame. False: the NAT box does not put it on the wire. */
static bool comes_out(struct proc *proc, unsigned side, size_t len, int64_t now)
{
	enum nat_box_verdict verdict =
	    has_nat(proc, side) ? nat_box_out(proc->nat, proc->frame, len, now) : NAT_BOX_PASS;

	if (verdict == NAT_BOX_BACK)
		link_tap_write(&proc->taps[side], proc->frame, len);
	return verdict == NAT_BOX_PASS;
}

static void deliver(struct proc *proc, enum link_dir dir, struct link_delivery *delivery)
{
	unsigned side = delivery->back ? dir : !dir;

	if (hand_over(proc, side, delivery->data, delivery->len) < 0) {
		link_model_refuse(proc->models[dir], delivery);
		return;
	}
	delivery->record.frame_out = link_files_frame(&proc->files, side, delivery->data,
						      delivery->len, delivery->record.time_out);
	link_files_record(&proc->files, &delivery->record);
}

static void deliver_due(struct proc *proc)
{
	struct link_delivery delivery;
	int64_t now = now_ns(proc);
	unsigned dir;

	for (dir = 0; dir < 2; dir++)
		while (link_model_pop(proc->models[dir], now, &delivery)) {
			deliver(proc, dir, &delivery);
			proc->last_busy = now;
		}
}

/* At most so many frames; true if there may be more. */
static bool take_frames(struct proc *proc, unsigned side, unsigned max)
{
	const struct err_msg gone = {"its interface is gone"};
	const struct err_msg memory = {"out of memory"};
	unsigned i;

	for (i = 0; i < max; i++) {
		ssize_t len = link_tap_read(&proc->taps[side], proc->frame, sizeof(proc->frame));
		int64_t now = now_ns(proc);
		uint64_t number;

		if (len < 0)
			die(proc, ERR_IO, &gone);
		if (len == 0)
			return false;
		proc->last_busy = now;
		if (!comes_out(proc, side, (size_t)len, now))
			continue;
		number = link_files_frame(&proc->files, side, proc->frame, (size_t)len, now);
		if (link_model_send(proc->models[side], proc->frame, (size_t)len, number, now) < 0)
			die(proc, ERR_NOMEM, &memory);
	}
	return true;
}

/* All that the nodes have sent by now goes in, and what is due gets out: a device's queue at most,
 * or a busy link would keep the owner waiting. */
static void catch_up(struct proc *proc)
{
	bool more = true;
	unsigned i;

	for (i = 0; i < CATCH_UP_BATCHES && more; i++) {
		more = take_frames(proc, 0, BATCH);
		more |= take_frames(proc, 1, BATCH);
		deliver_due(proc);
	}
}

static void describe(struct proc *proc, struct link_wire_state *ret_state)
{
	unsigned side;

	for (side = 0; side < 2; side++) {
		link_model_counters(proc->models[side], &ret_state->dir[side]);
		ret_state->frames[side] = proc->files.frames[side];
		ret_state->missed[side] = link_tap_missed(&proc->taps[side]);
	}
	if (proc->nat)
		ret_state->nat = *nat_box_counted(proc->nat);
	ret_state->idle = now_ns(proc) - proc->last_busy;
}

static int add_aim(struct proc *proc, enum link_dir dir, const struct link_aim *given, int64_t now,
		   struct err_msg *msg)
{
	struct link_aim aim = *given;

	aim.from += now;
	aim.until += aim.until ? now : 0;
	return link_model_aim(proc->models[dir], &aim, msg);
}

static int release(struct proc *proc, const char *name, unsigned *ret_released)
{
	unsigned dir, released, all = 0;
	int err = 0;

	for (dir = 0; dir < 2 && err == 0; dir++) {
		err = link_model_release(proc->models[dir], name[0] ? name : NULL, now_ns(proc),
					 &released);
		all += err == 0 ? released : 0;
	}
	*ret_released = all;
	return err;
}

static int begin_outage(struct proc *proc, int64_t from, int64_t until)
{
	int err = link_model_outage(proc->models[LINK_AB], from, until);

	return err < 0 ? err : link_model_outage(proc->models[LINK_BA], from, until);
}

static int reboot_nat(struct proc *proc, struct err_msg *msg)
{
	if (!proc->nat)
		return err_set(msg, ERR_STATE, "no NAT box at either end");
	nat_box_reboot(proc->nat);
	return 0;
}

/* Drops what is on the way, and closes the files: nothing more can be written. */
static int finish(struct proc *proc, struct link_wire_state *ret_state, struct err_msg *msg)
{
	int64_t now = now_ns(proc);

	proc->is_over = true;
	link_model_stop(proc->models[LINK_AB], now);
	link_model_stop(proc->models[LINK_BA], now);
	describe(proc, ret_state);
	return link_files_close(&proc->files, msg);
}

static void obey(struct proc *proc, const struct link_request *request, struct link_reply *ret)
{
	int64_t now;

	catch_up(proc);
	now = now_ns(proc);
	switch (request->op) {
	case LINK_OP_START:
		break;
	case LINK_OP_SET:
		ret->err = link_model_set(proc->models[request->dir], &request->params, &ret->msg);
		break;
	case LINK_OP_SCHEDULE:
		ret->err = link_model_schedule(proc->models[request->dir], now + request->after,
					       &request->params, &ret->msg);
		break;
	case LINK_OP_OUTAGE:
		ret->err = begin_outage(proc, now + request->after,
					now + request->after + request->duration);
		break;
	case LINK_OP_AIM:
		ret->err = add_aim(proc, request->dir, &request->aim, now, &ret->msg);
		break;
	case LINK_OP_RELEASE:
		ret->err = release(proc, request->name, &ret->released);
		deliver_due(proc);
		break;
	case LINK_OP_REBOOT_NAT:
		ret->err = reboot_nat(proc, &ret->msg);
		break;
	case LINK_OP_QUERY:
		write_out(proc);
		describe(proc, &ret->state);
		break;
	case LINK_OP_STOP:
		ret->err = finish(proc, &ret->state, &ret->msg);
		break;
	}
}

static void answer_owner(struct proc *proc)
{
	struct link_request request;
	struct link_reply answer = {0};
	struct link_wire_state state;
	ssize_t got = recv(proc->spec->control, &request, sizeof(request), MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got != sizeof(request)) {
		finish(proc, &state, NULL);
		return;
	}
	answer.serial = request.serial;
	obey(proc, &request, &answer);
	reply(proc, &answer);
}

static void set_timer(struct proc *proc)
{
	int64_t a = link_model_next(proc->models[LINK_AB]);
	int64_t b = link_model_next(proc->models[LINK_BA]);
	int64_t next = a < b ? a : b;
	struct itimerspec when = {0};

	if (next == proc->armed)
		return;
	proc->armed = next;
	if (next != LINK_NEVER) {
		next -= proc->epoch;
		when.it_value.tv_sec = next / LINK_S;
		when.it_value.tv_nsec = next % LINK_S;
	}
	timerfd_settime(proc->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static void handle(struct proc *proc, enum source source)
{
	struct link_wire_state state;
	uint64_t expired;

	if (source <= SOURCE_B)
		take_frames(proc, source, BATCH);
	else if (source == SOURCE_CONTROL)
		answer_owner(proc);
	else if (source == SOURCE_SIGNAL)
		finish(proc, &state, NULL);
	else if (read(proc->timer, &expired, sizeof(expired)) > 0)
		proc->armed = LINK_NEVER;
}

static void loop(struct proc *proc)
{
	struct epoll_event events[SOURCE_COUNT];
	int i, count;

	while (!proc->is_over) {
		count = epoll_wait(proc->epoll, events, SOURCE_COUNT,
				   proc->files.is_dirty ? FLUSH_MS : -1);
		for (i = 0; i < count && !proc->is_over; i++)
			handle(proc, events[i].data.u32);
		if (proc->is_over)
			break;
		deliver_due(proc);
		if (count == 0)
			link_files_flush(&proc->files);
		if (link_files_failed(&proc->files))
			write_out(proc);
		set_timer(proc);
	}
}

static int watch(struct proc *proc, int fd, enum source source)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = source};

	return epoll_ctl(proc->epoll, EPOLL_CTL_ADD, fd, &event);
}

static int make_loop(struct proc *proc, struct err_msg *msg)
{
	sigset_t term;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	proc->signals = signalfd(-1, &term, SFD_CLOEXEC | SFD_NONBLOCK);
	proc->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	proc->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (watch(proc, proc->taps[0].fd, SOURCE_A) < 0 ||
	    watch(proc, proc->taps[1].fd, SOURCE_B) < 0 ||
	    watch(proc, proc->spec->control, SOURCE_CONTROL) < 0 ||
	    watch(proc, proc->signals, SOURCE_SIGNAL) < 0 ||
	    watch(proc, proc->timer, SOURCE_TIMER) < 0)
		return err_set(msg, ERR_IO, "event loop: %s", strerror(errno));
	return 0;
}

static int make_models(struct proc *proc, struct err_msg *msg)
{
	const struct link_wire_spec *wire = proc->spec->wire;
	struct link_model_spec spec = {.framing = LINK_ETHERNET,
				       .seed = wire->seed,
				       .params = wire->ab,
				       .on_drop = note_drop,
				       .arg = proc};
	int64_t now = now_ns(proc);
	size_t i;
	int err;

	spec.dir = LINK_AB;
	err = link_model_new(&spec, &proc->models[LINK_AB], msg);
	spec.dir = LINK_BA;
	spec.params = wire->ba;
	if (err == 0)
		err = link_model_new(&spec, &proc->models[LINK_BA], msg);
	for (i = 0; i < wire->aims_count && err == 0; i++)
		err = add_aim(proc, wire->aims[i].dir, &wire->aims[i].aim, now, msg);
	return err;
}

static int set_up(struct proc *proc, struct err_msg *msg)
{
	const struct link_proc_spec *spec = proc->spec;
	int err;

	proc->epoch = read_clock(CLOCK_REALTIME) - read_clock(CLOCK_MONOTONIC);
	proc->last_busy = now_ns(proc);
	proc->armed = LINK_NEVER;
	err = make_models(proc, msg);
	if (err == 0 && spec->wire->nat && nat_box_new(spec->wire->nat, &proc->nat) < 0)
		err = err_set(msg, ERR_INVALID, "the NAT box has no outside address");
	if (err == 0)
		err = link_files_open(spec->wire->dir, spec->wire->name, &proc->files, msg);
	if (err == 0)
		err = link_tap_open(spec->ns_fds[0], spec->wire->a.ifname, &proc->taps[0], msg);
	if (err == 0)
		err = link_tap_open(spec->ns_fds[1], spec->wire->b.ifname, &proc->taps[1], msg);
	return err < 0 ? err : make_loop(proc, msg);
}

static int compare_ints(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Everything but standard error: other wires' sockets above all, whose end must be seen when the
 * owner dies. */
static void close_all_but(int a, int b, int c)
{
	int keep[] = {STDERR_FILENO, a, b, c};
	size_t i, count = sizeof(keep) / sizeof(keep[0]);
	int from = 0;

	qsort(keep, count, sizeof(keep[0]), compare_ints);
	for (i = 0; i < count; i++) {
		if (keep[i] > from)
			close_range((unsigned)from, (unsigned)keep[i] - 1, 0);
		from = keep[i] + 1;
	}
	close_range((unsigned)from, ~0U, 0);
	if (open("/dev/null", O_RDWR) != STDIN_FILENO || dup(STDIN_FILENO) != STDOUT_FILENO)
		_exit(EXIT_FAILURE);
}

static void detach(const struct link_proc_spec *spec)
{
	sigset_t term;
	int i;

	setsid();
	prctl(PR_SET_NAME, "bl-wire");
	prctl(PR_SET_TIMERSLACK, 1);
	mallopt(M_TRIM_THRESHOLD, KEEP_MEMORY); /* packets come and go */
	for (i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_SETMASK, &term, NULL);
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != spec->owner)
		_exit(EXIT_FAILURE);
	close_all_but(spec->control, spec->ns_fds[0], spec->ns_fds[1]);
}

void link_proc_run(const struct link_proc_spec *spec)
{
	struct proc *proc = calloc(1, sizeof(*proc));
	struct link_request start;
	struct err_msg msg = {{0}};
	int err;

	if (!proc)
		_exit(EXIT_FAILURE);
	proc->spec = spec;
	detach(spec);
	if (recv(spec->control, &start, sizeof(start), 0) != sizeof(start))
		_exit(EXIT_FAILURE);
	proc->serial = start.serial;
	err = set_up(proc, &msg);
	/* Not before: the directory of the captures may be a relative one. */
	if (err == 0 && chdir("/") < 0)
		err = err_set(&msg, ERR_IO, "/: %s", strerror(errno));
	if (err < 0 || reply(proc, &(struct link_reply){.serial = start.serial}) < 0)
		die(proc, err, &msg);
	proc->serial = 0;
	close(spec->ns_fds[0]);
	close(spec->ns_fds[1]);
	loop(proc);
	_exit(EXIT_SUCCESS);
}
