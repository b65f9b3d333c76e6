/* instance.c - the PID file, locked as long as the daemon lives, and sd_notify(3) without its
 * library: one datagram to the socket that NOTIFY_SOCKET names. The lock, not the number in the
 * file, says whether a daemon runs, so that the file of a killed one is no obstacle. */
#include "vpn/daemon/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int write_pid(int fd)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	if (ftruncate(fd, 0) != 0 || write(fd, text, (size_t)len) != len)
		return ERR_IO;
	return 0;
}

int instance_open(struct instance *instance, const char *pid_path, struct err_msg *msg)
{
	int fd;

	*instance = (struct instance){.fd = -1};
	if (!pid_path)
		return 0;
	fd = open(pid_path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_set(msg, ERR_IO, "PID file %s: %s", pid_path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		close(fd);
		return err_set(msg, ERR_EXISTS, "PID file %s: a running daemon holds it", pid_path);
	}
	instance->pid_path = strdup(pid_path);
	if (!instance->pid_path || write_pid(fd)) {
		free(instance->pid_path);
		close(fd);
		return err_set(msg, ERR_IO, "PID file %s: %s", pid_path, strerror(errno));
	}
	instance->fd = fd;
	return 0;
}

void instance_close(struct instance *instance)
{
	if (instance->fd < 0)
		return;
	unlink(instance->pid_path);
	close(instance->fd);
	free(instance->pid_path);
	*instance = (struct instance){.fd = -1};
}

void instance_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	socklen_t len;
	int fd;

	if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof(un.sun_path))
		return;
	memcpy(un.sun_path, path, strlen(path));
	if (path[0] == '@')
		un.sun_path[0] = '\0'; /* the abstract name space (unix(7)) */
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&un, len) < 0)
		perror("NOTIFY_SOCKET");
	close(fd);
}
