/* fake_fs.h - files in memory for the tests of vpn/config, and a collector of what it says. */
#ifndef VPN_TESTS_FAKE_FS_H
#define VPN_TESTS_FAKE_FS_H

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vpn/config/conf.h"

struct fake_file {
	const char *path;
	const char *text;
};

/* The last has path NULL. */
struct fake_fs {
	const struct fake_file *files;
};

static inline int fake_read(void *ctx, const char *path, char **ret_data, size_t *ret_len,
			    struct err_msg *msg)
{
	const struct fake_file *f = ((struct fake_fs *)ctx)->files;

	for (; f && f->path; f++) {
		if (strcmp(f->path, path) != 0)
			continue;
		*ret_data = strdup(f->text);
		*ret_len = strlen(f->text);
		return *ret_data ? 0 : ERR_NOMEM;
	}
	return err_set(msg, ERR_IO, "No such file or directory");
}

static inline int fake_match(const struct fake_fs *fs, const char *pattern,
			     struct conf_paths *ret_paths)
{
	const struct fake_file *f;

	*ret_paths = (struct conf_paths){0};
	for (f = fs->files; f && f->path; f++) {
		if (fnmatch(pattern, f->path, FNM_PATHNAME | FNM_PERIOD) != 0)
			continue;
		ret_paths->v = realloc(ret_paths->v, (ret_paths->n + 1) * sizeof(char *));
		ret_paths->v[ret_paths->n++] = strdup(f->path);
	}
	return 0;
}

static inline int fake_glob(void *ctx, const char *pattern, struct conf_paths *ret_paths)
{
	return fake_match(ctx, pattern, ret_paths);
}

static inline int fake_list(void *ctx, const char *dir, struct conf_paths *ret_paths)
{
	char pattern[300];

	snprintf(pattern, sizeof(pattern), "%s/*", dir);
	return fake_match(ctx, pattern, ret_paths);
}

/* "E FILE:LINE: text\n" and "W ...\n" after one another. */
struct said {
	char text[8192];
};

static inline void say(void *ctx, bool is_error, const char *line)
{
	struct said *said = ctx;
	size_t len = strlen(said->text);

	snprintf(said->text + len, sizeof(said->text) - len, "%c %s\n", is_error ? 'E' : 'W', line);
}

#endif
