/* stream.c - the list of streams that a world has. Datagrams are probes (probe.h), so that each is
 * looked at as any other; a stream remembers the numbers of its own.
 *
 * Ownership: a stream is the world's until it is finished. */
#include "harness/sim/stream.h"
#include "harness/sim/packet_make.h"
#include "harness/sim/tcp.h"
#include "harness/stream.h"
#include "vpn/base/proto.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define UDP_SIZE   1000
#define UDP_RATE   100000 /* octets a second, unless the step says */
#define LINGER	   (2 * LINK_S)
#define FIRST_PORT 40000
#define TCP_PORT   5001

struct sim_stream {
	struct sim_world *world;
	const char *name; /* NULL: of a step of its own */
	size_t from, to;
	struct tcp *tcp; /* NULL: datagrams */

	struct ip_addr address;
	size_t size;
	uint64_t left; /* datagrams to be sent */
	int64_t next, every;
	uint64_t *numbers;
	size_t sent, cap;
};

static void stream_free(struct sim_stream *s)
{
	if (!s)
		return;
	tcp_free(s->tcp);
	free(s->numbers);
	free(s);
}

void sim_streams_free(struct sim_world *world)
{
	size_t i;

	for (i = 0; i < world->streams_count; i++)
		stream_free(world->streams[i]);
	free(world->streams);
}

static void take_out(struct sim_world *world, struct sim_stream *s)
{
	size_t i;

	for (i = 0; i < world->streams_count && world->streams[i] != s; i++)
		;
	memmove(&world->streams[i], &world->streams[i + 1],
		(--world->streams_count - i) * sizeof(*world->streams));
	stream_free(s);
}

static void send_tcp(void *arg, bool by_client, const uint8_t *ip, size_t len, int64_t now)
{
	const struct sim_stream *s = arg;
	uint8_t buf[SIM_PACKET_MAX];

	memcpy(buf, ip, len);
	sim_net_send(s->world->net, by_client ? s->from : s->to, buf, len, now);
}

static int start_tcp(struct sim_stream *s, const struct sc_step *step, struct err_msg *msg)
{
	struct sim_world *world = s->world;
	struct tcp_spec spec = {
	    .server = {s->address, TCP_PORT},
	    .octets = step->octets,
	    .rate = step->rate,
	    .send = send_tcp,
	    .arg = s,
	};
	int err;

	spec.client.port = (uint16_t)(FIRST_PORT + world->streams_started % 20000);
	if (!sim_world_source(world, s->from, &s->address, &spec.client.addr))
		return err_set(msg, ERR_STATE, "%s has no address to reach %s from", step->from,
			       step->address);
	err = tcp_new(&spec, world->now, &s->tcp);
	return err < 0 ? err_set(msg, err, "%s", err_text(err)) : 0;
}

static void start_udp(struct sim_stream *s, const struct sc_step *step)
{
	uint64_t rate = step->rate ? step->rate : UDP_RATE;

	s->size = step->size ? step->size : UDP_SIZE;
	s->left = step->count ? step->count : UINT64_MAX;
	s->every = (int64_t)(s->size * (uint64_t)LINK_S / rate);
	s->next = s->world->now;
}

int sim_stream_start(struct sim_world *world, const struct sc_step *step, struct err_msg *msg)
{
	struct sim_stream **grown =
	    realloc(world->streams, (world->streams_count + 1) * sizeof(*grown));
	struct sim_stream *s = calloc(1, sizeof(*s));
	int err = 0;

	if (grown)
		world->streams = grown;
	if (!grown || !s) {
		free(s);
		return err_set(msg, ERR_NOMEM, "out of memory");
	}
	s->world = world;
	s->name = step->name;
	s->from = sim_world_node(world, step->from);
	s->to = sim_world_node(world, step->to);
	ip_addr_parse(step->address, &s->address);
	world->streams_started++;
	grown[world->streams_count++] = s;
	if (step->kind == STEP_TCP || step->protocol == STREAM_TCP)
		err = start_tcp(s, step, msg);
	else
		start_udp(s, step);
	if (err < 0)
		take_out(world, s);
	return err;
}

struct sim_stream *sim_stream_find(const struct sim_world *world, const char *name)
{
	size_t i = world->streams_count;

	while (i-- > 0) {
		struct sim_stream *s = world->streams[i];

		if (name ? s->name && strcmp(s->name, name) == 0 : !s->name)
			return s;
	}
	return NULL;
}

/* --- time --- */

static bool note_number(struct sim_stream *s, uint64_t number)
{
	size_t cap = s->cap ? 2 * s->cap : 256;
	uint64_t *grown = s->numbers;

	if (s->sent == s->cap) {
		grown = realloc(grown, cap * sizeof(*grown));
		if (!grown)
			return false;
		s->numbers = grown;
		s->cap = cap;
	}
	s->numbers[s->sent++] = number;
	return true;
}

static void send_datagram(struct sim_stream *s)
{
	uint64_t number = sim_world_probe(s->world, s->from, &s->address, s->size);

	if (number == UINT64_MAX || !note_number(s, number))
		rules_break(&s->world->rules, "a datagram of a stream could not be sent");
	s->left--;
	s->next += s->every;
}

static int64_t next_of(const struct sim_stream *s)
{
	if (s->tcp)
		return tcp_next(s->tcp);
	return s->left ? s->next : LINK_NEVER;
}

int64_t sim_streams_next(const struct sim_world *world)
{
	int64_t first = LINK_NEVER, at;
	size_t i;

	for (i = 0; i < world->streams_count; i++) {
		at = next_of(world->streams[i]);
		first = at < first ? at : first;
	}
	return first;
}

void sim_streams_run(struct sim_world *world)
{
	size_t i;

	for (i = 0; i < world->streams_count; i++) {
		struct sim_stream *s = world->streams[i];

		if (next_of(s) > world->now)
			continue;
		if (s->tcp)
			tcp_run(s->tcp, world->now);
		else
			send_datagram(s);
	}
}

void sim_streams_take(struct sim_world *world, const uint8_t *data, const struct ip_info *ip)
{
	struct tcp_seen seen;
	size_t i;

	for (i = 0; i < world->streams_count; i++) {
		struct sim_stream *s = world->streams[i];

		if (!s->tcp || !tcp_take(s->tcp, data, ip, world->now))
			continue;
		tcp_look(s->tcp, &seen);
		if (seen.damaged)
			rules_break(&world->rules, "TCP delivered an octet that was not sent");
		return;
	}
}

void sim_streams_too_big(struct sim_world *world, const struct ip_addr *to, unsigned mtu)
{
	size_t i;

	for (i = 0; i < world->streams_count; i++)
		if (world->streams[i]->tcp)
			tcp_too_big(world->streams[i]->tcp, to, mtu, world->now);
}

/* --- the end --- */

static bool is_done(struct sim_world *world, void *arg)
{
	const struct sim_stream *s = arg;

	(void)world;
	return s->tcp ? tcp_is_done(s->tcp) : !s->left;
}

static int judge_tcp(const struct sim_stream *s, const struct sc_step *step, bool done,
		     struct err_msg *msg)
{
	struct tcp_seen seen;

	tcp_look(s->tcp, &seen);
	if (!done)
		return err_set(msg, ERR_AGAIN, "%" PRIu64 " octets arrived, and no more",
			       seen.octets);
	if (step->pause_ms && seen.pause > step->pause_ms * LINK_MS)
		return err_set(msg, ERR_STATE, "paused for %" PRId64 " ms, more than %u ms",
			       seen.pause / LINK_MS, step->pause_ms);
	return 0;
}

static int judge_udp(const struct sim_stream *s, const struct sc_step *step, struct err_msg *msg)
{
	size_t i, arrived = 0;

	for (i = 0; i < s->sent; i++)
		arrived += probe_was_delivered(&s->world->probes, s->numbers[i]);
	if ((double)arrived < (double)s->sent * (1.0 - step->lost))
		return err_set(msg, ERR_STATE, "%zu of %zu datagrams arrived", arrived, s->sent);
	return 0;
}

int sim_stream_finish(struct sim_world *world, struct sim_stream *stream,
		      const struct sc_step *step, int64_t until, struct err_msg *msg)
{
	bool done;
	int err;

	if (stream->tcp)
		tcp_finish(stream->tcp);
	else if (stream->left > UINT32_MAX)
		stream->left = 0;
	done = sim_world_run(world, until, is_done, stream);
	if (!stream->tcp)
		sim_world_run(world, world->now + LINGER, NULL, NULL);
	err = stream->tcp ? judge_tcp(stream, step, done, msg) : judge_udp(stream, step, msg);
	take_out(world, stream);
	return err;
}
