/* log.h - the log that people read: one line a sentence, in groups and levels as strongSwan has
 * them.
 *
 *     Nov 21 22:01:13.482 [IKE] <home|1> IKE_SA home[1] established between ...
 *
 * Level 0 is always written, 1 is what happened, 2 why, 3 dumps. The default is 1 everywhere. */
#ifndef VPN_DAEMON_LOG_H
#define VPN_DAEMON_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "vpn/base/err.h"
#include "vpn/ike/action.h"

#define LOG_GROUPS    (LOG_DMN + 1)
#define LOG_LEVEL_MAX 4

struct log {
	FILE *out;
	bool own; /* close it */
	int level[LOG_GROUPS];
};

void log_init(struct log *log); /* to stderr, level 1 */
/* "2" for all groups, "ike=2" for one. ERR_INVALID. */
int log_set_level(struct log *log, const char *text, struct err_msg *msg);
/* Appends to a file from now on; mode 0600. ERR_IO. */
int log_open(struct log *log, const char *path, struct err_msg *msg);
void log_close(struct log *log);
bool log_wants(const struct log *log, enum ike_log_group group, int level);
/* now: Unix time in microseconds. */
void log_write(struct log *log, const struct ike_log *line, uint64_t now);

#endif
