/* link_writer.c - a queue of octets for files, and the thread that writes them.
 *
 *	FILE (its buffer) --> queue of chunks --> thread --> file
 *
 * A write to a disk may take a tenth of a second when the machine writes much; a wire that waited
 * for it would add that to the packets' way. The queue is bounded: who outruns the disk by
 * QUEUE_MAX octets waits for it after all, since nothing may be lost.
 *
 * Invariant: after the first failed write nothing more is written, and every later sync fails.
 *
 * Ownership: the writer has the chunks, and the descriptors of its files, which are closed in turn
 * behind their last chunk. The FILE is the caller's to fclose(). */
#include "netns/link_writer.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_SIZE (64 << 10)
#define QUEUE_MAX   (256 << 20)

enum { CHUNK_DATA, CHUNK_CLOSE };

struct chunk {
	struct chunk *next;
	int fd;
	int kind;
	size_t len;
	char data[];
};

struct link_writer {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t is_more; /* for the thread */
	pthread_cond_t is_less; /* for those who wait for it */
	struct chunk *first, **last;
	size_t octets; /* queued, or being written */
	bool is_writing, is_over;
	int error; /* errno of the first failure */
};

/* What a FILE knows of its file. */
struct cookie {
	struct link_writer *writer;
	int fd;
};

static int write_all(const struct chunk *chunk)
{
	size_t done = 0;

	while (done < chunk->len) {
		ssize_t n = write(chunk->fd, chunk->data + done, chunk->len - done);

		if (n < 0 && errno != EINTR)
			return errno;
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static int carry_out(const struct chunk *chunk, bool has_failed)
{
	if (chunk->kind == CHUNK_CLOSE)
		return close(chunk->fd) < 0 ? errno : 0;
	return has_failed ? 0 : write_all(chunk);
}

static struct chunk *take_chunk(struct link_writer *writer)
{
	struct chunk *chunk = writer->first;

	if (!chunk)
		return NULL;
	writer->first = chunk->next;
	if (!writer->first)
		writer->last = &writer->first;
	return chunk;
}

static void *writer_thread(void *arg)
{
	struct link_writer *writer = arg;
	struct chunk *chunk;
	bool has_failed;
	int error;

	pthread_mutex_lock(&writer->lock);
	for (;;) {
		while (!(chunk = take_chunk(writer)) && !writer->is_over)
			pthread_cond_wait(&writer->is_more, &writer->lock);
		if (!chunk)
			break;
		writer->is_writing = true;
		has_failed = writer->error != 0;
		pthread_mutex_unlock(&writer->lock);
		error = carry_out(chunk, has_failed);
		pthread_mutex_lock(&writer->lock);
		writer->is_writing = false;
		writer->octets -= chunk->len;
		if (writer->error == 0)
			writer->error = error;
		free(chunk);
		pthread_cond_broadcast(&writer->is_less);
	}
	pthread_mutex_unlock(&writer->lock);
	return NULL;
}

static int queue_chunk(struct link_writer *writer, int fd, int kind, const char *data, size_t len)
{
	struct chunk *chunk = malloc(sizeof(*chunk) + len);

	if (!chunk)
		return ERR_NOMEM;
	*chunk = (struct chunk){.fd = fd, .kind = kind, .len = len};
	if (len)
		memcpy(chunk->data, data, len);
	pthread_mutex_lock(&writer->lock);
	while (writer->octets + len > QUEUE_MAX)
		pthread_cond_wait(&writer->is_less, &writer->lock);
	*writer->last = chunk;
	writer->last = &chunk->next;
	writer->octets += len;
	pthread_cond_signal(&writer->is_more);
	pthread_mutex_unlock(&writer->lock);
	return 0;
}

static ssize_t cookie_write(void *arg, const char *data, size_t len)
{
	const struct cookie *cookie = arg;

	/* 0 is how a stream's function reports an error (fopencookie(3)). */
	return queue_chunk(cookie->writer, cookie->fd, CHUNK_DATA, data, len) < 0 ? 0
										  : (ssize_t)len;
}

static int cookie_close(void *arg)
{
	struct cookie *cookie = arg;
	int err = queue_chunk(cookie->writer, cookie->fd, CHUNK_CLOSE, NULL, 0);

	free(cookie);
	return err < 0 ? -1 : 0;
}

FILE *link_writer_open(struct link_writer *writer, const char *path, struct err_msg *msg)
{
	const cookie_io_functions_t functions = {.write = cookie_write, .close = cookie_close};
	struct cookie *cookie = malloc(sizeof(*cookie));
	FILE *file = NULL;

	if (!cookie) {
		err_set(msg, ERR_NOMEM, "out of memory");
		return NULL;
	}
	cookie->writer = writer;
	cookie->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (cookie->fd >= 0)
		file = fopencookie(cookie, "w", functions);
	if (file && setvbuf(file, NULL, _IOFBF, BUFFER_SIZE) == 0)
		return file;
	err_set(msg, ERR_IO, "%s: %s", path, strerror(errno));
	if (file) {
		fclose(file);
		return NULL;
	}
	if (cookie->fd >= 0)
		close(cookie->fd);
	free(cookie);
	return NULL;
}

int link_writer_new(struct link_writer **ret_writer, struct err_msg *msg)
{
	struct link_writer *writer = calloc(1, sizeof(*writer));

	if (!writer)
		return err_set(msg, ERR_NOMEM, "out of memory");
	writer->last = &writer->first;
	pthread_mutex_init(&writer->lock, NULL);
	pthread_cond_init(&writer->is_more, NULL);
	pthread_cond_init(&writer->is_less, NULL);
	if (pthread_create(&writer->thread, NULL, writer_thread, writer) != 0) {
		free(writer);
		return err_set(msg, ERR_IO, "no thread to write with");
	}
	*ret_writer = writer;
	return 0;
}

static int report(const struct link_writer *writer, struct err_msg *msg)
{
	return writer->error ? err_set(msg, ERR_IO, "capture: %s", strerror(writer->error)) : 0;
}

int link_writer_sync(struct link_writer *writer, struct err_msg *msg)
{
	int err;

	pthread_mutex_lock(&writer->lock);
	while (writer->first || writer->is_writing)
		pthread_cond_wait(&writer->is_less, &writer->lock);
	err = report(writer, msg);
	pthread_mutex_unlock(&writer->lock);
	return err;
}

bool link_writer_failed(struct link_writer *writer)
{
	bool has_failed;

	pthread_mutex_lock(&writer->lock);
	has_failed = writer->error != 0;
	pthread_mutex_unlock(&writer->lock);
	return has_failed;
}

int link_writer_free(struct link_writer *writer, struct err_msg *msg)
{
	int err;

	pthread_mutex_lock(&writer->lock);
	writer->is_over = true;
	pthread_cond_signal(&writer->is_more);
	pthread_mutex_unlock(&writer->lock);
	pthread_join(writer->thread, NULL);
	err = report(writer, msg);
	pthread_mutex_destroy(&writer->lock);
	pthread_cond_destroy(&writer->is_more);
	pthread_cond_destroy(&writer->is_less);
	free(writer);
	return err;
}
