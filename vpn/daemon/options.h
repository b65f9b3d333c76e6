/* options.h - beetd's command line. */
#ifndef VPN_DAEMON_OPTIONS_H
#define VPN_DAEMON_OPTIONS_H

#include <stdbool.h>

#include "vpn/daemon/log.h"
#include "vpn/dataplane/dataplane.h"
#include "vpn/ike/options.h"

struct beetd_options {
	const char *vici;   /* "unix:///var/run/charon.vici" or "tcp://127.0.0.1:4502" */
	const char *config; /* NULL: none */
	const char *keylog; /* NULL: off */
	const char *events;
	const char *pid_file;
	struct ike_options ike;
	struct dp_config dp;
};

enum options_result { OPTIONS_RUN, OPTIONS_DONE, OPTIONS_BAD };

/* Reads the command line; log levels and --log-file take effect at once. DONE: --help or --version
 * was answered. BAD: one line was printed to stderr. Strings are argv's. */
enum options_result options_parse(int argc, char **argv, struct beetd_options *ret_options,
				  struct log *log);

#endif
