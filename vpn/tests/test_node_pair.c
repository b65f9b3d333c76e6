/* test_node_pair.c - two whole nodes with the real engine, a wire between them and a virtual clock:
 * what they do when the other one goes away, comes back, or says no. */
#include "vpn/node/node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND	  UINT64_C(1000000)
#define QUEUE_MAX 64

struct end {
	struct node *node;
	struct ip_addr addr;
	unsigned up, down, failed; /* CHILD_SAs */
	int installed;		   /* SAs in the data plane that is not there */
	int traps;		   /* likewise */
	unsigned bare; /* packets that would leave in the clear: without outbound SA, no trap */
};

struct datagram {
	struct end *to;
	struct endpoint from, at;
	uint8_t octets[4096];
	size_t len;
};

static struct {
	struct end a, b;
	uint64_t now, seed;
	bool cut;
	struct datagram queue[QUEUE_MAX];
	size_t n_queued;
} world;

static int world_random(void *ctx, uint8_t *buf, size_t n)
{
	(void)ctx;
	while (n--) {
		world.seed =
		    world.seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		*buf++ = (uint8_t)(world.seed >> 56);
	}
	return 0;
}

static int64_t world_wall(void *ctx, uint64_t now)
{
	(void)ctx;
	return (int64_t)(now / SECOND);
}

static bool world_source_for(void *ctx, const struct ip_addr *remote, struct ip_addr *ret_local)
{
	struct end *end = ctx;

	(void)remote;
	*ret_local = end->addr;
	return true;
}

static void end_init(struct end *end, const char *addr)
{
	struct node_env env = {
	    .ctx = end, .random = world_random, .wall = world_wall, .source_for = world_source_for};
	struct ike_options options;

	ike_options_default(&options);
	assert_int_equal(ip_addr_parse(addr, &end->addr), 0);
	end->node = node_new(&env, &options);
	assert_non_null(end->node);
	end->installed = 0;
	assert_int_equal(
	    node_add_shared(end->node, "psk", NULL, 0, (struct view){(const uint8_t *)"secret", 6}),
	    0);
}

static int setup(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	world.now = SECOND;
	world.seed = 42;
	end_init(&world.a, "192.0.2.1");
	end_init(&world.b, "192.0.2.2");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	node_free(world.a.node);
	node_free(world.b.node);
	return 0;
}

static void post(struct end *from, const struct ike_action *a)
{
	struct datagram *d = &world.queue[world.n_queued];

	if (world.cut)
		return;
	assert_in_range(world.n_queued, 0, QUEUE_MAX - 1);
	assert_in_range(a->send.datagram.len, 1, sizeof(d->octets));
	world.n_queued++;
	*d = (struct datagram){.to = from == &world.a ? &world.b : &world.a,
			       .from = a->send.local,
			       .at = a->send.remote,
			       .len = a->send.datagram.len};
	memcpy(d->octets, a->send.datagram.p, d->len);
}

static void count(struct end *end, const struct ike_event *ev)
{
	end->up += ev->kind == EVENT_CHILD_UP;
	end->down += ev->kind == EVENT_CHILD_DOWN;
	end->failed += ev->kind == EVENT_CHILD_FAILED;
}

static void drain(struct end *end)
{
	const struct ike_action *a;

	while ((a = node_next_action(end->node))) {
		if (a->type == IKE_ACTION_SEND)
			post(end, a);
		else if (a->type == IKE_ACTION_EVENT)
			count(end, &a->event);
		else if (a->type == IKE_ACTION_SA_INSTALL)
			end->installed++;
		else if (a->type == IKE_ACTION_SA_REMOVE)
			end->installed--;
		else if (a->type == IKE_ACTION_TRAP_ADD)
			end->traps++;
		else if (a->type == IKE_ACTION_TRAP_REMOVE)
			end->traps--;
		end->bare += end->up && end->installed == 0 && end->traps == 0;
	}
}

/* Delivers until nobody has anything to say at this moment. */
static void settle(void)
{
	struct datagram d;

	drain(&world.a);
	drain(&world.b);
	while (world.n_queued) {
		d = world.queue[0];
		memmove(&world.queue[0], &world.queue[1], --world.n_queued * sizeof(d));
		node_input(d.to->node, &d.at, &d.from, (struct view){d.octets, d.len}, world.now);
		drain(d.to);
	}
}

static uint64_t next_deadline(void)
{
	uint64_t a = node_next_deadline(world.a.node), b = node_next_deadline(world.b.node);

	return a < b ? a : b;
}

static void run(uint64_t seconds)
{
	uint64_t end = world.now + seconds * SECOND;

	settle();
	while (next_deadline() <= end) {
		world.now = next_deadline() > world.now ? next_deadline() : world.now;
		node_expire(world.a.node, world.now);
		node_expire(world.b.node, world.now);
		settle();
	}
	world.now = end;
}

static void add_ts(struct ts_list *list, const char *text)
{
	struct ts ts;

	assert_int_equal(ts_parse(text, &ts, NULL), 0);
	assert_int_equal(ts_list_add(list, &ts), 0);
}

static struct ike_conn *conn_to(const char *remote, const char *local_ts, const char *remote_ts)
{
	struct ike_conn *conn = ike_conn_new("home");
	struct child_cfg *child = ike_conn_add_child(conn, "net");

	conn->local.auth = conn->remote.auth = AUTH_CLASS_PSK;
	conn->remote_addrs = calloc(1, sizeof(*conn->remote_addrs));
	assert_int_equal(host_spec_parse(remote, conn->remote_addrs, NULL), 0);
	conn->n_remote_addrs = 1;
	conn->dpd_delay = 10;
	assert_int_equal(
	    proposal_parse(PROTOCOL_IKE, "aes128gcm16-sha256-x25519", &conn->proposals, NULL), 0);
	assert_int_equal(proposal_parse(PROTOCOL_ESP, "aes128gcm16", &child->proposals, NULL), 0);
	add_ts(&child->local_ts, local_ts);
	add_ts(&child->remote_ts, remote_ts);
	return conn;
}

static struct ike_conn *conn_a(void)
{
	return conn_to("192.0.2.2", "10.1.0.0/16", "10.2.0.0/16");
}

static struct ike_conn *conn_b(void)
{
	return conn_to("192.0.2.1", "10.2.0.0/16", "10.1.0.0/16");
}

static void a_starts(enum child_action dpd, enum child_action close, uint32_t keyingtries)
{
	struct ike_conn *conn = conn_a();

	conn->children[0].start_action = ACTION_START;
	conn->children[0].dpd_action = dpd;
	conn->children[0].close_action = close;
	conn->keyingtries = keyingtries;
	node_load_conn(world.b.node, conn_b(), world.now);
	node_load_conn(world.a.node, conn, world.now);
	run(1);
}

static void restart_b(void)
{
	node_free(world.b.node);
	end_init(&world.b, "192.0.2.2");
	node_load_conn(world.b.node, conn_b(), world.now);
}

static void start_action_brings_both_ends_up(void **state)
{
	(void)state;
	a_starts(ACTION_NONE, ACTION_NONE, 1);
	assert_int_equal(world.a.up, 1);
	assert_int_equal(world.b.up, 1);
	assert_int_equal(world.a.installed, 2);
	assert_int_equal(world.b.installed, 2);
}

static void restarted_peer_gets_its_tunnel_back(void **state)
{
	(void)state;
	a_starts(ACTION_START, ACTION_NONE, 1);
	restart_b();
	run(600);
	assert_int_equal(world.a.down, 1);
	assert_int_equal(world.a.up, 2);
	assert_int_equal(world.b.up, 2);
	assert_int_equal(world.a.installed, 2);
}

/* What start_action = start brought up comes back after any outage, whatever dpd_action says
 * ("clear" is ACTION_NONE); keyingtries is for the first connect. */
static void outage_of_any_length_ends_with_the_tunnel_back(void **state)
{
	static const enum child_action dpd[] = {ACTION_START, ACTION_NONE};
	size_t i;

	for (i = 0; i < 2; i++) {
		if (i)
			setup(state);
		a_starts(dpd[i], ACTION_NONE, 1);
		world.cut = true;
		run(3600);
		world.cut = false;
		run(600);
		assert_int_equal(world.a.up, 2);
		if (!i)
			teardown(state);
	}
}

static void close_action_answers_a_deletion(void **state)
{
	struct node_match all = {0};
	size_t n;

	(void)state;
	a_starts(ACTION_NONE, ACTION_START, 1);
	assert_int_equal(node_terminate(world.b.node, &all, false, world.now, &n), 0);
	assert_int_equal(n, 1);
	run(10);
	assert_int_equal(world.a.up, 2);
	assert_int_equal(world.a.installed, 2);
	assert_int_equal(world.b.installed, 2);
}

static void own_deletion_is_not_answered(void **state)
{
	struct node_match all = {0};
	size_t n;

	(void)state;
	a_starts(ACTION_START, ACTION_START, 0);
	node_terminate(world.a.node, &all, false, world.now, &n);
	run(600);
	assert_int_equal(world.a.up, 1);
	assert_int_equal(world.a.installed, 0);
	assert_int_equal(world.b.installed, 0);
}

static void reload_disturbs_nothing(void **state)
{
	(void)state;
	a_starts(ACTION_NONE, ACTION_NONE, 1);
	node_load_conn(world.b.node, conn_b(), world.now);
	node_load_conn(world.a.node, conn_a(), world.now);
	run(100);
	assert_int_equal(world.a.up, 1);
	assert_int_equal(world.a.down, 0);
	assert_int_equal(world.b.down, 0);
}

static void refused_child_is_not_tried_again(void **state)
{
	struct ike_conn *conn = conn_to("192.0.2.2", "172.16.0.0/16", "172.17.0.0/16");

	(void)state;
	conn->children[0].start_action = ACTION_START;
	conn->keyingtries = 0;
	node_load_conn(world.b.node, conn_b(), world.now);
	node_load_conn(world.a.node, conn, world.now);
	run(1000);
	assert_int_equal(world.a.failed, 1);
	assert_int_equal(world.a.up, 0);
	assert_int_equal(world.a.installed, 0);
}

static void stop_deletes_with_the_peer(void **state)
{
	struct ike_sa_info sa;

	(void)state;
	a_starts(ACTION_NONE, ACTION_NONE, 1);
	node_stop(world.a.node, world.now);
	settle();
	assert_false(node_ike_sa(world.a.node, 0, &sa));
	assert_false(node_ike_sa(world.b.node, 0, &sa));
	assert_int_equal(world.b.installed, 0);
}

static void first_packet_brings_a_trapped_child_up(void **state)
{
	struct ike_conn *conn = conn_a();
	const struct ike_action *a;
	struct ts_packet packet = {
	    .proto = 17, .have_ports = true, .src_port = 40000, .dst_port = 53};
	uint32_t trap = 0;

	(void)state;
	packet.src = ip_addr_from_v4((uint8_t[]){10, 1, 0, 5});
	packet.dst = ip_addr_from_v4((uint8_t[]){10, 2, 0, 9});
	conn->children[0].start_action = ACTION_TRAP;
	node_load_conn(world.b.node, conn_b(), world.now);
	node_load_conn(world.a.node, conn, world.now);
	while ((a = node_next_action(world.a.node)))
		trap = a->type == IKE_ACTION_TRAP_ADD ? a->trap.id : trap;
	run(10);
	assert_int_equal(world.a.up, 0);
	node_acquire(world.a.node, trap, &packet, world.now);
	run(1);
	assert_int_equal(world.a.up, 1);
}

static void reauthentication_brings_the_child_back_behind_a_trap(void **state)
{
	struct ike_conn *conn = conn_a();

	(void)state;
	conn->children[0].start_action = ACTION_START;
	conn->rekey_time = 0;
	conn->reauth_time = 100;
	conn->over_time = 10;
	node_load_conn(world.b.node, conn_b(), world.now);
	node_load_conn(world.a.node, conn, world.now);
	run(99);
	assert_int_equal(world.a.up, 1);
	run(5);
	assert_int_equal(world.a.down, 1);
	assert_int_equal(world.a.up, 2);
	assert_int_equal(world.a.installed, 2);
	assert_int_equal(world.b.installed, 2);
	assert_int_equal(world.a.traps, 0);
	assert_int_equal(world.a.bare, 0);
}

static void reauthentication_by_command_is_the_initiators(void **state)
{
	struct node_match all = {0};
	size_t n;

	(void)state;
	a_starts(ACTION_NONE, ACTION_NONE, 1);
	assert_int_equal(node_reauth(world.b.node, &all, world.now, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(node_reauth(world.a.node, &all, world.now, &n), 0);
	assert_int_equal(n, 1);
	run(2);
	assert_int_equal(world.a.up, 2);
	assert_int_equal(world.b.installed, 2);
	/* What is terminated meanwhile stays down. */
	node_reauth(world.a.node, &all, world.now, &n);
	node_terminate(world.a.node, &all, false, world.now, &n);
	run(10);
	assert_int_equal(world.a.up, 2);
	assert_int_equal(world.a.installed, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(start_action_brings_both_ends_up),
	    T(restarted_peer_gets_its_tunnel_back),
	    T(outage_of_any_length_ends_with_the_tunnel_back),
	    T(close_action_answers_a_deletion),
	    T(own_deletion_is_not_answered),
	    T(reload_disturbs_nothing),
	    T(refused_child_is_not_tried_again),
	    T(stop_deletes_with_the_peer),
	    T(first_packet_brings_a_trapped_child_up),
	    T(reauthentication_brings_the_child_back_behind_a_trap),
	    T(reauthentication_by_command_is_the_initiators),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
