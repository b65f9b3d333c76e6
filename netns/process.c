/* process.c - starts, watches and ends programs in the nodes of an emulated network.
 *
 * The child waits on a pipe until it is written down in the registry; if the parent dies before
 * that, the pipe breaks and the child ends. From then on the kernel kills it when the parent's
 * thread that started it ends (PR_SET_PDEATHSIG), and the registry has it for the guard. It leads a
 * session, so what it forks can be found and killed with it.
 *
 *	parent				child
 *	fork --------------------------> setsid, parent-death signal
 *	note in the registry		read(gate) ...
 *	write(gate) -------------------> namespaces, mounts, descriptors
 *	read(report) <--- closed by ---- exec
 *	             <--- errno -------- or a step failed
 *
 * Private files: the child has a mount namespace of its own, in which nothing propagates outward.
 * Mounts of other namespaces' handles are dropped there, or it would keep them alive.
 *
 * Ownership: a struct process is freed by process_stop, which is also what reaps it. */
#include "netns/process.h"
#include "netns/ns.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct process {
	pid_t pid;
	int pidfd;
	bool is_reaped;
	int status;
	char name[64];
};

/* Why the child could not become the program; passed through the report pipe. */
struct failure {
	int error;
	char step[80];
};

struct start {
	const struct process_spec *spec;
	int ns_fd; /* -1: none */
	int input, output;
	int gate[2];
	int report[2];
};

static void fail_child(int report, const char *step, const char *name)
{
	struct failure failure = {.error = errno};

	snprintf(failure.step, sizeof(failure.step), "%s %.50s", step, name);
	if (write(report, &failure, sizeof(failure)) < 0)
		_exit(126);
	_exit(127);
}

static void drop_foreign_namespaces(void)
{
	char path[512];
	struct dirent *entry;
	DIR *dir = opendir("/run/netns");

	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/run/netns/%s", entry->d_name);
		if (entry->d_name[0] != '.')
			umount2(path, MNT_DETACH);
	}
	if (dir)
		closedir(dir);
}

static void set_up_mounts(const struct process_spec *spec, int report)
{
	size_t i;

	if (unshare(CLONE_NEWNS) < 0)
		fail_child(report, "mount namespace", "");
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		fail_child(report, "private mounts", "");
	drop_foreign_namespaces();
	for (i = 0; i < spec->binds_count; i++)
		if (mount(spec->binds[i].from, spec->binds[i].to, NULL, MS_BIND, NULL) < 0)
			fail_child(report, "mount on", spec->binds[i].to);
	if (spec->private_run && mount("run", "/run", "tmpfs", MS_NOSUID | MS_NODEV, NULL) < 0)
		fail_child(report, "mount on", "/run");
	/* /sys shows the interfaces of the namespace that mounted it. */
	if (spec->node && mount("sysfs", "/sys", "sysfs", 0, NULL) < 0 && errno != EBUSY)
		fail_child(report, "mount on", "/sys");
}

static void set_up_descriptors(const struct start *start)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (start->spec->survives_file_limit)
		signal(SIGXFSZ, SIG_IGN);
	if (dup2(start->input, STDIN_FILENO) < 0 || dup2(start->output, STDOUT_FILENO) < 0 ||
	    dup2(start->output, STDERR_FILENO) < 0)
		fail_child(start->report[1], "descriptors", "");
}

static void run_child(const struct start *start, pid_t parent)
{
	const struct process_spec *spec = start->spec;
	int report = start->report[1];
	const char *const *env;
	int back;
	char go;

	setsid();
	close(start->gate[1]);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(127);
	if (read(start->gate[0], &go, 1) != 1)
		_exit(127);
	if (start->ns_fd >= 0 && ns_enter(start->ns_fd, &back) < 0)
		fail_child(report, "namespace of", spec->node);
	set_up_mounts(spec, report);
	for (env = spec->env; env && *env; env++)
		putenv((char *)(uintptr_t)*env);
	set_up_descriptors(start);
	execvp(spec->argv[0], (char *const *)(uintptr_t)spec->argv);
	fail_child(report, "execute", spec->argv[0]);
}

/* Text for standard input: a file in memory, so that nobody has to feed a pipe. */
static int open_input(const char *text)
{
	size_t len = text ? strlen(text) : 0;
	int fd;

	if (!text)
		return open("/dev/null", O_RDONLY | O_CLOEXEC);
	fd = memfd_create("input", MFD_CLOEXEC);
	if (fd >= 0 && (write(fd, text, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET) < 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void close_all(const struct start *start)
{
	const int fds[] = {start->input, start->gate[0], start->gate[1], start->report[0],
			   start->report[1]};
	size_t i;

	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* Writes the child down, lets it go on, and hears whether it became the program. */
static int release_child(struct net *net, struct start *start, pid_t pid, struct err_msg *msg)
{
	struct failure failure;
	ssize_t got;

	if (net_note_process(net, pid) < 0)
		return err_set(msg, ERR_IO, "registry of %s: not writable", net_run(net));
	close(start->report[1]);
	start->report[1] = -1;
	if (write(start->gate[1], "g", 1) != 1)
		return err_set(msg, ERR_IO, "%s: died at once", start->spec->argv[0]);
	while ((got = read(start->report[0], &failure, sizeof(failure))) < 0 && errno == EINTR)
		;
	if (got == 0)
		return 0;
	if (got != sizeof(failure))
		return err_set(msg, ERR_IO, "%s: cannot be started", start->spec->argv[0]);
	return err_set(msg, failure.error == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s",
		       failure.step, strerror(failure.error));
}

static int launch(struct net *net, struct start *start, struct process *process,
		  struct err_msg *msg)
{
	pid_t parent = getpid();
	int err;

	process->pid = fork();
	if (process->pid < 0)
		return err_set(msg, ERR_IO, "fork: %s", strerror(errno));
	if (process->pid == 0)
		run_child(start, parent);
	process->pidfd = pidfd_open(process->pid, 0);
	err = process->pidfd < 0 ? err_set(msg, ERR_IO, "pidfd: %s", strerror(errno))
				 : release_child(net, start, process->pid, msg);
	if (err < 0) {
		kill(process->pid, SIGKILL);
		waitpid(process->pid, NULL, 0);
		if (process->pidfd >= 0)
			close(process->pidfd);
	}
	return err;
}

static int start_with_output(struct net *net, const struct process_spec *spec, int output,
			     struct process **ret_process, struct err_msg *msg)
{
	struct start start = {.spec = spec,
			      .ns_fd = spec->node ? net_node_fd(net, spec->node) : -1,
			      .input = -1,
			      .output = output,
			      .gate = {-1, -1},
			      .report = {-1, -1}};
	struct process *process;
	int err;

	if (spec->node && start.ns_fd < 0)
		return err_set(msg, ERR_NOT_FOUND, "no node named %s", spec->node);
	process = calloc(1, sizeof(*process));
	if (!process)
		return err_set(msg, ERR_NOMEM, "out of memory");
	snprintf(process->name, sizeof(process->name), "%s%s%s", spec->argv[0],
		 spec->node ? " in " : "", spec->node ? spec->node : "");
	start.input = open_input(spec->input);
	if (start.input < 0 || pipe2(start.gate, O_CLOEXEC) < 0 ||
	    pipe2(start.report, O_CLOEXEC) < 0)
		err = err_set(msg, ERR_IO, "%s: %s", process->name, strerror(errno));
	else
		err = launch(net, &start, process, msg);
	close_all(&start);
	if (err < 0) {
		free(process);
		return err;
	}
	*ret_process = process;
	return 0;
}

int process_start(struct net *net, const struct process_spec *spec, struct process **ret_process,
		  struct err_msg *msg)
{
	const char *log = spec->log ? spec->log : "/dev/null";
	int output = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int err;

	if (output < 0)
		return err_set(msg, ERR_IO, "%s: %s", log, strerror(errno));
	err = start_with_output(net, spec, output, ret_process, msg);
	close(output);
	return err;
}

pid_t process_pid(const struct process *process)
{
	return process->pid;
}

bool process_ended(struct process *process, int *ret_status)
{
	int status;

	if (!process->is_reaped && waitpid(process->pid, &status, WNOHANG) == process->pid) {
		process->is_reaped = true;
		process->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
	if (process->is_reaped)
		*ret_status = process->status;
	return process->is_reaped;
}

int process_wait(struct process *process, unsigned timeout_ms, int *ret_status, struct err_msg *msg)
{
	int64_t deadline = wait_now_ms() + timeout_ms;
	struct pollfd watch = {.fd = process->pidfd, .events = POLLIN};

	while (!process_ended(process, ret_status)) {
		int64_t left = deadline - wait_now_ms();

		if (left <= 0)
			return err_set(msg, ERR_AGAIN, "%s: still runs after %u ms", process->name,
				       timeout_ms);
		poll(&watch, 1, (int)left);
	}
	return 0;
}

int process_signal(struct process *process, int signal)
{
	int status;

	if (process_ended(process, &status))
		return ERR_STATE;
	return kill(process->pid, signal) < 0 ? ERR_IO : 0;
}

int process_stop(struct process *process, unsigned grace_ms)
{
	int status = 0;

	if (!process)
		return 0;
	process_signal(process, SIGTERM);
	if (process_wait(process, grace_ms, &status, NULL) < 0) {
		process_signal(process, SIGKILL);
		process_wait(process, 10000, &status, NULL);
	}
	close(process->pidfd);
	free(process);
	return status;
}

struct watched {
	struct process *process;
	wait_fn *fn;
	void *arg;
	bool is_dead;
	int status;
};

static bool died_or_holds(void *arg, char *seen, size_t cap)
{
	struct watched *watched = arg;

	/* In this order: what a process did before it ended counts. */
	watched->is_dead = process_ended(watched->process, &watched->status);
	if (watched->fn(watched->arg, seen, cap)) {
		watched->is_dead = false;
		return true;
	}
	return watched->is_dead;
}

int process_wait_until(struct process *process, wait_fn *fn, void *arg, unsigned timeout_ms,
		       const char *what, struct err_msg *msg)
{
	struct watched watched = {.process = process, .fn = fn, .arg = arg};
	int err = wait_until(died_or_holds, &watched, timeout_ms, what, msg);

	if (err == 0 && watched.is_dead)
		return err_set(msg, ERR_STATE, "%s: %s ended early with status %d", what,
			       process->name, watched.status);
	return err;
}

static int read_output(int fd, struct process_output *ret_output)
{
	struct stat st;
	char *text;

	if (fstat(fd, &st) < 0)
		return ERR_IO;
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return ERR_NOMEM;
	if (pread(fd, text, (size_t)st.st_size, 0) != st.st_size) {
		free(text);
		return ERR_IO;
	}
	text[st.st_size] = 0;
	*ret_output = (struct process_output){.text = text, .len = (size_t)st.st_size};
	return 0;
}

int process_run(struct net *net, const struct process_spec *spec, unsigned timeout_ms,
		int *ret_status, struct process_output *ret_output, struct err_msg *msg)
{
	struct process_output output = {0};
	struct process *process;
	int fd = memfd_create("output", MFD_CLOEXEC);
	int err, status = 0;

	if (fd < 0)
		return err_set(msg, ERR_IO, "memfd: %s", strerror(errno));
	err = start_with_output(net, spec, fd, &process, msg);
	if (err < 0) {
		close(fd);
		return err;
	}
	err = process_wait(process, timeout_ms, &status, msg);
	process_stop(process, 1000);
	if (read_output(fd, &output) < 0 && err == 0)
		err = err_set(msg, ERR_IO, "%s: its output cannot be read", spec->argv[0]);
	close(fd);
	*ret_output = output;
	*ret_status = status;
	return err;
}

void process_output_free(struct process_output *output)
{
	free(output->text);
	*output = (struct process_output){0};
}
