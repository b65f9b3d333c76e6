/* facts_vici.c - the daemon's own word: the connection as loaded, its SAs, its counters.
 *
 * beetd and strongSwan's charon are asked alike; fields that only beetd has (last-failure, if-id,
 * drops) stay empty with the other. A child's SAs are put together under its configured name, the
 * newest speaks for them. */
#include "vpn/daemon/beetctl/explain/facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vpn/vici/client/client.h"
#include "vpn/vici/value.h"

struct asking {
	struct facts *f;
	bool found, again;
	char parent[FACT_NAME_MAX]; /* the connection that has a child of that name */
	char names[FACT_TEXT_MAX];  /* of all connections */
};

static void copy_text(char *to, size_t cap, const struct vici_node *node, const char *key)
{
	const char *text = vici_text(node, key);

	snprintf(to, cap, "%s", text ? text : "");
}

#define COPY(to, node, key) copy_text(to, sizeof(to), node, key)

static uint64_t number_at(const struct vici_node *node, const char *key)
{
	const char *text = vici_text(node, key);

	return text ? strtoull(text, NULL, 10) : 0;
}

static uint32_t hex_at(const struct vici_node *node, const char *key)
{
	const char *text = vici_text(node, key);

	return text ? (uint32_t)strtoul(text, NULL, 16) : 0;
}

static bool yes_at(const struct vici_node *node, const char *key)
{
	const char *text = vici_text(node, key);

	return text && !strcmp(text, "yes");
}

static void join(const struct vici_node *list, char *to, size_t cap)
{
	const struct vici_node *item;
	size_t at = 0;

	to[0] = 0;
	for (item = list ? list->child : NULL; item && at < cap; item = item->next)
		at += (size_t)snprintf(to + at, cap - at, "%s%s", at ? " " : "", item->text);
}

/* What list-sas prints of a range, "A..B", as ts_parse reads it: "A-B". */
static int parse_listed(const char *text, struct ts *ret_ts)
{
	char copy[TS_STRLEN];
	char *dots;

	snprintf(copy, sizeof(copy), "%s", text);
	dots = strstr(copy, "..");
	if (dots) {
		*dots = '-';
		memmove(dots + 1, dots + 2, strlen(dots + 2) + 1);
	}
	return ts_parse(copy, ret_ts, NULL);
}

static size_t read_selectors(const struct vici_node *list, struct ts *to)
{
	const struct vici_node *item;
	size_t n = 0;

	for (item = list ? list->child : NULL; item && n < FACT_SELECTORS_MAX; item = item->next)
		if (!parse_listed(item->text, &to[n]))
			n++;
	return n;
}

static size_t to_nets(const struct ts *ts, size_t n, struct fact_net *to)
{
	size_t i, k = 0;

	for (i = 0; i < n; i++)
		if (!ts[i].dynamic)
			to[k++] = (struct fact_net){.ts = ts[i]};
	return k;
}

/* --- list-conns --- */

static void read_child(struct facts *f, const struct vici_node *node)
{
	struct fact_child *c = &f->children[f->n_children];

	if (f->n_children == FACT_CHILDREN_MAX) {
		live_limit(f, "Of the connection's children only %d were looked at.",
			   FACT_CHILDREN_MAX);
		return;
	}
	f->n_children++;
	*c = (struct fact_child){.configured = true, .if_id = hex_at(node, "if-id-out")};
	snprintf(c->name, sizeof(c->name), "%s", node->name);
	COPY(c->mode, node, "mode");
	COPY(c->start_action, node, "start_action");
	COPY(c->dpd_action, node, "dpd_action");
	COPY(c->close_action, node, "close_action");
	c->tcp_mss = yes_at(node, "tcp-mss");
	c->n_cfg_local = read_selectors(vici_find(node, "local-ts"), c->cfg_local);
	c->n_cfg_remote = read_selectors(vici_find(node, "remote-ts"), c->cfg_remote);
	c->n_local = to_nets(c->cfg_local, c->n_cfg_local, c->local);
	c->n_remote = to_nets(c->cfg_remote, c->n_cfg_remote, c->remote);
}

static void read_failure(struct facts *f, const struct vici_node *conn)
{
	struct fact_failure *x = &f->failure;

	x->there = vici_text(conn, "last-failure") != NULL;
	COPY(x->text, conn, "last-failure");
	COPY(x->cause, conn, "last-failure-cause");
	COPY(x->child, conn, "last-failure-child");
	x->notify = (uint16_t)number_at(conn, "last-failure-notify");
	x->age = number_at(conn, "last-failure-age");
}

static void read_conn(struct facts *f, const struct vici_node *conn)
{
	const struct vici_node *children = vici_find(conn, "children"), *child;

	join(vici_find(conn, "local_addrs"), f->local_addrs, sizeof(f->local_addrs));
	join(vici_find(conn, "remote_addrs"), f->remote_addrs, sizeof(f->remote_addrs));
	f->dpd_delay = (uint32_t)number_at(conn, "dpd_delay");
	read_failure(f, conn);
	for (child = children ? children->child : NULL; child; child = child->next)
		read_child(f, child);
}

static void note_parent(struct asking *a, const struct vici_node *conn)
{
	if (vici_find(vici_find(conn, "children"), a->f->conn))
		snprintf(a->parent, sizeof(a->parent), "%s", conn->name);
}

static void on_conn(void *arg, const char *event, const struct vici_node *message)
{
	struct asking *a = arg;
	const struct vici_node *conn;
	size_t len;

	(void)event;
	for (conn = message->child; conn; conn = conn->next) {
		len = strlen(a->names);
		snprintf(a->names + len, sizeof(a->names) - len, "%s%s", len ? ", " : "",
			 conn->name);
		note_parent(a, conn);
		if (strcmp(conn->name, a->f->conn) != 0)
			continue;
		a->found = true;
		if (a->again)
			read_failure(a->f, conn);
		else
			read_conn(a->f, conn);
	}
}

/* --- list-sas --- */

static bool carries(const struct vici_node *child)
{
	const char *state = vici_text(child, "state");

	return state && (!strcmp(state, "INSTALLED") || !strcmp(state, "REKEYING"));
}

static struct fact_child *child_of(struct facts *f, const char *name)
{
	size_t i;

	for (i = 0; i < f->n_children; i++)
		if (!strcmp(f->children[i].name, name))
			return &f->children[i];
	if (f->n_children == FACT_CHILDREN_MAX)
		return NULL;
	f->children[f->n_children] = (struct fact_child){0};
	snprintf(f->children[f->n_children].name, FACT_NAME_MAX, "%s", name);
	return &f->children[f->n_children++];
}

static bool same_nets(const struct fact_net *nets, size_t n, const struct ts *ts, size_t n_ts)
{
	size_t i;

	for (i = 0; i < n && n == n_ts; i++)
		if (!ts_eq(&nets[i].ts, &ts[i]))
			return false;
	return n == n_ts;
}

/* The SA speaks for its child if it is the newest that was seen so far. */
static void read_child_sa(struct fact_child *c, const struct vici_node *node)
{
	struct ts local[FACT_SELECTORS_MAX], remote[FACT_SELECTORS_MAX];
	size_t n_local = read_selectors(vici_find(node, "local-ts"), local);
	size_t n_remote = read_selectors(vici_find(node, "remote-ts"), remote);
	uint64_t age = number_at(node, "install-time");
	const char *state = vici_text(node, "state");

	if (c->installed++ && !strcmp(state, "INSTALLED"))
		c->others_alike =
		    c->others_alike || (same_nets(c->local, c->n_local, local, n_local) &&
					same_nets(c->remote, c->n_remote, remote, n_remote));
	if (c->installed > 1 && age > c->age)
		return;
	c->age = age;
	c->encap = yes_at(node, "encap");
	c->if_id = vici_text(node, "if-id-out") ? hex_at(node, "if-id-out") : c->if_id;
	COPY(c->sa_mode, node, "mode");
	COPY(c->mode_reason, node, "mode-reason");
	c->n_local = to_nets(local, n_local, c->local);
	c->n_remote = to_nets(remote, n_remote, c->remote);
	c->packets_in.before = c->packets_in.now = number_at(node, "packets-in");
	c->packets_out.before = c->packets_out.now = number_at(node, "packets-out");
}

static void count_again(struct fact_child *c, const struct vici_node *node)
{
	uint64_t in = number_at(node, "packets-in"), out = number_at(node, "packets-out");

	/* Less than before: it was rekeyed meanwhile. */
	if (number_at(node, "install-time") < c->age)
		return;
	c->packets_in.now = in > c->packets_in.now ? in : c->packets_in.now;
	c->packets_out.now = out > c->packets_out.now ? out : c->packets_out.now;
}

static struct endpoint endpoint_at(const struct vici_node *sa, const char *host, const char *port)
{
	struct endpoint e = {.port = (uint16_t)number_at(sa, port)};
	const char *text = vici_text(sa, host);

	if (!text || ip_addr_parse(text, &e.addr))
		e.addr = (struct ip_addr){0};
	return e;
}

static void read_sa(struct facts *f, const struct vici_node *node)
{
	struct fact_sa *sa = &f->sas[f->n_sas];

	if (f->n_sas == FACT_SAS_MAX)
		return;
	f->n_sas++;
	*sa = (struct fact_sa){.id = (uint32_t)number_at(node, "uniqueid"),
			       .initiator = yes_at(node, "initiator"),
			       .local = endpoint_at(node, "local-host", "local-port"),
			       .remote = endpoint_at(node, "remote-host", "remote-port"),
			       .nat_local = yes_at(node, "nat-local"),
			       .nat_remote = yes_at(node, "nat-remote")};
	sa->answered =
	    vici_text(node, "responder-spi") && strspn(vici_text(node, "responder-spi"), "0") != 16;
	COPY(sa->state, node, "state");
	COPY(sa->remote_id, node, "remote-id");
}

static void look_again(struct facts *f, const struct vici_node *node)
{
	size_t i;

	for (i = 0; i < f->n_sas; i++) {
		struct fact_sa *sa = &f->sas[i];

		if (sa->id != number_at(node, "uniqueid"))
			continue;
		sa->lasting = !strcmp(sa->state, "CONNECTING");
		COPY(sa->state, node, "state");
		sa->lasting = sa->lasting && !strcmp(sa->state, "CONNECTING");
	}
}

static void on_sa(void *arg, const char *event, const struct vici_node *message)
{
	struct asking *a = arg;
	const struct vici_node *sa, *children, *node;
	struct fact_child *c;

	(void)event;
	for (sa = message->child; sa; sa = sa->next) {
		if (strcmp(sa->name, a->f->conn) != 0)
			continue;
		if (a->again)
			look_again(a->f, sa);
		else
			read_sa(a->f, sa);
		children = vici_find(sa, "child-sas");
		for (node = children ? children->child : NULL; node; node = node->next) {
			const char *name = vici_text(node, "name");

			c = name && carries(node) ? child_of(a->f, name) : NULL;
			if (c && a->again)
				count_again(c, node);
			else if (c)
				read_child_sa(c, node);
		}
	}
}

/* --- get-counters --- */

static void set_count(struct fact_count *c, uint64_t value, bool again)
{
	if (!again)
		c->before = value;
	c->now = value >= c->before ? value : c->before;
}

static void read_counters(struct facts *f, const struct vici_node *reply, bool again)
{
	const struct vici_node *all = vici_find(vici_find(reply, "counters"), "");
	const struct vici_node *drops = vici_find(reply, "drops"), *drop;
	size_t n = 0;

	set_count(&f->init_out, number_at(all, "ike-init-out-req"), again);
	set_count(&f->init_in, number_at(all, "ike-init-in-resp"), again);
	for (drop = drops ? drops->child : NULL; drop && n < FACT_DROPS_MAX; drop = drop->next) {
		snprintf(f->drops[n].reason, sizeof(f->drops[n].reason), "%s", drop->name);
		set_count(&f->drops[n++].count, strtoull(drop->text, NULL, 10), again);
	}
	f->n_drops = n;
}

/* charon has them only with a plugin: without, nothing is known of counters. */
static void ask_counters(struct vici_client *client, struct facts *f, bool again)
{
	struct vici_tree reply;

	if (vici_client_request(client, "get-counters", NULL, &reply, NULL))
		return;
	read_counters(f, reply.root, again);
	vici_tree_free(&reply);
}

/* --- All --- */

static int ask_stream(struct vici_client *client, struct asking *a, const char *command,
		      const char *event, vici_event_fn fn, struct err_msg *msg)
{
	struct vici_tree reply;
	int err;

	vici_client_on_event(client, fn, a);
	err = vici_client_stream(client, command, event, NULL, &reply, msg);
	if (!err)
		vici_tree_free(&reply);
	return err;
}

static void ask_version(struct vici_client *client, struct facts *f)
{
	struct vici_tree reply;

	if (vici_client_request(client, "version", NULL, &reply, NULL))
		return;
	COPY(f->daemon, reply.root, "daemon");
	COPY(f->version, reply.root, "version");
	vici_tree_free(&reply);
}

int live_ask_daemon(struct vici_client *client, struct facts *f, struct err_msg *msg)
{
	struct asking a = {.f = f};
	int err = ask_stream(client, &a, "list-conns", "list-conn", on_conn, msg);

	if (err)
		return err;
	if (!a.found && a.parent[0])
		return err_set(msg, ERR_NOT_FOUND,
			       "'%.64s' is a child of %.64s: beetctl explain %.64s", f->conn,
			       a.parent, a.parent);
	if (!a.found)
		return err_set(msg, ERR_NOT_FOUND,
			       "no connection '%.64s' is loaded; there %s%.200s", f->conn,
			       a.names[0] ? "are: " : "is none", a.names);
	ask_version(client, f);
	ask_counters(client, f, false);
	return ask_stream(client, &a, "list-sas", "list-sa", on_sa, msg);
}

int live_ask_again(struct vici_client *client, struct facts *f, struct err_msg *msg)
{
	struct asking a = {.f = f, .again = true};
	int err = ask_stream(client, &a, "list-conns", "list-conn", on_conn, msg);

	if (err)
		return err;
	ask_counters(client, f, true);
	return ask_stream(client, &a, "list-sas", "list-sa", on_sa, msg);
}
