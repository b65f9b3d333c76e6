/* ns.c - named network namespaces.
 *
 * A namespace lives as long as something holds it: here a bind mount of its handle on a file in
 * /run/netns, so that `ip netns exec NAME` and every tool that knows the convention can enter it.
 * /run/netns is left a plain directory; iproute2 makes it a shared mount of its own when it wants
 * to.
 *
 * Invariant: a thread that was moved is moved back, or the process ends (assert): code that went on
 * in the wrong namespace would configure the host's own network. */
#include "netns/ns.h"
#include "vpn/base/err.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define NETNS_DIR  "/run/netns"
#define OWN_HANDLE "/proc/thread-self/ns/net"

static int name_path(const char *name, char path[PATH_MAX])
{
	if (!*name || strchr(name, '/') || strlen(name) > NAME_MAX)
		return ERR_INVALID;
	snprintf(path, PATH_MAX, NETNS_DIR "/%s", name);
	return 0;
}

static int from_errno(void)
{
	if (errno == EEXIST)
		return ERR_EXISTS;
	if (errno == ENOENT)
		return ERR_NOT_FOUND;
	return errno == EPERM || errno == EACCES ? ERR_PERM : ERR_IO;
}

void ns_leave(int back)
{
	int err = setns(back, CLONE_NEWNET);

	assert(err == 0);
	(void)err;
	close(back);
}

int ns_enter(int fd, int *ret_back)
{
	int back = open(OWN_HANDLE, O_RDONLY | O_CLOEXEC);
	int err;

	if (back < 0)
		return from_errno();
	if (setns(fd, CLONE_NEWNET) < 0) {
		err = from_errno();
		close(back);
		return err;
	}
	*ret_back = back;
	return 0;
}

/* Makes a namespace and puts its handle on path. */
static int mount_new(const char *path)
{
	int back = open(OWN_HANDLE, O_RDONLY | O_CLOEXEC);
	int err = 0;

	if (back < 0)
		return from_errno();
	if (unshare(CLONE_NEWNET) < 0) {
		err = from_errno();
		close(back);
		return err;
	}
	if (mount(OWN_HANDLE, path, "none", MS_BIND, NULL) < 0)
		err = from_errno();
	ns_leave(back);
	return err;
}

int ns_create(const char *name)
{
	char path[PATH_MAX];
	int fd, err = name_path(name, path);

	if (err < 0)
		return err;
	if (mkdir(NETNS_DIR, 0755) < 0 && errno != EEXIST)
		return from_errno();
	fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	if (fd < 0)
		return from_errno();
	close(fd);
	err = mount_new(path);
	if (err < 0)
		unlink(path);
	return err;
}

int ns_open(const char *name, int *ret_fd)
{
	char path[PATH_MAX];
	int fd, err = name_path(name, path);

	if (err < 0)
		return err;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return from_errno();
	*ret_fd = fd;
	return 0;
}

int ns_delete(const char *name)
{
	char path[PATH_MAX];
	int err = name_path(name, path);

	if (err < 0)
		return err;
	/* EINVAL: not a mount, which a crash between making the file and mounting leaves. */
	if (umount2(path, MNT_DETACH) < 0 && errno != EINVAL && errno != ENOENT)
		return from_errno();
	if (unlink(path) < 0 && errno != ENOENT)
		return from_errno();
	return 0;
}

int ns_sysctl(const char *key, const char *value)
{
	size_t len = strlen(value);
	char path[PATH_MAX];
	int fd, err = 0;
	char *p;

	/* A dot in an interface name is written as a slash, as sysctl(8) does. */
	snprintf(path, sizeof(path), "/proc/sys/%s", key);
	for (p = path + strlen("/proc/sys/"); *p; p++)
		*p = *p == '.' ? '/' : *p == '/' ? '.' : *p;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return from_errno();
	if (write(fd, value, len) != (ssize_t)len)
		err = ERR_IO;
	close(fd);
	return err;
}
