/* conf.h - the text of swanctl.conf as a tree of sections (strongswan.conf(5), "SYNTAX").
 *
 * Everything knows the file and line that it came from. Values are strings here; what they mean is
 * load.h's business. The tree lives in one arena that is wiped when the tree is freed, for it holds
 * preshared keys. Files are read through struct conf_fs, so that tests and the simulator need none.
 */
#ifndef VPN_CONFIG_CONF_H
#define VPN_CONFIG_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "vpn/base/err.h"
#include "vpn/config/conf_arena.h"

#define CONF_FILE_MAX	   (1u << 20) /* octets of a file: strongSwan's largest test file has 20 kB */
#define CONF_INCLUDE_DEPTH 16u	      /* an include that includes itself ends here */
#define CONF_SECTION_DEPTH 16u	      /* swanctl.conf needs 5 */
#define CONF_ENTRIES_MAX   16384u /* values and sections of one configuration, templates expanded */

struct conf_place {
	const char *file;
	unsigned line;
};

struct conf_value {
	struct conf_value *next;
	const char *name;
	const char *text; /* NULL: cleared by an empty assignment */
	struct conf_place at;
};

struct conf_ref {
	struct conf_ref *next;
	const char *path; /* "a.b.c", absolute */
	struct conf_place at;
};

struct conf_section {
	struct conf_section *next;
	const char *name;
	struct conf_place at; /* where it was first opened */
	struct conf_value *values;
	struct conf_section *sections;
	struct conf_ref *refs;
	bool referenced; /* by a reference, itself or something in it */
};

/* What the reader needs of a file system; all but ctx may be shared. Results are freed by the
 * caller: octets after wiping, paths with conf_paths_free. */
struct conf_paths {
	char **v;
	size_t n;
};

struct conf_fs {
	void *ctx;
	/* The whole file, at most CONF_FILE_MAX octets, with a zero behind it. ERR_IO, ERR_LIMIT,
	 * ERR_NOMEM; *msg gives the reason without the name. */
	int (*read)(void *ctx, const char *path, char **ret_data, size_t *ret_len,
		    struct err_msg *msg);
	/* Files that match a shell pattern, sorted; none is no error. */
	int (*glob)(void *ctx, const char *pattern, struct conf_paths *ret_paths);
	/* Regular files in a directory whose names do not begin with a dot, sorted; none, no error,
	 * if there is no such directory. */
	int (*list)(void *ctx, const char *dir, struct conf_paths *ret_paths);
};

const struct conf_fs *conf_fs_host(void);
void conf_paths_free(struct conf_paths *paths);

/* Where warnings and errors go, each as one line "FILE:LINE: ...". */
struct conf_diag {
	void *ctx;
	void (*say)(void *ctx, bool is_error, const char *line);
	unsigned errors, warnings;
};

void conf_error(struct conf_diag *diag, const struct conf_place *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void conf_warn(struct conf_diag *diag, const struct conf_place *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

struct conf {
	struct conf_arena arena;
	struct conf_section *root;
};

/* Reads a file and what it includes. On failure one error went to diag, and *ret_conf is untouched.
 * ERR_SYNTAX, ERR_IO, ERR_LIMIT, ERR_NOMEM. An include that matches nothing is a warning. */
int conf_read(const struct conf_fs *fs, const char *path, struct conf_diag *diag,
	      struct conf *ret_conf);
/* The same from text; name is what messages call it, and what relative includes are relative to. */
int conf_parse(const struct conf_fs *fs, const char *name, const char *text, size_t len,
	       struct conf_diag *diag, struct conf *ret_conf);
void conf_free(struct conf *conf);

/* A top-level section with its references carried out and cleared values gone: own values first,
 * then inherited ones, references from left to right. *ret_section is NULL if there is no such
 * section; it lives as long as conf. ERR_LIMIT: references without end; ERR_NOMEM. */
int conf_resolve(struct conf *conf, const char *name, struct conf_diag *diag,
		 struct conf_section **ret_section);

struct conf_section *conf_find_section(const struct conf_section *parent, const char *name);
struct conf_value *conf_find_value(const struct conf_section *section, const char *name);

#endif
