/* doc.h - a YAML document as a tree that knows its lines.
 *
 * A thin layer over libyaml's events, for files that people write: every complaint reads
 * "FILE:LINE: what is wrong". Anchors, aliases, tags and second documents are errors, since no
 * scenario needs them; so is a key that stands twice in a mapping. Everything that is read from
 * a document lives in it, and goes with it. */
#ifndef HARNESS_DOC_H
#define HARNESS_DOC_H

#include <stddef.h>
#include "vpn/base/err.h"

#define DOC_DEPTH_MAX  16      /* nested lists and mappings; a scenario has 6 */
#define DOC_OCTETS_MAX 1048576 /* of a file */

enum doc_kind { DOC_SCALAR, DOC_LIST, DOC_MAP };

struct doc_node {
	enum doc_kind kind;
	unsigned line;
	const char *key;  /* in a mapping; else NULL */
	const char *text; /* of a scalar; "" otherwise */
	struct doc_node *child, *next;
};

struct doc;

/* ERR_IO (cannot be read), ERR_SYNTAX, ERR_NOMEM. */
int doc_load(const char *path, struct doc **ret_doc, struct err_msg *msg);
/* path is for messages only. */
int doc_parse(const char *path, const char *text, size_t len, struct doc **ret_doc,
	      struct err_msg *msg);
void doc_free(struct doc *doc); /* NULL is fine */

const char *doc_path(const struct doc *doc);
const struct doc_node *doc_root(const struct doc *doc);
/* "a list", "a mapping", "text" */
const char *doc_kind_text(enum doc_kind kind);

/* Zeroed memory that goes with the document; NULL if there is none. */
void *doc_alloc(struct doc *doc, size_t size);
char *doc_strdup(struct doc *doc, const char *text);

/* "PATH:LINE: ...", returns ERR_SYNTAX. */
int doc_error(const struct doc *doc, unsigned line, struct err_msg *msg, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
