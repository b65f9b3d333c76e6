/* preflight.h - whether this machine lets us do what we are for, asked before anything is begun. */
#ifndef VPN_DAEMON_PREFLIGHT_H
#define VPN_DAEMON_PREFLIGHT_H

#include "vpn/base/err.h"

/* TUN devices can be made here: the driver is there and we may. ERR_UNSUPPORTED, ERR_PERM. */
int preflight_tun(struct err_msg *msg);

#endif
