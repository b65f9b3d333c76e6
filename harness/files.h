/* files.h - the files of a run's directory. */
#ifndef HARNESS_FILES_H
#define HARNESS_FILES_H

#include <stddef.h>
#include "vpn/base/err.h"

/* Makes a directory and those above it. ERR_IO. */
int dir_make(const char *path, struct err_msg *msg);
/* DIR/NAME, whose directories are made; text replaces what was there. ERR_IO: also a full disk. */
int file_write(const char *dir, const char *name, const char *text, size_t len,
	       struct err_msg *msg);
/* Copies a file to DIR/NAME; 0 also if there is none. */
int file_copy_if_there(const char *from, const char *dir, const char *name, struct err_msg *msg);
/* An output must not be one of the inputs under whatever name: ERR_EXISTS. */
int file_check_output(const char *out, char *const *inputs, size_t n, struct err_msg *msg);
/* The whole file, zero-terminated, the caller's to free. ERR_IO, ERR_NOMEM, ERR_LIMIT. */
int file_read(const char *path, size_t max, char **ret_text, size_t *ret_len, struct err_msg *msg);
/* A pattern with one "%s". */
void path_format(char *buf, size_t cap, const char *pattern, const char *word);

#endif
