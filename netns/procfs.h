/* procfs.h - the few facts of /proc/PID/stat that tell a process from a later one of the same
 * number. */
#ifndef NETNS_PROCFS_H
#define NETNS_PROCFS_H

#include <stdbool.h>
#include <sys/types.h>

struct procfs_stat {
	char state; /* 'Z': dead, not yet reaped */
	pid_t session;
	unsigned long long start; /* clock ticks since boot */
};

/* False if there is no such process. */
bool procfs_read(pid_t pid, struct procfs_stat *ret_stat);

/* Calls fn for every process of the machine. */
void procfs_each(void (*fn)(pid_t pid, const struct procfs_stat *stat, void *arg), void *arg);

#endif
