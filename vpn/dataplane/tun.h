/* tun.h - TUN devices: the userspace counterpart of XFRM interfaces. */
#ifndef VPN_DATAPLANE_TUN_H
#define VPN_DATAPLANE_TUN_H

#include <stdint.h>
#include <sys/uio.h>

#include "vpn/base/err.h"
#include "vpn/base/list.h"
#include "vpn/dataplane/dataplane.h"
#include "vpn/esp/gso.h"

#define TUN_READ_MAX 65536 /* a super-packet is at most 65535 octets */

struct dp_tun {
	struct list node;
	int fd;
	char name[DP_IFNAME_MAX];
	int ifindex;
	uint32_t if_id;
	uint32_t mtu; /* 0: the administrator's */
	bool made;    /* by us: it goes when fd is closed. Else a persistent device, adopted */
};

/* Makes a TUN device, or attaches to the persistent one of that name. ERR_PERM, ERR_EXISTS (in use,
 * or another kind of device has the name), ERR_UNSUPPORTED (no /dev/net/tun), ERR_IO. */
int tun_open(const char *name, bool offload, struct dp_tun *ret_tun, struct err_msg *msg);
void tun_close(struct dp_tun *tun);

/* One packet from the device into buf. Its octets, 0 when there is none now, or a negative errno.
 */
ssize_t tun_read(const struct dp_tun *tun, uint8_t *buf, size_t cap, struct gso *ret_gso);

/* Writes one packet; iov[0] is reserved for the virtio header. False if the device refused it. */
bool tun_write(const struct dp_tun *tun, struct iovec *iov, size_t iovlen, size_t hdr_len,
	       const struct gso *gso);

#endif
