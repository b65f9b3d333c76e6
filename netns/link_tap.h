/* link_tap.h - one end of a wire: the TAP device of a node, held open. */
#ifndef NETNS_LINK_TAP_H
#define NETNS_LINK_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "netns/topology.h"

#define LINK_TAP_FRAME_MAX (65535 + 14)

struct link_tap {
	int fd;
	int counters_fd; /* /proc/net/dev of its namespace */
	char ifname[TOPO_IFNAME_MAX + 1];
	uint64_t missed_before;
	bool is_down; /* it took nothing when last written to */
};

/* Plugs the cable in: the interface, which must exist, has its carrier from now on. ERR_NOT_FOUND,
 * ERR_EXISTS (another process has it), ERR_IO. */
int link_tap_open(int ns_fd, const char *ifname, struct link_tap *ret_tap, struct err_msg *msg);
void link_tap_close(struct link_tap *tap);
/* The next frame that the node sent; its length, 0 if there is none, ERR_IO if the device is gone.
 */
ssize_t link_tap_read(struct link_tap *tap, uint8_t *buf, size_t cap);
/* ERR_IO if the node does not take it: its interface is down. */
int link_tap_write(struct link_tap *tap, const uint8_t *frame, size_t len);
/* How many frames the node sent since link_tap_open that found no room and will never be read. */
uint64_t link_tap_missed(const struct link_tap *tap);

#endif
