/* tunnel.c - brings a contestant up and sends through it.
 *
 * All are set up alike: a pre-shared key (WireGuard: its keys), ESP in UDP, since kernel-libipsec
 * knows nothing else and WireGuard is UDP, one child between two host addresses. Each has the MTU
 * that it chooses itself; kernel-libipsec's device has 1400.
 *
 * Ownership: a tunnel has its network, daemons and iperf3 server; tunnel_down frees them. */
#include "vpn/tests/bench/tunnel.h"
#include "vpn/tests/bench/procstat.h"
#include "vpn/tests/bench/stage.h"
#include "harness/conf.h"
#include "harness/traffic.h"
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define UP_MS	   15000
#define PING_SIZE  56
#define MEASURE_MS 20000 /* for a measurement that does not come about */

const char *tunnel_missing(const struct tunnel_spec *spec)
{
	switch (spec->kind) {
	case TUNNEL_IKE:
		return spec->driver->missing();
	case TUNNEL_WIREGUARD:
		return wireguard_missing();
	case TUNNEL_NONE:
		break;
	}
	return NULL;
}

static void make_confs(const struct tunnel_spec *spec, struct conf *ret_a, struct conf *ret_b)
{
	const struct conf common = {.conn = "bench",
				    .auth = "psk",
				    .secret = "a secret between the two of them",
				    .encap = "yes"};
	const struct conf_child child = {.name = "net",
					 .mode = spec->mode,
					 .esp_proposals = spec->esp_proposals,
					 .local_ts = A_INNER "/32",
					 .remote_ts = B_INNER "/32"};

	*ret_a = *ret_b = common;
	ret_a->local_addrs = ret_b->remote_addrs = A_OUTER;
	ret_b->local_addrs = ret_a->remote_addrs = B_OUTER;
	ret_a->local_id = ret_b->remote_id = "a.example.net";
	ret_b->local_id = ret_a->remote_id = "b.example.net";
	ret_a->children[0] = ret_b->children[0] = child;
	ret_b->children[0].local_ts = B_INNER "/32";
	ret_b->children[0].remote_ts = A_INNER "/32";
}

static int start_peer(struct net *net, const char *node, const struct tunnel_spec *spec,
		      const struct conf *conf, struct peer **ret_peer, struct err_msg *msg)
{
	char text[CONF_TEXT_MAX];
	int err = peer_create(net, node, spec->driver, &spec->options, ret_peer, msg);

	conf_format(conf, text);
	if (err == 0)
		err = peer_start(*ret_peer, msg);
	if (err == 0)
		err = peer_load(*ret_peer, text, msg);
	return err;
}

static int ike_up(struct tunnel *t, struct err_msg *msg)
{
	struct conf a, b;
	int err = net_add_address(t->net, "a", "lo", A_INNER, msg);

	make_confs(t->spec, &a, &b);
	if (err == 0)
		err = net_add_address(t->net, "b", "lo", B_INNER, msg);
	if (err == 0)
		err = start_peer(t->net, "b", t->spec, &b, &t->b, msg);
	if (err == 0)
		err = start_peer(t->net, "a", t->spec, &a, &t->a, msg);
	if (err == 0)
		err = peer_initiate(t->a, "net", UP_MS, msg);
	return err;
}

static const char *target(const struct tunnel *t)
{
	return t->spec->kind == TUNNEL_NONE ? B_OUTER : B_INNER;
}

static bool listens(void *arg, char *seen, size_t cap)
{
	static const char *const argv[] = {"ss", "-Hltn", "sport = :5201", NULL};
	const struct tunnel *t = arg;
	const struct process_spec spec = {.node = "b", .argv = argv};
	struct process_output output = {0};
	int status, err = process_run(t->net, &spec, 5000, &status, &output, NULL);
	bool found = err == 0 && output.len > 0;

	snprintf(seen, cap, "%s", "no listening socket");
	process_output_free(&output);
	return found;
}

static int start_server(struct tunnel *t, struct err_msg *msg)
{
	const char *const argv[] = {"iperf3", "-s", NULL};
	const struct process_spec spec = {.node = "b", .argv = argv};
	int err = process_start(t->net, &spec, &t->server, msg);

	if (err == 0)
		err = process_wait_until(t->server, listens, t, UP_MS, "iperf3 server", msg);
	return err;
}

int tunnel_up(const struct tunnel_spec *spec, struct tunnel *ret_tunnel, struct err_msg *msg)
{
	struct tunnel t = {.spec = spec};
	int err = stage_build(&t.net, msg);

	if (err == 0 && spec->kind == TUNNEL_IKE)
		err = ike_up(&t, msg);
	if (err == 0 && spec->kind == TUNNEL_WIREGUARD)
		err = wireguard_up(t.net, &t.wg, msg);
	if (err == 0)
		err = traffic_ping(t.net, "a", target(&t), PING_SIZE, msg);
	if (err == 0)
		err = start_server(&t, msg);
	if (err < 0)
		tunnel_down(&t);
	else
		*ret_tunnel = t;
	return err;
}

void tunnel_down(struct tunnel *t)
{
	process_stop(t->server, 1000);
	wireguard_down(&t->wg);
	peer_free(t->a);
	peer_free(t->b);
	net_free(t->net, NULL);
	*t = (struct tunnel){.spec = t->spec};
}

/* iperf3 -J: end.sum_received.bits_per_second, or error. */
static bool read_report(const char *text, double *ret_gbits, char *seen, size_t cap)
{
	json_t *report = json_loads(text, 0, NULL);
	const char *error = "no report";
	double bits = 0;

	json_unpack(report, "{s:s}", "error", &error);
	json_unpack(report, "{s:{s:{s:F}}}", "end", "sum_received", "bits_per_second", &bits);
	if (bits > 0)
		*ret_gbits = bits / 1e9;
	else
		snprintf(seen, cap, "%s", error);
	json_decref(report);
	return bits > 0;
}

struct attempt {
	struct tunnel *tunnel;
	const struct load *load;
	double gbits;
};

static bool try_to_measure(void *arg, char *seen, size_t cap)
{
	struct attempt *at = arg;
	const struct load *load = at->load;
	char seconds[16], streams[16];
	const char *const argv[] = {"iperf3", "-J", "-c",    target(at->tunnel),	  "-t",
				    seconds,  "-P", streams, load->reverse ? "-R" : NULL, NULL};
	const struct process_spec spec = {.node = "a", .argv = argv};
	struct process_output output = {0};
	struct err_msg msg = {{0}};
	bool done = false;
	int status;

	snprintf(seconds, sizeof(seconds), "%u", load->seconds);
	snprintf(streams, sizeof(streams), "%u", load->streams);
	if (process_run(at->tunnel->net, &spec, (load->seconds + 20) * 1000, &status, &output,
			&msg) == 0)
		done = read_report(output.text, &at->gbits, seen, cap);
	else
		snprintf(seen, cap, "%s", msg.text);
	process_output_free(&output);
	return done;
}

/* Tried again for a while: the server may not be done with the measurement before. */
int tunnel_measure(struct tunnel *t, const struct load *load, double *ret_gbits,
		   struct err_msg *msg)
{
	struct attempt at = {.tunnel = t, .load = load};
	int err = process_wait_until(t->server, try_to_measure, &at, MEASURE_MS, "iperf3", msg);

	if (err == 0)
		*ret_gbits = at.gbits;
	return err;
}

double tunnel_cpu_seconds(const struct tunnel *t)
{
	switch (t->spec->kind) {
	case TUNNEL_IKE:
		return procstat_cpu_seconds(peer_pid(t->a)) + procstat_cpu_seconds(peer_pid(t->b));
	case TUNNEL_WIREGUARD:
		return procstat_cpu_seconds(process_pid(t->wg.a)) +
		       procstat_cpu_seconds(process_pid(t->wg.b));
	case TUNNEL_NONE:
		break;
	}
	return 0;
}
