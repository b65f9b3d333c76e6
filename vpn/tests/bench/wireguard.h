/* wireguard.h - two wireguard-go, the userspace WireGuard, on the stage. */
#ifndef VPN_TESTS_BENCH_WIREGUARD_H
#define VPN_TESTS_BENCH_WIREGUARD_H

#include "netns/process.h"

struct wireguard {
	struct process *a, *b;
};

/* NULL if it can be run here, else why not. */
const char *wireguard_missing(void);
/* "wireguard-go v0.0.20230223": the offloads came with that one. Static storage. */
const char *wireguard_version(void);
/* A tunnel between the inner addresses. On failure nothing is left. */
int wireguard_up(struct net *net, struct wireguard *ret_wg, struct err_msg *msg);
void wireguard_down(struct wireguard *wg);

#endif
