/* fuzz_control.c - octets from a vici client to a daemon: every command, in any order, cut
 * anywhere. The node behind it has no wire; time passes after the input, so that waiting commands
 * end, too. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vpn/control/control.h"

#define SECOND UINT64_C(1000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int fuzz_random(void *ctx, uint8_t *buf, size_t n)
{
	(void)ctx;
	memset(buf, 0x5a, n);
	return 0;
}

static int64_t fuzz_wall(void *ctx, uint64_t now)
{
	(void)ctx;
	return 1767225600 + (int64_t)(now / SECOND);
}

static bool fuzz_source_for(void *ctx, const struct ip_addr *remote, struct ip_addr *ret_local)
{
	(void)ctx;
	*ret_local = *remote;
	return true;
}

static void drain(struct node *node, struct control *control, uint64_t now)
{
	const struct ike_action *a;

	while ((a = node_next_action(node)))
		control_action(control, a, now);
}

static void run(struct node *node, struct control *control, uint64_t until)
{
	uint64_t now = SECOND;
	int i;

	for (i = 0; i < 64 && now <= until; i++) {
		node_expire(node, now);
		drain(node, control, now);
		control_expire(control, now);
		drain(node, control, now);
		now += SECOND;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct node_env env = {
	    .random = fuzz_random, .wall = fuzz_wall, .source_for = fuzz_source_for};
	struct control_env control_env = {.daemon = "d",
					  .version = "v",
					  .sysname = "s",
					  .release = "r",
					  .machine = "m",
					  .wall = fuzz_wall};
	struct ike_options options;
	struct control *control;
	struct control_session *s;
	struct node *node;

	ike_options_default(&options);
	node = node_new(&env, &options);
	control = control_new(node, &control_env, SECOND);
	s = control_session_new(control);
	if (!control_session_input(s, (struct view){data, len}, SECOND)) {
		drain(node, control, SECOND);
		run(node, control, 5 * SECOND);
	}
	control_free(control);
	node_free(node);
	return 0;
}
