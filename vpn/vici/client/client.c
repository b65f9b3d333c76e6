/* client.c - a blocking vici client.
 *
 * Writes one packet, then reads packets until the answer to it: events in between go to the
 * callback. A deadline covers the whole exchange. After a failed read the connection is of no more
 * use, for an answer that came late would be taken for that of the next request. */
#include "vpn/vici/client/client.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "vpn/base/secret.h"

struct vici_client {
	int fd;
	int timeout_ms;
	vici_event_fn on_event;
	void *arg;
	struct vici_stream in;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t deadline_after(int timeout_ms)
{
	return timeout_ms < 0 ? INT64_MAX : now_ms() + timeout_ms;
}

static int poll_timeout(int64_t deadline)
{
	int64_t left;

	if (deadline == INT64_MAX)
		return -1;
	left = deadline - now_ms();
	return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

static int open_unix(const char *path, int *ret_fd, struct err_msg *msg)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd;

	if (!*path || strlen(path) >= sizeof(sun.sun_path))
		return err_set(msg, ERR_INVALID, "socket path '%s' is empty or too long", path);
	memcpy(sun.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(msg, ERR_IO, "socket: %m");
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0) {
		err_set(msg, ERR_IO, "cannot connect to '%s': %m", path);
		close(fd);
		return ERR_IO;
	}
	*ret_fd = fd;
	return 0;
}

/* "host:port" or "[host]:port" into two strings within buf. */
static int split_host_port(char *buf, char **ret_host, char **ret_port)
{
	char *colon = strrchr(buf, ':');
	char *host = buf;

	if (!colon || !colon[1])
		return ERR_INVALID;
	*colon = '\0';
	if (host[0] == '[') {
		if (colon[-1] != ']')
			return ERR_INVALID;
		colon[-1] = '\0';
		host++;
	}
	*ret_host = host;
	*ret_port = colon + 1;
	return *host ? 0 : ERR_INVALID;
}

static int connect_first(const struct addrinfo *list)
{
	const struct addrinfo *ai;
	int fd;

	for (ai = list; ai; ai = ai->ai_next) {
		fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC, ai->ai_protocol);
		if (fd < 0)
			continue;
		if (!connect(fd, ai->ai_addr, ai->ai_addrlen))
			return fd;
		close(fd);
	}
	return -1;
}

static int open_tcp(const char *where, int *ret_fd, struct err_msg *msg)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
	char buf[300], *host, *port;
	int err;

	if (snprintf(buf, sizeof(buf), "%s", where) >= (int)sizeof(buf) ||
	    split_host_port(buf, &host, &port))
		return err_set(msg, ERR_INVALID, "'tcp://%s' is not tcp://HOST:PORT", where);
	err = getaddrinfo(host, port, &hints, &list);
	if (err)
		return err_set(msg, ERR_IO, "cannot resolve '%s': %s", where, gai_strerror(err));
	*ret_fd = connect_first(list);
	freeaddrinfo(list);
	if (*ret_fd < 0)
		return err_set(msg, ERR_IO, "cannot connect to '%s': %m", where);
	return 0;
}

int vici_client_open(const char *uri, struct vici_client **ret_client, struct err_msg *msg)
{
	struct vici_client *client;
	int fd, err;

	if (!strncmp(uri, "unix://", 7))
		err = open_unix(uri + 7, &fd, msg);
	else if (!strncmp(uri, "tcp://", 6))
		err = open_tcp(uri + 6, &fd, msg);
	else
		err = err_set(msg, ERR_INVALID, "'%s' is neither unix:// nor tcp://", uri);
	if (err)
		return err;
	client = calloc(1, sizeof(*client));
	if (!client) {
		close(fd);
		return err_set(msg, ERR_NOMEM, "out of memory");
	}
	client->fd = fd;
	client->timeout_ms = -1;
	*ret_client = client;
	return 0;
}

void vici_client_close(struct vici_client *client)
{
	if (!client)
		return;
	close(client->fd);
	vici_stream_free(&client->in);
	free(client);
}

int vici_client_fd(const struct vici_client *client)
{
	return client->fd;
}

void vici_client_set_timeout(struct vici_client *client, int ms)
{
	client->timeout_ms = ms;
}

void vici_client_on_event(struct vici_client *client, vici_event_fn fn, void *arg)
{
	client->on_event = fn;
	client->arg = arg;
}

static int send_all(struct vici_client *client, struct view octets, struct err_msg *msg)
{
	size_t done = 0;
	ssize_t n;

	while (done < octets.len) {
		n = send(client->fd, octets.p + done, octets.len - done, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(msg, ERR_IO, "cannot write to the daemon: %m");
		done += (size_t)n;
	}
	return 0;
}

static int send_packet(struct vici_client *client, enum vici_packet_type type, const char *name,
		       struct view message, struct err_msg *msg)
{
	struct vici_writer v = {0};
	struct view frame;
	int err;

	vici_begin(&v, type, name);
	vici_raw(&v, message);
	err = vici_finish(&v, &frame);
	if (err)
		err_set(msg, err, "cannot encode '%s': %s", name, err_text(err));
	else
		err = send_all(client, frame, msg);
	vici_writer_free(&v);
	return err;
}

static int receive_some(struct vici_client *client, int64_t deadline, struct err_msg *msg)
{
	struct pollfd pfd = {.fd = client->fd, .events = POLLIN};
	uint8_t buf[16384];
	ssize_t n;
	int ready, err;

	ready = poll(&pfd, 1, poll_timeout(deadline));
	if (ready == 0)
		return err_set(msg, ERR_AGAIN, "no answer from the daemon in time");
	if (ready < 0)
		return errno == EINTR ? 0 : err_set(msg, ERR_IO, "poll: %m");
	n = recv(client->fd, buf, sizeof(buf), 0);
	if (n < 0)
		return errno == EINTR ? 0 : err_set(msg, ERR_IO, "cannot read from the daemon: %m");
	if (n == 0)
		return err_set(msg, ERR_IO, "the daemon closed the connection");
	err = vici_stream_add(&client->in, buf, (size_t)n);
	secret_wipe(buf, (size_t)n);
	return err ? err_set(msg, err, "%s", err_text(err)) : 0;
}

static int next_packet(struct vici_client *client, int64_t deadline, struct vici_packet *ret_packet,
		       struct err_msg *msg)
{
	struct view frame;
	int err;

	for (;;) {
		err = vici_stream_next(&client->in, &frame);
		if (!err)
			return vici_packet_parse(frame, ret_packet, msg);
		if (err != ERR_AGAIN)
			return err_set(msg, err, "the daemon sent a packet that is too long");
		err = receive_some(client, deadline, msg);
		if (err)
			return err;
	}
}

static int deliver_event(struct vici_client *client, const struct vici_packet *packet,
			 struct err_msg *msg)
{
	struct vici_tree tree;
	int err = vici_parse(packet->message, &tree, msg);

	if (err)
		return err;
	if (client->on_event)
		client->on_event(client->arg, packet->name, tree.root);
	vici_tree_free(&tree);
	return 0;
}

/* The next packet that is no event. */
static int next_answer(struct vici_client *client, struct vici_packet *ret_packet,
		       struct err_msg *msg)
{
	int64_t deadline = deadline_after(client->timeout_ms);
	int err;

	for (;;) {
		err = next_packet(client, deadline, ret_packet, msg);
		if (err || ret_packet->type != VICI_EVENT)
			return err;
		err = deliver_event(client, ret_packet, msg);
		if (err)
			return err;
	}
}

static int change_registration(struct vici_client *client, enum vici_packet_type type,
			       const char *event, struct err_msg *msg)
{
	struct vici_packet packet;
	int err = send_packet(client, type, event, (struct view){0}, msg);

	if (!err)
		err = next_answer(client, &packet, msg);
	if (err)
		return err;
	if (packet.type == VICI_EVENT_UNKNOWN)
		return err_set(msg, ERR_NOT_FOUND, "the daemon has no event '%s'", event);
	if (packet.type != VICI_EVENT_CONFIRM)
		return err_set(msg, ERR_SYNTAX, "the daemon's answer does not fit");
	return 0;
}

int vici_client_register(struct vici_client *client, const char *event, struct err_msg *msg)
{
	return change_registration(client, VICI_EVENT_REGISTER, event, msg);
}

int vici_client_unregister(struct vici_client *client, const char *event, struct err_msg *msg)
{
	return change_registration(client, VICI_EVENT_UNREGISTER, event, msg);
}

int vici_client_request(struct vici_client *client, const char *command, struct vici_writer *body,
			struct vici_tree *ret_reply, struct err_msg *msg)
{
	struct vici_packet packet;
	struct view message = {0};
	int err = body ? vici_finish(body, &message) : 0;

	if (err)
		return err_set(msg, err, "cannot encode '%s': %s", command, err_text(err));
	err = send_packet(client, VICI_CMD_REQUEST, command, message, msg);
	if (!err)
		err = next_answer(client, &packet, msg);
	if (err)
		return err;
	if (packet.type == VICI_CMD_UNKNOWN)
		return err_set(msg, ERR_NOT_FOUND, "the daemon has no command '%s'", command);
	if (packet.type != VICI_CMD_RESPONSE)
		return err_set(msg, ERR_SYNTAX, "the daemon's answer does not fit");
	return vici_parse(packet.message, ret_reply, msg);
}

int vici_client_stream(struct vici_client *client, const char *command, const char *event,
		       struct vici_writer *body, struct vici_tree *ret_reply, struct err_msg *msg)
{
	int err = vici_client_register(client, event, msg);

	if (err)
		return err;
	err = vici_client_request(client, command, body, ret_reply, msg);
	if (err)
		return err;
	err = vici_client_unregister(client, event, msg);
	if (err)
		vici_tree_free(ret_reply);
	return err;
}

int vici_client_wait_event(struct vici_client *client, int timeout_ms, struct err_msg *msg)
{
	struct vici_packet packet;
	int err = next_packet(client, deadline_after(timeout_ms), &packet, msg);

	if (err)
		return err;
	if (packet.type != VICI_EVENT)
		return err_set(msg, ERR_SYNTAX, "the daemon's answer does not fit");
	return deliver_event(client, &packet, msg);
}

int vici_reply_check(const struct vici_tree *reply, struct err_msg *msg)
{
	const char *success = vici_text(reply->root, "success");
	const char *why = vici_text(reply->root, "errmsg");

	if (!success || !strcmp(success, "yes"))
		return 0;
	return err_set(msg, ERR_STATE, "%s", why ? why : "the daemon gives no reason");
}
