/* traffic.c - pings, and a TCP stream that is compared octet by octet.
 *
 * The stream is a generator's (xorshift64), so the receiver makes it again and needs no digest: it
 * can say at which octet the two part. Both ends have receive and send time-outs, so a stalled
 * tunnel fails rather than hangs. Nothing is kept between calls. */
#include "harness/traffic.h"
#include "netns/ns.h"
#include "netns/process.h"
#include "vpn/base/addr.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define STALL_S		 15
#define CLIENT_ERROR_MAX 160
#define CHUNK		 16384
#define PING_MS		 15000
#define TRANSFER_SEED	 0x6265657462656574ULL

static int run_ping(struct net *net, const char *node, const char *const *argv, int *ret_status,
		    struct process_output *ret_output, struct err_msg *msg)
{
	const struct process_spec spec = {.node = node, .argv = argv};

	return process_run(net, &spec, PING_MS + 5000, ret_status, ret_output, msg);
}

int traffic_ping(struct net *net, const char *from, const char *addr, unsigned size,
		 struct err_msg *msg)
{
	int64_t deadline = wait_now_ms() + PING_MS;
	struct process_output output = {0};
	unsigned answers = 0;
	char size_text[16];
	int status = 1, err = 0;

	snprintf(size_text, sizeof(size_text), "%u", size);
	while (err == 0 && answers < 2 && wait_now_ms() < deadline) {
		const char *const argv[] = {"ping", "-n",      "-c1", "-W1",
					    "-s",   size_text, addr,  NULL};

		process_output_free(&output);
		err = run_ping(net, from, argv, &status, &output, msg);
		/* The second must follow the first; a gap starts again. */
		answers = status == 0 ? answers + 1 : 0;
	}
	if (err == 0 && answers < 2)
		err = err_set(msg, ERR_AGAIN, "ping from %s to %s, %u octets: %.300s", from, addr,
			      size, output.text ? output.text : "");
	process_output_free(&output);
	return err;
}

int traffic_no_ping(struct net *net, const char *from, const char *addr, unsigned timeout_s,
		    struct err_msg *msg)
{
	struct process_output output = {0};
	char wait_text[16];
	const char *const argv[] = {"ping", "-n", "-c1", "-W", wait_text, addr, NULL};
	int status = 0, err;

	snprintf(wait_text, sizeof(wait_text), "%u", timeout_s);
	err = run_ping(net, from, argv, &status, &output, msg);
	if (err == 0 && status == 0)
		err = err_set(msg, ERR_STATE, "%s answers %s, which it must not", addr, from);
	process_output_free(&output);
	return err;
}

struct stream {
	uint64_t state;
};

static void stream_fill(struct stream *stream, uint8_t *buf, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		stream->state ^= stream->state << 13;
		stream->state ^= stream->state >> 7;
		stream->state ^= stream->state << 17;
		buf[i] = (uint8_t)(stream->state >> 32);
	}
}

static void set_stall_limit(int fd)
{
	const struct timeval limit = {.tv_sec = STALL_S};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

struct transfer {
	struct sockaddr_storage addr;
	socklen_t addr_len;
	size_t octets;
	char error[160];    /* of the server; in the pipe's message */
	char *client_error; /* CLIENT_ERROR_MAX octets, which its process shares with its parent */
};

static bool send_all(int fd, const uint8_t *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t sent = send(fd, buf + done, len - done, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		done += (size_t)sent;
	}
	return true;
}

static int client(void *arg)
{
	const struct transfer *transfer = arg;
	struct stream stream = {.state = TRANSFER_SEED};
	size_t left = transfer->octets;
	uint8_t buf[CHUNK];
	int fd = socket(transfer->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	set_stall_limit(fd);
	if (connect(fd, (const struct sockaddr *)&transfer->addr, transfer->addr_len) < 0) {
		snprintf(transfer->client_error, CLIENT_ERROR_MAX, "connect: %s",
			 errno == EINPROGRESS ? "no answer" : strerror(errno));
		return 1;
	}
	while (left > 0) {
		size_t len = left < sizeof(buf) ? left : sizeof(buf);

		stream_fill(&stream, buf, len);
		if (!send_all(fd, buf, len)) {
			snprintf(transfer->client_error, CLIENT_ERROR_MAX,
				 "sending, %zu octets to go: %s", left, strerror(errno));
			return 1;
		}
		left -= len;
	}
	shutdown(fd, SHUT_WR);
	/* The server closes when it has compared everything. */
	return recv(fd, buf, 1, 0) == 0 ? 0 : 1;
}

/* Compares what arrives; error is empty if all of it did, unchanged. */
static void receive(int fd, struct transfer *transfer)
{
	struct stream stream = {.state = TRANSFER_SEED};
	uint8_t got[CHUNK], want[CHUNK];
	size_t done = 0;
	ssize_t len;

	while ((len = recv(fd, got, sizeof(got), 0)) > 0) {
		stream_fill(&stream, want, (size_t)len);
		if (memcmp(got, want, (size_t)len) != 0) {
			snprintf(transfer->error, sizeof(transfer->error),
				 "octets differ between %zu and %zu", done, done + (size_t)len);
			return;
		}
		done += (size_t)len;
	}
	if (len < 0 || done != transfer->octets)
		snprintf(transfer->error, sizeof(transfer->error), "%zu of %zu octets arrived: %s",
			 done, transfer->octets, len < 0 ? strerror(errno) : "end of stream");
}

static void server(int ns_fd, struct transfer *transfer, int out)
{
	int back, fd = -1, peer = -1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(transfer->error, sizeof(transfer->error), "server: cannot listen");
	if (ns_enter(ns_fd, &back) == 0)
		fd = socket(transfer->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	set_stall_limit(fd);
	if (fd < 0 || bind(fd, (struct sockaddr *)&transfer->addr, transfer->addr_len) < 0 ||
	    listen(fd, 1) < 0 ||
	    getsockname(fd, (struct sockaddr *)&transfer->addr, &transfer->addr_len) < 0 ||
	    write(out, transfer, sizeof(*transfer)) < 0)
		_exit(1);
	transfer->error[0] = 0;
	peer = accept(fd, NULL, NULL);
	if (peer < 0) {
		snprintf(transfer->error, sizeof(transfer->error), "nobody connected: %s",
			 strerror(errno));
	} else {
		set_stall_limit(peer);
		receive(peer, transfer);
		close(peer);
	}
	_exit(write(out, transfer, sizeof(*transfer)) < 0);
}

static int run_transfer(struct net *net, const char *from, struct transfer *transfer, int in,
			struct err_msg *msg)
{
	int status = 0, err;

	/* First where the server listens, then what it found. */
	if (read(in, transfer, sizeof(*transfer)) != sizeof(*transfer))
		return err_set(msg, ERR_IO, "TCP server: cannot listen");
	err = net_call(net, from, client, transfer, &status, msg);
	if (err < 0)
		return err;
	if (status != 0)
		return err_set(msg, ERR_IO, "TCP from %s: %s", from,
			       transfer->client_error[0] ? transfer->client_error
							 : "the server closed too early");
	if (read(in, transfer, sizeof(*transfer)) != sizeof(*transfer))
		return err_set(msg, ERR_IO, "TCP server: died");
	if (transfer->error[0])
		return err_set(msg, ERR_IO, "TCP from %s: %s", from, transfer->error);
	return 0;
}

int traffic_tcp(struct net *net, const char *from, const char *to, const char *to_addr,
		size_t octets, struct err_msg *msg)
{
	struct transfer transfer = {.octets = octets};
	struct endpoint endpoint = {.port = 0};
	int fds[2], err;
	pid_t pid;

	if (ip_addr_parse(to_addr, &endpoint.addr) < 0 || net_node_fd(net, to) < 0)
		return err_set(msg, ERR_INVALID, "TCP to %s: no such address or node", to_addr);
	transfer.addr_len = endpoint_to_sockaddr(&endpoint, &transfer.addr);
	transfer.client_error =
	    mmap(NULL, CLIENT_ERROR_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (transfer.client_error == MAP_FAILED)
		return err_set(msg, ERR_NOMEM, "out of memory");
	if (pipe(fds) < 0) {
		munmap(transfer.client_error, CLIENT_ERROR_MAX);
		return err_set(msg, ERR_IO, "pipe: %s", strerror(errno));
	}
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		server(net_node_fd(net, to), &transfer, fds[1]);
	}
	close(fds[1]);
	err = pid < 0 ? err_set(msg, ERR_IO, "fork: %s", strerror(errno))
		      : run_transfer(net, from, &transfer, fds[0], msg);
	close(fds[0]);
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	munmap(transfer.client_error, CLIENT_ERROR_MAX);
	return err;
}
