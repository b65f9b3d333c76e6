/* option.h - the options that connections, pools, authorities and secrets may have, and what their
 * values must look like.
 *
 * One table (option_table.h) serves the reader of swanctl.conf, which names file and line, and the
 * daemon, which gets the same options from any vici client. */
#ifndef VPN_VICI_OPTION_H
#define VPN_VICI_OPTION_H

#include <stdbool.h>
#include <stddef.h>

#include "vpn/base/err.h"

enum option_scope {
	OPTION_CONN,
	OPTION_LOCAL,
	OPTION_REMOTE,
	OPTION_CERT, /* cert<suffix> and cacert<suffix> sections */
	OPTION_CHILD,
	OPTION_POOL,
	OPTION_AUTHORITY,
	OPTION_SHARED,	/* secrets.ike<suffix>, eap, xauth, ntlm, ppk */
	OPTION_KEYFILE, /* secrets.private<suffix>, rsa, ecdsa, pkcs8 */
};

enum option_type {
	OPT_TEXT,
	OPT_BOOL,
	OPT_TIME,
	OPT_BYTES,
	OPT_COUNT, /* 64 bits */
	OPT_UINT,  /* 32 bits */
	OPT_PORT,
	OPT_WINDOW, /* 0 to 4096 */
	OPT_TRIES,  /* a number or %forever */
	OPT_MARK,
	OPT_IF_ID,
	OPT_DSCP,   /* six binary digits */
	OPT_TFC,    /* a number or mtu */
	OPT_MSS,    /* off, path or a number */
	OPT_WORD,   /* one of the table's */
	OPT_ACTION, /* none, trap, start */
	OPT_AUTH,
	OPT_RANGE,  /* a prefix or a range of addresses */
	OPT_CACERT, /* one file */
	/* Lists; in a file separated by commas. */
	OPT_LIST,
	OPT_HOSTS,
	OPT_PROPOSALS,
	OPT_TS,
	OPT_CERTS,
	OPT_CACERTS,
};

enum option_status { OPTION_SUPPORTED, OPTION_HARMLESS, OPTION_UNSUPPORTED };

struct option {
	enum option_scope scope;
	const char *name;
	enum option_type type;
	enum option_status status;
	const char *def; /* "" if there is none */
	const char *detail;
};

extern const struct option vici_options[];
extern const size_t vici_option_count;

const struct option *option_find(enum option_scope scope, const char *name); /* NULL: unknown */
bool option_is_list(const struct option *option);

/* One value, or one item of a list. 0; ERR_SYNTAX: malformed; ERR_UNSUPPORTED. *msg begins with the
 * name. *ret_harmless: it is accepted but does nothing, and *msg says why. File names are not
 * looked at. */
int option_check(const struct option *option, const char *value, bool *ret_harmless,
		 struct err_msg *msg);

/* The option whose name is most like this one, for "did you mean"; NULL if none is. */
const struct option *option_nearest(enum option_scope scope, const char *name);

#endif
