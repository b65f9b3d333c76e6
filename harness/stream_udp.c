/* stream_udp.c - the two ends of a stream of numbered datagrams.
 *
 * A datagram is its number (32 bits), a cookie, and octets that follow from the number, so that one
 * alone can be judged. The receiver ends when the sender has ended and nothing has come for a
 * while. What is lost is no failure of an end: the owner counts. */
#include "harness/stream_internal.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define QUIET_MS 1000 /* for what is late */
#define TWICE_MS 200  /* when all are there: for what comes a second time */
#define TURN_MS	 20
#define COOKIE	 0x62656574u

static void fill(uint8_t *data, size_t size, uint32_t number)
{
	uint64_t state = (number + UINT64_C(1)) * 0x9e3779b97f4a7c15ULL;
	size_t i;

	memcpy(data, &number, 4);
	memcpy(data + 4, &(uint32_t){COOKIE}, 4);
	for (i = STREAM_DATAGRAM_MIN; i < size; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		data[i] = (uint8_t)(state >> 32);
	}
}

static bool goes_on(const struct stream_job *job, uint32_t sent)
{
	if (job->spec.count)
		return sent < job->spec.count;
	return sent < STREAM_DATAGRAMS_MAX && !atomic_load(&job->shared->stop);
}

bool stream_udp_send(const struct stream_job *job)
{
	struct stream_pace pace = {.rate = job->spec.rate};
	uint8_t data[STREAM_DATAGRAM_MAX];
	int fd = socket(job->addr.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint32_t sent;

	if (fd < 0)
		return stream_fail(job, STREAM_SENDER, "socket: %s", strerror(errno));
	for (sent = 0; goes_on(job, sent);) {
		fill(data, job->spec.size, sent);
		/* A datagram that the host refuses (no route for a moment) is a lost one. */
		if (sendto(fd, data, job->spec.size, 0, (const struct sockaddr *)&job->addr,
			   job->addr_len) < 0)
			stream_fail(job, STREAM_SENDER, "datagram %u: %s", sent, strerror(errno));
		atomic_store(&job->shared->sent, ++sent);
		stream_pace_wait(&pace, job->spec.size);
	}
	atomic_store(&job->shared->sent_all, true);
	return true;
}

struct receiver {
	const struct stream_job *job;
	uint8_t *seen; /* a bit for each number */
	uint32_t next; /* behind the highest number */
	struct stream_pause pause;
};

static bool note_number(struct receiver *r, uint32_t number)
{
	uint8_t bit = (uint8_t)(1u << (number % 8));
	bool is_new = !(r->seen[number / 8] & bit);

	r->seen[number / 8] |= bit;
	return is_new;
}

static void judge(struct receiver *r, const uint8_t *data, ssize_t len)
{
	struct stream_shared *shared = r->job->shared;
	uint8_t want[STREAM_DATAGRAM_MAX];
	uint32_t number = UINT32_MAX;

	if (len >= STREAM_DATAGRAM_MIN)
		memcpy(&number, data, 4);
	if (len == (ssize_t)r->job->spec.size && number < STREAM_DATAGRAMS_MAX)
		fill(want, (size_t)len, number);
	if (len != (ssize_t)r->job->spec.size || number >= STREAM_DATAGRAMS_MAX ||
	    memcmp(want, data, (size_t)len) != 0) {
		atomic_fetch_add(&shared->damaged, 1);
		return;
	}
	stream_pause_note(&r->pause, shared);
	if (!note_number(r, number)) {
		atomic_fetch_add(&shared->duplicates, 1);
		return;
	}
	if (number < r->next)
		atomic_fetch_add(&shared->overtaken, 1);
	else
		r->next = number + 1;
	atomic_fetch_add(&shared->arrived, 1);
}

static bool is_complete(const struct stream_shared *shared)
{
	return atomic_load(&shared->sent_all) &&
	       atomic_load(&shared->arrived) >= atomic_load(&shared->sent);
}

/* Everything that is there; false if there was nothing for a turn. */
static bool take(struct receiver *r)
{
	struct pollfd readable = {.fd = r->job->fd, .events = POLLIN};
	uint8_t data[STREAM_DATAGRAM_MAX + 1];
	ssize_t len;

	if (poll(&readable, 1, TURN_MS) <= 0)
		return false;
	while ((len = recv(r->job->fd, data, sizeof(data), 0)) >= 0)
		judge(r, data, len);
	return true;
}

bool stream_udp_receive(const struct stream_job *job)
{
	struct receiver r = {.job = job, .seen = calloc(1, STREAM_DATAGRAMS_MAX / 8)};
	unsigned quiet_ms = 0;

	if (!r.seen)
		return stream_fail(job, STREAM_RECEIVER, "out of memory");
	while (quiet_ms < (is_complete(job->shared) ? TWICE_MS : QUIET_MS)) {
		if (take(&r) || !atomic_load(&job->shared->sent_all))
			quiet_ms = 0;
		else
			quiet_ms += TURN_MS;
	}
	free(r.seen);
	return true;
}
