/* preflight.c - tries a TUN device and lets it go again.
 *
 * The data plane makes its devices when a connection needs them, which is too late to find out that
 * it cannot: a daemon that accepts connections and then carries nothing is worse than one that
 * refuses to start. A device that is not persistent goes with its descriptor (Linux,
 * networking/tuntap). */
#include "vpn/daemon/preflight.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/if.h>
#include <linux/if_tun.h>

#define TUN_PATH "/dev/net/tun"

int preflight_tun(struct err_msg *msg)
{
	struct ifreq ifr = {.ifr_name = "beettry%d", .ifr_flags = IFF_TUN | IFF_NO_PI};
	int fd, failed;

	fd = open(TUN_PATH, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return err_set(msg, errno == EACCES ? ERR_PERM : ERR_UNSUPPORTED, TUN_PATH ": %s",
			       strerror(errno));
	failed = ioctl(fd, TUNSETIFF, &ifr) != 0 ? errno : 0;
	close(fd);
	if (failed == EPERM || failed == EACCES)
		return err_set(msg, ERR_PERM,
			       "TUN devices: not permitted (CAP_NET_ADMIN is needed)");
	if (failed)
		return err_set(msg, ERR_UNSUPPORTED, TUN_PATH ": %s", strerror(failed));
	return 0;
}
