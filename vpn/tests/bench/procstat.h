/* procstat.h - what a process has used, from /proc. */
#ifndef VPN_TESTS_BENCH_PROCSTAT_H
#define VPN_TESTS_BENCH_PROCSTAT_H

#include <sys/types.h>

double procstat_cpu_seconds(pid_t pid);	    /* of all its threads, user and system; 0: gone */
double procstat_resident_octets(pid_t pid); /* VmRSS; 0: gone */

#endif
