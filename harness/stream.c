/* stream.c - makes the two ends of a stream, watches them, and sums up.
 *
 *	owner                     sender (node `from`)        receiver (node `to`)
 *	opens the receiver's socket
 *	fork ------------------------------------------------> stream_xxx_receive
 *	fork -------------------> stream_xxx_send
 *	waits for arrived > 0
 *	   ...                    sends, counts               compares, counts
 *	stop = true ------------> sent_all = true ----------> ends when all is there, or quiet
 *	reaps both
 *
 * They talk through shared memory alone, so a dead end leaves its last words there. What an end
 * does is in stream_tcp.c and stream_udp.c.
 *
 * Ownership: a stream has its two processes and the memory; stream_finish and stream_kill free it.
 */
#include "harness/stream_internal.h"
#include "netns/ns.h"
#include "netns/wait.h"
#include "vpn/base/addr.h"
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S	INT64_C(1000000000)
#define PAUSE_MAX_NS	(NS_PER_S / 10) /* behind by more: not made up for */
#define RECEIVE_BUFFER	(8 << 20)
#define DATAGRAM_OCTETS 1000
#define DATAGRAM_RATE	1000 /* a second */

struct end {
	pid_t pid; /* 0: not made, or reaped */
	int status;
};

struct stream {
	char name[64];
	enum stream_protocol protocol;
	uint64_t size; /* octets of what is counted */
	struct stream_shared *shared;
	struct end ends[2]; /* by enum stream_end */
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

bool stream_fail(const struct stream_job *job, enum stream_end end, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(job->shared->error[end], STREAM_ERROR_MAX, fmt, args);
	va_end(args);
	return false;
}

void stream_pace_wait(struct stream_pace *pace, size_t octets)
{
	int64_t now = now_ns();
	struct timespec until;

	if (pace->rate == 0)
		return;
	if (pace->next_ns < now - PAUSE_MAX_NS)
		pace->next_ns = now;
	pace->next_ns += (int64_t)(octets * (uint64_t)NS_PER_S / pace->rate);
	until.tv_sec = pace->next_ns / NS_PER_S;
	until.tv_nsec = pace->next_ns % NS_PER_S;
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

void stream_pause_note(struct stream_pause *pause, struct stream_shared *shared)
{
	int64_t now = now_ns();
	unsigned ms = pause->last_ns ? (unsigned)((now - pause->last_ns) / 1000000) : 0;

	pause->last_ns = now;
	if (ms > atomic_load(&shared->pause_ms))
		atomic_store(&shared->pause_ms, ms);
}

static int check_spec(const struct stream_spec *spec, struct err_msg *msg)
{
	if (spec->protocol != STREAM_UDP ||
	    (spec->size >= STREAM_DATAGRAM_MIN && spec->size <= STREAM_DATAGRAM_MAX &&
	     spec->count <= STREAM_DATAGRAMS_MAX))
		return 0;
	return err_set(msg, ERR_INVALID, "UDP: %u datagrams of %u octets", spec->count, spec->size);
}

/* A socket of the receiver's node, though not in it: a socket stays where it was made. */
static int open_receiver(struct net *net, struct stream_job *job, struct err_msg *msg)
{
	int type = job->spec.protocol == STREAM_TCP ? SOCK_STREAM : SOCK_DGRAM | SOCK_NONBLOCK;
	int back, size = RECEIVE_BUFFER;
	int err = ns_enter(net_node_fd(net, job->spec.to), &back);

	if (err < 0)
		return err_set(msg, err, "%s: cannot enter the namespace", job->spec.to);
	job->fd = socket(job->addr.ss_family, type | SOCK_CLOEXEC, 0);
	ns_leave(back);
	if (job->fd >= 0 && job->spec.protocol == STREAM_UDP)
		setsockopt(job->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (job->fd < 0 || bind(job->fd, (struct sockaddr *)&job->addr, job->addr_len) < 0 ||
	    (job->spec.protocol == STREAM_TCP && listen(job->fd, 1) < 0) ||
	    getsockname(job->fd, (struct sockaddr *)&job->addr, &job->addr_len) < 0)
		return err_set(msg, ERR_IO, "receiver at %s: %s", job->spec.address,
			       strerror(errno));
	return 0;
}

static void run_end(const struct stream_job *job, enum stream_end end, int ns_fd)
{
	static stream_end_fn *const functions[3][2] = {
	    [STREAM_TCP] = {stream_tcp_send, stream_tcp_receive},
	    [STREAM_UDP] = {stream_udp_send, stream_udp_receive},
	    [STREAM_FLOOD] = {stream_flood_send, NULL},
	};
	int back;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (ns_enter(ns_fd, &back) < 0) {
		stream_fail(job, end, "cannot enter the namespace");
		_exit(1);
	}
	_exit(!functions[job->spec.protocol][end](job));
}

static int make_end(struct net *net, const struct stream_job *job, enum stream_end end,
		    struct stream *stream, struct err_msg *msg)
{
	int ns_fd = net_node_fd(net, end == STREAM_SENDER ? job->spec.from : job->spec.to);
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		run_end(job, end, ns_fd);
	if (pid < 0)
		return err_set(msg, ERR_IO, "fork: %s", strerror(errno));
	stream->ends[end].pid = pid;
	return 0;
}

/* True once it has ended; its status is then known. */
static bool has_ended(struct end *end)
{
	int status;

	if (end->pid > 0 && waitpid(end->pid, &status, WNOHANG) == end->pid) {
		end->status = status;
		end->pid = 0;
	}
	return end->pid == 0;
}

/* 0, or ERR_IO with the words of the end that failed; the sender's say more. */
static int check_ends(struct stream *stream, struct err_msg *msg)
{
	static const char *const names[] = {"sender", "receiver"};
	size_t i;

	for (i = 0; i < 2; i++)
		if (has_ended(&stream->ends[i]) && stream->ends[i].status != 0)
			return err_set(msg, ERR_IO, "%s, %s: %s", stream->name, names[i],
				       stream->shared->error[i][0] ? stream->shared->error[i]
								   : "died");
	return 0;
}

static bool has_arrived(void *arg, char *seen, size_t cap)
{
	struct stream *stream = arg;

	snprintf(seen, cap, "%llu sent", (unsigned long long)atomic_load(&stream->shared->sent));
	return atomic_load(stream->protocol == STREAM_FLOOD ? &stream->shared->sent
							    : &stream->shared->arrived) > 0 ||
	       check_ends(stream, NULL) < 0;
}

static int await_first(struct stream *stream, unsigned within_ms, struct err_msg *msg)
{
	int err = wait_until(has_arrived, stream, within_ms, "arrival of the stream", msg);

	return err < 0 ? err : check_ends(stream, msg);
}

static struct stream *new_stream(const struct stream_job *job)
{
	static const char *const names[] = {"TCP", "UDP", "flood"};
	struct stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return NULL;
	stream->shared = job->shared;
	stream->protocol = job->spec.protocol;
	stream->size = job->spec.protocol == STREAM_UDP ? job->spec.size : 1;
	snprintf(stream->name, sizeof(stream->name), "%s",
		 job->spec.name ? job->spec.name : names[job->spec.protocol]);
	return stream;
}

/* Takes job->shared over, and the stream has it, also on failure. */
static int start_ends(struct net *net, struct stream_job *job, struct stream **ret_stream,
		      struct err_msg *msg)
{
	struct stream *stream = new_stream(job);
	int err;

	if (!stream) {
		munmap(job->shared, sizeof(*job->shared));
		return err_set(msg, ERR_NOMEM, "out of memory");
	}
	err = job->spec.protocol == STREAM_FLOOD ? 0 : open_receiver(net, job, msg);
	if (err == 0 && job->spec.protocol != STREAM_FLOOD)
		err = make_end(net, job, STREAM_RECEIVER, stream, msg);
	if (err == 0)
		err = make_end(net, job, STREAM_SENDER, stream, msg);
	if (job->fd >= 0)
		close(job->fd);
	if (err < 0)
		stream_kill(stream);
	else
		*ret_stream = stream;
	return err;
}

int stream_start(struct net *net, const struct stream_spec *spec, unsigned within_ms,
		 struct stream **ret_stream, struct err_msg *msg)
{
	struct stream_job job = {.spec = *spec, .fd = -1};
	struct endpoint endpoint = {.port = 0};
	struct stream *stream = NULL;
	int err;

	if (ip_addr_parse(spec->address, &endpoint.addr) < 0 || net_node_fd(net, spec->to) < 0 ||
	    net_node_fd(net, spec->from) < 0)
		return err_set(msg, ERR_INVALID, "%s to %s at %s: no such address or node",
			       spec->from, spec->to, spec->address);
	job.addr_len = endpoint_to_sockaddr(&endpoint, &job.addr);
	if (job.spec.size == 0)
		job.spec.size = DATAGRAM_OCTETS;
	if (job.spec.rate == 0 && job.spec.protocol == STREAM_UDP)
		job.spec.rate = (uint64_t)job.spec.size * DATAGRAM_RATE;
	err = check_spec(&job.spec, msg);
	if (err < 0)
		return err;
	job.shared = mmap(NULL, sizeof(*job.shared), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (job.shared == MAP_FAILED)
		return err_set(msg, ERR_NOMEM, "out of memory");
	err = start_ends(net, &job, &stream, msg);
	if (err < 0)
		return err;
	err = await_first(stream, within_ms, msg);
	if (err < 0)
		stream_kill(stream);
	else
		*ret_stream = stream;
	return err;
}

const char *stream_name(const struct stream *stream)
{
	return stream->name;
}

static bool is_over(void *arg, char *seen, size_t cap)
{
	struct stream *stream = arg;
	bool sender = has_ended(&stream->ends[STREAM_SENDER]);
	bool receiver = has_ended(&stream->ends[STREAM_RECEIVER]);

	snprintf(seen, cap, "%llu sent, %llu arrived",
		 (unsigned long long)atomic_load(&stream->shared->sent),
		 (unsigned long long)atomic_load(&stream->shared->arrived));
	return (sender && receiver) || check_ends(stream, NULL) < 0;
}

static struct stream_result sum_up(const struct stream *stream)
{
	const struct stream_shared *shared = stream->shared;
	struct stream_result result = {
	    .sent = atomic_load(&shared->sent),
	    .arrived = atomic_load(&shared->arrived),
	    .duplicates = atomic_load(&shared->duplicates),
	    .damaged = atomic_load(&shared->damaged),
	    .overtaken = atomic_load(&shared->overtaken),
	    .pause_ms = atomic_load(&shared->pause_ms),
	};

	result.octets = result.arrived * stream->size;
	return result;
}

int stream_finish(struct stream *stream, unsigned within_ms, struct stream_result *ret_result,
		  struct err_msg *msg)
{
	struct stream_result result;
	int err;

	atomic_store(&stream->shared->stop, true);
	err = wait_until(is_over, stream, within_ms, stream->name, msg);
	if (err == 0)
		err = check_ends(stream, msg);
	result = sum_up(stream);
	if (err == 0 && stream->protocol == STREAM_TCP && result.arrived != result.sent)
		err = err_set(msg, ERR_IO, "%s: %llu of %llu octets arrived", stream->name,
			      (unsigned long long)result.arrived, (unsigned long long)result.sent);
	if (err == 0)
		*ret_result = result;
	stream_kill(stream);
	return err;
}

void stream_kill(struct stream *stream)
{
	size_t i;

	if (!stream)
		return;
	for (i = 0; i < 2; i++) {
		if (stream->ends[i].pid == 0)
			continue;
		kill(stream->ends[i].pid, SIGKILL);
		waitpid(stream->ends[i].pid, NULL, 0);
	}
	munmap(stream->shared, sizeof(*stream->shared));
	free(stream);
}
