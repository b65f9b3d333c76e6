/* events.h - what happened, for machines: one JSON object a line. */
#ifndef VPN_DAEMON_EVENTS_H
#define VPN_DAEMON_EVENTS_H

#include <stdint.h>
#include <stdio.h>

#include "vpn/base/err.h"
#include "vpn/dataplane/dataplane.h"
#include "vpn/ike/action.h"

struct events {
	FILE *out; /* NULL: not asked for */
};

/* Appends to the file. ERR_IO. */
int events_open(struct events *events, const char *path, struct err_msg *msg);
void events_close(struct events *events);
/* unix_us: Unix time in microseconds. */
void events_write(struct events *events, const struct ike_event *ev, uint64_t unix_us);
/* An event of the daemon's own, without an SA: "started", "stopping", "stopped", "reloaded". */
void events_write_daemon(struct events *events, const char *name, const char *text,
			 uint64_t unix_us);
/* "counters": packets, and drops by reason, of the data plane. */
void events_write_counters(struct events *events, const struct dp_counters *c, uint64_t unix_us);

#endif
