/* tun.c - TUN devices with virtio headers (IFF_VNET_HDR) and offloads.
 *
 * With TUNSETOFFLOAD the kernel hands over TCP (and, since Linux 6.2, UDP) super-packets of up to
 * 64 kB and leaves checksums to us, and takes super-packets back. The virtio header in front of
 * each packet says so; its fields are in host order, as legacy virtio has them, so it is read and
 * written as a struct that never leaves this machine.
 *
 * A device that we made exists as long as its descriptor. One that was there before (ip tuntap add)
 * is adopted: its MTU is left alone, and it outlives us. */
#include "vpn/dataplane/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Newer than the headers of Debian 12. */
enum { OFFLOAD_USO4 = 0x20, OFFLOAD_USO6 = 0x40, VIRTIO_GSO_UDP_L4 = 5 };

static int explain(const char *name, int error, struct err_msg *msg)
{
	switch (error) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return err_set(msg, ERR_UNSUPPORTED,
			       "/dev/net/tun is missing: the kernel has no TUN driver");
	case EPERM:
	case EACCES:
		return err_set(msg, ERR_PERM,
			       "TUN device %s: not permitted (CAP_NET_ADMIN is needed)", name);
	case EBUSY:
		return err_set(msg, ERR_EXISTS, "TUN device %s is in use by another program", name);
	case EINVAL:
		return err_set(msg, ERR_EXISTS,
			       "%s exists and is not a TUN device that can be used", name);
	default:
		return err_set(msg, ERR_IO, "TUN device %s: %s", name, strerror(error));
	}
}

static void set_offload(int fd, bool offload)
{
	unsigned long flags = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;

	if (!offload)
		flags = 0;
	else if (ioctl(fd, TUNSETOFFLOAD, flags | OFFLOAD_USO4 | OFFLOAD_USO6) == 0)
		return;
	ioctl(fd, TUNSETOFFLOAD, flags);
}

int tun_open(const char *name, bool offload, struct dp_tun *ret_tun, struct err_msg *msg)
{
	struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR};
	struct dp_tun tun = {.made = if_nametoindex(name) == 0};
	int err;

	snprintf(tun.name, sizeof(tun.name), "%s", name);
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	tun.fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (tun.fd < 0)
		return explain(name, errno, msg);
	if (ioctl(tun.fd, TUNSETIFF, &ifr)) {
		err = explain(name, errno, msg);
		close(tun.fd);
		return err;
	}
	set_offload(tun.fd, offload);
	tun.ifindex = (int)if_nametoindex(name);
	*ret_tun = tun;
	return 0;
}

void tun_close(struct dp_tun *tun)
{
	close(tun->fd);
	tun->fd = -1;
}

static void gso_from_virtio(const struct virtio_net_hdr *v, struct gso *ret_gso)
{
	struct gso g = {.size = v->gso_size,
			.needs_csum = v->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM,
			.csum_start = v->csum_start,
			.csum_offset = v->csum_offset};

	switch (v->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
	case VIRTIO_NET_HDR_GSO_TCPV6:
		g.type = GSO_TCP;
		break;
	case VIRTIO_GSO_UDP_L4:
		g.type = GSO_UDP;
		break;
	default:
		g.type = GSO_NONE;
	}
	*ret_gso = g;
}

ssize_t tun_read(const struct dp_tun *tun, uint8_t *buf, size_t cap, struct gso *ret_gso)
{
	struct virtio_net_hdr v;
	struct iovec iov[2] = {{&v, sizeof(v)}, {buf, cap}};
	ssize_t n = readv(tun->fd, iov, 2);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if ((size_t)n <= sizeof(v))
		return -EBADMSG;
	gso_from_virtio(&v, ret_gso);
	return n - (ssize_t)sizeof(v);
}

bool tun_write(const struct dp_tun *tun, struct iovec *iov, size_t iovlen, size_t hdr_len,
	       const struct gso *gso)
{
	struct virtio_net_hdr v = {0};
	const uint8_t *packet = (const uint8_t *)iov[1].iov_base;

	if (gso->needs_csum) {
		v.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		v.csum_start = gso->csum_start;
		v.csum_offset = gso->csum_offset;
	}
	if (gso->type == GSO_TCP) {
		v.gso_type =
		    packet[0] >> 4 == 6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
		v.gso_size = gso->size;
		v.hdr_len = (uint16_t)hdr_len;
	}
	iov[0] = (struct iovec){&v, sizeof(v)};
	return writev(tun->fd, iov, (int)iovlen) >= 0;
}
