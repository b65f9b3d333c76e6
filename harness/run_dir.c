/* run_dir.c - makes room for a run.
 *
 * A directory is an earlier run's if the file `command`, which a run writes first, is in it. Then
 * the files of the folders that a run makes are removed, and no others: a capture of a wire that
 * has another name now would be taken for this run's. Its other files are written anew in any case.
 */
#include "harness/run_dir.h"
#include "harness/files.h"
#include <dirent.h>
#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATH_CAP 4096

static bool is_empty(const char *dir)
{
	DIR *list = opendir(dir);
	const struct dirent *entry;
	bool empty = true;

	while (list && empty && (entry = readdir(list)))
		empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
	if (list)
		closedir(list);
	return empty;
}

static int remove_files(const char *path, struct err_msg *msg)
{
	char *const paths[] = {(char *)path, NULL};
	FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *entry;
	int err = 0;

	while (tree && err == 0 && (entry = fts_read(tree)))
		if ((entry->fts_info == FTS_F || entry->fts_info == FTS_SL) &&
		    unlink(entry->fts_accpath) < 0)
			err = err_set(msg, ERR_IO, "%s: %s", entry->fts_path, strerror(errno));
	if (tree)
		fts_close(tree);
	return err;
}

static int remove_earlier(const char *dir, struct err_msg *msg)
{
	static const char *const folders[] = {"captures", "keys",    "events",
					      "logs",	  "configs", "wireshark"};
	char path[PATH_CAP];
	size_t i;
	int err = 0;

	for (i = 0; i < sizeof(folders) / sizeof(folders[0]) && err == 0; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, folders[i]);
		err = remove_files(path, msg);
	}
	return err;
}

int run_dir_take(const char *dir, bool *ret_replaced, struct err_msg *msg)
{
	char path[PATH_CAP];
	bool replaced;
	int err = dir_make(dir, msg);

	if (err < 0)
		return err;
	snprintf(path, sizeof(path), "%s/command", dir);
	replaced = access(path, F_OK) == 0;
	if (!replaced && !is_empty(dir))
		return err_set(msg, ERR_STATE,
			       "%s: not empty, and not an earlier run's; name another directory",
			       dir);
	err = replaced ? remove_earlier(dir, msg) : 0;
	if (err == 0)
		*ret_replaced = replaced;
	return err;
}
