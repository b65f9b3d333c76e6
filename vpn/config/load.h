/* load.h - what a swanctl.conf and its directories mean: the vici messages that load them.
 *
 * Every option is checked against vpn/vici/option.h; an unknown or unsupported one is an error that
 * names file, line and option, a harmless one a warning. All are reported, not only the first.
 *
 * Relative names of certificates are looked up in the subdirectories of `dir`, as swanctl does:
 * certs in x509, cacerts and cacert in x509ca. What is in x509, x509ca, private, rsa, ecdsa and
 * pkcs8 is loaded as credentials. */
#ifndef VPN_CONFIG_LOAD_H
#define VPN_CONFIG_LOAD_H

#include "vpn/config/conf.h"
#include "vpn/vici/vici.h"

enum load_what {
	LOAD_CREDS = 1,
	LOAD_AUTHORITIES = 2,
	LOAD_POOLS = 4,
	LOAD_CONNS = 8,
	LOAD_ALL = 15,
};

struct load_request {
	const struct conf_fs *fs;
	const char *file; /* swanctl.conf */
	const char *dir;  /* usually /etc/swanctl */
	unsigned what;	  /* enum load_what, or-ed */
	/* Send what the table calls harmless or unsupported, too, without a word: for another
	 * daemon. */
	bool permissive;
};

enum load_kind {
	LOADED_CERT,
	LOADED_KEY,
	LOADED_SHARED,
	LOADED_AUTHORITY,
	LOADED_POOL,
	LOADED_CONN
};

struct load_message {
	enum load_kind kind;
	const char *command; /* "load-conn" */
	char *name;	     /* of the section, or the file */
	struct conf_place at;
	/* Of keys: the file's octets are in `key` and not yet in body, because a passphrase may be
	 * needed to read them; the caller decrypts and adds the value "data". */
	char *key;
	size_t key_len;
	char *passphrase; /* or NULL */
	struct vici_writer body;
};

/* In the order in which they are to be sent: certificates, keys, secrets, authorities, pools,
 * connections. */
struct load_plan {
	struct conf conf;
	struct load_message *v;
	size_t n;
};

/* 0, or the first error's code; then nothing is to be sent. ERR_SYNTAX, ERR_UNSUPPORTED,
 * ERR_NOT_FOUND, ERR_IO, ERR_LIMIT, ERR_NOMEM; each error went to diag. */
int load_plan_make(const struct load_request *request, struct conf_diag *diag,
		   struct load_plan *ret_plan);
/* The same from text instead of the file, whose name is still used. */
int load_plan_make_text(const struct load_request *request, const char *text, size_t len,
			struct conf_diag *diag, struct load_plan *ret_plan);
void load_plan_free(struct load_plan *plan); /* wipes */

#endif
