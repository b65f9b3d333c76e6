/* wait.c - polls a condition until it holds or the time is up.
 *
 * The condition is asked once more after the deadline, so that a machine that stood still in
 * between does not turn a condition that came true into a failure. */
#include "netns/wait.h"
#include <time.h>

#define POLL_MS 5

int64_t wait_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int wait_until(wait_fn *fn, void *arg, unsigned timeout_ms, const char *what, struct err_msg *msg)
{
	const struct timespec pause = {.tv_nsec = POLL_MS * 1000000};
	int64_t deadline = wait_now_ms() + timeout_ms;
	char seen[256] = "nothing";
	bool is_late;

	do {
		is_late = wait_now_ms() >= deadline;
		if (fn(arg, seen, sizeof(seen)))
			return 0;
		nanosleep(&pause, NULL);
	} while (!is_late);
	return err_set(msg, ERR_AGAIN, "%s: not within %u ms; last seen: %s", what, timeout_ms,
		       seen);
}
