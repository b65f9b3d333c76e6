/* process.h - programs in the nodes of an emulated network.
 *
 * A program may see files of its own in place of the machine's (binds), so that several daemons
 * that insist on /etc/swanctl run side by side. Each is killed when the process that started it
 * dies, and is written down in the run's registry before it may run. */
#ifndef NETNS_PROCESS_H
#define NETNS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "netns/net.h"
#include "netns/wait.h"

struct process;

struct process_bind {
	const char *from; /* file or directory that the program sees ... */
	const char *to;	  /* ... as this, which must exist */
};

struct process_spec {
	const char *node;	 /* NULL: the caller's own namespace */
	const char *const *argv; /* argv[0] is looked up in PATH */
	const char *const *env;	 /* "NAME=value", in addition to the caller's; may be NULL */
	const struct process_bind *binds;
	size_t binds_count;
	bool private_run;	  /* an empty /run */
	bool survives_file_limit; /* SIGXFSZ is ignored: write() fails, and no more */
	const char *log; /* standard output and error are appended to this file; NULL: /dev/null */
	const char *input; /* text on standard input; NULL: /dev/null */
};

/* Returns when the program was executed. ERR_NOT_FOUND (no such node or program), ERR_IO. */
int process_start(struct net *net, const struct process_spec *spec, struct process **ret_process,
		  struct err_msg *msg);
pid_t process_pid(const struct process *process);
/* True once it has ended; *ret_status is then its exit status, or 128 + the signal. */
bool process_ended(struct process *process, int *ret_status);
/* ERR_AGAIN if it still runs after that time. */
int process_wait(struct process *process, unsigned timeout_ms, int *ret_status,
		 struct err_msg *msg);
int process_signal(struct process *process, int signal);
/* SIGTERM, and SIGKILL after grace_ms; returns its status. Reaps, frees. NULL is fine. */
int process_stop(struct process *process, unsigned grace_ms);

/* As wait_until, but ends at once with ERR_STATE when the process dies: msg then says how. */
int process_wait_until(struct process *process, wait_fn *fn, void *arg, unsigned timeout_ms,
		       const char *what, struct err_msg *msg);

struct process_output {
	char *text; /* standard output and error, zero-terminated; never NULL after success */
	size_t len;
};

/* Runs a program to its end and collects its output (spec->log is ignored). ERR_AGAIN if it was
 * killed for taking too long; the output is there then too. */
int process_run(struct net *net, const struct process_spec *spec, unsigned timeout_ms,
		int *ret_status, struct process_output *ret_output, struct err_msg *msg);
void process_output_free(struct process_output *output);

#endif
