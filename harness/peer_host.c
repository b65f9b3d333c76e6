/* peer_host.c - what a daemon's host does to it: a wall clock that steps, a disk that is full.
 *
 * The clock is libfaketime's (https://github.com/wolfcw/libfaketime), preloaded into the daemon: it
 * reads the shift from a file of the peer's, each time anew. Only the wall clock moves, as
 * when NTP or a person sets it; the clock that timers run by does not (CLOCK_MONOTONIC,
 * clock_gettime(2)).
 *
 * The disk is full for the daemon alone: it may make no file longer (RLIMIT_FSIZE, setrlimit(2)),
 * and gets EFBIG where a full disk gives ENOSPC. The signal that goes with it is ignored from the
 * start. */
#include "harness/peer_internal.h"

#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define CLOCK_FILE "clock"

static const char *faketime_path(void)
{
	static char found[256];
	const char *named = getenv("LIBFAKETIME");
	glob_t list;

	if (named)
		return named;
	if (!found[0] && glob("/usr/lib{,64,/*-linux-gnu*}/faketime/libfaketime.so.1", GLOB_BRACE,
			      NULL, &list) == 0) {
		snprintf(found, sizeof(found), "%s", list.gl_pathv[0]);
		globfree(&list);
	}
	return found[0] ? found : NULL;
}

const char *peer_clock_missing(void)
{
	const char *path = faketime_path();

	return path && access(path, R_OK) == 0
		   ? NULL
		   : "libfaketime is not installed (LIBFAKETIME in the environment names it)";
}

int peer_add_clock(const struct peer *peer, struct peer_command *command, struct err_msg *msg)
{
	static const char *const settings[] = {"FAKETIME_NO_CACHE=1",
					       "FAKETIME_DONT_FAKE_MONOTONIC=1"};
	const char *path = faketime_path();
	size_t count = 0;
	char *text;

	if (!path)
		return err_set(msg, ERR_NOT_FOUND, "%s", peer_clock_missing());
	while (command->env[count])
		count++;
	text = command->text[PEER_TEXTS - 1];
	snprintf(text, sizeof(command->text[0]), "LD_PRELOAD=%s", path);
	command->env[count++] = text;
	text = command->text[PEER_TEXTS - 2];
	snprintf(text, sizeof(command->text[0]), "FAKETIME_TIMESTAMP_FILE=%s/" CLOCK_FILE,
		 peer->dir);
	command->env[count++] = text;
	command->env[count++] = settings[0];
	command->env[count] = settings[1];
	return 0;
}

/* Replaced as a whole: it may be read at any time. */
int peer_shift_clock(struct peer *peer, int64_t seconds, struct err_msg *msg)
{
	char path[PEER_PATH_MAX + 16], fresh[PEER_PATH_MAX + 24];
	FILE *file;
	int failed;

	snprintf(path, sizeof(path), "%s/" CLOCK_FILE, peer->dir);
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	file = fopen(fresh, "we");
	if (!file)
		return err_set(msg, ERR_IO, "%s: %s", fresh, strerror(errno));
	failed = fprintf(file, "%+" PRId64 "\n", seconds) < 0;
	failed |= fclose(file) != 0;
	if (failed || rename(fresh, path) < 0)
		return err_set(msg, ERR_IO, "%s: %s", path, strerror(errno));
	return 0;
}

int peer_fill_disk(struct peer *peer, bool full, struct err_msg *msg)
{
	const struct rlimit limit = {.rlim_cur = full ? 0 : RLIM_INFINITY,
				     .rlim_max = RLIM_INFINITY};

	if (!peer->process)
		return err_set(msg, ERR_STATE, "%s: the daemon is not there", peer->node);
	if (prlimit(peer_pid(peer), RLIMIT_FSIZE, &limit, NULL) < 0)
		return err_set(msg, ERR_IO, "%s: prlimit: %s", peer->node, strerror(errno));
	return 0;
}
