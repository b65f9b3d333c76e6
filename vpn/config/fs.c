/* fs.c - the host's files, for the reader. The only file of vpn/config that does I/O.
 *
 * A configuration is read as whole regular files of bounded size: a FIFO or a device in its place
 * is an error, not a wait. Contents may be secret; intermediate buffers are wiped. */
#include "vpn/config/conf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vpn/base/secret.h"

void conf_paths_free(struct conf_paths *paths)
{
	size_t i;

	for (i = 0; i < paths->n; i++)
		free(paths->v[i]);
	free(paths->v);
	*paths = (struct conf_paths){0};
}

/* Reads until the end; data has room for CONF_FILE_MAX + 1 octets. */
static int read_all(int fd, char *data, size_t *ret_len, struct err_msg *msg)
{
	size_t len = 0;
	ssize_t n;

	while (len <= CONF_FILE_MAX) {
		n = read(fd, data + len, CONF_FILE_MAX + 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(msg, ERR_IO, "%m");
		if (n == 0) {
			*ret_len = len;
			return 0;
		}
		len += (size_t)n;
	}
	return err_set(msg, ERR_LIMIT, "longer than %u octets", CONF_FILE_MAX);
}

static int read_open_file(int fd, char **ret_data, size_t *ret_len, struct err_msg *msg)
{
	char *data, *exact;
	size_t len = 0;
	struct stat st;
	int err;

	if (fstat(fd, &st) < 0)
		return err_set(msg, ERR_IO, "%m");
	if (!S_ISREG(st.st_mode))
		return err_set(msg, ERR_IO, "not a regular file");
	data = malloc(CONF_FILE_MAX + 1);
	if (!data)
		return err_set(msg, ERR_NOMEM, "out of memory");
	err = read_all(fd, data, &len, msg);
	exact = err ? NULL : malloc(len + 1);
	if (!err && !exact)
		err = err_set(msg, ERR_NOMEM, "out of memory");
	if (!err) {
		memcpy(exact, data, len);
		exact[len] = '\0';
		*ret_data = exact;
		*ret_len = len;
	}
	secret_wipe(data, CONF_FILE_MAX + 1);
	free(data);
	return err;
}

static int host_read(void *ctx, const char *path, char **ret_data, size_t *ret_len,
		     struct err_msg *msg)
{
	int fd, err;

	(void)ctx;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_set(msg, ERR_IO, "%m");
	err = read_open_file(fd, ret_data, ret_len, msg);
	close(fd);
	return err;
}

static int add_path(struct conf_paths *paths, const char *text)
{
	char **bigger = realloc(paths->v, (paths->n + 1) * sizeof(*bigger));

	if (!bigger)
		return ERR_NOMEM;
	paths->v = bigger;
	paths->v[paths->n] = strdup(text);
	if (!paths->v[paths->n])
		return ERR_NOMEM;
	paths->n++;
	return 0;
}

static int host_glob(void *ctx, const char *pattern, struct conf_paths *ret_paths)
{
	struct conf_paths paths = {0};
	glob_t g = {0};
	size_t i;
	int err = 0;

	(void)ctx;
	switch (glob(pattern, GLOB_ERR, NULL, &g)) {
	case 0:
	case GLOB_NOMATCH:
		break;
	case GLOB_NOSPACE:
		err = ERR_NOMEM;
		break;
	default:
		err = ERR_IO;
	}
	for (i = 0; !err && i < g.gl_pathc; i++)
		err = add_path(&paths, g.gl_pathv[i]);
	globfree(&g);
	if (err)
		conf_paths_free(&paths);
	else
		*ret_paths = paths;
	return err;
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static bool is_regular(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode);
}

static int host_list(void *ctx, const char *dir, struct conf_paths *ret_paths)
{
	struct conf_paths paths = {0};
	struct dirent **names;
	int i, n, err = 0;
	char *path;

	(void)ctx;
	n = scandir(dir, &names, visible, alphasort);
	if (n < 0 && errno != ENOENT && errno != ENOTDIR)
		return ERR_IO;
	for (i = 0; i < n; i++) {
		if (!err && asprintf(&path, "%s/%s", dir, names[i]->d_name) < 0)
			err = ERR_NOMEM;
		if (!err) {
			err = is_regular(path) ? add_path(&paths, path) : 0;
			free(path);
		}
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	if (err)
		conf_paths_free(&paths);
	else
		*ret_paths = paths;
	return err;
}

const struct conf_fs *conf_fs_host(void)
{
	static const struct conf_fs fs = {.read = host_read, .glob = host_glob, .list = host_list};

	return &fs;
}
