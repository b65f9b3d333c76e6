/* link_tap.c - reading and writing a TAP, and noticing what was lost before it could be read.
 *
 * The kernel queues what the node sends (tx_queue_len frames) and drops the rest without telling
 * the sender. A wire must not lose what it has no record of, so the interface's drop counter is
 * part of its truth. /proc/net/dev shows the namespace that it was opened in, whoever reads it.
 *
 * Ownership: both descriptors are the tap's. */
#include "netns/link_tap.h"
#include "netns/netlink.h"
#include "netns/ns.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PROC_NET_DEV_MAX 16384

static int attach(const char *ifname, int *ret_fd, struct err_msg *msg)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int fd, error;

	/* The request below would make the interface. */
	if (if_nametoindex(ifname) == 0)
		return err_set(msg, ERR_NOT_FOUND, "no interface %s", ifname);
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_set(msg, ERR_IO, "/dev/net/tun: %s", strerror(errno));
	strncpy(request.ifr_name, ifname, sizeof(request.ifr_name) - 1);
	if (ioctl(fd, TUNSETIFF, &request) < 0) {
		error = errno;
		close(fd);
		return err_set(msg, error == EBUSY ? ERR_EXISTS : ERR_IO, "interface %s: %s",
			       ifname, error == EBUSY ? "has its wire already" : strerror(error));
	}
	*ret_fd = fd;
	return 0;
}

/* The interface's counter of what it could not hand over. */
static uint64_t drops(const struct link_tap *tap)
{
	unsigned long long dropped = 0;
	char text[PROC_NET_DEV_MAX];
	char name[TOPO_IFNAME_MAX + 1];
	char *line, *rest = text;
	ssize_t got = pread(tap->counters_fd, text, sizeof(text) - 1, 0);

	text[got > 0 ? got : 0] = 0;
	/* NAME: eight counters of reception, then octets, packets, errors, drops of transmission.
	 */
	while ((line = strsep(&rest, "\n")))
		if (sscanf(line, " %15[^:]: %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %llu", name,
			   &dropped) == 2 &&
		    strcmp(name, tap->ifname) == 0)
			return dropped;
	return 0;
}

/* What the node sent before its cable was in is no loss of the wire's. */
static int settle(int ns_fd, const char *ifname, struct err_msg *msg)
{
	struct nl_sock *sock;
	int err = netlink_open(ns_fd, &sock, msg);

	if (err < 0)
		return err;
	netlink_wait_carrier(sock, ifname); /* a kernel that never says it has none to wait for */
	netlink_close(sock);
	return 0;
}

int link_tap_open(int ns_fd, const char *ifname, struct link_tap *ret_tap, struct err_msg *msg)
{
	struct link_tap tap = {.fd = -1, .counters_fd = -1};
	int back, err = ns_enter(ns_fd, &back);

	if (err < 0)
		return err_set(msg, err, "%s: cannot enter the namespace", ifname);
	err = attach(ifname, &tap.fd, msg);
	if (err == 0) {
		tap.counters_fd = open("/proc/thread-self/net/dev", O_RDONLY | O_CLOEXEC);
		if (tap.counters_fd < 0)
			err = err_set(msg, ERR_IO, "/proc/net/dev: %s", strerror(errno));
	}
	ns_leave(back);
	if (err == 0)
		err = settle(ns_fd, ifname, msg);
	if (err < 0) {
		link_tap_close(&tap);
		return err;
	}
	snprintf(tap.ifname, sizeof(tap.ifname), "%s", ifname);
	tap.missed_before = drops(&tap);
	*ret_tap = tap;
	return 0;
}

void link_tap_close(struct link_tap *tap)
{
	if (tap->fd >= 0)
		close(tap->fd);
	if (tap->counters_fd >= 0)
		close(tap->counters_fd);
	tap->fd = tap->counters_fd = -1;
}

ssize_t link_tap_read(struct link_tap *tap, uint8_t *buf, size_t cap)
{
	ssize_t got = read(tap->fd, buf, cap);

	if (got >= 0)
		return got;
	return errno == EAGAIN || errno == EINTR ? 0 : ERR_IO;
}

int link_tap_write(struct link_tap *tap, const uint8_t *frame, size_t len)
{
	bool is_down = write(tap->fd, frame, len) != (ssize_t)len;

	/* What an interface had in its queue when it went down is no loss of the wire's. */
	if (tap->is_down && !is_down)
		tap->missed_before = drops(tap);
	tap->is_down = is_down;
	return is_down ? ERR_IO : 0;
}

uint64_t link_tap_missed(const struct link_tap *tap)
{
	return tap->is_down ? 0 : drops(tap) - tap->missed_before;
}
