/* peer_sas.c - what a daemon says of its SAs (list-sas), counted, looked into and waited for. */
#include "harness/peer_internal.h"

#include "vpn/vici/client/client.h"
#include <stdio.h>
#include <string.h>

struct listing {
	peer_sa_fn *fn;
	void *arg;
};

static void on_sa(void *arg, const char *event, const struct vici_node *message)
{
	struct listing *listing = arg;

	(void)event;
	if (message->child)
		listing->fn(message->child, listing->arg);
}

int peer_list_sas(struct peer *peer, peer_sa_fn *fn, void *arg, struct err_msg *msg)
{
	struct listing listing = {.fn = fn, .arg = arg};
	struct vici_tree reply = {0};
	struct vici_client *client;
	int err = vici_client_open(peer->uri, &client, msg);

	if (err < 0)
		return err;
	vici_client_set_timeout(client, REQUEST_TIMEOUT_MS);
	vici_client_on_event(client, on_sa, &listing);
	err = vici_client_stream(client, "list-sas", "list-sa", NULL, &reply, msg);
	if (err == 0)
		vici_tree_free(&reply);
	vici_client_close(client);
	return err;
}

/* What a walk over the SAs looks for, and what it found. */
struct census {
	unsigned sas;
	unsigned children;
	const char *child;
	const char *key;
	char *value;
	size_t cap;
	bool is_found;
};

static bool is_text(const struct vici_node *node, const char *key, const char *text)
{
	const char *value = vici_text(node, key);

	return value && strcmp(value, text) == 0;
}

/* A value's text, or a list's items with a blank between. */
static void copy_text(const struct vici_node *node, char *text, size_t cap)
{
	const struct vici_node *item;
	size_t len = 0;

	text[0] = 0;
	if (node && node->kind == VICI_VALUE)
		snprintf(text, cap, "%s", node->text);
	for (item = node && node->kind == VICI_LIST ? node->child : NULL; item && len < cap;
	     item = item->next)
		len += (size_t)snprintf(text + len, cap - len, "%s%s", len ? " " : "", item->text);
}

static void count_sa(const struct vici_node *sa, void *arg)
{
	struct census *census = arg;
	const struct vici_node *children = vici_find(sa, "child-sas");
	const struct vici_node *child;

	census->sas++;
	for (child = children ? children->child : NULL; child; child = child->next) {
		if (!is_text(child, "state", "INSTALLED"))
			continue;
		census->children++;
		if (census->child && is_text(child, "name", census->child)) {
			copy_text(vici_find(child, census->key), census->value, census->cap);
			census->is_found = true;
		}
	}
}

int peer_child_value(struct peer *peer, const char *child, const char *key, char *ret_value,
		     size_t cap)
{
	struct census census = {.child = child, .key = key, .value = ret_value, .cap = cap};

	if (peer_list_sas(peer, count_sa, &census, NULL) < 0 || !census.is_found)
		return ERR_NOT_FOUND;
	return 0;
}

unsigned peer_count_children(struct peer *peer)
{
	struct census census = {.sas = 0};

	peer_list_sas(peer, count_sa, &census, NULL);
	return census.children;
}

unsigned peer_count_sas(struct peer *peer)
{
	struct census census = {.sas = 0};

	peer_list_sas(peer, count_sa, &census, NULL);
	return census.sas;
}

struct expected {
	struct peer *peer;
	unsigned count;
};

static bool has_children(void *arg, char *seen, size_t cap)
{
	const struct expected *expected = arg;
	unsigned count = peer_count_children(expected->peer);

	snprintf(seen, cap, "%u %s at %s", count, count == 1 ? "child" : "children",
		 expected->peer->node);
	return count == expected->count;
}

static bool has_sas(void *arg, char *seen, size_t cap)
{
	const struct expected *expected = arg;
	struct err_msg msg = {{0}};
	struct census census = {.sas = 0};

	if (peer_list_sas(expected->peer, count_sa, &census, &msg) < 0) {
		snprintf(seen, cap, "%s", msg.text);
		return false;
	}
	snprintf(seen, cap, "%u SAs at %s", census.sas, expected->peer->node);
	return census.sas == expected->count;
}

int peer_wait_children(struct peer *peer, unsigned count, unsigned timeout_ms, struct err_msg *msg)
{
	struct expected expected = {.peer = peer, .count = count};
	int err = process_wait_until(peer->process, has_children, &expected, timeout_ms,
				     "children installed", msg);

	return err < 0 ? peer_add_log(peer, err, msg) : 0;
}

int peer_wait_sas(struct peer *peer, unsigned count, unsigned timeout_ms, struct err_msg *msg)
{
	struct expected expected = {.peer = peer, .count = count};
	int err = process_wait_until(peer->process, has_sas, &expected, timeout_ms, "IKE SAs", msg);

	return err < 0 ? peer_add_log(peer, err, msg) : 0;
}
