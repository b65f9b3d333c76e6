/* registry.h - what a run has made on this machine, written down before it is made.
 *
 * One file a run, /run/beetlab/RUN, names the owner (process and its start time), the network
 * namespaces, the processes and the directory. Whoever reads it can undo the run: the owner at its
 * end, the guard (guard.h) when the owner died, or a later `beetlab clean` when both did. Undoing
 * is idempotent, and touches only what the file names. */
#ifndef NETNS_REGISTRY_H
#define NETNS_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "vpn/base/err.h"

#define REGISTRY_RUN_LEN 11 /* "bl-" and 8 hexadecimal digits */

struct registry {
	char run[REGISTRY_RUN_LEN + 1];
	int fd;
};

/* Picks a run name that nobody uses and opens its file, the caller being the owner. ERR_PERM
 * without root, ERR_IO. */
int registry_create(struct registry *ret_reg, struct err_msg *msg);
/* Writes one thing down; call it before making the thing (a process: before it may run). */
int registry_add_netns(struct registry *reg, const char *name);
int registry_add_process(struct registry *reg, pid_t pid);
int registry_add_directory(struct registry *reg, const char *path);
void registry_close(struct registry *reg);

/* Kills the run's processes, deletes its namespaces and its directory, then the file itself. 0 if
 * nothing is left, ERR_NOT_FOUND if there is no such run, else ERR_IO and msg names what stays. */
int registry_undo(const char *run, struct err_msg *msg);

/* Undoes every run whose owner is dead. Returns how many, or the first error. */
int registry_clean_leftovers(struct err_msg *msg);

#endif
