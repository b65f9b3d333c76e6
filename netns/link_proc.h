/* link_proc.h - the process of a wire. Used by link_wire.c alone. */
#ifndef NETNS_LINK_PROC_H
#define NETNS_LINK_PROC_H

#include "netns/link_ctl.h"

struct link_proc_spec {
	const struct link_wire_spec *wire;
	int ns_fds[2]; /* of a and b */
	int control;
	pid_t owner;
};

/* Called in the forked child; ends the process. */
_Noreturn void link_proc_run(const struct link_proc_spec *spec);

#endif
