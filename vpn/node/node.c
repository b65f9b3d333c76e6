/* node.c - the node's outside: time, datagrams and the data plane's news go in, actions come out.
 *
 * The node owns the IKE engine and lends it its stores through struct ike_env. Nothing here does
 * I/O. Each call notes `now`; between two fetched actions the node acts upon the events that went
 * by (react.c), so the order in which the owner sees things is: the node's own actions, then the
 * engine's, then what the reactions to those brought. */
#include <stdlib.h>
#include <string.h>

#include "vpn/node/internal.h"

static int lend_random(void *ctx, uint8_t *buf, size_t n)
{
	struct node *node = ctx;

	return node->env.random(node->env.ctx, buf, n);
}

static int64_t lend_wall(void *ctx, uint64_t now)
{
	struct node *node = ctx;

	return node->env.wall(node->env.ctx, now);
}

static struct ike_conn *lend_conn(void *ctx, size_t i)
{
	const struct node *node = ctx;

	return i < node->conns.n ? node->conns.v[i] : NULL;
}

static int lend_shared_key(void *ctx, const struct identity *local, const struct identity *remote,
			   uint8_t *secret, size_t *ret_len)
{
	const struct node *node = ctx;
	const struct shared *s = creds_find_shared(&node->creds, local, remote);

	if (!s)
		return ERR_NOT_FOUND;
	memcpy(secret, s->secret, s->len);
	*ret_len = s->len;
	return 0;
}

static struct privkey *lend_private_key(void *ctx, const struct cert *cert)
{
	const struct node *node = ctx;

	return creds_key_for(&node->creds, cert);
}

static struct cert *lend_cert(void *ctx, size_t i)
{
	const struct node *node = ctx;

	return i < node->creds.n_certs ? node->creds.certs[i] : NULL;
}

static struct cert *lend_ca(void *ctx, size_t i)
{
	const struct node *node = ctx;

	return i < node->creds.n_cas ? node->creds.cas[i] : NULL;
}

static bool lend_sa_stats(void *ctx, uint32_t spi, bool inbound, struct ipsec_sa_stats *ret_stats)
{
	return node_sa_stats(ctx, spi, inbound, ret_stats);
}

static bool lend_source(void *ctx, const struct ike_conn *conn, const struct ip_addr *remote,
			const struct ip_addr *current, struct ip_addr *ret_local)
{
	return initiate_source(ctx, conn, remote, current, ret_local);
}

static bool lend_has_addr(void *ctx, const struct ip_addr *addr)
{
	struct node *node = ctx;

	return node->env.has_addr && node->env.has_addr(node->env.ctx, addr);
}

static bool lend_local_addr(void *ctx, size_t i, struct ip_addr *ret_addr)
{
	struct node *node = ctx;

	return node->env.local_addr && node->env.local_addr(node->env.ctx, i, ret_addr);
}

struct node *node_new(const struct node_env *env, const struct ike_options *options)
{
	struct node *node = calloc(1, sizeof(*node));
	struct ike_env ike_env = {
	    .ctx = node,
	    .random = lend_random,
	    .wall = lend_wall,
	    .conn = lend_conn,
	    .shared_key = lend_shared_key,
	    .private_key = lend_private_key,
	    .cert = lend_cert,
	    .ca = lend_ca,
	    .sa_stats = lend_sa_stats,
	    .source_for = lend_source,
	    .has_addr = lend_has_addr,
	    .local_addr = lend_local_addr,
	};

	if (!node)
		return NULL;
	node->env = *env;
	node->options = *options;
	node->names_due = node->traps_due = UINT64_MAX;
	list_init(&node->attempts);
	list_init(&node->traps);
	list_init(&node->reactions);
	outbox_init(&node->outbox);
	node->engine = ike_engine_new(&ike_env, options);
	if (!node->engine) {
		free(node);
		return NULL;
	}
	return node;
}

void node_free(struct node *node)
{
	if (!node)
		return;
	ike_engine_free(node->engine);
	react_free(node);
	attempts_forget(node, NULL, NULL, 0);
	traps_remove(node, NULL);
	outbox_free(&node->outbox);
	conns_free(&node->conns);
	creds_clear(&node->creds);
	pools_free(&node->pools);
	free(node);
}

void node_log_keys(struct node *node, bool on)
{
	ike_engine_log_keys(node->engine, on);
}

void node_input(struct node *node, const struct endpoint *local, const struct endpoint *remote,
		struct view datagram, uint64_t now)
{
	node->now = now;
	ike_engine_input(node->engine, local, remote, datagram, now);
}

const struct ike_action *node_next_action(struct node *node)
{
	const struct ike_action *action;

	react_all(node);
	action = outbox_next(&node->outbox);
	if (action)
		return action;
	action = ike_engine_next_action(node->engine);
	if (action && action->type == IKE_ACTION_EVENT)
		react_note(node, &action->event);
	return action;
}

uint64_t node_next_deadline(const struct node *node)
{
	const uint64_t all[] = {ike_engine_next_deadline(node->engine), attempts_deadline(node),
				node->names_due, node->traps_due};
	uint64_t first = UINT64_MAX;
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		first = all[i] < first ? all[i] : first;
	return first;
}

void node_expire(struct node *node, uint64_t now)
{
	node->now = now;
	ike_engine_expire(node->engine, now);
	names_expire(node);
	traps_expire(node);
	attempts_expire(node);
}

void node_network_changed(struct node *node, uint64_t now)
{
	node->now = now;
	ike_engine_network_changed(node->engine, now);
	attempts_hurry(node);
	if (node->traps_due != UINT64_MAX)
		node->traps_due = now;
}

void node_peer_moved(struct node *node, uint32_t spi, const struct endpoint *remote, uint64_t now)
{
	node->now = now;
	ike_engine_peer_moved(node->engine, spi, remote, now);
}

void node_install_failed(struct node *node, uint32_t child_id, const char *why, uint64_t now)
{
	node->now = now;
	ike_engine_install_failed(node->engine, child_id, why, now);
}

void node_sa_limit(struct node *node, uint32_t child_id, bool hard, uint64_t now)
{
	node->now = now;
	outbox_log(&node->outbox, LOG_CHD, 1, NULL, "CHILD_SA #%u reached its %s volume limit",
		   child_id, hard ? "hard" : "soft");
	ike_engine_sa_limit(node->engine, child_id, hard, now);
}

bool node_ike_sa(const struct node *node, size_t i, struct ike_sa_info *ret_info)
{
	return ike_engine_sa(node->engine, i, ret_info);
}

bool node_ike_sa_by_id(const struct node *node, uint32_t ike_id, struct ike_sa_info *ret_info)
{
	return ike_engine_sa_by_id(node->engine, ike_id, ret_info);
}

bool node_child_sa(const struct node *node, uint32_t ike_id, size_t i,
		   struct child_sa_info *ret_info)
{
	return ike_engine_child(node->engine, ike_id, i, ret_info);
}

bool node_sa_stats(const struct node *node, uint32_t spi, bool inbound,
		   struct ipsec_sa_stats *ret_stats)
{
	return node->env.sa_stats && node->env.sa_stats(node->env.ctx, spi, inbound, ret_stats);
}

size_t node_half_open(const struct node *node)
{
	return ike_engine_half_open(node->engine);
}
