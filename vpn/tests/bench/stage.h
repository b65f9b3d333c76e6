/* stage.h - the network of a benchmark: two nodes and a cable between them, offloads on, MTU 1500.
 *
 *     a  192.0.2.1 ------------ 192.0.2.2  b
 *
 * There is no other route, so what reaches an inner address of the other end came through a tunnel.
 */
#ifndef VPN_TESTS_BENCH_STAGE_H
#define VPN_TESTS_BENCH_STAGE_H

#include "netns/net.h"

#define A_OUTER "192.0.2.1"
#define B_OUTER "192.0.2.2"
#define A_INNER "10.9.0.1"
#define B_INNER "10.9.0.2"

int stage_build(struct net **ret_net, struct err_msg *msg);
/* Runs a shell script in the namespaces of a process (its network, its files), to success. */
int stage_script(struct net *net, pid_t inside, const char *script, const char *const args[4],
		 struct err_msg *msg);

#endif
