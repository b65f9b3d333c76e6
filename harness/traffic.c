/* traffic.c - pings, and a TCP stream from beginning to end. Nothing is kept between calls. */
#include "harness/traffic.h"
#include "harness/stream.h"
#include "netns/process.h"
#include <stdio.h>

#define PING_MS	     15000
#define TCP_START_MS 35000 /* its own time-out comes first, and says more */
#define TCP_MS	     300000

static int run_ping(struct net *net, const char *node, const char *const *argv, int *ret_status,
		    struct process_output *ret_output, struct err_msg *msg)
{
	const struct process_spec spec = {.node = node, .argv = argv};

	return process_run(net, &spec, PING_MS + 5000, ret_status, ret_output, msg);
}

int traffic_ping(struct net *net, const char *from, const char *addr, unsigned size,
		 struct err_msg *msg)
{
	return traffic_ping_within(net, from, addr, size, PING_MS, msg);
}

int traffic_ping_within(struct net *net, const char *from, const char *addr, unsigned size,
			unsigned within_ms, struct err_msg *msg)
{
	int64_t deadline = wait_now_ms() + within_ms;
	struct process_output output = {0};
	unsigned answers = 0;
	char size_text[16];
	int status = 1, err = 0;

	snprintf(size_text, sizeof(size_text), "%u", size);
	while (err == 0 && answers < 2 && wait_now_ms() < deadline) {
		const char *const argv[] = {"ping", "-n",      "-c1", "-W1",
					    "-s",   size_text, addr,  NULL};

		process_output_free(&output);
		err = run_ping(net, from, argv, &status, &output, msg);
		/* The second must follow the first; a gap starts again. */
		answers = status == 0 ? answers + 1 : 0;
	}
	if (err == 0 && answers < 2)
		err = err_set(msg, ERR_AGAIN, "ping from %s to %s, %u octets: %.300s", from, addr,
			      size, output.text ? output.text : "");
	process_output_free(&output);
	return err;
}

int traffic_no_ping(struct net *net, const char *from, const char *addr, unsigned timeout_s,
		    struct err_msg *msg)
{
	struct process_output output = {0};
	char wait_text[16];
	const char *const argv[] = {"ping", "-n", "-c1", "-W", wait_text, addr, NULL};
	int status = 0, err;

	snprintf(wait_text, sizeof(wait_text), "%u", timeout_s);
	err = run_ping(net, from, argv, &status, &output, msg);
	if (err == 0 && status == 0)
		err = err_set(msg, ERR_STATE, "%s answers %s, which it must not", addr, from);
	process_output_free(&output);
	return err;
}

int traffic_tcp(struct net *net, const char *from, const char *to, const char *to_addr,
		size_t octets, struct err_msg *msg)
{
	const struct stream_spec spec = {
	    .protocol = STREAM_TCP, .from = from, .to = to, .address = to_addr, .octets = octets};
	struct stream_result result;
	struct stream *stream;
	int err = stream_start(net, &spec, TCP_START_MS, &stream, msg);

	return err < 0 ? err : stream_finish(stream, TCP_MS, &result, msg);
}
