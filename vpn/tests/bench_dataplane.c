/* bench_dataplane.c - TCP throughput through two data planes in two namespaces, as iperf3 measures
 * it, for each cipher and mode; then the same over the bare link for comparison.
 *
 *	bench_dataplane [SECONDS [STREAMS [CASE]]] */
#include "vpn/tests/dataplane_fixture.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static const struct setup cases[] = {
    {"tunnel, chacha20poly1305", IPSEC_TUNNEL, true, false, false, ENCR_CHACHA20_POLY1305, 0, 0,
     true, 1},
    {"tunnel, aes256gcm16", IPSEC_TUNNEL, true, false, false, ENCR_AES_GCM_16, 256, 0, true, 1},
    {"BEET, chacha20poly1305", IPSEC_BEET, true, false, false, ENCR_CHACHA20_POLY1305, 0, 0, true,
     1},
    {"tunnel, chacha20poly1305, native ESP", IPSEC_TUNNEL, false, false, false,
     ENCR_CHACHA20_POLY1305, 0, 0, true, 1},
    {"tunnel, chacha20poly1305, no offloads", IPSEC_TUNNEL, true, false, false,
     ENCR_CHACHA20_POLY1305, 0, 0, false, 1},
};

/* A server for one test, in B. */
static pid_t serve(const char *addr)
{
	pid_t pid;

	enter(&b);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		freopen("/dev/null", "w", stdout);
		execlp("iperf3", "iperf3", "-s", "-1", "-B", addr, (char *)NULL);
		_exit(127);
	}
	return pid;
}

/* Gbit/s from A to addr in B; negative on failure. */
static double measure(const char *addr, const char *seconds, const char *streams)
{
	char cmd[256];
	double rate = -1;
	pid_t server = serve(addr);
	FILE *f;

	enter(&a);
	snprintf(
	    cmd, sizeof(cmd),
	    "for i in 1 2 3 4 5 6 7 8 9 10; do iperf3 -c %s -t %s -P %s -f m 2>/dev/null && break;"
	    " sleep 0.1; done | grep receiver | tail -1 | sed 's/.*Bytes *//; s/ .*//'",
	    addr, seconds, streams);
	f = popen(cmd, "r");
	if (f && fscanf(f, "%lf", &rate) != 1)
		rate = -1000;
	if (f)
		pclose(f);
	kill(server, SIGTERM);
	waitpid(server, NULL, 0);
	return rate / 1000;
}

static double cpu_seconds(void)
{
	struct rusage self, children;

	getrusage(RUSAGE_SELF, &self);
	getrusage(RUSAGE_CHILDREN, &children);
	return (double)(self.ru_utime.tv_sec + self.ru_stime.tv_sec + children.ru_utime.tv_sec +
			children.ru_stime.tv_sec) +
	       (double)(self.ru_utime.tv_usec + self.ru_stime.tv_usec + children.ru_utime.tv_usec +
			children.ru_stime.tv_usec) /
		   1e6;
}

static void report(const char *name, const char *addr, const char *seconds, const char *streams)
{
	double before = cpu_seconds();
	double rate = measure(addr, seconds, streams);
	double gigabytes = rate * atof(seconds) / 8;

	printf("%-40s %6.2f Gbit/s %6.2f s/GB\n", name, rate, (cpu_seconds() - before) / gigabytes);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	const char *seconds = argc > 1 ? argv[1] : "3", *streams = argc > 2 ? argv[2] : "1";
	const char *only = argc > 3 ? argv[3] : "";
	size_t i;

	if (!make_network())
		return SKIP;
	report("the bare link", b.outer4, seconds, streams);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (!strstr(cases[i].name, only))
			continue;
		start_both(&cases[i]);
		install_all(&cases[i]);
		add_addresses(&a);
		add_addresses(&b);
		report(cases[i].name, b.inner4, seconds, streams);
		stop_both();
	}
	return 0;
}
