/* registry.c - the list of what a run has made, and the one way to undo it.
 *
 * The file's lines, oldest first:
 *
 *	owner PID START
 *	netns NAME
 *	process PID START
 *	directory PATH
 *
 * Write-ahead: a line stands before the thing does, so that a crash between the two leaves a line
 * without a thing, which undoing passes over, and never a thing without a line.
 *
 * What may be killed or removed is checked again on reading, whatever the file says: a process only
 * if its start time is the noted one (or, when the leader is gone, members of the session that it
 * led: the kernel gives no number away that still names a session); a namespace and a directory
 * only if the name carries the run's own name. Processes go first, since they hold the namespaces.
 *
 * Ownership: struct registry holds one descriptor; the file belongs to whoever undoes the run. */
#include "netns/registry.h"
#include "netns/ns.h"
#include "netns/procfs.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define REGISTRY_DIR "/run/beetlab"
#define KILL_WAIT_MS 5000

static void run_path(const char *run, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, REGISTRY_DIR "/%s", run);
}

static bool is_run_name(const char *name)
{
	return strlen(name) == REGISTRY_RUN_LEN && strncmp(name, "bl-", 3) == 0 &&
	       strspn(name + 3, "0123456789abcdef") == REGISTRY_RUN_LEN - 3;
}

static int add_line(struct registry *reg, const char *line)
{
	size_t len = strlen(line);

	return write(reg->fd, line, len) == (ssize_t)len ? 0 : ERR_IO;
}

static int add_pid(struct registry *reg, const char *kind, pid_t pid)
{
	struct procfs_stat stat;
	char line[96];

	if (!procfs_read(pid, &stat))
		return ERR_NOT_FOUND;
	snprintf(line, sizeof(line), "%s %d %llu\n", kind, (int)pid, stat.start);
	return add_line(reg, line);
}

int registry_create(struct registry *ret_reg, struct err_msg *msg)
{
	struct registry reg = {.fd = -1};
	char path[PATH_MAX];
	uint32_t number;

	if (geteuid() != 0)
		return err_set(msg, ERR_PERM, "must be root to make network namespaces");
	/* The last run of another process may take the folder away at any time: then once more. */
	do {
		if (mkdir(REGISTRY_DIR, 0755) < 0 && errno != EEXIST)
			return err_set(msg, ERR_IO, REGISTRY_DIR ": %s", strerror(errno));
		if (getrandom(&number, sizeof(number), 0) != sizeof(number))
			return err_set(msg, ERR_IO, "getrandom: %s", strerror(errno));
		snprintf(reg.run, sizeof(reg.run), "bl-%08" PRIx32, number);
		run_path(reg.run, path);
		reg.fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
	} while (reg.fd < 0 && (errno == EEXIST || errno == ENOENT));
	if (reg.fd < 0)
		return err_set(msg, ERR_IO, "%s: %s", path, strerror(errno));
	if (add_pid(&reg, "owner", getpid()) < 0) {
		close(reg.fd);
		unlink(path);
		return err_set(msg, ERR_IO, "%s: not writable", path);
	}
	*ret_reg = reg;
	return 0;
}

int registry_add_netns(struct registry *reg, const char *name)
{
	char line[NAME_MAX + 16];

	snprintf(line, sizeof(line), "netns %s\n", name);
	return add_line(reg, line);
}

int registry_add_process(struct registry *reg, pid_t pid)
{
	return add_pid(reg, "process", pid);
}

int registry_add_directory(struct registry *reg, const char *path)
{
	char line[PATH_MAX + 16];

	snprintf(line, sizeof(line), "directory %s\n", path);
	return add_line(reg, line);
}

void registry_close(struct registry *reg)
{
	if (reg->fd >= 0)
		close(reg->fd);
	reg->fd = -1;
}

/* One noted process, and what is still alive of its session. */
struct victim {
	pid_t leader;
	unsigned long long start;
	unsigned alive;
};

static void kill_member(pid_t pid, const struct procfs_stat *stat, void *arg)
{
	struct victim *victim = arg;
	bool is_leader = pid == victim->leader && stat->start == victim->start;

	if (stat->state == 'Z' || (!is_leader && stat->session != victim->leader))
		return;
	victim->alive++;
	kill(pid, SIGKILL);
}

static int kill_session(pid_t leader, unsigned long long start)
{
	struct victim victim = {.leader = leader, .start = start};
	const struct timespec pause = {.tv_nsec = 2 * 1000 * 1000};
	struct procfs_stat now;
	unsigned waited;

	if (leader <= 1 || (procfs_read(leader, &now) && now.start != start))
		return 0;
	for (waited = 0; waited < KILL_WAIT_MS; waited += 2) {
		victim.alive = 0;
		procfs_each(kill_member, &victim);
		if (victim.alive == 0)
			return 0;
		nanosleep(&pause, NULL);
	}
	return ERR_IO;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	(void)type;
	return remove(path) < 0 && errno != ENOENT ? -1 : 0;
}

static int remove_tree(const char *path)
{
	if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) < 0 && errno != ENOENT)
		return ERR_IO;
	return 0;
}

enum pass { PASS_PROCESSES, PASS_REST };

static int undo_line(const char *run, char *line, enum pass pass)
{
	unsigned long long start;
	char *value = strchr(line, ' ');
	int pid;

	line[strcspn(line, "\n")] = 0;
	if (!value)
		return 0;
	*value++ = 0;
	if (pass == PASS_PROCESSES) {
		if (strcmp(line, "process") == 0 && sscanf(value, "%d %llu", &pid, &start) == 2)
			return kill_session(pid, start);
		return 0;
	}
	if (!strstr(value, run) || strstr(value, ".."))
		return 0;
	if (strcmp(line, "netns") == 0)
		return ns_delete(value);
	if (strcmp(line, "directory") == 0)
		return remove_tree(value);
	return 0;
}

static int undo_pass(const char *run, FILE *file, enum pass pass, struct err_msg *msg)
{
	char line[PATH_MAX + 16], shown[sizeof(line)];
	int err = 0;

	rewind(file);
	while (fgets(line, sizeof(line), file)) {
		strcpy(shown, line);
		shown[strcspn(shown, "\n")] = 0;
		if (undo_line(run, line, pass) < 0)
			err = err_set(msg, ERR_IO, "%s: left behind: %s", run, shown);
	}
	return err;
}

int registry_undo(const char *run, struct err_msg *msg)
{
	char path[PATH_MAX];
	int err, err2;
	FILE *file;

	if (!is_run_name(run))
		return err_set(msg, ERR_INVALID, "%s: not the name of a run", run);
	run_path(run, path);
	file = fopen(path, "re");
	if (!file)
		return err_set(msg, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path,
			       strerror(errno));
	err = undo_pass(run, file, PASS_PROCESSES, msg);
	err2 = undo_pass(run, file, PASS_REST, msg);
	fclose(file);
	if (err < 0 || err2 < 0)
		return ERR_IO;
	unlink(path);
	rmdir(REGISTRY_DIR);
	return 0;
}

static bool owner_is_alive(const char *run)
{
	unsigned long long start = 0;
	struct procfs_stat stat;
	char path[PATH_MAX];
	int pid = 0;
	FILE *file;
	bool noted;

	run_path(run, path);
	file = fopen(path, "re");
	if (!file)
		return true;
	noted = fscanf(file, "owner %d %llu", &pid, &start) == 2;
	fclose(file);
	return noted && procfs_read(pid, &stat) && stat.start == start && stat.state != 'Z';
}

static int is_run_file(const struct dirent *entry)
{
	return is_run_name(entry->d_name);
}

int registry_clean_leftovers(struct err_msg *msg)
{
	struct dirent **names;
	int i, err, first_err = 0, cleaned = 0;
	int count = scandir(REGISTRY_DIR, &names, is_run_file, alphasort);

	for (i = 0; i < count; i++) {
		if (!owner_is_alive(names[i]->d_name)) {
			err = registry_undo(names[i]->d_name, msg);
			/* Its guard may have been quicker. */
			if (err < 0 && err != ERR_NOT_FOUND && first_err == 0)
				first_err = err;
			cleaned += err == 0;
		}
		free(names[i]);
	}
	if (count >= 0)
		free(names);
	return first_err < 0 ? first_err : cleaned;
}
