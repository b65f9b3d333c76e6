/* guard.c - undoes a run when its owner dies, kill -9 included.
 *
 * A child of the owner that does one thing: it waits, on a pidfd, for the owner's end. An owner
 * that ends well has undone its run and stopped the guard before; so the guard that wakes up has
 * work to do. All it knows it reads from the registry, which is written ahead of what is made.
 *
 * It leads a session of its own, so that an interrupt typed at a terminal or a test runner that
 * kills a process group does not reach it, and it lives no longer than the owner. It keeps standard
 * error: to say what it could not undo, and so that a program that reads the owner's errors to the
 * end waits until all is undone. Every other descriptor is closed, namespaces among them. */
#include "netns/guard.h"
#include "netns/registry.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void detach(void)
{
	int null = open("/dev/null", O_RDWR);

	setsid();
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_NAME, "bl-guard");
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	if (chdir("/") < 0)
		_exit(EXIT_FAILURE);
}

static void guard_run(const char *run, pid_t owner)
{
	struct pollfd watch = {.events = POLLIN};
	struct err_msg msg = {{0}};
	int err;

	detach();
	watch.fd = pidfd_open(owner, 0);
	/* The owner may be gone already; then its number may even name somebody else. */
	if (watch.fd >= 0 && getppid() == owner)
		while (poll(&watch, 1, -1) < 0 && errno == EINTR)
			;
	err = registry_undo(run, &msg);
	if (err < 0 && err != ERR_NOT_FOUND)
		fprintf(stderr, "guard of %s: %s\n", run, msg.text);
	_exit(err < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

int guard_start(const char *run, pid_t *ret_guard, struct err_msg *msg)
{
	pid_t owner = getpid();
	pid_t pid = fork();

	if (pid < 0)
		return err_set(msg, ERR_IO, "fork: %s", strerror(errno));
	if (pid == 0)
		guard_run(run, owner);
	*ret_guard = pid;
	return 0;
}

void guard_stop(pid_t guard)
{
	kill(guard, SIGKILL);
	while (waitpid(guard, NULL, 0) < 0 && errno == EINTR)
		;
}
