/* vici_server.c - control connections: octets between sockets and control sessions, nothing of the
 * protocol.
 *
 * A session's output waits in the control module and is taken as the socket accepts it, so that a
 * client that does not read costs the session's own bounded buffer and is cut off when that is
 * full; nobody else notices. The socket file belongs to whoever bound it: a stale one is replaced,
 * a live one refused.
 *
 * Owned: server -> sessions -> control session and libuv handle. A session is freed in the close
 * callback of its handle, and only there. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "vpn/base/list.h"
#include "vpn/base/secret.h"
#include "vpn/control/control.h"
#include "vpn/daemon/daemon.h"

#define SESSIONS_MAX 64		  /* a person, a monitor or two, a bench */
#define UNSENT_MAX   (256 * 1024) /* octets handed to libuv and not yet to the socket */
#define CHUNK	     (64 * 1024)
#define BACKLOG	     16

union stream {
	uv_handle_t handle;
	uv_stream_t stream;
	uv_pipe_t pipe;
	uv_tcp_t tcp;
};

struct vici_server {
	struct daemon *daemon;
	union stream listener;
	bool tcp;
	bool listening;
	struct list sessions;
	unsigned n_sessions;
	uint8_t input[CHUNK]; /* of the one read that is under way */
};

struct session {
	struct list link;
	struct vici_server *server;
	struct control_session *control;
	union stream io;
};

struct write_job {
	uv_write_t request;
	size_t len;
	uint8_t data[];
};

static void on_session_closed(uv_handle_t *handle)
{
	struct session *s = handle->data;

	free(s);
}

static void session_close(struct session *s)
{
	if (uv_is_closing(&s->io.handle))
		return;
	list_remove(&s->link);
	s->server->n_sessions--;
	control_session_free(s->control);
	s->control = NULL;
	uv_close(&s->io.handle, on_session_closed);
}

static void session_flush(struct session *s);

static void on_written(uv_write_t *request, int status)
{
	struct write_job *job = (struct write_job *)request;
	struct session *s = request->handle->data;

	secret_wipe(job->data, job->len);
	free(job);
	if (status < 0)
		session_close(s);
	else if (!uv_is_closing(&s->io.handle))
		session_flush(s);
}

static int session_write(struct session *s, struct view out)
{
	struct write_job *job = malloc(sizeof(*job) + out.len);
	uv_buf_t buf;

	if (!job)
		return ERR_NOMEM;
	job->len = out.len;
	memcpy(job->data, out.p, out.len);
	buf = uv_buf_init((char *)job->data, (unsigned)out.len);
	if (uv_write(&job->request, &s->io.stream, &buf, 1, on_written)) {
		free(job);
		return ERR_IO;
	}
	return 0;
}

/* Hands on what the session has to say, as much as the socket may have waiting. */
static void session_flush(struct session *s)
{
	struct view out;

	while (uv_stream_get_write_queue_size(&s->io.stream) < UNSENT_MAX) {
		out = control_session_output(s->control);
		if (!out.len)
			break;
		if (out.len > CHUNK)
			out.len = CHUNK;
		if (session_write(s, out)) {
			session_close(s);
			return;
		}
		control_session_sent(s->control, out.len);
	}
	if (control_session_failed(s->control))
		session_close(s);
}

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
	struct session *s = handle->data;

	(void)suggested;
	*ret_buf = uv_buf_init((char *)s->server->input, sizeof(s->server->input));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct session *s = stream->data;
	struct daemon *d = s->server->daemon;
	struct view in = {(const uint8_t *)buf->base, n > 0 ? (size_t)n : 0};
	int err;

	if (n == 0)
		return;
	err = n < 0 ? ERR_IO : control_session_input(s->control, in, daemon_now());
	secret_wipe(s->server->input, in.len);
	if (err) {
		session_flush(s); /* it may have said what is wrong */
		session_close(s);
	}
	loop_settle(d);
}

static int stream_init(struct vici_server *server, union stream *io)
{
	uv_loop_t *loop = &server->daemon->loop;

	return server->tcp ? uv_tcp_init(loop, &io->tcp) : uv_pipe_init(loop, &io->pipe, 0);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct vici_server *server = listener->data;
	struct session *s;

	if (status < 0)
		return;
	s = calloc(1, sizeof(*s));
	if (!s)
		return;
	if (stream_init(server, &s->io)) {
		free(s);
		return;
	}
	s->server = server;
	s->io.handle.data = s;
	s->control = control_session_new(server->daemon->control);
	list_append(&server->sessions, &s->link);
	server->n_sessions++;
	if (uv_accept(listener, &s->io.stream) || !s->control ||
	    server->n_sessions > SESSIONS_MAX || uv_read_start(&s->io.stream, give_buffer, on_read))
		session_close(s);
}

/* libuv would call a missing directory "permission denied". */
static int check_directory(const char *path, struct err_msg *msg)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? strndup(path, (size_t)(slash - path + 1)) : strdup(".");
	int err = 0;

	if (!dir)
		return err_set(msg, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	if (access(dir, W_OK | X_OK) != 0)
		err = err_set(msg, ERR_IO, "control socket %s: %s", path, strerror(errno));
	free(dir);
	return err;
}

/* ERR_EXISTS if somebody answers on that socket; a stale socket file is removed. */
static int claim_path(const char *path, struct err_msg *msg)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct stat st;
	int fd, failed;

	if (strlen(path) >= sizeof(un.sun_path))
		return err_set(msg, ERR_INVALID, "control socket %s: the path is too long", path);
	if (lstat(path, &st) != 0)
		return check_directory(path, msg);
	if (!S_ISSOCK(st.st_mode))
		return err_set(msg, ERR_EXISTS, "control socket %s: a file of that name exists",
			       path);
	strcpy(un.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(msg, ERR_IO, "control socket %s: %s", path, strerror(errno));
	failed = connect(fd, (struct sockaddr *)&un, sizeof(un)) != 0 ? errno : 0;
	close(fd);
	if (failed != ECONNREFUSED)
		return err_set(msg, ERR_EXISTS, "control socket %s: another daemon listens there",
			       path);
	unlink(path);
	return 0;
}

static int bind_unix(struct vici_server *server, const char *path, struct err_msg *msg)
{
	mode_t mask;
	int err;

	err = claim_path(path, msg);
	if (err)
		return err;
	mask = umask(0077);
	err = uv_pipe_bind(&server->listener.pipe, path);
	umask(mask);
	return err ? err_set(msg, ERR_IO, "control socket %s: %s", path, uv_strerror(err)) : 0;
}

static int bind_tcp(struct vici_server *server, const char *where, struct err_msg *msg)
{
	const char *colon = strrchr(where, ':');
	char host[IP_ADDR_STRLEN + 2];
	struct sockaddr_storage ss;
	struct endpoint e;
	int err;

	if (!colon || (size_t)(colon - where) >= sizeof(host))
		return err_set(msg, ERR_INVALID, "control socket tcp://%s: not ADDRESS:PORT",
			       where);
	memcpy(host, where, (size_t)(colon - where));
	host[colon - where] = '\0';
	e.port = (uint16_t)strtoul(colon + 1, NULL, 10);
	if (ip_addr_parse(host, &e.addr) || !e.port)
		return err_set(msg, ERR_INVALID, "control socket tcp://%s: not ADDRESS:PORT",
			       where);
	endpoint_to_sockaddr(&e, &ss);
	err = uv_tcp_bind(&server->listener.tcp, (struct sockaddr *)&ss, 0);
	return err ? err_set(msg, ERR_IO, "control socket tcp://%s: %s", where, uv_strerror(err))
		   : 0;
}

static int server_listen(struct vici_server *server, const char *uri, struct err_msg *msg)
{
	int err;

	server->tcp = strncmp(uri, "tcp://", 6) == 0;
	if (!server->tcp && strncmp(uri, "unix://", 7) != 0)
		return err_set(msg, ERR_INVALID,
			       "control socket %s: neither unix://PATH nor tcp://ADDRESS:PORT",
			       uri);
	if (stream_init(server, &server->listener))
		return err_set(msg, ERR_IO, "control socket %s: cannot be made", uri);
	server->listening = true;
	server->listener.handle.data = server;
	err = server->tcp ? bind_tcp(server, uri + 6, msg) : bind_unix(server, uri + 7, msg);
	if (err)
		return err;
	err = uv_listen(&server->listener.stream, BACKLOG, on_connection);
	return err ? err_set(msg, err == UV_EADDRINUSE ? ERR_EXISTS : ERR_IO,
			     "control socket %s: %s", uri, uv_strerror(err))
		   : 0;
}

int vici_server_new(struct daemon *d, const char *uri, struct err_msg *msg)
{
	struct vici_server *server = calloc(1, sizeof(*server));

	if (!server)
		return err_set(msg, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	server->daemon = d;
	list_init(&server->sessions);
	d->server = server;
	return server_listen(server, uri, msg);
}

void vici_server_flush(struct vici_server *server)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &server->sessions)
		session_flush(list_entry(pos, struct session, link));
}

void vici_server_stop(struct vici_server *server)
{
	struct list *pos, *tmp;

	list_for_each (pos, tmp, &server->sessions)
		session_close(list_entry(pos, struct session, link));
	if (server->listening && !uv_is_closing(&server->listener.handle))
		uv_close(&server->listener.handle, NULL);
}

void vici_server_free(struct vici_server *server)
{
	free(server);
}
