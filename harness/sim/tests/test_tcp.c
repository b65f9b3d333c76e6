/* The hosts' TCP: octets arrive once, in order, unchanged, whatever the wire does to segments, and
 * a segment is never larger than the path (RFC 9293 §3.7.1, RFC 5681, RFC 6298, RFC 1191). */
#include "harness/sim/packet_make.h"
#include "harness/sim/tcp.h"
#include "netns/link_params.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define DELAY	 (20 * LINK_MS)
#define QUEUE	 256
#define ONE_MIB	 1048576u
#define PATIENCE (600 * LINK_S)

struct flying {
	int64_t at;
	bool by_client;
	size_t len;
	uint8_t ip[1600];
};

struct net {
	struct tcp *tcp;
	int64_t now;
	struct flying queue[QUEUE];
	size_t n;
	unsigned sent, lose_every, lose_one, reorder_every, damage_one;
	size_t largest, path; /* of packets; path 0: any */
};

static void fly(void *arg, bool by_client, const uint8_t *ip, size_t len, int64_t now)
{
	struct net *net = arg;
	struct flying *f = &net->queue[net->n];

	net->sent++;
	net->largest = len > net->largest ? len : net->largest;
	if (net->sent == net->lose_one || (net->lose_every && net->sent % net->lose_every == 0) ||
	    (net->path && len > net->path) || net->n == QUEUE || len > sizeof(f->ip))
		return;
	*f = (struct flying){.at = now + DELAY, .by_client = by_client, .len = len};
	if (net->reorder_every && net->sent % net->reorder_every == 0)
		f->at += DELAY / 2;
	memcpy(f->ip, ip, len);
	if (net->sent == net->damage_one)
		f->ip[len - 1] ^= 0x20; /* whoever forges the checksum, too */
	net->n++;
}

static void begin(struct net *net, uint64_t octets, uint64_t rate)
{
	struct tcp_spec spec = {.octets = octets, .rate = rate, .send = fly, .arg = net};

	spec.client.port = 40000;
	spec.server.port = 5001;
	ip_addr_parse("192.0.2.1", &spec.client.addr);
	ip_addr_parse("198.51.100.1", &spec.server.addr);
	assert_int_equal(tcp_new(&spec, 0, &net->tcp), 0);
}

static size_t first(const struct net *net)
{
	size_t i, best = 0;

	for (i = 1; i < net->n; i++)
		if (net->queue[i].at < net->queue[best].at)
			best = i;
	return best;
}

static void deliver(struct net *net)
{
	struct flying f = net->queue[first(net)];
	struct ip_info ip;

	net->queue[first(net)] = net->queue[net->n - 1];
	net->n--;
	assert_int_equal(ip_parse(f.ip, f.len, &ip), 0);
	assert_true(tcp_take(net->tcp, f.ip, &ip, net->now));
}

static void run(struct net *net)
{
	while (!tcp_is_done(net->tcp) && net->now < PATIENCE) {
		int64_t packet = net->n ? net->queue[first(net)].at : LINK_NEVER;
		int64_t timer = tcp_next(net->tcp);

		assert_true(packet != LINK_NEVER || timer != LINK_NEVER);
		net->now = packet < timer ? packet : timer > net->now ? timer : net->now;
		if (packet <= timer)
			deliver(net);
		else
			tcp_run(net->tcp, net->now);
	}
}

static void expect_all(struct net *net, uint64_t octets)
{
	struct tcp_seen seen;

	run(net);
	tcp_look(net->tcp, &seen);
	assert_true(tcp_is_done(net->tcp));
	assert_int_equal(seen.octets, octets);
	assert_false(seen.damaged);
	tcp_free(net->tcp);
}

static void all_arrives_over_a_good_wire(void **state)
{
	struct net net = {0};

	(void)state;
	begin(&net, ONE_MIB, 0);
	expect_all(&net, ONE_MIB);
	assert_int_equal(net.largest, 1500);
	assert_in_range(net.sent, 2 * ONE_MIB / 1460, 2 * ONE_MIB / 1460 + 8); /* nothing twice */
}

static void any_one_segment_may_be_lost(void **state)
{
	unsigned lost;

	(void)state;
	for (lost = 1; lost <= 120; lost++) {
		struct net net = {.lose_one = lost};

		begin(&net, 65536, 0);
		expect_all(&net, 65536);
	}
}

static void loss_and_reordering_cost_time_alone(void **state)
{
	unsigned k;

	(void)state;
	for (k = 3; k < 40; k++) {
		struct net net = {.lose_every = k, .reorder_every = k / 2 + 1};

		begin(&net, 200000, 0);
		expect_all(&net, 200000);
	}
}

static void a_router_that_says_what_fits_is_believed(void **state)
{
	struct ip_addr server;
	struct net net = {.path = 1300};

	(void)state;
	begin(&net, ONE_MIB, 0);
	ip_addr_parse("198.51.100.1", &server);
	while (net.sent < 6) {
		net.now = net.n ? net.queue[first(&net)].at : tcp_next(net.tcp);
		if (net.n)
			deliver(&net);
		else
			tcp_run(net.tcp, net.now);
	}
	assert_int_equal(net.largest, 1500);
	net.largest = 0;
	tcp_too_big(net.tcp, &server, 1300, net.now);
	expect_all(&net, ONE_MIB);
	assert_int_equal(net.largest, 1300);
}

static void the_rate_is_kept(void **state)
{
	struct net net = {0};

	(void)state;
	begin(&net, 100000, 10000);
	expect_all(&net, 100000);
	assert_in_range(net.now, 99 * LINK_S / 10, 11 * LINK_S);
}

static void a_damaged_octet_is_told(void **state)
{
	struct net net = {.damage_one = 10};
	struct tcp_seen seen;

	(void)state;
	begin(&net, 65536, 0);
	run(&net);
	tcp_look(net.tcp, &seen);
	assert_true(seen.damaged);
	tcp_free(net.tcp);
}

static void an_unanswered_syn_is_given_up(void **state)
{
	struct net net = {.lose_every = 1};

	(void)state;
	begin(&net, 1000, 0);
	run(&net);
	assert_false(tcp_is_done(net.tcp));
	assert_in_range(net.sent, 8, 20);
	tcp_free(net.tcp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_arrives_over_a_good_wire),
	    cmocka_unit_test(any_one_segment_may_be_lost),
	    cmocka_unit_test(loss_and_reordering_cost_time_alone),
	    cmocka_unit_test(a_router_that_says_what_fits_is_believed),
	    cmocka_unit_test(the_rate_is_kept),
	    cmocka_unit_test(a_damaged_octet_is_told),
	    cmocka_unit_test(an_unanswered_syn_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
