/* options.c - the command line. Everything about connections stands in swanctl.conf; here are only
 * the daemon's own matters: sockets, files, ports, timers of strongswan.conf. */
#include "vpn/daemon/options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define VICI_DEFAULT "unix:///var/run/charon.vici"

/* letter, long name, argument (NULL: none), help */
#define OPTIONS(X)                                                                              \
	X('u', "vici", "URI",                                                                   \
	  "control socket, unix://PATH or tcp://ADDRESS:PORT [" VICI_DEFAULT "]")               \
	X('c', "config", "FILE", "load this swanctl.conf at start, and again at SIGHUP")        \
	X('l', "log", "LEVEL", "log level -1 to 4, or GROUP=LEVEL; may be repeated [1]")        \
	X('L', "log-file", "FILE", "append the log to this file instead of stderr")             \
	X('e', "events", "FILE", "append events to this file, one JSON object a line")          \
	X('k', "keylog", "DIR", "write all session keys to this directory: for debugging only") \
	X('p', "port", "PORT", "IKE port; 0: any free one [500]")                               \
	X('P', "port-natt", "PORT", "IKE and ESP-in-UDP port; 0: any free one [4500]")          \
	X('i', "pid-file", "FILE", "write the process number to this file and lock it")         \
	X('R', "no-raw-esp", NULL, "no raw sockets: UDP-encapsulated ESP only")                 \
	X('O', "no-offload", NULL, "no segmentation offloads")                                  \
	X('t', "retransmit-timeout", "SECONDS", "of the first retransmission [4.0]")            \
	X('b', "retransmit-base", "FACTOR", "by which it grows [1.8]")                          \
	X('n', "retransmit-tries", "N", "retransmissions before giving up [5]")                 \
	X('a', "keepalive", "SECONDS", "between NAT keep-alives; 0: none [20]")                 \
	X('H', "half-open-timeout", "SECONDS", "until a half-open IKE SA is given up [30]")     \
	X('C', "cookie-threshold", "N",                                                         \
	  "half-open IKE SAs from which on cookies are asked for [30]")                         \
	X('N', "half-open-per-host", "N",                                                       \
	  "half-open IKE SAs that one address may have; 0: any number [5]")                     \
	X('F', "fragment-size", "OCTETS",                                                       \
	  "IP datagrams of IKE fragments; 0: 576 over IPv4, 1280 over IPv6 [1280]")             \
	X('M', "make-before-break", NULL,                                                       \
	  "reauthentication makes the new IKE SA before it deletes the old one")                \
	X('V', "no-vendor-id", NULL, "do not send strongSwan's vendor ID (BEET needs it)")      \
	X('v', "version", NULL, "print the version")                                            \
	X('h', "help", NULL, "print this")

static const struct option long_options[] = {
#define X(letter, name, argument, text) {name, (argument) != NULL, NULL, letter},
    OPTIONS(X)
#undef X
	{0},
};

static void print_help(void)
{
	static const struct {
		const char *name, *argument, *text;
	} lines[] = {
#define X(letter, name, argument, text) {name, argument, text},
	    OPTIONS(X)
#undef X
	};
	char left[40];
	size_t i;

	puts("usage: beetd [OPTION]...\n\n"
	     "An IKEv2 and ESP daemon that speaks vici; it stays in the foreground.\n");
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(left, sizeof(left), "--%s %s", lines[i].name,
			 lines[i].argument ? lines[i].argument : "");
		printf("  %-30s %s\n", left, lines[i].text);
	}
}

static bool parse_number(const char *text, double min, double max, double *ret_value)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= min) || !(value <= max))
		return false;
	*ret_value = value;
	return true;
}

static bool parse_unsigned(const char *text, unsigned max, unsigned *ret_value)
{
	double value;

	if (!parse_number(text, 0, max, &value) || value != (unsigned)value)
		return false;
	*ret_value = (unsigned)value;
	return true;
}

static bool parse_port(const char *text, uint16_t *ret_port)
{
	unsigned value;

	if (!parse_unsigned(text, UINT16_MAX, &value))
		return false;
	*ret_port = (uint16_t)value;
	return true;
}

static bool parse_seconds(const char *text, double min, uint64_t *ret_us)
{
	double value;

	if (!parse_number(text, min, 86400, &value))
		return false;
	*ret_us = (uint64_t)(value * 1e6);
	return true;
}

static bool option_file(int letter, char *arg, struct beetd_options *o)
{
	switch (letter) {
	case 'u':
		o->vici = arg;
		return true;
	case 'c':
		o->config = arg;
		return true;
	case 'e':
		o->events = arg;
		return true;
	case 'k':
		o->keylog = arg;
		return true;
	case 'i':
		o->pid_file = arg;
		return true;
	default:
		return false;
	}
}

static bool option_switch(int letter, struct beetd_options *o)
{
	switch (letter) {
	case 'R':
		o->dp.raw_esp = false;
		return true;
	case 'O':
		o->dp.offload = false;
		return true;
	case 'M':
		o->ike.make_before_break = true;
		return true;
	case 'V':
		o->ike.send_vendor_id = false;
		return true;
	default:
		return false;
	}
}

static bool option_number(int letter, const char *arg, struct beetd_options *o)
{
	switch (letter) {
	case 'p':
		return parse_port(arg, &o->dp.port);
	case 'P':
		return parse_port(arg, &o->dp.port_natt);
	case 't':
		return parse_seconds(arg, 0.01, &o->ike.retransmit_timeout);
	case 'b':
		return parse_number(arg, 1, 10, &o->ike.retransmit_base);
	case 'n':
		return parse_unsigned(arg, 100, &o->ike.retransmit_tries);
	case 'a':
		return parse_seconds(arg, 0, &o->ike.keepalive_interval);
	case 'H':
		return parse_seconds(arg, 1, &o->ike.half_open_timeout);
	case 'C':
		return parse_unsigned(arg, UINT16_MAX, &o->ike.cookie_threshold);
	case 'N':
		return parse_unsigned(arg, UINT16_MAX, &o->ike.half_open_per_host);
	case 'F':
		return parse_unsigned(arg, UINT16_MAX, &o->ike.fragment_size) &&
		       (!o->ike.fragment_size || o->ike.fragment_size >= FRAGMENT_SIZE_MIN);
	default:
		return false;
	}
}

static const char *long_name(int letter)
{
	const struct option *o = long_options;

	while (o->val != letter)
		o++;
	return o->name;
}

static enum options_result options_bad(const char *text)
{
	fprintf(stderr, "beetd: %s\n", text);
	return OPTIONS_BAD;
}

static enum options_result option_take(int letter, struct beetd_options *o, struct log *log)
{
	struct err_msg msg;

	if (letter == '?')
		return OPTIONS_BAD; /* getopt has said why */
	if (letter == 'v' || letter == 'h') {
		if (letter == 'h')
			print_help();
		else
			puts("beetd " BEETLAB_VERSION);
		return OPTIONS_DONE;
	}
	if (letter == 'l')
		return log_set_level(log, optarg, &msg) ? options_bad(msg.text) : OPTIONS_RUN;
	if (letter == 'L')
		return log_open(log, optarg, &msg) ? options_bad(msg.text) : OPTIONS_RUN;
	if (option_file(letter, optarg, o) || option_switch(letter, o) ||
	    (optarg && option_number(letter, optarg, o)))
		return OPTIONS_RUN;
	err_set(&msg, ERR_INVALID, "--%s: bad value '%s'", long_name(letter), optarg);
	return options_bad(msg.text);
}

enum options_result options_parse(int argc, char **argv, struct beetd_options *ret_options,
				  struct log *log)
{
	struct beetd_options o = {.vici = VICI_DEFAULT};
	enum options_result result;
	int letter;

	ike_options_default(&o.ike);
	dp_config_init(&o.dp);
	while ((letter = getopt_long(argc, argv, "hv", long_options, NULL)) != -1) {
		result = option_take(letter, &o, log);
		if (result != OPTIONS_RUN)
			return result;
	}
	if (optind < argc)
		return options_bad("takes options only, see --help");
	*ret_options = o;
	return OPTIONS_RUN;
}
