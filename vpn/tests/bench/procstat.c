/* procstat.c - reads /proc/PID/stat and /proc/PID/status (proc(5)). The name in stat is in
 * parentheses and may hold anything, so fields are counted from the last one. */
#include "vpn/tests/bench/procstat.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

double procstat_cpu_seconds(pid_t pid)
{
	unsigned long user = 0, system = 0;
	char path[64], text[1024], *after;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	text[fread(text, 1, sizeof(text) - 1, file)] = 0;
	fclose(file);
	after = strrchr(text, ')');
	/* state, ppid, ... cmajflt: 11 fields before utime */
	if (!after || sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
			     &user, &system) != 2)
		return 0;
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

double procstat_resident_octets(pid_t pid)
{
	unsigned long kilobytes = 0;
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file) && sscanf(line, "VmRSS: %lu", &kilobytes) != 1)
		;
	fclose(file);
	return (double)kilobytes * 1024;
}
