/* procfs.c - reads /proc/PID/stat.
 *
 * A process number alone names nobody: numbers are used again. A number together with the start
 * time does. The name in parentheses may itself hold parentheses and blanks, so the fields are
 * counted from the last ')'. Nothing is kept between calls. */
#include "netns/procfs.h"
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool procfs_read(pid_t pid, struct procfs_stat *ret_stat)
{
	struct procfs_stat stat;
	char path[64], line[1024];
	const char *rest;
	FILE *file;
	bool got;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	got = fgets(line, sizeof(line), file) != NULL;
	fclose(file);
	rest = got ? strrchr(line, ')') : NULL;
	/* proc(5): state ppid pgrp session tty tpgid flags 4 faults 6 times prio nice threads 0
	 * start */
	if (!rest ||
	    sscanf(rest + 1,
		   " %c %*d %*d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d "
		   "%*d %llu",
		   &stat.state, &stat.session, &stat.start) != 3)
		return false;
	*ret_stat = stat;
	return true;
}

void procfs_each(void (*fn)(pid_t pid, const struct procfs_stat *stat, void *arg), void *arg)
{
	struct procfs_stat stat;
	struct dirent *entry;
	DIR *dir = opendir("/proc");

	while (dir && (entry = readdir(dir))) {
		pid_t pid = (pid_t)atol(entry->d_name);

		if (isdigit((unsigned char)entry->d_name[0]) && procfs_read(pid, &stat))
			fn(pid, &stat, arg);
	}
	if (dir)
		closedir(dir);
}
