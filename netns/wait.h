/* wait.h - waiting for a condition with a deadline, instead of sleeping and hoping. */
#ifndef NETNS_WAIT_H
#define NETNS_WAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "vpn/base/err.h"

/* True when the condition holds. May write what it saw, for the message after a time-out. */
typedef bool wait_fn(void *arg, char *seen, size_t cap);

/* Asks every few milliseconds. ERR_AGAIN when the time is up: msg holds `what`, and what was last
 * seen. */
int wait_until(wait_fn *fn, void *arg, unsigned timeout_ms, const char *what, struct err_msg *msg);

int64_t wait_now_ms(void); /* the monotonic clock */

#endif
