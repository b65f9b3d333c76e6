/* files.c - small files: read whole, written whole, copied. Every failure names the path and the
 * reason, and a write that a full disk cut short is one. */
#include "harness/files.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_CAP 4096

int dir_make(const char *path, struct err_msg *msg)
{
	char copy[PATH_CAP];
	char *slash;

	if (strlen(path) >= sizeof(copy))
		return err_set(msg, ERR_LIMIT, "%s: too long a path", path);
	strcpy(copy, path);
	for (slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return err_set(msg, ERR_IO, "%s: %s", copy, strerror(errno));
		*slash = '/';
	}
	if (mkdir(copy, 0755) < 0 && errno != EEXIST)
		return err_set(msg, ERR_IO, "%s: %s", copy, strerror(errno));
	return 0;
}

static int make_path(const char *dir, const char *name, char path[PATH_CAP], struct err_msg *msg)
{
	char *slash;
	int len = snprintf(path, PATH_CAP, "%s/%s", dir, name), err;

	if (len >= PATH_CAP)
		return err_set(msg, ERR_LIMIT, "%s: too long a path", name);
	slash = strrchr(path, '/');
	*slash = 0;
	err = dir_make(path, msg);
	*slash = '/';
	return err;
}

int file_write(const char *dir, const char *name, const char *text, size_t len, struct err_msg *msg)
{
	char path[PATH_CAP];
	int err = make_path(dir, name, path, msg);
	FILE *file;
	bool wrote;

	if (err < 0)
		return err;
	file = fopen(path, "we");
	if (!file)
		return err_set(msg, ERR_IO, "%s: %s", path, strerror(errno));
	wrote = fwrite(text, 1, len, file) == len;
	if (fclose(file) != 0 || !wrote)
		return err_set(msg, ERR_IO, "%s: %s", path, strerror(errno));
	return 0;
}

static int copy_stream(FILE *from, const char *dir, const char *name, struct err_msg *msg)
{
	char path[PATH_CAP], buf[65536];
	int err = make_path(dir, name, path, msg);
	bool wrote = true;
	size_t len;
	FILE *to;

	if (err < 0)
		return err;
	to = fopen(path, "we");
	if (!to)
		return err_set(msg, ERR_IO, "%s: %s", path, strerror(errno));
	while (wrote && (len = fread(buf, 1, sizeof(buf), from)) > 0)
		wrote = fwrite(buf, 1, len, to) == len;
	if (fclose(to) != 0 || !wrote)
		return err_set(msg, ERR_IO, "%s: %s", path, strerror(errno));
	return 0;
}

int file_copy_if_there(const char *from, const char *dir, const char *name, struct err_msg *msg)
{
	FILE *file = fopen(from, "re");
	int err;

	if (!file)
		return errno == ENOENT ? 0 : err_set(msg, ERR_IO, "%s: %s", from, strerror(errno));
	err = copy_stream(file, dir, name, msg);
	fclose(file);
	return err;
}

int file_read(const char *path, size_t max, char **ret_text, size_t *ret_len, struct err_msg *msg)
{
	FILE *file = fopen(path, "re");
	size_t cap = 65536, len = 0, got;
	char *text = NULL, *more;
	int err = 0;

	if (!file)
		return err_set(msg, ERR_IO, "%s: %s", path, strerror(errno));
	do {
		more = len + 1 >= cap || !text ? realloc(text, cap *= 2) : text;
		if (!more) {
			err = err_set(msg, ERR_NOMEM, "out of memory");
			break;
		}
		text = more;
		got = fread(text + len, 1, cap - len - 1, file);
		len += got;
		if (len > max)
			err = err_set(msg, ERR_LIMIT, "%s: larger than %zu octets", path, max);
	} while (got > 0 && err == 0);
	if (err == 0 && ferror(file))
		err = err_set(msg, ERR_IO, "%s: %s", path, strerror(errno));
	fclose(file);
	if (err < 0) {
		free(text);
		return err;
	}
	text[len] = 0;
	*ret_text = text;
	*ret_len = len;
	return 0;
}

void path_format(char *buf, size_t cap, const char *pattern, const char *word)
{
	const char *at = strstr(pattern, "%s");

	snprintf(buf, cap, "%.*s%s%s", at ? (int)(at - pattern) : 0, pattern, at ? word : "",
		 at ? at + 2 : pattern);
}

int file_check_output(const char *out, char *const *inputs, size_t n, struct err_msg *msg)
{
	struct stat a, b;
	size_t i;

	if (stat(out, &a) < 0)
		return 0;
	for (i = 0; i < n; i++)
		if (stat(inputs[i], &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
			return err_set(msg, ERR_EXISTS,
				       "%s is one of the captures; it is not written over", out);
	return 0;
}
