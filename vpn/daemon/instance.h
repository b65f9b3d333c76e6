/* instance.h - one daemon for a control socket, and telling the service manager that it is up. */
#ifndef VPN_DAEMON_INSTANCE_H
#define VPN_DAEMON_INSTANCE_H

#include "vpn/base/err.h"

struct instance {
	char *pid_path; /* NULL: none */
	int fd;		/* the locked PID file, -1: none */
};

/* Locks and writes the PID file (NULL: none). ERR_EXISTS: a running daemon holds it; ERR_IO. */
int instance_open(struct instance *instance, const char *pid_path, struct err_msg *msg);
/* Removes the PID file. */
void instance_close(struct instance *instance);

/* "READY=1", "STOPPING=1" to the service manager (sd_notify(3)), if there is one. */
void instance_notify(const char *state);

#endif
