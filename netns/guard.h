/* guard.h - a process that undoes a run when its owner dies, however it dies. */
#ifndef NETNS_GUARD_H
#define NETNS_GUARD_H

#include <sys/types.h>
#include "vpn/base/err.h"

/* Starts the guard of the calling process. It is the caller's child, in a session of its own. */
int guard_start(const char *run, pid_t *ret_guard, struct err_msg *msg);
/* Ends the guard without undoing anything, and reaps it. */
void guard_stop(pid_t guard);

#endif
