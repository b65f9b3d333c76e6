/* stream_tcp.c - the two ends of a TCP stream.
 *
 * The stream is a generator's (xorshift64), so the receiver makes it again and needs no digest: it
 * can say at which octet the two part. Both ends have time-outs, so a stalled tunnel fails rather
 * than hangs. The sender ends its half and waits for the receiver to close, which it does when it
 * has compared everything. The receiver is the last to end: when its FIN is acknowledged, so that
 * nothing of the stream is on its way any more (RFC 9293 §3.6). */
#include "harness/stream_internal.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define STALL_S	    30
#define LINGER_S    5 /* for the last acknowledgement, sent again if need be */
#define CHUNK	    16384
#define PACED_CHUNK 1200 /* with a rate: smooth rather than in bursts */
#define SEED	    0x6265657462656574ULL

struct generator {
	uint64_t state;
};

static void generate(struct generator *g, uint8_t *buf, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		g->state ^= g->state << 13;
		g->state ^= g->state >> 7;
		g->state ^= g->state << 17;
		buf[i] = (uint8_t)(g->state >> 32);
	}
}

static void set_stall_limit(int fd)
{
	const struct timeval limit = {.tv_sec = STALL_S};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

/* A time-out of a socket is EAGAIN, which says nothing to a person. */
static const char *reason(void)
{
	static char text[64];

	if (errno != EAGAIN && errno != EINPROGRESS)
		return strerror(errno);
	snprintf(text, sizeof(text), "nothing moved for %d s", STALL_S);
	return text;
}

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

/* How much comes next; 0: it is over. */
static size_t next_chunk(const struct stream_job *job, uint64_t sent)
{
	size_t chunk = job->spec.rate ? PACED_CHUNK : CHUNK;
	uint64_t left = job->spec.octets - sent;

	if (job->spec.octets == 0)
		return atomic_load(&job->shared->stop) ? 0 : chunk;
	return left < chunk ? (size_t)left : chunk;
}

bool stream_tcp_send(const struct stream_job *job)
{
	struct stream_pace pace = {.rate = job->spec.rate};
	struct generator g = {.state = SEED};
	uint8_t buf[CHUNK];
	uint64_t sent = 0;
	size_t len;
	int fd = socket(job->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	set_stall_limit(fd);
	if (connect(fd, (const struct sockaddr *)&job->addr, job->addr_len) < 0)
		return stream_fail(job, STREAM_SENDER, "connect: %s",
				   errno == EINPROGRESS ? "no answer" : reason());
	for (; (len = next_chunk(job, sent)) > 0; sent += len) {
		generate(&g, buf, len);
		if (!send_all(fd, buf, len))
			return stream_fail(job, STREAM_SENDER, "after %llu octets: %s",
					   (unsigned long long)sent, reason());
		atomic_store(&job->shared->sent, sent + len);
		stream_pace_wait(&pace, len);
	}
	atomic_store(&job->shared->sent_all, true);
	shutdown(fd, SHUT_WR);
	len = (size_t)recv(fd, buf, 1, 0);
	return len == 0 ||
	       stream_fail(job, STREAM_SENDER, "after all %llu octets: %s",
			   (unsigned long long)sent, len == 1 ? "an answer came" : reason());
}

static bool compare_all(const struct stream_job *job, int fd)
{
	struct stream_pause pause = {.last_ns = 0};
	struct generator g = {.state = SEED};
	uint8_t got[CHUNK], want[CHUNK];
	uint64_t done = 0;
	ssize_t len;

	while ((len = recv(fd, got, sizeof(got), 0)) > 0) {
		generate(&g, want, (size_t)len);
		if (memcmp(got, want, (size_t)len) != 0)
			return stream_fail(
			    job, STREAM_RECEIVER, "octets differ between %llu and %llu",
			    (unsigned long long)done, (unsigned long long)done + (size_t)len);
		done += (size_t)len;
		stream_pause_note(&pause, job->shared);
		atomic_store(&job->shared->arrived, done);
	}
	return len == 0 || stream_fail(job, STREAM_RECEIVER, "after %llu octets: %s",
				       (unsigned long long)done, reason());
}

bool stream_tcp_receive(const struct stream_job *job)
{
	const struct linger until_acknowledged = {.l_onoff = 1, .l_linger = LINGER_S};
	bool ok;
	int fd;

	set_stall_limit(job->fd);
	fd = accept(job->fd, NULL, NULL);
	if (fd < 0)
		return stream_fail(job, STREAM_RECEIVER, "nobody connected: %s", reason());
	set_stall_limit(fd);
	ok = compare_all(job, fd);
	if (ok)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &until_acknowledged,
			   sizeof(until_acknowledged));
	close(fd);
	return ok;
}
