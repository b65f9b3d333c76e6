/* thread.c - the data-plane thread: one epoll set over sockets, devices and the wake-up descriptor,
 * and the calls that the control thread has it run. */
#include "vpn/dataplane/internal.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "vpn/base/err.h"

/* What epoll's data points to: the low bit tells a device from a socket; NULL is the wake-up. */
#define IS_TUN ((uintptr_t)1)

struct call {
	call_fn *fn;
	void *arg;
	bool done;
};

void dp_update_clock(struct dataplane *dp)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	dp->now = (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

void call_run(struct dataplane *dp, call_fn *fn, void *arg)
{
	struct call call = {.fn = fn, .arg = arg};
	uint64_t one = 1;

	pthread_mutex_lock(&dp->call_lock);
	dp->call = &call;
	if (write(dp->wake, &one, sizeof(one)) < 0)
		one = 0; /* the counter is at its end: the thread wakes up all the same */
	while (!call.done)
		pthread_cond_wait(&dp->call_done, &dp->call_lock);
	pthread_mutex_unlock(&dp->call_lock);
}

static void take_call(struct dataplane *dp)
{
	uint64_t count;
	struct call *call;

	if (read(dp->wake, &count, sizeof(count)) < 0)
		return;
	pthread_mutex_lock(&dp->call_lock);
	call = dp->call;
	if (call) {
		call->fn(dp, call->arg);
		call->done = true;
		dp->call = NULL;
		pthread_cond_signal(&dp->call_done);
	}
	pthread_mutex_unlock(&dp->call_lock);
}

static void dispatch(struct dataplane *dp, uintptr_t what)
{
	if (!what)
		take_call(dp);
	else if (what & IS_TUN)
		outbound_run(dp, (struct dp_tun *)(what & ~IS_TUN));
	else
		inbound_run(dp, (struct dp_sock *)what);
}

static void *run(void *arg)
{
	struct dataplane *dp = (struct dataplane *)arg;
	struct epoll_event evs[16];
	int i, n;

	while (!dp->quit) {
		n = epoll_wait(dp->epoll, evs, 16, -1);
		dp_update_clock(dp);
		for (i = 0; i < n; i++)
			dispatch(dp, (uintptr_t)evs[i].data.ptr);
	}
	return NULL;
}

static int watch(struct dataplane *dp, int fd, uintptr_t what)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = (void *)what};

	return epoll_ctl(dp->epoll, EPOLL_CTL_ADD, fd, &ev);
}

void thread_watch_tun(struct dataplane *dp, struct dp_tun *tun)
{
	watch(dp, tun->fd, (uintptr_t)tun | IS_TUN);
}

static int start(struct dataplane *dp)
{
	sigset_t all, old;
	int err;

	/* Signals are the control thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&dp->thread, NULL, run, dp);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err ? ERR_IO : 0;
}

int thread_start(struct dataplane *dp)
{
	size_t i;

	dp->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	dp->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (dp->wake < 0 || dp->epoll < 0 || watch(dp, dp->wake, 0))
		return ERR_IO;
	for (i = 0; i < SOCKS_MAX; i++)
		if (dp->socks[i].fd >= 0 && watch(dp, dp->socks[i].fd, (uintptr_t)&dp->socks[i]))
			return ERR_IO;
	if (start(dp))
		return ERR_IO;
	dp->running = true;
	return 0;
}

static void quit(struct dataplane *dp, void *arg)
{
	(void)arg;
	dp->quit = true;
}

void thread_stop(struct dataplane *dp)
{
	if (dp->running) {
		call_run(dp, quit, NULL);
		pthread_join(dp->thread, NULL);
		dp->running = false;
	}
	if (dp->epoll >= 0)
		close(dp->epoll);
	if (dp->wake >= 0)
		close(dp->wake);
}
