/* conf.h - swanctl.conf text from a small description, for both ends of a case. */
#ifndef HARNESS_CONF_H
#define HARNESS_CONF_H

#include <stddef.h>

#define CONF_CHILDREN_MAX 3
#define CONF_TEXT_MAX	  8192

/* A NULL leaves the option out. */
struct conf_child {
	const char *name; /* NULL: no child */
	const char *local_ts, *remote_ts;
	const char *mode;
	const char *esp_proposals;
	const char *extra; /* further options, a line each */
};

struct conf {
	const char *conn;
	const char *local_addrs, *remote_addrs;
	const char *proposals;
	const char *auth; /* of both ends: "pubkey", "psk" */
	const char *local_id, *remote_id;
	const char *local_cert, *remote_cert; /* files of x509/ */
	const char *remote_ca;		      /* a file of x509ca/ */
	const char *secret;		      /* the pre-shared key, for remote_id */
	const char *encap;		      /* "yes", "no" */
	const char *extra;
	struct conf_child children[CONF_CHILDREN_MAX];
};

/* Writes the text, which must fit. */
void conf_format(const struct conf *conf, char text[CONF_TEXT_MAX]);

/* Replaces every occurrence of a word; the result must fit. */
void conf_replace(char text[CONF_TEXT_MAX], const char *word, const char *with);

#endif
