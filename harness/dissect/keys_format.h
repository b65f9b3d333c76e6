/* keys_format.h - the kinds of key logs; used by keys_load.c alone.
 *
 * Each kind has a test of a file's text and a reader. Readers refuse malformed keys with file and
 * line, and pass over lines that are not about keys. */
#ifndef HARNESS_DISSECT_KEYS_FORMAT_H
#define HARNESS_DISSECT_KEYS_FORMAT_H

#include "harness/dissect/keys.h"
#include "vpn/base/reader.h"

bool keys_is_jsonl(const char *text, size_t len);
bool keys_is_table(const char *text, size_t len);
bool keys_is_wireshark(const char *text, size_t len);
bool keys_is_charon(const char *text, size_t len);

int keys_read_jsonl(struct key_store *store, const char *name, const char *text, size_t len,
		    struct err_msg *msg);
int keys_read_table(struct key_store *store, const char *name, const char *text, size_t len,
		    struct err_msg *msg);
int keys_read_wireshark(struct key_store *store, const char *name, const char *text, size_t len,
			struct err_msg *msg);
int keys_read_charon(struct key_store *store, const char *name, const char *text, size_t len,
		     struct err_msg *msg);

/* The next line without its end; false at the end of the text. */
bool keys_next_line(const char **text, size_t *len, struct view *ret_line);

#endif
