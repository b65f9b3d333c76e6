/* control_pair.c - see control_pair.h. */
#include "vpn/tests/control_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define QUEUE_MAX 64

struct cp cp;

static struct datagram {
	struct cp_end *to;
	struct endpoint from, at;
	uint8_t octets[4096];
	size_t len;
} queue[QUEUE_MAX];
static size_t n_queued;
static uint64_t seed;

static int pair_random(void *ctx, uint8_t *buf, size_t n)
{
	(void)ctx;
	while (n--) {
		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		*buf++ = (uint8_t)(seed >> 56);
	}
	return 0;
}

/* 2026-01-01 at the clock's zero: the test certificates are valid then. */
static int64_t pair_wall(void *ctx, uint64_t now)
{
	(void)ctx;
	return 1767225600 + (int64_t)(now / CP_SECOND);
}

static bool pair_source_for(void *ctx, const struct ip_addr *remote, struct ip_addr *ret_local)
{
	(void)remote;
	*ret_local = ((struct cp_end *)ctx)->addr;
	return true;
}

static int pair_resolve(void *ctx, const char *name, struct ip_addr *ret_addr)
{
	(void)ctx;
	if (strcmp(name, "b.example.org") != 0)
		return ERR_AGAIN;
	if (cp.dns == 0)
		*ret_addr = cp.b.addr;
	return cp.dns;
}

static size_t drops(void *ctx, struct control_drop *ret_drops)
{
	(void)ctx;
	ret_drops[0] = (struct control_drop){"no-sa", 3};
	ret_drops[1] = (struct control_drop){"icv", 0};
	return 2;
}

static void end_init(struct cp_end *end, const char *addr)
{
	struct node_env env = {.ctx = end,
			       .random = pair_random,
			       .wall = pair_wall,
			       .source_for = pair_source_for,
			       .resolve = pair_resolve};
	struct control_env control = {.drops = drops,
				      .daemon = "beetd",
				      .version = "1.2.3",
				      .sysname = "Linux",
				      .release = "6.1",
				      .machine = "x86_64",
				      .wall = pair_wall};
	struct ike_options options;

	ike_options_default(&options);
	assert_int_equal(ip_addr_parse(addr, &end->addr), 0);
	end->node = node_new(&env, &options);
	assert_non_null(end->node);
	end->control = control_new(end->node, &control, cp.now);
	end->client = control_session_new(end->control);
	assert_non_null(end->client);
}

int cp_setup(void **state)
{
	(void)state;
	memset(&cp, 0, sizeof(cp));
	n_queued = 0;
	seed = 42;
	cp.now = CP_SECOND;
	end_init(&cp.a, "192.0.2.1");
	end_init(&cp.b, "192.0.2.2");
	return 0;
}

static void end_free(struct cp_end *end)
{
	control_free(end->control);
	node_free(end->node);
	vici_stream_free(&end->in);
}

int cp_teardown(void **state)
{
	(void)state;
	end_free(&cp.a);
	end_free(&cp.b);
	return 0;
}

static void post(struct cp_end *from, const struct ike_action *a)
{
	struct datagram *d = &queue[n_queued];

	if (cp.cut || (cp.lose && --cp.lose == 0))
		return;
	assert_in_range(n_queued, 0, QUEUE_MAX - 1);
	assert_in_range(a->send.datagram.len, 1, sizeof(d->octets));
	n_queued++;
	*d = (struct datagram){.to = from == &cp.a ? &cp.b : &cp.a,
			       .from = a->send.local,
			       .at = a->send.remote,
			       .len = a->send.datagram.len};
	memcpy(d->octets, a->send.datagram.p, d->len);
}

static void drain(struct cp_end *end)
{
	const struct ike_action *a;

	while ((a = node_next_action(end->node))) {
		control_action(end->control, a, cp.now);
		if (a->type == IKE_ACTION_SEND)
			post(end, a);
	}
}

static void take_output(struct cp_end *end)
{
	struct view out = control_session_output(end->client);

	if (out.len)
		assert_int_equal(vici_stream_add(&end->in, out.p, out.len), 0);
	control_session_sent(end->client, out.len);
}

void cp_settle(void)
{
	struct datagram d;

	drain(&cp.a);
	drain(&cp.b);
	while (n_queued) {
		d = queue[0];
		memmove(&queue[0], &queue[1], --n_queued * sizeof(d));
		control_received(d.to->control, (struct view){d.octets, d.len});
		node_input(d.to->node, &d.at, &d.from, (struct view){d.octets, d.len}, cp.now);
		drain(d.to);
	}
	take_output(&cp.a);
	take_output(&cp.b);
}

static uint64_t end_deadline(const struct cp_end *end)
{
	uint64_t node = node_next_deadline(end->node),
		 control = control_next_deadline(end->control);

	return node < control ? node : control;
}

static void end_expire(struct cp_end *end)
{
	node_expire(end->node, cp.now);
	drain(end);
	control_expire(end->control, cp.now);
}

void cp_run(uint64_t seconds)
{
	uint64_t until = cp.now + seconds * CP_SECOND, a, b, first;

	for (;;) {
		cp_settle();
		a = end_deadline(&cp.a);
		b = end_deadline(&cp.b);
		first = a < b ? a : b;
		if (first > until)
			break;
		cp.now = first > cp.now ? first : cp.now;
		end_expire(&cp.a);
		end_expire(&cp.b);
	}
	cp.now = until;
}

/* --- Requests as text --- */

static void write_items(struct vici_writer *v, char *words)
{
	char *word, *rest = words;

	while ((word = strsep(&rest, " ")))
		if (*word)
			vici_item_str(v, word);
}

static void write_line(struct vici_writer *v, char *line)
{
	char *equals = strstr(line, " = "), *end = strchr(line, ']');

	line += strspn(line, " ");
	if (!strcmp(line, "}")) {
		vici_section_end(v);
	} else if (*line == '[') {
		*end = '\0';
		vici_list(v, line + 1);
		write_items(v, end + 1);
		vici_list_end(v);
	} else if (equals) {
		*equals = '\0';
		vici_value_str(v, line, equals + 3);
	} else if (*line) {
		line[strcspn(line, " {")] = '\0';
		vici_section(v, line);
	}
}

void cp_send(struct cp_end *end, const char *command, const char *lines)
{
	char *copy = strdup(lines), *rest = copy, *line;
	struct vici_writer v = {0};
	struct view frame;

	vici_begin(&v, VICI_CMD_REQUEST, command);
	while ((line = strsep(&rest, "\n")))
		write_line(&v, line);
	assert_int_equal(vici_finish(&v, &frame), 0);
	assert_int_equal(control_session_input(end->client, frame, cp.now), 0);
	vici_writer_free(&v);
	free(copy);
}

/* --- Answers as text --- */

static void put(char *out, size_t cap, const char *path, const char *sep, const char *value)
{
	size_t len = strlen(out);

	snprintf(out + len, cap - len, "%s%s%s\n", path, sep, value);
}

static void flatten(char *out, size_t cap, const char *path, const struct vici_node *node)
{
	char sub[500];

	for (; node; node = node->next) {
		snprintf(sub, sizeof(sub), "%s%s%s", path, *path ? "." : "", node->name);
		if (node->kind == VICI_VALUE)
			put(out, cap, *node->name ? sub : path, " = ", node->text);
		else if (!node->child)
			put(out, cap, sub, "", node->kind == VICI_LIST ? " = []" : " {}");
		else
			flatten(out, cap, node->kind == VICI_LIST ? sub : sub, node->child);
	}
}

const char *cp_next(struct cp_end *end)
{
	static const char *const kinds[] = {
#define X(id, value, text, named) [value] = text,
	    VICI_PACKETS(X)
#undef X
	};
	static char text[16384];
	struct vici_packet packet;
	struct vici_tree tree;
	struct view frame;

	if (vici_stream_next(&end->in, &frame))
		return "";
	assert_int_equal(vici_packet_parse(frame, &packet, NULL), 0);
	assert_int_equal(vici_parse(packet.message, &tree, NULL), 0);
	snprintf(text, sizeof(text), "%s %s\n", kinds[packet.type], packet.name);
	flatten(text, sizeof(text), "", tree.root->child);
	vici_tree_free(&tree);
	return text;
}

void cp_register(struct cp_end *end, const char *event)
{
	struct vici_writer v = {0};
	struct view frame;

	vici_begin(&v, VICI_EVENT_REGISTER, event);
	assert_int_equal(vici_finish(&v, &frame), 0);
	assert_int_equal(control_session_input(end->client, frame, cp.now), 0);
	vici_writer_free(&v);
	cp_settle();
	assert_string_equal(cp_next(end), "EVENT_CONFIRM \n");
}

const char *cp_ask(struct cp_end *end, const char *command, const char *lines)
{
	const char *text;

	cp_send(end, command, lines);
	cp_settle();
	do
		text = cp_next(end);
	while (!strncmp(text, "EVENT ", 6));
	return text;
}

void cp_assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in:\n%s", part, text);
}

void cp_assert_has_not(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("'%s' is in:\n%s", part, text);
}

static void load_end(struct cp_end *end, const char *remote, const char *local_ts,
		     const char *remote_ts)
{
	char lines[500];

	assert_string_equal(cp_ask(end, "load-shared", "id = psk\ntype = IKE\ndata = secret"),
			    CP_OK);
	snprintf(lines, sizeof(lines),
		 "home {\n[remote_addrs] %s\nlocal {\nauth = psk\n}\nremote {\nauth = psk\n}\n"
		 "children {\nnet {\n[local_ts] %s\n[remote_ts] %s\n[esp_proposals] "
		 "aes128gcm16\n}\n}\n}",
		 remote, local_ts, remote_ts);
	assert_string_equal(cp_ask(end, "load-conn", lines), CP_OK);
}

void cp_load_pair(void)
{
	load_end(&cp.a, "192.0.2.2", "10.1.0.0/16", "10.2.0.0/16");
	load_end(&cp.b, "192.0.2.1", "10.2.0.0/16", "10.1.0.0/16");
}

void cp_load_named_pair(void)
{
	load_end(&cp.a, "b.example.org", "10.1.0.0/16", "10.2.0.0/16");
	load_end(&cp.b, "192.0.2.1", "10.2.0.0/16", "10.1.0.0/16");
}
