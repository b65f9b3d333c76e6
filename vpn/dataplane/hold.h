/* hold.h - packets that have hit a trap wait for the SA that they have asked for. */
#ifndef VPN_DATAPLANE_HOLD_H
#define VPN_DATAPLANE_HOLD_H

#include "vpn/base/list.h"
#include "vpn/dataplane/tun.h"
#include "vpn/esp/gso.h"

#define HOLD_PACKETS 64		 /* what a connection sends in the first moments */
#define HOLD_OCTETS  (256 << 10) /* of all that wait */
#define HOLD_TIME    10000000	 /* microseconds: what is older was sent again, or is forgotten */

struct held {
	struct list node;
	struct dp_tun *tun;
	uint64_t since;
	struct gso gso;
	size_t len;
	uint8_t data[];
};

struct hold {
	struct list packets; /* by age */
	size_t n, octets;
};

void hold_init(struct hold *hold);
/* Copies the packet. False: no room or no memory, and it is lost. */
bool hold_add(struct hold *hold, struct dp_tun *tun, const uint8_t *data, size_t len,
	      const struct gso *gso, uint64_t now);
/* Takes the oldest out, for the caller to free; NULL. */
struct held *hold_take(struct hold *hold);
/* Puts it back, behind the others. */
void hold_put_back(struct hold *hold, struct held *held);
/* Drops what waits for too long; returns how many. */
size_t hold_expire(struct hold *hold, uint64_t now);
void hold_clear(struct hold *hold);

#endif
