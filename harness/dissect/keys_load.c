/* keys_load.c - finds key logs in a directory, and what kind each is.
 *
 * Kinds of files are told by their content, not by their names: a run directory holds captures,
 * configurations and other logs beside the keys. A file is read whole; one that is larger than
 * FILE_MAX is a capture or nothing of ours, and is passed over. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/dissect/keys_format.h"
#include "vpn/base/secret.h"

#define FILE_MAX  (64u << 20) /* strongSwan at level 4 writes about 100 kB a handshake */
#define DEPTH_MAX 4	      /* RUN/NODE/keys/keys.jsonl */

int keys_read_text(struct key_store *store, const char *name, const char *text, size_t len,
		   bool *ret_any, struct err_msg *msg)
{
	*ret_any = true;
	if (keys_is_jsonl(text, len))
		return keys_read_jsonl(store, name, text, len, msg);
	if (keys_is_table(text, len))
		return keys_read_table(store, name, text, len, msg);
	if (keys_is_wireshark(text, len))
		return keys_read_wireshark(store, name, text, len, msg);
	if (keys_is_charon(text, len))
		return keys_read_charon(store, name, text, len, msg);
	*ret_any = false;
	return 0;
}

/* Reads the file that is open as fd, and closes it. */
static int read_fd(int fd, char **ret_text, size_t *ret_len)
{
	FILE *file = fdopen(fd, "r");
	struct stat st;
	char *text;

	if (!file) {
		close(fd);
		return ERR_IO;
	}
	if (fstat(fd, &st) || st.st_size < 0 || (uint64_t)st.st_size > FILE_MAX) {
		fclose(file);
		return ERR_LIMIT;
	}
	text = malloc((size_t)st.st_size + 1);
	if (text) {
		*ret_len = fread(text, 1, (size_t)st.st_size, file);
		text[*ret_len] = '\0';
		*ret_text = text;
	}
	fclose(file);
	return text ? 0 : ERR_NOMEM;
}

static int load_file(struct key_store *store, const char *path, size_t *found, struct err_msg *msg)
{
	int err, fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t len = 0;
	char *text = NULL;
	bool any = false;

	if (fd < 0)
		return err_set(msg, ERR_IO, "%s: %s", path, strerror(errno));
	err = read_fd(fd, &text, &len);
	if (err == ERR_LIMIT)
		return 0;
	if (err)
		return err_set(msg, err, "%s: %s", path, strerror(errno));
	err = keys_read_text(store, path, text, len, &any, msg);
	*found += any;
	secret_wipe(text, len);
	free(text);
	return err;
}

static int load_path(struct key_store *store, const char *path, unsigned depth, size_t *found,
		     struct err_msg *msg);

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int load_directory(struct key_store *store, const char *path, unsigned depth, size_t *found,
			  struct err_msg *msg)
{
	struct dirent **entries;
	int i, n = scandir(path, &entries, visible, alphasort), err = 0;
	char *child;

	if (n < 0)
		return err_set(msg, ERR_IO, "%s: %s", path, strerror(errno));
	for (i = 0; i < n; i++) {
		if (!err && asprintf(&child, "%s/%s", path, entries[i]->d_name) < 0)
			err = ERR_NOMEM;
		else if (!err) {
			err = load_path(store, child, depth + 1, found, msg);
			free(child);
		}
		free(entries[i]);
	}
	free(entries);
	return err;
}

/* Below the path that the user named, what is neither file nor directory (a socket of a daemon that
 * still runs) is passed over. */
static int load_path(struct key_store *store, const char *path, unsigned depth, size_t *found,
		     struct err_msg *msg)
{
	struct stat st;

	if ((depth ? lstat(path, &st) : stat(path, &st)) != 0)
		return depth && errno == ENOENT
			   ? 0
			   : err_set(msg, ERR_IO, "%s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return depth < DEPTH_MAX ? load_directory(store, path, depth, found, msg) : 0;
	return S_ISREG(st.st_mode) ? load_file(store, path, found, msg) : 0;
}

int keys_load(struct key_store *store, const char *path, struct err_msg *msg)
{
	size_t found = 0;
	int err = load_path(store, path, 0, &found, msg);

	if (!err && !found)
		err =
		    err_set(msg, ERR_NOT_FOUND,
			    "%s: no keys: neither beetd's keys.jsonl, nor a strongSwan log, nor a "
			    "table of keys",
			    path);
	return err;
}
