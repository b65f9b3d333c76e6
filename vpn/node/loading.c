/* loading.c - what loading and unloading set in motion; the rest of the configuration interface.
 *
 * Loading a connection asks for the devices of its interface IDs, looks up its DNS names, and
 * carries out its start actions; unloading or replacing it undoes them (swanctl.conf(5)
 * start_action). Replacing does not close SAs: a child that is up and still configured goes on
 * under the connection that it was made from, so that reloading an unchanged file disturbs no
 * traffic; one that is no longer configured is closed if a start action began it. */
#include "vpn/node/internal.h"

static void load_interfaces(struct node *node, const struct ike_conn *conn,
			    const struct child_cfg *child)
{
	uint32_t in = child_if_id_in(conn, child);
	uint32_t out = child_if_id_out(conn, child);

	if (in)
		outbox_interface(&node->outbox, in);
	if (out && out != in)
		outbox_interface(&node->outbox, out);
}

static void load_child(struct node *node, struct ike_conn *conn, const struct child_cfg *child)
{
	load_interfaces(node, conn, child);
	if (child->start_action == ACTION_START)
		attempt_start(node, conn->name, child->name);
	else if (child->start_action == ACTION_TRAP)
		trap_add(node, conn, child);
}

/* Closes what a start action of the old connection began; kept is its successor, or NULL. */
static void unload_children(struct node *node, const struct ike_conn *old,
			    const struct ike_conn *kept)
{
	size_t count;
	uint16_t i;

	for (i = 0; i < old->n_children; i++) {
		const struct child_cfg *child = &old->children[i];
		struct node_match match = {.ike = old->name, .child = child->name};

		if (kept && ike_conn_find_child(kept, child->name))
			continue;
		attempts_forget(node, old->name, child->name, 0);
		if (child->start_action == ACTION_START)
			node_terminate(node, &match, false, node->now, &count);
	}
}

int node_load_conn(struct node *node, struct ike_conn *conn, uint64_t now)
{
	struct ike_conn *old;
	uint16_t i;
	int err;

	node->now = now;
	err = conns_put(&node->conns, conn, &old);
	if (err) {
		ike_conn_unref(conn);
		return err;
	}
	traps_remove(node, conn->name);
	if (old)
		unload_children(node, old, conn);
	ike_conn_unref(old);
	names_refresh(node);
	for (i = 0; i < conn->n_children; i++)
		load_child(node, conn, &conn->children[i]);
	return 0;
}

int node_unload_conn(struct node *node, const char *name)
{
	struct ike_conn *conn = conns_take(&node->conns, name);

	if (!conn)
		return ERR_NOT_FOUND;
	traps_remove(node, conn->name);
	attempts_forget(node, conn->name, NULL, 0);
	unload_children(node, conn, NULL);
	ike_conn_unref(conn);
	return 0;
}

size_t node_conn_count(const struct node *node)
{
	return node->conns.n;
}

const struct ike_conn *node_conn(const struct node *node, size_t i)
{
	return i < node->conns.n ? node->conns.v[i] : NULL;
}

int node_add_cert(struct node *node, struct cert *cert, enum cert_use use)
{
	return use == CERT_X509_CA ? creds_add_ca(&node->creds, cert)
				   : creds_add_cert(&node->creds, cert);
}

size_t node_cert_count(const struct node *node)
{
	return node->creds.n_certs + node->creds.n_cas;
}

struct cert *node_cert(const struct node *node, size_t i, enum cert_use *ret_use)
{
	const struct creds *c = &node->creds;

	if (i >= c->n_certs + c->n_cas)
		return NULL;
	*ret_use = i < c->n_certs ? CERT_X509 : CERT_X509_CA;
	return i < c->n_certs ? c->certs[i] : c->cas[i - c->n_certs];
}

int node_add_key(struct node *node, struct privkey *key)
{
	return creds_add_key(&node->creds, key);
}

int node_remove_key(struct node *node, const uint8_t id[20])
{
	return creds_remove_key(&node->creds, id);
}

size_t node_key_count(const struct node *node)
{
	return node->creds.n_keys;
}

struct privkey *node_key(const struct node *node, size_t i)
{
	return i < node->creds.n_keys ? node->creds.keys[i] : NULL;
}

bool node_has_key_for(const struct node *node, const struct cert *cert)
{
	return creds_key_for(&node->creds, cert) != NULL;
}

int node_add_shared(struct node *node, const char *uid, const struct identity *owners,
		    size_t n_owners, struct view secret)
{
	if (secret.len > SHARED_SECRET_MAX)
		return ERR_LIMIT;
	return creds_add_shared(&node->creds, uid, owners, n_owners, secret);
}

int node_remove_shared(struct node *node, const char *uid)
{
	return creds_remove_shared(&node->creds, uid);
}

size_t node_shared_count(const struct node *node)
{
	return node->creds.n_shared;
}

const char *node_shared_uid(const struct node *node, size_t i)
{
	return i < node->creds.n_shared ? node->creds.shared[i].uid : NULL;
}

void node_clear_creds(struct node *node)
{
	creds_clear(&node->creds);
}

int node_load_pool(struct node *node, const char *name, const struct ip_addr *first,
		   const struct ip_addr *last)
{
	return pools_put(&node->pools, name, first, last);
}

int node_unload_pool(struct node *node, const char *name)
{
	return pools_remove(&node->pools, name);
}

size_t node_pool_count(const struct node *node)
{
	return node->pools.n;
}

const char *node_pool(const struct node *node, size_t i, struct ip_addr *ret_first,
		      struct ip_addr *ret_last)
{
	const struct pool *pool;

	if (i >= node->pools.n)
		return NULL;
	pool = &node->pools.v[i];
	*ret_first = pool->first;
	*ret_last = pool->last;
	return pool->name;
}
