/* peer_rekey.c - asks a daemon to rekey, and tells when that is over.
 *
 * The daemons answer the command before the exchange. It is over when there is one SA of that name
 * again, another one than before, and nothing is left to be deleted. */
#include "harness/peer_internal.h"
#include <stdio.h>
#include <string.h>

static bool is_named(const struct vici_node *sa, const char *key, const char *name)
{
	const char *value = key ? vici_text(sa, key) : sa->name;

	return value && strcmp(value, name) == 0;
}

static void look_at(struct rekey_state *state, const struct vici_node *sa, const char *working,
		    const char *spi_key)
{
	const char *text = vici_text(sa, "state"), *spi = vici_text(sa, spi_key);

	if (text && strcmp(text, working) == 0) {
		state->working++;
		snprintf(state->spi, sizeof(state->spi), "%s", spi ? spi : "");
	} else if (!text || strcmp(text, "DELETED") != 0) {
		/* strongSwan keeps a deleted child for a while, for packets on the way. */
		state->leaving++;
	}
}

static void look_at_sa(const struct vici_node *sa, void *arg)
{
	struct rekey_state *state = arg;
	const struct vici_node *children = vici_find(sa, "child-sas"), *child;

	if (!state->child) {
		if (is_named(sa, NULL, state->ike))
			look_at(state, sa, "ESTABLISHED", "initiator-spi");
		return;
	}
	for (child = children ? children->child : NULL; child; child = child->next)
		if (is_named(child, "name", state->child))
			look_at(state, child, "INSTALLED", "spi-in");
}

static int read_state(struct peer *peer, const char *child, const char *ike,
		      struct rekey_state *ret_state, struct err_msg *msg)
{
	*ret_state = (struct rekey_state){.child = child, .ike = ike};
	return peer_list_sas(peer, look_at_sa, ret_state, msg);
}

struct progress {
	struct peer *peer;
	struct rekey_state before;
};

static bool is_rekeyed(void *arg, char *seen, size_t cap)
{
	struct progress *progress = arg;
	struct rekey_state now;

	if (read_state(progress->peer, progress->before.child, progress->before.ike, &now, NULL) <
	    0)
		return false;
	snprintf(seen, cap, "%u established (SPI %s, was %s), %u on the way out", now.working,
		 now.spi, progress->before.spi, now.leaving);
	return now.working == 1 && now.leaving == 0 && strcmp(now.spi, progress->before.spi) != 0;
}

int peer_rekey_async(struct peer *peer, const char *child, const char *ike, struct err_msg *msg)
{
	struct vici_writer body = {0};
	int err = read_state(peer, child, ike, &peer->asked, msg);

	if (err == 0 && peer->asked.working != 1)
		err = err_set(msg, ERR_STATE, "%u SAs of %s at %s", peer->asked.working,
			      child ? child : ike, peer_node(peer));
	if (err < 0)
		return err;
	vici_value_str(&body, child ? "child" : "ike", child ? child : ike);
	err = peer_request(peer, "rekey", &body, 0, msg);
	vici_writer_free(&body);
	return err;
}

int peer_wait_rekeyed(struct peer *peer, unsigned timeout_ms, struct err_msg *msg)
{
	struct progress progress = {.peer = peer, .before = peer->asked};

	if (!peer->asked.child && !peer->asked.ike)
		return err_set(msg, ERR_STATE, "%s was not asked to rekey anything",
			       peer_node(peer));
	return wait_until(is_rekeyed, &progress, timeout_ms, "rekeying", msg);
}

int peer_rekey(struct peer *peer, const char *child, const char *ike, unsigned timeout_ms,
	       struct err_msg *msg)
{
	int err = peer_rekey_async(peer, child, ike, msg);

	return err < 0 ? err : peer_wait_rekeyed(peer, timeout_ms, msg);
}

static bool is_settled(void *arg, char *seen, size_t cap)
{
	struct progress *progress = arg;
	struct rekey_state now;

	if (read_state(progress->peer, progress->before.child, progress->before.ike, &now, NULL) <
	    0)
		return false;
	snprintf(seen, cap, "%u established, %u on the way out", now.working, now.leaving);
	return now.working == 1 && now.leaving == 0;
}

int peer_wait_settled(struct peer *peer, const char *child, const char *ike, unsigned timeout_ms,
		      struct err_msg *msg)
{
	struct progress progress = {.peer = peer, .before = {.child = child, .ike = ike}};

	return wait_until(is_settled, &progress, timeout_ms, "one SA of that name", msg);
}
